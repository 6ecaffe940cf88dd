"""Order lines: exports with a row for each line of an order, whose cells about the whole order stand on its first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from weathervane.connectors.files.columns import ROW, Export, as_text, collect
from weathervane.connectors.files.mapping import Source
from weathervane.contracts.imports import ImportNote

_NAMES = ("name", "order", "order id", "order name", "order number", "order no", "order no.", "orderid", "ordernumber")
_SAME_SHARE = 0.95
_MIN_ORDERS = 5


def order_column(source: Source, export: Export) -> str | None:
    """The column that numbers the orders: the mapping's, or one plainly called so; None where there is none."""
    if source.level != "orders" or source.table != "sales":
        return None
    if source.order is not None:
        return source.order.column
    names = (name for name in export.schema if name.strip().lower().replace("_", " ") in _NAMES)
    return next((name for name in names if _is_order(source, export, name)), None)


def _is_order(source: Source, export: Export, name: str) -> bool:
    """Whether rows of one name follow each other, with cells of the whole order on the first alone."""
    amount = source.columns.get("net_revenue")
    if amount is None:
        return False
    repeats = as_text(name).is_not_null() & (as_text(name) == as_text(name).shift(1))
    blank = as_text(amount.column).is_null()
    for column in source.where:
        blank = blank | as_text(column).is_null()
    seen = collect(
        export,
        export.rows.select(
            repeats=repeats.sum(), blank=(repeats & blank).sum(), whole=(~repeats & as_text(name).is_null()).sum()
        ),
    ).row(0, named=True)
    return seen["repeats"] > 0 and seen["whole"] == 0 and seen["blank"] >= _SAME_SHARE * seen["repeats"]


def by_order(
    source: Source, export: Export, order: str, shared: Sequence[str], amounts: Sequence[str], notes: list[ImportNote]
) -> Export:
    """The rows with the cells in `shared` filled from the first line of their order.

    An amount that stands alike on every line of nearly every order is the whole order's, and counts once.
    """
    number = as_text(order)
    first = {name: as_text(name).drop_nulls().first().over(number) for name in dict.fromkeys(shared)}
    is_first = pl.col(ROW) == pl.col(ROW).min().over(number)
    repeated = _repeated(source, export, order, amounts)
    once = {name: pl.when(is_first | number.is_null()).then(pl.col(name)) for name in repeated}
    filled = {name: pl.coalesce(as_text(name), value) for name, value in first.items() if _is_text(export, name)}
    lines, orders = collect(export, export.rows.select(pl.len(), number.n_unique())).row(0)
    if lines > orders:
        why = f"{export.name}: {lines:,} rows are lines of {orders:,} orders, told by {order}; orders are counted once."
        if repeated:
            why += f" {', '.join(repeated)} stands alike on each line of an order and was taken once."
        notes.append(ImportNote(source.table, "changed", lines - orders, why))
    return replace(export, rows=export.rows.with_columns(**filled, **once))


def _repeated(source: Source, export: Export, order: str, amounts: Sequence[str]) -> list[str]:
    """Amounts of whole orders that are written on each of their lines."""
    amount = source.columns.get("net_revenue")
    names = [name for name in amounts if amount is not None and name == amount.column]
    if not names:
        return []
    number = as_text(order)
    asked = {name: (as_text(name).n_unique() == 1) & (as_text(name).count() == pl.len()) for name in names}
    sized = export.rows.filter(number.is_not_null()).group_by(number).agg(lines=pl.len(), **asked)
    several = collect(export, sized.filter(pl.col("lines") > 1))
    if several.height < _MIN_ORDERS:
        return []
    return [name for name in names if several[name].mean() >= _SAME_SHARE]  # pyright: ignore[reportOperatorIssue]  a share of booleans


def _is_text(export: Export, name: str) -> bool:
    return export.schema[name] == pl.String
