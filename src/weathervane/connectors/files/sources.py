"""Sources: one file of a mapping as rows of its table.

Files are read as streams: order-level rows are added up to days without ever being in memory together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from weathervane.connectors.files.columns import (
    ROW,
    Export,
    as_date,
    as_number,
    as_text,
    collect,
    no_number,
    number_problem,
    open_export,
    spooled,
)
from weathervane.connectors.files.mapping import Label, Mapping, Number, Source
from weathervane.contracts.errors import BadInput
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import Column

# Rows that are neither added up nor a table a machine with little memory could hold.
_MAX_ROWS = 20_000_000
# A national mean of a day stands while cities with this share of the weight report.
_MIN_WEIGHT_SHARE = 0.8
_LISTED = 8
_MILLIONTHS = 1e6
_MOST = 9e12


def used_columns(source: Source) -> list[str]:
    """The columns of a file that the mapping names, each once."""
    names = [source.date.column, *source.where]
    names += [label.column for label in [*_labels(source).values(), source.currency] if label and label.column]
    for value in _values(source):
        names += [value.number.column, *([value.number.times] if value.number.times else [])]
    return list(dict.fromkeys(names))


@dataclass(frozen=True)
class _Value:
    """One number to read: where it goes (`name`, of a wide entry where given), from what, priced at what."""

    alias: str
    column: Column
    number: Number
    entry: str | None = None


def read_source(mapping: Mapping, source: Source, path: Path) -> tuple[pl.DataFrame, list[ImportNote]]:
    """The rows of one file in the columns of its table, and what was decided on the way.

    Raises BadInput naming file, line, column and value for anything that cannot be read as the mapping says.
    """
    needed = used_columns(source)
    export = open_export(path)
    export.need(needed)
    # A column plainly called currency is checked even where the mapping does not name it.
    kept = [name for name in export.schema if name in needed or name.strip().lower() == "currency"]
    with spooled(export, kept) as export:
        return _read_rows(mapping, source, export)


def _read_rows(mapping: Mapping, source: Source, export: Export) -> tuple[pl.DataFrame, list[ImportNote]]:
    notes: list[ImportNote] = []
    labels, values = _labels(source), _values(source)
    export = _filtered(source, export, notes)
    _check_currency(mapping, source, export)
    day = as_date(export, source.date)
    if source.date.stamp == "end":
        day = day - pl.duration(days=6)
    texts = {name: as_text(label.column) if label.column else pl.lit(label.value) for name, label in labels.items()}
    _survey(source, export, values, texts, day, notes)
    keys = {"date": day, **texts}
    numbers = {value.alias: as_number(export, source, value.number) for value in values}
    rows = export.rows.select(**keys, **numbers).drop_nulls(list(keys))
    if source.level == "orders":
        rows = _added_up(rows, source, list(keys), values)
    frame = _spread(source, collect(export, rows), list(keys), values)
    if source.level == "orders":
        notes.append(ImportNote(source.table, "changed", frame.height, f"{export.name}: rows were added up to days."))
    notes.extend(_priced(source, frame))
    if source.national is not None:
        frame = _as_national(export, source, frame, notes)
    return frame, notes


def _labels(source: Source) -> dict[str, Label]:
    """The text columns of the table that the source fills, with what a silent mapping means."""
    silent = {"geo": Label(value=NATIONAL), "category": Label(value=TOTAL)}
    texts = [column.name for column in source.contract.columns if column.kind == "text"]
    given = {name: getattr(source, name) or silent.get(name) for name in texts}
    return {name: label for name, label in given.items() if label is not None}


def _values(source: Source) -> list[_Value]:
    contract = source.contract
    if not source.wide:
        return [_Value(name, contract.column(name), number) for name, number in source.columns.items()]
    main = next(column for column in contract.columns if column.kind == "float")
    found: list[_Value] = []
    for entry, wide in source.wide.items():
        spend = wide.spend or Number(column=wide.exposure or wide.organic or "", scale=wide.cost_per_unit or 0.0)
        counts = {name: getattr(wide, name) for name in ("impressions", "reach", "clicks", "conversions")}
        if wide.organic is not None:
            counts["impressions"] = Number(column=wide.organic)
        numbers = {
            main: spend,
            **{
                contract.column(name): number
                for name, number in counts.items()
                if number is not None and source.table == "spend"
            },
        }
        found += [_Value(f"{entry}\t{column.name}", column, number, entry) for column, number in numbers.items()]
    return found


def _filtered(source: Source, export: Export, notes: list[ImportNote]) -> Export:
    if not source.where:
        return export
    keep = pl.all_horizontal(as_text(name).is_in(list(values)) for name, values in source.where.items())
    dropped = collect(export, export.rows.select((~keep.fill_null(value=False)).sum())).item()
    rule = " and ".join(f"{name} is {' or '.join(values)}" for name, values in source.where.items())
    if dropped:
        notes.append(
            ImportNote(source.table, "dropped", dropped, f"{export.name}: the mapping keeps rows where {rule}.")
        )
    return replace(export, rows=export.rows.filter(keep))


def _check_currency(mapping: Mapping, source: Source, export: Export) -> None:
    """Refuses amounts of another currency, in the column the mapping names or in one plainly called so."""
    named = source.currency.column if source.currency else None
    column = named or next((name for name in export.schema if name.strip().lower() == "currency"), None)
    wanted = mapping.tenant.currency
    if source.currency and source.currency.value not in {None, wanted}:
        raise BadInput(
            f"{export.name} is in {source.currency.value}, the tenant's money in {wanted}.",
            f"convert the file to {wanted} before importing.",
        )
    if column is None:
        return
    other = (as_text(column).str.to_uppercase() != wanted).fill_null(value=False)
    row = collect(export, export.rows.filter(other).select(pl.col(ROW).min())).item()
    if row is not None:
        raise BadInput(
            f"{export.line(row)}: mixed currencies: {column} is {export.value(column, row)!r}, "
            f"the tenant's money is in {wanted}.",
            f"convert the amounts to {wanted}, or keep only its rows with `where: {{{column}: {wanted}}}`.",
        )


def _survey(
    source: Source,
    export: Export,
    values: Sequence[_Value],
    texts: dict[str, pl.Expr],
    day: pl.Expr,
    notes: list[ImportNote],
) -> None:
    """One pass over the file: refuses the first bad number, counts what is missing."""
    cells = list(dict.fromkeys(name for v in values for name in (v.number.column, v.number.times) if name))
    row = pl.col(ROW)
    asked: dict[str, pl.Expr] = {"rows": pl.len(), "date": day.is_null().sum()}
    for name, text in texts.items():
        asked[f"label {name}"] = text.is_null().sum()
    for name in cells:
        asked[f"cell {name}"] = row.filter(no_number(export, source, name)).min()
    for value in values:
        number = as_number(export, source, value.number)
        asked[f"null {value.alias}"] = number.is_null().sum()
        asked[f"bounds {value.alias}"] = row.filter(_outside(value.column, number)).min()
    seen = collect(export, export.rows.select(**asked)).row(0, named=True)
    if seen["rows"] == 0:
        raise BadInput(f"{export.name} has no rows to import.", "export it again, or check `where` in the mapping.")
    if seen["rows"] > _MAX_ROWS and source.level == "rows":
        raise BadInput(
            f"{export.name} has {seen['rows']:,} rows, too many to keep one by one.",
            "write `level: orders` in the mapping, so that they are added up to days.",
        )
    for name in cells:
        if seen[f"cell {name}"] is not None:
            raise number_problem(export, source, name, seen[f"cell {name}"])
    for value in values:
        if seen[f"bounds {value.alias}"] is not None:
            raise _out_of_bounds(export, value, seen[f"bounds {value.alias}"])
    _note_missing(source, export, values, texts, seen, notes)


def _outside(column: Column, number: pl.Expr) -> pl.Expr:
    outside = pl.lit(value=False)
    if column.low is not None:
        outside = outside | (number < column.low)
    if column.high is not None:
        outside = outside | (number > column.high)
    return outside.fill_null(value=False)


def _out_of_bounds(export: Export, value: _Value, row: int) -> BadInput:
    cell = export.value(value.number.column, row)
    column = value.column
    if column.low == 0 and column.high is None:
        rule, remedy = "may not be negative", "correct the cell, or net refunds against the day they belong to."
    else:
        low, high = column.low, column.high
        rule = f"must lie between {low:g} and {high:g}" if low is not None and high is not None else "is out of bounds"
        remedy = "correct the cell, or write `scale` in the mapping if the unit differs."
    return BadInput(f"{export.line(row)}: {value.number.column} is {cell!r}; {column.name} {rule}.", remedy)


def _note_missing(
    source: Source,
    export: Export,
    values: Sequence[_Value],
    texts: dict[str, pl.Expr],
    seen: dict[str, int],
    notes: list[ImportNote],
) -> None:
    for name, count in [("date", seen["date"]), *((name, seen[f"label {name}"]) for name in texts)]:
        if count:
            notes.append(ImportNote(source.table, "dropped", count, f"{export.name}: rows without a {name}."))
    for value in values:
        count = seen[f"null {value.alias}"]
        if count:
            what = f"{value.entry} without {value.column.name}" if value.entry else f"without {value.column.name}"
            kept = "left out of the sums" if source.level == "orders" else "kept as unknown, not as zero"
            notes.append(ImportNote(source.table, "changed", count, f"{export.name}: rows {what} are {kept}."))


def _added_up(rows: pl.LazyFrame, source: Source, keys: list[str], values: Sequence[_Value]) -> pl.LazyFrame:
    """Flows are summed and rates averaged by key; a sum of nothing known stays unknown."""
    sums: list[pl.Expr] = []
    for value in values:
        known, total = pl.col(value.alias).count(), _exact_sum(value.alias)
        total = total if value.column.measure == "flow" else total / known
        sums.append(pl.when(known > 0).then(total).alias(value.alias))
    counted = source.table == "sales" and not any(value.alias == "orders" for value in values)
    orders = [pl.len().cast(pl.Float64).alias("orders")] if counted else []
    return rows.group_by(keys).agg(*sums, *orders)


def _exact_sum(name: str) -> pl.Expr:
    """The sum in whole millionths, which is the same in whatever order a stream delivers the rows.

    A sum of floats differs in its last digits from run to run, and the same export would look restated. Sums beyond
    what whole millionths can hold (nine trillion) are left to floats.
    """
    inexact = pl.col(name).sum()
    exact = (pl.col(name) * _MILLIONTHS).round().cast(pl.Int64, strict=False).sum() / _MILLIONTHS
    return pl.when(inexact.abs() < _MOST).then(exact).otherwise(inexact)


def _spread(source: Source, frame: pl.DataFrame, keys: list[str], values: Sequence[_Value]) -> pl.DataFrame:
    """The frame in the contract's columns: a wide one becomes a row per name."""
    if source.wide:
        kept = [name for name in keys if name != source.wide_key]
        frame = pl.concat(
            [
                frame.select(
                    *kept,
                    pl.lit(entry).alias(source.wide_key),
                    *(pl.col(v.alias).alias(v.column.name) for v in values if v.entry == entry),
                )
                for entry in source.wide
            ],
            how="diagonal",
        )
    if source.table == "weather":
        frame = frame.with_columns(lead_days=pl.lit(0, dtype=pl.Int64), member=pl.lit(0, dtype=pl.Int64))
    names = [column.name for column in source.contract.columns if column.name in frame.columns]
    return frame.select(names).sort(source.contract.key)


