"""Exact draws of everything the density integrates out, for each draw of shapes and spreads (mmm.md, "Density")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import cho_solve, solve_triangular
from numpy.typing import NDArray

from weathervane.model.mmm.likelihood import (
    Data,
    Form,
    Pieces,
    likelihood_of,
    pieces,
    response_per_unit,
)
from weathervane.model.mmm.running import side_by_side

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Draws s of what is linear given the coordinates, and each draw's exact log likelihood."""

    shared: Floats  # [s, m], baseline, effects, modulation
    deviation: Floats  # [s, g, n], of baseline columns that vary by geo, then of effects
    caused: Floats  # [s, c], outcome caused over the history, over the total level of a period
    log_likelihood: Floats  # [s]

    @classmethod
    def joined(cls, parts: Sequence[Linear]) -> Linear:
        """The draws of several blocks, in their order."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def take(self, rows: NDArray[np.int64]) -> Linear:
        """These draws only."""
        return Linear(self.shared[rows], self.deviation[rows], self.caused[rows], self.log_likelihood[rows])


def draw_one(x: Floats, data: Data, form: Form, rng: np.random.Generator) -> Linear:
    """What is linear at one point [d], with an axis of draws of one."""
    return Linear(*(np.asarray(part)[None] for part in jax.device_get(_draw(x, _noise(data, form, rng), data, form))))


def _noise(data: Data, form: Form, rng: np.random.Generator) -> Noise:
    (g, _), n = data.lead.shape, data.varies.shape[0] + data.spend_share.shape[0]
    return Noise(*(rng.standard_normal(size) for size in (data.prior_mean.shape, (g, n), (1 + len(form.tested),))))


class Noise(NamedTuple):
    """Standard normals for one draw."""

    shared: Floats | Array  # [m]
    deviation: Floats | Array  # [g, n]
    anchor: Floats | Array  # [1 + j]


def draw_linear(coordinates: Floats, data: Data, form: Form, rng: np.random.Generator) -> Linear:
    """One draw for each row of the coordinates [s, d]."""
    # All noise is drawn before the threads start, so that their order changes no number.
    noise = [_noise(data, form, rng) for _ in coordinates]

    def one(i: int) -> tuple[Floats, Floats, Floats, Floats]:
        return jax.device_get(_draw(coordinates[i], noise[i], data, form))

    drawn = side_by_side(one, range(len(coordinates)))
    return Linear(*(np.array([each[k] for each in drawn]) for k in range(4)))


@partial(jax.jit, static_argnames=("form",))
def _draw(x: Array, noise: Noise, data: Data, form: Form) -> tuple[Array, Array, Array, Array]:
    parts = pieces(x, data, form)
    response, _ = response_per_unit(x, data, form)
    c = data.spend_share.shape[0]
    weighted = response * data.level_share[:, None]
    modulated = jnp.array(form.modulated, dtype=int)
    by_index = jnp.einsum("mgt,mgt->m", weighted[modulated], data.weather)
    shared = draw_shared(parts, noise)
    deviation = draw_deviations(parts, shared, noise)
    effect = shared[-c - len(form.modulated) :]
    caused = jnp.einsum("cgt,gc->c", weighted, effect[:c] + deviation[:, -c:])
    value = likelihood_of(parts, jnp.sum(data.lead > 0))
    return shared, deviation, caused.at[modulated].add(effect[c:] * by_index), value


def draw_shared(parts: Pieces, noise: Noise) -> Array:
    """[m]: a draw from N(A⁻¹ b, A⁻¹)."""
    root = jnp.linalg.cholesky(parts.precision)
    return cho_solve((root, True), parts.right) + solve_triangular(root.T, noise.shared)


def draw_deviations(parts: Pieces, shared: Array, noise: Noise) -> Array:
    """[g, n]: one draw of every geo's deviations given the shared coefficients; zero for a single geo."""
    if parts.kernel.shape[0] == 1:
        return jnp.zeros((1, parts.scale.shape[0]))
    root = jnp.linalg.cholesky(parts.kernel)
    pull = parts.cross[:, :, -1] - parts.cross[:, :, :-1] @ shared
    spread = solve_triangular(root.mT, noise.deviation[..., None])
    draw = (cho_solve((root, True), pull[..., None]) + spread)[..., 0]
    # An experiment saw a sum over geos: the draw is moved to agree with it, as far as it was measured (Matheron).
    if noise.anchor.shape[0] > 1:
        seen = parts.anchor_shared @ shared + jnp.einsum("gna,gn->a", parts.anchor_varying, draw)
        solved = cho_solve((root, True), parts.anchor_varying)  # [g, n, a]
        own = jnp.einsum("gna,gnb->ab", parts.anchor_varying, solved)
        error = jnp.sqrt(jnp.maximum(jnp.diag(parts.anchor_variance - own), 0.0)) * noise.anchor
        draw = draw + solved @ jnp.linalg.solve(parts.anchor_variance, parts.anchor_outcome - seen - error)
    return draw * parts.scale
