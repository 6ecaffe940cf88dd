"""`weathervane calibration`: how forecasts have done, the verdict first; its report and its history."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.options import JsonOption, chosen_store, print_json

if TYPE_CHECKING:
    from weathervane.contracts.calibration import CalibrationRun, Coverage, HistoryLine

calibration = typer.Typer(help="How forecasts have done: verdict, report, history.", invoke_without_command=True)


@calibration.callback()
def latest(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show whether the forecast's range held what it promised, and where it did not."""
    from weathervane.store.calibration import latest_calibration
    from weathervane.store.results import to_json

    if context.invoked_subcommand is not None:
        return
    run, sha256 = latest_calibration(chosen_store())
    if as_json:
        typer.echo(to_json(run), nl=False)
    else:
        _show(run, sha256)


@calibration.command()
def report(
    output: Annotated[Path, typer.Option(help="The report to write; its JSON and charts go beside it.")],
    pictures: Annotated[Path | None, typer.Option(help="Folder for the charts; one of the report's name.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the newest record as a page of Markdown with its charts and the JSON it comes from."""
    from weathervane.workflows.export_calibration import export_calibration

    files = [str(path) for path in export_calibration(chosen_store(), output, pictures)]
    if as_json:
        print_json({"files": files})
    else:
        typer.echo("\n".join(files))


@calibration.command()
def history(as_json: JsonOption = False) -> None:
    """List every calibration run, newest first."""
    from weathervane.store.calibration import history as runs_of

    lines = runs_of(chosen_store())[::-1]
    if as_json:
        print_json({"runs": [asdict(line) for line in lines]})
    elif lines:
        _list(lines)
    else:
        typer.echo("No forecast has been scored yet.\nNext: weathervane forecast")


def _show(run: CalibrationRun, sha256: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import precise_share, share

    console = Console()
    if run.demo:
        console.print("[yellow]DEMO: every number here is generated.[/]")
    console.print(f"{run.status[:1].upper()}{run.status[1:]}. {run.sentence}", style="bold", highlight=False)
    record = run.record
    table = Table("Range", "Held", "95 % interval", "Verdict", box=None, pad_edge=False)
    for each in record.overall.coverage:
        interval = f"{precise_share(each.low)} to {precise_share(each.high)}"
        table.add_row(share(each.nominal), precise_share(each.share), interval, _verdict(each))
    console.print(table)
    by_lead = Table("Leads", "n", "80 % held", "Error", "Error less than simple method's", box=None, pad_edge=False)
    for each in (*record.by_lead_group, record.overall):
        held, skill = each.of(run.rules.interval), each.skill
        shown = ("–" if value is None else precise_share(value) for value in (each.wape, skill))
        by_lead.add_row(each.group, f"{each.n:,}", f"{precise_share(held.share)} {_verdict(held)}", *shown)
    console.print(by_lead)
    for note in run.notes:
        console.print(f"  ! {note}", highlight=False)
    if run.misses:
        console.print(f"  · {_last_miss(run)}", highlight=False)
    told = "issued forecasts" if run.source == "ledger" else "backtest"
    console.print(f"{told.capitalize()}, {run.window.start} to {run.window.end}; {run.run_id}, sha256 {sha256[:12]}.")


def _verdict(coverage: Coverage) -> str:
    colour = {"calibrated": "green", "not enough data": "dim"}.get(coverage.verdict, "yellow")
    more = f", {coverage.more_days:,} more days" if coverage.more_days else ""
    return f"[{colour}]{coverage.verdict}{more}[/]"


def _last_miss(run: CalibrationRun) -> str:
    """The last week's miss, its causes by size."""
    from weathervane.contracts.figures import amount, step_of

    miss = run.misses[-1]
    unit = run.currency if run.outcome_is_money else ""
    step = step_of(max(abs(miss.error), abs(miss.expected) / 10)) / 10
    causes = sorted(("weather", "plan", "promotion", "model"), key=lambda name: -abs(getattr(miss, name)))
    parts = ", ".join(f"{name} {amount(getattr(miss, name), unit, step, signed=True)}" for name in causes)
    return f"The week from {miss.week.start} missed by {amount(miss.error, unit, step, signed=True)}: {parts}."


def _list(lines: list[HistoryLine]) -> None:
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import precise_share

    table = Table("At", "Status", "80 % held", "95 % interval", "Error", "n", "Of", "Run", box=None)
    for line in lines:
        interval = f"{precise_share(line.coverage_low)} to {precise_share(line.coverage_high)}"
        error = "–" if line.wape is None else precise_share(line.wape)
        held = precise_share(line.coverage_p10_p90)
        table.add_row(
            line.timestamp, line.status, held, interval, error, f"{line.sample_size:,}", line.source, line.run_id
        )
    Console().print(table)
