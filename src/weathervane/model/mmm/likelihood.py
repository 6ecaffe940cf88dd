"""The posterior density of the media mix model with everything linear integrated out, in JAX (mmm.md, "Density").

Given each channel's carry-over and saturation and a few spreads, the model is a Gaussian linear mixed model: baseline,
effects, weather modulation and all deviations by geo have a closed form. Only what is left is sampled, in coordinates
that are N(0, 1) a priori.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from weathervane.model.mmm.sampler import Density
from weathervane.model.mmm.transforms import CarryOver, Saturation, Shape, carry_over, hill, kernel, saturate

# What one unit of a channel's coefficient means.
Effect = Literal["roi", "marginal_roi", "contribution_share"]
Link = Literal["identity", "log"]

# Learnt spreads, median and log-spread: season and controls by geo, week effects, a year's walk of the level and weeks
# of the year are relative to mean outcome, noise is a factor; then one for each channel, of its effect by geo, relative
# to the prior's spread of the effect.
SPREADS = {
    "season_by_geo": (0.04, 0.8),
    "control_by_geo": (0.03, 0.8),
    "week": (0.02, 0.8),
    "walk": (0.06, 0.8),
    "calendar": (0.03, 0.8),
    "noise": (1.0, 0.3),
}
_EFFECT_BY_GEO = (0.17, 0.8)
# A geo's level without ads is its own: outcome is scaled to mean one with ads in, so where ads do more, the rest is
# less. Pooling it would hold the effect of ads alike everywhere and bend their curves.
LEVEL_BY_GEO = 0.3
# The spread of a shared column: one of these, or its own (the last).
LEARNT = ("week", "walk", "calendar", "")
N_SHAPES = len(Shape._fields)


class Form(NamedTuple):
    """What is known of the model when it is compiled: families and meanings by channel, and what refers to channels."""

    step_days: int
    carry_over: tuple[CarryOver, ...]
    saturation: tuple[Saturation, ...]
    effect: tuple[Effect, ...]
    modulated: tuple[int, ...]  # the channel of each modulation column: all by temperature, then those by wetness
    tested: tuple[int, ...]  # the channel of each experiment
    link: Link = "identity"  # whether effects add to the outcome or to its logarithm
    frequency: tuple[int, ...] = ()  # the channels that are reach and frequency
    unit_noise: bool = False  # rows come with the spread of their noise, so there is no factor to learn


class Data(NamedTuple):
    """A Design and its priors as the density reads them, rows whitened.

    c channels, g geos, t periods, p baseline columns (the last are week effects), v of them varying by geo, q = c +
    modulations media columns, m = p + q shared coefficients, j experiments.
    """

    fixed: Array  # [g, t, p + 1], baseline columns and outcome
    exposure: Array  # [c, g, t + lags - 1]
    spend_share: Array  # [c], spend over total outcome level
    level_share: Array  # [g], each geo's share of the outcome level
    weather: Array  # [q - c, g, t], the weather index of each modulation
    lead: Array  # [g, t]
    follow: Array  # [g, t]
    prior_mean: Array  # [m]
    prior_sd: Array  # [m]; in units of a learnt spread where there is one
    learnt: Array  # [m], which spread of the column is learnt, a position in LEARNT
    varies: Array  # [v], positions in the baseline
    is_level: Array  # [v], True for the intercept
    is_season: Array  # [v], True for trend and season
    shape_center: Array  # [4, c], logs of half-life, half-saturation, slope and peak
    shape_spread: Array  # [4, c], zero where a family does not read the parameter
    gram_total: Array  # [p + 1, p + 1], baseline and outcome, summed over geos
    gram_varying: Array  # [g, v, p + 1], varying columns by baseline and outcome
    total_share: Array  # [2], prior mean and sd of all media's share of the outcome; sd infinite for none
    test_exposure: Array  # [j, g, t + lags - 1], exposure without the change of spend that was tested
    test_weight: Array  # [j, g, t], what a period counts in the lift: level share, sign of the change, or zero
    test_lift: Array  # [j, 2], measured lift and its standard error, over the total level
    frequency: Array  # [f, g, t + lags - 1], over its channel mean, of the channels that are reach and frequency


class Pieces(NamedTuple):
    """What the closed form is made of; n = v + c deviations by geo, in units of their prior spread.

    An anchor is a linear observation of effects: the prior of the total share first, then each experiment.
    """

    precision: Array  # [m, m], posterior precision of the shared coefficients, anchors included
    right: Array  # [m]
    constant: Array
    log_det: Array  # Σ_g log|K_g| + log|S|
    kernel: Array  # [g, n, n], K_g
    cross: Array  # [g, n, m + 1], V_g
    scale: Array  # [n], prior spread of each deviation
    prior_sd: Array  # [m]
    noise: Array
    anchor_shared: Array  # [1 + j, m], what each shared coefficient adds to an anchor's outcome
    anchor_varying: Array  # [g, n, 1 + j], the same for each standardised deviation
    anchor_outcome: Array  # [1 + j]
    anchor_variance: Array  # [1 + j, 1 + j], S: of the anchors' outcomes given the shared coefficients


def n_coordinates(n_channels: int) -> int:
    """Number of sampled coordinates: shapes, spreads, and a spread by geo for each channel."""
    return (N_SHAPES + 1) * n_channels + len(SPREADS)


def shape_of(coordinates: Array, data: Data) -> Shape:
    """The shape parameters, [c] each."""
    c = data.spend_share.shape[0]
    logs = data.shape_center + data.shape_spread * coordinates[: N_SHAPES * c].reshape(N_SHAPES, c)
    return Shape(*jnp.exp(logs))


def spreads(coordinates: Array, data: Data) -> tuple[Array, Array]:
    """The learnt spreads in the order of SPREADS, and the spread of each channel's effect by geo [c]."""
    own = N_SHAPES * data.spend_share.shape[0]
    median, log_sd = np.array(list(SPREADS.values())).T
    common = median * jnp.exp(log_sd * coordinates[own : own + len(SPREADS)])
    return common, varying_spread(coordinates[own + len(SPREADS) :], data)


