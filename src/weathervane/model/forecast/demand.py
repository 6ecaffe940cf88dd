"""Demand forecasts: a structural regression on log demand, and the two floors it has to beat (forecast.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from weathervane.contracts.response import WeatherEffect
from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDEX_UNITS, INDICES

Floats = NDArray[np.float64]
Method = Callable[[Panel], Floats]  # log demand [k, g, horizon] of the panel's future periods

STRUCTURAL, SEASONAL_NAIVE, RECENT_MEAN = "structural", "seasonal naive", "recent mean"

_TINY_SHARE = 1e-3  # of a series' mean: stands in for zero and negative days where a logarithm is taken
_MIN_DAYS_FOR_SEASON = 400
_WEATHER_LAGS = {1: ((0,), (1, 2), (3, 4, 5, 6)), 7: ((0,), (1,))}  # step in days -> groups of lags in steps
_PULL_FORWARD_DAYS = 14
_LEVEL_DAYS = 28
_SPEND_HALF_LIFE_DAYS = 6.0
_NEWEY_WEST_DAYS = 14


@dataclass(frozen=True)
class Structural:
    """The fitted regression of every category on the panel it was fitted to."""

    panel: Panel
    predicted: Floats  # [k, g, horizon], log demand
    without_weather: Floats  # [k, g, horizon], log demand had the weather been normal
    effects: tuple[WeatherEffect, ...]


def fit_structural(panel: Panel) -> Structural:
    """Trend, season, weekday, events, promotions, price, weather with lags, and spend, pooled over geos by category."""
    fits = [_fit_category(panel, k) for k in range(len(panel.categories))]
    effects = [_effects(name, fit, panel.step_days) for name, fit in zip(panel.categories, fits, strict=True)]
    return Structural(
        panel,
        np.stack([fit.future for fit in fits]),
        np.stack([fit.future - fit.weather for fit in fits]),
        tuple(effect for of_category in effects for effect in of_category),
    )


def structural(panel: Panel) -> Floats:
    """The structural forecast of the panel's future, log demand [k, g, horizon]."""
    return np.stack([_fit_category(panel, k).future for k in range(len(panel.categories))])


def seasonal_naive(panel: Panel) -> Floats:
    """The same weekday's last value, or the same week a year ago where there is one: log demand [k, g, horizon]."""
    n, horizon = panel.n_past, len(panel.starts) - panel.n_past
    past = _log_outcome(panel, keep_missing=False)
    season = 7 if panel.step_days == 1 else 52
    if season > n:
        season = 1
    return past[:, :, n - season + np.arange(horizon) % season]


def recent_mean(panel: Panel) -> Floats:
    """The mean of the last four weeks (eight, by week): log demand [k, g, horizon]."""
    n, horizon = panel.n_past, len(panel.starts) - panel.n_past
    window = _LEVEL_DAYS if panel.step_days == 1 else 8
    recent = panel.outcome[:, :, max(0, n - window) : n]
    known = np.where(np.isfinite(recent).any(axis=2), _nanmean(recent), _nanmean(panel.outcome[:, :, :n]))
    return np.repeat(np.log(np.maximum(known, _floor(panel)))[:, :, None], horizon, axis=2)


METHODS: dict[str, Method] = {STRUCTURAL: structural, SEASONAL_NAIVE: seasonal_naive, RECENT_MEAN: recent_mean}


def spread(panel: Panel) -> Floats:
    """[k, g]: each series' own scale of log error, the spread of its week-on-week (or step-on-step) changes."""
    log = _log_outcome(panel, keep_missing=True)
    lag = 7 if panel.step_days == 1 else 1
    change = log[:, :, lag:] - log[:, :, :-lag]
    # A series without two values to compare has a wide spread of its own.
    change = np.where(np.isfinite(change).any(axis=2, keepdims=True), change, 0.3)
    return np.maximum(np.nanmedian(np.abs(change), axis=2) / (0.6745 * np.sqrt(2)), 0.01)


