"""Tables: upserts change what is new, keep every version, and a crash leaves the old table or the new one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weathervane.contracts.errors import BadInput, StateUnusable
from weathervane.contracts.tables import MACRO, SALES, TABLES, WEATHER
from weathervane.store import tables
from weathervane.store.paths import Store, open_store

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def sales(values: dict[tuple[str, date], float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "geo": [geo for geo, _ in values],
            "date": [day for _, day in values],
            "category": ["all"] * len(values),
            "net_revenue": list(values.values()),
        },
        schema_overrides={"net_revenue": pl.Float64, "date": pl.Date},
    )


def three_years() -> pl.DataFrame:
    days = [date(2022, 1, 1) + timedelta(days=i) for i in range(880)]
    return sales({(geo, day): float(i) for i, day in enumerate(days) for geo in ("a", "b")})


def files(store: Store, table: str = "sales") -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in store.table(table).iterdir()}


def test_same_export_again_changes_nothing_not_even_a_file(plain_store: Store) -> None:
    first = tables.upsert(plain_store, "sales", three_years(), NOW, "a.csv")
    before = files(plain_store)
    again = tables.upsert(plain_store, "sales", three_years().sample(fraction=1, shuffle=True, seed=1), LATER, "b.csv")
    assert (first.added, first.restated, first.unchanged) == (1760, 0, 0)
    assert (again.added, again.restated, again.unchanged) == (0, 0, 1760)
    assert files(plain_store) == before


def test_a_restated_day_touches_its_year_only_and_the_old_value_stays_readable(plain_store: Store) -> None:
    tables.upsert(plain_store, "sales", three_years(), NOW, "a.csv")
    before = files(plain_store)
    restated = sales({("a", date(2023, 5, 5)): -7.0, ("a", date(2024, 5, 31)): 1.0})
    report = tables.upsert(plain_store, "sales", restated, LATER, "b.csv")
    assert (report.added, report.restated, report.unchanged) == (1, 1, 0)
    after = files(plain_store)
    assert {name for name in before if name.startswith("2022")} <= after.keys()
    assert {name for name in before if name.startswith("2023")}.isdisjoint(after)
    day = (pl.col("geo") == "a") & (pl.col("date") == date(2023, 5, 5))
    old, new = (tables.read(plain_store, "sales", at).filter(day) for at in (NOW, None))
    assert old["net_revenue"].item() == 489.0
    assert (new["net_revenue"].item(), new["known_at"].item()) == (-7.0, LATER)


def test_a_value_that_becomes_unknown_is_a_restatement(plain_store: Store) -> None:
    key = ("a", date(2024, 1, 1))
    tables.upsert(plain_store, "sales", sales({key: 0.0}), NOW, "a")
    assert tables.upsert(plain_store, "sales", sales({key: None}), LATER, "a").restated == 1
    assert tables.upsert(plain_store, "sales", sales({key: None}), LATER, "a").unchanged == 1
    assert tables.read(plain_store, "sales")["net_revenue"].item() is None


def test_a_correction_at_the_same_instant_still_wins(plain_store: Store) -> None:
    key = ("a", date(2024, 5, 31))
    for value in (1.0, 2.0, 3.0):
        tables.upsert(plain_store, "sales", sales({key: value}), NOW, "a")
    assert tables.read(plain_store, "sales")["net_revenue"].item() == 3.0


def test_new_rows_are_known_from_the_end_of_their_period_at_the_latest_from_now(plain_store: Store) -> None:
    frame = sales({("a", date(2024, 5, 1)): 1.0, ("a", date(2024, 5, 29)): 1.0})
    tables.upsert(plain_store, "sales", frame, NOW, "a", step_days=7)
    assert tables.read(plain_store, "sales")["known_at"].to_list() == [datetime(2024, 5, 8, tzinfo=UTC), NOW]


def test_forecasts_are_known_from_their_issue(plain_store: Store) -> None:
    issued = datetime(2024, 5, 1, 6, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "geo": ["a", "a"],
            "date": [date(2024, 5, 1), date(2024, 5, 3)],
            "lead_days": [0, 2],
            "member": [0, 0],
            "issued_at": [None, issued],
            "temp_mean_c": [10.0, None],
        }
    )
    tables.upsert(plain_store, "weather", frame, NOW, "w")
    known = dict(tables.read(plain_store, "weather").select("lead_days", "known_at").iter_rows())
    assert known == {0: datetime(2024, 5, 2, tzinfo=UTC), 2: issued}
    with pytest.raises(BadInput, match="issued_at"):
        tables.check(WEATHER, frame.with_columns(lead_days=pl.lit(1)), "w")


def vintages(*rows: tuple[date, float, datetime]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "series": ["gdp"] * len(rows),
            "date": [row[0] for row in rows],
            "value": [row[1] for row in rows],
            "known_at": [row[2] for row in rows],
        }
    )


def test_vintages_keep_their_own_instants_and_repeat_for_free(plain_store: Store) -> None:
    day, first, second = date(2023, 1, 1), datetime(2023, 2, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC)
    frame = vintages((day, 1.0, first), (day, 2.0, second), (day, 2.0, datetime(2023, 4, 1, tzinfo=UTC)))
    report = tables.upsert(plain_store, "macro", frame, NOW, "fred")
    assert (report.added, report.restated, report.unchanged) == (1, 1, 1)
    assert tables.read(plain_store, "macro", first)["value"].item() == 1.0
    assert tables.read(plain_store, "macro", second)["value"].item() == 2.0
    assert tables.read(plain_store, "macro", first - timedelta(seconds=1)).is_empty()
    before = files(plain_store, "macro")
    assert tables.upsert(plain_store, "macro", frame, LATER, "fred").unchanged == 3
    # The same vintage told otherwise is a correction from now on, once.
    corrected = vintages((day, 9.0, first), (day, 2.0, second))
    assert tables.upsert(plain_store, "macro", vintages((day, 9.0, second)), LATER, "fred").restated == 1
    assert tables.upsert(plain_store, "macro", vintages((day, 9.0, second)), LATER, "fred").unchanged == 1
    assert tables.read(plain_store, "macro", second)["value"].item() == 2.0
    assert tables.read(plain_store, "macro")["value"].item() == 9.0
    assert corrected.height == 2
    assert files(plain_store, "macro") != before


def test_a_table_never_written_is_an_empty_frame_of_its_schema(plain_store: Store) -> None:
    for name, contract in TABLES.items():
        frame = tables.read(plain_store, name)
        assert frame.is_empty()
        assert frame.columns == [*(column.name for column in contract.columns), "known_at"]


def test_tenants_do_not_see_each_other(plain_store: Store) -> None:
    other = open_store(plain_store.root, "other")
    tables.upsert(plain_store, "sales", three_years(), NOW, "a")
    assert tables.read(other, "sales").is_empty()


def test_experiments_without_a_date_are_stored_too(plain_store: Store) -> None:
    frame = pl.DataFrame(
        {
            "experiment_id": ["x"],
            "geo": ["a"],
            "arm": ["control"],
            "channel": ["tv"],
            "start": [date(2024, 1, 1)],
            "end": [date(2024, 2, 1)],
        }
    )
    assert tables.upsert(plain_store, "experiments", frame, NOW, "x").added == 1
    assert tables.upsert(plain_store, "experiments", frame, NOW, "x").unchanged == 1
    assert tables.read(plain_store, "experiments")["known_at"].item() == NOW


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(0, 59))
def test_the_hash_sees_content_alone(tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int) -> None:
    frame = three_years()[:60]
    one, two = (open_store(tmp_path_factory.mktemp("s"), "acme") for _ in range(2))
    tables.upsert(one, "sales", frame, NOW, "a")
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed).select(reversed(frame.columns))
    tables.upsert(two, "sales", shuffled[:cut], NOW, "b")
    tables.upsert(two, "sales", shuffled[cut:], LATER, "c")
    assert tables.data_hash(one, "sales") == tables.data_hash(two, "sales")
    changed = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == cut).then(None).otherwise("net_revenue").alias("net_revenue")
    )
    tables.upsert(two, "sales", changed, LATER, "d")
    assert tables.data_hash(one, "sales") != tables.data_hash(two, "sales")


DAY = date(2024, 1, 1)
GOOD = sales({("a", DAY): 1.0, ("b", DAY): 2.0})


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (GOOD.rename({"net_revenue": "net_revenu"}), ["'net_revenue' is missing", "'net_revenu'"]),
        (GOOD.with_columns(x=1), ["no column 'x'"]),
        (GOOD.with_columns(orders=pl.Series([1.0, -3.0])), ["row 2", "orders = -3.0", "negative"]),
        (GOOD.with_columns(net_revenue=pl.Series([1.0, float("nan")])), ["row 2", "nan", "finite"]),
        (GOOD.with_columns(net_revenue=pl.Series([1.0, float("inf")])), ["row 2", "inf"]),
        (GOOD.with_columns(net_revenue=pl.lit("12")), ["'net_revenue' holds text"]),
        (GOOD.with_columns(date=pl.lit("2024-01-01")), ["'date' holds text"]),
        (GOOD.with_columns(geo=pl.Series(["a", None])), ["row 2", "geo = nothing"]),
        (GOOD.with_columns(geo=pl.Series(["a", ""])), ["row 2", "geo"]),
        (GOOD.with_columns(new_customer_share=pl.lit(1.2)), ["row 1", "1.2", "between 0 and 1"]),
        (
            pl.concat([GOOD, sales({("a", DAY): 9.0})]),
            ["duplicated keys with different values", "geo a", "2024-01-01", "1.0", "9.0"],
        ),
    ],
)
def test_a_bad_frame_names_file_column_row_and_value(frame: pl.DataFrame, words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        tables.check(SALES, frame, "orders.csv")
    assert caught.value.problem.startswith("orders.csv: ")
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


def test_lossless_types_are_widened_and_repeats_counted_once(plain_store: Store) -> None:
    frame = pl.concat([GOOD, GOOD]).with_columns(
        pl.col("date").cast(pl.Datetime), pl.col("net_revenue").cast(pl.Int32), pl.col("geo").cast(pl.Categorical)
    )
    report = tables.upsert(plain_store, "sales", frame, NOW, "a")
    assert (report.rows_in, report.added, report.duplicates) == (4, 2, 2)


def test_an_instant_without_a_zone_is_refused(plain_store: Store) -> None:
    with pytest.raises(BadInput, match="time zone"):
        tables.upsert(plain_store, "sales", GOOD, NOW.replace(tzinfo=None), "a")
    with pytest.raises(BadInput, match="time zone"):
        tables.check(MACRO, vintages((DAY, 1.0, NOW.replace(tzinfo=None))), "a")


def test_damage_is_said_and_not_passed_over(plain_store: Store) -> None:
    tables.upsert(plain_store, "sales", three_years(), NOW, "a")
    damaged = next(plain_store.table("sales").glob("2023*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(StateUnusable, match="sales"):
        tables.read(plain_store, "sales")
    (plain_store.table("sales") / "manifest.json").write_text("{")
    with pytest.raises(StateUnusable, match="manifest"):
        tables.read(plain_store, "sales")


def test_readers_see_whole_tables_while_a_writer_works(plain_store: Store) -> None:
    base = three_years()
    tables.upsert(plain_store, "sales", base, NOW, "a")
    failures: list[BaseException] = []
    stop = threading.Event()

    def read_on() -> None:
        try:
            while not stop.is_set():
                levels = tables.read(plain_store, "sales")["net_revenue"] - base.sort("geo", "date")["net_revenue"]
                assert levels.n_unique() == 1
        except BaseException as error:  # noqa: BLE001  carried to the test's own thread
            failures.append(error)

    readers = [threading.Thread(target=read_on) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(1, 8):
        tables.upsert(plain_store, "sales", base.with_columns(pl.col("net_revenue") + i), NOW + timedelta(i), "a")
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures


WRITER = """
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
import polars as pl
from weathervane.store import tables
from weathervane.store.paths import open_store
root, geo = Path(sys.argv[1]), sys.argv[2]
days = [date(2022, 1, 1) + timedelta(days=i) for i in range(880)]
frame = pl.DataFrame({"geo": geo, "date": days, "category": "all", "net_revenue": 1.0})
tables.upsert(open_store(root, "acme"), "sales", frame, datetime(2024, 6, 1, tzinfo=UTC), geo)
"""


def test_two_writers_lose_nothing(plain_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tables._read_manifest

    def slowly(folder: Path) -> dict[str, str]:
        found = real(folder)
        time.sleep(0.3)  # long enough for the other writer to read the same manifest, if it may
        return found

    monkeypatch.setattr(tables, "_read_manifest", slowly)
    frames = [sales({(geo, DAY): 1.0}) for geo in ("a", "b")]
    writers = [threading.Thread(target=tables.upsert, args=(plain_store, "sales", frame, NOW, "x")) for frame in frames]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert tables.read(plain_store, "sales")["geo"].to_list() == ["a", "b"]


class Killed(BaseException):
    """Stands for a kill: nothing after it reaches the disk, not even what `finally` would tidy up."""


def die_at(monkeypatch: pytest.MonkeyPatch, last: int, *, before: bool) -> None:
    count = 0

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            if count > last or (count == last and before):
                raise Killed
            result = real(*args, **kwargs)
            if count == last:
                raise Killed
            return result

        return call

    monkeypatch.setattr(os, "fsync", dying(os.fsync))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))


@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_any_step_leaves_the_old_table_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    old = three_years()[:1760:40]
    new = old.with_columns(pl.col("net_revenue") + 1000)
    seen: list[float] = []
    finished = False
    while not finished:
        store = open_store(tmp_path / str(len(seen)), "acme")
        tables.upsert(store, "sales", old, NOW, "a")
        with monkeypatch.context() as patch:
            die_at(patch, len(seen) + 1, before=before)
            try:
                tables.upsert(store, "sales", new, LATER, "b")
                finished = True
            except Killed:
                pass
        levels = tables.read(store, "sales")["net_revenue"] - old.sort("geo", "date")["net_revenue"]
        assert levels.n_unique() == 1, f"half-written after dying at step {len(seen) + 1}"
        seen.append(levels[0])
        # The next run finishes the work and sweeps up.
        tables.upsert(store, "sales", old.with_columns(pl.col("net_revenue") + 2000), LATER, "c")
        assert not list(store.table("sales").glob(".*.tmp"))
        assert len(list(store.table("sales").glob("*.parquet"))) == 3
    assert seen == sorted(seen)
    assert len(seen) > 12
    assert {seen[0], seen[-1]} == {0.0, 1000.0}


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path, "acme")
    tables.upsert(store, "sales", three_years(), NOW, "a")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "z"])
    time.sleep(0.9)
    writer.kill()
    writer.wait()
    tables.upsert(store, "sales", sales({("q", DAY): 1.0}), LATER, "b")
    assert tables.read(store, "sales").height in {1761, 1761 + 880}


# --- what an export no longer holds -----------------------------------------------------------------------------------


def whole(
    store: Store, frame: pl.DataFrame, now: datetime, origin: str = "a.csv", step: int = 1
) -> tables.UpsertReport:
    return tables.upsert(store, "sales", frame, now, origin, step, whole=True)


def week_rows(first: date, n: int = 60) -> pl.DataFrame:
    return sales({("national", first + timedelta(days=7 * i)): float(i) for i in range(n)})


def test_weeks_dated_by_their_last_day_are_replaced_when_dated_by_their_first(plain_store: Store) -> None:
    whole(plain_store, week_rows(date(2023, 1, 8)), NOW, step=7)
    report = whole(plain_store, week_rows(date(2023, 1, 2)), LATER, step=7)
    assert (report.added, report.retired) == (60, 60)
    assert tables.read(plain_store, "sales")["date"].to_list() == week_rows(date(2023, 1, 2))["date"].to_list()
    # What was known before the correction is still what was known then.
    assert tables.read(plain_store, "sales", NOW)["date"].to_list() == week_rows(date(2023, 1, 8))["date"].to_list()
    again = whole(plain_store, week_rows(date(2023, 1, 2)), LATER + timedelta(days=1), step=7)
    assert (again.added, again.restated, again.retired, again.unchanged) == (0, 0, 0, 60)


def test_rows_come_back_after_they_were_retired(plain_store: Store) -> None:
    for i, first in enumerate((date(2023, 1, 8), date(2023, 1, 2), date(2023, 1, 8))):
        whole(plain_store, week_rows(first), NOW + timedelta(days=i), step=7)
    assert tables.read(plain_store, "sales")["date"].to_list() == week_rows(date(2023, 1, 8))["date"].to_list()


def test_an_export_replaces_only_the_span_and_the_places_it_brings(plain_store: Store) -> None:
    whole(plain_store, three_years(), NOW, "a.csv")
    year = three_years().filter((pl.col("geo") == "a") & (pl.col("date").dt.year() == 2023))
    report = whole(plain_store, year.filter(pl.col("date").dt.day() != 15), LATER, "b.csv")
    assert report.retired == 12
    assert tables.read(plain_store, "sales").height == 1760 - 12


def test_a_total_takes_the_place_of_its_parts_and_other_parts_stay(plain_store: Store) -> None:
    day: dict[tuple[str, date], float | None] = {("a", date(2024, 1, 1)): 1.0}
    parts = [sales(day).with_columns(category=pl.lit(name)) for name in ("coats", "hats", "total")]
    whole(plain_store, parts[0], NOW, "coats.csv")
    whole(plain_store, parts[1], NOW, "hats.csv")
    assert tables.read(plain_store, "sales")["category"].to_list() == ["coats", "hats"]
    assert whole(plain_store, parts[2], LATER, "all.csv").retired == 2
    assert tables.read(plain_store, "sales")["category"].to_list() == ["total"]


def test_files_from_before_rows_could_be_retired_are_read(plain_store: Store) -> None:
    whole(plain_store, three_years(), NOW)
    for path in plain_store.table("sales").glob("*.parquet"):
        pl.read_parquet(path).drop("retired").write_parquet(path)
    assert tables.read(plain_store, "sales").height == 1760
    report = whole(plain_store, three_years().filter(pl.col("date").dt.year() == 2023)[:-2], LATER)
    assert report.retired == 0
    assert report.unchanged == 728
    assert tables.read(plain_store, "sales").height == 1760
