"""Reach and frequency: reach counts in full, contacts of the same people ever less; nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from model.weekly_panels import HALF_LIFE, panel_of
from weathervane.contracts.errors import BadInput
from weathervane.model.features.build import Panel
from weathervane.model.mmm.curves import response_curves
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.likelihood import n_coordinates, response_per_unit
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, Priors

ROI, HALF_SEEN = 2.0, 1.5
PRIORS = Priors(channels={"channel-1": ChannelPriors(exposure="reach")})


def reach_panel() -> Panel:
    """Two channels; the second's spend buys impressions whose frequency moves by itself."""
    rng = np.random.default_rng(7)
    g, t = 2, 80
    spend = 6e3 * np.exp(rng.normal(0, 0.5, (2, g, t)))
    frequency = np.exp(rng.normal(0.8, 0.6, (g, t)))
    impressions = 100 * spend[1]
    reach = impressions / frequency
    relative = frequency / (impressions.sum() / reach.sum())
    pressure = reach * relative / (relative + HALF_SEEN)
    keep, carried = 0.5 ** (7.0 / HALF_LIFE), np.stack([spend[0], pressure])
    for week in range(1, t):
        carried[..., week] = keep * carried[..., week - 1] + (1 - keep) * carried[..., week]
    caused = carried * (ROI * spend.sum(axis=(1, 2)) / carried.sum(axis=(1, 2)))[:, None, None]
    outcome = 1e5 * (0.8 + 0.03 * rng.standard_normal((g, t))) + caused.sum(axis=0)
    empty = np.full((1, g, t), np.nan)
    shown = {"impressions": np.stack([empty[0], impressions]), "reach": np.stack([empty[0], reach])}
    return replace(panel_of(outcome, spend, rng.normal(0, 0.8, (g, t))), exposure=shown)


PANEL = reach_panel()


def test_reach_counts_in_full_and_frequency_saturates() -> None:
    design, data, form = prepare(PANEL, PRIORS)
    x = jnp.zeros(n_coordinates(2))
    response = np.asarray(response_per_unit(x, data, form)[0])[1]
    # Twice the people, as often, are twice the response once all is scaled alike; twice as often is less.
    one = np.ones((1, *design.frequency.shape[1:]))
    half = np.where(np.arange(one.shape[-1]) > 60, 2.0, 1.0)
    steady = data._replace(exposure=jnp.ones_like(data.exposure), frequency=jnp.asarray(one))
    more_people = steady._replace(exposure=steady.exposure * half)
    more_often = steady._replace(frequency=jnp.asarray(one * half))
    rises = []
    for made in (more_people, more_often):
        row = np.asarray(response_per_unit(x, made, form)[0])[1, 0]
        rises.append(row[-1] / row[0])
    assert rises[0] == pytest.approx(2.0, rel=1e-6)
    k, s = PRIORS.of(PANEL.channels[1]).half_saturation.median, 1.0  # the prior's medians
    assert rises[1] == pytest.approx((2**s / (2**s + k**s)) / (1 / (1 + k**s)), rel=1e-6)
    assert response.sum() > 0


@pytest.mark.slow
def test_known_effect_is_found_and_its_curve_is_straight() -> None:
    found = fit_media_mix(PANEL, PRIORS, seed=1)
    low, high = np.quantile(found.roi[:, 1], [0.025, 0.975])
    assert low < ROI < high
    assert high - low < 2.0
    curve = response_curves(found, "m").outcome[0, 1]
    budget = response_curves(found, "m").budget[0, 1]
    assert curve[-1] / budget[-1] == pytest.approx(curve[1] / budget[1], rel=1e-6)


def test_frequency_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match="impressions are not known"):
        prepare(replace(PANEL, exposure={"reach": PANEL.exposure["reach"]}), PRIORS)
    with pytest.raises(BadInput, match="by its reach"):
        prepare(replace(PANEL, exposure={}), PRIORS)
