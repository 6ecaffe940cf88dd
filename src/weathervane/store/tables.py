"""Tables: checked frames in, versions kept, what was known at a time out. Parquet by tenant, table and year.

A table is a folder of Parquet files, one a year of `date`, each named by the hash of its bytes, and `manifest.json`,
which names the files that count. Replacing the manifest is the one moment at which an upsert becomes visible, so a
crash leaves the old table or the new one. Every version of a row stays; the newest one known at a time is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from weathervane.contracts.errors import BadInput, StateUnusable
from weathervane.contracts.grain import TOTAL
from weathervane.contracts.tables import TABLES, Column, Kind, TableContract
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.paths import Store

if TYPE_CHECKING:
    from pandera.errors import SchemaErrors

KNOWN_AT = "known_at"
_SOURCE = "source"
_RETIRED = "retired"  # a version that says: this row is no more
_INSTANT = pl.Datetime("us", "UTC")
_DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "instant": _INSTANT,
    "float": pl.Float64(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
}
_MANIFEST = "manifest.json"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class UpsertReport:
    """What an upsert did, in rows. `duplicates` rows of the frame repeated another one exactly and count once.

    `retired` rows were stored before and are not in a frame that stands for the whole of its span.
    """

    table: str
    rows_in: int
    added: int
    restated: int
    unchanged: int
    duplicates: int = 0
    retired: int = 0


def upsert(
    store: Store,
    table: str,
    frame: pl.DataFrame,
    now: datetime,
    origin: str,
    step_days: int = 1,
    *,
    whole: bool = False,
) -> UpsertReport:
    """Adds what is new in `frame` and keeps a new version of what has changed; identical rows change nothing at all.

    `frame` holds the contract's columns and may hold `known_at`. Without it a new key is known from the end of its
    period (`date` + `step_days`, 00:00 UTC; a forecast from `issued_at`), at the latest from `now`, and a key that
    already has other values gets a version known from `now`. `origin` names the file or service in errors and rows.
    A `whole` frame is all there is between its first and last day: stored rows of that span that it no longer holds,
    from the same origin or of the same place (and channel), get a version that retires them; older ones stay.
    Raises BadInput as `check` does, StateUnusable if the folder cannot be written.
    """
    contract = _contract(table)
    checked = check(contract, frame, origin)
    folder = store.table(table)
    with locked(folder / ".lock"):
        parts = _read_manifest(folder)
        years = _part_of(checked, contract)
        touched = _years(checked) if whole and checked.height else sorted(set(years.to_list()))
        stored = _read_parts(folder, contract, [parts[part] for part in touched if part in parts])
        fresh = _versions(contract, stored, checked, _utc(now), timedelta(days=step_days))
        gone = _no_longer_there(contract, stored, checked, origin, _utc(now), step_days) if whole else fresh.clear()
        fresh = _known_with_the_correction(contract, stored, fresh, gone, _utc(now), step_days)
        if fresh.height or gone.height:
            rows = pl.concat(
                [
                    fresh.with_columns(pl.lit(value=False).alias(_RETIRED)),
                    gone.select(fresh.columns).with_columns(pl.lit(value=True).alias(_RETIRED)),
                ]
            ).with_columns(pl.lit(origin).alias(_SOURCE))
            _commit(folder, contract, parts, stored, rows)
    known = _newest(contract, stored).filter(~pl.col(_RETIRED)).select(contract.key)
    added = fresh.select(contract.key).unique().join(known, on=contract.key, how="anti").height
    return UpsertReport(
        table=table,
        rows_in=frame.height,
        added=added,
        restated=fresh.height - added,
        unchanged=checked.height - fresh.height,
        duplicates=frame.height - checked.height,
        retired=gone.height,
    )


def read(store: Store, table: str, as_of: datetime | None = None, *, first: bool = False) -> pl.DataFrame:
    """The rows known at `as_of` (now, if None), newest version of each key (or its first), sorted by key.

    Columns are the contract's and `known_at` (UTC). A table that was never written is an empty frame of that schema.
    """
    contract = _contract(table)
    folder = store.table(table)
    while True:
        paths = [str(folder / name) for name in _read_manifest(folder).values()]
        if not paths:
            return pl.DataFrame(schema=_schema(contract))
        try:
            return _query(contract, paths, as_of, first=first)
        except OSError as error:
            # A writer replaced a file between our reading the manifest and the file: read the new manifest.
            if set(paths) == {str(folder / name) for name in _read_manifest(folder).values()}:
                raise StateUnusable(
                    f"The stored table {table!r} cannot be read: {error}.",
                    f"restore {folder} from a backup, or delete it and import again.",
                ) from error


def origins(store: Store, table: str) -> pl.DataFrame:
    """The rows that count, with the file or service each came from in `source`."""
    contract, folder = _contract(table), store.table(table)
    stored = _read_parts(folder, contract, list(_read_manifest(folder).values()))
    return _newest(contract, stored).filter(~pl.col(_RETIRED)).drop(_RETIRED).sort(contract.key)


def forget(store: Store) -> None:
    """Removes every stored row of the tenant's tables."""
    shutil.rmtree(store.table("sales").parent, ignore_errors=True)


