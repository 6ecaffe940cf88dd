"""`weathervane doctor`: whether this machine can run it, and what to do where it cannot."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, print_json, settings

if TYPE_CHECKING:
    from weathervane.contracts.machine import MachineReport


def doctor(as_json: JsonOption = False) -> None:
    """Check libraries, memory, disk and clock, and say what to do about each failure."""
    from weathervane.workflows.check_machine import check_machine

    chosen = settings()
    report = check_machine(chosen.state, now(), chosen.database_url, web_folder())
    if as_json:
        print_json({"ok": report.ok, "checks": [asdict(check) for check in report.checks]})
    else:
        show(report)
    if not report.ok:
        raise typer.Exit(1)


def show(report: MachineReport) -> None:
    """Prints every check, with its remedy where it failed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table("", "Check", "Found", "What to do", box=None, pad_edge=False)
    for check in report.checks:
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]" if check.required else "[yellow]–[/]"
        table.add_row(mark, check.name, escape(check.found), escape(check.remedy))
    console.print(table)
    verdict = "This machine can run WeatherVane." if report.ok else "This machine cannot run WeatherVane yet."
    console.print(verdict, style="bold")


def web_folder() -> Path:
    """Where the page is built in this checkout."""
    return Path(__file__).resolve().parents[3] / "apps" / "web" / "dist"
