"""Fill the calendar: public holidays and retail events of a tenant's places, as far ahead as plans look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from weathervane.connectors.calendar.holidays import calendar
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.period import Period
from weathervane.store import results
from weathervane.store.coverage import coverage
from weathervane.store.import_notes import import_notes, keep_import_notes
from weathervane.store.paths import Store
from weathervane.store.tables import UpsertReport, read, upsert

ORIGIN = "the built-in calendar"
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class CalendarFill:
    """What was stored of the calendar, and the note that says so."""

    report: UpsertReport
    note: ImportNote


def fill_calendar(store: Store, *, now: datetime) -> CalendarFill | None:
    """Holidays from the first day of sales to 400 days past the last; the same call again changes nothing.

    None where there is nothing to fill: a demo tenant's world has its own calendar, and so has a tenant that imports
    one. Raises BadInput where a place's country is not known.
    """
    tenant = results.tenant(store)
    sold = coverage("sales", read(store, "sales")).span
    own = any(note.table == "calendar" and note.what == "kept" for note in import_notes(store))
    if tenant.demo or own or sold is None:
        return None
    period = Period(sold.start, sold.end + AHEAD)
    report = upsert(store, "calendar", calendar(tenant.places, period), now, ORIGIN)
    countries = ", ".join(sorted({place.country for place in tenant.places}))
    note = ImportNote(
        "calendar",
        "added",
        report.rows_in,
        f"public holidays and retail events of {countries}, {period.start} to {period.end}, from {ORIGIN}; "
        "`country` in the mapping says whose.",
    )
    keep_import_notes(store, [note])
    return CalendarFill(report, note)
