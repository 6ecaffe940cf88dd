"""Dates and periods of exports: days, weeks and time zones as they are meant, months refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.export_files import SALES, SPEND, WEEK, case, csv, days, read, said, sales_csv, total
from weathervane.contracts.errors import BadInput

DATES = days(60, first=date(2023, 1, 3))


@pytest.mark.parametrize(
    "form",
    ["%a %d %b %Y", "%A, %d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%m/%y", "%d.%m.%y", "%Y%m%d"],
)
def test_days_as_people_write_them(tmp_path: Path, form: str) -> None:
    rows = "\n".join(["day;sold", *(f'"{day.strftime(form)}";5' for day in DATES)])
    found = read(tmp_path, {"sales.csv": rows}, SALES)
    assert found.tables["sales"]["date"].to_list() == DATES


def test_day_numbers_of_spreadsheets(tmp_path: Path) -> None:
    rows = csv("day,sold", [((day - date(1899, 12, 30)).days, 5) for day in DATES])
    assert read(tmp_path, {"sales.csv": rows}, SALES).tables["sales"]["date"].to_list() == DATES


@pytest.mark.parametrize("form", ["%G-W%V", "%GW%V"])
def test_iso_weeks(tmp_path: Path, form: str) -> None:
    mondays = days(20, 7, date(2022, 12, 5))
    rows = csv("day,sold", [(day.strftime(form), 5) for day in mondays])
    assert read(tmp_path, {"sales.csv": rows}, {**SALES, **WEEK}).tables["sales"]["date"].to_list() == mondays
    with pytest.raises(BadInput, match="step: week"):
        read(tmp_path, {"sales.csv": rows}, SALES)


def test_months_of_the_case_are_refused() -> None:
    with pytest.raises(BadInput, match="a month apart"):
        case("import/monthly-as-days")


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ([date(2020 + i // 12, i % 12 + 1, 1).isoformat() for i in range(36)], "a month apart"),
        ([date(2020 + i // 12, i % 12 + 1, 28).isoformat() for i in range(36) if i != 7], "a month apart"),
        ([date(2015 + i // 4, 3 * (i % 4) + 1, 1).isoformat() for i in range(24)], "a quarter apart"),
        ([f"{2020 + i // 12}-{i % 12 + 1:02d}" for i in range(36)], "holds months"),
        ([date(2020 + i // 12, i % 12 + 1, 1).strftime("%b %Y") for i in range(36)], "holds months"),
    ],
)
@pytest.mark.parametrize("step", ["day", "week"])
def test_months_and_quarters(tmp_path: Path, dates: list[str], words: str, step: str) -> None:
    source = {**SALES, "date": {"column": "day", "step": step}}
    with pytest.raises(BadInput, match=words) as refusal:
        read(tmp_path, {"sales.csv": csv("day,sold", [(day, 5) for day in dates])}, source)
    assert "by day or by week" in refusal.value.remedy


def test_weeks_that_start_on_other_weekdays_in_the_case() -> None:
    with pytest.raises(BadInput, match=r"Sunday .*Monday"):
        case("import/weeks-sunday-monday")


@pytest.mark.parametrize("shift", [1, 4, 6])
def test_weeks_that_start_on_other_weekdays(tmp_path: Path, shift: int) -> None:
    weeks = days(30, 7)
    spent = csv("day,channel,cost", [(day + timedelta(days=shift), "tv", 5 + i % 3) for i, day in enumerate(weeks)])
    files = {"sales.csv": sales_csv(30, 7), "spend.csv": spent}
    with pytest.raises(BadInput) as refusal:
        read(tmp_path, files, {**SALES, **WEEK}, {**SPEND, **WEEK})
    assert f"start on {weeks[0] + timedelta(days=shift):%A}" in str(refusal.value)
    assert "Monday" in str(refusal.value)
    stored = pl.DataFrame({"geo": "national", "date": weeks, "net_revenue": 1.0})
    with pytest.raises(BadInput, match="Monday"):
        read(tmp_path, files, {**SPEND, **WEEK}, stored=stored)


def test_weekly_spend_beside_daily_sales_is_laid_on_its_days(tmp_path: Path) -> None:
    spent = csv("day,channel,cost", [(day, "tv", 70 + 7 * (i % 3)) for i, day in enumerate(days(8, 7))])
    found = read(tmp_path, {"sales.csv": sales_csv(56), "spend.csv": spent}, SALES, {**SPEND, **WEEK})
    spend = found.tables["spend"].sort("date")
    assert (spend.height, spend["spend"][0], spend["spend"].sum()) == (56, 10.0, pytest.approx(8 * 70 + 7 * 7))
    assert said(found, "laid evenly on its seven days")


def test_a_last_week_or_day_that_is_not_over_is_left_out(tmp_path: Path) -> None:
    weeks = days(20, 7)
    files = {"sales.csv": sales_csv(20, 7)}
    open_week = read(tmp_path, files, {**SALES, **WEEK}, today=weeks[-1] + timedelta(days=3))
    assert open_week.tables["sales"]["date"].max() == weeks[-2]
    assert said(open_week, f"the week of {weeks[-1]} is not over yet")
    closed_week = read(tmp_path, files, {**SALES, **WEEK}, today=weeks[-1] + timedelta(days=7))
    assert closed_week.tables["sales"]["date"].max() == weeks[-1]
    today = read(tmp_path, {"sales.csv": sales_csv(60)}, SALES, today=days(60)[-1])
    assert today.tables["sales"].height == 59


def test_orders_in_utc_belong_to_the_days_of_the_shop() -> None:
    sales = case("import/utc-orders").tables["sales"]
    assert (sales.height, sales["date"].min(), sales["date"].max()) == (120, date(2026, 6, 1), date(2026, 9, 28))
    saturday = pl.col("date").dt.weekday() == 6
    assert set(sales.filter(saturday)["net_revenue"]) == {3000.0}
    assert set(sales.filter(~saturday)["net_revenue"]) == {1000.0}


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("{}T02:00:00Z", "America/New_York", -1),
        ("{} 02:00:00 UTC", "America/New_York", -1),
        ("{}T02:00Z", "America/New_York", -1),
        ("{}T23:30:00.250+00:00", "Europe/Berlin", 1),
        ("{} 23:30:00 -0400", "America/New_York", 0),
        ("{} 23:30:00 -0400", None, 0),
        ("{}T00:00:00Z", "America/New_York", 0),
        ("{}", "America/New_York", 0),
        ("{} 23:30:00", "Asia/Tokyo", 0),
    ],
)
def test_times_with_a_zone(tmp_path: Path, written: str, zone: str | None, expected: int) -> None:
    rows = csv("day,sold", [(written.format(day), 5) for day in days(60)])
    tenant = {"time_zone": zone} if zone else {}
    found = read(tmp_path, {"sales.csv": rows}, {**SALES, "level": "orders"}, tenant=tenant)
    assert found.tables["sales"]["date"].min() == days(60)[0] + timedelta(days=expected)


def test_times_in_utc_without_a_time_zone_are_a_question(tmp_path: Path) -> None:
    rows = csv("day,sold", [(f"{day}T02:00:00Z", 5) for day in days(60)])
    found = read(tmp_path, {"sales.csv": rows}, {**SALES, "level": "orders"})
    assert said(found, "times in UTC", "time_zone")


def test_a_time_zone_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="did you mean 'America/New_York'"):
        read(tmp_path, {"sales.csv": sales_csv()}, SALES, tenant={"time_zone": "America/NewYork"})


def test_hours_are_summed_averaged_or_taken_at_their_extremes(tmp_path: Path) -> None:
    hours = [(f"{day} {hour:02d}:00", hour) for day in days(60) for hour in range(24)]
    columns = {"temp_mean_c": "t", "temp_max_c": "t", "temp_min_c": "t", "precip_mm": "t"}
    weather = {"table": "weather", "file": "w.csv", "date": {"column": "day"}, "level": "orders", "columns": columns}
    found = read(tmp_path, {"sales.csv": sales_csv(), "w.csv": csv("day,t", hours)}, SALES, weather)
    first = found.tables["weather"].row(0, named=True)
    assert [first[name] for name in columns] == [11.5, 23.0, 0.0, 276.0]
    assert said(found, "rows were averaged to days")
    sold = read(tmp_path, {"sales.csv": csv("day,sold", hours)}, {**SALES, "level": "orders"})
    assert total(sold, "sales", "net_revenue") == 60 * 276