def varying_spread(coordinates: Array, data: Data) -> Array:
    """The spread of each channel's effect by geo [c] at its own coordinates [c]."""
    p, c = data.fixed.shape[-1] - 1, data.spend_share.shape[0]
    return _EFFECT_BY_GEO[0] * jnp.exp(_EFFECT_BY_GEO[1] * coordinates) * data.prior_sd[p : p + c]


def prior_sd_of(data: Data, common: Array) -> Array:
    """[m]: prior spreads of the shared coefficients, given the learnt ones."""
    return data.prior_sd * jnp.append(common[2:-1], 1.0)[data.learnt]


def saturated(exposure: Array, shape: Shape, form: Form) -> Array:
    """Carried-over and saturated exposure [c, g, t] of exposure [c, g, t + lags − 1]."""
    return saturate(carried_of(exposure, shape, form), shape, form.saturation)


def heard(exposure: Array, channel: int, shape: Shape, frequency: Array, form: Form) -> Array:
    """One channel's exposure [g, ...]; where it is reach, times the Hill curve of its frequency [f, g, ...].

    `shape` is of all channels (mmm.md, "Reach and frequency").
    """
    if channel not in form.frequency:
        return exposure
    of = frequency[form.frequency.index(channel)]
    return exposure * hill(of, shape.half_saturation[channel], shape.slope[channel])


def all_heard(exposure: Array, shape: Shape, frequency: Array, form: Form) -> Array:
    """Exposure [c, g, ...] of all channels, as `heard`."""
    if not form.frequency:
        return exposure
    return jnp.stack([heard(rows, c, shape, frequency, form) for c, rows in enumerate(exposure)])


def carried_of(exposure: Array, shape: Shape, form: Form) -> Array:
    """Carried-over exposure [c, g, t] of exposure [c, g, t + lags − 1]."""
    return carry_over(exposure, kernel(shape, form.carry_over, form.step_days))


def response_per_unit(coordinates: Array, data: Data, form: Form) -> tuple[Array, Array]:
    """Relative outcome [c, g, t] that a coefficient of one adds, and the factor [c] that scales saturation to it."""
    shape = shape_of(coordinates, data)
    exposure = all_heard(data.exposure, shape, data.frequency, form)
    return scaled(carried_of(exposure, shape, form), shape, form, data.level_share, data.spend_share)


def scaled(carried: Array, shape: Shape, form: Form, level_share: Array, spend_share: Array) -> tuple[Array, Array]:
    """The response [c, g, t] of carried-over exposure in units of the coefficient, and the factor [c] that does it.

    Summed over geos and periods an ROI of one returns exactly the channel's spend; a contribution share of one, the
    whole outcome; a marginal ROI of one, one per unit of spend added in proportion everywhere.
    """
    response = saturate(carried, shape, form.saturation)
    measured = jnp.einsum("cgt,g->c", response, level_share)
    if "marginal_roi" in form.effect:
        saturation = partial(saturate, shape=shape, families=form.saturation)
        _, steepness = jax.jvp(saturation, (carried,), (carried,))
        marginal = jnp.array([effect == "marginal_roi" for effect in form.effect])
        measured = jnp.where(marginal, jnp.einsum("cgt,g->c", steepness, level_share), measured)
    is_share = jnp.array([effect == "contribution_share" for effect in form.effect])
    returned = jnp.where(is_share, carried.shape[-1], spend_share)
    factor = returned / jnp.maximum(measured, 1e-12)
    return response * factor[:, None, None], factor


