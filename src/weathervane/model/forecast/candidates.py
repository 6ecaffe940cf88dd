"""The candidates, simplest first, and the choice between them by their record (forecast.md, "The choice")."""

from __future__ import annotations

from collections.abc import Mapping
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
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return {each.name: each.fit(panel) for each in CANDIDATES}


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each fitted method; none goes beyond three times the most a series ever sold."""
    most = _MOST * np.nan_to_num(panel.outcome[:, :, : panel.n_past]).max(axis=2, keepdims=True)
    return {name: np.minimum(one.predict(panel), most) for name, one in fitted.items()}


def stack_weights(wape: Mapping[str, float]) -> dict[str, float]:
    """How much each part of the stack counts: by its inverse squared error (Bates and Granger); alike without any."""
    error = np.array([wape[name] for name in STACKED])
    known = np.isfinite(error).all() and error.max() > 0
    share = 1 / np.maximum(error, 1e-3 * error.max()) ** 2 if known else np.ones(len(STACKED))
    return dict(zip(STACKED, (share / share.sum()).tolist(), strict=True))


def stacked(made: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The weighted mean of the stack's parts."""
    return sum((weights[name] * made[name] for name in STACKED), np.zeros(1))


@dataclass(frozen=True)
class Forecaster:
    """One method, with the models of the stack that it may be made of and whose differences tell how sure it is."""

    name: str
    fitted: Mapping[str, Fitted]
    weights: Mapping[str, float]

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon] of the panel's future."""
        if self.name == STACK:
            return stacked(predict_all({name: self.fitted[name] for name in STACKED}, panel), self.weights)
        return predict_all({self.name: self.fitted[self.name]}, panel)[self.name]

    def models(self, panel: Panel) -> Floats:
        """[model, k, g, horizon]: demand by each model of the stack."""
        return np.stack(list(predict_all({name: self.fitted[name] for name in STACKED}, panel).values()))


def fit(name: str, panel: Panel, weights: Mapping[str, float] | None = None) -> Forecaster:
    """One method fitted to the panel's past; `weights` are the stack's, by its record, or else all alike."""
    needed = {name, *STACKED}
    fitted = {each.name: each.fit(panel) for each in CANDIDATES if each.name in needed}
    return Forecaster(name, fitted, weights or stack_weights(dict.fromkeys(STACKED, np.inf)))


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
