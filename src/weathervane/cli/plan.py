"""`weathervane train`, `forecast`, `plan`, `report`: from stored data to a plan a person can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, amount_above_zero, checked_margin, chosen_store, print_json
from weathervane.cli.progress import stages

if TYPE_CHECKING:
    from weathervane.contracts.fit import FitReport
    from weathervane.contracts.forecast import DemandForecast, ForecastQuality
    from weathervane.contracts.plan import BudgetPlan, PlanLine

_TRAIN_STAGES, _FORECAST_STAGES = 7, 18
_SHOWN_LINES = 12
_SHOWN_CAVEATS = 6


def train(
    seed: Annotated[int, typer.Option(min=0, help="Same data and seed, same fit.")] = 1,
    priors: Annotated[Path | None, typer.Option(help="Priors to use instead of the built-in ones (YAML).")] = None,
    engine: Annotated[
        str, typer.Option(help="hierarchical, or lightweight: LightweightMMM's models.")
    ] = "hierarchical",
    lightweight_model: Annotated[
        str, typer.Option(help="Of the lightweight engine: adstock, hill_adstock or carryover.")
    ] = "hill_adstock",
    likelihood: Annotated[
        str, typer.Option(help="normal, log_normal, student, censored (stock-outs) or negative_binomial (counts).")
    ] = "normal",
    grain: Annotated[str, typer.Option(help="Fit by week or by day.")] = "week",
    by_category: Annotated[
        bool, typer.Option(help="Fit each category too, made to add up to the total; plans use the total's model.")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Fit even where status says not ready.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what ads and weather did: fit the media mix model.

    Says first what it will take; refuses what this machine cannot hold.
    Stopped at any moment it changes nothing, and run again it goes on.
    """
    from weathervane.cli.stopping import stoppable
    from weathervane.connectors.machine import memory_bytes
    from weathervane.contracts.choice import chosen
    from weathervane.contracts.errors import BadInput
    from weathervane.model.mmm.design import Likelihood
    from weathervane.model.mmm.engine import EngineName, LightweightModel, Step
    from weathervane.store import model_registry
    from weathervane.store.checkpoints import Checkpoints
    from weathervane.workflows.train_model import train_model

    if priors is not None and not priors.is_file():
        raise BadInput(f"There is no priors file {priors}.", "copy config/model_priors.yaml and edit it.")
    store, at = chosen_store(), now()

    def remedy() -> str:
        if not Checkpoints(store).n_kept:
            return "run it again; nothing was drawn yet that could be kept."
        return "run the same command again: it goes on from what was drawn, which is kept."

    stopped = "Stopped: nothing half done is left, and the model in use stays in use."
    with stoppable(stopped, remedy), stages(_TRAIN_STAGES, quiet=as_json) as stage:
        fit = train_model(
            store,
            as_of=at,
            seed=seed,
            run_id=f"train-{at:%Y%m%dT%H%M%S}",
            priors_file=priors,
            engine=chosen(engine, get_args(EngineName), "engine"),
            lightweight_model=chosen(lightweight_model, get_args(LightweightModel), "lightweight model"),
            likelihood=chosen(likelihood, get_args(Likelihood), "likelihood"),
            step=chosen(grain, get_args(Step), "step"),
            by_category=by_category,
            memory_bytes=memory_bytes(),
            anyway=anyway,
            progress=stage,
        )
    if as_json:
        _print_contract(fit)
        return
    _show_fit(fit)
    entry = model_registry.entry(store, fit.model_id)
    if entry.status == "champion":
        typer.echo("Next: weathervane forecast")
    else:
        typer.echo(f"It stays a {entry.status} and is not used. {entry.reason}\nNext: weathervane models")


