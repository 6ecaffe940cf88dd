"""`weathervane import`: bad input is one clear sentence, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from weathervane.connectors.files import columns, sources
from weathervane.store import tables
from weathervane.store.import_notes import import_notes
from weathervane.store.paths import look_at_store

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest
DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(120)]


def sales_rows(days: list[date] = DAYS) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "day": [d for d in days for _ in "ab"],
            "region": ["north", "south"] * len(days),
            "revenue": [100.0 + i for i in range(2 * len(days))],
        }
    )


def spend_rows() -> pl.DataFrame:
    return sales_rows().select("day", "region", tv=pl.int_range(pl.len()) * 1.5, radio=pl.int_range(pl.len()) % 7 * 2.0)


def write(folder: Path, sales: pl.DataFrame | str, spend: pl.DataFrame | None = None, **changes: object) -> Path:
    """A mapping of daily sales by region (and wide spend); `changes` go into the sales source."""
    if isinstance(sales, str):
        (folder / "sales.csv").write_text(sales, encoding="utf-8")
    else:
        sales.write_csv(folder / "sales.csv")
    source = {
        "table": "sales",
        "file": "sales.csv",
        "date": {"column": "day"},
        "geo": {"column": "region"},
        "columns": {"net_revenue": "revenue"},
        **changes,
    }
    mapping = {"tenant": {"id": "acme", "name": "Acme", "currency": "USD"}, "sources": [source]}
    if spend is not None:
        spend.write_csv(folder / "spend.csv")
        wide = {"tv": "tv", "radio": "radio"}
        wide_source = {**source, "table": "spend", "file": "spend.csv", "wide": wide}
        mapping["sources"] = [source, {name: value for name, value in wide_source.items() if name != "columns"}]
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(mapping))
    return path


def stored(folder: Path) -> list[Path]:
    return list((folder / "state").rglob("*.parquet"))


def test_a_good_export_is_kept_and_said(cli: Cli, tmp_path: Path) -> None:
    mapping = write(tmp_path, sales_rows(), spend_rows())
    first = cli("import", mapping)
    assert (first.code, first.err) == (0, "")
    assert "by day, 2024-01-01 to 2024-04-29; 2 places, 1 category." in first.out
    again = json.loads(cli("import", mapping, "--json").out)
    assert {one["table"]: (one["added"], one["restated"], one["unchanged"]) for one in again["tables"]} == {
        "sales": (0, 0, 240),
        "spend": (0, 0, 480),
        "calendar": (0, 0, again["notes"][-1]["rows"]),
    }
    log = (tmp_path / "state/telemetry/ingestion/jobs.jsonl").read_text().splitlines()
    assert [json.loads(line)["table"] for line in log] == ["sales", "spend"] * 2


def test_a_dry_run_makes_nothing(cli: Cli, tmp_path: Path) -> None:
    answer = cli("import", write(tmp_path, sales_rows()), "--dry-run")
    assert answer.code == 0
    assert "Nothing was stored" in answer.out
    assert not (tmp_path / "state").exists()


def euro(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        currency=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("EUR")).otherwise(pl.lit("USD"))
    )


def text(frame: pl.DataFrame, row: int, column: str, value: str) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) == row)
        .then(pl.lit(value))
        .otherwise(pl.col(column).cast(pl.String))
        .alias(column)
    )


SALES = sales_rows()
ELSEWHERE = spend_rows().with_columns(region=pl.lit("mars"))
BAD: dict[str, tuple[dict[str, object], int, list[str]]] = {
    "missing column": (
        {"sales": SALES.rename({"revenue": "revenues"})},
        2,
        ["sales.csv: the column 'revenue' is missing", "Did you mean 'revenues'?"],
    ),
    "no common geo": ({"sales": SALES, "spend": ELSEWHERE}, 2, ["spend.csv: no place of spend (mars) has sales"]),
    "mixed currencies": ({"sales": euro(SALES)}, 2, ["sales.csv line 7", "mixed currencies", "'EUR'", "USD"]),
    "other currency": ({"sales": SALES, "currency": {"value": "EUR"}}, 2, ["sales.csv is in EUR"]),
    "duplicated keys": (
        {"sales": pl.concat([SALES, SALES[:1].with_columns(revenue=pl.lit(7.0))])},
        2,
        ["duplicated keys with different values", "geo north, date 2024-01-01", "100.0 and 7.0"],
    ),
    "two date formats": (
        {"sales": text(SALES, 3, "day", "02/01/2024")},
        2,
        ["written in two formats: '2024-01-01' (line 2) and '02/01/2024' (line 5)"],
    ),
    "both orders of day and month": (
        {"sales": text(SALES.with_columns(pl.col("day").dt.strftime("%d/%m/%Y")), 3, "day", "01/31/2024")},
        2,
        ["written in two formats", "'01/31/2024' (line 5)", "'13/01/2024'"],
    ),
    "day or month first": (
        {"sales": SALES.filter(pl.col("day").dt.day() < 12).with_columns(pl.col("day").dt.strftime("%d/%m/%Y"))},
        2,
        ["could be day first or month first", "'01/01/2024'", "`%d/%m/%Y` or `%m/%d/%Y`"],
    ),
    "no such day": ({"sales": text(SALES, 3, "day", "2024-02-31")}, 2, ["line 5", "'2024-02-31'", "not a date"]),
    "no date at all": ({"sales": SALES.with_columns(day=pl.lit("453211"))}, 2, ["line 2", "'453211'", "not a date"]),
    "days in the future": (
        {"sales": SALES.with_columns(pl.col("day") + timedelta(days=32_872))},
        2,
        ["sales go on until 2114-04-30", "after today"],
    ),
    "negative spend": (
        {"sales": SALES, "spend": spend_rows().with_columns(tv=pl.col("tv") - 3)},
        2,
        ["spend.csv line 2", "tv is '-3.0'", "spend may not be negative"],
    ),
    "text for a number": (
        {"sales": text(SALES, 3, "revenue", "n/k")},
        2,
        ["line 5", "revenue is 'n/k'", "not a number"],
    ),
    "currency sign": ({"sales": text(SALES, 3, "revenue", "€ 12")}, 2, ["line 5", "'€ 12'", "money is in USD"]),
    "thousands": ({"sales": text(SALES, 3, "revenue", "1,234.5")}, 2, ["'1,234.5'", 'thousands: ","']),
    "20 days": (
        {"sales": sales_rows(DAYS[:20])},
        3,
        ["There are 20 days of sales; a forecast needs 56", "36 more"],
    ),
    "8 weeks": (
        {"sales": sales_rows(DAYS[::7][:8]), "date": {"column": "day", "step": "week"}},
        3,
        ["There are 8 weeks of sales; a forecast needs 12"],
    ),
    "weeks called days": ({"sales": sales_rows(DAYS[::7])}, 2, ["whole weeks apart", "Write `date: {…, step: week}`"]),
    "days called weeks": (
        {"sales": SALES, "date": {"column": "day", "step": "week"}},
        2,
        ["weeks of sales start on Monday 2024-01-01 and on Tuesday 2024-01-02"],
    ),
    "empty file": ({"sales": ""}, 2, ["sales.csv is empty"]),
    "header only": ({"sales": "day,region,revenue\n"}, 2, ["sales.csv has no rows"]),
    "ragged": ({"sales": "day,region,revenue\n2024-01-01,north,1,2,3\n"}, 2, ["sales.csv cannot be read"]),
    "not a table": ({"sales": "PK\x03\x04\x00"}, 2, ["neither CSV nor Parquet"]),
    "same column twice": ({"sales": "day,region,revenue,day\n"}, 2, ["two columns named 'day'"]),
    "no file": ({"sales": SALES, "file": "nothing_*.csv"}, 2, ["'nothing_*.csv'", "does not exist"]),
    "nothing left by where": ({"sales": SALES, "where": {"region": "east"}}, 2, ["no rows to import"]),
    "unknown setting": ({"sales": SALES, "geos": {"column": "region"}}, 2, ["line", "geos", "did you mean 'geo'?"]),
    "unknown table": ({"sales": SALES, "table": "orders"}, 2, ["no table 'orders'"]),
    "sales missing": ({"sales": SALES, "table": "prices", "columns": {"price_index": "revenue"}}, 3, ["no sales"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_a_remedy_and_nothing_stored(cli: Cli, tmp_path: Path, case: str) -> None:
    changes, code, words = BAD[case]
    answer = cli("import", write(tmp_path, **changes))  # pyright: ignore[reportArgumentType]
    assert answer.code == code, answer.err
    problem, remedy = answer.err.splitlines()
    assert problem.startswith("✗ ")
    assert problem.endswith(".")
    assert remedy.startswith("→ ")
    for word in words:
        assert word in answer.err
    assert stored(tmp_path) == []
    as_json = json.loads(cli("import", tmp_path / "mapping.yaml", "--json").err)
    assert problem == f"✗ {as_json['error']}"


def test_one_bad_table_keeps_the_good_one_out_too(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path, SALES, spend_rows()))
    before = {path: path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()}
    changed = SALES.with_columns(pl.col("revenue") + 1)
    twice = pl.concat([spend_rows(), spend_rows()[:1].with_columns(tv=pl.lit(9.0))])
    for spend in (spend_rows().with_columns(tv=-1.0), twice):
        assert cli("import", write(tmp_path, changed, spend)).code == 2
    assert {path: path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("place", ["file/state", "/proc/weathervane/state"])
def test_a_state_that_cannot_be_written(cli: Cli, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    answer = cli("import", write(tmp_path, SALES), "--state", tmp_path / place)
    assert answer.code == 7
    assert "--state" in answer.err


def test_another_currency_or_another_step_is_another_tenant(cli: Cli, tmp_path: Path) -> None:
    assert cli("import", write(tmp_path, SALES)).code == 0
    weekly = cli("import", write(tmp_path, sales_rows(DAYS[::7]), date={"column": "day", "step": "week"}))
    assert (weekly.code, "those stored" in weekly.err) == (2, True)
    mapping = write(tmp_path, SALES)
    mapping.write_text(mapping.read_text().replace("USD", "EUR"))
    other = cli("import", mapping)
    assert (other.code, "keeps its money in USD" in other.err) == (2, True)


def notes(cli: Cli, mapping: Path) -> list[str]:
    answer = cli("import", mapping, "--json")
    assert answer.code == 0, answer.err
    return [f"{note['table']} {note['what']} {note['rows']} {note['why']}" for note in json.loads(answer.out)["notes"]]


def test_a_gap_of_three_weeks_is_named_and_kept_missing(cli: Cli, tmp_path: Path) -> None:
    gap = (pl.col("day") >= date(2024, 3, 1)) & (pl.col("day") <= date(2024, 3, 21)) & (pl.col("region") == "south")
    said = notes(cli, write(tmp_path, SALES.filter(~gap)))
    assert (
        "sales warning 21 gap of 21 days in south, 2024-03-01 to 2024-03-21: kept as missing, never as zero."
        in " ".join(said)
    )
    assert tables.read(look_at_store(tmp_path / "state", "acme"), "sales").height == 240 - 21


def test_an_unknown_geo_a_constant_channel_and_missing_spend_are_said(cli: Cli, tmp_path: Path) -> None:
    spend = spend_rows().with_columns(
        radio=pl.lit(5.0), tv=pl.when(pl.int_range(pl.len()) < 4).then(None).otherwise(pl.col("tv"))
    )
    mars = spend[:3].with_columns(region=pl.lit("mars"))
    said = notes(cli, write(tmp_path, SALES, pl.concat([spend, mars])))
    assert "spend dropped 6 unknown places, which have no sales: mars." in said
    assert any(note.startswith("spend warning 240 radio: spend never changes") for note in said)
    assert "spend changed 7 spend.csv: rows tv without spend are kept as unknown, not as zero." in said
    kept = tables.read(look_at_store(tmp_path / "state", "acme"), "spend")
    assert kept.filter(pl.col("channel") == "tv")["spend"].null_count() == 4


def test_what_a_price_stated_by_the_user_means_is_remembered(cli: Cli, tmp_path: Path) -> None:
    mapping = write(tmp_path, SALES, spend_rows())
    content = yaml.safe_load(mapping.read_text())
    content["sources"][1]["wide"] = {"tv": {"exposure": "tv", "cost_per_unit": 20}, "radio": "radio"}
    mapping.write_text(yaml.safe_dump(content))
    said = [note for note in notes(cli, mapping) if "tv × 20" in note]
    assert len(said) == 1
    store = look_at_store(tmp_path / "state", "acme")
    assert [note.table for note in import_notes(store) if "tv × 20" in note.why] == ["spend"]
    spend = tables.read(store, "spend").filter(pl.col("channel") == "tv").sort("date", "geo")["spend"]
    assert spend.to_list() == [i * 30.0 for i in range(240)]


def test_a_spreadsheets_semicolons_bom_and_decimal_commas(cli: Cli, tmp_path: Path) -> None:
    lines = [f"{d:%d.%m.%Y};north;1.{i:03d}.000,5" for i, d in enumerate(DAYS)]
    export = "﻿day;region;revenue\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    mapping = write(tmp_path, export, decimal=",", thousands=".")
    assert cli("import", mapping).code == 0
    frame = tables.read(look_at_store(tmp_path / "state", "acme"), "sales")
    assert frame["net_revenue"].to_list() == [1_000_000.5 + 1000 * i for i in range(120)]
    assert frame["date"].to_list() == DAYS


def test_orders_are_added_up_and_the_rest_filtered_visibly(cli: Cli, tmp_path: Path) -> None:
    rows = sales_rows()
    orders = pl.concat([rows, rows, rows.with_columns(revenue=None, region=None)], how="vertical_relaxed")
    orders = orders.with_columns(
        status=pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("void")).otherwise(pl.lit("paid"))
    )
    said = notes(cli, write(tmp_path, orders, level="orders", where={"status": ["paid"]}))
    assert "sales dropped 72 sales.csv: the mapping keeps rows where status is paid." in said
    assert "sales dropped 216 sales.csv: rows without a geo." in said
    frame = tables.read(look_at_store(tmp_path / "state", "acme"), "sales")
    paid = orders.filter(pl.col("status") == "paid").drop_nulls("region")
    assert frame["orders"].sum() == paid.height
    assert frame["net_revenue"].sum() == paid["revenue"].sum()


def test_a_day_of_orders_without_amounts_has_no_revenue_rather_than_none_of_it(cli: Cli, tmp_path: Path) -> None:
    orders = SALES.with_columns(
        pl.when(pl.col("day") == DAYS[3]).then(None).otherwise(pl.col("revenue")).alias("revenue")
    )
    said = notes(cli, write(tmp_path, orders, level="orders"))
    assert "sales changed 2 sales.csv: rows without net_revenue are left out of the sums." in said
    day = tables.read(look_at_store(tmp_path / "state", "acme"), "sales").filter(pl.col("date") == DAYS[3])
    assert (day["net_revenue"].to_list(), day["orders"].to_list()) == ([None, None], [1.0, 1.0])


def test_a_large_text_file_is_read_like_a_small_one(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_LARGE_BYTES", 0)
    cases = ("mixed currencies", "two date formats", "text for a number", "missing column", "header only", "20 days")
    for case in cases:
        changes, code, words = BAD[case]
        answer = cli("import", write(tmp_path, **changes))  # pyright: ignore[reportArgumentType]
        assert (answer.code, [word for word in words if word not in answer.err]) == (code, []), answer.err
    for export in ("day,region,revenue\n2024-01-01,north,1,2\n", "day,region,revenue\n2024-01-01\n"):
        assert "sales.csv cannot be read" in cli("import", write(tmp_path, export)).err
    (tmp_path / "sales.csv").write_bytes(b"day,region,revenue\n2024-01-01,M\xfcnchen,1\n")
    assert "There is 1 day of sales" in cli("import", tmp_path / "mapping.yaml").err
    rows = "".join(f'{d};"north\neast";{i},5\r\n' for i, d in enumerate(DAYS))
    assert cli("import", write(tmp_path, "\ufeffday;region;revenue\r\n" + rows, decimal=",")).code == 0
    frame = tables.read(look_at_store(tmp_path / "state", "acme"), "sales")
    assert frame["net_revenue"].to_list() == [i + 0.5 for i in range(120)]
    assert frame["geo"].unique().to_list() == ["north\neast"]


def test_too_many_single_rows_are_refused_before_they_fill_the_memory(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_MAX_ROWS", 100)
    answer = cli("import", write(tmp_path, SALES))
    assert (answer.code, "level: orders" in answer.err) == (2, True)


def test_an_import_killed_in_the_middle_is_finished_by_the_next(cli: Cli, tmp_path: Path) -> None:
    mapping = write(tmp_path, SALES, spend_rows())
    command = [sys.executable, "-m", "weathervane.cli.main", "import", str(mapping), "--state", str(tmp_path / "state")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "state").glob("tables/acme/sales/*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    store = look_at_store(tmp_path / "state", "acme")
    assert tables.read(store, "sales").height in {0, 240}
    assert tables.read(store, "spend").height in {0, 480}
    assert cli("import", mapping).code == 0
    assert (tables.read(store, "sales").height, tables.read(store, "spend").height) == (240, 480)


# --- imported again, and what status and train make of it -----------------------------------------------------------


def test_a_corrected_import_takes_the_place_of_the_first(cli: Cli, tmp_path: Path) -> None:
    weeks = [date(2023, 1, 8) + timedelta(days=7 * i) for i in range(60)]
    day = {"column": "day", "step": "week"}
    sales = sales_rows(weeks)
    assert cli("import", write(tmp_path, sales, date=day)).code == 0
    again = cli("import", write(tmp_path, sales, date={**day, "stamp": "end"}))
    assert (again.code, "sales: 120 rows of an earlier import" in again.out) == (0, True)
    store = look_at_store(tmp_path / "state", "acme")
    frame = tables.read(store, "sales")
    assert (frame.height, frame["net_revenue"].sum()) == (120, sales["revenue"].sum())
    assert set(frame["date"].dt.weekday()) == {1}


def test_ones_own_calendar_stands_beside_the_public_holidays(cli: Cli, tmp_path: Path) -> None:
    mapping = write(tmp_path, SALES)
    store = look_at_store(tmp_path / "state", "acme")

    def events() -> set[str]:
        return set(tables.read(store, "calendar").filter(pl.col("date") < date(2024, 2, 20))["event"])

    assert cli("import", mapping).code == 0
    built_in = events()
    assert "Washington's Birthday" in built_in
    content = yaml.safe_load(mapping.read_text())
    own = {"table": "calendar", "file": "own.csv", "date": {"column": "day"}, "event": {"column": "what"}}
    content["sources"].append({**own, "kind": {"column": "kind"}})
    mapping.write_text(yaml.safe_dump(content))
    rows = "day,what,kind\n2024-01-09,Stocktaking,closed\n2024-02-19,Presidents Day,public_holiday\n"
    (tmp_path / "own.csv").write_text(rows)
    answer = cli("import", mapping)
    assert (answer.code, "beside your own" in answer.out) == (0, True)
    assert events() == (built_in - {"Washington's Birthday"}) | {"Stocktaking", "Presidents Day"}
    (tmp_path / "own.csv").write_text("day,what,kind\n2024-01-09,Stocktaking,closed\n2024-03-01,Fair,retail_event\n")
    assert cli("import", mapping).code == 0
    assert events() == built_in | {"Stocktaking"}


def test_status_counts_weeks_that_can_be_used_and_train_does_not_go_on_without_them(cli: Cli, tmp_path: Path) -> None:
    late = spend_rows().filter(pl.col("day") >= DAYS[60])
    assert cli("import", write(tmp_path, SALES, late)).code == 0
    status = cli("status")
    assert "there are 8 weeks with known sales and known spend of every channel" in status.out
    assert "Not ready" in status.out
    train = cli("train")
    assert (train.code, "8 weeks" in train.err, "--anyway" in train.err) == (3, True, True)


def test_status_names_the_longest_gap_and_its_place(cli: Cli, tmp_path: Path) -> None:
    hole = (pl.col("day") >= date(2024, 3, 1)) & (pl.col("day") <= date(2024, 3, 21)) & (pl.col("region") == "south")
    assert cli("import", write(tmp_path, SALES.filter(~hole))).code == 0
    assert "21 days from 2024-03-01, south" in cli("status").out
