"""`weathervane job`: what a scheduler runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.options import JsonOption, print_json, settings

if TYPE_CHECKING:
    from weathervane.jobs.nightly import Step

job = typer.Typer(help="Jobs for a scheduler: nightly.", no_args_is_help=True)


# With one command Typer would take the group's name for the command's.
@job.callback()
def _group() -> None: ...


@job.command("nightly")
def nightly(
    mapping: Annotated[Path | None, typer.Option(help="Import these exports again first.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Refresh, check, train when due, forecast and plan, for every tenant (or --tenant)."""
    from weathervane.jobs.nightly import run_nightly

    chosen = settings()
    steps = run_nightly(
        chosen.state,
        chosen.database_url,
        tenant_id=chosen.tenant,
        mapping=mapping,
        on_step=(lambda _: None) if as_json else _show,
    )
    if as_json:
        print_json({"steps": [asdict(step) for step in steps]})
    else:
        typer.echo(f"What to do next: {chosen.state / 'context.md'}")
    failed = next((step.exit_code for step in steps if step.exit_code), 0)
    if failed:
        raise typer.Exit(failed)


def _show(step: Step) -> None:
    detail = step.detail
    mark = {"info": "✓", "warning": "!", "error": "✗"}[step.level]
    said = detail.get("problem") or detail.get("why") or ""
    did = detail.get("did", "failed")
    typer.echo(f"{mark} {step.tenant_id} {step.name}: {did} ({detail['seconds']} s){f'. {said}' if said else ''}")
    if detail.get("remedy"):
        typer.echo(f"  → {str(detail['remedy'])[:1].upper()}{str(detail['remedy'])[1:]}")
