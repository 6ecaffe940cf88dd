"""Delete a scenario: every version of it, with a line in the log of who did."""

from __future__ import annotations

from datetime import datetime

from weathervane.contracts.errors import BadInput
from weathervane.contracts.event import Event
from weathervane.store import scenarios
from weathervane.store.event_log import record
from weathervane.store.paths import Store


def delete_scenario(store: Store, scenario_id: str, *, by: str, now: datetime, run_id: str) -> None:
    """Removes it. NotFound where there is none, BadInput without a name of who does."""
    if not by.strip():
        raise BadInput("A scenario is removed by someone.", "say who, with --by.")
    scenarios.delete_scenario(store, scenario_id)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    record(store, Event("scenario.deleted", store.tenant_id, at, run_id, detail={"scenario_id": scenario_id, "by": by}))
