"""Columns: one export file, opened lazily, and its texts read as dates, numbers and labels, or refused by line."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from weathervane.connectors.files.mapping import Day, Number, Source
from weathervane.contracts.errors import BadInput

ROW = "__row"
_SEPARATORS = (",", ";", "\t", "|")
_HEAD_BYTES = 65_536
_LARGE_BYTES = 32 * 1024**2
_BLOCK_BYTES = 8 * 1024**2
# What spreadsheets and platforms write where nothing is known.
_EMPTY = ("", "na", "n/a", "nan", "null", "none", "-")


@dataclass(frozen=True)
class Export:
    """One file: its rows (lazily, numbered in the column `ROW` from 0) and the columns it has."""

    path: Path
    rows: pl.LazyFrame
    schema: pl.Schema
    first_line: int
    separator: str

    @property
    def name(self) -> str:
        """The file's name as errors show it."""
        return self.path.name

    def line(self, row: int) -> str:
        """Where a row stands, as an editor or a spreadsheet would count it."""
        return f"{self.name} line {row + self.first_line}" if self.first_line == 2 else f"{self.name} row {row + 1}"

    def need(self, columns: Collection[str]) -> None:
        """Raises BadInput for the first of `columns` the file lacks, suggesting a close name."""
        for column in columns:
            if column not in self.schema:
                close = get_close_matches(column, list(self.schema), n=1, cutoff=0.5)
                have = ", ".join(list(self.schema)[:12])
                raise BadInput(
                    f"{self.name}: the column {column!r} is missing.",
                    f"did you mean {close[0]!r}? Correct it in the mapping."
                    if close
                    else f"correct it in the mapping; the file has {have}.",
                )

    def value(self, column: str, row: int) -> object:
        """One cell, as it stands in the file."""
        return self.rows.filter(pl.col(ROW) == row).select(column).collect().item()


def open_export(path: Path) -> Export:
    """The CSV or Parquet file at `path`, lazily; BadInput if it is empty or neither."""
    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty.", "export it again; a header and at least one row are needed.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return _open_parquet(path) if head.startswith(b"PAR1") else _open_csv(path, head)


def _open_parquet(path: Path) -> Export:
    try:
        rows = pl.scan_parquet(path, row_index_name=ROW)
        schema = rows.drop(ROW).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path.name} is no readable Parquet file: {_first_line(error)}.", "export it again.") from error
    return Export(path, rows, schema, 1, "")


def _open_csv(path: Path, head: bytes) -> Export:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{path.name} is UTF-16 text.", "save it as CSV UTF-8.")
    if b"\0" in head or head.startswith(b"PK"):
        raise BadInput(f"{path.name} is neither CSV nor Parquet.", "export it as CSV (UTF-8) or Parquet.")
    # The BOM that spreadsheets put before UTF-8 is not part of the first column's name.
    first = head.decode("utf-8-sig", errors="replace").splitlines()[0]
    separator = max(_SEPARATORS, key=lambda sign: len(next(csv.reader(io.StringIO(first), delimiter=sign), [])))
    names = next(csv.reader(io.StringIO(first), delimiter=separator), [])
    for name in names:
        if name and names.count(name) > 1:
            raise BadInput(f"{path.name} has two columns named {name!r}.", "rename or remove one of them.")
    try:
        # Every cell as text: what it means is decided column by column, and said where it cannot be.
        rows = pl.scan_csv(path, separator=separator, infer_schema=False, row_index_name=ROW)
        schema = rows.drop(ROW).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(path, error) from error
    return Export(path, rows, schema, 2, separator)


@contextmanager
def spooled(export: Export, columns: Sequence[str]) -> Generator[Export]:
    """The export, and a large CSV as a temporary Parquet file of the `columns` needed.

    Text is parsed once, in blocks, so that neither the memory nor the time of what follows grows with the text.
    """
    if export.first_line == 1 or export.path.stat().st_size < _LARGE_BYTES:
        yield export
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        try:
            _copy_csv(export, columns, Path(file.name))
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(export.path, error) from error
        rows = pl.scan_parquet(file.name, row_index_name=ROW)
        yield replace(export, rows=rows, schema=pl.Schema({name: pl.String() for name in columns}))


