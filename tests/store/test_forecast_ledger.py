"""The forecast ledger: nothing issued changes, actuals join later, and a restated day keeps both its values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy import text
from store_documents import quality, tenant

from weathervane.contracts.calibration import ForecastCells, WeatherValue
from weathervane.contracts.errors import StateUnusable
from weathervane.contracts.forecast import DemandForecast, DemandPoint, Quantiles
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.store import ledger, results, tables
from weathervane.store.forecast_ledger import actual_cells, backtest_of, inputs_of, keep_backtest
from weathervane.store.paths import Store

GEOS, CATEGORIES = ("a", "b"), ("hats", "shoes")
FIRST = date(2024, 5, 1)  # of sales, a Wednesday
ORIGIN = date(2024, 5, 29)
HORIZON = 3


def morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=6)


def sold(geo: str, category: str, day: date) -> float:
    return 100.0 * (1 + GEOS.index(geo)) + 10 * CATEGORIES.index(category) + day.day


def sell(store: Store, first: date, last: date, now: datetime, *, more: float = 0.0, skip: str = "") -> None:
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    rows = [(geo, day, k, sold(geo, k, day) + more) for geo in GEOS for k in CATEGORIES for day in days if geo != skip]
    frame = pl.DataFrame(rows, schema=["geo", "date", "category", "net_revenue"], orient="row")
    tables.upsert(store, "sales", frame, now, "export")


def point(geo: str, category: str, day: date, lead: int, middle: float) -> DemandPoint:
    fan = tuple(middle + step for step in (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0))
    return DemandPoint(geo, category, day, lead, Quantiles(fan[1], middle, fan[5]), fan)


def forecast(origin: date = ORIGIN, forecast_id: str = "f-1", **changes: object) -> DemandForecast:
    days = [(lead, origin + timedelta(days=lead)) for lead in range(1, HORIZON + 1)]
    made = DemandForecast(
        forecast_id,
        "acme",
        morning(origin + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "m",
        1,
        tuple(point(g, k, day, lead, sold(g, k, day) + 0.5) for lead, day in days for g in GEOS for k in CATEGORIES),
        tuple(point(NATIONAL, TOTAL, day, lead, 700.0) for lead, day in days),
        "none",
        "no weather",
    )
    return replace(made, **changes)


@pytest.fixture
def ready(plain_store: Store) -> Store:
    results.keep_tenant(plain_store, tenant())
    sell(plain_store, FIRST, ORIGIN, morning(ORIGIN + timedelta(days=1)))
    results.keep_forecast(plain_store, forecast(), quality())
    return plain_store


def cells_of(store: Store, at: date, **options: str) -> ForecastCells:
    found = actual_cells(store, morning(at), **options)  # pyright: ignore[reportArgumentType]
    assert found is not None
    return found


def test_actuals_join_as_days_come_to_an_end(ready: Store) -> None:
    before = cells_of(ready, ORIGIN + timedelta(days=1))
    assert len(before.actual) == HORIZON * (4 + 1)
    assert np.isnan(before.actual).all()
    sell(ready, ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=2), morning(ORIGIN + timedelta(days=3)))
    after = cells_of(ready, ORIGIN + timedelta(days=3))
    assert np.isfinite(after.actual[after.lead <= 2]).all()
    assert np.isnan(after.actual[after.lead == 3]).all()
    series = np.array([geo != NATIONAL for geo in after.geos])[after.geo]
    one = series & (after.lead == 1)
    assert after.quantiles[one, 3] - after.actual[one] == pytest.approx(0.5)
    day = ORIGIN + timedelta(days=1)
    assert after.actual[~series & (after.lead == 1)] == sum(sold(g, k, day) for g in GEOS for k in CATEGORIES)
    # As of an earlier morning nothing of it is known.
    assert np.isnan(cells_of(ready, ORIGIN + timedelta(days=1)).actual).all()


def test_a_day_that_is_not_over_is_not_scored_and_a_sum_needs_all_its_parts(ready: Store) -> None:
    day = ORIGIN + timedelta(days=1)
    noon = morning(day) + timedelta(hours=6)
    sell(ready, day, day, noon, skip="b")
    so_far = actual_cells(ready, noon + timedelta(hours=1))
    assert so_far is not None
    assert np.isnan(so_far.actual).all()
    known = cells_of(ready, day + timedelta(days=1))
    there = np.isfinite(known.actual)
    assert {known.geos[g] for g in known.geo[there]} == {"a"}


def test_restated_actuals_keep_both_values(ready: Store) -> None:
    day = ORIGIN + timedelta(days=1)
    sell(ready, day, day, morning(day + timedelta(days=1)))
    sell(ready, day, day, morning(day + timedelta(days=4)), more=7.0)
    at = day + timedelta(days=5)
    first, latest = cells_of(ready, at, version="first"), cells_of(ready, at)
    known = np.isfinite(latest.actual)
    series = np.array([geo != NATIONAL for geo in latest.geos])[latest.geo]
    assert (latest.actual - first.actual)[known & series] == pytest.approx(7.0)
    assert (latest.actual - first.actual)[known & ~series] == pytest.approx(28.0)
    assert np.array_equal(first.floor, latest.floor)
    # Before the restatement both are what was known.
    early = cells_of(ready, day + timedelta(days=2))
    assert np.array_equal(
        early.actual, cells_of(ready, day + timedelta(days=2), version="first").actual, equal_nan=True
    )


def test_the_floor_is_a_week_ago_and_the_scale_the_usual_change_over_a_week(ready: Store) -> None:
    found = cells_of(ready, ORIGIN + timedelta(days=1))
    series = np.array([geo != NATIONAL for geo in found.geos])[found.geo]
    for i in np.flatnonzero(series):
        like = found.date[i].astype(object) - timedelta(days=7)
        assert found.floor[i] == sold(found.geos[found.geo[i]], found.categories[found.category[i]], like)
    # Sales rise by one a day.
    assert found.scale[series] == pytest.approx(7.0)
    assert found.scale[~series] == pytest.approx(28.0)


def test_issuing_again_adds_nothing_and_a_later_one_of_the_same_day_counts(ready: Store) -> None:
    results.keep_forecast(ready, forecast(), quality())
    at = ORIGIN + timedelta(days=1)
    assert len(cells_of(ready, at).actual) == HORIZON * 5
    again = forecast(forecast_id="f-2", issued_at="2024-05-30T09:00:00Z", total=())
    results.keep_forecast(ready, again, quality())
    later = actual_cells(ready, morning(at) + timedelta(hours=6))
    assert later is not None
    assert len(later.actual) == HORIZON * 5
    # Issued after that instant, it does not exist yet.
    assert len(results.forecasts(ready, "2024-01-01T00:00:00Z", "2024-05-30T08:59:59Z")) == 1


def test_forecasts_without_quantiles_and_of_another_step_are_left_out(plain_store: Store) -> None:
    results.keep_tenant(plain_store, tenant())
    assert actual_cells(plain_store, morning(ORIGIN)) is None
    old = forecast()
    bare = tuple(replace(each, fan=()) for each in old.points)
    results.keep_forecast(plain_store, replace(old, points=bare), quality())
    assert actual_cells(plain_store, morning(ORIGIN + timedelta(days=2))) is None


@pytest.mark.parametrize("column", ["document", "quality"])
def test_a_forecast_changed_behind_our_back_is_detected(ready: Store, column: str) -> None:
    with ledger.transaction(ready.database_url) as session:
        session.execute(text(f"UPDATE forecasts SET {column} = replace({column}, '0', '1')"))
    with pytest.raises(StateUnusable, match="does not match its hash"):
        actual_cells(ready, morning(ORIGIN + timedelta(days=2)))


def test_no_tenant_scores_anothers_forecasts(ready: Store) -> None:
    other = Store(ready.root, "other", ready.database_url)
    assert actual_cells(other, morning(ORIGIN + timedelta(days=2))) is None


def test_the_inputs_are_those_known_then(ready: Store) -> None:
    at = morning(ORIGIN + timedelta(days=1))
    spend = pl.DataFrame({"geo": ["a"] * 40, "date": [ORIGIN - timedelta(days=i) for i in range(40)],
                          "channel": ["tv"] * 40, "spend": [10.0] * 40})  # fmt: skip
    tables.upsert(ready, "spend", spend, at, "export")
    coming = pl.DataFrame({"geo": ["a", "a"], "date": [ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=2)],
                           "category": ["hats"] * 2, "depth_share": [0.2, 0.2]})  # fmt: skip
    tables.upsert(ready, "promotions", coming.with_columns(known_at=pl.lit(at)), at, "export")
    found = inputs_of(ready, at, "1.0")
    assert found.weekly_spend == {"tv": 70.0}
    assert found.promotion_rows == 2
    assert found.data_hashes["sales"] == tables.data_hash(ready, "sales", at)
    sell(ready, ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=1), at + timedelta(days=1))
    assert inputs_of(ready, at, "1.0") == found
    kept = forecast(ORIGIN, "f-3", inputs=found)
    results.keep_forecast(ready, kept, quality())
    assert results.forecasts(ready, "2024-01-01", "2025-01-01")[-1].inputs == found


def test_a_backtest_is_kept_with_its_forecast(ready: Store) -> None:
    cells = replace(cells_of(ready, ORIGIN + timedelta(days=1)), source="backtest")
    value = WeatherValue(0.1, 0.2, 0.1, 0.05, 0.15, True, "It helps.")
    assert backtest_of(ready, "f-1") is None
    keep_backtest(ready, "f-1", cells, value)
    found = backtest_of(ready, "f-1")
    assert found is not None
    assert found[1] == value
    assert (found[0].geos, found[0].source, found[0].step_days) == (cells.geos, "backtest", 1)
    for name in ("origin", "date", "lead", "geo", "category", "quantiles", "raw", "floor", "actual", "scale"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(cells, name))
    before = ready.backtest.read_bytes()
    keep_backtest(ready, "f-1", cells, value)
    assert ready.backtest.read_bytes() == before
    assert backtest_of(ready, "f-2") is None
    ready.backtest.write_bytes(before[:-100])
    with pytest.raises(StateUnusable, match="damaged"):
        backtest_of(ready, "f-1")
