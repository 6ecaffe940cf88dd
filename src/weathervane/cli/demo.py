"""`weathervane demo`: the whole product on a generated world, with the truth beside the estimates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli import doctor, status
from weathervane.cli.clock import now
from weathervane.cli.options import settings
from weathervane.cli.plan import show_plan
from weathervane.cli.progress import stages

if TYPE_CHECKING:
    from weathervane.workflows.run_demo import Demo

_STAGES = 30

demo = typer.Typer(help="Show the product on a generated world: run, plan or ml.", no_args_is_help=True)

World = Annotated[str, typer.Option(help="sensitive, null, triggered, national-weekly, sparse or stockout.")]
DemoTenant = Annotated[str, typer.Option("--demo-tenant", envvar="DEMO_TENANT", help="Id of the demo tenant.")]
Days = Annotated[int | None, typer.Option(envvar="DEMO_DAYS", min=60, help="Days of history; the world's own.")]
Seed = Annotated[int, typer.Option(envvar="DEMO_SEED", min=0, help="Same seed, same bytes.")]
Output = Annotated[str, typer.Option(envvar="DEMO_OUTPUT", help="Folder for the files; a run folder in the state.")]
Quick = Annotated[bool, typer.Option("--quick", help="Six places and fourteen months: some two minutes, wider ranges.")]


@demo.command("run")
def run(world: World = "sensitive", demo_tenant: DemoTenant = "demo", days: Days = None, seed: Seed = 7,
        output: Output = "", quick: Quick = False) -> None:  # fmt: skip
    """Build a demo tenant and end with a plan for next week."""
    made = _make("run", world, demo_tenant, days, seed, output, quick=quick)
    show_plan(made.plan)
    typer.echo(f"Files in {made.folder}\nNext: make serve (or weathervane serve --open) shows this plan in the browser")


@demo.command("plan")
def plan(world: World = "sensitive", demo_tenant: DemoTenant = "demo", days: Days = None, seed: Seed = 7,
         output: Output = "", quick: Quick = False) -> None:  # fmt: skip
    """What data there is, whether it is enough, and the plan."""
    made = _make("plan", world, demo_tenant, days, seed, output, quick=quick, show_data=True)
    show_plan(made.plan)
    typer.echo(f"Files in {made.folder}")


@demo.command("ml")
def ml(world: World = "sensitive", demo_tenant: DemoTenant = "demo", days: Days = None, seed: Seed = 7,
       output: Output = "", quick: Quick = False) -> None:  # fmt: skip
    """Fit the model and print its estimates beside the world's true effects."""
    made = _make("ml", world, demo_tenant, days, seed, output, quick=quick)
    _show_recovery(made)
    typer.echo(f"Files in {made.folder}")


def _make(kind: str, world: str, tenant: str, days: int | None, seed: int, output: str, *, quick: bool,
          show_data: bool = False) -> Demo:  # fmt: skip
    from weathervane.store.paths import open_store
    from weathervane.workflows.check_machine import check_machine
    from weathervane.workflows.run_demo import DemoOptions, run_demo

    chosen = settings()
    with stages(1) as stage:
        stage("looking at this machine")
        machine = check_machine(chosen.state, now(), chosen.database_url, doctor.web_folder())
    if not machine.ok:
        doctor.show(machine)
        raise typer.Exit(1)
    options = DemoOptions(world, seed, days or 420, 6) if quick else DemoOptions(world, seed, days)
    store = open_store(chosen.state, tenant, chosen.database_url)
    command = f"DEMO_TENANT={tenant} DEMO_SEED={seed} weathervane demo {kind} --world {world}"
    command += f" --days {days}" if days else ""
    command += " --quick" if quick else ""
    with stages(_STAGES) as stage:
        made = run_demo(
            store, options, kind=kind, command=command, folder=Path(output) if output else None, progress=stage
        )
    if show_data:
        status.show(made.readiness)
    return made


def _show_recovery(made: Demo) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for group in dict.fromkeys(row.group for row in made.recovery):
        rows = [row for row in made.recovery if row.group == group]
        table = Table("", "truth", "from", "estimate", "to", "", title=group, title_justify="left")
        for column in table.columns[1:5]:
            column.justify = "right"
        for row in rows:
            numbers = (f"{value:.2f}" for value in (row.truth, row.p05, row.p50, row.p95))
            table.add_row(row.name, *numbers, "[green]held[/]" if row.inside else "[yellow]missed[/]")
        console.print(table)
        held = sum(row.inside for row in rows)
        console.print(f"The 90 % interval holds the truth in {held} of {len(rows)}.\n", highlight=False)
    summary = made.fit.summary
    console.print(
        f"R-hat at most {summary.rhat_max:.3f}, at least {summary.ess_min:.0f} effective draws, "
        f"{summary.divergences} divergences. {made.fit.media_signal.sentence}",
        highlight=False,
    )
