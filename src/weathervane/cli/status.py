"""`weathervane status`: what data there is, and whether it is enough."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, chosen_store, print_json
from weathervane.contracts.grain import NATIONAL

if TYPE_CHECKING:
    from weathervane.contracts.readiness import Readiness


def status(as_json: JsonOption = False) -> None:
    """Show what data there is, whether it is enough, and what to do if not."""
    from weathervane.workflows.check_readiness import check_readiness

    readiness = check_readiness(chosen_store(), now().date())
    if as_json:
        print_json({**asdict(readiness), "ready": readiness.ready, "sentence": readiness.sentence})
    else:
        show(readiness)


def show(readiness: Readiness) -> None:
    """Prints the readiness as a table a person reads."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(
        "Table", "Rows", "From", "To", "Step", "Places", "Longest gap", title=f"Data of {readiness.tenant_id}"
    )
    for one in readiness.tables:
        if one.span is None:
            continue
        gap = "none"
        if one.gaps:
            n, where = one.gaps[0].n_days, one.gap_geos[0] if one.gap_geos else NATIONAL
            gap = f"{n} day{'s' * (n > 1)} from {one.gaps[0].start}" + (f", {where}" if where != NATIONAL else "")
        step = "week" if one.step_days == 7 else "day"
        row = (f"{one.rows:,}", str(one.span.start), str(one.span.end), step, str(len(one.geos) or "–"), gap)
        table.add_row(one.table, *row)
    console.print(table)
    for one in readiness.requirements:
        mark = "[green]✓[/]" if one.met else "[red]✗[/]" if one.needed else "[yellow]![/]"
        console.print(f"{mark} {one.purpose}: {one.sentence}", highlight=False)
        if one.remedy:
            console.print(f"  → {one.remedy[0].upper()}{one.remedy[1:]}", highlight=False)
    console.print(readiness.sentence, style="bold", highlight=False)
