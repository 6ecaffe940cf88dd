"""Import files: exports in, checked as a whole, then stored table by table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from weathervane.connectors.calendar.holidays import calendar
from weathervane.connectors.files.exports import ImportedTables, read_exports
from weathervane.connectors.files.mapping import read_mapping
from weathervane.contracts.event import Event
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.period import Period
from weathervane.contracts.tables import TABLES
from weathervane.store import results
from weathervane.store.coverage import check_history, refuse_future
from weathervane.store.event_log import append_line, record
from weathervane.store.import_notes import keep_import_notes
from weathervane.store.paths import Store, look_at_store, open_store
from weathervane.store.tables import UpsertReport, check, read, upsert
from weathervane.workflows.fill_calendar import fill_calendar
from weathervane.workflows.set_up_tenant import refuse_another_kind, set_up_tenant


@dataclass(frozen=True)
class ImportResult:
    """What an import decided and did; `reports` is empty for a dry run. `added` is what no file brought."""

    tenant_id: str
    notes: tuple[ImportNote, ...]
    reports: tuple[UpsertReport, ...]
    added: tuple[ImportNote, ...] = ()


def import_files(
    path: Path,
    root: Path,
    database_url: str | None,
    now: datetime,
    *,
    dry_run: bool = False,
    on_notes: Callable[[tuple[ImportNote, ...]], None] = lambda _: None,
) -> ImportResult:
    """Imports the exports that the mapping at `path` names into the state under `root`.

    Everything is read and checked before anything is stored. Then each table is replaced whole, one after the other;
    an import killed in between is finished by running it again, which changes nothing that is already there.
    `on_notes` hears what was kept and dropped before the first table is stored. Raises BadInput and NotEnoughData as
    the readers do, StateUnusable where the state cannot be written.
    """
    mapping = read_mapping(path)
    open_or_look = look_at_store if dry_run else open_store
    store = open_or_look(root, mapping.tenant.id, database_url)
    today = now.astimezone(ZoneInfo(mapping.tenant.time_zone)).date()
    imported = read_exports(mapping, read(store, "sales"), today)
    known = results.find_tenant(store)
    if known is not None:
        refuse_another_kind(known, imported.tenant)
    for table, frame in imported.tables.items():
        check(TABLES[table], frame, imported.origins[table])
        refuse_future(table, frame, imported.origins[table], now.date())
    origin, step = imported.origins.get("sales", ""), imported.steps.get("sales", 1)
    check_history(store, imported.tables.get("sales"), origin, step)
    calendar(imported.tenant.places, Period(now.date(), now.date()))  # refuses an unknown country before storing
    notes = tuple(imported.notes)
    on_notes(notes)
    if dry_run:
        return ImportResult(store.tenant_id, notes, ())
    reports = _store(store, imported, now)
    filled = fill_calendar(store, now=now)
    if filled is None:
        return ImportResult(store.tenant_id, notes, reports)
    return ImportResult(store.tenant_id, notes, (*reports, filled.report), (filled.note,))


def _store(store: Store, imported: ImportedTables, now: datetime) -> tuple[UpsertReport, ...]:
    set_up_tenant(store, imported.tenant)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    run_id = f"import-{now:%Y%m%dT%H%M%S%f}"
    reports: list[UpsertReport] = []
    for table, frame in imported.tables.items():
        origin = imported.origins[table]
        report = upsert(store, table, frame, now, origin, imported.steps[table], whole=True)
        line = {"at": at, "run_id": run_id, "tenant_id": store.tenant_id, "source": origin, **asdict(report)}
        append_line(store.ingestion_log, line)
        reports.append(report)
    keep_import_notes(store, imported.notes)
    stored = {report.table: report.added + report.restated for report in reports}
    record(store, Event("import.done", store.tenant_id, at, run_id, detail=stored))
    return tuple(reports)
