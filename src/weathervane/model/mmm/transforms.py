"""How exposure becomes effect: carry-over and saturation, in JAX (mmm.md, "Carry-over" and "Saturation")."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

N_LAGS = 9  # weeks, enough for a half-life of two weeks to fade below 2 %


def weekly_kernel(half_life_days: Array) -> Array:
    """Share of a week's effect that lands in that week and in each later one; [..., N_LAGS], sums to one.

    Exact for geometric daily carry-over of spend spread evenly over its week, so a half-life means the same number of
    days whatever the step of the data. The last lag takes what would come later still.
    """
    keep = jnp.power(0.5, 1.0 / half_life_days)[..., None]
    week = jnp.power(keep, 7.0)
    spill = keep * (1.0 - week) / (7.0 * (1.0 - keep))  # share of a week's effect that lands after its last day
    lag = jnp.arange(1, N_LAGS)
    later = spill * (1.0 - week) * jnp.power(week, lag - 1.0)
    kernel = jnp.concatenate([1.0 - spill, later], axis=-1)
    return kernel.at[..., -1].add(1.0 - kernel.sum(axis=-1))


def carry_over(exposure: Array, half_life_days: Array) -> Array:
    """Exposure [c, g, t + N_LAGS - 1] (led by its run-up) carried over by each channel's kernel: [c, g, t]."""
    kernel = weekly_kernel(half_life_days)
    n = exposure.shape[-1] - (N_LAGS - 1)
    taps = jnp.stack([exposure[..., N_LAGS - 1 - lag : N_LAGS - 1 - lag + n] for lag in range(N_LAGS)], axis=-1)
    return jnp.einsum("cgtl,cl->cgt", taps, kernel)


def hill(exposure: Array, half_saturation: Array, slope: Array) -> Array:
    """x^s / (x^s + k^s), zero at zero; parameters broadcast against the exposure."""
    positive = exposure > 0
    # The logarithm of zero is masked before it is taken: where() alone would still pass its gradient on as NaN.
    log_x = jnp.log(jnp.where(positive, exposure, 1.0))
    odds = slope * (log_x - jnp.log(half_saturation))
    return jnp.where(positive, 1.0 / (1.0 + jnp.exp(-odds)), 0.0)
