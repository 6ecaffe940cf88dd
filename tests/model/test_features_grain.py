"""The grain: the finest the data carries, one tier up where it does not, and every refusal says why."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from model.small_tables import days, observed, sales, table, tables_of
from weathervane.connectors.synthetic.world import World
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection
from weathervane.model.features.grain import as_days, select_grain, time_step

FIRST = date(2025, 1, 6)


def weeks(n: int, first: date = FIRST) -> list[date]:
    return [first + timedelta(days=7 * i) for i in range(n)]


def sold(geos: dict[str, tuple[list[date], float]], category: str = "a") -> pl.DataFrame:
    """Sales of each geo on its days, with so many orders a row."""
    return pl.concat([sales(geo, on, 1000.0, category, orders) for geo, (on, orders) in geos.items()])


def grain_of_sales(frame: pl.DataFrame) -> GrainSelection:
    return select_grain(tables_of(sales=frame))


def because(grain: GrainSelection, of: str) -> str:
    return next(one.because for one in grain.rejected if one.grain == of)


# --- worlds ---------------------------------------------------------------------------------------------------------


def test_sensitive_carries_everything(sensitive: World):
    grain = select_grain(sensitive.tables)
    assert (grain.time, grain.geo_level, grain.category_level) == ("day", "geo", "category")
    assert len(grain.geos) == 6
    assert grain.categories == ("outerwear", "rainwear", "summer")
    assert grain.channels == ("search", "social", "tv", "video")
    assert grain.n_days == 500
    assert grain.weather_complete_share == 1.0
    assert grain.rejected == ()
    assert grain.reason == "500 days of sales in 6 places, 3 categories, 4 channels; weather for 100% of the days"


def test_national_weeks_stay_weeks_in_one_place(national_weekly: World):
    grain = select_grain(national_weekly.tables)
    assert (grain.time, grain.geo_level, grain.geos) == ("week", "national", (NATIONAL,))
    assert grain.n_days == 208 * 7
    assert because(grain, "day") == "sales come one row a week"
    # A row of weekly weather is known for all of its days.
    assert grain.weather_complete_share == 1.0


def test_sparse_says_what_it_cannot_carry(sparse: World):
    grain = select_grain(sparse.tables)
    orders = sparse.tables["sales"].group_by("category").agg(weekly=pl.col("orders").mean() * 7)
    few = orders.filter(pl.col("weekly") < 5)
    assert grain.n_days == 140
    assert 0.85 < grain.weather_complete_share < 1.0
    assert (grain.category_level == "total") is (few.height * 5 > orders.height)


# --- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "enough"), [(20, False), (55, False), (56, True)])
def test_a_forecast_needs_eight_weeks_of_days(n: int, enough: bool):
    frame = sales("x", days(n, FIRST), 10.0)
    if enough:
        assert grain_of_sales(frame).n_days == n
        return
    with pytest.raises(NotEnoughData) as refusal:
        grain_of_sales(frame)
    assert refusal.value.problem == f"There are {n} days of sales; a forecast cannot be tested on fewer than 56."
    assert refusal.value.remedy == f"import {56 - n} more days of history."


@pytest.mark.parametrize(("n", "enough"), [(11, False), (12, True)])
def test_a_forecast_needs_twelve_weeks_of_weeks(n: int, enough: bool):
    frame = sales("x", weeks(n), 10.0)
    if enough:
        assert grain_of_sales(frame).n_days == 84
        return
    with pytest.raises(NotEnoughData, match="fewer than 84"):
        grain_of_sales(frame)


def test_no_sales_say_how_to_import_some():
    with pytest.raises(NotEnoughData) as refusal:
        select_grain(tables_of())
    assert "weathervane import" in refusal.value.remedy


def test_days_with_gaps_are_still_days():
    on = [day for day in days(100, FIRST) if day.weekday() != 6]
    assert time_step(sales("x", on, 1.0)) == "day"
    assert time_step(sales("x", weeks(20), 1.0)) == "week"
    assert time_step(sales("x", days(1, FIRST), 1.0)) == "day"


def test_sunday_closing_costs_no_geo_its_place():
    """Six days in seven are 86 % of the days."""
    on = [day for day in days(140, FIRST) if day.weekday() != 6]
    grain = grain_of_sales(sold({"x": (on, 50.0), "y": (on, 50.0), "z": (days(140, FIRST), 50.0)}))
    assert grain.geos == ("x", "y", "z")
    assert grain.rejected == ()


LONG = days(140, FIRST)
SHORT, STALE = LONG[40:], LONG[:124]  # 71 % of the days; 89 %, but nothing for the last sixteen
PATCHY = [day for i, day in enumerate(LONG) if i % 3 != 1]  # two days in three, from the first to the last


@pytest.mark.parametrize(
    ("on", "orders", "word"),
    [(PATCHY, 50.0, "have sales on under 85%"), (LONG, 0.5, "sell under 5 orders a week")],
)
def test_one_thin_place_of_six_is_left_out_and_two_cost_all(on: list[date], orders: float, word: str):
    fine = dict.fromkeys("abcd", (LONG, 50.0))
    one = grain_of_sales(sold({**fine, "e": (LONG, 50.0), "thin": (on, orders)}))
    assert one.geos == ("a", "b", "c", "d", "e")
    assert because(one, "geo thin") == "too thin to stand alone; left out"
    two = grain_of_sales(sold({**fine, "thin": (on, orders), "thin-2": (on, orders)}))
    assert (two.geo_level, two.geos) == ("national", (NATIONAL,))
    assert because(two, "geo").startswith(f"2 of 6 {word}")
    assert because(two, "geo").endswith("thin, thin-2")


@pytest.mark.parametrize(("on", "how"), [(SHORT, "start late"), (STALE, "stop early")])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_places_that_come_or_go_are_in_no_sum_and_cost_the_others_nothing(on: list[date], how: str, n: int):
    passing = {f"p{i}": (on, 50.0) for i in range(n)}
    grain = grain_of_sales(sold({**dict.fromkeys("abc", (LONG, 50.0)), **passing}))
    assert (grain.geos, grain.left_out, grain.since) == (("a", "b", "c"), tuple(passing), None)
    verb = how if n > 1 else how.replace(" ", "s ")
    assert f"of {3 + n} places {n} {verb} ({', '.join(passing)})" in grain.reason
    assert "left out of every figure" in grain.reason


def test_most_places_end_early():
    """28 of 88 stores go on: a sum over all would fall to a third with nobody selling less."""
    names = {f"s{i:02d}": (LONG if i < 28 else LONG[:90], 50.0) for i in range(88)}
    grain = grain_of_sales(sold(names))
    assert grain.geos == tuple(f"s{i:02d}" for i in range(28))
    assert "of 88 places 60 stop early (s28, s29, s30 and 57 more)" in grain.reason


def test_where_most_of_the_money_comes_from_places_that_started_late_the_history_starts_with_them():
    long = days(400, FIRST)
    grain = grain_of_sales(sold({"a": (long, 9.0), **{f"n{i}": (long[150 + i :], 9.0) for i in range(5)}}))
    assert (grain.since, grain.left_out, grain.n_days) == (long[154], (), 246)
    assert grain.geos == ("a", "n0", "n1", "n2", "n3", "n4")


def test_places_that_never_report_together_are_refused():
    with pytest.raises(NotEnoughData, match="No place reports its sales throughout"):
        grain_of_sales(sold({"old": (LONG[:70], 9.0), "new": (LONG[70:], 9.0)}))


def test_thin_categories_are_taken_together():
    frame = pl.concat([sales("x", LONG, 5.0, "a", 50.0), sales("x", LONG, 5.0, "b", 0.2)])
    grain = grain_of_sales(frame)
    assert (grain.category_level, grain.categories) == ("total", (TOTAL,))
    assert "orders a week: b" in because(grain, "category")


def test_a_single_thin_place_keeps_its_name():
    assert grain_of_sales(sold({"only": (LONG, 0.1)})).geos == ("only",)


def test_without_orders_nothing_is_called_thin():
    frame = sold({"x": (LONG, 50.0), "y": (LONG, 50.0)}).with_columns(orders=pl.lit(None, pl.Float64))
    assert grain_of_sales(frame).geos == ("x", "y")


def test_weeks_count_orders_by_the_week():
    grain = grain_of_sales(sold({"x": (weeks(20), 6.0), "y": (weeks(20), 6.0)}))
    assert grain.geos == ("x", "y")
    assert grain_of_sales(sold({"x": (weeks(20), 4.0), "y": (weeks(20), 6.0)})).geos == (NATIONAL,)


def test_weather_share_counts_days_with_a_temperature():
    halves = [10.0 if i % 2 else None for i in range(140)]
    frame = sold({"x": (LONG, 50.0), "y": (LONG, 50.0)})
    tables = tables_of(sales=frame, weather=pl.concat([observed("x", LONG, halves), observed("y", LONG, 5.0)]))
    assert select_grain(tables).weather_complete_share == pytest.approx(0.75)
    assert select_grain(tables_of(sales=frame)).weather_complete_share == 0.0


def test_channels_are_those_with_spend():
    spend = table("spend", geo="x", date=LONG * 2, channel=["tv"] * 140 + ["search"] * 140, spend=1.0)
    grain = select_grain(tables_of(sales=sold({"x": (LONG, 9.0)}), spend=spend))
    assert grain.channels == ("search", "tv")


def test_a_week_of_weather_is_seven_days_of_unknown_rain():
    weekly = as_days(observed("x", weeks(3), [1.0, 2.0, 3.0], 20.0)).sort("date")
    assert weekly["date"].to_list() == days(21, FIRST)
    assert weekly["temp_mean_c"].to_list() == [1.0] * 7 + [2.0] * 7 + [3.0] * 7
    assert weekly["precip_mm"].null_count() == 21
    daily = observed("x", LONG, 1.0)
    assert as_days(daily) is daily


def test_order_of_rows_changes_no_grain(sensitive: World):
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=1) for name, frame in sensitive.tables.items()}
    assert select_grain(shuffled) == select_grain(sensitive.tables)
