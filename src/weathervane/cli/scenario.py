"""`weathervane scenario`: the plan with one thing changed; kept, shown, compared, recommended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, amount_above_zero, checked_margin, chosen_store, print_json
from weathervane.contracts.choice import Word, chosen
from weathervane.contracts.errors import BadInput

if TYPE_CHECKING:
    from weathervane.contracts.scenario import Scenario, ScenarioPart, ScenarioResult, ShownScenario

scenario = typer.Typer(help="Scenarios: run, save, list, show, compare, delete, recommend.", no_args_is_help=True)

_LEVERS = (
    "channel:NAME=FACTOR, geo:NAME=FACTOR, total=AMOUNT, weather=forecast|normal|warm|wet, replay=DAY, "
    "promotion=on|off, roas_floor=RETURN, goal=outcome|profit|return_floor|target, margin=SHARE, target=OUTCOME, "
    "risk=expected|p10|cvar"
)
Levers = Annotated[list[str] | None, typer.Argument(help=_LEVERS, show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who keeps or removes it.")]
Margin = Annotated[float | None, typer.Option(help="Profit in a unit of outcome, like 0.4.")]


@scenario.command("run")
def run(levers: Levers = None, as_json: JsonOption = False) -> None:
    """What the plan comes to with these levers changed."""
    from weathervane.workflows.run_scenario import run_scenario

    store = chosen_store()
    result = run_scenario(store, read_levers(levers or (), _currency()))
    if as_json:
        print_json(asdict(result))
    else:
        _show(result)


@scenario.command("save")
def save(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    by: By,
    levers: Levers = None,
    scenario_id: Annotated[str | None, typer.Option("--id", help="Make it a new version of this one.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Repeat it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run it and keep it; with --id and no levers only its name, description or tags change."""
    from weathervane.workflows.save_scenario import save_scenario

    at = now()
    levered = None if scenario_id is not None and not levers else read_levers(levers or (), _currency())
    saved = save_scenario(
        chosen_store(), name=name, scenario=levered, scenario_id=scenario_id, description=description,
        tags=None if tag is None else tuple(tag), by=by, now=at, run_id=f"scenario-{at:%Y%m%dT%H%M%S%f}",
    )  # fmt: skip
    if as_json:
        print_json(asdict(saved))
    else:
        _show(saved.result)
        typer.echo(f"Kept as {saved.scenario_id}, version {saved.version}")


