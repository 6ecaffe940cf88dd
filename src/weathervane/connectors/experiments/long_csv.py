"""Long CSV: a geo panel as one row a geo and day, by the column names that GeoLift and GeoX files have."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from weathervane.contracts.errors import BadInput

GEO = ("geo", "location", "market", "dma", "region", "state")
_DAY = ("date", "day", "time")
_OUTCOME = ("outcome", "y", "conversions", "sales", "revenue", "net_revenue", "kpi")
_SPEND = ("spend", "cost")


def read_long_panel(
    path: Path, *, geo: str | None = None, day: str | None = None, outcome: str | None = None, spend: str | None = None
) -> pl.DataFrame:
    """Rows with `geo` (text), `date`, `outcome` and, where the file has it, `spend`, as they stand in the file.

    Columns not named are found by the names in use (location, date, Y, conversions, cost …). Duplicate rows stay, for
    the screen to name. Raises BadInput for a missing column, an unreadable date or number, or an empty geo.
    """
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path.name} is not a readable CSV file.", "save it as CSV UTF-8 with a header.") from error
    columns = {
        "geo": _column(path, rows, geo, GEO),
        "date": _column(path, rows, day, _DAY),
        "outcome": _column(path, rows, outcome, _OUTCOME),
    }
    with_spend = _find(rows, _SPEND) if spend is None else _column(path, rows, spend, ())
    if with_spend is not None:
        columns["spend"] = with_spend
    text = rows.select(pl.col(source).str.strip_chars().alias(name) for name, source in columns.items())
    read = text.with_columns(
        pl.coalesce(
            pl.col("date").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False),
            pl.col("date").str.to_date("%Y%m%d", strict=False),
        ),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in columns if name in {"outcome", "spend"}),
    )
    _refuse_unreadable(path, text, read)
    return read


def _column(path: Path, rows: pl.DataFrame, given: str | None, usual: tuple[str, ...]) -> str:
    if given is not None:
        if given not in rows.columns:
            raise BadInput(f"{path.name} has no column {given!r}.", f"it has {', '.join(rows.columns[:12])}.")
        return given
    found = _find(rows, usual)
    if found is None:
        raise BadInput(
            f"{path.name} has none of the columns {', '.join(usual)}.", f"name one of {', '.join(rows.columns[:12])}."
        )
    return found


def _find(rows: pl.DataFrame, usual: tuple[str, ...]) -> str | None:
    by_lower = {name.lower(): name for name in reversed(rows.columns)}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _refuse_unreadable(path: Path, text: pl.DataFrame, read: pl.DataFrame) -> None:
    for name in read.columns:
        empty = text[name].is_null() | (text[name].fill_null("") == "")
        wrong = read[name].is_null() & ~empty if name in {"outcome", "spend"} else read[name].is_null() | empty
        if name in {"outcome", "spend"}:
            wrong = wrong | read[name].is_infinite().fill_null(value=False)
        if wrong.any():
            row = int(wrong.arg_true()[0])
            raise BadInput(
                f"{path.name} line {row + 2}: {text[name][row]!r} is no {name}.",
                "write dates as 2026-01-31 and numbers as 1234.5.",
            )
