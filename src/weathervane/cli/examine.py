"""`weathervane examine`: the model in use, questioned, for the sceptical analyst."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.options import JsonOption, chosen_store
from weathervane.cli.progress import stages

if TYPE_CHECKING:
    from weathervane.contracts.examination import Examination

_STAGES, _DEEP_STAGES = 7, 15


def examine(
    deep: Annotated[bool, typer.Option("--deep", help="Also recovery and stability: seven more fits.")] = False,
    priors: Annotated[Path | None, typer.Option(help="The priors file the model was trained with, if any.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for report and charts; a run folder in the state.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Examine the model in use: what sales are made of, what cannot be told apart, what to test next."""
    from weathervane.contracts.errors import BadInput
    from weathervane.workflows.examine_model import examine_model

    if priors is not None and not priors.is_file():
        raise BadInput(f"There is no priors file {priors}.", "name the file that `weathervane train` was given.")
    store = chosen_store()
    with stages(_DEEP_STAGES if deep else _STAGES, quiet=as_json) as stage:
        done = examine_model(store, deep=deep, priors_file=priors, folder=out, progress=stage, clock=time.monotonic)
    if as_json:
        typer.echo((done.folder / "examination.json").read_text("utf-8"), nl=False)
        return
    _show(done.examination)
    for name in done.files:
        typer.echo(f"  {done.folder / name}")


def _show(made: Examination) -> None:
    """Prints the parts of the outcome, what to test next, and every verdict."""
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import amount, channel_name, share, step_of
    from weathervane.exports.examination import verdicts

    console = Console()
    if made.demo:
        console.print("[yellow]DEMO: every number here is generated.[/]")
    unit = made.currency if made.outcome_is_money else made.outcome.replace("_", " ")
    table = Table("Part of sales", "Total", "Share", "From", "To", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for part in made.contributions.parts if made.contributions else ():
        step = step_of(max(part.total.p95 - part.total.p05, 1e-9))
        name = channel_name(part.name) if part.is_channel else part.name
        shares = (share(value) for value in (part.share.p50, part.share.p05, part.share.p95))
        table.add_row(name, amount(part.total.p50, unit, step), *shares)
    if made.contributions:
        console.print(table)
    for sentence in verdicts(made):
        console.print(f"  · {sentence}", highlight=False)
    for caveat in made.caveats:
        console.print(f"  ! {caveat}", highlight=False)
