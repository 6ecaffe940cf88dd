"""Forecast records made by simulation, whose truth is known."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.forecast import LEVELS

Z = norm.ppf(LEVELS)


def cells(
    seed: int = 1,
    *,
    n_origins: int = 16,
    horizon: int = 14,
    n_geos: int = 4,
    n_categories: int = 2,
    shared: float = 0.0,
    width: float = 1.0,
    shift: float = 0.0,
) -> ForecastCells:
    """Actuals of spread 10 around 100, of which `shared` of the variance is one shock an origin, and their quantiles.

    The quantiles are right where `width` is 1 and `shift` 0; `raw` is half as wide.
    """
    rng = np.random.default_rng(seed)
    o, h, g, k = (a.ravel() for a in np.indices((n_origins, horizon, n_geos, n_categories)))
    noise = np.sqrt(shared) * rng.normal(size=n_origins)[o] + np.sqrt(1 - shared) * rng.normal(size=len(o))
    start = np.datetime64("2025-01-01")
    origin = start + (o * horizon - 1).astype("timedelta64[D]")
    level = 100.0 * (1 + g)
    return ForecastCells(
        source="backtest",
        step_days=1,
        geos=tuple(f"place {i}" for i in range(n_geos)),
        categories=tuple(f"category {i}" for i in range(n_categories)),
        origin=origin,
        date=origin + (h + 1).astype("timedelta64[D]"),
        lead=(h + 1).astype(np.int64),
        geo=g.astype(np.int64),
        category=k.astype(np.int64),
        quantiles=level[:, None] + shift + 10 * width * Z,
        raw=level[:, None] + 5 * width * Z,
        floor=level + 10.0,
        actual=level + 10 * noise,
        scale=np.full(len(o), 20.0),
    )
