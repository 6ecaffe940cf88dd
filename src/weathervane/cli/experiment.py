"""`weathervane experiment`: design a geo test, see what it can detect, watch it, read it, grade someone else's."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from weathervane.cli.clock import now
from weathervane.cli.experiment_words import show_design, show_grade, show_power, show_result, show_screen
from weathervane.cli.options import JsonOption, chosen_store, print_json
from weathervane.cli.progress import stages
from weathervane.contracts.choice import chosen

if TYPE_CHECKING:
    from weathervane.contracts.experiment import EstimatorName
    from weathervane.contracts.experiment_design import Cell, ExperimentDesign, TriggerRule
    from weathervane.contracts.experiment_design import Method as MethodName

experiment = typer.Typer(help="Geo tests: design, approve, import, status, read.", no_args_is_help=True)

_STAGES = 3
_DRAWN: tuple[MethodName, ...] = ("stratified", "complete", "paired", "supergeo", "selected")
_ESTIMATORS: tuple[EstimatorName, ...] = (
    "synthetic_control",
    "difference_in_differences",
    "augmented",
    "synthetic_did",
    "time_based_regression",
    "trimmed_match",
)
_KIND = "kind of test"
ExperimentId = Annotated[str | None, typer.Argument(help="Its id; the only one that fits, if there is one.")]
Channel = Annotated[str | None, typer.Option(help="Channel to test; the one with most spend.")]
Kind = Annotated[str, typer.Option(help="go_dark (off in treated), holdback (off in control) or heavy_up (more).")]
Share = Annotated[
    float | None,
    typer.Option("--share", min=0.05, max=0.9, help="Share of the places that are treated; 0.3, in pairs 0.5."),
]
Weeks = Annotated[int, typer.Option(min=1, max=26, help="Length of the test.")]
Cooldown = Annotated[int, typer.Option("--cooldown", min=0, max=90, help="Days after it that still count.")]
Alpha = Annotated[float, typer.Option(min=0.001, max=0.5, help="0.1 gives a 90 % interval.")]
Start = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; a Monday a week ahead.")]
Method = Annotated[str, typer.Option(help="stratified, complete, paired, supergeo, or selected by model.")]
MustTreat = Annotated[list[str] | None, typer.Option(help="A place that must be treated; repeat it.")]
MustNot = Annotated[list[str] | None, typer.Option(help="A place that must be control; repeat it.")]
Exclude = Annotated[list[str] | None, typer.Option(help="A place that takes no part; repeat it.")]
Buffer = Annotated[float | None, typer.Option("--buffer-km", min=0, help="Places nearer than this share one arm.")]
AtRisk = Annotated[float | None, typer.Option("--max-at-risk", min=0, max=1, help="Largest share of sales at risk.")]
Neighbours = Annotated[list[str] | None, typer.Option(help="Two places that share one arm, as A+B; repeat it.")]
Drop = Annotated[bool, typer.Option("--drop-neighbours", help="Leave the smaller neighbour out instead.")]
Population = Annotated[Path | None, typer.Option(help="CSV with geo,population: arms hold their share of the people.")]
CellOption = Annotated[
    list[str] | None, typer.Option("--cell", help="One of several treatments, as name=channel:kind:share.")
]
Estimator = Annotated[
    str,
    typer.Option(
        help="synthetic_control, difference_in_differences, augmented, synthetic_did, "
        "time_based_regression; trimmed_match with --method paired and ten places or more."
    ),
]
Trigger = Annotated[str | None, typer.Option(help="Answer to weather: temperature<-1, temperature>1.5 or rain>1.")]
Washout = Annotated[int, typer.Option(min=0, max=28, help="Trigger: days after an episode that still count.")]
Lead = Annotated[int, typer.Option("--lead", min=0, max=14, help="Trigger: days ahead it is forecast; 0 as observed.")]
Seed = Annotated[int, typer.Option(min=0, help="Same data and seed, same assignment.")]


@experiment.command("design")
def design(channel: Channel = None, kind: Kind = "go_dark", share: Share = None, weeks: Weeks = 4,
           cooldown: Cooldown = 7, alpha: Alpha = 0.1, start: Start = None, method: Method = "stratified",
           must_treat: MustTreat = None, must_not_treat: MustNot = None, exclude: Exclude = None,
           buffer_km: Buffer = None, neighbours: Neighbours = None, drop_neighbours: Drop = False,
           max_at_risk: AtRisk = None, population: Population = None, cell: CellOption = None,
           estimator: Estimator = "synthetic_control", trigger: Trigger = None, washout: Washout = 3,
           lead: Lead = 1, seed: Seed = 1,
           assign: Annotated[bool, typer.Option("--assign", help="Freeze it: this is the test that runs.")] = False,
           as_json: JsonOption = False) -> None:  # fmt: skip
    """Draw places by chance for a test, and say beforehand what it can detect."""
    from weathervane.connectors.experiments.population_csv import read_population
    from weathervane.contracts.experiment_design import Constraints
    from weathervane.contracts.experiment_design import Kind as KindName
    from weathervane.contracts.period import Period
    from weathervane.workflows.design_experiment import Wish, design_experiment

    store, at = chosen_store(), now()
    first = start.date() if start is not None else None
    wish = Wish(
        channel=channel,
        kind=chosen(kind, get_args(KindName), _KIND),
        treated_share=share if share is not None else 0.5 if method in {"paired", "supergeo"} else 0.3,
        weeks=weeks,
        cooldown_days=cooldown,
        window=None if first is None else Period(first, first + timedelta(days=7 * weeks - 1)),
        method=chosen(method, _DRAWN, "way to draw places called"),
        estimator=chosen(estimator, _ESTIMATORS, "estimator"),
        cells=tuple(_cell(text) for text in cell or ()),
        alpha=alpha,
        trigger=None if trigger is None else _rule(trigger, lead),
        washout_days=washout,
        constraints=Constraints(
            must_treat=dict.fromkeys(must_treat or (), "treated"),
            must_not_treat=tuple(must_not_treat or ()),
            exclude=tuple(exclude or ()),
            neighbours=tuple(_pair(text) for text in neighbours or ()),
            buffer_km=buffer_km,
            buffer="drop" if drop_neighbours else "merge",
            population=None if population is None else read_population(population),
            max_revenue_at_risk=max_at_risk,
        ),
    )
    with stages(_STAGES, quiet=as_json) as stage:
        made, screen = design_experiment(
            store, wish, now=at, run_id=f"experiment-{at:%Y%m%dT%H%M%S}", seed=seed,
            lifecycle="assigned" if assign else "draft", progress=stage,
        )  # fmt: skip
    if as_json:
        print_json({"design": _plain(made), "findings": [asdict(one) for one in screen.findings]})
        return
    show_screen(screen)
    show_design(made)
    typer.echo(f"Kept in {store.geo_holdout(made.experiment_id)}")
    if not assign:
        typer.echo("Next: run it again with --assign to freeze it, or change an option")


def _cell(text: str) -> Cell:
    """`high=search:heavy_up:0.2`: a cell's name, channel, kind and share of the places."""
    import re

    from weathervane.contracts.errors import BadInput
    from weathervane.contracts.experiment_design import Cell
    from weathervane.contracts.experiment_design import Kind as KindName

    found = re.fullmatch(r"([^=:]+)=([^=:]+):(go_dark|holdback|heavy_up):(0?\.\d+)", text.strip())
    if found is None:
        raise BadInput(
            f"{text!r} is not a valid cell.", "write name=channel:kind:share, as in high=search:heavy_up:0.2."
        )
    return Cell(found[1], chosen(found[3], get_args(KindName), _KIND), found[2], float(found[4]))


