"""Rolling-origin backtest: every method on what was known then, and intervals from its own past errors (forecast.md).

Errors are scored as log(actual / forecast) over the series' own spread, pooled over series at each lead. The interval
of a forecast is the band that held eight in ten of the scores so far; the record is made the same way, each origin
using only origins before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.forecast import BacktestScore, ForecastQuality
from weathervane.model.features.build import Panel
from weathervane.model.forecast.demand import METHODS, STRUCTURAL, spread

Floats = NDArray[np.float64]

NOMINAL = 0.80
PROBABILITIES = (0.1, 0.5, 0.9)
MAX_ORIGINS = 16
_FIRST_SCORED = 4  # origins that only feed the first interval
_MIN_ORIGINS_FOR_VERDICT = 5


@dataclass(frozen=True)
class Backtest:
    """The record of every method, and the scores that the chosen one's intervals are made from."""

    quality: ForecastQuality
    scores: Floats  # [origin, k, g, lead], chosen method; NaN where the actual is missing
    total_scores: Floats  # [origin, lead], log(actual / forecast) of the sum over series


def backtest(panel: Panel, as_known: Callable[[int], Panel], horizon: int) -> Backtest:
    """The record on `panel`; `as_known(n)` is the panel known when its first n periods had passed.

    Origins lie `horizon` periods apart, counted back from the end, at most 16; NotEnoughData when none fits.
    """
    ends = _origins(panel, horizon)
    made = {name: np.full((len(ends), *panel.outcome.shape[:2], horizon), np.nan) for name in METHODS}
    spreads = np.empty((len(ends), *panel.outcome.shape[:2]))
    actual = np.stack([panel.outcome[:, :, end : end + horizon] for end in ends])
    for i, end in enumerate(ends):
        then = as_known(end)
        spreads[i] = spread(then)
        for name, method in METHODS.items():
            made[name][i] = np.exp(method(then))
    wape = {name: _wape(actual, forecast) for name, forecast in made.items()}
    # The structural model is preferred only when it beats both floors: a tie goes to the simpler.
    chosen = min(METHODS, key=lambda name: (wape[name], name == STRUCTURAL))
    forecast = made[chosen]
    scores = np.log(np.maximum(actual, 1e-3 * forecast) / forecast) / spreads[..., None]
    whole = np.isfinite(actual).all(axis=(1, 2))
    total = np.where(whole, np.log(np.nansum(actual, axis=(1, 2)).clip(1e-9) / forecast.sum(axis=(1, 2))), np.nan)
    quality = _quality(panel, ends, chosen, wape, scores)
    return Backtest(quality, scores, total)


def bands(scores: Floats) -> Floats:
    """[3, lead]: the 10, 50 and 90 % quantiles of scores [origin, ..., lead], each lead pooled with its neighbours."""
    leads = scores.shape[-1]
    out = np.empty((3, leads))
    for lead in range(leads):
        near = scores[..., max(0, lead - 1) : lead + 2]
        values = near[np.isfinite(near)]
        out[:, lead] = _conformal(values) if len(values) else (-1.0, 0.0, 1.0)
    return out


def _conformal(values: Floats) -> tuple[float, float, float]:
    """Quantiles at the finite-sample levels that make the band hold its share of a next value."""
    n = len(values)
    low = np.clip(np.floor(PROBABILITIES[0] * (n + 1)) / n, 0, 1) if n else 0.0
    high = np.clip(np.ceil(PROBABILITIES[2] * (n + 1)) / n, 0, 1)
    return float(np.quantile(values, low)), float(np.median(values)), float(np.quantile(values, high))


def _origins(panel: Panel, horizon: int) -> list[int]:
    """Numbers of past periods at each origin, oldest first."""
    year = 365 // panel.step_days
    least = max(panel.n_past // 3, 28 if panel.step_days == 1 else 13)
    if panel.n_past > 1.5 * year:
        least = max(least, year)
    ends = [end for i in range(1, MAX_ORIGINS + 1) if (end := panel.n_past - i * horizon) >= least]
    if not ends:
        raise NotEnoughData(
            f"{panel.n_past} periods are too few to test a forecast on.", "import more history, or forecast less far."
        )
    return ends[::-1]


def _wape(actual: Floats, forecast: Floats) -> float:
    known = np.isfinite(actual)
    return float(np.abs(actual - forecast)[known].sum() / np.abs(actual[known]).sum())


def _quality(panel: Panel, ends: list[int], chosen: str, wape: dict[str, float], scores: Floats) -> ForecastQuality:
    inside: list[float] = []
    n = 0
    for i in range(_FIRST_SCORED, len(ends)):
        low, _, high = bands(scores[:i])
        known = np.isfinite(scores[i])
        if not known.any():
            continue
        inside.append(float(((scores[i] >= low) & (scores[i] <= high))[known].mean()))
        n += int(known.sum())
    coverage, low, high = _interval(inside)
    if len(inside) < _MIN_ORIGINS_FOR_VERDICT:
        verdict = "not enough data"
    elif high < NOMINAL:
        verdict = "too narrow"
    elif low > NOMINAL:
        verdict = "too wide"
    else:
        verdict = "calibrated"
    origins: tuple[date, ...] = tuple(panel.starts[end] for end in ends)
    n_scored = int(np.isfinite(scores).sum())
    return ForecastQuality(
        chosen=chosen,
        scores=tuple(BacktestScore(name, value, n_scored) for name, value in wape.items()),
        origins=origins,
        coverage_80=coverage,
        coverage_low=low,
        coverage_high=high,
        n=n,
        verdict=verdict,
        sentence=_sentence(verdict, coverage, len(inside), len(ends)),
    )


def _interval(inside: list[float]) -> tuple[float, float, float]:
    """Mean coverage and its 95 % interval, origins being the independent units; (0, 0, 1) when there are none."""
    if not inside:
        return 0.0, 0.0, 1.0
    values = np.array(inside)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, 0.0, 1.0
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _sentence(verdict: str, coverage: float, n_scored: int, n_origins: int) -> str:
    if verdict == "not enough data":
        more = _MIN_ORIGINS_FOR_VERDICT + _FIRST_SCORED - n_origins
        return f"Too little history to say whether the range holds; {more} more forecast periods would do."
    held = f"The range meant to hold 8 in 10 held {coverage * 10:.1f} in 10 over {n_scored} past forecasts"
    return {
        "calibrated": f"{held}, as it should.",
        "too narrow": f"{held}: it is too narrow, read it as less sure.",
        "too wide": f"{held}: it is wider than it need be.",
    }[verdict]