def _copy_csv(export: Export, columns: Sequence[str], target: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    reader = pa_csv.open_csv(
        export.path,
        pa_csv.ReadOptions(block_size=_BLOCK_BYTES),
        pa_csv.ParseOptions(delimiter=export.separator, newlines_in_values=True),
        pa_csv.ConvertOptions(include_columns=list(columns), column_types=schema, strings_can_be_null=False),
    )
    with reader, pq.ParquetWriter(target, schema, compression="lz4") as writer:
        for batch in reader:
            writer.write_batch(batch)


def collect(export: Export, frame: pl.LazyFrame) -> pl.DataFrame:
    """The frame, computed in a stream; BadInput if the file turns out not to be what it seemed."""
    try:
        return frame.collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(export.path, error) from error


def unreadable(path: Path, error: Exception) -> BadInput:
    """The error for a file whose text does not hold together."""
    reason = _first_line(error)
    if "utf-8" in reason.lower() or "utf8" in reason.lower():
        return BadInput(f"{path.name} is not UTF-8 text.", "save it as CSV UTF-8.")
    return BadInput(f"{path.name} cannot be read: {reason}.", "check that every line has as many cells as the header.")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


# --- labels ---------------------------------------------------------------------------------------------------------


def as_text(column: str) -> pl.Expr:
    """The column as trimmed text, null where empty."""
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


# --- numbers --------------------------------------------------------------------------------------------------------


def as_number(export: Export, source: Source, number: Number) -> pl.Expr:
    """The number of each row, null where the file says nothing; also null where it is no number (see `no_number`)."""
    value = _parsed(export, source, number.column)
    if number.times is not None:
        value = value * _parsed(export, source, number.times)
    return value * number.scale if number.scale != 1.0 else value


def no_number(export: Export, source: Source, column: str) -> pl.Expr:
    """Whether a cell says something that is no finite number."""
    parsed = _parsed(export, source, column)
    if export.schema[column] != pl.String:
        return parsed.is_not_null() & ~parsed.is_finite()
    return ~_is_empty(column) & ~parsed.is_finite().fill_null(value=False)


def _parsed(export: Export, source: Source, column: str) -> pl.Expr:
    if export.schema[column] != pl.String:
        # Some writers mark what is missing in a number column by NaN.
        return pl.col(column).cast(pl.Float64, strict=False).fill_nan(None)
    text = pl.col(column).str.strip_chars()
    if source.thousands is not None:
        text = text.str.replace_all(source.thousands, "", literal=True)
    if source.decimal != ".":
        text = text.str.replace(source.decimal, ".", literal=True)
    return pl.when(~_is_empty(column)).then(text.cast(pl.Float64, strict=False)).fill_nan(None)


def _is_empty(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars().str.to_lowercase()
    return pl.col(column).is_null() | text.is_in(_EMPTY)


def number_problem(export: Export, source: Source, column: str, row: int) -> BadInput:
    """What is wrong with a cell that is no number."""
    value = str(export.value(column, row))
    problem = f"{export.line(row)}: {column} is {value!r}, which is no number."
    if any(sign in value for sign in "$€£¥"):
        return BadInput(problem, "remove the currency signs from the column.")
    if "%" in value:
        return BadInput(problem, "remove the percent signs and write `scale: 0.01` in the mapping.")
    if "," in value and source.decimal == "." and source.thousands is None:
        sign = 'thousands: ","' if "." in value or value.count(",") > 1 else 'thousands: "," or decimal: ","'
        return BadInput(problem, f"write `{sign}` in the mapping, whichever the comma means.")
    return BadInput(problem, "correct the cell, or empty it if the value is not known.")


# --- dates ----------------------------------------------------------------------------------------------------------

_SHAPES = {
    "iso": r"^\d{4}-\d{1,2}-\d{1,2}$",
    "slashed_iso": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "compact": r"^\d{8}$",
    "slashed": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "dashed": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "dotted": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
}
_FORMATS = {"iso": "%Y-%m-%d", "slashed_iso": "%Y/%m/%d", "compact": "%Y%m%d", "dotted": "%d.%m.%Y"}
_SIGN = {"slashed": "/", "dashed": "-"}
_Order = Literal["day_first", "month_first"]


def as_date(export: Export, day: Day) -> pl.Expr:
    """The calendar day of each row, as the file writes it: in one format, the mapping's or the only one that fits.

    Raises BadInput naming rows where the column mixes formats, could be read in two ways, or holds no dates.
    """
    dtype = export.schema[day.column]
    if dtype == pl.Date:
        return pl.col(day.column)
    if isinstance(dtype, pl.Datetime):
        return pl.col(day.column).dt.date()
    # A time of day, and the zone behind it, says nothing about which local day the source meant: the day as written.
    text = pl.col(day.column).cast(pl.String).str.strip_chars()
    written = pl.when(text != "").then(text)
    if day.format is None:
        written = written.str.extract(r"^([^T ]+)", 1)
        spelled = _FORMATS.get(_only_shape(export, day, written)) or _numeric_format(export, day, written)
    else:
        spelled = day.format
    parsed = written.str.strptime(pl.Date, spelled, strict=False)
    wrong = export.rows.filter(written.is_not_null() & parsed.is_null()).select(pl.col(ROW).min())
    row = collect(export, wrong).item()
    if row is not None:
        raise BadInput(
            f"{export.line(row)}: {day.column} is {export.value(day.column, row)!r}, which is no date"
            f" of the form {spelled}.",
            "correct the cell, or write date.format in the mapping.",
        )
    return parsed


def _only_shape(export: Export, day: Day, written: pl.Expr) -> str:
    first = {name: pl.col(ROW).filter(written.str.contains(shape)).min() for name, shape in _SHAPES.items()}
    other = pl.col(ROW).filter(written.is_not_null() & ~written.str.contains("|".join(_SHAPES.values()))).min()
    seen: dict[str, Any] = collect(export, export.rows.select(other=other, **first)).row(0, named=True)
    found = {name: row for name, row in seen.items() if row is not None}
    if len(found) > 1:
        one, two = sorted(found.values())[:2]
        raise _mixed(export, day, one, two)
    name = next(iter(found), None)
    if name == "other":
        raise BadInput(
            f"{export.line(found[name])}: {day.column} is {export.value(day.column, found[name])!r}, which is no date"
            " of a known form.",
            "export dates as YYYY-MM-DD, or write date.format in the mapping, like `%d %b %Y`.",
        )
    # A column of nothing but empty cells has no shape; its rows are dropped, and that is said.
    return name or "iso"


def _mixed(export: Export, day: Day, one: int, two: int) -> BadInput:
    return BadInput(
        f"{export.name}: {day.column} is written in two formats: {export.value(day.column, one)!r} "
        f"({export.line(one).removeprefix(export.name).strip()}) and {export.value(day.column, two)!r} "
        f"({export.line(two).removeprefix(export.name).strip()}).",
        "export the column in one format, best YYYY-MM-DD.",
    )


def _numeric_format(export: Export, day: Day, written: pl.Expr) -> str:
    """Day first or month first, told by a number above 12; refused where both occur or neither does."""
    sign = _SIGN[_only_shape(export, day, written)]
    parts = written.str.split(sign)
    first, second = (parts.list.get(i, null_on_oob=True).cast(pl.Int32, strict=False) for i in (0, 1))
    rows = export.rows.select(
        day_first=pl.col(ROW).filter(first > 12).min(), month_first=pl.col(ROW).filter(second > 12).min()
    )
    seen: dict[_Order, int | None] = collect(export, rows).row(0, named=True)  # pyright: ignore[reportAssignmentType]  the names just given
    day_first, month_first = seen["day_first"], seen["month_first"]
    if day_first is not None and month_first is not None:
        raise _mixed(export, day, min(day_first, month_first), max(day_first, month_first))
    if day_first is None and month_first is None:
        raise BadInput(
            f"{export.name}: {day.column} could be day first or month first, like "
            f"{export.value(day.column, collect(export, export.rows.select(pl.col(ROW).min())).item())!r}.",
            f"write date.format in the mapping: `%d{sign}%m{sign}%Y` or `%m{sign}%d{sign}%Y`.",
        )
    return f"%d{sign}%m{sign}%Y" if day_first is not None else f"%m{sign}%d{sign}%Y"
