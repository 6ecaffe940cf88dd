"""What one draw of the model expects, and what channels cause of it where effects multiply (mmm.md, "Likelihoods")."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from weathervane.model.mmm.design import Design
from weathervane.model.mmm.likelihood import N_SHAPES, SPREADS, Data, Form, response_per_unit
from weathervane.model.mmm.linear import Linear

Floats = NDArray[np.float64]


@partial(jax.jit, static_argnames=("form",))
def predictor(x: Array, shared: Array, deviation: Array, raw: Array, data: Data, form: Form) -> tuple[Array, Array]:
    """The linear predictor [g, t] of one draw, and each channel's part of it [c, g, t]; `raw` [g, t, p]."""
    response, _ = response_per_unit(x, data, form)
    c, p = response.shape[0], raw.shape[-1]
    v = data.varies.shape[0]
    baseline = raw @ shared[:p] + jnp.einsum("gtv,gv->gt", raw[..., data.varies], deviation[:, :v])
    effect = jnp.broadcast_to((shared[p : p + c] + deviation[:, -c:]).T[..., None], response.shape)
    modulated = jnp.array(form.modulated, dtype=int)
    effect = effect.at[modulated].add(shared[p + c :, None, None] * data.weather)
    parts = response * effect
    return baseline + parts.sum(axis=0), parts


@partial(jax.jit, static_argnames=("form",))
def _caused(
    x: Array, shared: Array, deviation: Array, raw: Array, log_variance: Array, data: Data, form: Form
) -> tuple[Array, Array]:
    of, parts = predictor(x, shared, deviation, raw, data, form)
    expected = jnp.exp(of - 1 + 0.5 * log_variance[:, None])
    without = expected * jnp.exp(-parts)
    return jnp.einsum("cgt,g->c", expected - without, data.level_share), without.mean(axis=-1)


def caused_of_log(coordinates: Floats, linear: Linear, design: Design, data: Data, form: Form) -> tuple[Floats, Floats]:
    """What channels caused [s, c] over the history, over the total level of a period, where effects multiply; and the
    relative outcome a period [s, c, g] expected without each.

    Caused is the expected outcome less the one expected without the channel, all else as it was. So what channels
    cause does not add up to what all of them cause: two that help each other are both credited with the help.
    """
    raw = jnp.asarray(design.raw_columns)
    factor = noise_factor(coordinates, data)
    own = np.zeros(len(design.level)) if form.unit_noise else design.log_variance
    found = [
        jax.device_get(
            _caused(jnp.asarray(x), linear.shared[i], linear.deviation[i], raw, jnp.asarray(own * sd**2), data, form)
        )
        for i, (x, sd) in enumerate(zip(coordinates, factor, strict=True))
    ]
    return np.stack([each[0] for each in found]), np.stack([each[1] for each in found])


def noise_factor(coordinates: Floats, data: Data) -> Floats:
    """[s]: the factor on the spreads of the noise in each draw."""
    median, log_sd = SPREADS["noise"]
    place = N_SHAPES * data.spend_share.shape[0] + list(SPREADS).index("noise")
    return median * np.exp(log_sd * coordinates[:, place])