def forecast(as_json: JsonOption = False) -> None:
    """Forecast demand, and test the forecast on the past."""
    from weathervane.contracts.calibration import as_calibrated
    from weathervane.store.results import to_json
    from weathervane.workflows.calibrate_forecast import calibrate_forecast
    from weathervane.workflows.forecast_demand import forecast_demand

    store, at = chosen_store(), now()
    run_id = f"forecast-{at:%Y%m%dT%H%M%S}"
    with stages(_FORECAST_STAGES, quiet=as_json) as stage:
        made, quality = forecast_demand(store, as_of=at, run_id=run_id, progress=stage)
        run = calibrate_forecast(store, as_of=at, run_id=run_id, progress=stage)
    if as_json:
        held = {"run_id": run.run_id, "source": run.source, "status": run.status, "sentence": run.sentence}
        print_json({**json.loads(to_json(made)), "calibration": held})
    else:
        _show_forecast(made, as_calibrated(quality, run))
        typer.echo("Next: weathervane plan, or weathervane calibration for the record")


def plan(
    ctx: typer.Context,
    max_change: Annotated[float, typer.Option(min=0, max=1, help="Largest change of a line; 0.15 is 15 %.")] = 0.15,
    total: Annotated[float | None, typer.Option(help="Total for the period; the current one.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="What is left of $1 of sales after the cost of what is sold, like 0.4.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the next week's budget (four weeks on weekly data) within limits; or approve and push a plan."""
    if ctx.invoked_subcommand is not None:
        return
    from weathervane.contracts.plan import PlanLimits
    from weathervane.store import results
    from weathervane.workflows.make_plan import make_plan

    store, at = chosen_store(), now()
    amount = None if total is None else amount_above_zero("total", total, results.tenant(store).currency)
    limits = PlanLimits(max_change_rel=max_change, total=amount)
    made = make_plan(store, now=at, run_id=f"plan-{at:%Y%m%dT%H%M%S}", limits=limits, margin=checked_margin(margin))
    if as_json:
        _print_contract(made)
    else:
        show_plan(made)
        typer.echo("Next: weathervane report, or weathervane serve --open")


def report(
    output: Annotated[Path | None, typer.Option(help="Folder for the files; a run folder in the state.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the latest plan as files: SUMMARY.md, EVIDENCE.md, plan.json, recommendations.csv, charts."""
    from weathervane.store import results
    from weathervane.workflows.export_plan import export_plan

    store = chosen_store()
    made = results.latest_plan(store)
    folder = output or store.run(made.plan_id)
    command = f"weathervane report --tenant {store.tenant_id}"
    files = export_plan(made, folder, command=command, run={"tenant": store.tenant_id})
    if as_json:
        print_json({"folder": str(folder), "files": files})
    else:
        typer.echo(f"{made.sentence}\n")
        for name in (*files, "manifest.json"):
            typer.echo(f"  {folder / name}")


def show_plan(made: BudgetPlan) -> None:
    """Prints the plan: the decision, the lines that move, the evidence, the caveats."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table

    from weathervane.contracts.figures import share, short_day, whole_money

    console = Console()
    period = f"{short_day(made.period.start)} to {short_day(made.period.end)} {made.period.end.year}"
    demo = "[yellow]DEMO: every number here is generated.[/]\n\n" if made.demo else ""
    head = f"{made.tenant_name} · {period}"
    facts = "\n".join(each for each in (made.now_sentence, made.total_sentence) if each)
    said = "\n\n".join(each for each in (f"{demo}[bold]{made.sentence}[/]", made.reason, facts) if each)
    console.print(Panel(said, title=head, title_align="left"))
    moved = sorted((line for line in made.lines if line.change.minor), key=lambda line: -abs(line.change.minor))
    if moved:
        table = Table(
            "Place", "Channel", "Last week", "Now", "Plan", "Change", "Gain (8 in 10)", box=None, pad_edge=False
        )
        for column in table.columns[2:]:
            column.justify = "right"
        names = {geo.geo: geo.name for geo in made.geos}
        for line in moved[:_SHOWN_LINES]:
            arrow = "[cyan]▲[/]" if line.change.minor > 0 else "[magenta]▼[/]"
            change = f"{arrow} {whole_money(line.change, signed=True)}"
            last = "" if line.last_week is None else whole_money(line.last_week)
            amounts = (last, whole_money(line.current), whole_money(line.recommended), change)
            table.add_row(names.get(line.geo, line.geo), line.channel, *amounts, _gain(line, made))
        console.print(table)
        if len(moved) > _SHOWN_LINES:
            console.print(f"… and {len(moved) - _SHOWN_LINES} more lines in recommendations.csv")
    for channel in made.channels:
        console.print(f"  · {channel.sentence}", highlight=False)
    quality = made.forecast_quality
    errors = ", ".join(f"{score.method} {share(score.wape)}" for score in quality.scores)
    console.print(
        f"Forecast ({quality.chosen}): {quality.verdict}. {quality.sentence} Error: {errors}.", highlight=False
    )
    for text in made.would_change_our_mind[:3]:
        console.print(f"  ? {text}", highlight=False)
    for caveat in made.caveats[:_SHOWN_CAVEATS]:
        console.print(f"  ! {caveat}", highlight=False)
    if len(made.caveats) > _SHOWN_CAVEATS:
        console.print(f"  ! … and {len(made.caveats) - _SHOWN_CAVEATS} more, in EVIDENCE.md", highlight=False)


def _gain(line: PlanLine, made: BudgetPlan) -> str:
    from weathervane.contracts.figures import amount, step_of

    unit = made.currency if made.outcome_is_money else ""
    step = step_of(line.gain.p90 - line.gain.p10)
    low, mid, high = (amount(q, unit, step, signed=True) for q in (line.gain.p10, line.gain.p50, line.gain.p90))
    return f"{mid} ({low} to {high})"


def _show_fit(fit: FitReport) -> None:
    from rich.console import Console

    from weathervane.contracts.figures import share

    console = Console()
    console.print(f"Grain: {fit.grain.reason}.", highlight=False)
    for rejected in fit.grain.rejected:
        console.print(f"  not {rejected.grain}: {rejected.because}", highlight=False)
    if fit.summary.unseen_sentence:
        console.print(fit.summary.unseen_sentence, style="bold", highlight=False)
    console.print(fit.media_signal.sentence, style="bold", highlight=False)
    for channel in (*fit.channels, *fit.organic):
        console.print(f"  · {channel.sentence}", highlight=False)
    for group in fit.groups:
        console.print(f"  · {group.sentence}", highlight=False)
    for effect in fit.weather.effects:
        console.print(
            f"  · {effect.category}, {effect.unit}: demand {share(effect.rel_p50, signed=True)} "
            f"(from {share(effect.rel_p05, signed=True)} to {share(effect.rel_p95, signed=True)}, 9 in 10)",
            highlight=False,
        )
    summary = fit.summary
    console.print(
        f"{summary.engine}: R-hat at most {summary.rhat_max:.3f}, at least {summary.ess_min:.0f} effective draws, "
        f"{summary.divergences} divergences.",
        highlight=False,
    )
    for text in (*(each.test for each in fit.joint), *(each.sentence for each in fit.next_tests[:1])):
        console.print(f"  ? {text}", highlight=False)
    for caveat in fit.caveats:
        console.print(f"  ! {caveat}", highlight=False)


def _show_forecast(made: DemandForecast, quality: ForecastQuality) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import share

    console = Console()
    step = "week" if made.step_days == 7 else "day"
    title = f"Total demand by {step}; 8 in 10 fall in p10 to p90"
    table = Table("From", "p10", "p50", "p90", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for point in made.total:
        demand = point.demand
        table.add_row(str(point.date), *(f"{value:,.0f}" for value in (demand.p10, demand.p50, demand.p90)))
    console.print(table)
    for score in quality.scores:
        chosen = " (chosen)" if score.method == quality.chosen else ""
        console.print(
            f"  {score.method}{chosen}: off by {share(score.wape)} over {score.n:,} forecasts", highlight=False
        )
    if quality.issued_wape is not None:
        console.print(
            f"  as issued, at each time by the method chosen then: off by {share(quality.issued_wape)}", highlight=False
        )
    console.print(f"{quality.verdict[:1].upper()}{quality.verdict[1:]}. {quality.sentence}", highlight=False)
    if made.note:
        console.print(made.note, highlight=False)


def _print_contract(value: object) -> None:
    import sys

    from weathervane.store.results import to_json

    sys.stdout.write(to_json(value))
