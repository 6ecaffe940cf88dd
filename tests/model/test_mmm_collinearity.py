"""Channels that moved together are found, fitted as one and read as many; those that did not are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from model.small_estimates import small_estimates
from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm.collinearity import collinear
from weathervane.model.mmm.contraction import Learnt
from weathervane.model.mmm.joint import added_up, apart, joined
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

WEEKS = 80


def panel_with(spend: np.ndarray) -> Panel:
    return known_panel(spend, np.ones((len(spend), spend.shape[2]))).panel


def like(spend: np.ndarray, sd: float) -> np.ndarray:
    """Another channel's spend, off from this one's by so much each week."""
    return spend * np.exp(np.random.default_rng(3).normal(0.0, sd, spend.shape))


@pytest.mark.parametrize("n_geos", [1, 5])
def test_channels_that_move_together_are_found_whatever_their_size_and_number(n_geos: int) -> None:
    spend = varied_spend(4, n_geos, WEEKS, seed=1)
    assert collinear(*prepare(panel_with(spend), Priors())) == ()
    pair = spend.copy()
    pair[2] = 0.2 * like(pair[0], 0.05)
    assert collinear(*prepare(panel_with(pair), Priors())) == ((0, 2),)
    two = pair.copy()
    two[3] = 3.0 * like(two[1], 0.05)
    assert collinear(*prepare(panel_with(two), Priors())) == ((0, 2), (1, 3))
    total = spend.copy()
    total[3] = total[0] + total[1]  # no two of them correlate at 0.9
    assert collinear(*prepare(panel_with(total), Priors())) == ((0, 1, 3),)


def test_a_season_that_channels_share_does_not_make_them_one() -> None:
    season = 1 + 0.8 * np.cos(2 * np.pi * np.arange(156) / 52.18)
    spend = 6000 * (season + 0.15 * np.random.default_rng(1).standard_normal((2, 1, 156)).clip(-1.3, 1.3))
    assert np.corrcoef(spend[:, 0])[0, 1] > 0.9
    assert collinear(*prepare(panel_with(spend), Priors())) == ()


def test_channels_are_one_panel_channel_with_their_spend_and_the_priors_of_the_largest() -> None:
    spend = varied_spend(3, 2, WEEKS, seed=1)
    spend[2] = 0.4 * like(spend[0], 0.02)
    panel = panel_with(spend)
    believed = Priors(channels={"channel-0": ChannelPriors(roi=Normal(2.0, 0.5))})
    one = joined(panel, believed)
    assert one.groups == (("channel-0", "channel-2"),)
    assert one.panel.channels == ("channel-0 + channel-2", "channel-1")
    np.testing.assert_allclose(one.panel.spend[0], spend[0] + spend[2])
    assert one.priors.of("channel-0 + channel-2").roi == Normal(2.0, 0.5)
    assert joined(panel_with(varied_spend(3, 2, WEEKS, seed=1)), believed).groups == ()


def test_moved_in_step_the_members_curves_add_up_to_the_curve_that_was_fitted() -> None:
    spend = varied_spend(3, 2, WEEKS, seed=1)
    spend[2] = 0.4 * spend[0]
    panel, groups = panel_with(spend), (("channel-0", "channel-2"),)
    fitted = added_up(panel, groups)
    recent = fitted.spend[:, :, -4:].mean(axis=2).T
    budget = recent[..., None] * np.linspace(0.0, 2.0, 21)
    outcome = np.sqrt(budget)[..., None] * np.array([1.0, 2.0, 3.0])
    curves = ResponseCurves("", panel.geos, fitted.channels, budget, outcome, 0 * outcome, recent, 2 * recent)
    found = replace(
        small_estimates(),
        channels=fitted.channels,
        geos=panel.geos,
        weekly_spend=fitted.spend.mean(axis=2).sum(axis=1),
        curves=curves,
        learnt=(Learnt(1.0, 1.5, 1.0, 0.2), Learnt(1.0, 1.5, 1.0, 1.4)),
    )
    read = apart(found, panel, groups)
    assert read.channels == panel.channels
    assert read.collinear == ((0, 2),)
    np.testing.assert_allclose(read.roi[:, 0], read.roi[:, 2])
    np.testing.assert_allclose(read.contribution_share.sum(axis=1), found.contribution_share.sum(axis=1))
    for g, geo in enumerate(panel.geos):
        own = read.curves.spend_recent[g]
        np.testing.assert_allclose(own[0] + own[2], recent[g, 0])
        for factor in (0.85, 1.0, 1.15):
            parts = [read.curves.at(geo, f"channel-{c}", np.array([factor * own[c]])) for c in (0, 2)]
            whole = curves.at(geo, "channel-0 + channel-2", np.array([factor * recent[g, 0]]))
            np.testing.assert_allclose(sum(parts), whole)
        np.testing.assert_allclose(
            read.curves.at(geo, "channel-1", own[1:2]), curves.at(geo, "channel-1", recent[g, 1:2])
        )


def test_a_posterior_that_is_its_prior_measures_nothing_and_one_held_by_it_is_said() -> None:
    assert not Learnt(1.0, 1.5, 1.1, 1.4).measured
    assert not Learnt(1.0, 1.5, 0.6, 1.25).measured
    assert Learnt(1.0, 1.5, 1.0, 0.4).measured  # as believed, and known far better
    assert Learnt(1.0, 1.5, 2.6, 1.4).measured  # as wide, and elsewhere
    # The middle of prior and data by their precisions: (1/2.25 + 11.6 k) / (1/2.25 + k) = 7.5.
    k = (7.5 - 1.0) / 2.25 / (11.6 - 7.5)
    held = Learnt(1.0, 1.5, 7.5, (1 / 2.25 + k) ** -0.5)
    assert held.data_alone == pytest.approx(11.6)
    assert held.held
    assert held.beyond
    assert not Learnt(1.0, 1.5, 1.4, 0.3).held
