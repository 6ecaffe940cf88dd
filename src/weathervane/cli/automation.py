"""`weathervane automation`: how far the product may act by itself, within which guardrails, with whose consent."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from weathervane.cli.clock import now
from weathervane.cli.options import JsonOption, chosen_store, print_json
from weathervane.contracts.choice import chosen
from weathervane.contracts.errors import BadInput

if TYPE_CHECKING:
    from weathervane.contracts.automation import AutomationSettings, ChangeWindow, SettingsVersion

automation = typer.Typer(help="Automation: show, set, grant and revoke consent, history.", no_args_is_help=True)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
By = Annotated[str, typer.Option("--by", help="Who decides this.")]


@automation.command("show")
def show(as_json: JsonOption = False) -> None:
    """The settings as they stand."""
    from weathervane.store import automation as kept

    _print(kept.settings(chosen_store()), as_json=as_json)


@automation.command("history")
def history(as_json: JsonOption = False) -> None:
    """Every version of the settings, oldest first."""
    from weathervane.contracts.automation import AutomationSettings
    from weathervane.store import automation as kept

    found = kept.history(chosen_store())
    if as_json:
        print_json({"versions": [asdict(one) for one in found]})
        return
    before = AutomationSettings()
    for one in found:
        changed = "; ".join(_differences(before, one.settings)) or "nothing"
        typer.echo(f"{one.version}  {one.updated_at}  {one.updated_by}: changed {changed}.")
        before = one.settings
    if not found:
        typer.echo("Nobody has changed the defaults: manual, consent pending.")


@automation.command("set")
def set_(by: By, mode: Annotated[str | None, typer.Option(help="manual, assist or autopilot.")] = None,
         max_daily_change: Annotated[float | None, typer.Option(help="Largest change a cell and day, 0.15.")] = None,
         min_daily_spend: Annotated[float | None, typer.Option(help="Least budget a day and cell.")] = None,
         roas_floor: Annotated[float | None, typer.Option(help="Least expected return; 0 for none.")] = None,
         cpa_ceiling: Annotated[float | None, typer.Option(help="Most cost of a unit of outcome; 0 for none.")] = None,
         push_cap: Annotated[int | None, typer.Option(help="Most pushes a day.")] = None,
         window: Annotated[list[str] | None, typer.Option(help="In UTC, `mon-fri 09:00-17:00`; repeat it.")] = None,
         platform: Annotated[list[str] | None, typer.Option(help="`CHANNEL=PLATFORM`; repeat it.")] = None,
         as_json: JsonOption = False) -> None:  # fmt: skip
    """Change some settings; what is not named stays."""
    from weathervane.contracts.automation import Mode
    from weathervane.contracts.money import Money
    from weathervane.store import automation as kept
    from weathervane.store import results

    store = chosen_store()
    settings = kept.settings(store).settings
    rails: dict[str, object] = {
        "max_daily_change_rel": max_daily_change,
        "min_daily_spend": None
        if min_daily_spend is None
        else Money.from_major(min_daily_spend, results.tenant(store).currency),
        "daily_push_cap": push_cap,
        "change_windows": None if window is None else tuple(change_window(text) for text in window),
    }
    changed = {name: value for name, value in rails.items() if value is not None}
    for name, value in (("roas_floor", roas_floor), ("cpa_ceiling", cpa_ceiling)):
        if value is not None:
            changed[name] = value or None
    settings = replace(
        settings,
        mode=settings.mode if mode is None else chosen(mode, get_args(Mode), "mode"),
        guardrails=replace(settings.guardrails, **changed),
        platforms={**settings.platforms, **dict(_pair(text) for text in platform or ())},
    )
    _keep(settings, by, as_json=as_json)


@automation.command("grant")
def grant(by: By, as_json: JsonOption = False) -> None:
    """Consent to writing to ad platforms, within the settings."""
    from weathervane.store import automation as kept

    settings = kept.settings(chosen_store()).settings
    consent = settings.consent.granted(_instant(now()), by)
    _keep(replace(settings, consent=consent), by, as_json=as_json)


@automation.command("revoke")
def revoke(by: By, as_json: JsonOption = False) -> None:
    """Take the consent back."""
    from weathervane.store import automation as kept

    settings = kept.settings(chosen_store()).settings
    consent = settings.consent.revoked(_instant(now()), by)
    _keep(replace(settings, consent=consent), by, as_json=as_json)


def change_window(text: str) -> ChangeWindow:
    """The window that `mon-fri 09:00-17:00` or `sat 10:00-12:00` says; BadInput for anything else."""
    from weathervane.contracts.automation import ChangeWindow

    try:
        days, hours = text.lower().split()
        first, _, last = days.partition("-")
        start, end = (time.fromisoformat(part) for part in hours.split("-"))
        span = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
    except ValueError as error:
        raise BadInput(
            f"{text!r} is not a valid change window.", "write it like `mon-fri 09:00-17:00`, in UTC."
        ) from error
    return ChangeWindow(start, end, tuple(span))


def _pair(text: str) -> tuple[str, str]:
    channel, found, platform = text.partition("=")
    if not (channel and found and platform):
        raise BadInput(f"{text!r} names no platform of a channel.", "write it like search=google_ads.")
    return channel, platform


def _keep(settings: AutomationSettings, by: str, *, as_json: bool) -> None:
    from weathervane.workflows.set_automation import set_automation

    at = now()
    _print(
        set_automation(chosen_store(), settings, by=by, now=at, run_id=f"automation-{at:%Y%m%dT%H%M%S}"),
        as_json=as_json,
    )


def _print(found: SettingsVersion, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    settings, rails = found.settings, found.settings.guardrails
    typer.echo(_summary(settings))
    typer.echo(f"  largest change a day and cell: {rails.max_daily_change_rel:.0%}")
    if rails.min_daily_spend is not None:
        typer.echo(f"  least budget a day and cell: {rails.min_daily_spend.major:,.2f}")
    if rails.roas_floor is not None:
        typer.echo(f"  least expected return: {rails.roas_floor:g}")
    if rails.cpa_ceiling is not None:
        typer.echo(f"  most cost of a unit of outcome: {rails.cpa_ceiling:g}")
    typer.echo(f"  pushes a day: at most {rails.daily_push_cap}")
    typer.echo(f"  change windows: {'; '.join(one.text for one in rails.change_windows) or 'none, so never open'}")
    for channel, platform in sorted(settings.platforms.items()):
        typer.echo(f"  {channel} is set in {platform}")


def _differences(before: AutomationSettings, after: AutomationSettings) -> list[str]:
    """`mode from manual to assist` for everything that differs."""
    pairs = [("mode", before.mode, after.mode), ("consent", before.consent.status, after.consent.status)]
    rails = zip(fields(before.guardrails), _values(before), _values(after), strict=True)
    pairs += [(one.name.replace("_", " ").removesuffix(" rel"), old, new) for one, old, new in rails]
    names = sorted({*before.platforms, *after.platforms})
    pairs += [
        (f"platform of {name}", before.platforms.get(name, "none"), after.platforms.get(name, "none")) for name in names
    ]
    return [f"{name} from {old} to {new}" for name, old, new in pairs if old != new]


def _values(settings: AutomationSettings) -> list[str]:
    """Every guardrail in words."""
    from weathervane.contracts.money import Money

    said: list[str] = []
    for one in fields(settings.guardrails):
        value = getattr(settings.guardrails, one.name)
        if isinstance(value, tuple):
            said.append(", ".join(window.text for window in settings.guardrails.change_windows) or "none")
        else:
            said.append(
                "none" if value is None else f"{value.major:,.2f}" if isinstance(value, Money) else f"{value:g}"
            )
    return said


def _summary(settings: AutomationSettings) -> str:
    return f"Mode {settings.mode}, consent {settings.consent.status}."


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
