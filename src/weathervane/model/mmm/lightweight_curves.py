"""Shapes and response curves of a `lightweight` fit, as planning reads them (lightweight.md, "Estimands")."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm.lightweight import LightweightFit

Floats = NDArray[np.float64]

_CURVE_DRAWS = 200
_CURVE_POINTS = 25
_RECENT_WEEKS = 4
_CARRYOVER_LAGS = 13


def lightweight_shapes(fit: LightweightFit) -> tuple[Floats, Floats | None, Floats]:
    """Draws [s, c] of half-life in days, half-saturation (None for a power) and slope or exponent."""
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in fit.draws.items()}
    if "lag_weight" in draws:
        half_life = 7 * np.log(0.5) / np.log(np.clip(draws["lag_weight"], 1e-6, 1 - 1e-6))
    else:
        half_life = _delayed_half_life(draws["ad_effect_retention_rate"], draws["peak_effect_delay"])
    if "slope" in draws:
        return half_life, draws["half_max_effective_concentration"], draws["slope"]
    return half_life, None, draws["exponent"]


def _by_lag(draws: dict[str, Floats]) -> Floats:
    """Share of a day's effect by lag in days [c, lag, s]: these models know whole weeks, and each weekday its own."""
    weeks = np.arange(_CARRYOVER_LAGS)
    if "lag_weight" in draws:
        weight = draws["lag_weight"][..., None] ** weeks
        weight[..., -1] /= np.maximum(1 - draws["lag_weight"], 1e-12)  # the last takes all that is left
    else:
        weight = _delayed_weights(draws["ad_effect_retention_rate"], draws["peak_effect_delay"])
    weight = weight / weight.sum(axis=-1, keepdims=True)  # [s, c, week]
    by_lag = np.zeros((weight.shape[1], 7 * (_CARRYOVER_LAGS - 1) + 1, weight.shape[0]))
    by_lag[:, ::7] = weight.transpose(1, 2, 0)
    return by_lag


def _delayed_weights(retention: Floats, delay: Floats) -> Floats:
    """Weights [s, c, week] that rise to a peak and fall, up to a factor."""
    distance = (np.arange(_CARRYOVER_LAGS) - delay[..., None]) ** 2
    log_weight = distance * np.log(np.clip(retention, 1e-9, 1.0))[..., None]
    return np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))


def _delayed_half_life(retention: Floats, delay: Floats) -> Floats:
    """Days [s, c] by which half of an effect has come, when its weights rise to a peak and fall."""
    weight = _delayed_weights(retention, delay)
    come = np.cumsum(weight / weight.sum(axis=-1, keepdims=True), axis=-1)
    after = np.argmax(come >= 0.5, axis=-1)[..., None]
    within = np.take_along_axis(weight / weight.sum(axis=-1, keepdims=True), after, -1)
    missing = np.take_along_axis(come, after, -1) - 0.5
    return (7 * (after + 1 - missing / within))[..., 0]


def lightweight_curves(fit: LightweightFit, panel: Panel) -> ResponseCurves:
    """Thinned draws of outcome a week against weekly budget held steady, per geo and channel; without a model id."""
    spend = panel.spend[:, :, : panel.n_past]  # [c, g, t]
    recent, most = spend[:, :, -_RECENT_WEEKS:].mean(axis=2), spend.max(axis=2)
    # A place where a channel was never used gets a grid as wide as the typical place's.
    typical = spend.mean(axis=(1, 2), keepdims=False)[:, None]
    top = 1.5 * np.maximum(most, np.maximum(recent, typical))
    budget = top[..., None] * np.linspace(0.0, 1.0, _CURVE_POINTS) ** 1.5  # [c, g, k], finer where curves bend
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in fit.draws.items()}
    chosen = np.linspace(0, fit.diverged.size - 1, _CURVE_DRAWS).round().astype(int)
    thin = replace(fit, draws={name: values[chosen][None] for name, values in flat.items()})
    outcome = np.stack(
        [
            thin.response_curve(channel, levels.T if fit.is_geo else levels[0]).reshape(
                _CURVE_DRAWS, _CURVE_POINTS, len(panel.geos)
            )
            for channel, levels in zip(panel.channels, budget, strict=True)
        ]
    )  # [c, d, k, g]
    return ResponseCurves(
        model_id="",
        geos=panel.geos,
        channels=panel.channels,
        budget=np.ascontiguousarray(np.moveaxis(budget, 0, 1)),
        outcome=np.ascontiguousarray(outcome.transpose(3, 0, 2, 1)),
        outcome_per_z=np.zeros((len(panel.geos), len(panel.channels), _CURVE_POINTS, _CURVE_DRAWS)),
        spend_recent=np.ascontiguousarray(recent.T),
        spend_max=np.ascontiguousarray(most.T),
        carry_over=_by_lag({name: values[chosen] for name, values in flat.items()}),
    )