def _priced(source: Source, frame: pl.DataFrame) -> list[ImportNote]:
    return [
        ImportNote(
            source.table,
            "warning",
            frame.filter(pl.col(source.wide_key) == entry).height,
            f"{entry} is {wide.exposure} × {wide.cost_per_unit:g} as the mapping states, not an invoice; "
            "its return is only as right as that price.",
        )
        for entry, wide in source.wide.items()
        if wide.exposure is not None
    ]


def _as_national(export: Export, source: Source, frame: pl.DataFrame, notes: list[ImportNote]) -> pl.DataFrame:
    """The weighted mean over cities, day by day; null where too few of them report."""
    cities = sorted(set(frame["geo"].to_list()))
    weights = dict.fromkeys(cities, 1.0) if isinstance(source.national, str) else dict(source.national or {})
    for city in weights:
        if city not in cities:
            raise BadInput(f"{export.name} has no geo {city!r}.", f"use some of {', '.join(cities[:_LISTED])}.")
    numbers = [column.name for column in source.contract.columns if column.kind == "float" and column.name in frame]
    weight = pl.col("geo").replace_strict(weights, default=0.0, return_dtype=pl.Float64)
    means: list[pl.Expr] = []
    for name in numbers:
        reporting = weight.filter(pl.col(name).is_not_null()).sum()
        enough = reporting >= _MIN_WEIGHT_SHARE * sum(weights.values())
        means.append(pl.when(enough).then((pl.col(name) * weight).sum() / reporting).alias(name))
    keys = [name for name in source.contract.key if name != "geo"]
    national = frame.group_by(keys).agg(means).with_columns(geo=pl.lit(NATIONAL))
    thin = national.filter(pl.all_horizontal(pl.col(name).is_null() for name in numbers)).height
    how = "the mean" if isinstance(source.national, str) else "the weighted mean"
    why = f"{export.name}: {how} of {len(weights)} places stands for the nation"
    why += f"; {thin} days on which too few of them report stay unknown." if thin else "."
    notes.append(ImportNote(source.table, "changed", frame.height, why))
    return national.select(frame.columns).sort(source.contract.key)
