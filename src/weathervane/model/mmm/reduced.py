"""The density without its time axis: each channel's response as a few basis series (mmm.md, "Reduced basis").

The response of a channel is a smooth function of its few shape parameters, so over the region the posterior lives in it
is a combination of some ten fixed series. Their inner products are all a gradient needs; its cost does not grow with
the number of days. Spreads are held at their mode, and what the deviations by geo share between geos is left out; the
exact density on some of the draws measures what that costs (mmm.md, "Reduced basis").
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from weathervane.model.mmm.likelihood import (
    LEVEL_BY_GEO,
    N_SHAPES,
    SPREADS,
    Anchors,
    Data,
    Form,
    Pieces,
    assemble,
    carried_of,
    likelihood_of,
    modulated_of,
    prior_sd_of,
    scaled,
    spreads,
    varying_spread,
)
from weathervane.model.mmm.linear import Noise, draw_deviations, draw_shared
from weathervane.model.mmm.transforms import Shape, saturate

Floats = NDArray[np.float64]

_NODES = (10, 14, 8)  # half-life, half-saturation, slope
# Half-width of the box in posterior standard deviations at the mode; towards a straight line half-saturation has a long
# tail that its curvature at the mode does not show.
_REACH = np.array([6.0, 10.0, 6.0, 6.0])
_LEFT_OVER = 2e-3  # expected squared error of a channel's whole effect, in units of the noise variance
_MAX_BASIS = 32
_SIZE_STEP = 8


class Reduced(NamedTuple):
    """Inner products of basis series r in the metric of everything held fixed; q media columns, n nodes.

    The last axis of a product of two series is flat: every gradient reads it as it lies, in one pass.
    """

    center: Array  # [4, c] of the box
    half: Array  # [4, c]
    coefficient: Array  # [c, n, r], Chebyshev coefficients of a basis weight
    caused: Array  # [c, n, g + q - c], of what a coefficient of one adds to the outcome, by geo and by modulation
    tested: Array  # [j, n, g + q - c], of what it adds to an experiment
    gram: Array  # [q, q, r·r]
    outcome: Array  # [q, r]
    square: Array
    own: Array  # [c, c, g, r·r]
    cross: Array  # [c, q, g, r·r]
    cross_outcome: Array  # [c, g, r]


def without_spreads(coordinates: Floats, n_channels: int) -> Floats:
    """The coordinates the reduced density is a function of."""
    own = N_SHAPES * n_channels
    return np.concatenate([coordinates[..., :own], coordinates[..., own + len(SPREADS) :]], axis=-1)


def with_spreads(reduced: Floats, held: Floats, n_channels: int) -> Floats:
    """All coordinates [..., d] from the reduced ones and those of the spreads."""
    own = N_SHAPES * n_channels
    middle = np.broadcast_to(held, (*reduced.shape[:-1], len(SPREADS)))
    return np.concatenate([reduced[..., :own], middle, reduced[..., own:]], axis=-1)


def reduce(data: Data, form: Form, mode: Floats, sd: Floats) -> Reduced:
    """The reduced density around a mode [d] with posterior standard deviations about `sd` [d]."""
    c = data.spend_share.shape[0]
    center = mode[: N_SHAPES * c].reshape(N_SHAPES, c)
    half = np.clip(_REACH[:, None] * sd[: N_SHAPES * c].reshape(N_SHAPES, c), 0.25, 4.0)
    channels = [_channel(data, form, channel, center[:, channel], half[:, channel]) for channel in range(c)]
    # An experiment's rows are interpolated from the nodes of its own channel.
    tested = [channels[channel].tested[:, j] for j, channel in enumerate(form.tested)]
    return Reduced(
        center=jax.device_put(center),
        half=jax.device_put(half),
        coefficient=jax.device_put(_padded([channel.coefficient for channel in channels])),
        caused=jax.device_put(np.stack([channel.caused for channel in channels])),
        tested=jax.device_put(np.stack(tested) if tested else np.zeros((0, 1, 1))),
        **_inner_products(data, form, mode, [channel.series for channel in channels]),
    )


def log_density(coordinates: Array, reduced: Reduced, data: Data, form: Form) -> Array:
    """Log posterior density of shapes and spreads of effects by geo, up to a constant."""
    parts, _ = pieces(coordinates, reduced, data, form)
    return likelihood_of(parts, jnp.zeros(())) - 0.5 * coordinates @ coordinates


def pieces(coordinates: Array, reduced: Reduced, data: Data, form: Form) -> tuple[Pieces, Array]:
    """The closed form with the media columns as its only coefficients, and the Chebyshev terms [c, n]."""
    c = data.spend_share.shape[0]
    values = _chebyshev(coordinates[: N_SHAPES * c].reshape(N_SHAPES, c), reduced)
    weight = jnp.einsum("cn,cnr->cr", values, reduced.coefficient)
    by_column = jnp.concatenate([weight, modulated_of(weight, form)])  # [q, r]
    # [q, q, r·r]: what each product of two series counts.
    pairs = (by_column[:, None, :, None] * by_column[:, None, :]).reshape(reduced.gram.shape)
    gram = jnp.sum(reduced.gram * pairs, axis=-1)
    outcome = jnp.einsum("qr,qr->q", reduced.outcome, by_column)
    total = jnp.block([[gram, outcome[:, None]], [outcome[None], reduced.square[None, None]]])
    scale = varying_spread(coordinates[N_SHAPES * c :], data)
    own = jnp.einsum("cdgk,cdk->gcd", reduced.own, pairs[:c, :c]) * scale * scale[:, None]
    cross = jnp.einsum("cqgk,cqk->gcq", reduced.cross, pairs[:c])
    cross_outcome = jnp.einsum("cgr,cr->gc", reduced.cross_outcome, weight)
    cross = jnp.concatenate([cross, cross_outcome[..., None]], axis=-1) * scale[:, None]
    prior_sd = data.prior_sd[-len(by_column) :]
    anchors = _anchors(values, reduced, data, form)
    return assemble(total, own, cross, scale, prior_sd, jnp.ones(()), anchors, data), values


def draw_effects(
    coordinates: Floats, reduced: Reduced, data: Data, form: Form, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """One draw for each row of the coordinates [s, d]: effects and modulation [s, q], the effects' deviations by geo
    [s, g, c], and the outcome caused [s, c] over the history, over the total level of a period.
    """
    g, c = data.level_share.shape[0], data.spend_share.shape[0]
    sizes = ((c + len(form.modulated),), (g, c), (1 + len(form.tested),))
    drawn = [
        jax.device_get(_draw(x, Noise(*(rng.standard_normal(size) for size in sizes)), reduced, data, form))
        for x in coordinates
    ]
    shared, deviation, caused = (np.array([each[k] for each in drawn]) for k in range(3))
    return shared, deviation, caused


@partial(jax.jit, static_argnames=("form",))
def _draw(x: Array, noise: Noise, reduced: Reduced, data: Data, form: Form) -> tuple[Array, Array, Array]:
    parts, values = pieces(x, reduced, data, form)
    g, c = data.level_share.shape[0], data.spend_share.shape[0]
    shared = draw_shared(parts, noise)
    deviation = draw_deviations(parts, shared, noise)
    per_unit = jnp.einsum("cn,cnk->ck", values, reduced.caused)  # [c, g + q - c]
    caused = jnp.einsum("cg,gc->c", per_unit[:, :g], shared[:c] + deviation)
    return shared, deviation, caused + per_unit[:, g:] @ shared[c:]


def _anchors(values: Array, reduced: Reduced, data: Data, form: Form) -> Anchors:
    g, t, c = *data.lead.shape, data.spend_share.shape[0]
    n_modulated = len(form.modulated)
    share = jnp.einsum("cn,cn->c", values, reduced.caused[..., :g].sum(axis=-1)) / t
    shared, by_geo = [jnp.concatenate([share, jnp.zeros(n_modulated)])], [jnp.zeros((g, c))]
    for j, channel in enumerate(form.tested):
        caused = values[channel] @ reduced.tested[j]
        by_geo.append(jnp.zeros((g, c)).at[:, channel].set(caused[:g]))
        row = jnp.zeros(c + n_modulated).at[channel].set(caused[:g].sum())
        shared.append(row.at[c:].set(caused[g:]))
    return Anchors(jnp.stack(shared), jnp.stack(by_geo))


def _chebyshev(coordinates: Array, reduced: Reduced) -> Array:
    """[c, n]: products of Chebyshev polynomials at the coordinates [4, c]; outside the box, at its edge."""
    u = jnp.clip((coordinates - reduced.center) / reduced.half, -1.0, 1.0)[: len(_NODES)]
    terms = [jnp.ones_like(u), u]
    for _ in range(2, max(_NODES)):
        terms.append(2 * u * terms[-1] - terms[-2])
    values = jnp.stack(terms, axis=-1)  # [axis, c, size]
    product = values[0, :, : _NODES[0]]
    for axis, size in enumerate(_NODES[1:], start=1):
        product = (product[:, :, None] * values[axis, :, None, :size]).reshape(u.shape[1], -1)
    return product


class _Channel(NamedTuple):
    """One channel's basis, and Chebyshev coefficients n of what depends on its shape."""

    series: Floats  # [r, g, t]
    coefficient: Floats  # [n, r]
    caused: Floats  # [n, g + q - c]
    tested: Floats  # [n, j, g + q - c]


