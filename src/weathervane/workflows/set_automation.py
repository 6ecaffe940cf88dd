"""Set the automation: a tenant's settings as a new version, and a line in the log of who chose them."""

from __future__ import annotations

from datetime import datetime

from weathervane.contracts.automation import AutomationSettings, SettingsVersion
from weathervane.contracts.choice import known_name
from weathervane.contracts.errors import BadInput
from weathervane.contracts.event import Event
from weathervane.store import automation, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.store.tables import read


def set_automation(
    store: Store, settings: AutomationSettings, *, by: str, now: datetime, run_id: str
) -> SettingsVersion:
    """The settings as stored; the same ones again change nothing. BadInput without a name or in another currency."""
    if not by.strip():
        raise BadInput("Settings need the name of a person.", "say who decides them.")
    floor, currency = settings.guardrails.min_daily_spend, results.tenant(store).currency
    if floor is not None and floor.currency != currency:
        raise BadInput(f"The smallest daily spend is in {floor.currency}.", f"write it in {currency}.")
    before = automation.settings(store).settings.platforms
    channels = sorted(read(store, "spend")["channel"].unique().to_list())
    for channel in sorted(set(settings.platforms) - set(before)) if channels else ():
        known_name(channel, channels, "channel")
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = automation.keep_settings(store, settings, at=at, by=by)
    detail = {"version": kept.version, "mode": settings.mode, "consent": settings.consent.status, "by": by}
    record(store, Event("automation.set", store.tenant_id, at, run_id, detail=detail))
    return kept
