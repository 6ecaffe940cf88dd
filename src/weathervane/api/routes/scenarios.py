"""/v1/plans/{tenant}/scenarios: run, recommended, kept, changed, compared and removed, each tenant's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from weathervane.api.clock import now, run_id
from weathervane.api.errors import Problem
from weathervane.api.tenant_store import tenant_store
from weathervane.contracts.scenario import (
    MAX_COMPARED,
    Recommendations,
    SavedScenario,
    Scenario,
    ScenarioResult,
    ShownScenario,
)
from weathervane.store.paths import Store
from weathervane.workflows.delete_scenario import delete_scenario
from weathervane.workflows.recommend_scenarios import recommend_scenarios
from weathervane.workflows.run_scenario import run_scenario
from weathervane.workflows.save_scenario import save_scenario
from weathervane.workflows.show_scenarios import show_scenarios

_FAILURES = {status: {"model": Problem} for status in (404, 409, 422, 503)}


@dataclass(frozen=True)
class NewScenario:
    """A scenario to keep; `by` is who keeps it."""

    name: str
    by: str
    scenario: Scenario = field(default_factory=Scenario)
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScenarioChange:
    """What changes in a kept scenario; what is left out stays. Levers are run again, on the newest plan."""

    by: str
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    scenario: Scenario | None = None


def scenarios_router(state: Path, database_url: str | None) -> APIRouter:
    """Routes over the scenarios of `state`."""
    router = APIRouter(prefix="/v1/plans/{tenant}/scenarios", responses=_FAILURES)  # pyright: ignore[reportArgumentType]

    def store_of(tenant: str) -> Store:
        return tenant_store(state, database_url, tenant)

    @router.post("/run", operation_id="runScenario", summary="The newest plan with levers changed; nothing is kept")
    def run(tenant: str, scenario: Scenario) -> ScenarioResult:
        return run_scenario(store_of(tenant), scenario)

    @router.get("/recommendations", operation_id="recommendScenarios", summary="Scenarios that the allocator finds")
    def recommendations(tenant: str, margin: Annotated[float | None, Query(ge=0)] = None) -> Recommendations:
        return recommend_scenarios(store_of(tenant), margin=margin)

    @router.get("/comparison", operation_id="compareScenarios", summary="Up to four kept scenarios, side by side")
    def comparison(tenant: str, id: Annotated[list[str], Query(max_length=MAX_COMPARED)]) -> list[ShownScenario]:
        return show_scenarios(store_of(tenant), id)

    @router.get("/snapshots", operation_id="listScenarios", summary="Every kept scenario, the last changed first")
    def list_(tenant: str) -> list[ShownScenario]:
        return show_scenarios(store_of(tenant))

    @router.post("/snapshots", status_code=201, operation_id="saveScenario", summary="Run a scenario and keep it")
    def save(tenant: str, new: NewScenario) -> SavedScenario:
        at = now()
        return save_scenario(
            store_of(tenant), name=new.name, scenario=new.scenario, description=new.description, tags=new.tags,
            by=new.by, now=at, run_id=run_id(at),
        )  # fmt: skip

    @router.get("/snapshots/{scenario_id}", operation_id="getScenario", summary="One kept scenario, newest version")
    def get(tenant: str, scenario_id: str) -> ShownScenario:
        return show_scenarios(store_of(tenant), [scenario_id])[0]

    @router.patch("/snapshots/{scenario_id}", operation_id="changeScenario", summary="A new version of a kept scenario")
    def change(tenant: str, scenario_id: str, changed: ScenarioChange) -> SavedScenario:
        at = now()
        return save_scenario(
            store_of(tenant), scenario_id=scenario_id, name=changed.name, scenario=changed.scenario,
            description=changed.description, tags=changed.tags, by=changed.by, now=at, run_id=run_id(at),
        )  # fmt: skip

    @router.delete(
        "/snapshots/{scenario_id}",
        status_code=204,
        operation_id="deleteScenario",
        summary="Remove a kept scenario, every version of it",
    )
    def delete(tenant: str, scenario_id: str, by: str) -> None:
        at = now()
        delete_scenario(store_of(tenant), scenario_id, by=by, now=at, run_id=run_id(at))

    return router