def _channel(data: Data, form: Form, channel: int, center: Floats, half: Floats) -> _Channel:
    axes = [np.cos(np.pi * (np.arange(size) + 0.5) / size) for size in _NODES]
    middle, spread = (np.asarray(each)[:, channel] for each in (data.shape_center, data.shape_spread))
    values = [np.exp(middle[a] + spread[a] * (center[a] + half[a] * axis)) for a, axis in enumerate(axes)]
    steep = [each.ravel() for each in np.meshgrid(*values[1:], indexing="ij")]
    one = slice(channel, channel + 1)
    # Sliced and put as arrays: each such operation in JAX would compile a program of its own.
    exposure, spend_share = (jax.device_put(np.asarray(each)[one]) for each in (data.exposure, data.spend_share))
    own = form._replace(carry_over=form.carry_over[one], saturation=form.saturation[one], effect=form.effect[one])
    of_channel = np.array([modulated == channel for modulated in form.modulated], dtype=float)
    index = jax.device_put(np.asarray(data.weather) * of_channel[:, None, None])
    found = [_nodes(half_life, *steep, exposure, spend_share, data, index, own) for half_life in values[0]]
    response, caused, tested = (np.concatenate([np.asarray(each[k]) for each in found]) for k in range(3))
    transform = _to_chebyshev(axes)
    p = data.fixed.shape[-1] - 1
    size = float(np.hypot(np.asarray(data.prior_mean)[p + channel], np.asarray(data.prior_sd)[p + channel]))
    series, weight = _basis(response, _node_weights(axes), np.asarray(data.lead), size)
    flat = tested.reshape(len(caused), -1)
    return _Channel(series, transform @ weight, transform @ caused, (transform @ flat).reshape(tested.shape))


