"""The structural candidate: a regression on log demand, pooled over places, each with ways of its own (forecast.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from weathervane.contracts.response import PromotionEffect, WeatherEffect
from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDEX_UNITS, INDICES
from weathervane.model.forecast.candidate import Fitted, Floats, day_of_year, first_days, selling, weekday

STRUCTURAL = "structural"

_TINY_SHARE = 0.02  # of a series' mean: stands in for zero and negative days where a logarithm is taken
_MIN_DAYS_FOR_SEASON = 400
_WEATHER_LAGS = {1: ((0,), (1, 2), (3, 4, 5, 6)), 7: ((0,), (1,))}  # step in days -> groups of lags in steps
_MILD_C = 18.0  # degree days are counted from here: what heats below it need not be what cools above
_PULL_FORWARD_DAYS = 14
_LEVEL_DAYS = 28
_SPEND_HALF_LIFE_DAYS = 6.0
_NEWEY_WEST_DAYS = 14
# Prior sd of a place's own deviation from the pooled coefficient.
_OWN_SD = {"trend": 0.05, "promotion": 0.5, "season cos 1": 0.1, "season sin 1": 0.1} | {
    f"weekday {i}": 0.15 for i in range(6)
}
_EPOCH = np.datetime64("2013-05-12", "D")  # years are counted from here
_OWN_NOISE = 4.0  # errors of one place last: as much evidence as a quarter of them

Column = tuple[str, int]  # name, lag group
Term = tuple[Column, Floats, float]  # a column, its values over past and future, prior sd of its coefficient


@dataclass(frozen=True)
class Outlook:
    """What the structural model says of the future, with the coming weather and with normal weather."""

    predicted: Floats  # [k, g, horizon], demand
    without_weather: Floats  # [k, g, horizon], demand had the weather been normal
    effects: tuple[WeatherEffect, ...]
    promotions: tuple[PromotionEffect, ...]


@dataclass(frozen=True)
class Structural:
    """Trend, season, weekday, events, promotions, price, weather with lags, and spend, pooled over geos by category."""

    name: str = STRUCTURAL

    def fit(self, panel: Panel) -> Fitted:
        """One regression a category, in which a warm day in winter need not do what one in summer does."""
        columns = _columns(panel, curved=True)
        return _Regressions(
            tuple(_fit_category(each, y)[0] for each, y in zip(columns, _log_outcome(panel), strict=True))
        )


def outlook(panel: Panel) -> Outlook:
    """The structural forecast of the panel's future beside the same under normal weather, and each index's effect.

    Effects are the same all year here: their intervals are tested, and one figure an index is what people read.
    """
    columns = _columns(panel)
    fits = [_fit_category(each, target) for each, target in zip(columns, _log_outcome(panel), strict=True)]
    parts = _project([fit for fit, _ in fits], panel)
    effects = [_effects(name, *fit, panel.step_days) for name, fit in zip(panel.categories, fits, strict=True)]
    promoted = [_promotion(panel, k, *fit) for k, fit in enumerate(fits)]
    return Outlook(
        np.exp(np.stack([future for future, _ in parts])),
        np.exp(np.stack([future - weather for future, weather in parts])),
        tuple(effect for of_category in effects for effect in of_category),
        tuple(each for each in promoted if each is not None),
    )


@dataclass(frozen=True)
class _CategoryFit:
    """The regression of one category."""

    names: list[Column]
    beta: Floats  # [p]
    own_names: list[Column]
    own: Floats  # [g, q], each place's deviation


@dataclass(frozen=True)
class _Evidence:
    """What the errors of the coefficients need."""

    solve: Floats  # [p, p], inverse of the penalised gram matrix
    rows: Floats  # [g, past, p], centred, zero where not known
    residual: Floats  # [g, past]


@dataclass(frozen=True)
class _Regressions:
    fits: tuple[_CategoryFit, ...]

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]: coefficients as fitted, levels as the panel's own past has them."""
        return np.exp(np.stack([future for future, _ in _project(self.fits, panel)]))


