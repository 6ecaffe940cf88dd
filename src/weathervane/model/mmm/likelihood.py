"""The posterior density of the media mix model with everything linear integrated out, in JAX (mmm.md, "Density").

Given each channel's carry-over and saturation and a few spreads, the model is a Gaussian linear mixed model: baseline,
ROI, weather modulation and all deviations by geo have a closed form. Only what is left is sampled, in coordinates that
are N(0, 1) a priori.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from weathervane.model.mmm.transforms import carry_over, hill

jax.config.update("jax_enable_x64", True)

# Learnt spreads, median and log-spread: season and controls by geo and week effects are relative to mean outcome, noise
# is a factor; then one for each channel, of its ROI by geo.
SPREADS = {"season_by_geo": (0.04, 0.8), "control_by_geo": (0.03, 0.8), "week": (0.02, 0.8), "noise": (1.0, 0.3)}
_ROI_BY_GEO = (0.25, 0.8)
# A geo's level without ads is its own: outcome is scaled to mean one with ads in, so where ads do more, the rest is
# less. Pooling it would hold the effect of ads alike everywhere and bend their curves.
_LEVEL_BY_GEO = 0.3


class Data(NamedTuple):
    """A Design and its priors as the density reads them, rows whitened.

    c channels, g geos, t weeks, p baseline columns (the last are week effects), v of them varying by geo, m = p + 2c
    shared coefficients (baseline, ROI, modulation).
    """

    fixed: Array  # [g, t, p + 1], baseline columns and outcome
    exposure: Array  # [c, g, t + lags - 1]
    spend_share: Array  # [c], spend over total outcome level
    level_share: Array  # [g], each geo's share of the outcome level
    z: Array  # [g, t]
    lead: Array  # [g, t]
    follow: Array  # [g, t]
    prior_mean: Array  # [m]
    prior_sd: Array  # [m], one for week effects
    is_week: Array  # [m], True on week effects
    varies: Array  # [v], positions in the baseline
    is_level: Array  # [v], True for the intercept
    is_season: Array  # [v], True for trend and season
    shape_center: Array  # [3, c], logs of half-life, half-saturation, slope
    shape_spread: Array  # [3, c]
    gram_total: Array  # [p + 1, p + 1], baseline and outcome, summed over geos
    gram_varying: Array  # [g, v, p + 1], varying columns by baseline and outcome


class Pieces(NamedTuple):
    """What the closed form is made of; n = v + c deviations by geo, in units of their prior spread."""

    precision: Array  # [m, m], posterior precision of the shared coefficients
    right: Array  # [m]
    constant: Array
    log_det: Array  # Σ_g log|K_g|
    kernel: Array  # [g, n, n], K_g
    cross: Array  # [g, n, m + 1], V_g
    scale: Array  # [n], prior spread of each deviation
    prior_sd: Array  # [m]
    noise: Array


def n_coordinates(n_channels: int) -> int:
    """Number of sampled coordinates."""
    return 4 * n_channels + len(SPREADS)


def shapes(coordinates: Array, data: Data) -> tuple[Array, Array, Array]:
    """Half-life in days, half-saturation and slope, [c] each."""
    c = data.spend_share.shape[0]
    logs = data.shape_center + data.shape_spread * coordinates[: 3 * c].reshape(3, c)
    return jnp.exp(logs[0]), jnp.exp(logs[1]), jnp.exp(logs[2])


def spreads(coordinates: Array, data: Data) -> tuple[Array, Array]:
    """The learnt spreads in the order of SPREADS, and the spread of each channel's ROI by geo [c]."""
    c = data.spend_share.shape[0]
    median, log_sd = jnp.array(list(SPREADS.values())).T
    common = median * jnp.exp(log_sd * coordinates[3 * c : 3 * c + len(SPREADS)])
    return common, _ROI_BY_GEO[0] * jnp.exp(_ROI_BY_GEO[1] * coordinates[3 * c + len(SPREADS) :])


def response_per_roi(coordinates: Array, data: Data) -> tuple[Array, Array]:
    """Relative outcome [c, g, t] that an ROI of one adds, and the factor [c] that scales saturation to it.

    Scaled so that summed over geos and weeks an ROI of one returns exactly the channel's spend.
    """
    half_life, half_saturation, slope = shapes(coordinates, data)
    carried = carry_over(data.exposure, half_life)
    saturated = hill(carried, half_saturation[:, None, None], slope[:, None, None])
    factor = data.spend_share / jnp.maximum(jnp.einsum("cgt,g->c", saturated, data.level_share), 1e-12)
    return saturated * factor[:, None, None], factor


def log_density(coordinates: Array, data: Data) -> Array:
    """Log posterior density of the sampled coordinates, up to a constant."""
    return log_likelihood(coordinates, data) - 0.5 * coordinates @ coordinates


def log_likelihood(coordinates: Array, data: Data) -> Array:
    """Log marginal likelihood given carry-over, saturation and spreads, up to a constant."""
    parts = pieces(coordinates, data)
    rows = jnp.sum(data.lead > 0)
    return -0.5 * (
        parts.constant
        + _shared(parts.precision, parts.right)
        + 2 * jnp.sum(jnp.log(parts.prior_sd))
        + parts.log_det
        + 2 * rows * jnp.log(parts.noise)
    )


