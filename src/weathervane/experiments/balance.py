"""Balance: what makes geos alike before a test, as standardised metrics, and how far two arms differ in them.

See docs/modeling/experiments.md, "Balance".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import BalanceStatistic
from weathervane.experiments.panel import Panel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Arms = NDArray[np.int8]  # 0 control, c + 1 for cell c

_YEAR_DAYS = 365.25
_FLAT = 1e-9


@dataclass(frozen=True)
class GeoWeather:
    """Daily weather, [g, t] on the panel's geos and days; NaN where unknown."""

    temp_mean_c: Floats
    precip_mm: Floats | None = None


@dataclass(frozen=True)
class BalanceMetrics:
    """Standardised metrics (mean 0, standard deviation 1 over geos), values [g, f], geos sorted by name."""

    geos: tuple[str, ...]
    names: tuple[str, ...]
    values: Floats

    def of(self, geos: Sequence[str]) -> BalanceMetrics:
        """The same metrics standardised anew over these geos; a metric that is constant there is left out."""
        index = {geo: i for i, geo in enumerate(self.geos)}
        kept = tuple(sorted(geos))
        return standardised(kept, self.names, self.values[[index[geo] for geo in kept]])


def balance_metrics(panel: Panel, weather: GeoWeather | None = None) -> BalanceMetrics:
    """Level, trend, noise, week, season, and where weather is given its effect and the climate, of each geo.

    The panel covers the pre-period. Season needs a year of days. Raises NotEnoughData under four weeks or for a geo
    without a value, BadInput where weather and panel differ in shape.
    """
    names, values = panel.geos, panel.outcome
    if (panel.days[-1] - panel.days[0]).days < 27:
        raise NotEnoughData(
            f"The pre-period runs from {panel.days[0]} to {panel.days[-1]}.", "give it at least four weeks."
        )
    empty = [name for name, row in zip(names, values, strict=True) if not np.isfinite(row).any()]
    if empty:
        raise NotEnoughData(f"{empty[0]} has no outcome in the pre-period.", "exclude it, or bring its data.")
    day = np.array([d.toordinal() for d in panel.days], dtype=np.float64)
    mean = np.nanmean(values, axis=1)
    scale = np.where(np.abs(mean) > _FLAT, np.abs(mean), 1.0)
    relative = values / scale[:, None]
    terms = _time_terms(day)
    slopes = np.array([_fit(terms, row) for row in relative])  # [g, k]
    found: dict[str, Floats] = {
        "level": np.log(mean) if (mean > 0).all() else mean,
        "trend": slopes[:, 1],
        "week": slopes[:, 2],
        "noise": np.log(np.nanstd(relative - slopes @ terms.T, axis=1) + _FLAT),
    }
    if terms.shape[1] > 3:
        found |= {"season_cos": slopes[:, 3], "season_sin": slopes[:, 4]}
    if weather is not None:
        found |= _weather_metrics(relative - slopes @ terms.T, terms, weather)
    return standardised(names, tuple(found), np.column_stack(list(found.values())))


def standardised(geos: tuple[str, ...], names: Sequence[str], values: Floats) -> BalanceMetrics:
    """The metrics at mean 0 and standard deviation 1; a metric that is the same everywhere says nothing and goes."""
    spread = values.std(axis=0)
    told = spread > _FLAT * (1 + np.abs(values).max(axis=0, initial=0.0))
    scaled = (values[:, told] - values[:, told].mean(axis=0)) / spread[told]
    return BalanceMetrics(geos, tuple(n for n, t in zip(names, told, strict=True) if t), scaled)


def imbalance(arms: Arms, values: Floats, n_cells: int, statistic: BalanceStatistic = "max_abs_smd") -> Floats:
    """The worst imbalance [n] over cells of each assignment [n, g] (see BalanceRule); rounded so that it repeats."""
    if not values.shape[1]:
        return np.zeros(len(arms))
    if statistic == "mahalanobis":
        values = _whitened(values)
    control, n_control = _sums(arms == 0, values)
    worst = np.zeros(len(arms))
    for cell in range(1, n_cells + 1):
        treated, n_treated = _sums(arms == cell, values)
        difference = treated / np.maximum(n_treated, 1)[:, None] - control / np.maximum(n_control, 1)[:, None]
        if statistic == "mahalanobis":
            size = n_treated * n_control / np.maximum(n_treated + n_control, 1)
            distance = size * np.einsum("nf,nf->n", difference, difference)
        else:
            distance = np.abs(difference).max(axis=1)
        worst = np.maximum(worst, distance)
    return np.round(worst, 9)