def _fit_category(of: _Columns, target: Floats) -> tuple[_CategoryFit, _Evidence]:
    """The regression of one category's log outcome `target` [g, past] on its columns."""
    n, columns, prior_sd = target.shape[1], of.values, of.prior_sd
    names = list(columns)
    known = np.isfinite(target)
    weight = known.astype(np.float64)
    count = np.maximum(weight.sum(axis=1), 1.0)
    # Each geo's level is its own: taken out by centring, put back from its own past when forecasting.
    left = np.where(known, target - (np.where(known, target, 0.0).sum(axis=1) / count)[:, None], 0.0)
    rows = np.stack([columns[name][:, :n] for name in names], axis=-1) if names else np.zeros((*left.shape, 0))
    rows -= np.einsum("gt,gtp->gp", weight, rows)[:, None] / count[:, None, None]
    rows *= weight[..., None]
    flat = rows.reshape(-1, len(names))
    noise = max(float((left**2).sum() / max(weight.sum() - 1, 1)), 1e-6)
    solve = np.linalg.inv(flat.T @ flat + np.diag(noise / np.array([prior_sd[name] for name in names]) ** 2))
    beta = solve @ (flat.T @ left.ravel())
    chosen = [i for i, (name, _) in enumerate(names) if name in _OWN_SD and len(rows) > 1]
    own, own_rows = np.zeros((len(rows), len(chosen))), rows[..., chosen]
    # In turn, what places share and what is their own: twice is as good as at once.
    for _ in range(2 if chosen else 0):
        own = _own_ways(own_rows, left - rows @ beta, np.array([_OWN_SD[names[i][0]] for i in chosen]))
        beta = solve @ (flat.T @ (left - np.einsum("gtq,gq->gt", own_rows, own)).ravel())
    residual = left - rows @ beta - np.einsum("gtq,gq->gt", own_rows, own)
    return _CategoryFit(names, beta, [names[i] for i in chosen], own), _Evidence(solve, rows, residual)


def _own_ways(rows: Floats, residual: Floats, prior_sd: Floats) -> Floats:
    """[g, q]: each place's deviation from the pooled coefficients, shrunk: a ridge regression of its own residuals."""
    noise = _OWN_NOISE * max(float((residual**2).sum() / max((residual != 0).sum(), 1)), 1e-6)
    gram = np.einsum("gtp,gtq->gpq", rows, rows) + np.diag(noise / prior_sd**2)
    return np.linalg.solve(gram, np.einsum("gtp,gt->gp", rows, residual)[..., None])[..., 0]


def _project(fits: Sequence[_CategoryFit], panel: Panel) -> list[tuple[Floats, Floats]]:
    """A category each: log forecast [g, horizon] of the panel's future, and weather's part of it."""
    of_category = zip(
        fits, _columns(panel, every=True, curved=True), _log_outcome(panel), np.log(_floor(panel)), strict=True
    )
    return [_project_category(fit, panel, of.values, *seen) for fit, of, *seen in of_category]


