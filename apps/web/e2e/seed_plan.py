"""Keeps one plan, given as JSON on standard input, in the state folder named on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from weathervane.contracts.plan import BudgetPlan
from weathervane.contracts.tenant import Place, Tenant
from weathervane.store import results
from weathervane.store.paths import open_store


def main() -> None:
    """Reads the plan through its contract, so a plan the product could not have made is refused here."""
    plan = results.from_json(BudgetPlan, sys.stdin.read())
    store = open_store(Path(sys.argv[1]), plan.tenant_id)
    places = tuple(Place(geo.geo, geo.name, geo.latitude, geo.longitude) for geo in plan.geos)
    results.keep_tenant(store, Tenant(plan.tenant_id, plan.tenant_name, plan.currency, plan.demo, places=places))
    results.keep_plan(store, plan)


if __name__ == "__main__":
    main()
