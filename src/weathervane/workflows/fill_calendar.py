"""Fill the calendar: public holidays and retail events of a tenant's places, as far ahead as plans look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from weathervane.connectors.calendar.holidays import calendar
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.period import Period
from weathervane.store import results
from weathervane.store.coverage import coverage
from weathervane.store.import_notes import import_notes, keep_import_notes
from weathervane.store.paths import Store
from weathervane.store.tables import UpsertReport, origins, read, upsert

ORIGIN = "the built-in calendar"
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class CalendarFill:
    """What was stored of the calendar, and the note that says so."""

    report: UpsertReport
    note: ImportNote


def fill_calendar(store: Store, *, now: datetime) -> CalendarFill | None:
    """Holidays from the first day of sales to 400 days past the last; the same call again changes nothing.

    A calendar that the tenant imports stands beside them: a public holiday or retail event of its own takes the place
    of the built-in one on that day. None where there is nothing to fill: a demo tenant's world has its own calendar.
    Raises BadInput where a place's country is not known.
    """
    tenant = results.tenant(store)
    sold = coverage("sales", read(store, "sales")).span
    if tenant.demo or sold is None:
        return None
    period = Period(sold.start, sold.end + AHEAD)
    built_in = calendar(tenant.places, period)
    own = origins(store, "calendar").filter(pl.col("source") != ORIGIN)
    own_days = own.filter(pl.col("kind") != "closed").select("geo", "date")
    built_in = built_in.join(own_days, on=["geo", "date"], how="anti")
    report = upsert(store, "calendar", built_in, now, ORIGIN, whole=True)
    countries = ", ".join(sorted({place.country for place in tenant.places}))
    note = ImportNote(
        "calendar",
        "added",
        report.rows_in,
        f"public holidays and retail events of {countries}, {period.start} to {period.end}, from {ORIGIN}"
        + (", beside your own" if own.height else "")
        + "; `country` in the mapping says whose.",
    )
    keep_import_notes(store, [*(each for each in import_notes(store) if _is_own(each)), note])
    return CalendarFill(report, note)


def _is_own(note: ImportNote) -> bool:
    """Whether a note is about the calendar that the tenant imported."""
    return note.table == "calendar" and ORIGIN not in note.why
