"""Weekly panels of given spend and known returns, which may change over time; for what surrounds the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.weekly_panels import HALF_LIFE, HALF_SATURATION, panel_of
from weathervane.model.features.build import Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """A panel and what each channel truly caused [c, g, t]."""

    panel: Panel
    caused: Floats


def varied_spend(n_channels: int, n_geos: int, n_weeks: int, *, seed: int = 0, share: float = 0.06) -> Floats:
    """Spend [c, g, t] in flights of four weeks, channels independent of each other."""
    rng = np.random.default_rng([seed, 1])
    flights = np.repeat(rng.normal(0.0, 0.6, (n_channels, n_geos, n_weeks // 4 + 1)), 4, axis=2)[:, :, :n_weeks]
    noise = rng.normal(0.0, 0.3, (n_channels, n_geos, n_weeks))
    return share * 1e5 * np.exp(flights + noise)


def known_panel(spend: Floats, roi: Floats, *, seed: int = 0, noise: float = 0.03) -> Known:
    """Outcome = level with a season + Hill(adstock(spend)) × roi [c, t] + noise; places of one size."""
    rng = np.random.default_rng([seed, 2])
    _, g, t = spend.shape
    level = 1e5
    z = rng.normal(0.0, 0.8, (g, t))
    keep = 0.5 ** (7.0 / HALF_LIFE)
    carried = spend / spend.mean(axis=(1, 2), keepdims=True)
    for week in range(1, t):
        carried[:, :, week] = keep * carried[:, :, week - 1] + (1 - keep) * carried[:, :, week]
    response = carried / (carried + HALF_SATURATION)
    per_unit = response * (spend.sum(axis=(1, 2)) / response.sum(axis=(1, 2)))[:, None, None]
    caused = per_unit * roi[:, None, :]
    base = level * (0.8 + 0.08 * np.cos(2 * np.pi * np.arange(t) / 52.18) + noise * rng.standard_normal((g, t)))
    return Known(panel_of(base + caused.sum(axis=0), spend, z), caused)