def _pair(text: str) -> tuple[str, str]:
    from weathervane.contracts.errors import BadInput

    names = [name.strip() for name in text.split("+")]
    if len(names) != 2 or not all(names):
        raise BadInput(f"{text!r} are not two neighbours.", "write the two places as A+B.")
    return names[0], names[1]


def _rule(text: str, lead_days: int) -> TriggerRule:
    """`temperature<-1`: the signal, the side and how many standard deviations from usual."""
    import re

    from weathervane.contracts.errors import BadInput
    from weathervane.contracts.experiment_design import TriggerRule, TriggerSignal

    found = re.fullmatch(r"\s*(temperature|rain)\s*([<>])\s*=?\s*([+-]?\d+(?:\.\d+)?)\s*", text)
    if found is None or (found[2] == ">") != (float(found[3]) > 0):
        raise BadInput(
            f"{text!r} is not a valid trigger.", "write temperature<-1 (cold), temperature>1 (warm) or rain>1 (wet)."
        )
    return TriggerRule(chosen(found[1], get_args(TriggerSignal), "signal"), float(found[3]), lead_days)


@experiment.command("approve")
def approve(experiment_id: Annotated[str, typer.Argument(help="A proposed test.")]) -> None:
    """Let a proposed test start on its first day; nothing of it changes from here on."""
    from weathervane.store import experiments
    from weathervane.workflows.approve_experiment import approve_experiment

    store, at = chosen_store(), now()
    approve_experiment(store, experiment_id, now=at, run_id=f"experiment-{at:%Y%m%dT%H%M%S}")
    start = experiments.design(store, experiment_id).test_window.start
    typer.echo(f"{experiment_id} is assigned and starts on {start}.\nNext: give its places to whoever buys the ads")