@partial(jax.jit, static_argnames=("form",))
def _nodes(
    half_life: float,
    half_saturation: Array,
    slope: Array,
    exposure: Array,
    spend_share: Array,
    data: Data,
    index: Array,
    form: Form,
) -> tuple[Array, Array, Array]:
    """At one half-life and every saturation [n] of a channel: response [n, g, t], and what a unit of it adds by geo
    and modulation to the outcome [n, g + q - c] and to each experiment [n, j, g + q - c].
    """

    def at(k: Array, s: Array) -> tuple[Array, Array, Array]:
        shape = Shape(*(jnp.reshape(each, (1,)) for each in (half_life, k, s, 1.0)))
        response, factor = scaled(carried_of(exposure, shape, form), shape, form, data.level_share, spend_share)
        whole = _by_geo_and_index(response[0] * data.level_share[:, None], index)
        without = [
            saturate(carried_of(each[None], shape, form), shape, form.saturation)[0] for each in data.test_exposure
        ]
        caused = [w * (response[0] - factor[0] * each) for w, each in zip(data.test_weight, without, strict=True)]
        rows = [_by_geo_and_index(each, index) for each in caused]
        return response[0].astype(jnp.float32), whole, jnp.stack(rows) if rows else jnp.zeros((0, len(whole)))

    return jax.vmap(at)(half_saturation, slope)


