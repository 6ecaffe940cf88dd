"""Hurdle forecasts of series that sell on few days: a chance of a sale, and what one comes to (forecast.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.forecast import LEVELS
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats, closed, selling, weekday

_SELDOM = 0.6  # share of its open periods in which a series sells, below which it is intermittent
_LATELY = {1: 182, 7: 52}  # periods that the share is of
_FEW_SALES = 5  # periods with sales that tell what one comes to
_HALF_LIFE_DAYS = 90.0
_PRIOR_PERIODS = 8.0  # of a weekday, or around the day a year ago, before it says more than all days do
_AROUND_DAYS = 14
_LEVELS = np.array(LEVELS)


@dataclass(frozen=True)
class Hurdle:
    """Forecasts of intermittent series; NaN everywhere for the others."""

    quantiles: Floats  # [level, k, g, horizon]
    mean: Floats  # [k, g, horizon]

    @property
    def told(self) -> NDArray[np.bool_]:
        """[k, g]: which series are intermittent."""
        return np.asarray(np.isfinite(self.mean).all(axis=2))


def hurdle(panel: Panel) -> Hurdle:
    """Quantiles and mean of every intermittent series: zero with the chance of no sale, else a size seen before.

    P(day) is the weighted share of days with a sale, of the weekday and around the day a year before, each drawn
    towards that of all days; quantile τ is zero up to 1 − P, and beyond it quantile (τ − 1 + P) / P of sizes.
    """
    n, horizon = panel.n_past, len(panel.starts) - panel.n_past
    shape = (len(panel.categories), len(panel.geos), horizon)
    quantiles, mean = np.full((len(LEVELS), *shape), np.nan), np.full(shape, np.nan)
    sold, shut = selling(panel), closed(panel)[:, :, n:]
    weight = 0.5 ** (np.arange(n)[::-1] * panel.step_days / _HALF_LIFE_DAYS)
    days = weekday(panel) if panel.step_days == 1 else np.zeros(len(panel.starts))
    for k, g in zip(*np.nonzero(_seldom(sold, panel.step_days)), strict=True):
        known = np.isfinite(sold[k, g])
        there = np.where(known, sold[k, g] > 0, False) * 1.0
        chance = _chance(there, known * weight, known * 1.0, days, n, panel.step_days)
        sizes, mass = sold[k, g][there > 0], weight[there > 0]
        order = np.argsort(sizes, kind="stable")
        at = (np.cumsum(mass[order]) - 0.5 * mass[order]) / mass.sum()
        beyond = (_LEVELS[:, None] - 1 + chance) / np.maximum(chance, 1e-9)
        found = np.where(beyond > 0, np.interp(np.clip(beyond, 0, 1), at, sizes[order]), 0.0)
        quantiles[:, k, g] = np.where(shut[k, g], 0.0, found)
        mean[k, g] = chance * float((sizes * mass).sum() / mass.sum())
    return Hurdle(quantiles, mean)


def _seldom(sold: Floats, step: int) -> NDArray[np.bool_]:
    """[k, g]: series that sell in fewer than 6 of 10 of their open periods of late, and have sold some times."""
    late = sold[:, :, -_LATELY[step] :]
    known = np.isfinite(late).sum(axis=2)
    return ((late > 0).sum(axis=2) < _SELDOM * known) & ((sold > 0).sum(axis=2) >= _FEW_SALES)


def _chance(there: Floats, weight: Floats, known: Floats, days: Floats, n: int, step: int) -> Floats:
    """[horizon]: the chance of a sale."""
    overall = float((there * weight).sum() / weight.sum())
    of_day = np.full(7, overall)
    for day in range(7):
        on = days[:n] == day
        of_day[day] = ((there * weight)[on].sum() + _PRIOR_PERIODS * overall) / (weight[on].sum() + _PRIOR_PERIODS)
    ahead = np.arange(n, len(days))
    chance = of_day[days[ahead].astype(int)]
    year, half = 364 // step, max(1, _AROUND_DAYS // step)
    if n > year + half:
        total, count = (np.concatenate([[0.0], np.cumsum(each)]) for each in (there, known))
        low, high = np.maximum(ahead - year - half, 0), np.minimum(ahead - year + half + 1, n)
        usual = float((total[n] - total[n - year]) / max(count[n] - count[n - year], 1.0))
        prior = 4 * half * usual
        ratio = (total[high] - total[low] + prior) / np.maximum((count[high] - count[low] + 4 * half) * usual, 1e-9)
        chance = chance * ratio
    return np.clip(chance, 1e-6, 0.999)
