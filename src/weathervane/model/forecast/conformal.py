"""Ranges from past errors: a size by series, lead and kind of day, and a shape; recent errors first (forecast.md).

Everything here is in log(demand + offset), where errors of small and large series compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from weathervane.contracts.forecast import LEVELS
from weathervane.model.forecast.candidate import Floats

Ints = NDArray[np.int64]
ORDINARY, PROMOTED, EVENT = range(3)  # kinds of days whose errors differ in size
MEDIAN = LEVELS.index(0.5)
HALF_LIFE_DAYS = 90.0
_PRIOR_ORIGINS = 3.0  # past forecasts a series needs before its own errors say more of their size than the pool's
_LEAST_ORIGINS = 1.5  # as many equally heavy ones, for their differences to tell of chance
_PRIOR_KIND_DAYS = 20.0  # days of a kind needed before they say more of its errors than all days do
_POOL = 300  # errors that quantiles of one lead are read from, if neighbouring leads have them
_SHAPE_PRIOR = 4.0  # series × fortnights at which the errors' own shape counts as much as the Gaussian
_PRIOR_FORTNIGHTS = 4.0  # fortnights that speak for errors of different series and days being independent
_FORTNIGHT_DAYS = 14
_FARTHEST = 2.5  # log: no end of a range is more than twelve times the forecast away
_LEVELS = np.array(LEVELS)
_GAUSSIAN = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])
_NORMAL_SD = 1.2533  # standard deviation of a Gaussian whose mean absolute deviation is one
_SPREAD_OF_SIZE = np.pi / 2 - 1  # relative variance of the mean absolute deviation of n Gaussians, times n


@dataclass(frozen=True)
class Ranges:
    """What past errors say of the next: their expected size, and the quantiles of errors in units of it."""

    size: Floats  # [s, h], mean absolute error of a period no harder than usual
    quantiles: Floats  # [level, h]

    def around(self, log_forecast: Floats, hard: Floats, doubt: Floats) -> Floats:
        """[level, s, h]: quantiles around forecasts [s, h] in log(demand + offset), of periods this hard [s, h].

        `doubt` [s, h] is the standard deviation of what no past error tells of; it adds as variances do.
        """
        measured = self.size * hard * self.quantiles[:, None]
        gaussian, side = _GAUSSIAN[:, None, None], np.sign(_GAUSSIAN)[:, None, None]
        doubted = side * np.hypot(np.maximum(side * measured, 0.0), doubt * gaussian)
        return log_forecast + np.clip(np.where(doubt > 0, doubted, measured), -_FARTHEST, _FARTHEST)


@dataclass(frozen=True)
class Ahead:
    """What is known beforehand of how large the errors to come will be."""

    typical: Floats  # [s], week-on-week spread of each series
    kind: Ints  # [s, h], kind of each day


@dataclass(frozen=True)
class Seen:
    """Errors seen by now, of one method in one tier, with what was known of each beforehand."""

    errors: Floats  # [o, s, h], over how hard each period looked; NaN where not seen yet
    age_days: Floats  # [o, h], how long ago each was seen
    typical: Floats  # [o, s]
    kind: Ints  # [o, s, h]
    step_days: int

    @property
    def weight(self) -> Floats:
        """[o, s, h]: recent errors count more; zero where not seen."""
        recent = 0.5 ** (np.maximum(self.age_days, 0.0) / HALF_LIFE_DAYS)
        return np.where(np.isfinite(self.errors), recent[:, None], 0.0)

    @property
    def known(self) -> Floats:
        """[o, s, h]: errors, zero where not seen."""
        return np.where(np.isfinite(self.errors), self.errors, 0.0)


def expected_size(seen: Seen, ahead: Ahead) -> Floats:
    """[s, h]: the mean absolute error to expect, from errors in units of each series' spread as known then."""
    weight = seen.weight
    if not weight.any():
        return np.repeat(ahead.typical[:, None] / _NORMAL_SD, weight.shape[2], axis=1)
    units = np.abs(seen.known) / seen.typical[..., None]
    by_lead = _by_lead(units, weight)
    units = units / by_lead
    by_kind = _by_kind(units, weight, seen.kind)
    units = units / by_kind[seen.kind]
    # Each origin counts once for a series, however many leads it has: errors of one origin err together.
    of_series, count = ((weight * each).mean(axis=2).sum(axis=0) for each in (units, np.ones(units.shape)))
    own = (_PRIOR_ORIGINS + of_series) / (_PRIOR_ORIGINS + count)
    return (ahead.typical * own)[:, None] * by_lead * by_kind[ahead.kind]