def _by_geo_and_index(rows: Array, index: Array) -> Array:
    """[g + q - c]: sums over time by geo, and sums of everything times each index."""
    return jnp.concatenate([rows.sum(axis=1), jnp.einsum("gt,mgt->m", rows, index)])


def _node_weights(axes: list[Floats]) -> Floats:
    """[n]: about the posterior mass of each node's cell, summing to one."""
    weight = np.ones(1)
    for axis, reach in zip(axes, _REACH, strict=False):
        # A normal posterior, taken a third wider than it is thought to be, times the width of a Chebyshev cell.
        own = np.exp(-0.5 * (axis * reach / 1.3) ** 2) * np.sqrt(1 - axis**2)
        weight = (weight[:, None] * own / own.sum()).ravel()
    return weight


def _basis(response: NDArray[np.float32], weights: Floats, lead: Floats, effect: float) -> tuple[Floats, Floats]:
    """Series [r, g, t] and weights [n, r] with response [n, g, t] ≈ weights · series, best where `weights` [n] lie.

    As many as leave an expected squared error below _LEFT_OVER for an effect of this size, in units of noise. Found by
    random projection: one pass over the nodes instead of all their inner products.
    """
    n = len(response)
    flat = response.reshape(n, -1)
    in_noise = flat * lead.ravel().astype(np.float32)
    draw = np.random.default_rng(0).standard_normal((min(_MAX_BASIS + 16, n), n)).astype(np.float32)
    mixed = draw * np.sqrt(weights).astype(np.float32)
    orthonormal, back = (np.asarray(each, dtype=np.float64) for each in np.linalg.qr((mixed @ in_noise).T))  # [g·t, k]
    inner = (in_noise @ orthonormal.astype(np.float32)).astype(np.float64)  # [n, k]
    _, s, vt = np.linalg.svd(np.sqrt(weights)[:, None] * inner, full_matrices=False)
    left = (np.cumsum(s[::-1] ** 2)[::-1] - s**2) * effect**2
    r = int(min(np.searchsorted(-left, -_LEFT_OVER) + 1, len(s), _MAX_BASIS))
    # The series themselves, from the same mixture of nodes that made the orthonormal rows.
    raw = np.linalg.solve(back.T, (mixed @ flat).astype(np.float64))
    series = np.asarray((vt[:r] @ raw).reshape(r, *response.shape[1:]), dtype=np.float64)
    return series, inner @ vt[:r].T


def _to_chebyshev(axes: list[Floats]) -> Floats:
    """[n, n]: from values on the grid to coefficients of products of Chebyshev polynomials."""
    whole: Floats = np.ones((1, 1))
    for axis in axes:
        size = len(axis)
        order = np.arange(size)
        own = np.cos(np.outer(order, np.arccos(axis))) * np.where(order == 0, 1, 2)[:, None] / size
        whole = np.asarray(np.kron(whole, own), dtype=np.float64)
    return whole


def _padded(weights: list[Floats]) -> Floats:
    """[c, n, r] from one [n, r] a channel."""
    r = _padded_size(each.shape[1] for each in weights)
    return np.stack([np.pad(each, ((0, 0), (0, r - each.shape[1]))) for each in weights])