def data_hash(store: Store, table: str, as_of: datetime | None = None) -> str:
    """SHA-256 of the rows known at `as_of`: of their content alone, not of order, file layout or `known_at`."""
    contract = _contract(table)
    frame = read(store, table, as_of).sort(contract.key)
    digest = hashlib.sha256(f"{table}:{frame.height}".encode())
    for column in contract.columns:
        values = frame[column.name]
        digest.update(f"\n{column.name}:{column.kind}\n".encode())
        digest.update(values.is_null().to_numpy().tobytes())
        digest.update(_content(values, column.kind))
    return digest.hexdigest()


def check(contract: TableContract, frame: pl.DataFrame, origin: str) -> pl.DataFrame:
    """`frame` in the contract's columns, order and dtypes plus `known_at` (null where not given), repeats removed.

    Raises BadInput naming `origin`, the column, the first bad row (counted from 1) and its value, and what to do.
    """
    aligned = _align(contract, frame, origin)
    _validate(contract, aligned, origin)
    if contract.name == "weather":
        _check_forecasts(aligned, origin)
    distinct = aligned.unique(maintain_order=True)
    _refuse_conflicts(contract, distinct, origin)
    return distinct


def _contract(table: str) -> TableContract:
    if table not in TABLES:
        raise BadInput(f"There is no table {table!r}.", f"use one of {', '.join(TABLES)}.")
    return TABLES[table]


def _schema(contract: TableContract) -> dict[str, pl.DataType]:
    return {column.name: _DTYPES[column.kind] for column in contract.columns} | {KNOWN_AT: _INSTANT}


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise BadInput(f"{instant} has no time zone.", "pass a UTC instant.")
    return instant.astimezone(UTC)


# --- checking -------------------------------------------------------------------------------------------------------


def _align(contract: TableContract, frame: pl.DataFrame, origin: str) -> pl.DataFrame:
    wanted = _schema(contract)
    unexpected = [name for name in frame.columns if name not in wanted]
    columns: list[pl.Expr] = []
    for column in contract.columns:
        if column.name in frame.columns:
            columns.append(_widened(frame, column))
        elif column.required:
            close = get_close_matches(column.name, unexpected, n=1)
            hint = f"rename {close[0]!r} to it." if close else f"add it; {contract.name} needs it."
            raise BadInput(f"{origin}: the column {column.name!r} is missing.", hint)
        else:
            columns.append(pl.lit(None, dtype=_DTYPES[column.kind]).alias(column.name))
    if unexpected:
        raise BadInput(
            f"{origin}: {contract.name} has no column {unexpected[0]!r}.",
            f"drop it, or use one of {', '.join(wanted)}.",
        )
    known = pl.col(KNOWN_AT) if KNOWN_AT in frame.columns else pl.lit(None, dtype=_INSTANT).alias(KNOWN_AT)
    if KNOWN_AT in frame.columns and isinstance(frame.schema[KNOWN_AT], pl.Datetime):
        if frame.schema[KNOWN_AT].time_zone is None:  # pyright: ignore[reportAttributeAccessIssue]  narrowed above
            raise BadInput(f"{origin}: known_at has no time zone.", "give it as UTC instants.")
        known = pl.col(KNOWN_AT).dt.convert_time_zone("UTC").cast(_INSTANT)
    return frame.select(*columns, known)


