"""A year of daily forecasts for 200 series, each chosen, ranged and recalibrated by what was seen: time and memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from datetime import date

import numpy as np

from benchmarks.figure import Figure
from benchmarks.forecast.public_sets import panel_of
from weathervane.model.features.build import Panel
from weathervane.model.forecast.backtest import backtest

_HORIZON = 14


def speed(n_origins: int) -> Iterator[Figure]:
    """Seconds on the clock, where two methods learn and predict side by side; CPU seconds; peak memory."""
    panel = busy_panel(20, 10, 730 + n_origins - 365)
    started, began = time.process_time(), time.perf_counter()
    ends = range(panel.n_past - _HORIZON - n_origins, panel.n_past - _HORIZON)
    made = backtest(panel, lambda n: panel.cut(n, _HORIZON), _HORIZON, ends)
    cpu, seconds = time.process_time() - started, time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    what = f"200 series, {n_origins} daily origins of {_HORIZON} days, {len(made.cells.actual):,} cells"
    yield Figure("year_of_forecasts_seconds", round(seconds, 1), "s", "≤ 60 on two cores", seconds <= 60, what)
    yield Figure("year_of_forecasts_cpu", round(cpu, 1), "CPU s", note=what)
    yield Figure("year_of_forecasts_peak", round(peak, 2), "GB", "< 1.5", peak < 1.5, what)


def busy_panel(n_geos: int, n_categories: int, n_days: int, seed: int = 0) -> Panel:
    """Series with week, season, weather, promotions, drift and noise of their own."""
    draw = np.random.default_rng(seed)
    t, shape = np.arange(n_days), (n_categories, n_geos, n_days)
    z = draw.standard_normal((n_geos, n_days))
    for i in range(1, n_days):
        z[:, i] = 0.7 * z[:, i - 1] + 0.71 * z[:, i]
    promotion = (
        np.repeat(draw.uniform(size=(n_categories, n_geos, n_days // 7 + 1)) < 0.15, 7, axis=2)[..., :n_days] * 0.2
    )
    level = draw.normal(5, 1, (n_categories, n_geos, 1)) + np.cumsum(0.004 * draw.standard_normal(shape), axis=2)
    week = draw.normal(0, 0.2, (n_categories, 1, 7))[..., t % 7]
    season = 0.2 * np.cos(2 * np.pi * t / 365.25 + draw.uniform(0, 6, (n_categories, 1, 1)))
    log = level + week + season + 2 * promotion + draw.normal(0, 0.1, (n_categories, 1, 1)) * z
    return panel_of(
        np.exp(log + draw.uniform(0.05, 0.3, (n_categories, n_geos, 1)) * draw.standard_normal(shape)),
        date(2024, 1, 1),
        _HORIZON,
        geos=tuple(f"g{i:02d}" for i in range(n_geos)),
        categories=tuple(f"k{i:02d}" for i in range(n_categories)),
        promotion=promotion,
        weather={"warm": np.maximum(z, 0), "cold": np.maximum(-z, 0)},
    )