@experiment.command("stop")
def stop(
    experiment_id: Annotated[str, typer.Argument(help="A proposed, assigned or running test.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever looks at it later.")] = "A person stopped it.",
) -> None:
    """Drop a proposed test, or end a live one for good without reading it."""
    from weathervane.workflows.approve_experiment import stop_experiment

    at = now()
    state = stop_experiment(chosen_store(), experiment_id, reason, now=at, run_id=f"experiment-{at:%Y%m%dT%H%M%S}")
    typer.echo(f"{experiment_id} is {state}.")


@experiment.command("nightly")
def nightly(
    may: Annotated[str | None, typer.Argument(help="off, propose (a person approves) or start.")] = None,
) -> None:
    """What a night may do where no test runs: nothing, propose one, or start one. Shows it without an argument."""
    from dataclasses import replace

    from weathervane.contracts.tenant import GeoTests
    from weathervane.store import results

    store = chosen_store()
    tenant = results.tenant(store)
    if may is not None:
        tenant = replace(tenant, geo_tests=chosen(may, get_args(GeoTests), "setting of nights called"))
        results.keep_tenant(store, tenant)
    typer.echo(f"Nights may: {tenant.geo_tests}")


@experiment.command("power")
def power(experiment_id: ExperimentId = None, as_json: JsonOption = False) -> None:
    """The effect a design can detect, how often, and at what cost."""
    from weathervane.contracts.errors import NotFound

    store = chosen_store()
    made = _chosen(experiment_id)
    if made.power is None:
        raise NotFound(f"{made.experiment_id} was frozen without its power.", "design the next one with it.")
    if as_json:
        print_json({"experiment_id": made.experiment_id, "power": asdict(made.power)})
    else:
        show_power(made.power, _unit_of(store))


@experiment.command("status")
def status(as_json: JsonOption = False) -> None:
    """Where every test stands, and what is wrong while one runs."""
    from rich.console import Console
    from rich.table import Table

    from weathervane.workflows.check_experiment import check_experiment

    store = chosen_store()
    found = check_experiment(store)
    if as_json:
        print_json({"experiments": [
            {"experiment_id": one.design.experiment_id, "state": one.state, "channel": one.design.channel,
             "test_window": asdict(one.design.test_window), "treated_geos": one.design.treated_geos,
             "control_geos": one.design.control_geos, "alarms": one.alarms,
             "answers": [{"date": day, "geos": places} for day, places in one.answers],
             "lifts": [asdict(lift) for lift in one.result.lifts] if one.result else []}
            for one in found]})  # fmt: skip
        return
    if not found:
        typer.echo("There is no test yet.\nNext: weathervane experiment design")
        return
    table = Table("Experiment", "State", "Channel", "Test", "Treated", "Control", box=None, pad_edge=False)
    for one in found:
        window = f"{one.design.test_window.start} to {one.design.test_window.end}"
        arms = tuple(str(len(geos)) for geos in one.design.arms_of(one.design.cells[0].name))
        table.add_row(one.design.experiment_id, one.state, one.design.channel, window, *arms)
    console = Console()
    console.print(table)
    for one in found:
        for lift in one.result.lifts if one.result else ():
            console.print(f"  · {lift.sentence}", highlight=False)
        for day, places in one.answers:
            told = ", ".join(places) or "nowhere"
            console.print(
                f"  · {one.design.experiment_id}: on {day} ads answer the trigger in: {told}", highlight=False
            )
        for text in one.alarms:
            console.print(f"  ! {one.design.experiment_id}: {text}", highlight=False)


