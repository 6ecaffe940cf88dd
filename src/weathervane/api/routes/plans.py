"""GET /v1/tenants and /v1/plans/{tenant}: who uses the product, and the newest plan of one of them."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from weathervane.api.errors import Problem
from weathervane.contracts.errors import NotFound
from weathervane.contracts.plan import BudgetPlan, TenantSummary
from weathervane.contracts.tenant import check_tenant_id
from weathervane.store import results
from weathervane.store.paths import Store, default_database_url


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
        check_tenant_id(tenant)
        # Asked first, because reading a plan opens the database, which makes one where there is none.
        if tenant not in {one.tenant_id for one in results.tenants(state, database_url)}:
            raise NotFound(
                f"There is no tenant {tenant!r}.", "run `make demo`, or `weathervane import` for your own data."
            )
        return results.latest_plan(Store(state, tenant, database_url or default_database_url(state)))

    return router
