"""Gradient boosting: one model over all series, of how far a period lies from the level at its origin (forecast.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.forecast.boosting_features import FeatureTable, Ints
from weathervane.model.forecast.candidate import Fitted, Floats, from_log

if TYPE_CHECKING:
    import lightgbm

BOOSTING = "gradient boosting"
_MAX_ROWS = 250_000
_FEW_ROWS = 20_000
_MOST_FITS = 4
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

        panel, _, _ = by_content(panel)
        table = FeatureTable(panel)
        horizon = len(panel.starts) - panel.n_past
        draw = np.random.default_rng(_SEED)
        series, target = np.nonzero(np.isfinite(table.log))
        seen = target >= table.recent + 1
        series, target = series[seen], target[seen]
        if len(target) == 0:
            return Level()
        series, target = thinned(series, target)
        boosters: list[lightgbm.Booster] = []
        names: tuple[str, ...] = ()
        for n in range(n_fits(len(target))):
            # A short history is looked at from several origins.
            lead = np.minimum(draw.integers(1, horizon + 1, len(target)), target - table.recent)
            base = table.base(series, target - lead)
            columns = table.columns(series, target, lead, base)
            names = tuple(columns)
            aim = (table.log[series, target] - base).astype(np.float32)
            data = lightgbm.Dataset(matrix(columns, names), aim, params=_PARAMETERS)
            boosters.append(lightgbm.train({**_PARAMETERS, "seed": _SEED + n}, data, _TREES))
        return _Trees(tuple(boosters), names)


@dataclass(frozen=True)
class _Trees:
    boosters: tuple[lightgbm.Booster, ...]
    names: tuple[str, ...]

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        ordered, k_order, g_order = by_content(panel)
        table = FeatureTable(ordered)
        series, target, lead = future_of(table)
        base = table.base(series, target - lead)
        rows = matrix(table.columns(series, target, lead, base), self.names)
        log = base + predicted(self.boosters, rows)
        return in_own_order(from_log(log, table.offset[series]), k_order, g_order)


@dataclass(frozen=True)
class Level:
    """Where there is nothing to learn from: the level at the origin."""

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        table = FeatureTable(panel)
        series, target, lead = future_of(table)
        log = table.base(series, target - lead)
        return from_log(log, table.offset[series]).reshape(len(panel.categories), len(panel.geos), -1)


def n_fits(n_rows: int) -> int:
    """Of how many fits the forecast is the mean: where data are few one fit is luck, and several cost little."""
    return int(np.clip(_FEW_ROWS // n_rows, 1, _MOST_FITS))


def predicted(boosters: tuple[lightgbm.Booster, ...], rows: NDArray[np.float32]) -> Floats:
    """[n]: the mean of what the boosters say."""
    said = np.stack([np.asarray(each.predict(rows, num_threads=1), dtype=np.float64) for each in boosters])
    return said.mean(axis=0)


def thinned(series: Ints, target: Ints) -> tuple[Ints, Ints]:
    """At most so many rows, drawn without regard to their place: more would take time and teach little."""
    if len(target) <= _MAX_ROWS:
        return series, target
    kept = np.sort(np.random.default_rng(_SEED).choice(len(target), _MAX_ROWS, replace=False))
    return series[kept], target[kept]


def matrix(columns: Mapping[str, Floats], names: tuple[str, ...]) -> NDArray[np.float32]:
    """[n, feature]: the columns of these names, missing where the panel does not have one (an event not seen yet)."""
    missing = np.full(len(next(iter(columns.values()))), np.nan)
    return np.stack([columns.get(name, missing) for name in names], axis=1, dtype=np.float32, casting="same_kind")


def future_of(table: FeatureTable) -> tuple[Ints, Ints, Ints]:
    """Series, target period and lead [n] of every cell of the future."""
    horizon = len(table.panel.starts) - table.n_past
    series = np.repeat(np.arange(table.n_series), horizon)
    lead = np.tile(np.arange(1, horizon + 1), table.n_series)
    return series, table.n_past - 1 + lead, lead


def in_own_order(made: Floats, k_order: np.ndarray, g_order: np.ndarray) -> Floats:
    """[k, g, horizon]: what was made [n] of each cell of a panel by content, where the panel itself has them."""
    ordered = made.reshape(len(k_order), len(g_order), -1)
    out = np.empty_like(ordered)
    out[np.ix_(k_order, g_order)] = ordered
    return out


def by_content(panel: Panel) -> tuple[Panel, np.ndarray, np.ndarray]:
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
