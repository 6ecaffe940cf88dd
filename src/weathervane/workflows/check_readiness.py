"""Check readiness: what data a tenant has, and whether it is enough."""

from __future__ import annotations

from datetime import date, datetime

from weathervane.contracts.readiness import Readiness
from weathervane.contracts.tables import TABLES
from weathervane.store.coverage import judge
from weathervane.store.paths import Store
from weathervane.store.tables import read


def check_readiness(store: Store, as_of: date, known_at: datetime | None = None) -> Readiness:
    """The verdict on the tenant's stored tables as of a day, with rows, spans and gaps of each.

    `known_at` limits it to what was known then.
    """
    return judge(store.tenant_id, as_of, {table: read(store, table, known_at) for table in TABLES})
