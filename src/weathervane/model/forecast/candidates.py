"""The candidates, simplest first, and the choice between them by their record (forecast.md, "The choice")."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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

STACK, BOOSTED_STACK = "stack", "stack of boostings"
_STACKS = {STACK: (STRUCTURAL, BOOSTING), BOOSTED_STACK: (BOOSTING, LAG_BOOSTING)}
CANDIDATES: tuple[Candidate, ...] = (
    RecentMean(),
    SeasonalNaive(),
    WeekdayMeans(),
    Structural(),
    Boosting(),
    LagBoosting(),
)
FLOORS = (RECENT_MEAN, SEASONAL_NAIVE, WEEKDAY_MEANS)
METHODS = (*(each.name for each in CANDIDATES), *_STACKS)
_MOST = 3.0  # times the most a series ever sold: no forecast goes beyond
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return {each.name: each.fit(panel) for each in CANDIDATES}


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each fitted method, and by each stack whose parts are there: their mean."""
    most = _MOST * np.nan_to_num(panel.outcome[:, :, : panel.n_past]).max(axis=2, keepdims=True)
    made = {name: np.minimum(one.predict(panel), most) for name, one in fitted.items()}
    stacks = {name: parts for name, parts in _STACKS.items() if all(part in made for part in parts)}
    return made | {name: np.mean([made[part] for part in parts], axis=0) for name, parts in stacks.items()}


def fit(name: str, panel: Panel) -> Callable[[Panel], Floats]:
    """One method fitted to the panel's past: gives demand [k, g, horizon] of that panel or of another future of it."""
    needed = _STACKS.get(name, (name,))
    fitted = {each.name: each.fit(panel) for each in CANDIDATES if each.name in needed}
    return lambda future: predict_all(fitted, future)[name]


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