@experiment.command("read")
def read(
    experiment_id: ExperimentId = None,
    without: Annotated[list[str] | None, typer.Option(help="A place to leave out, its days lost; repeat it.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Where the PNG goes; beside the other run folders.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What a finished test showed: table, sentence and picture."""
    from weathervane.exports.experiment_picture import experiment_picture
    from weathervane.store import results
    from weathervane.store.atomic import write_atomically
    from weathervane.workflows.read_experiment import read_experiment

    store, at = chosen_store(), now()
    name = _chosen(experiment_id).experiment_id
    found = read_experiment(store, name, now=at, run_id=f"experiment-{at:%Y%m%dT%H%M%S}", without=without or ())
    demo = results.tenant(store).demo
    pictures: list[Path] = []
    for i, one in enumerate(found.read_outs):
        cell = f"-{one.result.cell}" if one.result.cell else ""
        path = picture if picture is not None and i == 0 else store.run(name) / f"read-out{cell}.png"
        write_atomically(path, experiment_picture(one, demo=demo))
        pictures.append(path)
    if as_json:
        print_json({**_plain(found), "pictures": [str(path) for path in pictures]})
        return
    show_result(found)
    for path in pictures:
        typer.echo(f"Picture: {path}")


@experiment.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="A .csv (geo, group, cell) or a .json as Meridian GeoX reads it.")],
    experiment_id: Annotated[str | None, typer.Option("--experiment", help="Its id; the newest one's.")] = None,
) -> None:
    """The places of a test, for whoever buys the ads or reads it with another tool."""
    from weathervane.contracts.errors import BadInput
    from weathervane.exports.experiment_design import assignment_csv, geox_json
    from weathervane.store.atomic import write_atomically

    if file.suffix not in {".csv", ".json"}:
        raise BadInput(f"{file.name} is neither a .csv nor a .json.", "name one of the two.")
    made = _chosen(experiment_id)
    write_atomically(file, assignment_csv(made) if file.suffix == ".csv" else geox_json(made))
    typer.echo(f"{made.experiment_id} is in {file}")


@experiment.command("import")
def import_(
    split: Annotated[
        Path, typer.Argument(help="A GeoX design (JSON), or a CSV with geo,group[,cell], one row or many.")
    ],
    channel: Annotated[str, typer.Option(help="The channel that is tested.")],
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its first day.")],
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day; else the file's.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="go_dark, holdback or heavy_up; else the file's, else go_dark.")
    ] = None,
    cooldown: Cooldown = 7,
    alpha: Annotated[float | None, typer.Option(min=0.001, max=0.5, help="Else the file's, else 0.1.")] = None,
    declared: Annotated[str, typer.Option(help="How its places were drawn, as its owner says.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Take in a test that someone else drew and that runs, or ran: it is kept, watched and read like the others."""
    from weathervane.contracts.experiment_design import Kind as KindName
    from weathervane.workflows.import_experiment import Taken, import_experiment

    store, at = chosen_store(), now()
    taken = Taken(
        channel,
        start.date(),
        None if end is None else end.date(),
        None if kind is None else chosen(kind, get_args(KindName), _KIND),
        cooldown,
        alpha,
        declared,
    )
    made = import_experiment(store, split, taken, now=at, run_id=f"experiment-{at:%Y%m%dT%H%M%S}")
    if as_json:
        print_json({"design": _plain(made)})
        return
    show_design(made)
    typer.echo(f"  ! Its places were {made.balance_rule.origin}. No randomisation test is possible.")
    typer.echo(f"Kept in {store.geo_holdout(made.experiment_id)}")


@experiment.command("grade")
def grade(
    split: Annotated[Path, typer.Argument(help="A GeoX design (JSON), or a CSV with geo,group[,cell].")],
    as_json: JsonOption = False,
) -> None:
    """What a split that someone else made can and cannot tell."""
    from weathervane.workflows.grade_experiment import grade_experiment

    found = grade_experiment(chosen_store(), split)
    if as_json:
        print_json(asdict(found))
    else:
        show_grade(found)


def _chosen(experiment_id: str | None) -> ExperimentDesign:
    """The named experiment, or the newest there is."""
    from weathervane.contracts.errors import NotFound
    from weathervane.store import experiments

    store = chosen_store()
    if experiment_id is not None:
        return experiments.design(store, experiment_id)
    found = [one for one, _ in experiments.designs(store)]
    if not found:
        raise NotFound(f"{store.tenant_id!r} has no experiment yet.", "run `weathervane experiment design`.")
    return max(found, key=lambda one: (one.generated_at, one.experiment_id))


def _unit_of(store: Any) -> str:
    from weathervane.store import results

    tenant = results.tenant(store)
    return tenant.currency if tenant.outcome_is_money else "units"


def _plain(value: object) -> dict[str, object]:
    import json

    from weathervane.store.results import to_json

    return dict(json.loads(to_json(value)))
