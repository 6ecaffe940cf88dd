"""Forecast demand: issue a forecast, freeze it in the ledger, and say how such forecasts have done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import version

import polars as pl

from weathervane.contracts.calibration import WeatherValue
from weathervane.contracts.event import Event
from weathervane.contracts.forecast import DemandForecast, ForecastQuality, WeatherCourses
from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.money import Money
from weathervane.contracts.tables import TABLES
from weathervane.model.features.grain import as_days
from weathervane.model.features.weather import fit_normals
from weathervane.model.pipeline import Tables, forecast
from weathervane.planning.request import plan_period
from weathervane.planning.weather_courses import weather_courses
from weathervane.store import results
from weathervane.store.event_log import record
from weathervane.store.forecast_ledger import inputs_of, keep_backtest, with_inputs
from weathervane.store.paths import Store
from weathervane.store.tables import read


def forecast_demand(
    store: Store, *, as_of: datetime, run_id: str, progress: Callable[[str], None] = lambda _: None
) -> tuple[DemandForecast, ForecastQuality]:
    """The forecast issued at `as_of` with its rolling-origin record; both are in the ledger when this returns."""

    def tables_at(instant: datetime) -> Tables:
        return {name: read(store, name, instant) for name in TABLES}

    issued = forecast(tables_at, store.tenant_id, as_of=as_of, progress=progress)
    courses = _courses(tables_at(as_of), issued.forecast, as_of)
    made = with_inputs(replace(issued.forecast, courses=courses), inputs_of(store, as_of, version("weathervane")))
    quality = issued.quality
    keep_backtest(store, made.forecast_id, issued.cells, _weather_value(quality, results.tenant(store).currency))
    results.keep_forecast(store, made, quality)
    detail = {"forecast_id": made.forecast_id, "model": made.model, "coverage_80": quality.coverage_80}
    record(store, Event("forecast.issued", store.tenant_id, made.issued_at, run_id, detail=detail))
    return made, quality


def _courses(tables: Tables, forecast: DemandForecast, as_of: datetime) -> WeatherCourses:
    """The courses of the weather that plans on this forecast are made over; nationally, places weighted by sales."""
    period, weather = plan_period(forecast), as_days(tables["weather"])
    normals = fit_normals(weather, period.start - timedelta(days=1))
    geos = sorted({point.geo for point in forecast.points})
    weights = None
    if geos == [NATIONAL]:
        sold = dict(tables["sales"].group_by("geo").agg(pl.col("net_revenue").sum().clip(0.0)).iter_rows())
        weights = {geo: float(sold.get(geo) or 0.0) for geo in normals["geo"].unique().to_list()}
    return weather_courses(weather, normals, geos, period, 7, as_of, weights)


def _weather_value(quality: ForecastQuality, currency: str) -> WeatherValue | None:
    """What the record of the forecast keeps of the value of weather; None where there was nothing to tell from."""
    found = quality.weather
    if found is None or found.wape_with is None or found.wape_without is None:
        return None
    saved = (found.saved_rel, found.saved_low, found.saved_high)
    amounts = (found.money, found.money_low, found.money_high)
    money = (None if each is None else Money.from_major(each, currency) for each in amounts)
    return WeatherValue(
        found.wape_with, found.wape_without, *saved, found.helps, found.sentence, *money, as_if=found.as_if
    )