@scenario.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every kept scenario, the last changed first."""
    from weathervane.workflows.show_scenarios import show_scenarios

    found = show_scenarios(chosen_store())
    if as_json:
        print_json({"scenarios": [asdict(one) for one in found]})
    elif found:
        _compare(found)
    else:
        typer.echo("No scenario is kept yet.\nNext: weathervane scenario save NAME --by YOU channel:search=1.1")


@scenario.command("show")
def show(scenario_id: Annotated[str, typer.Argument(help="Its id.")], as_json: JsonOption = False) -> None:
    """One kept scenario, its newest version."""
    from weathervane.workflows.show_scenarios import show_scenarios

    (found,) = show_scenarios(chosen_store(), [scenario_id])
    if as_json:
        print_json(asdict(found))
        return
    typer.echo(f"{found.saved.name} (version {found.saved.version}, {found.saved.updated_at})")
    if found.baseline_changed:
        typer.echo(f"  ! {found.baseline_changed}")
    _show(found.saved.result)


@scenario.command("compare")
def compare(
    scenario_ids: Annotated[list[str], typer.Argument(help="Up to four ids.")], as_json: JsonOption = False
) -> None:
    """Up to four kept scenarios, side by side against the plan each is about."""
    from weathervane.workflows.show_scenarios import show_scenarios

    found = show_scenarios(chosen_store(), scenario_ids)
    if as_json:
        print_json({"scenarios": [asdict(one) for one in found]})
    else:
        _compare(found)


@scenario.command("delete")
def delete(scenario_id: Annotated[str, typer.Argument(help="Its id.")], by: By, as_json: JsonOption = False) -> None:
    """Remove a kept scenario with every version of it."""
    from weathervane.workflows.delete_scenario import delete_scenario

    at = now()
    delete_scenario(chosen_store(), scenario_id, by=by, now=at, run_id=f"scenario-{at:%Y%m%dT%H%M%S%f}")
    if as_json:
        print_json({"scenario_id": scenario_id, "deleted": True})
    else:
        typer.echo(f"{scenario_id} is removed.")


@scenario.command("recommend")
def recommend(margin: Margin = None, as_json: JsonOption = False) -> None:
    """Scenarios that the allocator finds for the newest plan, and why not more."""
    from weathervane.workflows.recommend_scenarios import recommend_scenarios

    found = recommend_scenarios(chosen_store(), margin=checked_margin(margin))
    if as_json:
        print_json(asdict(found))
        return
    for one in found.scenarios:
        typer.echo(f"{one.name}: {one.description}")
        _show(one.result)
    for text in found.reasons:
        typer.echo(f"  · {text}")


def read_levers(words: list[str] | tuple[str, ...], currency: str) -> Scenario:
    """The scenario that words like `channel:search=1.2` and `weather=warm` say; BadInput for anything else."""
    from weathervane.contracts.plan import GoalName, PlanAim, RiskName
    from weathervane.contracts.scenario import Promotion, Scenario, WeatherCase

    factors: dict[str, dict[str, float]] = {"channel": {}, "geo": {}}
    said: dict[str, str] = {}
    for word in words:
        lever, found, value = word.partition("=")
        kind, named, name = lever.partition(":")
        if not found or not value or (named and (kind not in factors or not name)):
            raise BadInput(f"{word!r} is not a lever.", f"write one of {_LEVERS}.")
        place = factors[kind] if named else said
        if (key := name if named else lever) in place:
            raise BadInput(f"{lever!r} is given twice.", "give it once.")
        place[key] = _number(lever, value) if named else value  # pyright: ignore[reportArgumentType]
    known = {"total", "weather", "replay", "promotion", "roas_floor", "goal", "margin", "target", "risk"}
    if odd := sorted(set(said) - known):
        raise BadInput(f"There is no lever {odd[0]!r}.", f"write one of {_LEVERS}.")
    goal, risk = _one_of(said, "goal", get_args(GoalName)), _one_of(said, "risk", get_args(RiskName))
    margin, target, floor = (_maybe(said, name) for name in ("margin", "target", "roas_floor"))
    own = goal or ("profit" if margin is not None else "target" if target is not None else None)
    aim = None
    if own is not None or risk is not None:
        if own == "return_floor":
            if floor is None:
                raise BadInput("The goal 'return_floor' needs a figure.", "give it, like roas_floor=2.")
            own = None  # the floor itself asks for it
        fields = {"goal": own or "outcome", "risk": risk or "expected", "margin": margin, "target": target}
        aim = PlanAim(**fields)  # pyright: ignore[reportArgumentType]
    total = _maybe(said, "total")
    replay = _day(said["replay"]) if "replay" in said else None
    return Scenario(
        total=None if total is None else amount_above_zero("total", total, currency),
        channel_multipliers=factors["channel"],
        geo_tilt=factors["geo"],
        weather=_one_of(said, "weather", get_args(WeatherCase)) or ("replay" if replay else "forecast"),
        replay_start=replay,
        promotion=_one_of(said, "promotion", get_args(Promotion)) or "as_planned",
        roas_floor=floor,
        aim=aim,
    )


def _one_of(said: Mapping[str, str], name: str, allowed: tuple[Word, ...]) -> Word | None:
    return chosen(said[name], allowed, name) if name in said else None


def _maybe(said: Mapping[str, str], name: str) -> float | None:
    return _number(name, said[name]) if name in said else None


def _number(lever: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise BadInput(f"{lever}={value} is not a number.", "write it like 1.2.") from error


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadInput(f"replay={value} is not a date.", "write it like 2025-07-01.") from error


def _currency() -> str:
    from weathervane.store import results

    return results.tenant(chosen_store()).currency


def _show(result: ScenarioResult) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import spread, whole_money

    console, unit = Console(), result.currency if result.outcome_is_money else ""
    more = f"{whole_money(result.spend_diff, signed=True)} against" if result.spend_diff.minor else "the same as in"
    console.print(f"Total [bold]{whole_money(result.spend)}[/], {more} {result.plan_id}.", highlight=False)
    for text in _came_to(result, unit):
        console.print(text, highlight=False)
    if result.demand_diff is not None:
        console.print(f"Demand, whatever is spent: {spread(result.demand_diff, unit)}.", highlight=False)
    if result.chance_more is not None or not _as_planned(result):
        table = Table("", "Plan", "Scenario", "Outcome against the plan", box=None, pad_edge=False)
        for part in (*result.by_channel, *result.by_geo):
            table.add_row(part.name, whole_money(part.planned), whole_money(part.budget), _difference(part, unit))
        console.print(table)
    breaches = [f"Beyond the plan's limits: {text}" for text in result.breaches]
    for mark, texts in (("✗", breaches), ("?", result.unanswered), ("!", result.notes)):
        for text in texts:
            console.print(f"  {mark} {text}", highlight=False, markup=False)


def _came_to(result: ScenarioResult, unit: str) -> list[str]:
    """What the scenario comes to, what it was for first."""
    from weathervane.contracts.figures import chance, share, spread

    said: list[str] = []
    aim = result.scenario.aim
    if result.profit_diff is not None and aim is not None and aim.margin is not None:
        margin = share(aim.margin) if result.outcome_is_money else f"{aim.margin:g} a unit"
        said.append(f"Profit at a margin of {margin}, against the plan: {spread(result.profit_diff, result.currency)}.")
    if aim is not None and aim.goal == "target" and aim.target is not None:
        asked = f"{aim.target:,.0f}"
        said.append(f"Outcome reached: {spread(result.outcome, unit, signed=False)}; you asked for {asked}.")
    if result.chance_more is None:
        why = "No budget differs from the plan's, so ads" if _as_planned(result) else "Ads"
        return [*said, f"{why} bring the same as in the plan."]
    odds = chance(result.chance_more)
    return [*said, f"Outcome of ads, against the plan: {spread(result.outcome_diff, unit)}, {odds} that it is more."]


def _as_planned(result: ScenarioResult) -> bool:
    return all(cell.budget == cell.planned for cell in result.cells)


def _difference(part: ScenarioPart, unit: str) -> str:
    from weathervane.contracts.figures import spread

    diff = part.outcome_diff
    return "the same" if diff.p10 == diff.p50 == diff.p90 == 0 else spread(diff, unit)


def _compare(found: list[ShownScenario]) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import spread, whole_money

    table = Table("Id", "Name", "Version", "Spend", "Outcome against its plan", "", box=None, pad_edge=False)
    for one in found:
        saved, result = one.saved, one.saved.result
        unit = result.currency if result.outcome_is_money else ""
        table.add_row(
            saved.scenario_id, saved.name, str(saved.version), whole_money(result.spend),
            spread(result.outcome_diff, unit), "plan has changed" if one.baseline_changed else "",
        )  # fmt: skip
    Console().print(table)
