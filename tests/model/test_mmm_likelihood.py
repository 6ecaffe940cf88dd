"""The collapsed density against the dense Gaussian it is a shortcut for, and its gradient against differences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.model.mmm.design import build_design
from weathervane.model.mmm.hierarchical import make_data
from weathervane.model.mmm.likelihood import (
    Data,
    log_density,
    log_likelihood,
    n_coordinates,
    pieces,
    response_per_roi,
)
from weathervane.model.mmm.priors import Priors

GUESS = (np.array([6.0, 6.0]), np.array([1.2, 1.2]), np.array([1.0, 1.0]))


def data_of(n_geos: int) -> Data:
    panel = weekly_panel(n_geos, 40, (1.0, 2.0), seed=3)
    return make_data(build_design(panel, GUESS), panel.channels, Priors())


def dense_log_likelihood(x: np.ndarray, data: Data) -> float:
    """The same model written out: one covariance matrix over all places and weeks."""
    parts = pieces(jnp.asarray(x), data)
    response = np.asarray(response_per_roi(jnp.asarray(x), data)[0])
    c, g, t = response.shape
    fixed = np.asarray(data.fixed)
    baseline, outcome = fixed[..., :-1], fixed[..., -1]
    lead, follow, z = (np.asarray(each) for each in (data.lead, data.follow, data.z))

    def whiten(rows: np.ndarray) -> np.ndarray:
        before = np.concatenate([np.zeros((g, 1)), rows[:, :-1]], axis=1)
        return lead * rows + follow * before

    media = np.stack([whiten(r) for r in (*response, *(response * z))], axis=-1)
    x_all = np.concatenate([baseline, media], axis=-1)  # [g, t, m]
    varying = np.concatenate([np.asarray(data.varies), baseline.shape[-1] + np.arange(c)])
    flat = x_all.reshape(g * t, -1)
    covariance = flat @ np.diag(np.asarray(parts.prior_sd) ** 2) @ flat.T
    covariance += float(parts.noise) ** 2 * np.eye(g * t)
    if g > 1:
        for i in range(g):
            own = x_all[i][:, varying] * np.asarray(parts.scale)
            rows = slice(i * t, (i + 1) * t)
            covariance[rows, rows] += own @ own.T
    residual = outcome.reshape(-1) - flat @ np.asarray(data.prior_mean)
    _, log_det = np.linalg.slogdet(covariance)
    return float(-0.5 * (log_det + residual @ np.linalg.solve(covariance, residual)))


@pytest.mark.parametrize("n_geos", [1, 3, 5])
def test_collapsed_density_differs_from_the_dense_gaussian_by_nothing_that_moves(n_geos: int) -> None:
    data = data_of(n_geos)
    rng = np.random.default_rng(1)
    points = 0.7 * rng.standard_normal((4, n_coordinates(2)))
    differences = [float(log_likelihood(jnp.asarray(x), data)) - dense_log_likelihood(x, data) for x in points]
    assert differences == pytest.approx([differences[0]] * 4, abs=1e-6)


@pytest.mark.parametrize("n_geos", [1, 5])
def test_gradient_by_hand_agrees_with_differences(n_geos: int) -> None:
    data = data_of(n_geos)
    size = n_coordinates(2)
    x = 0.5 * np.random.default_rng(2).standard_normal(size)
    gradient = np.asarray(jax.grad(log_density)(jnp.asarray(x), data))
    h = 1e-5
    for i, unit in enumerate(np.eye(size)):
        up, down = (float(log_density(jnp.asarray(x + s * h * unit), data)) for s in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-4)


def test_an_roi_of_one_returns_exactly_what_was_spent() -> None:
    data = data_of(3)
    response, _ = response_per_roi(jnp.asarray(0.3 * np.ones(n_coordinates(2))), data)
    returned = np.einsum("cgt,g->c", np.asarray(response), np.asarray(data.level_share))
    assert returned == pytest.approx(np.asarray(data.spend_share))