def log_density(coordinates: Array, data: Data, form: Form) -> Array:
    """Log posterior density of the sampled coordinates, up to a constant."""
    return log_likelihood(coordinates, data, form) - 0.5 * coordinates @ coordinates


def log_density_of(data: Data, form: Form) -> Density:
    """The log density as the sampler takes it; fits of one form and shape compile once, because data are arguments."""
    return Density(_of(form), (data,))


@lru_cache
def _of(form: Form) -> Callable[[Array, Data], Array]:
    return partial(log_density, form=form)


def log_likelihood(coordinates: Array, data: Data, form: Form) -> Array:
    """Log marginal likelihood given carry-over, saturation and spreads, up to a constant."""
    return likelihood_of(pieces(coordinates, data, form), jnp.sum(data.lead > 0))


def likelihood_of(parts: Pieces, n_rows: Array) -> Array:
    """The log marginal likelihood that the sufficient statistics of `n_rows` observations give."""
    return -0.5 * (
        parts.constant
        + _shared(parts.precision, parts.right)
        + 2 * jnp.sum(jnp.log(parts.prior_sd))
        + parts.log_det
        + 2 * n_rows * jnp.log(parts.noise)
    )


def pieces(coordinates: Array, data: Data, form: Form) -> Pieces:
    """The sufficient statistics of the closed form at these coordinates."""
    common, by_geo = spreads(coordinates, data)
    season, control, noise = common[0], common[1], jnp.ones(()) if form.unit_noise else common[-1]
    response, factor = response_per_unit(coordinates, data, form)
    media = columns_of(response, data, form)  # [g, q, t], whitened
    c = data.spend_share.shape[0]
    by_column = jnp.where(data.is_level, LEVEL_BY_GEO, jnp.where(data.is_season, season, control))
    scale = jnp.concatenate([by_column, by_geo])

    # Inner products over periods; columns are baseline (p), media (q), outcome.
    across = media @ data.fixed  # [g, q, p + 1]
    # Once more for the varying ones: to pick them from `across` would cost a scatter in every gradient.
    across_varying = media @ data.fixed[..., data.varies]  # [g, q, v]
    within = media @ media.mT  # [g, q, q]
    total = _bordered(data.gram_total, across.sum(axis=0), within.sum(axis=0)) / noise**2
    varying = jnp.concatenate([data.gram_varying[..., :-1], across_varying.mT, data.gram_varying[..., -1:]], axis=-1)
    own = jnp.concatenate([across[:, :c, :-1], within[:, :c], across[:, :c, -1:]], axis=-1)
    cross = scale[:, None] * jnp.concatenate([varying, own], axis=1) / noise**2  # [g, n, m + 1]
    among = data.gram_varying[..., data.varies]  # [g, v, v]
    gram = jnp.block([[among, across_varying[:, :c].mT], [across_varying[:, :c], within[:, :c, :c]]])
    gram = gram * scale * scale[:, None] / noise**2
    anchors = anchors_of(coordinates, response, factor, data, form)
    prior_sd = prior_sd_of(data, common)
    return assemble(total, gram, cross, scale, prior_sd, noise, anchors, data)


def modulated_of(rows: Array, form: Form) -> Array:
    """Of rows [c, ...] those of each modulation's channel: all of them by temperature, then some by wetness."""
    wet = form.modulated[len(rows) :]
    # Stacked and not gathered: the gradient of a gather is a scatter.
    return jnp.concatenate([rows, jnp.stack([rows[channel] for channel in wet])]) if wet else rows


class Anchors(NamedTuple):
    """Linear observations of the media columns' coefficients."""

    shared: Array  # [1 + j, q]
    by_geo: Array  # [1 + j, g, c]