def _project_category(
    fit: _CategoryFit, panel: Panel, columns: Mapping[Column, Floats], target: Floats, least: Floats
) -> tuple[Floats, Floats]:
    n = panel.n_past
    known = np.isfinite(target)
    fitted, weather = np.zeros((2, len(panel.geos), len(panel.starts)))
    for name, beta in zip(fit.names, fit.beta, strict=True):
        part = beta * columns.get(name, np.zeros(1))
        fitted = fitted + part
        if name[0] in INDICES:
            weather = weather + part
    for q, name in enumerate(fit.own_names):
        fitted = fitted + fit.own[:, q, None] * columns.get(name, np.zeros(1))
    left = np.where(known, target - fitted[:, :n], 0.0)
    level = left.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    level = np.where(known.any(axis=1), level, least)
    window = max(1, _LEVEL_DAYS // panel.step_days)
    latest = np.where(known, left - level[:, None], 0.0)[:, -window:].sum(axis=1)
    level = level + latest / (known[:, -window:].sum(axis=1) + 0.15 * window)
    return (level[:, None] + fitted)[:, n:], weather[:, n:]


@dataclass(frozen=True)
class _Columns:
    """Columns [g, t] over past and future, and the prior sd of each coefficient."""

    values: dict[Column, Floats]
    prior_sd: dict[Column, float]


def _columns(panel: Panel, *, every: bool = False, curved: bool = False) -> list[_Columns]:
    """Those of each category, most being the same for all; `every` keeps those that never varied in the past.

    Where the season is not known yet it has no columns, and degrees, which would stand in for it, have none either.
    """
    seasonal = every or panel.n_past * panel.step_days >= _MIN_DAYS_FOR_SEASON
    calendar = list(_calendar(panel, seasonal=seasonal))
    conditions = list(_conditions(panel, curved=curved and seasonal))
    return [
        _gathered((*calendar, *_offers(panel, k), *conditions), panel, every=every)
        for k in range(len(panel.categories))
    ]


def _gathered(terms: Iterable[Term], panel: Panel, *, every: bool) -> _Columns:
    shape, n, columns = (len(panel.geos), len(panel.starts)), panel.n_past, _Columns({}, {})
    for column, values, sd in terms:
        if every or np.ptp(values[..., :n]) > 0:
            columns.values[column], columns.prior_sd[column] = np.broadcast_to(values, shape), sd
    return columns


def _calendar(panel: Panel, *, seasonal: bool) -> Iterator[Term]:
    """Trend, season, weekdays, events."""
    yield ("trend", 0), (first_days(panel) - _EPOCH).astype(np.float64) / 365.25, 0.5
    day = _middle_day(panel)
    for order in range(1, 5) if seasonal else ():
        yield (f"season cos {order}", 0), np.cos(2 * np.pi * order * day / 365.25), 0.5
        yield (f"season sin {order}", 0), np.sin(2 * np.pi * order * day / 365.25), 0.5
    for i in range(6) if panel.step_days == 1 else ():
        yield (f"weekday {i}", 0), (weekday(panel) == i).astype(np.float64), 0.5
    for e, name in enumerate(panel.events):
        yield (name, 0), panel.event_days[e], 0.5


def _offers(panel: Panel, k: int) -> Iterator[Term]:
    """Promotions of category k, what they pull forward, and its price."""
    promotion, window = panel.promotion[k], max(1, _PULL_FORWARD_DAYS // panel.step_days)
    yield ("promotion", 0), promotion, 3.0
    yield ("promotion before", 0), _trailing_mean(promotion, window), 1.0
    yield ("price", 0), panel.log_price[k], 2.0


def _conditions(panel: Panel, *, curved: bool) -> Iterator[Term]:
    """Weather with its lags, and spend."""
    if panel.weather_source != "none":
        weather: dict[str, Floats] = dict(zip(INDICES, panel.weather, strict=True))
        if curved:
            weather |= _degree_days(panel) | _by_season(weather, _middle_day(panel))
        for name, values in weather.items():
            for group, lags in enumerate(_WEATHER_LAGS[panel.step_days]):
                lagged = sum((_lag(values, lag) for lag in lags), np.zeros_like(values))
                yield (name, group), lagged / len(lags), 0.3
    for c, channel in enumerate(panel.channels):
        yield (f"spend {channel}", 0), _carried_spend(panel, c), 0.2


def _middle_day(panel: Panel) -> Floats:
    """[t]: day of the year of each period's middle."""
    return day_of_year(panel) + (panel.step_days - 1) / 2


def _by_season(weather: dict[str, Floats], day: Floats) -> dict[str, Floats]:
    """[g, t] each, warmth and cold times waves of a year: a warm day in winter is not a warm day in summer."""
    season = 2 * np.pi * day / 365.25
    waves = {"cos": np.cos(season), "sin": np.sin(season)}
    return {
        f"{name} by season {wave}": values * weather[name]
        for name in ("warm", "cold")
        for wave, values in waves.items()
    }


def _degree_days(panel: Panel) -> dict[str, Floats]:
    """[g, t] each, tens of degrees below and above a mild day; zero where the temperature is not known."""
    if panel.temp_c is None:
        return {}
    apart = np.nan_to_num(panel.temp_c - _MILD_C) / 10
    return {"heating degrees": np.maximum(-apart, 0.0), "cooling degrees": np.maximum(apart, 0.0)}


def _carried_spend(panel: Panel, c: int) -> Floats:
    """[g, t]: log of one plus carried-over spend in multiples of its mean; unplanned, it goes on as in four weeks."""
    n, step = panel.n_past, panel.step_days
    spend = panel.spend[c].copy()
    usual = np.nan_to_num(_nanmean(spend[:, :n]))
    planned = np.isfinite(spend)
    spend = np.where(planned, spend, usual[:, None])
    recent = spend[:, max(0, n - _LEVEL_DAYS // step) : n].mean(axis=1, keepdims=True)
    spend[:, n:] = np.where(planned[:, n:], spend[:, n:], recent)
    relative = spend / np.maximum(usual, 1e-9)[:, None]
    keep = 0.5 ** (step / _SPEND_HALF_LIFE_DAYS)
    # carried[t] = keep · carried[t−1] + (1 − keep) · relative[t], from carried[0] = relative[0]
    carried, _ = lfilter([1 - keep], [1, -keep], relative, axis=1, zi=keep * relative[:, :1])
    return np.log1p(carried)


def _robust(fit: _Evidence, step_days: int) -> Floats:
    """Covariance of the coefficients, robust to noise shared by places on a day and lasting two weeks (forecast.md)."""
    score = np.einsum("gtp,gt->tp", fit.rows, fit.residual)
    meat = score.T @ score
    lags = max(1, _NEWEY_WEST_DAYS // step_days)
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    return fit.solve @ meat @ fit.solve


def _effects(category: str, fit: _CategoryFit, evidence: _Evidence, step_days: int) -> list[WeatherEffect]:
    """Each index's effect on demand, added up over its lags; relative, with a 90 % interval."""
    covariance = _robust(evidence, step_days)
    effects: list[WeatherEffect] = []
    for index in INDICES:
        chosen = np.array([1.0 if name == index else 0.0 for name, _ in fit.names])
        if not chosen.any():
            continue
        middle, sd = float(chosen @ fit.beta), float(np.sqrt(max(chosen @ covariance @ chosen, 0.0)))
        low, mid, high = (float(np.expm1(middle + z * sd)) for z in (-1.6449, 0.0, 1.6449))
        effects.append(WeatherEffect(category, index, INDEX_UNITS[index], low, mid, high))
    return effects


def _promotion(panel: Panel, k: int, fit: _CategoryFit, evidence: _Evidence) -> PromotionEffect | None:
    """What a week of promotions at the usual depth does, with a 90 % interval; None where there never was one."""
    past = panel.promotion[k, :, : panel.n_past]
    if ("promotion", 0) not in fit.names:
        return None
    depth = float(past[past > 0].mean())
    # On a day of that week, the days before it that were promoted too, as a share of those that pull demand forward.
    window, n = max(1, _PULL_FORWARD_DAYS // panel.step_days), 7 // panel.step_days
    before = float(np.minimum(np.arange(n), window).mean()) / window
    shares = {("promotion", 0): depth, ("promotion before", 0): before * depth}
    chosen = np.array([shares.get(name, 0.0) for name in fit.names])
    middle = float(chosen @ fit.beta)
    sd = float(np.sqrt(max(chosen @ _robust(evidence, panel.step_days) @ chosen, 0.0)))
    low, mid, high = (float(np.expm1(middle + z * sd)) for z in (-1.6449, 0.0, 1.6449))
    return PromotionEffect(panel.categories[k], depth, low, mid, high)


def _log_outcome(panel: Panel) -> Floats:
    """Log outcome [k, g, past]; NaN where it is missing or does not tell of demand."""
    return np.log(np.maximum(selling(panel), _floor(panel)[:, :, None]))


def _floor(panel: Panel) -> Floats:
    return np.maximum(_TINY_SHARE * np.abs(_nanmean(selling(panel))), 1e-9)


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
