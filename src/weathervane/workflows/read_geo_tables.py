"""Read geo tables: what the tenant's store holds, as the panels that experiments work on."""

from __future__ import annotations

from datetime import datetime

from weathervane.experiments.tables import GeoTables, geo_tables
from weathervane.store import results
from weathervane.store.paths import Store
from weathervane.store.tables import read


def read_geo_tables(store: Store, *, as_of: datetime | None = None) -> GeoTables:
    """The tenant's geos and days as known at `as_of` (now, if None). NotFound without the tenant, NotEnoughData without
    sales."""
    frames = [read(store, name, as_of) for name in ("sales", "spend", "weather", "calendar", "inventory")]
    return geo_tables(results.tenant(store), *frames)