@dataclass(frozen=True)
class _CategoryFit:
    """The regression of one category: log forecast [g, horizon], weather's part of it, and what its errors need."""

    future: Floats
    weather: Floats
    names: list[tuple[str, int]]
    beta: Floats  # [p]
    solve: Floats  # [p, p], inverse of the penalised gram matrix
    rows: Floats  # [g, past, p], centred, zero where not known
    residual: Floats  # [g, past]


def _fit_category(panel: Panel, k: int) -> _CategoryFit:
    n = panel.n_past
    names, x, sd = _columns(panel, k)
    target = _log_outcome(panel, keep_missing=True)[k]
    known = np.isfinite(target) & (panel.in_stock[k, :, :n] > 0.98)
    weight = known.astype(np.float64)
    count = np.maximum(weight.sum(axis=1), 1.0)
    # Each geo's level is its own: taken out by centring, put back with what its last four weeks left over.
    level = (np.where(known, target, 0.0)).sum(axis=1) / count
    # One never seen in stock stays at what little it sold.
    level = np.where(known.any(axis=1), level, np.log(np.maximum(_nanmean(panel.outcome[k, :, :n]), _floor(panel)[k])))
    center = (weight[:, None] @ x[:, :n])[:, 0] / count[:, None]
    rows = (x[:, :n] - center[:, None]) * weight[..., None]
    left = np.where(known, target - level[:, None], 0.0)
    flat = rows.reshape(-1, rows.shape[-1])
    noise = max(float((left**2).sum() / max(weight.sum() - 1, 1)), 1e-6)
    solve = np.linalg.inv(flat.T @ flat + np.diag(noise / sd**2))
    beta = solve @ (flat.T @ left.ravel())
    residual = left - rows @ beta
    window = max(1, _LEVEL_DAYS // panel.step_days)
    recent = residual[:, -window:].sum(axis=1) / (weight[:, -window:].sum(axis=1) + 0.15 * window)
    base = (level + recent)[:, None] - (center @ beta)[:, None]
    future = x[:, n:] @ beta + base
    of_weather = np.array([name in INDICES for name, _ in names])
    weather = x[:, n:, of_weather] @ beta[of_weather]
    return _CategoryFit(future, weather, names, beta, solve, rows, residual)


def _columns(panel: Panel, k: int) -> tuple[list[tuple[str, int]], Floats, Floats]:
    """Names (with a lag group), columns [g, t, p] over past and future, and the prior sd of each coefficient."""
    g, total, step = len(panel.geos), len(panel.starts), panel.step_days
    columns: list[tuple[tuple[str, int], Floats, float]] = []

    def add(name: str, values: Floats, sd: float, group: int = 0) -> None:
        if np.ptp(values[..., : panel.n_past]) > 0:
            columns.append(((name, group), np.broadcast_to(values, (g, total)), sd))

    years = (np.arange(total) - panel.n_past) * step / 365.25
    add("trend", years, 0.5)
    day = np.array([start.timetuple().tm_yday for start in panel.starts], dtype=np.float64) + (step - 1) / 2
    if panel.n_past * step >= _MIN_DAYS_FOR_SEASON:
        for order in range(1, 5):
            add(f"season cos {order}", np.cos(2 * np.pi * order * day / 365.25), 0.5)
            add(f"season sin {order}", np.sin(2 * np.pi * order * day / 365.25), 0.5)
    if step == 1:
        weekday = np.array([start.weekday() for start in panel.starts])
        for i in range(6):
            add(f"weekday {i}", (weekday == i).astype(np.float64), 0.5)
    for e, name in enumerate(panel.events):
        add(name, panel.event_days[e], 0.5)
    add("promotion", panel.promotion[k], 3.0)
    add("promotion before", _trailing_mean(panel.promotion[k], max(1, _PULL_FORWARD_DAYS // step)), 1.0)
    add("price", panel.log_price[k], 2.0)
    if panel.weather_source != "none":
        for i, name in enumerate(INDICES):
            for group, lags in enumerate(_WEATHER_LAGS[step]):
                add(
                    name,
                    sum((_lag(panel.weather[i], lag) for lag in lags), np.zeros((g, total))) / len(lags),
                    0.3,
                    group,
                )
    for c, channel in enumerate(panel.channels):
        add(f"spend {channel}", _carried_spend(panel, c), 0.2)
    for i, geo in enumerate(panel.geos if g > 1 else ()):
        own = np.zeros((g, total))
        own[i] = years
        add(f"trend {geo}", own, 0.05)
    names = [name for name, *_ in columns]
    return names, np.stack([values for _, values, _ in columns], axis=-1), np.array([sd for *_, sd in columns])


def _carried_spend(panel: Panel, c: int) -> Floats:
    """[g, t]: log of one plus carried-over spend in multiples of its mean; the future spends as the last four weeks."""
    n, step = panel.n_past, panel.step_days
    spend = panel.spend[c].copy()
    usual = np.nan_to_num(_nanmean(spend[:, :n]))
    spend = np.where(np.isfinite(spend), spend, usual[:, None])
    spend[:, n:] = spend[:, max(0, n - _LEVEL_DAYS // step) : n].mean(axis=1, keepdims=True)
    relative = spend / np.maximum(usual, 1e-9)[:, None]
    keep = 0.5 ** (step / _SPEND_HALF_LIFE_DAYS)
    # carried[t] = keep · carried[t−1] + (1 − keep) · relative[t], from carried[0] = relative[0]
    carried, _ = lfilter([1 - keep], [1, -keep], relative, axis=1, zi=keep * relative[:, :1])
    return np.log1p(carried)


def _robust(fit: _CategoryFit, step_days: int) -> Floats:
    """Covariance of the coefficients, robust to noise shared by places on a day and lasting two weeks (forecast.md)."""
    score = np.einsum("gtp,gt->tp", fit.rows, fit.residual)
    meat = score.T @ score
    lags = max(1, _NEWEY_WEST_DAYS // step_days)
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    return fit.solve @ meat @ fit.solve


def _effects(category: str, fit: _CategoryFit, step_days: int) -> list[WeatherEffect]:
    """Each index's effect on demand, added up over its lags; relative, with a 90 % interval."""
    covariance = _robust(fit, step_days)
    effects: list[WeatherEffect] = []
    for index in INDICES:
        chosen = np.array([1.0 if name == index else 0.0 for name, _ in fit.names])
        if not chosen.any():
            continue
        middle, sd = float(chosen @ fit.beta), float(np.sqrt(max(chosen @ covariance @ chosen, 0.0)))
        low, mid, high = (float(np.expm1(middle + z * sd)) for z in (-1.6449, 0.0, 1.6449))
        effects.append(WeatherEffect(category, index, INDEX_UNITS[index], low, mid, high))
    return effects


def _log_outcome(panel: Panel, *, keep_missing: bool) -> Floats:
    """Log outcome [k, g, past]; missing values are NaN, or the series' mean where a value is needed."""
    past = panel.outcome[:, :, : panel.n_past]
    if not keep_missing:
        past = np.where(np.isfinite(past), past, _nanmean(past)[:, :, None])
    return np.log(np.maximum(past, _floor(panel)[:, :, None]))


def _floor(panel: Panel) -> Floats:
    return np.maximum(_TINY_SHARE * np.abs(_nanmean(panel.outcome[:, :, : panel.n_past])), 1e-9)


def _nanmean(values: Floats) -> Floats:
    """Mean over time of what is there; zero where nothing is."""
    there = np.isfinite(values)
    return np.where(there, values, 0.0).sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)


def _lag(values: Floats, lag: int) -> Floats:
    if lag == 0:
        return values
    return np.concatenate([np.zeros_like(values[:, :lag]), values[:, :-lag]], axis=1)


def _trailing_mean(values: Floats, window: int) -> Floats:
    """Mean over the `window` periods before each one."""
    return sum((_lag(values, lag) for lag in range(1, window + 1)), np.zeros_like(values)) / window