def _widened(frame: pl.DataFrame, column: Column) -> pl.Expr:
    """The column, cast where no value can change: other integers and floats, categories, midnights."""
    have, want = frame.schema[column.name], _DTYPES[column.kind]
    value = pl.col(column.name)
    lossless = (
        have == pl.Null()
        or (column.kind == "float" and have.is_numeric())
        or (column.kind == "int" and have.is_integer())
        or (column.kind == "text" and isinstance(have, (pl.Categorical, pl.Enum)))
        or (column.kind == "instant" and isinstance(have, pl.Datetime) and have.time_zone is not None)
        or (column.kind == "date" and isinstance(have, pl.Datetime) and _midnights(frame[column.name]))
    )
    if column.kind == "instant" and lossless and have != pl.Null():
        return value.dt.convert_time_zone("UTC").cast(want)
    return value.cast(want) if lossless else value


def _midnights(values: pl.Series) -> bool:
    return bool((values.dt.date().cast(values.dtype) == values).all())


def _validate(contract: TableContract, frame: pl.DataFrame, origin: str) -> None:
    from pandera.errors import SchemaErrors  # half a second to import, and reading needs none of it

    try:
        _pandera_schema(contract).validate(frame, lazy=True)
    except SchemaErrors as failure:
        raise _first_failure(contract, frame, origin, failure) from failure


def _pandera_schema(contract: TableContract) -> Any:
    import pandera.polars as pa

    def checks(column: Column) -> list[pa.Check]:
        wanted: list[pa.Check] = []
        if column.kind == "float":
            wanted.append(pa.Check(_all_finite, name="finite"))
        if column.kind == "text" and column.measure == "key":
            wanted.append(pa.Check.str_length(min_value=1))
        if column.low is not None:
            wanted.append(pa.Check.ge(column.low))
        if column.high is not None:
            wanted.append(pa.Check.le(column.high))
        return wanted

    columns = {c.name: pa.Column(_DTYPES[c.kind], nullable=c.nullable, checks=checks(c)) for c in contract.columns}
    columns[KNOWN_AT] = pa.Column(_INSTANT, nullable=True)
    return pa.DataFrameSchema(columns, strict=True)


def _all_finite(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_finite())


def _first_failure(contract: TableContract, frame: pl.DataFrame, origin: str, failure: SchemaErrors) -> BadInput:
    cases: list[dict[str, Any]] = failure.failure_cases.to_dicts()
    case = min(cases, key=lambda c: (c["index"] is not None, c["index"] or 0))
    name = str(case["column"])
    column = contract.column(name) if name != KNOWN_AT else Column(KNOWN_AT, "instant", "label")
    if case["index"] is None:
        return BadInput(
            f"{origin}: the column {name!r} holds {_kind_of(frame.schema[name])}, not {column.kind}s.",
            f"convert {name!r} to {column.kind} values.",
        )
    row = int(case["index"])
    value = frame[name][row]
    return BadInput(f"{origin}: row {row + 1} has {name} = {_shown(value)}; {_rule(column, value)}.", _mend(column))


def _kind_of(dtype: pl.DataType) -> str:
    return "text" if dtype == pl.String else str(dtype)


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _rule(column: Column, value: object) -> str:
    if value is None or value == "":
        return "it may not be empty"
    if column.low is not None and column.high is not None:
        return f"it must lie between {column.low:g} and {column.high:g}"
    if column.low is not None and isinstance(value, (int, float)) and value < column.low:
        return "it may not be negative" if column.low == 0 else f"it may not be below {column.low:g}"
    return "it must be a finite number"


def _mend(column: Column) -> str:
    if column.name == "spend":
        return "correct the export; refunds and credits belong to the day they were spent, so net them there."
    if column.nullable:
        return "correct that value, or leave it empty if it is not known."
    return "correct or remove that row."


def _check_forecasts(frame: pl.DataFrame, origin: str) -> None:
    wrong = frame.with_row_index("row", offset=1).filter((pl.col("lead_days") > 0) != pl.col("issued_at").is_not_null())
    if wrong.height:
        row = wrong.row(0, named=True)
        raise BadInput(
            f"{origin}: row {row['row']} has lead_days = {row['lead_days']} and issued_at = "
            f"{_shown(row['issued_at'])}.",
            "give issued_at for forecasts (lead_days of 1 or more), and leave it empty for observations.",
        )


