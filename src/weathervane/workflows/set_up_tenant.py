"""Set up a tenant: its folder, its database and what is known of it."""

from __future__ import annotations

from dataclasses import replace

from weathervane.contracts.errors import BadInput
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.paths import Store


def set_up_tenant(store: Store, tenant: Tenant) -> Tenant:
    """Stores the tenant; one that exists keeps its other places and its geo_tests. Returns the tenant as stored.

    Raises BadInput where the tenant exists in another currency or as a demo: one history holds one kind of numbers.
    """
    known = results.find_tenant(store)
    if known is None:
        results.keep_tenant(store, tenant)
        return tenant
    refuse_another_kind(known, tenant)
    named = {place.geo for place in tenant.places}
    places = (*tenant.places, *(place for place in known.places if place.geo not in named))
    merged = replace(tenant, places=tuple(sorted(places, key=lambda place: place.geo)), geo_tests=known.geo_tests)
    results.keep_tenant(store, merged)
    return merged


def refuse_another_kind(known: Tenant, tenant: Tenant) -> None:
    """Raises BadInput where the two tenants of one id cannot share a history."""
    if known.demo != tenant.demo:
        kinds = {True: "generated demo data", False: "real data"}
        raise BadInput(
            f"The tenant {tenant.tenant_id!r} holds {kinds[known.demo]}; {kinds[tenant.demo]} cannot be mixed in.",
            "use another tenant id.",
        )
    if known.currency != tenant.currency:
        raise BadInput(
            f"The tenant {tenant.tenant_id!r} keeps its money in {known.currency}, not in {tenant.currency}.",
            f"convert it to {known.currency}, or use another tenant id.",
        )
