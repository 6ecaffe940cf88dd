"""Refresh the data: read a tenant's exports again where a mapping names them, and keep its calendar ahead of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from weathervane.store.paths import Store
from weathervane.store.tables import UpsertReport
from weathervane.workflows.fill_calendar import fill_calendar
from weathervane.workflows.import_files import import_files


def refresh_data(store: Store, *, now: datetime, mapping: Path | None = None) -> tuple[UpsertReport, ...]:
    """What each table got; where nothing is new, nothing changes. Raises what an import raises."""
    if mapping is not None:
        return import_files(mapping, store.root, store.database_url, now).reports
    filled = fill_calendar(store, now=now)
    return () if filled is None else (filled.report,)
