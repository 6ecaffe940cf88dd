"""Columns: one export file, opened lazily as rows of texts, and its labels."""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from weathervane.contracts.errors import BadInput

ROW = "__row"
_SEPARATORS = (",", ";", "\t", "|")
_HEAD_BYTES = 65_536
_LARGE_BYTES = 32 * 1024**2
_BLOCK_BYTES = 8 * 1024**2
_ENCODINGS = {"utf-16": "UTF-16", "cp1252": "Windows-1252", "latin-1": "Latin-1"}
_NOT_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_TITLE_LINES = 30  # above the header, at most


@dataclass(frozen=True)
class Export:
    """One file: its rows (lazily, numbered in the column `ROW` from 0) and the columns it has.

    `said` holds what had to be done to read it at all: lines skipped above the header, an encoding guessed.
    """

    path: Path
    rows: pl.LazyFrame
    schema: pl.Schema
    first_line: int
    separator: str
    said: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name as errors show it."""
        return self.path.name

    def line(self, row: int) -> str:
        """Where a row stands, as an editor or a spreadsheet would count it."""
        return f"{self.name} line {row + self.first_line}" if self.first_line > 1 else f"{self.name} row {row + 1}"

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


def open_export(path: Path, needed: Collection[str] = ()) -> Export:
    """The CSV or Parquet file at `path`, lazily; BadInput if it is empty or neither.

    `needed` are the columns that the mapping names: the header is the first line that holds them all.
    """
    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty.", "export it again; a header and at least one row are needed.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return _open_parquet(path) if head.startswith(b"PAR1") else _open_csv(path, head, needed)


def _open_parquet(path: Path) -> Export:
    try:
        rows = pl.scan_parquet(path, row_index_name=ROW)
        schema = rows.drop(ROW).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(
            f"{path.name} is not a readable Parquet file: {_first_line(error)}.", "export it again."
        ) from error
    return Export(path, rows, schema, 1, "")


def _open_csv(path: Path, head: bytes, needed: Collection[str]) -> Export:
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        raise BadInput(
            f"{path.name} is neither CSV nor Parquet; it looks like a spreadsheet.",
            "open it in the spreadsheet program and save the sheet as CSV (UTF-8).",
        )
    encoding = _encoding(path, head)
    if encoding.startswith("utf-8") and b"\0" in head:
        raise BadInput(f"{path.name} is neither CSV nor Parquet.", "export it as CSV (UTF-8) or Parquet.")
    lines = head.decode(encoding, errors="replace").splitlines()[:_TITLE_LINES]
    separator, n_above = _header(lines, needed)
    names = _cells(lines[n_above], separator)
    for name in names:
        if name and names.count(name) > 1:
            raise BadInput(f"{path.name} has two columns named {name!r}.", "rename or remove one of them.")
    said: list[str] = []
    above = [line for line in lines[:n_above] if line.strip() and not line.lower().startswith("sep=")]
    if above:
        said.append(f"{len(above)} line{'s' * (len(above) > 1)} above the header, like {above[0].strip()[:40]!r}.")
    if encoding not in {"utf-8", "utf-8-sig"}:
        said.append(f"it is not UTF-8; it was read as {_ENCODINGS[encoding]}.")
    try:
        # Every cell as text: what it means is decided column by column, and said where it cannot be.
        if encoding.startswith("utf-8"):
            source: Path | io.BytesIO = path
            rows = pl.scan_csv(source, separator=separator, infer_schema=False, skip_lines=n_above, row_index_name=ROW)
        else:
            recoded = io.BytesIO(path.read_bytes().decode(encoding).encode())
            rows = pl.read_csv(
                recoded, separator=separator, infer_schema=False, skip_lines=n_above, row_index_name=ROW
            ).lazy()
        schema = rows.drop(ROW).collect_schema()
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise unreadable(path, error) from error
    return Export(path, rows, schema, 2 + n_above, separator, tuple(said))


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 where the whole file is; UTF-16 by its mark; else Windows-1252, which spreadsheets write."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252" if all(byte not in head for byte in _NOT_IN_CP1252) else "latin-1"
    return "utf-8-sig"


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(line.removeprefix("\ufeff")), delimiter=separator), [])


def _header(lines: Sequence[str], needed: Collection[str]) -> tuple[str, int]:
    """The separator, and how many lines stand above the header: the first line that holds all that is needed."""
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[0].lower().startswith("sep=") and len(lines) > 1:
        return (lines[0][4:5] or ","), 1
    wanted = set(needed)
    for i, line in enumerate(lines):
        for separator in _SEPARATORS:
            if wanted and wanted <= set(_cells(line, separator)):
                return separator, i
    # No line holds them all: the widest sign, and the line that holds most of what is wanted.
    by_hits = max(
        range(len(lines)), key=lambda i: (max(_hits(lines[i], s, wanted) for s in _SEPARATORS), -i), default=0
    )
    found = by_hits if any(_hits(lines[by_hits], s, wanted) for s in _SEPARATORS) else first
    return max(_SEPARATORS, key=lambda sign: len(_cells(lines[found], sign))), found


def _hits(line: str, separator: str, wanted: set[str]) -> int:
    return len(wanted & set(_cells(line, separator)))


@contextmanager
def spooled(export: Export, columns: Sequence[str]) -> Generator[Export]:
    """The export, and a large CSV as a temporary Parquet file of the `columns` needed.

    Text is parsed once, in blocks, so that neither the memory nor the time of what follows grows with the text.
    """
    if export.first_line != 2 or export.said or export.path.stat().st_size < _LARGE_BYTES:
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