def _refuse_conflicts(contract: TableContract, frame: pl.DataFrame, origin: str) -> None:
    key = [*contract.key, KNOWN_AT]
    twice = frame.filter(frame.select(key).is_duplicated())
    if twice.is_empty():
        return
    first = twice.row(0, named=True)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(first[name], dtype=twice.schema[name])) for name in key)
    one, other = twice.filter(same).rows(named=True)[:2]
    name = next(name for name in twice.columns if one[name] != other[name])
    where = ", ".join(f"{part} {one[part]}" for part in contract.key)
    raise BadInput(
        f"{origin}: duplicated keys with different values: {where} has {name} {_shown(one[name])} "
        f"and {_shown(other[name])}.",
        "keep one of the rows, or add them up before importing.",
    )


# --- versions -------------------------------------------------------------------------------------------------------


def _versions(
    contract: TableContract, stored: pl.DataFrame, frame: pl.DataFrame, now: datetime, step: timedelta
) -> pl.DataFrame:
    """The rows of `frame` that say something new, each with the instant from which it is known."""
    # A row that comes back after it was retired is known anew from now, whatever its own date says.
    retired = _newest(contract, stored).filter(_RETIRED).select(contract.key)
    again = frame.join(retired, on=contract.key, how="semi").with_columns(pl.lit(None, dtype=_INSTANT).alias(KNOWN_AT))
    frame = pl.concat([frame.join(retired, on=contract.key, how="anti"), again.unique(contract.key, keep="last")])
    undated = _restate(contract, stored, frame.filter(pl.col(KNOWN_AT).is_null()), now, step)
    dated = _insert_vintages(contract, stored, frame.filter(pl.col(KNOWN_AT).is_not_null()), now)
    return pl.concat([undated, dated])


def _restate(
    contract: TableContract, stored: pl.DataFrame, frame: pl.DataFrame, now: datetime, step: timedelta
) -> pl.DataFrame:
    joined = _beside_newest(contract, stored, frame)
    newly = joined.filter(pl.col("newest_known_at").is_null()).with_columns(
        pl.min_horizontal(pl.lit(now, dtype=_INSTANT), _knowable(contract, now, step)).alias(KNOWN_AT)
    )
    changed = joined.filter(pl.col("newest_known_at").is_not_null() & ~pl.col("same")).with_columns(_after_newest(now))
    return pl.concat([newly, changed]).select(frame.columns)


def _knowable(contract: TableContract, now: datetime, step: timedelta) -> pl.Expr:
    """When a row became knowable: at the end of its period, or when its forecast was issued."""
    names = {column.name for column in contract.columns}
    if "date" not in names:
        return pl.lit(now, dtype=_INSTANT)
    end = (pl.col("date").cast(pl.Datetime("us")) + step).dt.replace_time_zone("UTC")
    return pl.coalesce("issued_at", end) if "issued_at" in names else end


def _insert_vintages(contract: TableContract, stored: pl.DataFrame, frame: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Rows that carry their own `known_at`, unless the version in force at that instant already says the same."""
    if frame.is_empty():
        return frame
    # A fact cannot be stored before it is known: an instant still to come counts as now.
    frame = (
        frame.sort(KNOWN_AT)
        .with_columns(pl.min_horizontal(KNOWN_AT, pl.lit(now, dtype=_INSTANT)))
        .unique([*contract.key, KNOWN_AT], keep="last", maintain_order=True)
    )
    history = pl.concat(
        [
            stored.select(frame.columns).with_columns(pl.lit(0).alias("fresh")),
            frame.with_columns(pl.lit(1).alias("fresh")),
        ]
    ).sort([*contract.key, KNOWN_AT, "fresh"])
    repeats = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1).over(contract.key)) for name in _values(contract)
    ) & (pl.int_range(pl.len()).over(contract.key) > 0)
    fresh = history.filter(~repeats & (pl.col("fresh") == 1)).drop("fresh")
    # The same instant told otherwise is a correction, known from now; unless that correction is already stored.
    instants = stored.select(*contract.key, KNOWN_AT)
    told = _beside_newest(contract, stored, fresh.join(instants, on=[*contract.key, KNOWN_AT], how="semi"))
    corrected = told.filter(~pl.col("same")).with_columns(_after_newest(now)).select(frame.columns)
    return pl.concat([fresh.join(instants, on=[*contract.key, KNOWN_AT], how="anti"), corrected])


def _years(frame: pl.DataFrame) -> list[str]:
    """Every year of the frame's span, also those it has no rows of."""
    first, last = frame["date"].min(), frame["date"].max()
    return [str(year) for year in range(first.year - 1, last.year + 2)]  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]  dates of a frame that is not empty


