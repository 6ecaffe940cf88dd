"""The store of the tenant that a path names: one that is there, and no other."""

from __future__ import annotations

from pathlib import Path

from weathervane.contracts.errors import NotFound
from weathervane.contracts.tenant import check_tenant_id
from weathervane.store import results
from weathervane.store.paths import Store, default_database_url


def tenant_store(state: Path, database_url: str | None, tenant: str) -> Store:
    """The tenant's store. BadInput for what cannot be an id, NotFound for a tenant that is not there."""
    check_tenant_id(tenant)
    # Asked first, because reading opens the database, which makes one where there is none.
    if tenant not in {one.tenant_id for one in results.tenants(state, database_url)}:
        raise NotFound(f"There is no tenant {tenant!r}.", "run `make demo`, or `weathervane import` for your own data.")
    return Store(state, tenant, database_url or default_database_url(state))
