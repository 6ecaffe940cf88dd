"""Totals among parts: rows, places, channels and categories that are the sum of the others, found and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from weathervane.connectors.files.columns import ROW, Export, collect
from weathervane.connectors.files.mapping import Source
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES

_WORDS = (
    *("total", "totals", "grand total", "subtotal", "report total", "account total", "total general", "total général"),
    *("sum", "overall", "all", "all campaigns", "summe", "gesamt", "gesamtsumme", "totale", "totaal"),
)
_PLURALS = {"geo": "places", "channel": "channels", "category": "categories"}
_VALUE = {"sales": "net_revenue", "spend": "spend"}
_FEW = 8  # so many rows or dates have to agree before a name that does not say total is taken for one
_FIT_SHARE = 0.98


def is_total(text: pl.Expr) -> pl.Expr:
    """Whether a text is a word for total."""
    return text.str.strip_chars().str.strip_chars(":").str.to_lowercase().is_in(_WORDS).fill_null(value=False)


def total_columns(source: Source, export: Export, columns: Sequence[str]) -> list[str]:
    """Those of `columns` in which a few rows call themselves a total."""
    texts = [name for name in columns if export.schema[name] == pl.String]
    if not texts or source.table not in _VALUE:
        return []
    asked = {name: is_total(pl.col(name)).sum() for name in texts}
    seen: dict[str, int] = collect(export, export.rows.select(pl.len().alias(ROW), **asked)).row(0, named=True)
    # A column that says total everywhere (a level of detail, not a name) tells nothing.
    return [name for name in texts if 0 < seen[name] <= seen[ROW] // 2]


def without_total_words(source: Source, export: Export, columns: Sequence[str], notes: list[ImportNote]) -> Export:
    """The export without rows that call themselves a total in one of `columns`."""
    if not columns:
        return export
    total = pl.any_horizontal(is_total(pl.col(name)) for name in columns)
    found = collect(export, export.rows.filter(total).select(ROW, *columns))
    first, count = found.row(0, named=True), found.height
    name = next(name for name in columns if collect(export, found.lazy().select(is_total(pl.col(name)))).row(0)[0])
    which = "rows call themselves" if count > 1 else "row calls itself"
    why = f"{export.line(first[ROW])}: {count} {which} {first[name]!r} in {name}: left out as a total."
    notes.append(ImportNote(source.table, "dropped", count, why))
    return replace(export, rows=export.rows.filter(~total))


def without_total_rows(source: Source, export: Export, numbers: dict[str, pl.Expr], notes: list[ImportNote]) -> Export:
    """The export without a row that equals the sum of all the others in every number it has."""
    if source.table not in _VALUE or not numbers:
        return export
    sums = collect(
        export,
        export.rows.select(
            **{name: value.sum() for name, value in numbers.items()},
            **{f"n {name}": (value.fill_null(0.0) != 0).sum() for name, value in numbers.items()},
        ),
    ).row(0, named=True)
    # A few round amounts may add up by chance: what decides is a number with many parts.
    told = [name for name in numbers if sums[name] and sums[name] > 0 and sums[f"n {name}"] > _FEW]
    if not told:
        return export
    fits = pl.lit(value=True)
    for name in told:
        # Money adds up to the cent; counts that were split are rounded each.
        money = name.split("\t")[-1] in _VALUE.values()
        room = max(1e-9 * sums[name], 0.005 * sums[f"n {name}"]) if money else sums[f"n {name}"]
        fits = fits & ((2 * numbers[name] - sums[name]).abs() <= room).fill_null(value=False)
    rows = collect(export, export.rows.filter(fits).select(ROW))[ROW].to_list()
    if len(rows) != 1:
        return export
    why = f"{export.line(rows[0])}: this row is the sum of all the other rows, so it is a total and was left out."
    notes.append(ImportNote(source.table, "dropped", 1, why))
    return replace(export, rows=export.rows.filter(pl.col(ROW) != rows[0]))


def without_total_names(table: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[ImportNote]]:
    """The table without a place, channel or category that equals the sum of the others on every date."""
    notes: list[ImportNote] = []
    if table not in _VALUE:
        return frame, notes
    for label in (name for name in TABLES[table].key if name in _PLURALS):
        for name, n_fit, n_dates in _sums_of_the_others(table, frame, label):
            mine = frame.filter(pl.col(label) == name)
            frame = frame.filter(pl.col(label) != name)
            on = f"all {n_dates}" if n_fit == n_dates else f"{n_fit} of {n_dates}"
            why = (
                f"{name!r} is the sum of the other {_PLURALS[label]} on {on} dates, so it is a total and was left out. "
                f"If it is not, rename it."
            )
            notes.append(ImportNote(table, "dropped", mine.height, why))
        others = frame.filter(is_total(pl.col(label)))
        if others.height and frame[label].n_unique() > 1:
            name = others[label][0]
            why = f"{name!r} is called a total and is not the sum of the other {_PLURALS[label]}: kept as one of them. "
            why += "Leave it out with `where: {COLUMN: {not: [" + str(name) + "]}}` if it is none."
            notes.append(ImportNote(table, "warning", others.height, why))
    return frame, notes


def _sums_of_the_others(table: str, frame: pl.DataFrame, label: str) -> list[tuple[str, int, int]]:
    """(name, dates on which it is the sum of the others, its dates) of the one name that is a total, if one is."""
    names = frame[label].unique().sort().to_list()
    if len(names) < 2:
        return []
    rest = [name for name in TABLES[table].key if name != label]
    value = pl.col(_VALUE[table]).fill_null(0.0)
    there = frame.with_columns(value.alias("v"), total=value.sum().over(rest), n=pl.len().over(rest))
    asked = there.filter((pl.col("n") > 1) & ((pl.col("v") != 0) | (pl.col("total") != 0)))
    room = pl.max_horizontal(0.006 * pl.col("n"), 1e-9 * pl.col("total").abs())
    fits = asked.with_columns(fit=(2 * pl.col("v") - pl.col("total")).abs() <= room)
    by_name = fits.group_by(label).agg(
        dates=pl.col("date").n_unique(),
        fit_dates=pl.col("date").filter("fit").n_unique(),
        misses=(~pl.col("fit")).sum(),
        rows=pl.len(),
        word=is_total(pl.col(label)).first(),
    )
    # One row of a part that was lost or restated breaks a sum on its date: that is still a total.
    few = pl.col("misses") <= (1 - _FIT_SHARE) * pl.col("rows")
    told = (pl.col("fit_dates") > _FEW) & (len(names) > 2)
    found = by_name.filter((pl.col("word") & few) | (told & (few | (pl.col("misses") == 1)))).sort(label)
    if found.height > 1:
        # Two that are alike are each the sum of the other: that is a copy, not a total.
        found = found.filter("word")
    return [(row[label], row["fit_dates"], row["dates"]) for row in found.to_dicts()] if found.height == 1 else []
