"""Exports: a mapping's files as contract tables, with a note for everything kept, dropped or changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl

from weathervane.connectors.files.columns import open_export
from weathervane.connectors.files.findings import describe
from weathervane.connectors.files.mapping import Mapping
from weathervane.connectors.files.sources import read_source, used_columns
from weathervane.contracts.errors import BadInput
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import Tenant

_LISTED = 8


@dataclass(frozen=True)
class ImportedTables:
    """Everything a mapping yields: contract frames by table, the days a row stands for, where they come from, notes."""

    tenant: Tenant
    tables: dict[str, pl.DataFrame]
    steps: dict[str, int]
    origins: dict[str, str]
    notes: list[ImportNote]


def read_exports(mapping: Mapping, known_geos: Collection[str] = ()) -> ImportedTables:
    """Reads every source of the mapping. `known_geos` are places whose sales are already stored.

    Raises BadInput naming file, line, column and value for anything that cannot be read as the mapping says.
    """
    notes: list[ImportNote] = []
    parts: dict[str, list[pl.DataFrame]] = {}
    for source in mapping.sources:
        for path in mapping.files(source):
            frame, said = read_source(mapping, source, path)
            parts.setdefault(source.table, []).append(frame)
            notes += said
    steps = _steps(mapping)
    tables = {table: pl.concat(frames, how="diagonal") for table, frames in parts.items()}
    for table, frame in tables.items():
        _check_spacing(mapping, table, frame, steps[table])
    geos = sorted({*known_geos, *(tables["sales"]["geo"].to_list() if "sales" in tables else ())})
    tables = {table: _only_known_geos(mapping, table, frame, geos, notes) for table, frame in tables.items()}
    for table, frame in tables.items():
        notes += describe(table, frame, steps[table])
    notes += _unused(mapping)
    tenant = mapping.tenant.tenant(geos)
    return ImportedTables(tenant, tables, steps, _origins(mapping), _in_order(notes))


def _steps(mapping: Mapping) -> dict[str, int]:
    steps: dict[str, int] = {}
    for source in mapping.sources:
        if steps.setdefault(source.table, source.step_days) != source.step_days:
            raise BadInput(
                f"{mapping.path.name}: {source.table} has sources by day and by week.",
                "use one step for all sources of a table.",
            )
    return steps


def _origins(mapping: Mapping) -> dict[str, str]:
    files: dict[str, list[str]] = {}
    for source in mapping.sources:
        files.setdefault(source.table, []).append(source.file)
    return {table: ", ".join(dict.fromkeys(names)) for table, names in files.items()}


def _unused(mapping: Mapping) -> list[ImportNote]:
    """The columns that no source of a file names, said once a file."""
    used: dict[Path, tuple[str, set[str]]] = {}
    for source in mapping.sources:
        for path in mapping.files(source):
            used.setdefault(path, (source.table, set()))[1].update(used_columns(source))
    notes: list[ImportNote] = []
    for path, (table, names) in used.items():
        left = [name for name in open_export(path).schema if name not in names]
        if left:
            more = f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
            why = f"{path.name}: columns the mapping does not name: {', '.join(left[:_LISTED])}{more}."
            notes.append(ImportNote(table, "dropped", 0, why))
    return notes


def _in_order(notes: Sequence[ImportNote]) -> list[ImportNote]:
    tables = list(TABLES)
    kinds = ("kept", "dropped", "changed", "warning")
    return sorted(notes, key=lambda note: (tables.index(note.table), kinds.index(note.what)))


def _check_spacing(mapping: Mapping, table: str, frame: pl.DataFrame, step_days: int) -> None:
    """Refuses weeks said to be days, and weeks that do not start on one weekday."""
    if table in {"macro", "calendar"}:
        return
    days: list[date] = frame["date"].unique().sort().to_list()
    spacings = {(later - earlier).days for earlier, later in pairwise(days)}
    if step_days == 1 and len(days) > 3 and all(spacing % 7 == 0 for spacing in spacings):
        raise BadInput(
            f"{_origins(mapping)[table]}: the dates of {table} are whole weeks apart, the mapping calls them days.",
            "write `date: {…, step: week}` in the mapping, and `stamp: end` if the date is the week's last day.",
        )
    wrong = next((later for earlier, later in pairwise(days) if (later - earlier).days % 7), None)
    if step_days == 7 and wrong is not None:
        raise BadInput(
            f"{_origins(mapping)[table]}: weeks of {table} start on {days[0]:%A %Y-%m-%d} and on {wrong:%A %Y-%m-%d}.",
            "let all weeks start on one weekday, or write `step: day` in the mapping.",
        )


def _only_known_geos(
    mapping: Mapping, table: str, frame: pl.DataFrame, geos: Sequence[str], notes: list[ImportNote]
) -> pl.DataFrame:
    """Drops, visibly, the places that never sold anything; refuses a table that shares none."""
    if "geo" not in frame.columns or not geos:
        return frame
    strange = sorted(set(frame["geo"].to_list()) - set(geos))
    if not strange:
        return frame
    named = ", ".join(strange[:_LISTED]) + (f" and {len(strange) - _LISTED} more" if len(strange) > _LISTED else "")
    kept = frame.filter(pl.col("geo").is_in(geos))
    if kept.is_empty():
        hint = "; or write `national: mean` to let several places stand for the nation" if table == "weather" else ""
        raise BadInput(
            f"{_origins(mapping)[table]}: no place of {table} ({named}) has sales ({', '.join(geos[:_LISTED])}).",
            f"use the same names for places in all files{hint}.",
        )
    notes.append(
        ImportNote(table, "dropped", frame.height - kept.height, f"unknown places, which have no sales: {named}.")
    )
    return kept
