"""Coverage: the weeks that a fit can use, the longest gap of any place, and what to do where there are too few."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from weathervane.contracts.readiness import Requirement
from weathervane.contracts.tables import TABLES
from weathervane.store.coverage import coverage, judge, usable_weeks

FIRST = date(2026, 1, 5)
TYPES = {"text": pl.String, "date": pl.Date, "float": pl.Float64, "int": pl.Int64, "instant": pl.Datetime("us", "UTC")}


def rows(table: str, n: int, step: int = 1, first: date = FIRST, **values: object) -> pl.DataFrame:
    contract = TABLES[table]
    dates = [first + timedelta(days=step * i) for i in range(n)]
    frame = pl.DataFrame({"date": dates}, schema={"date": pl.Date})
    given = {name: pl.lit(value) for name, value in {"geo": "national", "category": "total", **values}.items()}
    frame = frame.with_columns(
        **{name: value for name, value in given.items() if name in contract.key or name in values}
    )
    missing = {c.name: pl.lit(None, TYPES[c.kind]) for c in contract.columns if c.name not in frame.columns}
    return frame.with_columns(**missing).select(c.name for c in contract.columns)  # pyright: ignore[reportArgumentType]  dtypes


def media(sales: pl.DataFrame, spend: pl.DataFrame) -> Requirement:
    frames = {name: rows(name, 0) if "date" in contract.key else pl.DataFrame() for name, contract in TABLES.items()}
    judged = judge("acme", FIRST, {**frames, "sales": sales, "spend": spend})
    return next(one for one in judged.requirements if one.purpose == "media")


def spend_rows(n: int, step: int = 1, first: date = FIRST, **values: object) -> pl.DataFrame:
    made = rows("spend", n, step, first, **{"channel": "tv", **values})
    return made.with_columns(spend=(pl.col("date").dt.ordinal_day() % 5).cast(pl.Float64))


def test_weeks_with_a_day_missing_are_not_used() -> None:
    sales = rows("sales", 280, net_revenue=5.0)
    assert usable_weeks(sales, spend_rows(280)).height == 40
    closed = sales.filter(pl.col("date").dt.weekday() != 7)
    assert media(closed, spend_rows(280)).met is False
    # Without the last Sunday the last day of sales is a Saturday, and no week of seven days is whole.
    assert "there are 0 weeks with known sales" in media(closed, spend_rows(280)).sentence


def test_weeks_that_lack_one_channel_of_two_are_not_used() -> None:
    sales = rows("sales", 60, 7, net_revenue=5.0)
    both = pl.concat([spend_rows(60, 7), spend_rows(60, 7, channel="radio")[::3]])
    assert "there are 20 weeks" in media(sales, both).sentence
    assert "missing: zero" in media(sales, both).remedy


def test_weeks_that_start_on_other_weekdays_are_not_the_same_weeks() -> None:
    sunday = media(rows("sales", 60, 7, net_revenue=5.0), spend_rows(60, 7, FIRST - timedelta(days=1)))
    assert not sunday.met
    assert "weeks of sales start on Monday, weeks of spend on Sunday" in sunday.sentence
    assert "more week" not in sunday.remedy


def test_weekly_spend_beside_daily_sales() -> None:
    found = media(rows("sales", 280, net_revenue=5.0), spend_rows(40, 7))
    assert (found.met, found.remedy) == (False, "import the spend by day, as the sales are.")


def test_a_place_that_lacks_a_channel_altogether_is_named() -> None:
    sales = pl.concat([rows("sales", 60, 7, geo=geo, net_revenue=5.0) for geo in ("a", "b")])
    spend = pl.concat(
        [
            spend_rows(60, 7, geo="a"),
            spend_rows(60, 7, geo="b", channel="radio"),
            spend_rows(60, 7, geo="a", channel="radio"),
        ]
    )
    found = media(sales, spend)
    assert not found.met
    assert "b has no week" in found.sentence
    assert "tv" in found.remedy


@pytest.mark.parametrize("blank", [True, False])
@pytest.mark.parametrize(("table", "value"), [("weather", "temp_mean_c"), ("sales", "net_revenue")])
def test_the_longest_gap_is_of_any_place(table: str, value: str, blank: bool) -> None:
    fixed: dict[str, Any] = {"lead_days": 0, "member": 0} if table == "weather" else {}
    fixed[value] = 5.0
    frame = pl.concat([rows(table, 100, geo=geo, **fixed) for geo in ("a", "b")])
    hole = (pl.col("geo") == "b") & pl.col("date").is_between(FIRST + timedelta(days=10), FIRST + timedelta(days=84))
    emptied = frame.with_columns(pl.when(~hole).then(pl.col(value)).alias(value))
    frame = emptied if blank else frame.filter(~hole)
    found = coverage(table, frame)
    assert (found.gaps[0].n_days, found.gaps[0].start, found.gap_geos[0]) == (75, FIRST + timedelta(days=10), "b")