def _newest(contract: TableContract, stored: pl.DataFrame) -> pl.DataFrame:
    return stored.sort(KNOWN_AT).unique(contract.key, keep="last")


def _no_longer_there(
    contract: TableContract, stored: pl.DataFrame, frame: pl.DataFrame, origin: str, now: datetime, step_days: int
) -> pl.DataFrame:
    """The stored rows that a whole `frame` replaces and does not hold, each with the instant from which it is gone."""
    if frame.is_empty() or "date" not in frame.columns:
        return frame.clear()
    newest = _newest(contract, stored).filter(~pl.col(_RETIRED))
    # A stored week that shares a day with the span is of the span.
    reach = timedelta(days=step_days - 1)
    first: date = frame["date"].min()  # pyright: ignore[reportAssignmentType]  not empty
    last: date = frame["date"].max()  # pyright: ignore[reportAssignmentType]  not empty
    inside = newest.filter(pl.col("date").is_between(first - reach, last + reach))
    scope = [name for name in contract.key if name != "date"]
    same_scope = inside.join(frame.select(scope).unique(), on=scope, how="semi").select(contract.key)
    if "category" in scope:
        # A total and its parts tell the same sales twice: whichever came last stands.
        summed = frame.filter(pl.col("category") == TOTAL).select("geo").unique()
        parts = inside.join(summed, on="geo", how="semi")
        totals = inside.filter(pl.col("category") == TOTAL).join(frame.select("geo").unique(), on="geo", how="semi")
        same_scope = pl.concat([same_scope, parts.select(contract.key), totals.select(contract.key)])
    same_origin = inside.filter(pl.col(_SOURCE) == origin).select(contract.key)
    told = same_origin if contract.name == "calendar" else pl.concat([same_scope, same_origin]).unique()
    gone = inside.join(told, on=contract.key, how="semi").join(frame, on=contract.key, how="anti")
    return gone.with_columns(pl.max_horizontal(pl.lit(now, dtype=_INSTANT), pl.col(KNOWN_AT) + _MOMENT).alias(KNOWN_AT))


def _known_with_the_correction(
    contract: TableContract,
    stored: pl.DataFrame,
    fresh: pl.DataFrame,
    gone: pl.DataFrame,
    now: datetime,
    step_days: int,
) -> pl.DataFrame:
    """New rows that stand where others are retired are known from now: as of earlier, the others are what was known."""
    if gone.is_empty():
        return fresh
    reach = timedelta(days=step_days)
    beside = pl.col("date").is_between(gone["date"].min() - reach, gone["date"].max() + reach)  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]  dates of a frame that is not empty
    new = fresh.join(stored.select(contract.key).unique(), on=contract.key, how="anti")
    moved = new.filter(beside).with_columns(pl.lit(now, dtype=_INSTANT).alias(KNOWN_AT))
    return pl.concat([fresh.join(moved, on=contract.key, how="anti"), moved])


