"""Missing rows of exports: what platforms and shops leave out is zero, said with counts; the rest stays unknown."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from connectors.export_files import SALES, SPEND, WEEK, case, csv, days, read, said, sales_csv, total


def test_weeks_without_a_row_of_a_channel_are_weeks_without_spend() -> None:
    found = case("import/zero-weeks-left-out")
    assert found.tables["spend"].height == 208
    assert said(found, "search: 57 weeks have no row and count as no spend")


def long_spend(step: int = 1, n: int = 60) -> str:
    """tv runs on every third date from the tenth on, radio on all."""
    rows = [(day, "radio", 5 + i % 4) for i, day in enumerate(days(n, step))]
    return csv("day,channel,cost", [*rows, *((day, "tv", 30) for day in days(n, step)[9::3])])


@pytest.mark.parametrize("step", [1, 7])
def test_a_channel_that_pauses_and_starts_late(tmp_path: Path, step: int) -> None:
    how = WEEK if step == 7 else {}
    files = {"sales.csv": sales_csv(step=step), "spend.csv": long_spend(step)}
    found = read(tmp_path, files, {**SALES, **how}, {**SPEND, **how})
    tv = found.tables["spend"].filter(pl.col("channel") == "tv")
    assert (tv.height, tv["spend"].sum(), (tv["spend"] == 0).sum()) == (60, 17 * 30, 43)
    assert said(found, f"tv: 43 {'week' if step == 7 else 'day'}s have no row")


def test_a_source_that_leaves_out_what_it_does_not_know(tmp_path: Path) -> None:
    files = {"sales.csv": sales_csv(), "spend.csv": long_spend()}
    found = read(tmp_path, files, SALES, {**SPEND, "missing": "unknown"})
    assert found.tables["spend"].filter(pl.col("channel") == "tv").height == 17
    assert not said(found, "count as no spend")


def test_a_channel_never_bought_in_a_place_is_no_spend_there(tmp_path: Path) -> None:
    places = {"geo": {"column": "where"}}
    sold = csv("day,where,sold", [(day, geo, 100) for day in days(60) for geo in ("a", "b", "c")])
    spent = [(day, geo, name, 7) for day in days(60) for geo in ("a", "b") for name in ("tv", "radio")]
    spent += [(day, "c", "radio", 3) for day in days(60)]
    files = {"sales.csv": sold, "spend.csv": csv("day,where,channel,cost", spent)}
    found = read(tmp_path, files, {**SALES, **places}, {**SPEND, **places})
    tv = found.tables["spend"].filter((pl.col("geo") == "c") & (pl.col("channel") == "tv"))
    assert (tv.height, tv["spend"].sum()) == (60, 0.0)
    assert said(found, "tv: 60 days in c have no row")


def test_closed_days_are_days_without_sales() -> None:
    found = case("import/closed-on-sundays")
    sunday = found.tables["sales"].filter(pl.col("date").dt.weekday() == 7)
    assert (sunday.height, sunday["net_revenue"].sum()) == (59, 0.0)
    assert said(found, "59 days have no row and count as no sales")


def test_weekends_of_three_regions(tmp_path: Path) -> None:
    open_days = [day for day in days(70) if day.weekday() < 5]
    sold = csv("day,where,sold", [(day, geo, 100) for day in open_days for geo in ("a", "b", "c")])
    found = read(tmp_path, {"sales.csv": sold}, {**SALES, "geo": {"column": "where"}})
    # The last weekend lies behind the last row.
    assert found.tables["sales"].height == 3 * 68
    assert total(found, "sales", "net_revenue") == 3 * 50 * 100
    assert said(found, "18 days in a, 18 days in b, 18 days in c have no row")


def test_a_long_hole_in_a_place_that_reports_is_no_closure(tmp_path: Path) -> None:
    gone = set(days(60)[20:40])
    sold = csv("day,where,sold", [(d, g, 100) for d in days(60) for g in ("a", "b") if g == "a" or d not in gone])
    source = {**SALES, "geo": {"column": "where"}}
    found = read(tmp_path, {"sales.csv": sold}, source)
    assert found.tables["sales"].height == 100
    assert said(found, "gap of 20 days in b", "missing: zero")
    stated = read(tmp_path, {"sales.csv": sold}, {**source, "missing": "zero"})
    assert stated.tables["sales"].height == 120


def test_a_shop_that_sells_now_and_then_sold_nothing_between(tmp_path: Path) -> None:
    rows = [(day, 50) for i, day in enumerate(days(120)) if i % 9 == 0 or i < 2 or i == 119]
    found = read(tmp_path, {"sales.csv": csv("day,sold", rows)}, SALES)
    assert (found.tables["sales"].height, total(found, "sales", "net_revenue")) == (120, 50.0 * len(rows))


def test_spend_after_the_end_of_its_file_is_not_known(tmp_path: Path) -> None:
    files = {"sales.csv": sales_csv(90), "spend.csv": long_spend()}
    found = read(tmp_path, files, SALES, SPEND)
    assert found.tables["spend"]["date"].max() == date(2024, 2, 29)
    assert said(found, "radio: its file ends on 2024-02-29, 30 days before the sales do")


def test_weather_and_prices_stay_unknown(tmp_path: Path) -> None:
    weather = csv("day,temp", [(day, 5) for day in days(60)[::2]])
    prices = csv("day,price", [(day, 1) for day in days(60)[::2]])
    found = read(
        tmp_path,
        {"sales.csv": sales_csv(), "weather.csv": weather, "prices.csv": prices},
        SALES,
        {"table": "weather", "file": "weather.csv", "date": {"column": "day"}, "columns": {"temp_mean_c": "temp"}},
        {"table": "prices", "file": "prices.csv", "date": {"column": "day"}, "columns": {"price_index": "price"}},
    )
    assert (found.tables["weather"].height, found.tables["prices"].height) == (30, 30)
