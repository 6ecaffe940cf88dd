"""`weathervane models`: every fit, which is in use and why; `models promote` puts another into use by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, chosen_store, print_json

if TYPE_CHECKING:
    from weathervane.contracts.model_entry import ModelEntry

_STATUS = {"champion": "champion, the one in use", "candidate": "candidate, not in use", "retired": "retired"}

models = typer.Typer(help="The fits there are, which is in use and why.", invoke_without_command=True)


@models.callback()
def models_list(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every fit, newest first: its status, the reason for it, and its age."""
    from weathervane.store import model_registry

    if context.invoked_subcommand is not None:
        return
    store, at = chosen_store(), now()
    known = sorted(model_registry.entries(store), key=lambda each: each.report.created_at, reverse=True)
    if as_json:
        print_json({"models": [_row(each, at) for each in known]})
    elif known:
        _show(known, at)
    else:
        typer.echo("No model is trained yet.\nNext: weathervane train")


@models.command()
def promote(
    model_id: Annotated[str, typer.Argument(help="An id out of `weathervane models`.")],
    reason: Annotated[str, typer.Option(help="Why; it stays with the model.")],
    as_json: JsonOption = False,
) -> None:
    """Put a fit into use by hand; promote the one before to go back. The next fit that passes the rules replaces it."""
    from weathervane.contracts.event import Event
    from weathervane.store import model_registry
    from weathervane.store.event_log import record

    store, at = chosen_store(), now()
    instant = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = model_registry.promote(store, model_id, reason, instant)
    detail = {"model_id": model_id, "reason": entry.reason}
    record(store, Event("model.promoted", store.tenant_id, instant, f"promote-{at:%Y%m%dT%H%M%S}", detail=detail))
    if as_json:
        print_json(_row(entry, at))
    else:
        typer.echo(f"{model_id} is in use.\nNext: weathervane plan")


def _row(entry: ModelEntry, at: datetime) -> dict[str, object]:
    summary, diagnostics = entry.report.summary, entry.record.diagnostics
    return {
        "model_id": entry.model_id,
        "status": entry.status,
        "reason": entry.reason,
        "decided_at": entry.decided_at,
        "created_at": entry.report.created_at,
        "age_days": _age(entry, at) // timedelta(days=1),
        "engine": summary.engine,
        "fitted_through": summary.fitted_through,
        "grain": entry.report.grain.reason,
        "data_hashes": entry.report.data_hashes,
        "priors_sha256": entry.report.priors_sha256,
        "rhat_max": diagnostics.rhat_max,
        "ess_min": diagnostics.ess_min,
        "divergences": diagnostics.divergences,
        "curves": entry.curves.path,
        "posterior": entry.posterior.path if entry.posterior else None,
        "groups": [asdict(group) for group in entry.report.groups],
    }


def _age(entry: ModelEntry, at: datetime) -> timedelta:
    return max(at - datetime.fromisoformat(entry.report.created_at), timedelta())


def _show(known: list[ModelEntry], at: datetime) -> None:
    from rich.console import Console

    from weathervane.contracts.figures import counted

    console = Console()
    for each in known:
        summary, age = each.report.summary, _age(each, at)
        old = counted(age.days, "day") if age.days else counted(age.seconds // 3600, "hour")
        console.print(f"[bold]{each.model_id}[/]: {_STATUS[each.status]}, {old} old", highlight=False)
        console.print(
            f"  {summary.engine}, data to {summary.fitted_through}, R-hat at most {summary.rhat_max:.3f}, at least "
            f"{summary.ess_min:.0f} effective draws",
            highlight=False,
        )
        console.print(f"  {' '.join((each.reason, *_fitted_groups(each)))}", highlight=False)


def _fitted_groups(entry: ModelEntry) -> tuple[str, ...]:
    """Which categories were fitted beside the total; nothing where none was."""
    names = [group.category for group in entry.report.groups]
    return (f"By category too: {', '.join(names)}.",) if names else ()
