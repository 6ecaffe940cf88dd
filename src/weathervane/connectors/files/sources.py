"""Sources: the files of one entry of a mapping as rows of its table.

Files are read as streams: order-level rows are added up to days without ever being in memory together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from weathervane.connectors.files.columns import ROW, Export, as_text, collect, open_export, spooled
from weathervane.connectors.files.dates import as_date
from weathervane.connectors.files.mapping import Label, Mapping, Number, Source
from weathervane.connectors.files.numbers import (
    CURRENCIES,
    CURRENCY_SIGNS,
    Writing,
    as_number,
    foreign_sign,
    no_number,
    number_problem,
    stands_for_nothing,
    writings,
)
from weathervane.connectors.files.order_lines import by_order, order_column
from weathervane.connectors.files.totals import total_columns, without_total_rows, without_total_words
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
_CURRENCY_NAMES = ("currency", "currency code", "account currency", "currency_code", "currencycode", "währung")
_EXTREMES = {"temp_max_c": "max", "temp_min_c": "min"}
_FILE = "__file"


def used_columns(source: Source) -> list[str]:
    """The columns of a file that the mapping names, each once."""
    names = [source.date.column, *source.where]
    labels = [*_labels(source).values(), source.currency, source.order]
    names += [label.column for label in labels if label and label.column]
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


def read_source(mapping: Mapping, source: Source, paths: Sequence[Path]) -> tuple[pl.DataFrame, list[ImportNote]]:
    """The rows of a source's files in the columns of its table, and what was decided on the way.

    Rows of `level: orders` are added up over all the files. Raises BadInput naming file, line, column and value for
    anything that cannot be read as the mapping says, and for a day that two files of single rows both hold.
    """
    notes: list[ImportNote] = []
    values, keys = _values(source), ["date", *_labels(source)]
    parts = [_read_file(mapping, source, path, notes) for path in paths]
    rows = pl.concat(
        [part.with_columns(pl.lit(path.name).alias(_FILE)) for part, path in zip(parts, paths, strict=True)]
    )
    if source.level == "orders":
        rows = _whole(rows.lazy(), source, keys, values).collect()
        _check_sums(source, rows, values)
    elif len(paths) > 1:
        _refuse_a_day_in_two_files(source, rows, keys)
    frame = _spread(source, rows.drop(_FILE, strict=False), keys, values)
    if source.level == "orders":
        how = "averaged" if source.table == "weather" else "added up"
        why = f"{source.file}: rows were {how} to {source.date.step}s."
        notes.append(ImportNote(source.table, "changed", frame.height, why))
    notes.extend(_priced(source, frame))
    if source.national is not None:
        frame = _as_national(source, frame, notes)
    return frame, notes


def _read_file(mapping: Mapping, source: Source, path: Path, notes: list[ImportNote]) -> pl.DataFrame:
    needed = used_columns(source)
    export = open_export(path, needed)
    export.need(needed)
    notes += [ImportNote(source.table, "changed", 0, f"{export.name}: {said}") for said in export.said]
    _check_headers(mapping, source, export)
    unnamed = [name for name in export.schema if name not in needed]
    totals = total_columns(source, export, [source.date.column, *unnamed])
    order = order_column(source, export)
    # A column plainly called currency is checked even where the mapping does not name it.
    kept = [n for n in export.schema if n in (*needed, *totals, order) or n.strip().lower() in _CURRENCY_NAMES]
    with spooled(export, kept) as export:
        export = without_total_words(source, export, totals, notes)
        return _read_rows(mapping, source, export, order, notes)


def _read_rows(
    mapping: Mapping, source: Source, export: Export, order: str | None, notes: list[ImportNote]
) -> pl.DataFrame:
    labels, values = _labels(source), _values(source)
    numbers = [value.number for value in values]
    amounts = list(dict.fromkeys(n for each in numbers for n in (each.column, each.times) if n))
    shared = [source.date.column, *source.where, *(label.column for label in labels.values() if label.column)]
    if order is not None:
        export = by_order(source, export, order, shared, amounts, notes)
    export = _filtered(source, export, notes)
    _check_currency(mapping, source, export)
    counted = {v.number.column for v in values if v.column.measure == "flow" and source.table in {"sales", "spend"}}
    how = writings(export, source, numbers, counted=counted)
    export = without_total_rows(
        source,
        export,
        {v.alias: as_number(export, v.number, v.column.name, how) for v in values if v.column.name in _TOTALLED},
        notes,
    )
    zone = mapping.tenant.stated_zone
    days = as_date(export, source.date, zone)
    if days.said:
        notes.append(ImportNote(source.table, "warning" if days.doubtful else "changed", 0, days.said))
    day = days.day - pl.duration(days=6) if source.date.stamp == "end" else days.day
    texts = {name: as_text(label.column) if label.column else pl.lit(label.value) for name, label in labels.items()}
    _survey(mapping, source, export, values, texts, day, how, notes)
    keys = {"date": day, **texts}
    read = {value.alias: as_number(export, value.number, value.column.name, how) for value in values}
    more = {_ORDER: pl.col(order)} if order is not None else {}
    rows = export.rows.select(**keys, **read, **more).drop_nulls(list(keys))
    if source.level == "orders":
        rows = _partly(rows, source, list(keys), values, has_order=order is not None)
    return collect(export, rows)


_TOTALLED = ("net_revenue", "spend", "orders", "units", "impressions", "clicks", "conversions")
_ORDER = "__order"


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
    rules: list[pl.Expr] = []
    words: list[str] = []
    for name, rule in source.where.items():
        if rule.keep:
            rules.append(as_text(name).is_in(list(rule.keep)).fill_null(value=False))
            words.append(f"{name} is {' or '.join(rule.keep)}")
        if rule.leave_out:
            rules.append(~as_text(name).is_in(list(rule.leave_out)).fill_null(value=False))
            words.append(f"{name} is not {' or '.join(rule.leave_out)}")
    keep = pl.all_horizontal(rules)
    dropped = collect(export, export.rows.select((~keep).sum())).item()
    if dropped:
        why = f"{export.name}: the mapping keeps rows where {' and '.join(words)}."
        notes.append(ImportNote(source.table, "dropped", dropped, why))
    return replace(export, rows=export.rows.filter(keep))


def _check_headers(mapping: Mapping, source: Source, export: Export) -> None:
    """Refuses a money column whose own name says another currency, like `Amount spent (EUR)`."""
    if source.currency is not None:
        return
    wanted = mapping.tenant.currency
    for value in _values(source):
        if value.column.unit != "currency" or (not mapping.tenant.outcome_is_money and source.table == "sales"):
            continue
        name = value.number.column
        codes = [code for code in re.findall(r"\b[A-Z]{3}\b", name) if code in CURRENCIES]
        codes += [code for code in CURRENCIES if re.search(rf"(?:^|_){code.lower()}(?:_|$)", name)]
        signs = [sign for sign in CURRENCY_SIGNS if sign in name and wanted not in CURRENCY_SIGNS[sign]]
        other = [code for code in codes if code != wanted] if wanted not in codes else []
        if other or signs:
            raise BadInput(
                f"{export.name}: the column {name!r} is in {(other or signs)[0]}, the tenant's money in {wanted}.",
                f"convert it to {wanted} before importing; or write `currency: {{value: {wanted}}}` in the source if "
                "the name is wrong.",
            )


def _check_currency(mapping: Mapping, source: Source, export: Export) -> None:
    """Refuses amounts of another currency, in the column the mapping names or in one plainly called so."""
    named = source.currency.column if source.currency else None
    column = named or next((name for name in export.schema if name.strip().lower() in _CURRENCY_NAMES), None)
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
    mapping: Mapping,
    source: Source,
    export: Export,
    values: Sequence[_Value],
    texts: dict[str, pl.Expr],
    day: pl.Expr,
    how: MappingOf[str, Writing],
    notes: list[ImportNote],
) -> None:
    """One pass over the file: refuses the first bad number, counts what is missing."""
    cells = list(dict.fromkeys(name for v in values for name in (v.number.column, v.number.times) if name))
    row = pl.col(ROW)
    asked: dict[str, pl.Expr] = {"rows": pl.len(), "date": day.is_null().sum()}
    for name, text in texts.items():
        asked[f"label {name}"] = text.is_null().sum()
    for name in cells:
        asked[f"cell {name}"] = row.filter(no_number(export, name, how[name])).min()
        asked[f"foreign {name}"] = row.filter(foreign_sign(export, name, mapping.tenant.currency)).min()
        asked[f"nothing {name}"] = stands_for_nothing(export, name, how[name]).sum()
    for value in values:
        number = as_number(export, value.number, value.column.name, dict(how))
        asked[f"null {value.alias}"] = number.is_null().sum()
        # What is added up is judged as a sum: a credit is netted against what it belongs to.
        netted = source.level == "orders" and value.column.measure == "flow"
        asked[f"bounds {value.alias}"] = row.filter(_outside(value.column, number) & (not netted)).min()
    seen = collect(export, export.rows.select(**asked)).row(0, named=True)
    if seen["rows"] == 0:
        raise BadInput(f"{export.name} has no rows to import.", "export it again, or check `where` in the mapping.")
    if seen["rows"] > _MAX_ROWS and source.level == "rows":
        raise BadInput(
            f"{export.name} has {seen['rows']:,} rows, too many to keep one by one.",
            "write `level: orders` in the mapping, so that they are added up to days.",
        )
    for name in cells:
        if seen[f"foreign {name}"] is not None:
            raise BadInput(
                f"{export.line(seen[f'foreign {name}'])}: {name} is "
                f"{export.value(name, seen[f'foreign {name}'])!r}, the tenant's money is in {mapping.tenant.currency}.",
                f"convert the amounts to {mapping.tenant.currency} before importing.",
            )
        if seen[f"cell {name}"] is not None:
            raise number_problem(export, source, name, seen[f"cell {name}"])
    for value in values:
        if seen[f"bounds {value.alias}"] is not None:
            raise _out_of_bounds(export, value, seen[f"bounds {value.alias}"])
    _note_writing(source, export, cells, how, seen, notes)
    _note_missing(source, export, values, texts, seen, notes)


def _note_writing(
    source: Source,
    export: Export,
    cells: Sequence[str],
    how: MappingOf[str, Writing],
    seen: dict[str, int],
    notes: list[ImportNote],
) -> None:
    """Says which numbers were taken for nothing, and how a cell with signs was read."""
    for name in cells:
        count, odd = seen[f"nothing {name}"], how[name].odd_row
        if count:
            signs = " or ".join(f"{each:g}" for each in how[name].nothing[:3])
            why = f"{export.name}: {name} holds numbers like {signs} that stand for nothing measured; kept as unknown."
            notes.append(ImportNote(source.table, "changed", count, why))
        if odd is not None:
            read = collect(
                export,
                export.rows.filter(pl.col(ROW) == odd).select(
                    as_number(export, Number(column=name), "", {name: how[name]})
                ),
            ).item()
            why = f"{export.name}: {name} is written with signs; {export.value(name, odd)!r} was read as {read:,.2f}."
            notes.append(ImportNote(source.table, "changed", 0, why))


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
        rule = "may not be negative"
        remedy = "correct the cell, or net refunds against the day they belong to; write `missing: [-999]` in the "
        remedy += "mapping where such a number stands for nothing known."
    else:
        low, high = column.low, column.high
        rule = f"must lie between {low:g} and {high:g}" if low is not None and high is not None else "is out of bounds"
        remedy = _unit_remedy(value, cell)
    return BadInput(f"{export.line(row)}: {value.number.column} is {cell!r}; {column.name} {rule}.", remedy)


def _unit_remedy(value: _Value, cell: object) -> str:
    """What to write in the mapping for a number that no unit of ours explains."""
    name, column = value.number.column, value.column.name
    number = float(re.sub(r"[^0-9.+-]", "", str(cell)) or 0.0)
    if number < -100:
        return f"write `missing: [{number:g}]` in the mapping if that stands for nothing measured."
    if column.endswith("_c"):
        unit = "kelvin" if number > 180 else "fahrenheit"
        return f"write `{column}: {{column: {name}, unit: {unit}}}` in the mapping if it is in {unit.capitalize()}."
    if column.endswith("_share") and 1 < number <= 100:
        return f"write `{column}: {{column: {name}, unit: percent}}` in the mapping."
    return "correct the cell, or write `unit`, or `scale` and `offset`, in the mapping if the unit differs."


def _check_sums(source: Source, rows: pl.DataFrame, values: Sequence[_Value]) -> None:
    """Refuses sums out of bounds: credits larger than what they belong to."""
    for value in values:
        outside = rows.filter(_outside(value.column, pl.col(value.alias)))
        if value.column.measure == "flow" and outside.height:
            first = outside.sort("date").row(0, named=True)
            raise BadInput(
                f"{source.file}: {value.number.column} adds up to {first[value.alias]:g} on {first['date']}; "
                f"{value.column.name} may not be negative.",
                "net credits against the day they belong to.",
            )


def _refuse_a_day_in_two_files(source: Source, rows: pl.DataFrame, keys: list[str]) -> None:
    """Equal or not, rows of one key in two files are no repeats: two accounts, or two exports that overlap."""
    twice = rows.filter(pl.struct(keys).is_duplicated() & (pl.col(_FILE).n_unique().over(keys) > 1)).sort(*keys, _FILE)
    if twice.is_empty():
        return
    first = twice.row(0, named=True)
    where = ", ".join(f"{name} {first[name]}" for name in keys)
    files = twice.filter(pl.all_horizontal(pl.col(name) == first[name] for name in keys))[_FILE].unique().sort()
    raise BadInput(
        f"{source.file}: {files[0]} and {files[1]} both have a row of {where}.",
        "write `level: orders` in the mapping if they belong together and should be added up (two accounts, a day cut "
        "in two), or take out the rows that one repeats from the other.",
    )


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


def _partly(
    rows: pl.LazyFrame, source: Source, keys: list[str], values: Sequence[_Value], *, has_order: bool
) -> pl.LazyFrame:
    """What one file has of each key: sums (or extremes), and in `n` columns how many numbers they are of."""
    found: list[pl.Expr] = []
    for value in values:
        total = _extreme(value) if value.column.name in _EXTREMES else _exact_sum(value.alias)
        found += [total.alias(value.alias), pl.col(value.alias).count().alias(f"{value.alias}\tn")]
    if _counts_orders(source, values):
        n = pl.col(_ORDER).n_unique() if has_order else pl.len()
        found.append(n.cast(pl.Float64).alias("orders"))
    return rows.group_by(keys).agg(*found)


def _whole(rows: pl.LazyFrame, source: Source, keys: list[str], values: Sequence[_Value]) -> pl.LazyFrame:
    """The parts of all files by key: flows summed, rates averaged; a sum of nothing known stays unknown."""
    found: list[pl.Expr] = []
    for value in values:
        total = _extreme(value) if value.column.name in _EXTREMES else _exact_sum(value.alias)
        known = pl.col(f"{value.alias}\tn").sum()
        if value.column.measure != "flow" and value.column.name not in _EXTREMES:
            total = total / known
        found.append(pl.when(known > 0).then(total).alias(value.alias))
    orders = [pl.col("orders").sum()] if _counts_orders(source, values) else []
    return rows.group_by(keys).agg(*found, *orders)


def _counts_orders(source: Source, values: Sequence[_Value]) -> bool:
    return source.table == "sales" and not any(value.alias == "orders" for value in values)


def _extreme(value: _Value) -> pl.Expr:
    column = pl.col(value.alias)
    return column.max() if _EXTREMES[value.column.name] == "max" else column.min()


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


def _as_national(source: Source, frame: pl.DataFrame, notes: list[ImportNote]) -> pl.DataFrame:
    """The weighted mean over cities, day by day; null where too few of them report."""
    cities = sorted(set(frame["geo"].to_list()))
    weights = dict.fromkeys(cities, 1.0) if isinstance(source.national, str) else dict(source.national or {})
    for city in weights:
        if city not in cities:
            raise BadInput(f"{source.file} has no geo {city!r}.", f"use some of {', '.join(cities[:_LISTED])}.")
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
    why = f"{source.file}: {how} of {len(weights)} places stands for the nation"
    why += f"; {thin} days on which too few of them report stay unknown." if thin else "."
    notes.append(ImportNote(source.table, "changed", frame.height, why))
    return national.select(frame.columns).sort(source.contract.key)