def pieces(coordinates: Array, data: Data) -> Pieces:
    """The sufficient statistics of the closed form at these coordinates."""
    (season, control, week, noise), roi_by_geo = spreads(coordinates, data)
    response, _ = response_per_roi(coordinates, data)
    media = jnp.concatenate([response, response * data.z])  # [2c, g, t]
    before = jnp.concatenate([jnp.zeros_like(media[..., :1]), media[..., :-1]], axis=-1)
    media = jnp.moveaxis(data.lead * media + data.follow * before, 1, 0)  # [g, 2c, t], whitened
    n_varying, c = data.varies.shape[0], data.spend_share.shape[0]
    prior_sd = jnp.where(data.is_week, week, data.prior_sd)
    weights = 1.0 / prior_sd**2
    by_column = jnp.where(data.is_level, _LEVEL_BY_GEO, jnp.where(data.is_season, season, control))
    scale = jnp.concatenate([by_column, roi_by_geo])

    # Inner products over weeks; columns are baseline (p), media (2c), outcome.
    across = media @ data.fixed  # [g, 2c, p + 1]
    within = media @ media.mT  # [g, 2c, 2c]
    total = _bordered(data.gram_total, across.sum(axis=0), within.sum(axis=0)) / noise**2
    varying = jnp.concatenate(
        [data.gram_varying[..., :-1], across[:, :, data.varies].mT, data.gram_varying[..., -1:]], axis=-1
    )
    by_geo = jnp.concatenate([across[:, :c, :-1], within[:, :c], across[:, :c, -1:]], axis=-1)
    cross = scale[:, None] * jnp.concatenate([varying, by_geo], axis=1) / noise**2  # [g, n, m + 1]
    # A single geo has no deviation from itself.
    cross = cross if media.shape[0] > 1 else jnp.zeros_like(cross)
    p = data.fixed.shape[-1] - 1
    kernel = jnp.eye(n_varying + c) + cross[:, :, jnp.concatenate([data.varies, p + jnp.arange(c)])] * scale
    log_det, absorbed = _absorb(kernel, cross)
    phi = total - absorbed
    m = phi.shape[-1] - 1
    return Pieces(
        precision=phi[:m, :m] + jnp.diag(weights),
        right=phi[:m, m] + weights * data.prior_mean,
        constant=phi[m, m] + jnp.sum(weights * data.prior_mean**2),
        log_det=log_det,
        kernel=kernel,
        cross=cross,
        scale=scale,
        prior_sd=prior_sd,
        noise=noise,
    )


def _bordered(fixed: Array, across: Array, within: Array) -> Array:
    """The Gram matrix [m + 1, m + 1] with the media's rows and columns set in before the outcome's."""
    return jnp.block(
        [
            [fixed[:-1, :-1], across[:, :-1].T, fixed[:-1, -1:]],
            [across[:, :-1], within, across[:, -1:]],
            [fixed[-1:, :-1], across[:, -1:].T, fixed[-1:, -1:]],
        ]
    )


@jax.custom_vjp
def _shared(precision: Array, right: Array) -> Array:
    """log|A| − b' A⁻¹ b for the posterior precision A of the shared coefficients."""
    return _shared_forward(precision, right)[0]


def _shared_forward(precision: Array, right: Array) -> tuple[Array, tuple[Array, Array]]:
    root = jnp.linalg.cholesky(precision)
    inverse_root = jax.scipy.linalg.solve_triangular(root, jnp.eye(len(right)), lower=True)
    fitted = inverse_root @ right
    return 2 * jnp.sum(jnp.log(jnp.diagonal(root))) - fitted @ fitted, (inverse_root, fitted)


def _shared_backward(saved: tuple[Array, Array], tangent: Array) -> tuple[Array, Array]:
    # By hand, here and below: no derivative of a factorisation, which would cost several times the density itself.
    inverse_root, fitted = saved
    mean = inverse_root.T @ fitted
    return tangent * (inverse_root.T @ inverse_root + jnp.outer(mean, mean)), -2 * tangent * mean


_shared.defvjp(_shared_forward, _shared_backward)


@jax.custom_vjp
def _absorb(kernel: Array, cross: Array) -> tuple[Array, Array]:
    """Σ_g log|K_g| and Σ_g V_g' K_g⁻¹ V_g for K [g, n, n], V [g, n, m]."""
    return _absorb_forward(kernel, cross)[0]


def _absorb_forward(kernel: Array, cross: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    root = jnp.linalg.cholesky(kernel)
    inverse_root = jax.scipy.linalg.solve_triangular(
        root, jnp.broadcast_to(jnp.eye(kernel.shape[-1]), kernel.shape), lower=True
    )
    inverse = inverse_root.mT @ inverse_root
    solved = inverse @ cross
    log_det = 2 * jnp.sum(jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)))
    flat = (-1, cross.shape[-1])
    return (log_det, cross.reshape(flat).T @ solved.reshape(flat)), (inverse, solved)


def _absorb_backward(saved: tuple[Array, Array], tangent: tuple[Array, Array]) -> tuple[Array, Array]:
    inverse, solved = saved
    d_log_det, d_absorbed = tangent
    symmetric = d_absorbed + d_absorbed.T
    d_kernel = d_log_det * inverse - 0.5 * (solved @ symmetric) @ solved.mT
    return d_kernel, solved @ symmetric


_absorb.defvjp(_absorb_forward, _absorb_backward)
