"""Findings: what a person should know of a table before anything is fitted."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES

_GAP_DAYS = 21
_LISTED = 6
_PLURALS = {"geo": "places", "category": "categories", "channel": "channels", "series": "series", "event": "events"}
_ONE = {"geo": "place"}


def describe(table: str, frame: pl.DataFrame, step_days: int) -> list[ImportNote]:
    """What was kept of a table, its gaps, and the channels that cannot be measured."""
    contract = TABLES[table]
    first, last = frame["date"].min(), frame["date"].max()
    step = "week" if step_days == 7 else "day"
    counts = {name: frame[name].n_unique() for name in contract.key if name in _PLURALS}
    names = [f"{count} {_ONE.get(name, name) if count == 1 else _PLURALS[name]}" for name, count in counts.items()]
    kept = ImportNote(table, "kept", frame.height, f"by {step}, {first} to {last}; {', '.join(names)}.")
    return [
        kept,
        *_gaps(table, frame, step_days),
        *_constant(table, frame),
        *_unread(table, frame),
        *_new(table, frame),
    ]


def _unread(table: str, frame: pl.DataFrame) -> list[ImportNote]:
    if table != "macro":
        return []
    names = ", ".join(frame["series"].unique().sort().to_list()[:_LISTED])
    return [ImportNote(table, "warning", frame.height, f"{names}: stored, but no model reads them yet.")]


def _new(table: str, frame: pl.DataFrame) -> list[ImportNote]:
    """Places that start late or stop early: they are no part of what is measured over the whole span."""
    if table != "sales" or frame["geo"].n_unique() < 2:
        return []
    days: list[date] = frame["date"].unique().sort().to_list()
    first, last = days[0], days[-1]
    room = 0.15 * (last - first).days
    spans = frame.group_by("geo").agg(start=pl.col("date").min(), end=pl.col("date").max(), n=pl.len()).sort("geo")
    late = spans.filter((pl.col("start") - first).dt.total_days() > room)
    early = spans.filter((pl.lit(last) - pl.col("end")).dt.total_days() > max(room, _GAP_DAYS))
    notes: list[ImportNote] = []
    for found, says in ((late, "from {start} on"), (early, "until {end}")):
        if found.is_empty():
            continue
        row = found.row(0, named=True)
        others = f" and {found.height - 1} more places like it" if found.height > 1 else ""
        have = "has" if found.height == 1 else "have"
        why = (
            f"{row['geo']}{others} {have} sales only {says.format(**row)}: too little to be measured with the others, "
        )
        why += "so they are left out of what the model learns from; `weathervane train` says what is left."
        notes.append(ImportNote(table, "warning", int(found["n"].sum()), why))
    return notes


def _gaps(table: str, frame: pl.DataFrame, step_days: int) -> list[ImportNote]:
    """The longest run of missing dates, by place where places report every day."""
    if table not in {"sales", "spend", "weather"}:
        return []
    by = ["geo"] if table != "spend" else []
    days = frame.select(*by, "date").unique().sort([*by, "date"])
    previous = pl.col("date").shift(1)
    if by:
        previous = previous.over("geo")
    gaps = days.with_columns(previous=previous).filter(
        (pl.col("date") - pl.col("previous")).dt.total_days() > step_days
    )
    if gaps.is_empty():
        return []
    longest = gaps.sort((pl.col("date") - pl.col("previous")).dt.total_days(), descending=True).row(0, named=True)
    start, end = longest["previous"] + timedelta(days=step_days), longest["date"] - timedelta(days=1)
    where = f" in {longest['geo']}" if by else ""
    n_days = (end - start).days + 1
    others = f" ({gaps.height} gaps in all)" if gaps.height > 1 else ""
    missing = n_days // step_days
    why = f"gap of {n_days} days{where}, {start} to {end}{others}: kept as missing, never as zero."
    if table == "sales":
        why += " Write `missing: zero` in the source if nothing was sold then."
    return [ImportNote(table, "warning", missing, why + (" Fill it if you can." if n_days >= _GAP_DAYS else ""))]


def _constant(table: str, frame: pl.DataFrame) -> list[ImportNote]:
    if table != "spend":
        return []
    by_place = frame.group_by("channel", "geo").agg(pl.col("spend").drop_nulls().n_unique().alias("levels"), pl.len())
    channels = by_place.group_by("channel").agg(pl.col("levels").max(), pl.col("len").sum()).sort("channel")
    return [
        ImportNote(
            table,
            "warning",
            row["len"],
            f"{row['channel']}: spend never changes, so what it causes cannot be measured; it will not be judged.",
        )
        for row in channels.filter(pl.col("levels") <= 1).to_dicts()
    ]