def differences(arms: Arms, metrics: BalanceMetrics, n_cells: int) -> dict[str, float]:
    """The standardised difference of each metric in one assignment [g]; over cells the largest in absolute value."""
    control = metrics.values[arms == 0].mean(axis=0)
    table = np.array([metrics.values[arms == cell].mean(axis=0) - control for cell in range(1, n_cells + 1)])
    worst = np.abs(table).argmax(axis=0)
    return {name: round(float(table[worst[i], i]), 9) for i, name in enumerate(metrics.names)}


def values_of(covariates: Mapping[str, Sequence[float]]) -> Floats:
    """Stored metrics by name as values [g, f]."""
    return np.array(list(covariates.values()), dtype=np.float64).T if covariates else np.zeros((0, 0))


def _sums(chosen: Bools, values: Floats) -> tuple[Floats, Floats]:
    mask = chosen.astype(np.float64)
    return mask @ values, mask.sum(axis=1)


def _whitened(values: Floats) -> Floats:
    """Uncorrelated combinations of the metrics with unit variance; directions without variance are left out."""
    variance, vectors = np.linalg.eigh(np.cov(values, rowvar=False, bias=True).reshape(values.shape[1], -1))
    kept = variance > _FLAT
    return values @ (vectors[:, kept] / np.sqrt(variance[kept]))


def _time_terms(day: Floats) -> Floats:
    """Columns: one, years since the middle, weekend, and with a year of days the two harmonics of the year."""
    weekend = np.isin((day.astype(np.int64) - 1) % 7, (5, 6)).astype(np.float64)
    columns = [np.ones_like(day), (day - day.mean()) / _YEAR_DAYS, weekend - weekend.mean()]
    if len(day) > 1 and day[-1] - day[0] + 1 >= 365:
        angle = 2 * np.pi * day / _YEAR_DAYS
        columns += [np.cos(angle), np.sin(angle)]
    return np.column_stack(columns)


def _fit(terms: Floats, row: Floats) -> Floats:
    known = np.isfinite(row)
    return np.asarray(np.linalg.lstsq(terms[known], row[known], rcond=None)[0], dtype=np.float64)


def _weather_metrics(residual: Floats, terms: Floats, weather: GeoWeather) -> dict[str, Floats]:
    temp = _aligned(weather.temp_mean_c, residual)
    found = {
        "climate_temp": np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in temp]),
        "sensitivity_temp": _sensitivity(residual, terms, temp),
    }
    if weather.precip_mm is not None:
        wet = np.sqrt(_aligned(weather.precip_mm, residual))
        found["climate_wet"] = np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in wet])
        found["sensitivity_wet"] = _sensitivity(residual, terms, wet)
    # A geo without weather counts as an average one: unknown is no reason to call it extreme.
    return {name: np.where(np.isfinite(v), v, np.nanmean(v)) for name, v in found.items() if np.isfinite(v).any()}


def _aligned(values: Floats, residual: Floats) -> Floats:
    if values.shape != residual.shape:
        raise BadInput(
            f"Weather has shape {values.shape}, the outcome {residual.shape}.", "give both the same geos and dates."
        )
    return values


def _sensitivity(residual: Floats, terms: Floats, weather: Floats) -> Floats:
    """Relative outcome per unit of weather out of season, by geo, shrunk towards the mean by its own uncertainty."""
    slope, error = np.full(len(residual), np.nan), np.full(len(residual), np.nan)
    for g, (y, w) in enumerate(zip(residual, weather, strict=True)):
        known = np.isfinite(y) & np.isfinite(w)
        if known.sum() < terms.shape[1] + 10:
            continue
        unusual = w[known] - terms[known] @ _fit(terms[known], w[known])
        size = float(unusual @ unusual)
        if size < _FLAT:
            continue
        slope[g] = unusual @ y[known] / size
        error[g] = np.var(y[known] - slope[g] * unusual) / size
    told = np.isfinite(slope)
    if told.sum() < 2:
        return slope
    centre = slope[told].mean()
    between = max(float(slope[told].var(ddof=1) - error[told].mean()), 0.0)
    slope[told] = centre + (slope[told] - centre) * between / (between + error[told])
    return slope
