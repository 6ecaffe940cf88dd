"""Response curves of a fit, as planning reads them (mmm.md, "Curves")."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from weathervane.contracts.response import ResponseCurves
from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.likelihood import (
    N_SHAPES,
    Data,
    Form,
    all_heard,
    response_per_unit,
    shape_of,
)
from weathervane.model.mmm.transforms import Shape, daily_kernel, saturate

Floats = NDArray[np.float64]

_DRAWS = 200
_POINTS = 25
_RECENT_DAYS = 28
# How much wider about their mean curves are than the posterior (mmm.md, "How sure a line is").
_WIDENING = 1.2


def response_curves(fit: MediaMixFit, model_id: str) -> ResponseCurves:
    """Thinned draws of outcome a week against weekly budget held steady, per geo and channel (mmm.md, "Curves").

    A channel that costs nothing has no budget, so it has no curve.
    """
    design = fit.design
    priced = np.flatnonzero(design.cost > 0)
    weeks = 7 / design.step_days  # periods a week
    # [c, g], currency a week per unit of exposure, at its mean price
    price = np.where(design.cost > 0, design.cost, 1.0)
    scale = (design.exposure_unit * price)[:, None] * design.level * weeks
    n_whole = design.z.shape[1] // int(weeks) * int(weeks)
    spent = design.paid[:, :, -n_whole:]
    weekly = spent.reshape(*spent.shape[:2], -1, int(weeks)).sum(axis=3)
    recent, most = weekly[:, :, -_RECENT_DAYS // 7 :].mean(axis=2), weekly.max(axis=2)
    top = 1.5 * np.maximum(most, np.maximum(recent, scale))
    budget = top[..., None] * np.linspace(0.0, 1.0, _POINTS) ** 1.5  # [c, g, k], finer where curves bend
    chosen = np.linspace(0, len(fit.coordinates) - 1, _DRAWS).round().astype(int)
    exposure = jnp.asarray(budget / scale[..., None])
    per_unit = np.stack(
        [np.asarray(_steady(jnp.asarray(x), exposure, fit.data, fit.form)) for x in fit.coordinates[chosen]]
    )
    per_unit = per_unit * design.level[:, None] * weeks  # [s, c, g, k], currency a week
    if fit.without is None:
        outcome = per_unit * np.moveaxis(fit.effect_by_geo[chosen], 1, 2)[..., None]
        slope = per_unit
    else:
        # Where effects multiply, a channel adds to what would be sold without it.
        unit = design.level[:, None] * weeks
        without = fit.without[chosen][..., None] * unit  # [s, c, g, 1], currency a week
        part = per_unit / unit * np.moveaxis(fit.effect_by_geo[chosen], 1, 2)[..., None]
        outcome = without * np.expm1(part)
        slope = without * np.exp(part) * per_unit / unit
    per_z = slope * fit.modulation[chosen][:, :, None, None]
    per_wet = slope * fit.wet_modulation[chosen][:, :, None, None]
    wet_asked = len(fit.form.modulated) > len(fit.channels)
    shapes = Shape(*(jnp.asarray(each[chosen]) for each in shape_draws(fit)))
    by_lag = jax.vmap(partial(daily_kernel, families=fit.form.carry_over))(shapes)  # [s, c, lag]
    return ResponseCurves(
        model_id=model_id,
        geos=fit.geos,
        channels=tuple(fit.channels[c] for c in priced),
        budget=np.ascontiguousarray(np.moveaxis(budget[priced], 0, 1)),
        outcome=np.ascontiguousarray(widened(outcome[:, priced]).transpose(2, 1, 3, 0)),
        outcome_per_z=np.ascontiguousarray(per_z[:, priced].transpose(2, 1, 3, 0)),
        spend_recent=np.ascontiguousarray(recent[priced].T),
        spend_max=np.ascontiguousarray(most[priced].T),
        carry_over=np.moveaxis(np.asarray(by_lag)[:, priced], 0, -1).copy(),
        outcome_per_wet=np.ascontiguousarray(per_wet[:, priced].transpose(2, 1, 3, 0)) if wet_asked else None,
    )


def widened(draws: Floats) -> Floats:
    """Draws [s, ...] a fifth further from their mean, which stays: so does whatever is expected of any budget."""
    mean = draws.mean(axis=0)
    return mean + _WIDENING * (draws - mean)


def shape_draws(fit: MediaMixFit) -> Shape:
    """Draws [s, c] of every shape parameter."""
    center, spread = np.asarray(fit.data.shape_center), np.asarray(fit.data.shape_spread)
    c = len(fit.channels)
    logs = center + spread * fit.coordinates[:, : N_SHAPES * c].reshape(-1, N_SHAPES, c)
    return Shape(*np.exp(np.moveaxis(logs, 1, 0)))


@partial(jax.jit, static_argnames=("form",))
def _steady(x: Array, exposure: Array, data: Data, form: Form) -> Array:
    """Relative outcome [c, g, k] a period that a coefficient of one adds at steady exposure [c, g, k]."""
    factor, shape = response_per_unit(x, data, form)[1], shape_of(x, data)
    # More budget reaches more people, as often as usual.
    usual = all_heard(exposure, shape, jnp.ones((len(form.frequency), 1, 1)), form)
    return factor[:, None, None] * saturate(usual, shape, form.saturation)