def learn(seen: Seen, size_then: Floats, ahead: Ahead) -> Ranges:
    """Ranges of the next forecast; `size_then` [o, s, h] is what `expected_size` said before each error was seen."""
    size, weight = expected_size(seen, ahead), seen.weight
    if not weight.any():
        return Ranges(size, _gaussian_shape(weight.shape[2]))
    scores = seen.known / size_then
    fortnights, freedom = _evidence(np.abs(scores), weight, seen)
    evidence = fortnights * (weight.max(axis=(0, 2)) > 0).sum()
    own = evidence / (evidence + _SHAPE_PRIOR)
    gaussian = (weight * np.abs(scores)).sum() / weight.sum() * _gaussian_shape(weight.shape[2])
    shape = own * _quantiles(scores, weight) + (1 - own) * gaussian
    return Ranges(size, shape * _wider(freedom)[:, None])


def fortnight(age_days: Floats, step_days: int) -> Ints:
    """Which fortnight errors seen so long ago belong to; those of one hang together."""
    return (np.maximum(age_days, 0.0) // max(_FORTNIGHT_DAYS, 2 * step_days)).astype(np.int64)


def gaussian(log_forecast: Floats, typical: Floats) -> Floats:
    """[level, s, h]: the range before recalibration, as if errors were Gaussian with the week-on-week spread."""
    return log_forecast + typical[:, None] * _GAUSSIAN[:, None, None]


def _gaussian_shape(horizon: int) -> Floats:
    """[level, h]: quantiles of a Gaussian whose mean absolute deviation is one."""
    return np.repeat(_NORMAL_SD * _GAUSSIAN[:, None], horizon, axis=1)


def _by_lead(sizes: Floats, weight: Floats) -> Floats:
    """[h]: mean size of errors by lead, drawn towards its neighbours' as far as leads differ by no more than chance.

    Chance is how much origins differ at one lead. Leads without any error take the nearest ones'.
    """
    leads, half = np.arange(weight.shape[2]), _half_width(weight)
    nearby = np.abs(np.subtract.outer(leads, leads)) <= half
    total, count = (weight * sizes).sum(axis=1), weight.sum(axis=1)  # [o, h]
    all_near = nearby @ count.sum(axis=0)
    seen = all_near > 0
    mean = (nearby @ total.sum(axis=0))[seen] / all_near[seen]
    near = np.maximum(np.interp(leads, np.flatnonzero(seen), mean), 1e-6)
    return near * _own_of_lead(total / near, count)


def _own_of_lead(total: Floats, count: Floats) -> Floats:
    """[h]: sizes of errors of each lead over its neighbours', from sums of them and their weight by origin [o, h]."""
    at_all = np.maximum(count.sum(axis=0), 1e-12)
    ratio = np.where(count.sum(axis=0) > 0, total.sum(axis=0) / at_all, 1.0)
    origins = at_all**2 / np.maximum((count**2).sum(axis=0), 1e-12)
    told = origins > _LEAST_ORIGINS
    if not told.any():
        return np.ones(len(ratio))
    scatter = ((total - ratio * count) ** 2).sum(axis=0) / at_all**2
    chance = np.where(told, scatter * origins / np.maximum(origins - 1, 1e-12), np.inf)
    apart = max(float(np.mean((ratio[told] - 1) ** 2 - chance[told])), 0.0)
    return np.maximum(1 + apart / (apart + np.maximum(chance, 1e-12)) * (ratio - 1), 0.1)


def _by_kind(units: Floats, weight: Floats, kind: Ints) -> Floats:
    """[kind]: mean size of errors on each kind of day over that of all, drawn towards one."""
    of_kind = [weight * (kind == each) for each in (ORDINARY, PROMOTED, EVENT)]
    mean = (weight * units).sum() / weight.sum()
    series = np.maximum((weight.max(axis=(0, 2)) > 0).sum(), 1)
    days = np.array([each.sum() / series for each in of_kind])
    total = np.array([(each * units).sum() / series for each in of_kind])
    return (_PRIOR_KIND_DAYS + total / max(mean, 1e-12)) / (_PRIOR_KIND_DAYS + days)


def _evidence(sizes: Floats, weight: Floats, seen: Seen) -> tuple[float, float]:
    """How many fortnights the errors are from, and as of how many independent Gaussians their mean size is known.

    The mean size of each fortnight varies as 0.57 / n where n errors are independent, and more where they hang
    together; what the fortnights show is drawn towards two independent errors each.
    """
    block = fortnight(seen.age_days, seen.step_days).ravel()
    total = np.bincount(block, (weight * sizes).sum(axis=1).ravel())
    count = np.bincount(block, weight.sum(axis=1).ravel())
    mean = total.sum() / count.sum()
    fortnights = float(count.sum() ** 2 / (count**2).sum())
    spread = float(((total - mean * count) ** 2).sum() / max(total.sum() ** 2, 1e-300))
    spread *= fortnights / max(fortnights - 1, 0.5)
    apart = _SPREAD_OF_SIZE / (2 * fortnights)
    spread = (fortnights * spread + _PRIOR_FORTNIGHTS * apart) / (fortnights + _PRIOR_FORTNIGHTS)
    return fortnights, _SPREAD_OF_SIZE / spread


def _wider(freedom: float) -> Floats:
    """[level]: Student's quantiles over the Gaussian's: how much wider a range is whose size is not known well."""
    wide = student.ppf(_LEVELS, max(freedom, 2.0))
    return np.where(_LEVELS == 0.5, 1.0, wide / np.where(_LEVELS == 0.5, 1.0, _GAUSSIAN))


def _half_width(weight: Floats) -> int:
    """How many neighbouring leads on each side share their errors, so that each has enough."""
    each = (weight > 0).sum(axis=(0, 1)).mean()
    return int(np.clip(np.ceil((_POOL / max(each, 1.0) - 1) / 2), 1, weight.shape[2] // 2 + 1))


def _quantiles(scores: Floats, weight: Floats) -> Floats:
    """[level, h]: weighted quantiles of the scores at each lead and its neighbours."""
    horizon, half = scores.shape[2], _half_width(weight)
    values, mass = np.moveaxis(scores, 2, 0).reshape(horizon, -1), np.moveaxis(weight, 2, 0).reshape(horizon, -1)
    # Each lead in order: a sort of neighbours' runs then only merges them.
    order = np.argsort(values, axis=1, kind="stable")
    values, mass = np.take_along_axis(values, order, axis=1), np.take_along_axis(mass, order, axis=1)
    out = np.zeros((len(LEVELS), horizon))
    for lead in range(horizon):
        near = slice(max(0, lead - half), lead + half + 1)
        kept = mass[near] > 0
        if kept.any():
            out[:, lead] = weighted_quantile(values[near][kept], mass[near][kept], _LEVELS)
        elif lead:
            out[:, lead] = out[:, lead - 1]
    return np.maximum.accumulate(out, axis=0)


def weighted_quantile(values: Floats, weight: Floats, levels: Floats) -> Floats:
    """Quantiles of values that count by weight, interpolated."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(levels, mass / weight.sum(), values[order])
