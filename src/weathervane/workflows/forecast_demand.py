"""Forecast demand: issue a forecast, freeze it in the ledger, and say how such forecasts have done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

from weathervane.contracts.calibration import WeatherValue
from weathervane.contracts.event import Event
from weathervane.contracts.forecast import DemandForecast, ForecastQuality
from weathervane.contracts.tables import TABLES
from weathervane.model.pipeline import Tables, forecast
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
    made = with_inputs(issued.forecast, inputs_of(store, as_of, version("weathervane")))
    quality = issued.quality
    keep_backtest(store, made.forecast_id, issued.cells, _weather_value(quality))
    results.keep_forecast(store, made, quality)
    detail = {"forecast_id": made.forecast_id, "model": made.model, "coverage_80": quality.coverage_80}
    record(store, Event("forecast.issued", store.tenant_id, made.issued_at, run_id, detail=detail))
    return made, quality


def _weather_value(quality: ForecastQuality) -> WeatherValue | None:
    """What the record of the forecast keeps of the value of weather; None where there was nothing to tell from."""
    found = quality.weather
    if found is None or found.wape_with is None or found.wape_without is None:
        return None
    saved = (found.saved_rel, found.saved_low, found.saved_high)
    return WeatherValue(found.wape_with, found.wape_without, *saved, found.helps, found.sentence)
