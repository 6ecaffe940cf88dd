"""The candidates, simplest first, and the choice between them by their record (forecast.md, "The choice")."""

from __future__ import annotations

from collections.abc import Mapping

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
from weathervane.model.forecast.structural import STRUCTURAL, Structural

STACK = "stack"
CANDIDATES: tuple[Candidate, ...] = (RecentMean(), SeasonalNaive(), WeekdayMeans(), Structural(), Boosting())
FLOORS = (RECENT_MEAN, SEASONAL_NAIVE, WEEKDAY_MEANS)
METHODS = (*(each.name for each in CANDIDATES), STACK)
_STACKED = (STRUCTURAL, BOOSTING)
_MOST = 3.0  # times the most a series ever sold: no forecast goes beyond
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return {each.name: each.fit(panel) for each in CANDIDATES}


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each fitted method, and by the stack where its parts are there: their mean."""
    most = _MOST * np.nan_to_num(panel.outcome[:, :, : panel.n_past]).max(axis=2, keepdims=True)
    made = {name: np.minimum(one.predict(panel), most) for name, one in fitted.items()}
    if all(name in made for name in _STACKED):
        made[STACK] = np.mean([made[name] for name in _STACKED], axis=0)
    return made


def predict(name: str, panel: Panel) -> Floats:
    """Demand [k, g, horizon] by one method, fitted to this panel."""
    needed = _STACKED if name == STACK else (name,)
    return predict_all({each.name: each.fit(panel) for each in CANDIDATES if each.name in needed}, panel)[name]


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
