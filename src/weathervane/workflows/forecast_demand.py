"""Forecast demand: issue a forecast, freeze it in the ledger, and say how such forecasts have done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

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
    keep_backtest(store, made.forecast_id, issued.cells, None)
    results.keep_forecast(store, made, quality)
    detail = {"forecast_id": made.forecast_id, "model": made.model, "coverage_80": quality.coverage_80}
    record(store, Event("forecast.issued", store.tenant_id, made.issued_at, run_id, detail=detail))
    return made, quality
