"""Dates: the texts of a column read as calendar days, in the one form that fits them all, or refused by line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from weathervane.connectors.files.columns import ROW, Export, collect
from weathervane.connectors.files.mapping import Day
from weathervane.contracts.errors import BadInput

_SHAPES = {
    "iso": r"^\d{4}-\d{1,2}-\d{1,2}$",
    "slashed_iso": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "compact": r"^\d{8}$",
    "slashed": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "slashed_short": r"^\d{1,2}/\d{1,2}/\d{2}$",
    "dashed": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "dotted": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "dotted_short": r"^\d{1,2}\.\d{1,2}\.\d{2}$",
    "iso_week": r"^\d{4}-?W\d{1,2}$",
    "serial": r"^\d{5}(?:\.\d+)?$",
    "month": r"^(?:\d{4}-\d{1,2}|[A-Za-z]{3,9} \d{4})$",
}
_FORMATS = {
    "iso": "%Y-%m-%d",
    "slashed_iso": "%Y/%m/%d",
    "compact": "%Y%m%d",
    "dotted": "%d.%m.%Y",
    "dotted_short": "%d.%m.%y",
}
# Months by name, tried in turn where no form of figures fits.
_NAMED = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%Y %b %d", "%Y-%b-%d")
_SIGN = {"slashed": "/", "slashed_short": "/", "dashed": "-"}
_DAY_ZERO_OF_SPREADSHEETS = date(1899, 12, 30)
_SERIALS = (20_000, 60_000)  # 1954 to 2064
_WEEKDAY = r"^(?i)(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]*\s+"
_PREFIX = r"^(?i)(?:week of|week commencing|week ending|w/c|w/e)\s+"
_TIME = r"(?:T|,?\s+)\d{1,2}:\d{2}.*$"
_ZONE = r"\d:\d{2}.*?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$"
_IN_UTC = r"\d:\d{2}.*?(?:Z|UTC|GMT|[+-]00:?00)$"
_MIDNIGHT = r"(?:T|\s)0{1,2}:00(?::00(?:\.0+)?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
_INSTANT = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}"


@dataclass(frozen=True)
class Days:
    """The calendar day of each row, and a sentence where times of day had to be understood."""

    day: pl.Expr
    said: str | None = None
    doubtful: bool = False


def as_date(export: Export, day: Day, time_zone: str | None) -> Days:
    """The day of each row, as the file writes it: in one format, the mapping's or the only one that fits.

    Instants with a zone become days of `time_zone` where the tenant states one. Raises BadInput naming rows where the
    column mixes formats, could be read in two ways, or holds no dates.
    """
    dtype = export.schema[day.column]
    column = pl.col(day.column)
    if dtype == pl.Date:
        return Days(column)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None or time_zone is None or day.step == "week":
            return Days(column.dt.date())
        return Days(column.dt.convert_time_zone(time_zone).dt.date(), _converted_note(export, day, time_zone))
    text = column.cast(pl.String).str.replace_all("[\u00a0\u202f]", " ").str.strip_chars()
    written = pl.when(text != "").then(text)
    if day.format is None:
        zoned = _zoned(export, day, written, time_zone)
        if zoned is not None and not zoned.doubtful:
            return zoned
        said = zoned.said if zoned else None
        written = written.str.replace(_PREFIX, "").str.replace(_TIME, "").str.replace(_WEEKDAY, "")
        written = written.str.replace(r"\s+(?:–|—|-|to)\s+.*$", "").str.replace_all(r"[,\s]+", " ").str.strip_chars()
        return Days(_read(export, day, written), said, doubtful=said is not None)
    return Days(_parsed(export, day, written, written.str.strptime(pl.Date, day.format, strict=False), day.format))


def _read(export: Export, day: Day, written: pl.Expr) -> pl.Expr:
    shape = _only_shape(export, day, written)
    if shape == "month":
        raise months(f"{export.name}: {day.column} holds months, like {_first(export, day)!r}.")
    if shape == "iso_week":
        if day.step == "day":
            raise BadInput(
                f"{export.name}: {day.column} holds weeks, like {_first(export, day)!r}, the mapping calls them days.",
                "write `step: week` beside the date's column in the mapping.",
            )
        parts = written.str.replace(r"^(\d{4})-?W(\d{1,2})$", "$1 $2")
        padded = parts.str.replace(r" (\d)$", " 0$1") + " 1"
        return _parsed(export, day, written, padded.str.strptime(pl.Date, "%G %V %u", strict=False), "2023-W05")
    if shape == "serial":
        number = written.cast(pl.Float64, strict=False).floor()
        inside = number.is_between(*_SERIALS)
        found = pl.lit(_DAY_ZERO_OF_SPREADSHEETS) + pl.duration(days=pl.when(inside).then(number).cast(pl.Int64))
        return _parsed(export, day, written, found, "of a spreadsheet's day number")
    spelled = _FORMATS.get(shape) or (_named(export, day, written) if shape == "other" else None)
    spelled = spelled or _numeric_format(export, day, written, shape)
    return _parsed(export, day, written, written.str.strptime(pl.Date, spelled, strict=False), spelled)


def months(problem: str) -> BadInput:
    """The refusal of monthly figures, which hold neither days nor weeks."""
    return BadInput(
        problem,
        "export the figures by day or by week: a month is too long to tell what an ad did from what the season did.",
    )


def _zoned(export: Export, day: Day, written: pl.Expr, time_zone: str | None) -> Days | None:
    """Days of the tenant's zone out of instants; None where the texts carry no zone or no time of day but midnight."""
    asked = export.rows.select(
        rows=written.is_not_null().sum(),
        zoned=written.str.contains(_ZONE).sum(),
        utc=written.str.contains(_IN_UTC).sum(),
        midnight=written.str.contains(_MIDNIGHT).sum(),
        iso=written.str.contains(_INSTANT).sum(),
    )
    seen: dict[str, int] = collect(export, asked).row(0, named=True)
    if not seen["zoned"] or seen["midnight"] == seen["rows"] or day.step == "week":
        return None
    if time_zone is None:
        if not seen["utc"]:
            return None
        said = (
            f"{export.name}: {day.column} holds times in UTC, and their days are taken as written. "
            "Write `time_zone: …` under `tenant` if your days begin at another hour."
        )
        return Days(written, said, doubtful=True)
    if seen["zoned"] < seen["rows"] or seen["iso"] < seen["rows"]:
        said = f"{export.name}: not every time in {day.column} names its zone, so days are taken as written."
        return Days(written, said, doubtful=True)
    instant = written.str.replace(r"^([0-9-]+)T", "$1 ").str.replace(r"\.\d+", "")
    instant = instant.str.replace(r"\s*(?:Z|UTC|GMT)$", "+0000").str.replace(r"\s*([+-]\d{2}):?(\d{2})$", "$1$2")
    instant = instant.str.replace(r"( \d{1,2}:\d{2})([+-]\d{4})$", "$1:00$2")
    parsed = instant.str.strptime(pl.Datetime("us"), "%Y-%m-%d %H:%M:%S%z", strict=False)
    local = parsed.dt.convert_time_zone(time_zone).dt.date()
    found = _parsed(export, day, written, local, "2023-01-31T17:00:00Z")
    return Days(found, _converted_note(export, day, time_zone))


