"""GET /v1/tenants and /v1/plans/{tenant}: who uses the product, and the newest plan of one of them."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from weathervane.api.errors import Problem
from weathervane.api.tenant_store import tenant_store
from weathervane.contracts.plan import BudgetPlan, TenantSummary
from weathervane.store import results


def plans_router(state: Path, database_url: str | None) -> APIRouter:
    """Routes that read stored results of `state`; they compute nothing."""
    router = APIRouter(prefix="/v1")

    @router.get(
        "/tenants", operation_id="listTenants", summary="Every tenant, by name", responses={503: {"model": Problem}}
    )
    def list_tenants() -> list[TenantSummary]:
        return results.tenants(state, database_url)

    @router.get(
        "/plans/{tenant}",
        operation_id="getPlan",
        summary="The newest plan of one tenant",
        responses={status: {"model": Problem} for status in (404, 422, 503)},
    )
    def get_plan(tenant: str) -> BudgetPlan:
        return results.latest_plan(tenant_store(state, database_url, tenant))

    return router
