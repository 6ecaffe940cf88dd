"""Channels whose spend rose and fell together, so that the data know only their sum (mmm.md, "Separability")."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from weathervane.model.mmm.design import Design
from weathervane.model.mmm.likelihood import (
    LEARNT,
    SPREADS,
    Data,
    Form,
    all_heard,
    carried_of,
    n_coordinates,
    shape_of,
)

Floats = NDArray[np.float64]

NEAR_DEPENDENCE = 0.1  # smallest eigenvalue that still tells channels apart: of two, a correlation of 0.9
_INFLATED = 5.0  # variance inflation factor from which a channel's effect counts as unknown; at 0.9 of a pair it is 5.3
_MOST = 0.5  # of the variance of a channel's effect that comes from near dependences (Belsley, Kuh and Welsch)
_TIED = 0.1  # entry of the projection on near dependences from which two channels are in one; a half for a pair
_VARIES = 1e-6  # of a channel's own sum of squares must be left beside the baseline


def collinear(design: Design, data: Data, form: Form) -> tuple[tuple[int, ...], ...]:
    """Groups of channels, by position, of which only the sum of effects is known; each channel is in one at most.

    A channel that a geo test has measured is none of them: the test tells it from the others.
    """
    known = set(form.tested)
    free = np.array([c for c in range(data.spend_share.shape[0]) if c not in known], dtype=np.int64)
    left = _left_of_exposure(design, data, form)[np.ix_(free, free)]
    own = np.diag(left)
    varies = own > 0
    free, left = free[varies], left[np.ix_(varies, varies)]
    if len(free) < 2:
        return ()
    scale = np.sqrt(np.diag(left))
    values, vectors = np.linalg.eigh(left / np.outer(scale, scale))
    near = values < NEAR_DEPENDENCE
    if not near.any():
        return ()
    parts = vectors**2 / np.maximum(values, 1e-9)
    inflation = parts.sum(axis=1)
    member = (inflation > _INFLATED) & (parts[:, near].sum(axis=1) > _MOST * inflation)
    tied = (np.abs(vectors[:, near] @ vectors[:, near].T) > _TIED) & np.outer(member, member)
    return tuple(tuple(int(free[i]) for i in group) for group in _connected(tied) if len(group) > 1)


def _left_of_exposure(design: Design, data: Data, form: Form) -> Floats:
    """[c, c]: sums of products of carried-over exposure, whitened as the noise, after baseline and level by place.

    Every channel is carried over alike, and none is saturated: shapes that a fit has chosen may differ for channels
    that moved as one. A channel of which the baseline leaves nothing has zero.
    """
    shape = shape_of(jnp.zeros(n_coordinates(data.spend_share.shape[0])), data)
    shape = shape._replace(half_life_days=jnp.full_like(shape.half_life_days, jnp.median(shape.half_life_days)))
    heard = all_heard(data.exposure, shape, data.frequency, form)
    rows = design.whiten(np.asarray(carried_of(heard, shape, form), dtype=np.float64))
    level = design.whiten(np.ones_like(design.relative))
    exposure = _without(np.moveaxis(rows, 0, -1), level)
    baseline = _without(design.baseline, level)
    c, p = exposure.shape[-1], baseline.shape[-1]
    x, b = exposure.reshape(-1, c), baseline.reshape(-1, p)
    typical = np.array([SPREADS[name][0] if name else 1.0 for name in LEARNT])
    sd = np.asarray(data.prior_sd)[:p] * typical[np.asarray(data.learnt)[:p]]
    cross = b.T @ x
    whole = x.T @ x
    left = whole - cross.T @ np.linalg.solve(b.T @ b + np.diag(1 / np.maximum(sd, 1e-9) ** 2), cross)
    constant = np.diag(left) <= _VARIES * np.einsum("gtc,gtc->c", np.moveaxis(rows, 0, -1), np.moveaxis(rows, 0, -1))
    left[constant, :] = left[:, constant] = 0.0
    return left


def _without(rows: Floats, column: Floats) -> Floats:
    """Rows [g, t, k] less their regression, place by place, on one column [g, t]."""
    size = np.maximum((column**2).sum(axis=1), 1e-12)
    slope = np.einsum("gt,gtk->gk", column, rows) / size[:, None]
    return rows - column[..., None] * slope[:, None, :]


def _connected(tied: NDArray[np.bool_]) -> list[list[int]]:
    """Positions that are tied to each other, directly or through others."""
    left, groups = set(range(len(tied))), list[list[int]]()
    while left:
        group, reached = set[int](), {min(left)}
        while reached:
            group |= reached
            reached = {int(j) for i in reached for j in np.flatnonzero(tied[i])} - group
        groups.append(sorted(group))
        left -= group
    return groups
