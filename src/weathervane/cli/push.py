"""`weathervane plan approve` and `plan push`: a person's name on a plan, and the files that carry it out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, chosen_store, print_json


def approve(
    plan_id: Annotated[str, typer.Argument(help="The plan's id, as `weathervane plan --json` has it.")],
    by: Annotated[str, typer.Option("--by", help="Who approves it.")],
    as_json: JsonOption = False,
) -> None:
    """Approve exactly this plan; a plan that changes afterwards is not approved."""
    from weathervane.workflows.approve_plan import approve_plan

    at = now()
    found = approve_plan(chosen_store(), plan_id, by=by, now=at, run_id=f"approve-{at:%Y%m%dT%H%M%S}")
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(f"{found.by} approved {found.plan_id} on {found.at} ({found.plan_sha256[:12]}).")
        typer.echo(f"Next: weathervane plan push {found.plan_id}")


def push(
    plan_id: Annotated[str | None, typer.Argument(help="The plan's id; the newest one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the plan's budget changes as files to load and to take back; no ad platform is changed."""
    from rich.console import Console

    from weathervane.workflows.push_plan import push_plan

    at = now()
    found = push_plan(chosen_store(), plan_id, now=at, run_id=f"push-{at:%Y%m%dT%H%M%S}")
    if as_json:
        print_json(asdict(found))
        return
    console = Console()
    console.print(found.sentence, style="bold", highlight=False)
    for gate in found.preflight.gates:
        console.print(f"  {'✓' if gate.open else '✗'} {gate.name}: {gate.reason}", highlight=False, markup=False)
    for one in found.preflight.breaches:
        mark = "✗" if one.severity == "critical" else "!"
        console.print(f"  {mark} {one.guardrail}: {one.sentence}", highlight=False, markup=False)
    for name in found.files:
        typer.echo(f"  {found.folder}/{name}")
