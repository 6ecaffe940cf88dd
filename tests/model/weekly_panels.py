"""Small weekly panels with known media effects, for the media mix model's tests."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel

Floats = NDArray[np.float64]
HALF_LIFE, HALF_SATURATION, SLOPE = 5.0, 1.3, 1.0


def weekly_panel(
    n_geos: int, n_weeks: int, roi: tuple[float, ...], *, seed: int = 0, noise: float = 0.04, modulation: float = 0.0
) -> Panel:
    """Outcome = own level, season and noise + Hill(adstock(spend)) scaled to the given ROI by channel."""
    rng = np.random.default_rng(seed)
    g, t, c = n_geos, n_weeks, len(roi)
    level = np.exp(rng.normal(12.0, 0.5, g))
    z = rng.normal(0.0, 0.8, (g, t))
    national = np.exp(np.repeat(rng.normal(0.0, 0.6, (c, 1, t // 4 + 1)), 4, axis=2)[:, :, :t])
    spend = 0.06 * level[:, None] * national * np.exp(rng.normal(0.0, 0.4, (c, g, t)))
    weeks = np.arange(t)
    outcome = level[:, None] * (0.8 + 0.1 * np.cos(2 * np.pi * weeks / 52.18) + noise * rng.standard_normal((g, t)))
    keep = 0.5 ** (7.0 / HALF_LIFE)
    for i in range(c):
        exposure = spend[i] / level[:, None]
        exposure = exposure / exposure.mean()
        carried = exposure.copy()
        for week in range(1, t):
            carried[:, week] = keep * carried[:, week - 1] + (1 - keep) * exposure[:, week]
        response = level[:, None] * carried**SLOPE / (carried**SLOPE + HALF_SATURATION**SLOPE)
        outcome = outcome + response * (spend[i].sum() / response.sum()) * (roi[i] + modulation * z)
    return panel_of(outcome, spend, z)


def panel_of(outcome: Floats, spend: Floats, z: Floats) -> Panel:
    """A weekly panel of totals from outcome [g, t], spend [c, g, t] and anomaly [g, t]."""
    (g, t), c = outcome.shape, len(spend)
    zeros = np.zeros((1, g, t))
    return Panel(
        step_days=7,
        geos=tuple(f"geo-{i:02d}" for i in range(g)),
        categories=("total",),
        channels=tuple(f"channel-{i}" for i in range(c)),
        events=(),
        starts=tuple(date(2024, 1, 1) + timedelta(days=7 * i) for i in range(t)),
        n_past=t,
        outcome=outcome[None],
        spend=spend,
        in_stock=np.ones((1, g, t)),
        promotion=zeros,
        log_price=zeros,
        weather=np.stack([np.maximum(z, 0), np.maximum(-z, 0), np.zeros((g, t))]),
        z=z,
        temp_anomaly_c=4 * z,
        wet_days=np.full((g, t), 2.0),
        event_days=np.zeros((0, g, t)),
        weather_source="forecast",
        notes=(),
    )
