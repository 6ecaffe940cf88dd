"""Exports: a mapping's files as contract tables, with a note for everything kept, dropped or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from weathervane.connectors.files.columns import open_export
from weathervane.connectors.files.findings import describe
from weathervane.connectors.files.mapping import Mapping
from weathervane.connectors.files.missing_rows import SourceRows, ended_early, with_zeros
from weathervane.connectors.files.periods import (
    as_days_of,
    check_spacing,
    check_weekdays,
    step_days,
    without_unfinished,
)
from weathervane.connectors.files.plausibility import one_spelling, question
from weathervane.connectors.files.sources import read_source, used_columns
from weathervane.connectors.files.totals import without_total_names
from weathervane.contracts.errors import BadInput
from weathervane.contracts.grain import NATIONAL
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


def read_exports(
    mapping: Mapping, stored_sales: pl.DataFrame | None = None, today: date | None = None
) -> ImportedTables:
    """Reads every source of the mapping. `stored_sales` are those of earlier imports; days after `today` are not over.

    Raises BadInput naming file, line, column and value for anything that cannot be read as the mapping says.
    """
    notes: list[ImportNote] = []
    parts: dict[str, list[SourceRows]] = {}
    for source in mapping.sources:
        frame, said = read_source(mapping, source, mapping.files(source))
        rule = source.missing.rows if source.missing else None
        parts.setdefault(source.table, []).append(SourceRows(frame, rule))
        notes += said
    steps, origins = _steps(mapping), _origins(mapping)
    earlier = stored_sales if stored_sales is not None else pl.DataFrame(schema={"geo": pl.String, "date": pl.Date})
    spelled = {geo.casefold(): geo for geo in earlier["geo"].unique().sort()}
    tables: dict[str, pl.DataFrame] = {}
    # Sales first: the other tables' places are spelled as theirs.
    for table in sorted(parts, key=lambda name: name != "sales"):
        parts[table] = [replace(part, frame=_one_spelling(table, part.frame, spelled, notes)) for part in parts[table]]
        frame = _one_spelling(table, pl.concat([p.frame for p in parts[table]], how="diagonal"), spelled, notes)
        if table == "sales":
            spelled |= {geo.casefold(): geo for geo in frame["geo"].unique().sort()}
        check_spacing(table, frame, steps[table], origins[table])
        tables[table] = _noted(without_total_names(table, frame), notes)
    check_weekdays(tables, steps, stored_sales)
    sales = tables.get("sales", earlier)
    geos = sorted({*earlier["geo"].to_list(), *(sales["geo"].to_list())})
    for table, frame in tables.items():
        tables[table] = _only_known_geos(mapping, table, frame, geos, notes)
    if "spend" in tables and steps["spend"] == 7 and steps.get("sales", step_days(sales)) == 1 and not sales.is_empty():
        tables["spend"] = _noted(as_days_of("spend", tables["spend"], 7), notes)
        parts["spend"] = [replace(part, frame=as_days_of("spend", part.frame, 7)[0]) for part in parts["spend"]]
        steps["spend"] = 1
    for table, frame in tables.items():
        places = () if geos == [NATIONAL] or (table == "spend" and _is_national(frame)) else geos
        frame = _noted(with_zeros(table, frame, parts[table], steps[table], places), notes)
        if today is not None:
            frame = _noted(without_unfinished(table, frame, steps[table], today), notes)
        tables[table] = frame
        notes += describe(table, frame, steps[table])
    if "spend" in tables:
        notes += ended_early(tables["spend"], sales, steps["spend"])
    tenant = mapping.tenant.tenant(geos)
    notes += question(tables, tables.get("sales", pl.DataFrame(schema={"net_revenue": pl.Float64})), tenant)
    notes += _unused(mapping)
    return ImportedTables(tenant, tables, steps, origins, _in_order(notes))


def _noted(found: tuple[pl.DataFrame, list[ImportNote]], notes: list[ImportNote]) -> pl.DataFrame:
    frame, said = found
    notes += said
    return frame


def _one_spelling(table: str, frame: pl.DataFrame, spelled: dict[str, str], notes: list[ImportNote]) -> pl.DataFrame:
    return _noted(one_spelling(table, frame, spelled), notes)


def _is_national(frame: pl.DataFrame) -> bool:
    return set(frame["geo"].to_list()) == {NATIONAL}


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
        left = [name for name in open_export(path, names).schema if name not in names]
        if left:
            more = f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
            why = f"{path.name}: columns the mapping does not name: {', '.join(left[:_LISTED])}{more}."
            notes.append(ImportNote(table, "dropped", 0, why))
    return notes


def _in_order(notes: Sequence[ImportNote]) -> list[ImportNote]:
    tables = list(TABLES)
    kinds = ("kept", "added", "dropped", "changed", "warning")
    return sorted(dict.fromkeys(notes), key=lambda note: (tables.index(note.table), kinds.index(note.what)))


def _only_known_geos(
    mapping: Mapping, table: str, frame: pl.DataFrame, geos: Sequence[str], notes: list[ImportNote]
) -> pl.DataFrame:
    """Drops, visibly, the places that never sold anything; refuses a table that shares none."""
    if "geo" not in frame.columns or not geos:
        return frame
    national = table != "weather"
    if national and geos == [NATIONAL] and table == "spend":
        n_places = frame["geo"].n_unique()
        if n_places > 1 or not _is_national(frame):
            why = f"sales are of the whole country, so the spend of {n_places} places is added up."
            notes.append(ImportNote(table, "changed", frame.height, why))
        return frame
    if table == "spend" and NATIONAL not in geos and (frame["geo"] == NATIONAL).any():
        rows = frame.filter(pl.col("geo") == NATIONAL)
        named = ", ".join(rows["channel"].unique().sort().to_list()[:_LISTED])
        why = f"spend of the whole country ({named}) beside sales by place: it is shared out to places by their sales."
        notes.append(ImportNote(table, "changed", rows.height, why))
    if table == "calendar" and NATIONAL not in geos:
        everywhere = frame.filter(pl.col("geo") == NATIONAL).drop("geo")
        everywhere = everywhere.join(pl.DataFrame({"geo": list(geos)}), how="cross").select(frame.columns)
        frame = pl.concat([frame.filter(pl.col("geo") != NATIONAL), everywhere]).unique(maintain_order=True)
    strange = sorted(set(frame["geo"].to_list()) - set(geos) - ({NATIONAL} if national else set()))
    if not strange:
        return frame
    named = ", ".join(strange[:_LISTED]) + (f" and {len(strange) - _LISTED} more" if len(strange) > _LISTED else "")
    kept = frame.filter(~pl.col("geo").is_in(strange))
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
