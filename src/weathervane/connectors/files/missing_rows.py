"""Missing rows: what ad platforms and shops leave out did not happen, so it is zero, and the import says how much.

Zeros are written for spend of every channel and place from the first day of the table to the last day of the source
that carries the channel, and for sales of every place between its own first and last row. A long hole in a place that
otherwise reports stays unknown (docs/decisions/0004-missing-rows.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES

Rule = Literal["zero", "unknown"] | None
_LISTED = 4
_LONG_DAYS = 14  # a run of days without a single row of a place that otherwise reports is a hole in the data
_REPORTS_SHARE = 0.5
_FLOWS = {"spend": ("spend", "impressions", "clicks", "conversions"), "sales": ("net_revenue", "orders", "units")}
_ZERO_WORD = {"spend": "no spend", "sales": "no sales"}


@dataclass(frozen=True)
class SourceRows:
    """The rows that one source brought, and what its mapping says a missing one means."""

    frame: pl.DataFrame
    rule: Rule


def with_zeros(
    table: str, frame: pl.DataFrame, sources: Sequence[SourceRows], step_days: int, places: Sequence[str]
) -> tuple[pl.DataFrame, list[ImportNote]]:
    """The table with a row of zero for each one that was left out, and the notes that say which."""
    if table not in _FLOWS or frame.is_empty():
        return frame, []
    if table == "spend":
        wanted = _wanted_spend(frame, sources, step_days, places)
    else:
        wanted = _wanted_sales(frame, sources, step_days)
    key = list(TABLES[table].key)
    added = wanted.join(frame.select(key), on=key, how="anti")
    if added.is_empty():
        return frame, []
    there = [name for name in _FLOWS[table] if name in frame.columns and frame[name].count()]
    zeros = added.with_columns(pl.lit(0.0).alias(name) for name in there)
    notes = _notes(table, added, step_days)
    return pl.concat([frame, zeros.select(n for n in frame.columns if n in zeros.columns)], how="diagonal"), notes


def _dates(first: date, last: date, step_days: int) -> pl.DataFrame:
    return pl.DataFrame({"date": pl.date_range(first, last, f"{step_days}d", eager=True)})


def _wanted_spend(
    frame: pl.DataFrame, sources: Sequence[SourceRows], step_days: int, places: Sequence[str]
) -> pl.DataFrame:
    """Every date, place and channel of which a source would have had a row."""
    first = frame["date"].min()
    parts: list[pl.DataFrame] = []
    for channel in frame["channel"].unique().sort():
        carrying = [each for each in sources if (each.frame["channel"] == channel).any()]
        if any(each.rule == "unknown" for each in carrying):
            continue
        mine = frame.filter(pl.col("channel") == channel)
        geos = set(mine["geo"].to_list())
        last = max(each.frame["date"].max() for each in carrying)  # pyright: ignore[reportArgumentType]  not empty
        if geos != {NATIONAL}:
            geos = (geos | set(places) | set(frame["geo"].to_list())) - ({NATIONAL} - geos)
        parts.append(
            _dates(first, last, step_days)  # pyright: ignore[reportArgumentType]  dates
            .join(pl.DataFrame({"geo": sorted(geos)}), how="cross")
            .with_columns(channel=pl.lit(channel))
        )
    return pl.concat(parts) if parts else frame.select("date", "geo", "channel").clear()


def _wanted_sales(frame: pl.DataFrame, sources: Sequence[SourceRows], step_days: int) -> pl.DataFrame:
    """Every date between a place's first and last row, for each category it sells, but for long holes."""
    unknown = {geo for each in sources if each.rule == "unknown" for geo in each.frame["geo"].to_list()}
    certain = {geo for each in sources if each.rule == "zero" for geo in each.frame["geo"].to_list()}
    parts: list[pl.DataFrame] = []
    for (geo,), mine in frame.group_by("geo", maintain_order=True):
        if geo in unknown:
            continue
        days = mine["date"].unique().sort()
        wanted = _dates(days[0], days[-1], step_days)
        if geo not in certain:
            wanted = wanted.join(_in_holes(days, wanted["date"], step_days), on="date", how="anti")
        categories = mine.select("category").unique()
        parts.append(wanted.join(categories, how="cross").with_columns(geo=pl.lit(geo)))
    return pl.concat(parts) if parts else frame.select("date", "category", "geo").clear()


def _in_holes(days: pl.Series, wanted: pl.Series, step_days: int) -> pl.DataFrame:
    """The dates in long runs without a row, of a place that reports on most dates."""
    if len(days) < _REPORTS_SHARE * len(wanted):
        return pl.DataFrame({"date": []}, schema={"date": pl.Date})
    missing = pl.DataFrame({"date": wanted}).filter(~pl.col("date").is_in(days.implode()))
    run = (pl.col("date").diff().dt.total_days() > step_days).fill_null(value=False).cum_sum()
    sized = missing.with_columns(run=run).with_columns(n=pl.len().over("run"))
    return sized.filter(pl.col("n") * step_days > _LONG_DAYS).select("date")


def _notes(table: str, added: pl.DataFrame, step_days: int) -> list[ImportNote]:
    """One note for each channel of spend, or for sales: how many rows were left out, where."""
    unit = "week" if step_days == 7 else "day"
    groups = [(None, added)] if table == "sales" else [
        (str(name), part) for (name,), part in added.sort("channel").group_by("channel", maintain_order=True)
    ]  # fmt: skip
    notes: list[ImportNote] = []
    for channel, part in groups:
        by_place = (
            part.group_by("geo").agg(pl.col("date").n_unique().alias("n")).sort(["n", "geo"], descending=[True, False])
        )
        counts = [_counted(n, unit) + (f" in {geo}" if geo != NATIONAL else "") for geo, n in by_place.iter_rows()]
        listed = ", ".join(counts[:_LISTED])
        if len(counts) > _LISTED:
            listed += f" and others in {len(counts) - _LISTED} more places"
        what = f"{channel}: " if channel else ""
        have = "have" if len(counts) > 1 or by_place["n"][0] != 1 else "has"
        why = (
            f"{what}{listed} {have} no row and {'count' if have == 'have' else 'counts'} as {_ZERO_WORD[table]}. "
            "Write `missing: unknown` in the source if it is not known."
        )
        notes.append(ImportNote(table, "added", part.height, why))
    return notes


def _counted(n: int, unit: str) -> str:
    return f"{n} {unit}{'' if n == 1 else 's'}"


def ended_early(frame: pl.DataFrame, sales: pl.DataFrame | None, step_days: int) -> list[ImportNote]:
    """Channels whose source ends well before the sales do: what came after is unknown, and is said."""
    if sales is None or sales.is_empty() or frame.is_empty():
        return []
    sold_until = sales["date"].max()
    ends = frame.group_by("channel").agg(pl.col("date").max()).sort("channel")
    notes: list[ImportNote] = []
    for channel, last in ends.iter_rows():
        lacking = (sold_until - last).days // step_days  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]  dates
        if lacking * step_days > _LONG_DAYS:
            unit = "week" if step_days == 7 else "day"
            why = (
                f"{channel}: its file ends on {last + timedelta(days=step_days - 1)}, {_counted(lacking, unit)} before "
                "the sales do. What was spent since is unknown, so those weeks cannot be used; import the rest."
            )
            notes.append(ImportNote("spend", "warning", lacking, why))
    return notes
