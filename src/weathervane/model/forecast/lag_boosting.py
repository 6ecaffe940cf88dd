"""Boosting on lags: one model over all series, of a period's level from what is known a whole horizon before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weathervane.model.features.build import Panel
from weathervane.model.forecast.boosting import (
    Level,
    by_content,
    future_of,
    in_own_order,
    matrix,
    n_fits,
    predicted,
    thinned,
)
from weathervane.model.forecast.boosting_features import FeatureTable
from weathervane.model.forecast.candidate import Fitted, Floats, from_log

if TYPE_CHECKING:
    import lightgbm

LAG_BOOSTING = "boosting on lags"
_TREES = 120
_PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.1,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "seed": 0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class LagBoosting:
    """LightGBM on log demand itself. It knows neither the newest days nor the level at the origin, so it errs where the
    other boosting does not; it is there for their mean (forecast.md, "The choice")."""

    name: str = LAG_BOOSTING

    def fit(self, panel: Panel) -> Fitted:
        """Learns from every period of the past a horizon after the first."""
        import lightgbm

        panel, _, _ = by_content(panel)
        table, horizon = FeatureTable(panel), len(panel.starts) - panel.n_past
        series, target = np.nonzero(np.isfinite(table.log))
        seen = target >= horizon
        series, target = thinned(series[seen], target[seen])
        if len(target) == 0:
            return Level()
        columns = table.lagged(series, target, horizon)
        aim = table.log[series, target].astype(np.float32)
        data = lightgbm.Dataset(matrix(columns, tuple(columns)), aim, params=_PARAMETERS)
        fits = [lightgbm.train({**_PARAMETERS, "seed": n}, data, _TREES) for n in range(n_fits(len(target)))]
        return _Trees(tuple(fits), tuple(columns))


@dataclass(frozen=True)
class _Trees:
    boosters: tuple[lightgbm.Booster, ...]
    names: tuple[str, ...]

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        ordered, k_order, g_order = by_content(panel)
        table = FeatureTable(ordered)
        series, target, _ = future_of(table)
        rows = matrix(table.lagged(series, target, len(panel.starts) - panel.n_past), self.names)
        log = predicted(self.boosters, rows)
        return in_own_order(from_log(log, table.offset[series]), k_order, g_order)