def _padded_size(sizes: Iterable[int]) -> int:
    """The size of every basis: series of nothing make up the rest, so that other data need no other program."""
    return -(-max(sizes) // _SIZE_STEP) * _SIZE_STEP


@jax.jit
def _held(mode: Array, data: Data) -> tuple[Array, Array]:
    """The learnt spreads at the mode and the prior spreads [m] they give; one program instead of one an operation."""
    common, _ = spreads(mode, data)
    return common, prior_sd_of(data, common)


def _inner_products(data: Data, form: Form, mode: Floats, series: list[Floats]) -> dict[str, Array]:
    """Inner products of all media columns' series with each other and the outcome, baseline and its spreads removed."""
    c, g = len(series), series[0].shape[1]
    r = _padded_size(len(each) for each in series)
    padded = np.stack([np.pad(each, ((0, r - len(each)), (0, 0), (0, 0))) for each in series])  # [c, r, g, t]
    index = np.asarray(data.weather)
    modulated = padded[list(form.modulated)] * index[:, None]
    rows = np.concatenate([padded, modulated])  # [q, r, g, t]
    q = len(rows)
    before = np.concatenate([np.zeros_like(rows[..., :1]), rows[..., :-1]], axis=-1)
    rows = np.asarray(data.lead) * rows + np.asarray(data.follow) * before
    media = np.moveaxis(rows.reshape(q * r, g, -1), 0, -1)  # [g, t, qr]
    common, all_sd = (np.asarray(each) for each in _held(mode, data))
    season, control, *_, noise = common
    fixed = np.asarray(data.fixed)
    p = fixed.shape[-1] - 1
    prior_mean, prior_sd = np.asarray(data.prior_mean)[:p], all_sd[:p]
    # The prior's mean is taken out of the outcome, so that what follows has mean zero.
    outcome = fixed[..., -1] - fixed[..., :-1] @ prior_mean
    by_column = np.where(np.asarray(data.is_level), LEVEL_BY_GEO, np.where(np.asarray(data.is_season), season, control))
    varies = np.asarray(data.varies)
    right = np.concatenate([media, outcome[..., None]], axis=-1)  # [g, t, qr + 1]
    sums = np.zeros((p, p)), np.zeros((p, q * r + 1)), np.zeros((q * r + 1, q * r + 1))
    baseline_own, own = np.empty((g, p, q * r + 1)), np.empty((g, c * r, q * r + 1))
    for i in range(g):
        # Each geo in the metric of its noise and of the baseline's deviations, whose spreads are held.
        x, y = fixed[i, :, :-1] / noise, right[i] / noise
        z = x[:, varies] * by_column
        factor = cho_factor(np.eye(len(varies)) + z.T @ z if g > 1 else np.eye(len(varies)))
        zx, zy = (z.T @ x, z.T @ y) if g > 1 else (np.zeros((len(varies), p)), np.zeros((len(varies), y.shape[1])))
        baseline_own[i] = x.T @ y - zx.T @ cho_solve(factor, zy)
        both = y.T @ y - zy.T @ cho_solve(factor, zy)
        sums[0][...] += x.T @ x - zx.T @ cho_solve(factor, zx)
        sums[1][...] += baseline_own[i]
        sums[2][...] += both
        own[i] = both[: c * r]
    shared = cho_factor(sums[0] + np.diag(prior_sd**-2))
    solved = cho_solve(shared, sums[1])
    total = sums[2] - sums[1].T @ solved
    for i in range(g):
        own[i] -= baseline_own[i][:, : c * r].T @ solved
    # A geo's deviation with itself also loses what the shared baseline takes of its own rows alone.
    within = np.stack(
        [
            own[i][:, : c * r]
            + baseline_own[i][:, : c * r].T @ (solved[:, : c * r] - cho_solve(shared, baseline_own[i][:, : c * r]))
            for i in range(g)
        ]
    )
    return {
        "gram": jax.device_put(total[:-1, :-1].reshape(q, r, q, r).transpose(0, 2, 1, 3).reshape(q, q, -1)),
        "outcome": jax.device_put(total[:-1, -1].reshape(q, r)),
        "square": jax.device_put(total[-1, -1]),
        "own": jax.device_put(within.reshape(g, c, r, c, r).transpose(1, 3, 0, 2, 4).reshape(c, c, g, -1)),
        "cross": jax.device_put(own[:, :, :-1].reshape(g, c, r, q, r).transpose(1, 3, 0, 2, 4).reshape(c, q, g, -1)),
        "cross_outcome": jax.device_put(own[:, :, -1].reshape(g, c, r).transpose(1, 0, 2)),
    }