def _converted_note(export: Export, day: Day, time_zone: str) -> str:
    return f"{export.name}: times in {day.column} were taken to the days of {time_zone}, the tenant's time zone."


def _parsed(export: Export, day: Day, written: pl.Expr, parsed: pl.Expr, form: str) -> pl.Expr:
    wrong = export.rows.filter(written.is_not_null() & parsed.is_null()).select(pl.col(ROW).min())
    row = collect(export, wrong).item()
    if row is not None:
        raise BadInput(
            f"{export.line(row)}: {day.column} is {export.value(day.column, row)!r}, which is not a date"
            f" of the form {form}.",
            "correct the cell, or write date.format in the mapping.",
        )
    return parsed


def _first(export: Export, day: Day) -> object:
    return export.value(day.column, collect(export, export.rows.select(pl.col(ROW).min())).item())


def _only_shape(export: Export, day: Day, written: pl.Expr) -> str:
    first = {name: pl.col(ROW).filter(written.str.contains(shape)).min() for name, shape in _SHAPES.items()}
    other = pl.col(ROW).filter(written.is_not_null() & ~written.str.contains("|".join(_SHAPES.values()))).min()
    seen: dict[str, Any] = collect(export, export.rows.select(other=other, **first)).row(0, named=True)
    found = {name: row for name, row in seen.items() if row is not None}
    if len(found) > 1:
        one, two = sorted(found.values())[:2]
        raise _mixed(export, day, one, two)
    # A column of nothing but empty cells has no shape; its rows are dropped, and that is said.
    return next(iter(found), "iso")


