"""Broken pasts: closed weeks, falls, reopened and intermittent places, one year alone; do ranges hold, and how high?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure
from benchmarks.forecast.public_sets import panel_of
from weathervane.contracts.forecast import LEVELS
from weathervane.model.forecast.backtest import backtest
from weathervane.model.forecast.breaks import mended
from weathervane.model.forecast.candidates import fit

Floats = NDArray[np.float64]
_HORIZON, _SERIES = 14, 6
_HIGHEST = 3.0  # times the most ever sold
_AT_MOST = {"fall": 1.5}


def broken(n_worlds: int) -> Iterator[Figure]:
    """Of forecasts made after each kind of break: the share of what came in the 80 % range, and the highest end."""
    pooled: list[float] = []
    for kind, (days, change) in _KINDS.items():
        each = [_world(seed, days, change) for seed in range(n_worlds)]
        held, highest = float(np.mean([one[0] for one in each])), float(max(one[1] for one in each))
        pooled.append(held)
        note = f"{n_worlds} worlds of {_SERIES} series, {days} days, one forecast of {_HORIZON} days each"
        yield Figure(f"broken_{kind}_coverage_80", round(100 * held, 1), "%", note=note)
        bar = _AT_MOST.get(kind, _HIGHEST)
        yield Figure(
            f"broken_{kind}_highest_end", round(highest, 2), "times the most ever sold", f"≤ {bar}", highest <= bar
        )
    mean = float(np.mean(pooled))
    yield Figure("broken_coverage_80", round(100 * mean, 1), "%", "76 to 84", 0.76 <= mean <= 0.84, "mean over kinds")


def _world(seed: int, days: int, change: Callable[[np.random.Generator, Floats], Floats]) -> tuple[float, float]:
    """Share held and the highest end over the most ever sold, of the forecast that follows the break."""
    draw = np.random.default_rng([seed, 17])
    total = days + _HORIZON
    week = np.exp(draw.normal(0, 0.2, (_SERIES, 7)))[:, np.arange(total) % 7]
    noise = np.exp(draw.uniform(0.08, 0.3, (_SERIES, 1)) * draw.standard_normal((_SERIES, total)))
    size = np.exp(draw.normal(0, 0.7, (_SERIES, 1)))
    sold = change(draw, 1000 * size * week * noise)
    geos = tuple(f"g{i}" for i in range(_SERIES))
    panel = panel_of(sold[None, :, :days], date(2024, 1, 1), _HORIZON, geos=geos)
    made = backtest(panel, lambda n: panel.cut(n, _HORIZON), _HORIZON)
    used, shifts = mended(panel)
    forecaster = fit(made.quality.chosen, used, made.baseline)
    fan = made.recalibration.fans(used, forecaster.predict(used), forecaster.models(used), shifts)[0]
    most = sold[:, :days].max(axis=1)
    return _held(fan, sold[:, days:]), float((fan.max(axis=(0, 2)) / most).max())


def _held(fan: Floats, actual: Floats) -> float:
    """Share between p10 and p90; what equals several quantiles is spread over the levels between (calibration.md)."""
    level = np.array([0.0, *LEVELS, 1.0])
    under, equal = (fan < actual).sum(axis=0), (fan <= actual).sum(axis=0)
    low, high = level[under], level[np.maximum(equal, under + 1)]
    return float(((np.minimum(high, 0.9) - np.maximum(low, 0.1)).clip(0) / (high - low)).mean())


def _closed_week(draw: np.random.Generator, sold: Floats) -> Floats:
    """One place closed for three to ten days within the last two months."""
    first, length = sold.shape[1] - _HORIZON - draw.integers(15, 60), draw.integers(3, 11)
    sold[draw.integers(_SERIES), first : first + length] = 0.0
    return sold


def _fall(draw: np.random.Generator, sold: Floats) -> Floats:
    """All places fall to 30 to 60 % eight to twenty days before the end, and stay there."""
    sold[:, -_HORIZON - draw.integers(8, 21) :] *= draw.uniform(0.3, 0.6)
    return sold


def _reopened(draw: np.random.Generator, sold: Floats) -> Floats:
    """Two places closed for 30 to 80 days, open again for 20 to 40."""
    for place in draw.choice(_SERIES, 2, replace=False):
        opened = sold.shape[1] - _HORIZON - draw.integers(20, 41)
        sold[place, opened - draw.integers(30, 81) : opened] = 0.0
    return sold


def _intermittent(draw: np.random.Generator, sold: Floats) -> Floats:
    """Every place open by chance, on 8 to 50 % of days."""
    return sold * (draw.uniform(size=sold.shape) < draw.uniform(0.08, 0.5, (_SERIES, 1)))


def _one_year(draw: np.random.Generator, sold: Floats) -> Floats:
    """A year alone, with a season and a drift."""
    t = np.arange(sold.shape[1])
    season = 0.4 * np.sin(2 * np.pi * (t / 365 + draw.uniform()))
    return sold * np.exp(season + np.cumsum(0.01 * draw.standard_normal(sold.shape), axis=1))


_KINDS: dict[str, tuple[int, Callable[[np.random.Generator, Floats], Floats]]] = {
    "closed_week": (210, _closed_week),
    "fall": (210, _fall),
    "reopened": (210, _reopened),
    "intermittent": (210, _intermittent),
    "one_year": (365, _one_year),
}
