"""`weathervane trigger`: a weather rule for a budget, judged before it runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, amount_above_zero, chosen_store, print_json

if TYPE_CHECKING:
    from weathervane.contracts.forecast import Quantiles
    from weathervane.contracts.trigger import TriggerEstimate

_SHOWN_DAYS = 7


def trigger(
    rule: Annotated[str, typer.Argument(help="Like `temp_anomaly_c > 5 for 2 days`.")],
    channel: Annotated[str, typer.Option(help="Whose budget it changes.")],
    multiplier: Annotated[float | None, typer.Option(help="Times the day's budget while it runs, 0 to 3.")] = None,
    amount: Annotated[float | None, typer.Option(help="Or this much more a place and day.")] = None,
    geo: Annotated[list[str] | None, typer.Option(help="Where; every place with weather. Repeat it.")] = None,
    weeks: Annotated[int, typer.Option(min=1, max=26, help="Length of the holdout that would measure it.")] = 13,
    seed: Annotated[int, typer.Option(min=0, help="Of that holdout's draw.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """How often a weather rule runs, what it costs and adds, and the test that would measure it."""
    from weathervane.contracts.trigger import TriggerCampaign
    from weathervane.planning.trigger_rule import parse_rule
    from weathervane.store import results
    from weathervane.workflows.estimate_trigger import estimate_trigger_campaign, trigger_places

    store, at = chosen_store(), now()
    more = None if amount is None else amount_above_zero("amount a day", amount, results.tenant(store).currency)
    campaign = TriggerCampaign(parse_rule(rule), channel, tuple(geo or trigger_places(store)), multiplier, more)
    found = estimate_trigger_campaign(
        store, campaign, weeks=weeks, now=at, run_id=f"trigger-{at:%Y%m%dT%H%M%S}", seed=seed
    )
    if as_json:
        print_json(asdict(found))
    else:
        _show(found, outcome_unit=found.currency if results.tenant(store).outcome_is_money else "units")


def _show(found: TriggerEstimate, outcome_unit: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import chance, share, short_day, spread, whole_money

    console = Console()
    console.print(f"[bold]{found.channel} while {found.rule}[/], in {len(found.geos)} places", highlight=False)
    table = Table("Year", "Geo-days", "Weather known", "Cost", box=None, pad_edge=False)
    for year in found.years:
        known = f"{year.geo_days_known:,}{'' if year.complete else ' (part of the year)'}"
        table.add_row(str(year.year), f"{year.geo_days:,}", known, whole_money(year.cost) if year.cost else "not known")
    console.print(table)
    by_day: dict[str, list[float]] = {}
    for day in found.days:
        by_day.setdefault(short_day(day.date), []).append(day.probability)
    coming = Table("Day", "Mean chance", "Places likelier than not", box=None, pad_edge=False)
    for name, chances in list(by_day.items())[:_SHOWN_DAYS]:
        coming.add_row(name, share(sum(chances) / len(chances)), str(sum(one > 0.5 for one in chances)))
    console.print(coming)
    console.print(f"To {short_day(found.coming.end)} it runs on {_geo_days(found.ahead)} geo-days.", highlight=False)
    if found.cost is not None:
        console.print(f"Cost: {spread(found.cost, found.currency, signed=False)}.", highlight=False)
    if found.lift is not None:
        console.print(
            f"Lift: {spread(found.lift.lift, outcome_unit)}, {chance(found.lift.chance_positive)} that it is positive.",
            highlight=False,
        )
        if found.lift.from_weather is not None:
            console.print(f"  of it by the weather: {spread(found.lift.from_weather, outcome_unit)}.", highlight=False)
        if found.lift.net is not None and found.lift.chance_pays is not None:
            odds = chance(found.lift.chance_pays)
            console.print(
                f"Less its cost: {spread(found.lift.net, found.currency)}, {odds} that it pays.", highlight=False
            )
    if found.holdout is not None:
        holdout = found.holdout
        console.print(
            f"Holdout: {holdout.treatment_definition} About {holdout.expected_episodes:.0f} episodes and "
            f"{holdout.expected_geo_days:.0f} geo-days; no p-value is under {holdout.p_floor:.4f}.",
            highlight=False,
        )
    for text in found.notes:
        console.print(f"  ! {text}", highlight=False)


def _geo_days(found: Quantiles) -> str:
    return f"most likely {found.p50:.0f} (from {found.p10:.0f} to {found.p90:.0f})"
