"""The candidates, simplest first, and the choice between them by their record (forecast.md, "The choice")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from weathervane.model.features.build import Panel
from weathervane.model.forecast.boosting import BOOSTING, Boosting
from weathervane.model.forecast.candidate import Candidate, Fitted, Floats
from weathervane.model.forecast.floors import (
    EIGHT_WEEKS,
    RECENT_MEAN,
    SEASONAL_NAIVE,
    WEEKDAY_MEANS,
    YEAR_AGO,
    RecentMean,
    SeasonalNaive,
    WeekdayMeans,
    YearAgo,
)
from weathervane.model.forecast.intermittent import hurdle
from weathervane.model.forecast.lag_boosting import LAG_BOOSTING, LagBoosting
from weathervane.model.forecast.structural import STRUCTURAL, Structural

STACK, BLEND = "stack", "stack and baseline"
STACKED = (STRUCTURAL, BOOSTING, LAG_BOOSTING)
CANDIDATES: tuple[Candidate, ...] = (
    RecentMean(),
    SeasonalNaive(),
    WeekdayMeans(),
    WeekdayMeans(EIGHT_WEEKS, 8),
    YearAgo(),
    Structural(),
    Boosting(),
    LagBoosting(),
)
FLOORS = (RECENT_MEAN, SEASONAL_NAIVE, WEEKDAY_MEANS, EIGHT_WEEKS, YEAR_AGO)
DAILY = (EIGHT_WEEKS, YEAR_AGO)  # that say by week what another baseline says
METHODS = (*(each.name for each in CANDIDATES), STACK, BLEND)
_MOST = 3.0  # times the most a series ever sold: no forecast goes beyond
_AT_ONCE = 2  # candidates that learn or predict side by side: the two boostings take nearly all the time
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return _fit(CANDIDATES, panel)


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each fitted method; none goes beyond three times the most a series ever sold.

    Of a series that sells on few days the models say what the hurdle forecast does: a log has no place for its zeros.
    """
    most = _MOST * np.nan_to_num(panel.outcome[:, :, : panel.n_past]).max(axis=2, keepdims=True)
    seldom = hurdle(panel)

    def predicted(name: str) -> Floats:
        made = np.minimum(fitted[name].predict(panel), most)
        return np.where(seldom.told[..., None], seldom.mean, made) if name in STACKED else made

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(fitted, pool.map(predicted, fitted), strict=True))


def _fit(candidates: Sequence[Candidate], panel: Panel) -> dict[str, Fitted]:
    """By name; each learns by itself, so no number depends on how many do at once."""

    def learnt(one: Candidate) -> Fitted:
        return one.fit(panel)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip((each.name for each in candidates), pool.map(learnt, candidates), strict=True))


def stacked(made: Mapping[str, Floats]) -> Floats:
    """The mean of the stack's parts: weights learnt from a short record cost more than they bring (forecast.md)."""
    return np.mean([made[name] for name in STACKED], axis=0)


@dataclass(frozen=True)
class Forecaster:
    """One method, with the models of the stack that it may be made of and whose differences tell how sure it is."""

    name: str
    fitted: Mapping[str, Fitted]
    baseline: str  # of the blend

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon] of the panel's future."""
        parts = {STACK: STACKED, BLEND: (*STACKED, self.baseline)}.get(self.name, (self.name,))
        made = predict_all({name: self.fitted[name] for name in parts}, panel)
        if self.name == BLEND:
            return blended(stacked(made), made[self.baseline])
        return stacked(made) if self.name == STACK else made[self.name]

    def models(self, panel: Panel) -> Floats:
        """[model, k, g, horizon]: demand by each model of the stack."""
        return np.stack(list(predict_all({name: self.fitted[name] for name in STACKED}, panel).values()))


def fit(name: str, panel: Panel, baseline: str = EIGHT_WEEKS) -> Forecaster:
    """One method fitted to the panel's past, and the models of the stack; `baseline` is the one a blend holds."""
    wanted = {name, baseline, *STACKED}
    return Forecaster(name, _fit([each for each in CANDIDATES if each.name in wanted], panel), baseline)


def blended(stack: Floats, baseline: Floats) -> Floats:
    """Half the stack, half the baseline: what is used where a baseline was better, but not by more than luck."""
    return (stack + baseline) / 2


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
