"""Calibration runs to draw and write: a simulated record, scored by the real thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from tests.model.forecast_records import cells

from weathervane.contracts.calibration import CalibrationRun, Miss, Restatement, Source, WeatherValue
from weathervane.contracts.forecast import DemandForecast, DemandPoint, ForecastInputs, Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Tenant
from weathervane.model.forecast.scores import record_of
from weathervane.model.forecast.verdict import Evidence, calibration_run

MONDAY = date(2025, 6, 2)


def forecast(model: str = "structural") -> DemandForecast:
    points = tuple(DemandPoint(geo, "hats", MONDAY, 1, Quantiles(1, 2, 3)) for geo in ("a", "b"))
    inputs = ForecastInputs("0.1.0", {}, {"tv": 700.0}, 0)
    return DemandForecast("f-1", "acme", "2025-08-30T06:00:00Z", model, 1, points, (), "forecast", "", inputs=inputs)


def a_miss(week: int, *, weather: float = -1200.0) -> Miss:
    start = MONDAY + timedelta(days=7 * week)
    parts = {"weather": weather, "plan": 300.0, "promotion": 0.0, "model": -600.0 + 100 * week}
    error = sum(parts.values())
    return Miss(Period(start, start + timedelta(days=6)), start - timedelta(days=1), 80_000.0, 80_000.0 + error, error,
                **parts, not_known=())  # fmt: skip


def weather_value(*, used: bool) -> WeatherValue:
    if used:
        return WeatherValue(0.107, 0.131, 0.024, 0.011, 0.036, True, "Weather makes the forecast better.",
                            Money(4_210_000, "EUR"), Money(1_900_000, "EUR"), Money(6_350_000, "EUR"))  # fmt: skip
    return WeatherValue(0.107, 0.106, -0.001, -0.004, 0.002, False, "The error is the same without it.")


def a_run(
    *,
    source: Source = "backtest",
    width: float = 1.0,
    n_origins: int = 16,
    weather: WeatherValue | None = None,
    with_misses: bool = True,
    **changes: object,
) -> CalibrationRun:
    """A run of a simulated record; `width` below one is too narrow."""
    made = cells(4, n_origins=n_origins, width=width, shared=0.1)
    backtest = record_of(made)
    issued = record_of(replace(made, source="ledger", raw=np.full_like(made.raw, np.nan)))
    evidence = Evidence(
        Restatement(1200, 30, 0.041, 0.043) if source == "ledger" else None,
        tuple(a_miss(i) for i in range(8)) if with_misses else (),
        source if with_misses else None,
        weather,
    )
    tenant = Tenant("acme", "Acme", "EUR", demo=True)
    records = (backtest, issued if source == "ledger" else None)
    run = calibration_run(tenant, forecast(), records, evidence, run_id="acme-0123456789abcdef",
                          generated_at="2025-08-30T06:00:00Z", data_hashes={"sales": "ab" * 32})  # fmt: skip
    return replace(run, **changes)
