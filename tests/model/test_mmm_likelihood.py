"""The collapsed density against the dense Gaussian it is a shortcut for, and its gradient against differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.lift_results import lift_result
from model.weekly_panels import weekly_panel
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.period import Period
from weathervane.model.features.build import Panel
from weathervane.model.mmm.likelihood import (
    N_SHAPES,
    Data,
    Form,
    log_density,
    log_likelihood,
    n_coordinates,
    pieces,
    response_per_unit,
    saturated,
    shape_of,
)
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

TOTAL = Normal(0.3, 0.05)


def lift(panel: Panel) -> LiftResult:
    """Half of channel-1's spend cut in two places for four weeks."""
    start = panel.starts[20]
    window = Period(start, start + timedelta(days=27))
    cut = -0.5 * float(panel.spend[1, :2, 20:24].sum())
    return lift_result("channel-1", panel.geos[:2], window, lift=-1.4 * cut, sd=-0.3 * cut, spend_change=cut)


def problem(n_geos: int, *, tested: bool = False, rain: bool = False) -> tuple[Data, Form]:
    panel = weekly_panel(n_geos, 40, (1.0, 2.0), seed=3)
    believed = {"channel-1": ChannelPriors(wet_modulation=Normal(0.1, 0.3))} if rain else {}
    if rain:
        panel.weather[2] = np.random.default_rng(9).normal(0.0, 0.2, panel.z.shape)
    priors = Priors(channels=believed, total_media_share=TOTAL if tested else None)
    _, data, form = prepare(panel, priors, (lift(panel),) if tested else ())
    return data, form


def dense_log_likelihood(x: np.ndarray, data: Data, form: Form) -> float:
    """The same model written out: one covariance matrix over all places, weeks, the total share and the experiment."""
    parts = pieces(jnp.asarray(x), data, form)
    response = np.asarray(response_per_unit(jnp.asarray(x), data, form)[0])
    c, g, t = response.shape
    fixed = np.asarray(data.fixed)
    baseline, outcome = fixed[..., :-1], fixed[..., -1]
    lead, follow, weather = (np.asarray(each) for each in (data.lead, data.follow, data.weather))
    modulated = [response[channel] * index for channel, index in zip(form.modulated, weather, strict=True)]

    def whiten(rows: np.ndarray) -> np.ndarray:
        before = np.concatenate([np.zeros((g, 1)), rows[:, :-1]], axis=1)
        return lead * rows + follow * before

    media = np.stack([whiten(r) for r in (*response, *modulated)], axis=-1)
    x_all = np.concatenate([baseline, media], axis=-1)  # [g, t, m]
    varying = np.concatenate([np.asarray(data.varies), baseline.shape[-1] + np.arange(c)])
    flat = x_all.reshape(g * t, -1)
    shared = np.concatenate([flat, np.asarray(parts.anchor_shared)])
    covariance = shared @ np.diag(np.asarray(parts.prior_sd) ** 2) @ shared.T
    noise = np.concatenate([np.full(g * t, float(parts.noise)), [float(data.total_share[1])], data.test_lift[:, 1]])
    covariance += np.diag(np.minimum(noise, 1e6) ** 2)
    if g > 1:
        anchors = np.asarray(parts.anchor_varying)
        for i in range(g):
            own = np.zeros((len(shared), len(varying)))
            own[i * t : (i + 1) * t] = x_all[i][:, varying] * np.asarray(parts.scale)
            own[g * t :] = anchors[i].T
            covariance += own @ own.T
    seen = np.concatenate([outcome.reshape(-1), np.asarray(parts.anchor_outcome)])
    residual = seen - shared @ np.asarray(data.prior_mean)
    # Rows that do not count, the tested ones among them, are no observations.
    counts = np.concatenate([lead.reshape(-1) > 0, np.ones(len(shared) - g * t, dtype=bool)])
    covariance, residual = covariance[np.ix_(counts, counts)], residual[counts]
    _, log_det = np.linalg.slogdet(covariance)
    return float(-0.5 * (log_det + residual @ np.linalg.solve(covariance, residual)))