def _named(export: Export, day: Day, written: pl.Expr) -> str:
    """The one form with a month's name that fits every row."""
    tried = {form: _this_era(written.str.strptime(pl.Date, form, strict=False)) for form in _NAMED}
    asked = {form: (written.is_not_null() & parsed.is_null()).sum() for form, parsed in tried.items()}
    misses: dict[str, int] = collect(export, export.rows.select(**asked)).row(0, named=True)
    best = min(_NAMED, key=lambda form: misses[form])
    if misses[best] == 0:
        return best
    # The first row that no form reads is the one to show.
    unread = pl.all_horizontal(parsed.is_null() for parsed in tried.values()) & written.is_not_null()
    row = collect(export, export.rows.filter(unread).select(pl.col(ROW).min())).item()
    if row is None:
        wrong = export.rows.filter(written.is_not_null() & tried[best].is_null()).select(pl.col(ROW).min())
        row = collect(export, wrong).item()
    raise BadInput(
        f"{export.line(row)}: {day.column} is {export.value(day.column, row)!r}, which is not a date of a known form.",
        "export dates as YYYY-MM-DD, or write date.format in the mapping, like `%d %b %Y`.",
    )


def _this_era(parsed: pl.Expr) -> pl.Expr:
    """Null for the year 23, which is 2023 in another form."""
    return pl.when(parsed.dt.year() >= 1900).then(parsed)


def _mixed(export: Export, day: Day, one: int, two: int) -> BadInput:
    return BadInput(
        f"{export.name}: {day.column} is written in two formats: {export.value(day.column, one)!r} "
        f"({export.line(one).removeprefix(export.name).strip()}) and {export.value(day.column, two)!r} "
        f"({export.line(two).removeprefix(export.name).strip()}).",
        "export the column in one format, best YYYY-MM-DD.",
    )


def _numeric_format(export: Export, day: Day, written: pl.Expr, shape: str) -> str:
    """Day first or month first, told by a number above 12; refused where both occur or neither does."""
    sign, year = _SIGN[shape], "%y" if shape.endswith("short") else "%Y"
    parts = written.str.split(sign)
    first, second = (parts.list.get(i, null_on_oob=True).cast(pl.Int32, strict=False) for i in (0, 1))
    rows = export.rows.select(
        day_first=pl.col(ROW).filter(first > 12).min(), month_first=pl.col(ROW).filter(second > 12).min()
    )
    seen: dict[str, int | None] = collect(export, rows).row(0, named=True)
    day_first, month_first = seen["day_first"], seen["month_first"]
    if day_first is not None and month_first is not None:
        raise _mixed(export, day, min(day_first, month_first), max(day_first, month_first))
    if day_first is None and month_first is None:
        raise BadInput(
            f"{export.name}: {day.column} could be day first or month first, like {_first(export, day)!r}.",
            f"write date.format in the mapping: `%d{sign}%m{sign}{year}` or `%m{sign}%d{sign}{year}`.",
        )
    return f"%d{sign}%m{sign}{year}" if day_first is not None else f"%m{sign}%d{sign}{year}"