def _beside_newest(contract: TableContract, stored: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with `newest_known_at` (null for a new key) and `same`: whether the newest version says the same."""
    others = [*_values(contract), KNOWN_AT, _RETIRED]
    newest = _newest(contract, stored)
    newest = newest.select(*contract.key, *(pl.col(name).alias(f"newest_{name}") for name in others))
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"newest_{name}")) for name in _values(contract))
    same = same & ~pl.col(f"newest_{_RETIRED}").fill_null(value=False)
    return frame.join(newest, on=contract.key, how="left", maintain_order="left").with_columns(same.alias("same"))


def _after_newest(now: datetime) -> pl.Expr:
    return pl.max_horizontal(pl.lit(now, dtype=_INSTANT), pl.col("newest_known_at") + _MOMENT).alias(KNOWN_AT)


def _values(contract: TableContract) -> list[str]:
    return [column.name for column in contract.columns if column.name not in contract.key]


# --- files ----------------------------------------------------------------------------------------------------------


def _part_of(frame: pl.DataFrame, contract: TableContract) -> pl.Series:
    """The file each row belongs to: its year, or `all` for a table without a date."""
    if "date" in {column.name for column in contract.columns}:
        return frame["date"].dt.year().cast(pl.String)
    return pl.repeat("all", frame.height, dtype=pl.String, eager=True)


def _commit(
    folder: Path, contract: TableContract, parts: Mapping[str, str], stored: pl.DataFrame, fresh: pl.DataFrame
) -> None:
    """Writes the files of the years that `fresh` touches, then the manifest, then removes what no longer counts."""
    kept = dict(parts)
    years = _part_of(fresh, contract)
    everything = pl.concat([stored, fresh.select(stored.columns)])
    for part in sorted(set(years.to_list())):
        rows = everything.filter(_part_of(everything, contract) == part).sort([*contract.key, KNOWN_AT])
        buffer = io.BytesIO()
        rows.write_parquet(buffer, compression="zstd")
        data = buffer.getvalue()
        kept[part] = f"{part}-{hashlib.sha256(data).hexdigest()[:16]}.parquet"
        write_atomically(folder / kept[part], data)
    manifest = {"schema_version": 1, "table": contract.name, "files": kept}
    write_atomically(folder / _MANIFEST, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    for path in folder.iterdir():
        if path.suffix == ".parquet" and path.name not in kept.values():
            path.unlink(missing_ok=True)


def _read_manifest(folder: Path) -> dict[str, str]:
    """The files that count, by year; none if the table was never written."""
    path = folder / _MANIFEST
    try:
        return dict(json.loads(path.read_bytes())["files"])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unusable(path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StateUnusable(
            f"{path} is damaged.", f"restore {folder} from a backup, or delete it and import again."
        ) from error


def _read_parts(folder: Path, contract: TableContract, names: Sequence[str]) -> pl.DataFrame:
    """Every version in these files."""
    schema = _schema(contract) | {_SOURCE: pl.String(), _RETIRED: pl.Boolean()}
    try:
        read_files = [pl.read_parquet(io.BytesIO((folder / name).read_bytes())) for name in names]
        # Files from before rows could be retired have no such column.
        not_retired = pl.lit(value=False).alias(_RETIRED)
        frames = [
            (frame if _RETIRED in frame.columns else frame.with_columns(not_retired)).select(list(schema))
            for frame in read_files
        ]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StateUnusable(
            f"A file in {folder} cannot be read: {error}.",
            "restore it from a backup, or delete the folder and import again.",
        ) from error
    return pl.concat([pl.DataFrame(schema=schema), *frames])


def _query(contract: TableContract, paths: list[str], as_of: datetime | None, *, first: bool) -> pl.DataFrame:
    import duckdb

    key = ", ".join(f'"{name}"' for name in contract.key)
    columns = ", ".join(f'"{name}"' for name in _schema(contract))
    order = "ASC" if first else "DESC"
    known = "" if as_of is None else f'WHERE "{KNOWN_AT}" <= $as_of'
    can_retire = any(_RETIRED in pl.read_parquet_schema(path) for path in paths)
    there = f'coalesce("{_RETIRED}", false)' if can_retire else "false"
    query = (
        f"SELECT {columns} FROM (SELECT *, {there} AS gone FROM read_parquet($paths, union_by_name = true) {known} "
        f'QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY "{KNOWN_AT}" {order}) = 1) '
        f"WHERE NOT gone ORDER BY {key}"
    )
    values: dict[str, object] = {"paths": paths}
    if as_of is not None:
        values["as_of"] = _utc(as_of)
    with duckdb.connect(":memory:", config={"TimeZone": "UTC", "autoinstall_known_extensions": False}) as connection:
        try:
            return connection.sql(query, params=values).pl().cast(_schema(contract))  # pyright: ignore[reportArgumentType]  polars takes a mapping of dtypes
        except duckdb.Error as error:
            raise OSError(str(error)) from error


def _content(values: pl.Series, kind: Kind) -> bytes:
    if kind == "text":
        texts = [value.encode() for value in values.fill_null("").to_list()]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    if kind == "float":
        return (values.fill_null(0.0) + 0.0).to_numpy().astype("<f8").tobytes()  # + 0.0 makes -0.0 equal 0.0
    return values.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()
