"""What makes a range wide: weather that may come otherwise, spend that may be carried out otherwise, and the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from weathervane.contracts.forecast import WidthShare
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats

_DRAWS = 24
_SEED = 7
_P90_TO_SD = 2 * 1.2816


def width_shares(panel: Panel, predict: Callable[[Panel], Floats], total: Floats) -> tuple[WidthShare, ...]:
    """Variance of the log total split by lead (forecast.md, "The width explained").

    `predict` gives demand [k, g, horizon] of a panel, and `total` [3, horizon] the issued p10, p50 and p90 of the sum.
    """
    variance = (np.log(np.maximum(total[2], 1e-9) / np.maximum(total[0], 1e-9)) / _P90_TO_SD) ** 2
    weather = _spread_of(predict, weather_draws(panel), len(variance))
    media = _spread_of(predict, spend_draws(panel), len(variance))
    # What draws say beyond what was measured cannot be: the measured width stands, the parts are scaled to it.
    scale = np.minimum(1.0, variance / np.maximum(weather + media, 1e-12))
    shares = np.stack([weather, media]) * scale / np.maximum(variance, 1e-12)
    return tuple(
        WidthShare(lead + 1, float(by_weather), float(by_media), float(max(0.0, 1 - by_weather - by_media)))
        for lead, (by_weather, by_media) in enumerate(shares.T)
    )


def weather_draws(panel: Panel, n: int = _DRAWS) -> list[Panel]:
    """The panel under weather that may come instead: errors of the size known by lead, lasting and shared as anomalies
    of the past were.
    """
    if panel.doubt is None or not panel.doubt.z_sd[:, panel.n_past :].any():
        return []
    draw = np.random.default_rng(_SEED)
    out: list[Panel] = []
    for _ in range(n):
        z = panel.z + panel.doubt.z_sd * weather_noise(draw, panel)
        wet = panel.weather[2] + panel.doubt.wet_sd * weather_noise(draw, panel)
        warmer = None if panel.temp_c is None else panel.temp_c + (z - panel.z) * panel.doubt.spread_c
        weather = np.stack([np.maximum(z, 0.0), np.maximum(-z, 0.0), wet])
        # Past periods stay as observed, their hinged indices too: means over days are not hinges of a mean.
        past = np.arange(len(panel.starts)) < panel.n_past
        out.append(replace(panel, z=z, temp_c=warmer, weather=np.where(past, panel.weather, weather)))
    return out


def spend_draws(panel: Panel, n: int = _DRAWS) -> list[Panel]:
    """The panel under spend that may come instead where no plan is known: stretches of the past, over their mean."""
    horizon, past = len(panel.starts) - panel.n_past, panel.n_past
    if not panel.channels or np.isfinite(panel.spend[:, :, past:]).any() or past < 3 * horizon:
        return []
    draw = np.random.default_rng(_SEED)
    window = 28 // panel.step_days
    recent = np.nan_to_num(panel.spend[:, :, max(0, past - window) : past]).mean(axis=2, keepdims=True)
    out: list[Panel] = []
    for start in draw.integers(window, past - horizon + 1, n):
        stretch = np.nan_to_num(panel.spend[:, :, start : start + horizon])
        before = np.nan_to_num(panel.spend[:, :, start - window : start]).mean(axis=2, keepdims=True)
        spend = panel.spend.copy()
        spend[:, :, past:] = recent * np.where(before > 0, stretch / np.maximum(before, 1e-9), 1.0)
        out.append(replace(panel, spend=spend))
    return out


def _spread_of(predict: Callable[[Panel], Floats], draws: list[Panel], horizon: int) -> Floats:
    """[horizon]: variance of the log total over draws."""
    if not draws:
        return np.zeros(horizon)
    return np.log(np.maximum([predict(panel).sum(axis=(0, 1)) for panel in draws], 1e-9)).var(axis=0)


def weather_noise(draw: np.random.Generator, panel: Panel) -> Floats:
    """[g, t] of unit spread, lasting over periods and shared between places as anomalies of the past were."""
    g, t = panel.z.shape
    lasting, shared = _lasting(panel.z[:, : panel.n_past]), _shared(panel.z[:, : panel.n_past])
    steps = np.sqrt(shared) * draw.standard_normal((1, t)) + np.sqrt(1 - shared) * draw.standard_normal((g, t))
    for i in range(1, t):
        steps[:, i] = lasting * steps[:, i - 1] + np.sqrt(1 - lasting**2) * steps[:, i]
    return steps


def _lasting(z: Floats) -> float:
    """Correlation of anomalies with those of the period before."""
    now, before = z[:, 1:], z[:, :-1]
    return float(np.clip((now * before).sum() / max((before**2).sum(), 1e-9), 0.0, 0.95))


def _shared(z: Floats) -> float:
    """Mean correlation of anomalies between places."""
    g = len(z)
    each = float((z**2).mean())
    of_mean = float((z.mean(axis=0) ** 2).mean())
    return float(np.clip((g * of_mean / max(each, 1e-9) - 1) / max(g - 1, 1), 0.0, 1.0)) if g > 1 else 1.0
