"""Small exports made by hand, and the cases of ../shared/data/cases, read by their mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from weathervane.connectors.files.exports import ImportedTables, read_exports
from weathervane.connectors.files.mapping import read_mapping

CASES = (Path(__file__).parents[2].parent / "shared" / "data" / "cases").resolve()
TENANT = {"id": "acme", "name": "Acme", "currency": "USD"}
TODAY = date(2026, 11, 30)
MONDAY = date(2024, 1, 1)
SALES: dict[str, Any] = {
    "table": "sales",
    "file": "sales.csv",
    "date": {"column": "day"},
    "columns": {"net_revenue": "sold"},
}
SPEND: dict[str, Any] = {
    "table": "spend",
    "file": "spend.csv",
    "date": {"column": "day"},
    "channel": {"column": "channel"},
    "columns": {"spend": "cost"},
}
WEEK = {"date": {"column": "day", "step": "week"}}


def case(name: str, mapping: str = "mapping.yaml") -> ImportedTables:
    """A case of the shared folder, read; skipped where the folder is not beside this checkout."""
    path = CASES / name / mapping
    if not path.exists():
        pytest.skip(f"{path} is not beside this checkout")
    return read_exports(read_mapping(path), None, TODAY)


def days(n: int, step: int = 1, first: date = MONDAY) -> list[date]:
    return [first + timedelta(days=step * i) for i in range(n)]


def read(
    folder: Path,
    files: Mapping[str, str | bytes],
    *sources: dict[str, Any],
    tenant: dict[str, Any] | None = None,
    stored: pl.DataFrame | None = None,
    today: date = TODAY,
) -> ImportedTables:
    """The tables of these files, by these sources."""
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump({"tenant": {**TENANT, **(tenant or {})}, "sources": list(sources)}))
    return read_exports(read_mapping(path), stored, today)


def csv(header: str, rows: Sequence[Sequence[object]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def sales_csv(n: int = 60, step: int = 1) -> str:
    return csv("day,sold", [(day, 1000 + 10 * (i % 7)) for i, day in enumerate(days(n, step))])


def total(found: ImportedTables, table: str, column: str, **where: str) -> float:
    frame = found.tables[table]
    for name, value in where.items():
        frame = frame.filter(pl.col(name) == value)
    return float(frame[column].sum())


def said(found: ImportedTables, *words: str) -> bool:
    """Whether one note holds all these words."""
    return any(all(word in note.why for word in words) for note in found.notes)
