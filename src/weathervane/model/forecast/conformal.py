"""Ranges from past errors: each series' own scale, the pool's shape by lead, recent errors first (forecast.md).

Everything here is in log(demand + offset), where errors of small and large series compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.contracts.forecast import LEVELS
from weathervane.model.forecast.candidate import Floats

MEDIAN = LEVELS.index(0.5)
HALF_LIFE_DAYS = 120.0
_PRIOR_ORIGINS = 3.0  # past forecasts a series needs before its own errors say more of its scale than the pool's
_POOL = 300  # scores that quantiles of one lead are read from, if neighbouring leads have them
_SHAPE_PRIOR = 30.0  # series × origins at which the scores' own shape counts as much as the Gaussian
_GAIN = 2.0  # log of width, for each share of misses too many in one horizon: half of what would mend it at once
_MOST_STRETCH = 4.0
_FARTHEST = 2.5  # log: no end of a range is more than twelve times the forecast away


@dataclass(frozen=True)
class Ranges:
    """What past errors say of the next: the scale of each series and the quantiles of errors in its units by lead."""

    scale: Floats  # [s]
    quantiles: Floats  # [level, h]

    def around(self, log_forecast: Floats) -> Floats:
        """[level, s, h]: quantiles around forecasts [s, h] in log(demand + offset)."""
        return log_forecast + np.clip(self.scale[:, None] * self.quantiles[:, None], -_FARTHEST, _FARTHEST)


def learn(errors: Floats, typical: Floats, now: Floats, age_days: Floats, stretch: Floats) -> Ranges:
    """Ranges from errors [o, s, h] (NaN: not known yet) of earlier origins, their two sides stretched.

    `typical` [o, s] is each series' week-on-week spread as known at each origin and `now` [s] the present one;
    `age_days` [o, h] is how long ago each error was seen.
    """
    known = np.isfinite(errors)
    if not known.any():
        return Ranges(now, np.repeat(_GAUSSIAN[:, None], errors.shape[2], axis=1))
    weight = np.where(known, 0.5 ** (np.maximum(age_days, 0.0) / HALF_LIFE_DAYS)[:, None], 0.0)
    units = np.where(known, errors, 0.0) / typical[..., None]
    half = _half_width(known)
    profile = _profile(np.abs(units), weight, half)
    units = units / profile
    # Each origin counts once for a series, however many leads it has: errors of one origin err together.
    evidence = weight.mean(axis=2)
    size = (weight * np.abs(units)).mean(axis=2)
    others = (_PRIOR_ORIGINS + size.sum(axis=0) - size) / (_PRIOR_ORIGINS + evidence.sum(axis=0) - evidence)
    scores = units / others[..., None]
    scale = now * (_PRIOR_ORIGINS + size.sum(axis=0)) / (_PRIOR_ORIGINS + evidence.sum(axis=0))
    origins = evidence.max(axis=1)
    shape = _quantiles(scores, weight, np.array(LEVELS), half)
    normal = _GAUSSIAN[:, None] * _NORMAL_SD * (weight * np.abs(scores)).sum() / weight.sum()
    own = evidence.sum() / (evidence.sum() + _SHAPE_PRIOR)
    shape = own * shape + (1 - own) * normal
    sides = np.where(np.array(LEVELS) < 0.5, stretch[0], np.where(np.array(LEVELS) > 0.5, stretch[1], 1.0))
    return Ranges(scale, shape * profile * _few_origins(origins) * sides[:, None])


def adapted(stretch: Floats, below: Floats, share_of_horizon: float) -> Floats:
    """[low, high] stretches of the range, moved against its own misses: wider after many, narrower after few.

    `below` [level] is the share of new actuals under each issued quantile.
    """
    nominal = np.array(LEVELS)
    excess = np.where(nominal < 0.5, below - nominal, nominal - below)
    sides = np.array([excess[nominal < 0.5].mean(), excess[nominal > 0.5].mean()])
    return np.clip(stretch * np.exp(_GAIN * min(share_of_horizon, 1.0) * sides), 1 / _MOST_STRETCH, _MOST_STRETCH)


_GAUSSIAN = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])


_NORMAL_SD = 1.2533  # standard deviation of a Gaussian whose mean absolute deviation is one


def gaussian(log_forecast: Floats, typical: Floats) -> Floats:
    """[level, s, h]: the range before recalibration, as if errors were Gaussian with the week-on-week spread."""
    return log_forecast + typical[:, None] * _GAUSSIAN[:, None, None]


def _half_width(known: np.ndarray) -> int:
    """How many neighbouring leads on each side share their scores, so that each has enough."""
    each = known.sum(axis=(0, 1)).mean()
    return int(np.clip(np.ceil((_POOL / max(each, 1.0) - 1) / 2), 1, known.shape[2] // 2 + 1))


def _profile(sizes: Floats, weight: Floats, half: int) -> Floats:
    """[h]: mean size of errors by lead, smoothed over neighbours; leads without any take the nearest ones'."""
    total, count = (weight * sizes).sum(axis=(0, 1)), weight.sum(axis=(0, 1))
    near = np.abs(np.subtract.outer(np.arange(len(count)), np.arange(len(count)))) <= half
    total, count = near @ total, near @ count
    seen = count > 0
    profile = np.where(seen, total / np.maximum(count, 1e-12), np.nan)
    profile = np.interp(np.arange(len(count)), np.flatnonzero(seen), profile[seen])
    return np.maximum(profile, 1e-6)


def _few_origins(evidence: Floats) -> float:
    """Wider where few origins speak: a shock that all series of an origin share was seen only so many times."""
    n = evidence.sum() ** 2 / max((evidence**2).sum(), 1e-12)
    return float(np.sqrt(1 + 1 / max(n, 1.0)))


def _quantiles(scores: Floats, weight: Floats, levels: Floats, half: int) -> Floats:
    """[level, h]: weighted quantiles of the scores at each lead and its neighbours."""
    horizon = scores.shape[2]
    out = np.zeros((len(levels), horizon))
    for lead in range(horizon):
        near = slice(max(0, lead - half), lead + half + 1)
        values, mass = scores[..., near].ravel(), weight[..., near].ravel()
        kept = mass > 0
        if kept.any():
            out[:, lead] = weighted_quantile(values[kept], mass[kept], levels)
        elif lead:
            out[:, lead] = out[:, lead - 1]
    return np.maximum.accumulate(out, axis=0)


def weighted_quantile(values: Floats, weight: Floats, levels: Floats) -> Floats:
    """Quantiles of values that count by weight, interpolated."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(levels, mass / weight.sum(), values[order])
