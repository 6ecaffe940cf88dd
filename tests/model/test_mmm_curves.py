"""Curves: the unit a channel saturates in, straight lines, late launches, and how sure a curve is."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.model.weekly_panels import panel_of, weekly_panel

from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm.curves import _WIDENING, response_curves, widened
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.transforms import hill

Floats = NDArray[np.float64]


@given(launched=st.integers(1, 59))
def test_weeks_before_a_launch_do_not_change_what_its_spend_is_measured_in(launched: int):
    panel = weekly_panel(2, 60, (1.0, 1.0), seed=3)
    spend = panel.spend.copy()
    spend[0, :, :launched] = 0.0
    design = prepare(replace(panel, spend=spend), Priors())[0]
    per_outcome = spend[0] / design.level[:, None]
    bought = per_outcome[:, launched:]
    np.testing.assert_allclose(design.exposure_unit[0], (bought**2).sum() / bought.sum())
    np.testing.assert_allclose(design.unit_in_means[0], design.exposure_unit[0] / per_outcome.mean())


def test_steady_spend_is_its_own_unit():
    panel = weekly_panel(1, 60, (1.0,), seed=3)
    design = prepare(replace(panel, spend=np.full_like(panel.spend, 700.0)), Priors())[0]
    np.testing.assert_allclose(design.unit_in_means, 1.0)


def test_curves_are_a_fifth_wider_than_the_posterior_around_the_same_mean():
    draws = np.random.default_rng(0).gamma(2.0, size=(200, 3, 4))
    made = widened(draws)
    np.testing.assert_allclose(made.mean(axis=0), draws.mean(axis=0))
    np.testing.assert_allclose(made.std(axis=0), _WIDENING * draws.std(axis=0))


@pytest.mark.parametrize("far", [1e-3, 1e-30, 1e-300])
def test_far_below_half_saturation_a_curve_has_a_value_and_a_gradient(far: float):
    of = [jnp.float64(each) for each in (far, 1.0, 3.0)]
    assert np.isfinite(hill(*of))
    assert np.isfinite(jax.grad(hill, argnums=(0, 1, 2))(*of)).all()


KEEP = 0.5 ** (1 / 4.0)  # of a day's effect a day later: a half-life of four days


def carried(spend: Floats) -> Floats:
    """Weekly spend [g, t], spread evenly over its days, as its weekly effect: geometric, a steady week its own."""
    days = np.repeat(spend / 7, 7, axis=1)
    effect = np.empty_like(days)
    effect[:, 0] = days[:, 0]
    for day in range(1, days.shape[1]):
        effect[:, day] = KEEP * effect[:, day - 1] + (1 - KEEP) * days[:, day]
    return effect.reshape(*spend.shape, 7).sum(axis=2)


def straight(n_geos: int, n_weeks: int, returns: tuple[float, ...], seed: int, noise: float, launch: int = 0) -> Panel:
    """A panel in which every unit of money brings the same; the last channel spends from week `launch` on."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(12.0, 0.5, (n_geos, 1)))
    spend = 0.06 * level * np.exp(rng.normal(0.0, 0.5, (len(returns), n_geos, n_weeks)))
    spend[-1, :, :launch] = 0.0
    season = 1 + 0.1 * np.cos(2 * np.pi * np.arange(n_weeks) / 52.18)
    outcome = level * (season + noise * rng.standard_normal((n_geos, n_weeks)))
    outcome = outcome + sum(each * carried(paid) for paid, each in zip(spend, returns, strict=True))
    return panel_of(outcome, spend, rng.normal(0.0, 0.8, (n_geos, n_weeks)))


def next_unit(panel: Panel, curves: ResponseCurves, channel: int, times: float) -> Floats:
    """Draws of what the next unit of money brings at `times` the usual spend of the last weeks, mean over places."""
    found: list[Floats] = []
    for g, geo in enumerate(curves.geos):
        at = times * panel.spend[channel, g, -8:].mean() * np.array([0.95, 1.05])
        less, more = curves.at(geo, curves.channels[channel], at)
        found.append((more - less) / (at[1] - at[0]))
    return np.mean(found, axis=0)


@pytest.mark.slow
def test_a_straight_line_is_held():
    returns = (2.4, 0.5)
    panel = straight(4, 104, returns, seed=5, noise=0.01)
    fit = fit_media_mix(panel, Priors(), 5)
    curves = response_curves(fit, "straight")
    for c, each in enumerate(returns):
        low, high = np.quantile(fit.roi[:, c], [0.05, 0.95])
        assert low <= each <= high
        assert abs(np.median(next_unit(panel, curves, c, 1.0)) / each - 1) < 0.1
    # Half as much again as usual still brings what the first unit brought.
    assert abs(np.median(next_unit(panel, curves, 0, 1.5)) / returns[0] - 1) < 0.1


@pytest.mark.slow
def test_a_channel_launched_ten_weeks_ago_is_not_taken_to_be_full():
    # The late channel returns three times the other's, and more spend will not make it return less.
    panel = straight(1, 104, (1.0, 3.0), seed=8, noise=0.015, launch=94)
    fit = fit_media_mix(panel, Priors(), 8)
    low, high = np.quantile(fit.roi, [0.05, 0.95], axis=0)
    assert (low <= (1.0, 3.0)).all()
    assert (high >= (1.0, 3.0)).all()
    curves = response_curves(fit, "late")
    steady, late = (next_unit(panel, curves, c, 1.0) for c in range(2))
    assert np.median(late) > np.median(steady)
