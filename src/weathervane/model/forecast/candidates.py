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
    RECENT_MEAN,
    SEASONAL_NAIVE,
    WEEKDAY_MEANS,
    RecentMean,
    SeasonalNaive,
    WeekdayMeans,
)
from weathervane.model.forecast.lag_boosting import LAG_BOOSTING, LagBoosting
from weathervane.model.forecast.structural import STRUCTURAL, Structural

STACK = "stack"
STACKED = (STRUCTURAL, BOOSTING, LAG_BOOSTING)
CANDIDATES: tuple[Candidate, ...] = (
    RecentMean(),
    SeasonalNaive(),
    WeekdayMeans(),
    Structural(),
    Boosting(),
    LagBoosting(),
)
FLOORS = (RECENT_MEAN, SEASONAL_NAIVE, WEEKDAY_MEANS)
METHODS = (*(each.name for each in CANDIDATES), STACK)
_MOST = 3.0  # times the most a series ever sold: no forecast goes beyond
_AT_ONCE = 2  # candidates that learn or predict side by side: the two boostings take nearly all the time
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return _fit(CANDIDATES, panel)


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each fitted method; none goes beyond three times the most a series ever sold."""
    most = _MOST * np.nan_to_num(panel.outcome[:, :, : panel.n_past]).max(axis=2, keepdims=True)

    def predicted(one: Fitted) -> Floats:
        return np.minimum(one.predict(panel), most)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(fitted, pool.map(predicted, fitted.values()), strict=True))


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

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon] of the panel's future."""
        if self.name == STACK:
            return stacked(predict_all({name: self.fitted[name] for name in STACKED}, panel))
        return predict_all({self.name: self.fitted[self.name]}, panel)[self.name]

    def models(self, panel: Panel) -> Floats:
        """[model, k, g, horizon]: demand by each model of the stack."""
        return np.stack(list(predict_all({name: self.fitted[name] for name in STACKED}, panel).values()))


def fit(name: str, panel: Panel) -> Forecaster:
    """One method fitted to the panel's past, and the models of the stack."""
    return Forecaster(name, _fit([each for each in CANDIDATES if each.name in {name, *STACKED}], panel))


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
