"""Gradient boosting: one model over all series, of how far a period lies from the level at its origin (forecast.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.forecast.boosting_features import FeatureTable
from weathervane.model.forecast.candidate import Fitted, Floats, from_log

if TYPE_CHECKING:
    import lightgbm

BOOSTING = "gradient boosting"
_MAX_ROWS = 250_000
_FEW_ROWS = 40_000
_MOST_COPIES = 4
_TREES = 250
_SEED = 20
_PARAMETERS: dict[str, Any] = {
    "objective": "huber",
    "alpha": 0.1,  # log; beyond a tenth an error counts by its size, not its square
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 30,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 127,
    "seed": _SEED,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Boosting:
    """LightGBM on log demand less the level at the origin, leads drawn at random in training."""

    name: str = BOOSTING

    def fit(self, panel: Panel) -> Fitted:
        """Learns from every period of the past whose origin has four weeks before it."""
        import lightgbm

        panel, _, _ = _by_content(panel)
        table = FeatureTable(panel)
        horizon = len(panel.starts) - panel.n_past
        draw = np.random.default_rng(_SEED)
        series, target = np.nonzero(np.isfinite(table.log))
        seen = target >= table.recent + 1
        series, target = series[seen], target[seen]
        if len(target) == 0:
            return _Level()
        copies = int(
            np.clip(_FEW_ROWS // len(target), 1, _MOST_COPIES)
        )  # a short history is looked at from several origins
        series, target = np.tile(series, copies), np.tile(target, copies)
        if len(target) > _MAX_ROWS:
            kept = np.sort(draw.choice(len(target), _MAX_ROWS, replace=False))
            series, target = series[kept], target[kept]
        lead = np.minimum(draw.integers(1, horizon + 1, len(target)), target - table.recent)
        base = table.base(series, target - lead)
        aim = table.log[series, target] - base
        columns = table.columns(series, target, lead, base)
        data = lightgbm.Dataset(_matrix(columns, tuple(columns)), aim.astype(np.float32), params=_PARAMETERS)
        return _Trees(lightgbm.train(_PARAMETERS, data, _TREES), tuple(columns))


@dataclass(frozen=True)
class _Trees:
    booster: lightgbm.Booster
    names: tuple[str, ...]

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        ordered, k_order, g_order = _by_content(panel)
        table = FeatureTable(ordered)
        series, target, lead = _future(table)
        base = table.base(series, target - lead)
        rows = _matrix(table.columns(series, target, lead, base), self.names)
        log = base + np.asarray(self.booster.predict(rows, num_threads=1))
        made = from_log(log, table.offset[series]).reshape(len(panel.categories), len(panel.geos), -1)
        out = np.empty_like(made)
        out[np.ix_(k_order, g_order)] = made
        return out


@dataclass(frozen=True)
class _Level:
    """Where there is nothing to learn from: the level."""

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        table = FeatureTable(panel)
        series, target, lead = _future(table)
        log = table.base(series, target - lead)
        return from_log(log, table.offset[series]).reshape(len(panel.categories), len(panel.geos), -1)


def _matrix(columns: Mapping[str, Floats], names: tuple[str, ...]) -> NDArray[np.float32]:
    """[n, feature]: the columns of these names, missing where the panel does not have one (an event not seen yet)."""
    missing = np.full(len(columns["lead"]), np.nan)
    return np.stack([columns.get(name, missing) for name in names], axis=1, dtype=np.float32, casting="same_kind")


def _future(table: FeatureTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    horizon = len(table.panel.starts) - table.n_past
    series = np.repeat(np.arange(table.n_series), horizon)
    lead = np.tile(np.arange(1, horizon + 1), table.n_series)
    return series, table.n_past - 1 + lead, lead


def _by_content(panel: Panel) -> tuple[Panel, np.ndarray, np.ndarray]:
    """The panel with categories and places ordered by what they sold, so that names and positions change no tree."""
    sold = np.nan_to_num(panel.outcome[:, :, : panel.n_past]).sum(axis=2)
    k_order = np.lexsort(np.sort(sold, axis=1).T)
    g_order = np.lexsort(np.sort(sold, axis=0))
    both = {
        name: getattr(panel, name)[k_order][:, g_order] for name in ("outcome", "in_stock", "promotion", "log_price")
    }
    by_geo = {name: getattr(panel, name)[:, g_order] for name in ("spend", "weather", "event_days")}
    spend_order = np.lexsort(np.sort(np.nan_to_num(panel.spend).sum(axis=2), axis=1).T) if panel.channels else []
    if len(spend_order):
        by_geo["spend"] = by_geo["spend"][spend_order]
    shut = None if panel.closed is None else np.broadcast_to(panel.closed, panel.outcome.shape)[k_order][:, g_order]
    warmth = None if panel.temp_c is None else panel.temp_c[g_order]
    return replace(panel, **both, **by_geo, closed=shut, temp_c=warmth, doubt=None), k_order, g_order
