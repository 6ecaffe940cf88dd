"""No forecast knows what was known later: planted in every table, data of after the issue moves nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weathervane.contracts.forecast import DemandForecast, ForecastQuality
from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import Tenant
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.store import results
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import read, upsert
from weathervane.workflows.forecast_demand import forecast_demand

FIRST, N, AHEAD = date(2026, 1, 5), 154, 21
NOW = datetime.combine(FIRST + timedelta(days=N), datetime.min.time(), UTC) + timedelta(hours=6)
GEOS, CATEGORIES = ("oslo", "rome"), ("hats", "ice")
DAYS = [FIRST + timedelta(days=i) for i in range(N + AHEAD)]
Frames = dict[str, pl.DataFrame]


def known(frame: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    """Known at five in the morning of a day."""
    at = day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + pl.duration(hours=5)
    return frame.with_columns(known_at=at)


def grid(days: list[date] = DAYS, **names: tuple[str, ...]) -> pl.DataFrame:
    frame = pl.DataFrame({"date": days})
    for name, values in names.items():
        frame = frame.join(pl.DataFrame({name: values}), how="cross")
    return frame


def world() -> Frames:
    """Every table a forecast reads, each row known when it was: outcomes the day after, plans long before.

    Sales follow the weekday, warmth, spend, promotions, prices, a fair and what is in stock.
    """
    draw = np.random.default_rng(3)
    dated, past = pl.col("date"), pl.col("date") < NOW.date()
    tomorrow, long_before = dated + pl.duration(days=1), pl.lit(FIRST) - pl.duration(days=30)

    def drawn(low: float, high: float) -> pl.Series:
        return pl.Series(draw.uniform(low, high, len(series)))

    series = grid(geo=GEOS, category=CATEGORIES).sort("date", "geo", "category")
    off, price, stock = drawn(0, 1), drawn(0.8, 1.2), drawn(0.8, 1.0)
    whole = series.with_columns(
        depth_share=(off > 0.9) * 0.2, price_index=price, in_stock_share=1 - (stock < 0.82) * 0.3
    )
    # A year of weather before the first sale tells what is normal.
    places = grid([FIRST - timedelta(days=i) for i in range(400, 0, -1)] + DAYS, geo=GEOS).sort("date", "geo")
    places = places.with_columns(
        temp_mean_c=pl.Series(10 + 5 * draw.standard_normal(len(places))),
        spend=pl.Series(draw.uniform(0, 20, len(places))),
        fair=dated.dt.day() % 9 == 0,
    )
    whole = whole.join(places, on=["date", "geo"])
    log = 0.3 * (dated.dt.weekday() > 5) + 0.08 * pl.col("temp_mean_c") + 0.3 * (1 + pl.col("spend")).log()
    log += 2 * pl.col("depth_share") - 2 * pl.col("price_index") + 0.3 * pl.col("fair") + pl.col("in_stock_share").log()
    sold = whole.with_columns(net_revenue=100 * log.exp() * pl.Series(np.exp(0.03 * draw.standard_normal(len(whole)))))
    observed = places.select("date", "geo", "temp_mean_c", lead_days=pl.lit(0), member=pl.lit(0), precip_mm=pl.lit(1.0))
    observed = observed.with_columns(issued_at=pl.lit(None, pl.Datetime("us", "UTC")))
    forecasts = pl.concat(
        known(observed.with_columns(lead_days=pl.lit(lead)), dated - pl.duration(days=lead - 1)) for lead in range(1, 8)
    ).with_columns(issued_at=pl.col("known_at"))
    fairs = places.filter("fair").select("date", "geo", event=pl.lit("fair"), kind=pl.lit("retail_event"))
    keys = ("date", "geo", "category")
    return {
        "sales": known(sold.filter(past).select(*keys, "net_revenue"), tomorrow),
        "spend": known(places.filter(past).select("date", "geo", "spend", channel=pl.lit("search")), tomorrow),
        "weather": pl.concat([known(observed.filter(past), tomorrow), forecasts.filter(pl.col("known_at") < NOW)]),
        "calendar": known(fairs, long_before),
        "promotions": known(whole.filter(pl.col("depth_share") > 0).select(*keys, "depth_share"), long_before),
        "prices": known(whole.select(*keys, "price_index"), long_before),
        "inventory": known(whole.filter(past).select(*keys, "in_stock_share"), tomorrow),
    }


def planted(frames: Frames, at: datetime) -> Frames:
    """Every row again with other values, and whatever the days ahead would bring, all known at one instant."""
    other = {
        "net_revenue": 9.0,
        "spend": 50.0,
        "temp_mean_c": -1.0,
        "depth_share": 3.0,
        "price_index": 2.0,
        "in_stock_share": 0.3,
    }
    out: Frames = {}
    for name, frame in frames.items():
        later = frame.with_columns(date=pl.col("date") + pl.duration(days=AHEAD)).filter(pl.col("date") <= DAYS[-1])
        both = pl.concat([frame, later]).unique(TABLES[name].key, keep="first", maintain_order=True)
        if name == "calendar":
            both = both.with_columns(date=pl.col("date") + pl.duration(days=2))
        changes = {column: pl.col(column) * by for column, by in other.items() if column in both.columns}
        out[name] = both.with_columns(known_at=pl.lit(at), **changes)
    return out


def keep(store: Store, frames: Frames) -> None:
    for name, frame in frames.items():
        upsert(store, name, frame, NOW + timedelta(hours=1), "export")


def issue(store: Store) -> tuple[DemandForecast, ForecastQuality]:
    return forecast_demand(store, as_of=NOW, run_id="night")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(tmp_path / "state", "acme")
    results.keep_tenant(made, Tenant("acme", "Acme", "EUR", demo=False))
    keep(made, world())
    return made


@pytest.mark.slow
def test_what_was_known_after_the_issue_moves_no_forecast(store: Store) -> None:
    before = issue(store)
    assert {name for name in TABLES if not read(store, name, NOW).is_empty()} >= set(world())
    keep(store, planted(world(), NOW + timedelta(minutes=1)))
    assert issue(store) == before
    assert all(not read(store, name, NOW + timedelta(hours=2)).equals(read(store, name, NOW)) for name in world())


def test_the_same_known_before_the_issue_moves_its_panel(store: Store) -> None:
    """So that the test above could fail by each table: all that a forecast knows is in its panel."""
    tables = {name: read(store, name, NOW) for name in TABLES}
    before = panel_at(tables)
    for name, frame in planted(world(), NOW - timedelta(minutes=1)).items():
        keep(store, {name: frame})
        after = panel_at({**tables, name: read(store, name, NOW)})
        assert any(not np.array_equal(vars(after)[each], value, equal_nan=True) for each, value in arrays(before)), name


def panel_at(tables: Frames) -> Panel:
    return build_panel(tables, select_grain(tables), as_of=NOW, step_days=1, horizon=14)


def arrays(panel: Panel) -> list[tuple[str, np.ndarray]]:
    return [
        (name, value)
        for name, value in vars(panel).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    ]
