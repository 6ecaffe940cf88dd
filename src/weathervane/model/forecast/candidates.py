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
_TIE = 0.005  # relative difference in error below which the simpler one is as good


def fit_all(panel: Panel) -> dict[str, Fitted]:
    """Every candidate fitted to the panel's past."""
    return {each.name: each.fit(panel) for each in CANDIDATES}


def predict_all(fitted: Mapping[str, Fitted], panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by every method, the stack among them: the mean of the two that learn."""
    made = {name: one.predict(panel) for name, one in fitted.items()}
    return {**made, STACK: np.mean([made[name] for name in _STACKED], axis=0)}


def predict(name: str, panel: Panel) -> Floats:
    """Demand [k, g, horizon] by one method, fitted to this panel."""
    needed = _STACKED if name == STACK else (name,)
    return np.mean([each.fit(panel).predict(panel) for each in CANDIDATES if each.name in needed], axis=0)


def best(wape: Mapping[str, float], among: tuple[str, ...] = METHODS) -> str:
    """The method with the least error; the simplest of those within half a percent of it."""
    least = min(wape[name] for name in among)
    return next(name for name in among if wape[name] <= least * (1 + _TIE))
