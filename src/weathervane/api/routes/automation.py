"""/v1/settings/{tenant}/automation: how far the product may act by itself. Consent is given at the terminal alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fastapi import APIRouter

from weathervane.api.clock import now, run_id
from weathervane.api.errors import Problem
from weathervane.api.tenant_store import tenant_store
from weathervane.contracts.automation import Guardrails, Mode, SettingsVersion
from weathervane.store import automation
from weathervane.workflows.set_automation import set_automation

_FAILURES = {status: {"model": Problem} for status in (404, 422, 503)}


@dataclass(frozen=True)
class AutomationChoice:
    """The settings that a form sends, all of them; `by` is who chose them. Consent stays as it is."""

    by: str
    mode: Mode
    guardrails: Guardrails = field(default_factory=Guardrails)
    platforms: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: str = ""


def automation_router(state: Path, database_url: str | None) -> APIRouter:
    """Routes over the settings of `state`."""
    router = APIRouter(prefix="/v1/settings/{tenant}/automation", responses=_FAILURES)  # pyright: ignore[reportArgumentType]

    @router.get("", operation_id="getAutomation", summary="The automation settings as they stand")
    def get(tenant: str) -> SettingsVersion:
        return automation.settings(tenant_store(state, database_url, tenant))

    @router.put(
        "", operation_id="setAutomation", summary="New automation settings; the ones before stay in the history"
    )
    def put(tenant: str, chosen: AutomationChoice) -> SettingsVersion:
        store, at = tenant_store(state, database_url, tenant), now()
        settings = replace(
            automation.settings(store).settings,
            mode=chosen.mode,
            guardrails=chosen.guardrails,
            platforms=dict(chosen.platforms),
            notes=chosen.notes,
        )
        return set_automation(store, settings, by=chosen.by, now=at, run_id=run_id(at))

    return router