@pytest.mark.parametrize(
    ("n_geos", "tested", "rain"),
    [(1, False, False), (3, False, False), (5, False, True), (3, True, True), (5, True, False)],
)
def test_collapsed_density_differs_from_the_dense_gaussian_by_nothing_that_moves(
    n_geos: int, tested: bool, rain: bool
) -> None:
    data, form = problem(n_geos, tested=tested, rain=rain)
    rng = np.random.default_rng(1)
    points = 0.7 * rng.standard_normal((4, n_coordinates(2)))
    differences = [
        float(log_likelihood(jnp.asarray(x), data, form)) - dense_log_likelihood(x, data, form) for x in points
    ]
    assert differences == pytest.approx([differences[0]] * 4, abs=1e-6)


@pytest.mark.parametrize("n_geos", [1, 5])
def test_gradient_by_hand_agrees_with_differences(n_geos: int) -> None:
    data, form = problem(n_geos, tested=n_geos > 1)
    size = n_coordinates(2)
    x = 0.5 * np.random.default_rng(2).standard_normal(size)
    gradient = np.asarray(jax.grad(log_density)(jnp.asarray(x), data, form))
    h = 1e-5
    for i, unit in enumerate(np.eye(size)):
        up, down = (float(log_density(jnp.asarray(x + s * h * unit), data, form)) for s in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-4)


def test_a_coefficient_of_one_is_worth_exactly_what_it_says() -> None:
    panel = weekly_panel(3, 40, (1.0, 2.0, 1.0), seed=3)
    priors = Priors(
        channels={
            "channel-1": ChannelPriors(contribution_share=Normal(0.05, 0.05)),
            "channel-2": ChannelPriors(marginal_roi=Normal(1.0, 1.0)),
        }
    )
    design, data, form = prepare(panel, priors)
    x = jnp.asarray(0.3 * np.ones(n_coordinates(3)))
    response, factor = response_per_unit(x, data, form)
    returned = np.einsum("cgt,g->c", np.asarray(response), np.asarray(data.level_share))
    spend_share = np.asarray(data.spend_share)
    assert returned[0] == pytest.approx(spend_share[0])  # an ROI of one returns the spend
    assert returned[1] == pytest.approx(40.0)  # a share of one is the whole outcome of 40 weeks
    # A marginal ROI of one: a thousandth more spend everywhere returns a thousandth of the spend.
    shape = shape_of(x, data)
    more = np.asarray(saturated(1.001 * jnp.asarray(design.exposure), shape, form))[2] * float(factor[2])
    gain = np.einsum("gt,g->", more - np.asarray(response)[2], np.asarray(data.level_share))
    assert gain == pytest.approx(0.001 * spend_share[2], rel=2e-3)


def test_places_and_channels_in_another_order_give_the_same_density() -> None:
    panel = weekly_panel(5, 60, (0.5, 1.0, 2.0), seed=8)
    places, channels = np.array([3, 0, 4, 1, 2]), np.array([2, 0, 1])
    shuffled = replace(
        panel,
        geos=tuple(panel.geos[i] for i in places),
        channels=tuple(panel.channels[i] for i in channels),
        outcome=panel.outcome[:, places],
        spend=panel.spend[channels][:, places],
        weather=panel.weather[:, places],
        z=panel.z[places],
    )
    x = 0.6 * np.random.default_rng(4).standard_normal(n_coordinates(3))
    own = N_SHAPES * 3
    moved = np.concatenate([x[:own].reshape(-1, 3)[:, channels].ravel(), x[own:-3], x[-3:][channels]])
    (_, data, form), (_, other, other_form) = prepare(panel, Priors()), prepare(shuffled, Priors())
    assert float(log_density(jnp.asarray(x), data, form)) == pytest.approx(
        float(log_density(jnp.asarray(moved), other, other_form)), abs=1e-8
    )
