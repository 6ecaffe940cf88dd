"""`weathervane import`: your own exports, as a mapping describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, print_json, settings

if TYPE_CHECKING:
    from weathervane.contracts.imports import ImportNote
    from weathervane.store.tables import UpsertReport


def import_command(
    mapping: Annotated[Path, typer.Argument(help="YAML file that says what the columns mean.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read CSV or Parquet exports: what was kept, what was dropped, and why."""
    from weathervane.workflows.import_files import import_files

    chosen = settings()
    result = import_files(
        mapping,
        chosen.state,
        chosen.database_url,
        now(),
        dry_run=dry_run,
        on_notes=(lambda _: None) if as_json else _show_notes,
    )
    if as_json:
        print_json(
            {
                "tenant_id": result.tenant_id,
                "dry_run": dry_run,
                "notes": [asdict(note) for note in (*result.notes, *result.added)],
                "tables": [asdict(report) for report in result.reports],
            }
        )
    elif dry_run:
        typer.echo("Nothing was stored (--dry-run).")
    else:
        _show_reports(result.reports)
        for note in result.added:
            typer.echo(f"Added to {note.table}: {note.why}")
        typer.echo(f"Next: weathervane status --tenant {result.tenant_id}, then weathervane train")


def _show_notes(notes: Sequence[ImportNote]) -> None:
    from rich.console import Console
    from rich.table import Table

    style = {"kept": "green", "dropped": "yellow", "changed": "cyan", "warning": "bold yellow"}
    style["added"] = "cyan"
    table = Table("Table", "", "Rows", "Why", title="What was read", title_justify="left")
    table.columns[2].justify = "right"
    for note in notes:
        table.add_row(note.table, f"[{style[note.what]}]{note.what}[/]", f"{note.rows:,}", _plain(note.why))
    Console().print(table)


def _show_reports(reports: Sequence[UpsertReport]) -> None:
    from rich.console import Console
    from rich.table import Table

    names = ("Table", "New", "Restated", "As before", "Repeated", "Retired")
    table = Table(*names, title="What was stored", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for report in reports:
        counts = (report.added, report.restated, report.unchanged, report.duplicates, report.retired)
        table.add_row(report.table, *(f"{count:,}" for count in counts))
    Console().print(table)
    for report in reports:
        if report.retired:
            rows = "1 row" if report.retired == 1 else f"{report.retired:,} rows"
            typer.echo(
                f"{report.table}: {rows} of an earlier import are not in these files any more and no longer count."
            )


def _plain(text: str) -> str:
    """Text of a user's file may hold brackets, which are no markup."""
    from rich.markup import escape

    return escape(text)