def anchors_of(coordinates: Array, response: Array, factor: Array, data: Data, form: Form) -> Anchors:
    """What one unit of each coefficient adds to the total share and to the outcome of each experiment."""
    c, g = response.shape[:2]
    share = jnp.einsum("cgt,g->c", response, data.level_share) / response.shape[-1]
    total = jnp.concatenate([share, jnp.zeros(len(form.modulated))])
    shared, by_geo = [total], [jnp.zeros((g, c))]
    shape = shape_of(coordinates, data)
    for j, channel in enumerate(form.tested):
        one = Shape(*(value[channel : channel + 1] for value in shape))
        own = form._replace(
            carry_over=form.carry_over[channel : channel + 1], saturation=form.saturation[channel : channel + 1]
        )
        exposure = heard(data.test_exposure[j], channel, shape, data.frequency, form)[None]
        without = factor[channel] * saturated(exposure, one, own)[0]
        caused = data.test_weight[j] * (response[channel] - without)  # [g, t]
        by_geo.append(jnp.zeros((g, c)).at[:, channel].set(caused.sum(axis=1)))
        row = jnp.zeros(c + len(form.modulated)).at[channel].set(caused.sum())
        for i, modulated in enumerate(form.modulated):
            if modulated == channel:
                row = row.at[c + i].set(jnp.sum(caused * data.weather[i]))
        shared.append(row)
    return Anchors(jnp.stack(shared), jnp.stack(by_geo))


def columns_of(response: Array, data: Data, form: Form) -> Array:
    """The media columns [g, q, t] of a response [c, g, t]: itself, then times its weather indices; whitened."""
    media = jnp.concatenate([response, modulated_of(response, form) * data.weather])
    before = jnp.concatenate([jnp.zeros_like(media[..., :1]), media[..., :-1]], axis=-1)
    return jnp.moveaxis(data.lead * media + data.follow * before, 1, 0)


def assemble(
    total: Array,
    gram: Array,
    cross: Array,
    scale: Array,
    prior_sd: Array,
    noise: Array,
    anchors: Anchors,
    data: Data,
) -> Pieces:
    """The closed form of inner products: `total` [m + 1, m + 1] summed over geos, `cross` [g, n, m + 1] of the scaled
    deviations with everything and `gram` [g, n, n] with themselves. The media columns are the last before the outcome,
    the media deviations the last of the n.
    """
    g, n, width = cross.shape
    m, q, c = width - 1, anchors.shared.shape[-1], anchors.by_geo.shape[-1]
    mean = data.prior_mean[-m:]
    weights = 1.0 / prior_sd**2
    anchor_shared = jnp.pad(anchors.shared, ((0, 0), (m - q, 0)))
    varying = jnp.moveaxis(anchors.by_geo, 0, -1) * scale[-c:, None]  # [g, c, 1 + j]
    anchor_varying = jnp.pad(varying, ((0, 0), (n - c, 0), (0, 0)))
    # A single geo has no deviation from itself.
    alone = 0.0 if g == 1 else 1.0
    cross, gram, anchor_varying = cross * alone, gram * alone, anchor_varying * alone
    k = jnp.eye(n) + gram
    log_det, absorbed = _absorb(k, jnp.concatenate([cross, anchor_varying], axis=-1))
    phi = total - absorbed[:width, :width]

    # Each anchor is one more observation: outcome − what the data say of the deviations = row · shared + N(0, S).
    n_anchors = anchor_shared.shape[0]
    outcome = jnp.concatenate([data.total_share[:1], data.test_lift[:, 0]])
    sd = jnp.concatenate([data.total_share[1:], data.test_lift[:, 1]])
    # An infinite spread says nothing; a huge one says it in numbers that can be inverted.
    variance = absorbed[width:, width:] + jnp.diag(jnp.minimum(sd, 1e6) ** 2)
    row = anchor_shared - absorbed[width:, :m]
    left = outcome - absorbed[width:, m]
    # One number needs no factorisation, which every gradient would pay for, and every compilation.
    inverse = jnp.linalg.inv(variance) if n_anchors > 1 else 1.0 / variance
    log_det_anchors = jnp.linalg.slogdet(variance)[1] if n_anchors > 1 else jnp.log(variance[0, 0])
    gain = row.T @ inverse
    return Pieces(
        precision=phi[:m, :m] + jnp.diag(weights) + gain @ row,
        right=phi[:m, m] + weights * mean + gain @ left,
        constant=phi[m, m] + jnp.sum(weights * mean**2) + left @ inverse @ left,
        log_det=log_det + log_det_anchors,
        kernel=k,
        cross=cross,
        scale=scale,
        prior_sd=prior_sd,
        noise=noise,
        anchor_shared=anchor_shared,
        anchor_varying=anchor_varying,
        anchor_outcome=outcome,
        anchor_variance=variance,
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
