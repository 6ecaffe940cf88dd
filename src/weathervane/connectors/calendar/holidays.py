"""The calendar: public holidays of each place, and the few days a year that retail makes for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from weathervane.contracts.errors import BadInput
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Place

# Holidays and retail events are fixed long before; this is how long before a row counts as known.
ANNOUNCED_DAYS = 365

_SCHEMA = {"geo": pl.String, "date": pl.Date, "event": pl.String, "kind": pl.String}
_THURSDAY, _SATURDAY, _SUNDAY = 3, 5, 6


def calendar(places: Iterable[Place], period: Period) -> pl.DataFrame:
    """Rows of the CALENDAR contract with `known_at`, for every place and day of the period, sorted by key.

    A day with two holidays has two rows. BadInput when a place's country or subdivision is not known.
    """
    rows = [
        (place.geo, day, event, kind)
        for place in places
        for event, kind, day in (*_public_holidays(place, period), *_retail_events(place.country, period))
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row").unique(["geo", "date", "event"], keep="first")
    announced = (pl.col("date") - pl.duration(days=ANNOUNCED_DAYS)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return frame.with_columns(known_at=announced).sort("geo", "date", "event")


def _public_holidays(place: Place, period: Period) -> Iterator[tuple[str, str, date]]:
    # Loading the library takes longer than the rest of a light command.
    import holidays

    years = range(period.start.year, period.end.year + 1)
    try:
        found = holidays.country_holidays(place.country, subdiv=place.subdivision, years=years, language="en_US")
    except NotImplementedError as unknown:
        where = place.country if place.subdivision is None else f"{place.country}-{place.subdivision}"
        raise BadInput(
            f"No public holidays are known for {where} (place {place.geo}).",
            "give the ISO 3166 country code, and a subdivision the holidays library lists, or none.",
        ) from unknown
    for day in found:
        if period.start <= day <= period.end:
            for event in found.get_list(day):
                yield event, "public_holiday", day


@dataclass(frozen=True)
class RetailEvent:
    """A day retail makes for itself: its date in a year, and the countries that keep it (None: all)."""

    name: str
    on: Callable[[int], date]
    countries: frozenset[str] | None = None


def _retail_events(country: str, period: Period) -> Iterator[tuple[str, str, date]]:
    for year in range(period.start.year, period.end.year + 1):
        for event in RETAIL_EVENTS:
            day = event.on(year)
            if (event.countries is None or country in event.countries) and period.start <= day <= period.end:
                yield event.name, "retail_event", day


def _nth(month: int, weekday: int, n: int, plus_days: int = 0) -> Callable[[int], date]:
    """The n-th such weekday of a month, and so many days later."""

    def on(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1) + plus_days)

    return on


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _last_before(month: int, day: int, weekday: int) -> Callable[[int], date]:
    """The last such weekday before a day of the year."""

    def on(year: int) -> date:
        limit = date(year, month, day)
        return limit - timedelta(days=(limit.weekday() - weekday - 1) % 7 + 1)

    return on


_BOXING_DAY = frozenset({"GB", "IE", "CA", "AU", "NZ"})
_SECOND_SUNDAY_OF_MAY = frozenset({"US", "CA", "AU", "NZ", "DE", "AT", "CH", "IT", "NL", "BE", "DK", "FI", "JP", "BR"})
_THIRD_SUNDAY_OF_JUNE = frozenset({"US", "CA", "GB", "IE", "FR", "NL", "JP", "IN"})

RETAIL_EVENTS = (
    RetailEvent("Valentine's Day", _fixed(2, 14)),
    RetailEvent("Mother's Day", _nth(5, _SUNDAY, 2), _SECOND_SUNDAY_OF_MAY),
    RetailEvent("Father's Day", _nth(6, _SUNDAY, 3), _THIRD_SUNDAY_OF_JUNE),
    RetailEvent("Mid-July Sale", _fixed(7, 15)),
    RetailEvent("Mid-July Sale, second day", _fixed(7, 16)),
    RetailEvent("Back to School", _nth(8, _SATURDAY, 2), frozenset({"US", "CA"})),
    RetailEvent("Halloween", _fixed(10, 31)),
    RetailEvent("Singles' Day", _fixed(11, 11)),
    RetailEvent("Black Friday", _nth(11, _THURSDAY, 4, plus_days=1)),
    RetailEvent("Cyber Monday", _nth(11, _THURSDAY, 4, plus_days=4)),
    RetailEvent("Super Saturday", _last_before(12, 25, _SATURDAY)),
    RetailEvent("Boxing Day Sales", _fixed(12, 26), _BOXING_DAY),
)
