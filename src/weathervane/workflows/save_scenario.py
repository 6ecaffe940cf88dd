"""Save a scenario: run it, and keep it under a name as a new scenario or a new version of one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from weathervane.contracts.errors import BadInput
from weathervane.contracts.event import Event
from weathervane.contracts.scenario import SavedScenario, Scenario
from weathervane.store import results, scenarios
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.workflows.run_scenario import run_scenario


def save_scenario(
    store: Store,
    *,
    name: str | None = None,
    scenario: Scenario | None = None,
    scenario_id: str | None = None,
    description: str | None = None,
    tags: tuple[str, ...] | None = None,
    by: str,
    now: datetime,
    run_id: str,
) -> SavedScenario:
    """The scenario as kept. With `scenario_id` it is a new version of that one, and what is left out stays.

    Levers are run on the newest plan; without levers the result stays that of the version before. NotFound for an
    unknown id, BadInput for a new scenario without a name.
    """
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if not by.strip():
        raise BadInput("A scenario is kept by someone.", "say who.")
    if scenario_id is None:
        if name is None:
            raise BadInput("A new scenario needs a name.", "give it one.")
        results.tenant(store)
        chosen = hashlib.sha256(f"{store.tenant_id}/{name}/{now.isoformat()}/{run_id}".encode()).hexdigest()[:12]
        result = run_scenario(store, scenario or Scenario())
        saved = SavedScenario(chosen, store.tenant_id, 1, name, description or "", tags or (), at, by, at, result)
    else:
        before = scenarios.scenario(store, scenario_id)
        saved = replace(
            before,
            version=before.version + 1,
            name=before.name if name is None else name,
            description=before.description if description is None else description,
            tags=before.tags if tags is None else tags,
            updated_at=at,
            result=before.result if scenario is None else run_scenario(store, scenario),
        )
    kept = scenarios.keep_scenario(store, saved)
    detail = {"scenario_id": kept.scenario_id, "version": kept.version, "plan_id": kept.result.plan_id, "by": by}
    record(store, Event("scenario.saved", store.tenant_id, at, run_id, detail=detail))
    return kept
