"""Calibrate the forecast: the last backtest and the ledger of issued forecasts become one measured record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from weathervane.contracts.calibration import CalibrationRun, ForecastCells, Miss
from weathervane.contracts.errors import NotFound
from weathervane.contracts.event import Event
from weathervane.contracts.forecast import DemandForecast
from weathervane.model.forecast.attribution import Sensitivities, Tables, misses
from weathervane.model.forecast.scores import record_of
from weathervane.model.forecast.verdict import Evidence, calibration_run, restatement_of
from weathervane.store import model_registry, results
from weathervane.store.calibration import keep_calibration
from weathervane.store.event_log import record
from weathervane.store.forecast_ledger import actual_cells, backtest_of
from weathervane.store.paths import Store
from weathervane.store.tables import data_hash, read

_EXPLAIN = ("sales", "spend", "weather", "promotions")  # what a miss is explained by


def calibrate_forecast(
    store: Store, *, as_of: datetime, run_id: str, progress: Callable[[str], None] = lambda _: None
) -> CalibrationRun:
    """Scores what was forecast against what is known at `as_of`; the run is stored when this returns.

    Forecast and data name the run, so that the same calibration again changes nothing. Raises NotFound before a
    forecast is issued, NotEnoughData where no day that was forecast has come and there is no backtest.
    """
    forecast, _ = results.latest_forecast(store)
    data_hashes = {name: data_hash(store, name, as_of) for name in _EXPLAIN}
    progress("scoring forecasts")
    kept = backtest_of(store, forecast.forecast_id)
    rehearsed, weather_value = kept or (None, None)
    issued = actual_cells(store, as_of)
    first = actual_cells(store, as_of, "first")
    ledger = None if issued is None else record_of(issued)
    told = issued if ledger is not None else rehearsed
    progress("looking into misses")
    run = calibration_run(
        results.tenant(store),
        forecast,
        (None if rehearsed is None else record_of(rehearsed), ledger),
        Evidence(
            restatement=restatement_of(first, issued) if ledger is not None and first and issued else None,
            misses=() if told is None else _misses(store, told, forecast, as_of),
            misses_of=None if told is None else told.source,
            weather_value=weather_value,
        ),
        run_id=_run_id(forecast, data_hashes),
        generated_at=as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        data_hashes=data_hashes,
    )
    stored = keep_calibration(store, run)
    detail = {"calibration": stored.run_id, "status": stored.status, "coverage_p10_p90": stored.coverage_p10_p90}
    record(store, Event("forecast.calibrated", store.tenant_id, run.generated_at, run_id, detail=detail))
    return stored


def _misses(store: Store, cells: ForecastCells, forecast: DemandForecast, as_of: datetime) -> tuple[Miss, ...]:
    def tables_at(instant: datetime) -> Tables:
        return {name: read(store, name, instant) for name in _EXPLAIN}

    uses_weather = forecast.weather_source == "forecast"
    try:
        fit, curves = model_registry.champion(store)
    except NotFound:
        given = Sensitivities((), None, {}, uses_weather)
    else:
        half_lives = {shape.channel: shape.half_life_days for shape in fit.shapes}
        given = Sensitivities(fit.weather.effects, curves, half_lives, uses_weather)
    return misses(cells, tables_at, as_of, given)


def _run_id(forecast: DemandForecast, data_hashes: dict[str, str]) -> str:
    named = repr((forecast.forecast_id, sorted(data_hashes.items())))
    return f"{forecast.tenant_id}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
