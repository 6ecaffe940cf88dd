"""A channel that costs nothing: a share of the outcome, no return, no curve, and refusals that say why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.contracts.errors import NotEnoughData
from weathervane.model.features.build import Panel
from weathervane.model.mmm.engine import Estimates, MediaMixSpec, fit
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors
from weathervane.model.mmm.weather_reaction import weather_reactions

PAID = weekly_panel(2, 70, (1.5, 2.0), seed=3)


def organic_panel() -> Panel:
    """The second channel's spend was shown, and nobody paid for it."""
    shown = np.stack([np.full_like(PAID.spend[0], np.nan), PAID.spend[1]])
    return replace(PAID, spend=np.stack([PAID.spend[0], 0 * PAID.spend[1]]), exposure={"impressions": shown})


@pytest.fixture(scope="module")
def found() -> Estimates:
    return fit(organic_panel(), MediaMixSpec(), seed=1)


@pytest.mark.slow
def test_its_share_is_found_and_it_has_neither_return_nor_curve(found: Estimates) -> None:
    truth = 2.0 * PAID.spend[1].sum() / PAID.outcome.sum()
    low, high = np.quantile(found.contribution_share[:, 1], [0.025, 0.975])
    assert low < truth < high
    assert high - low < 0.2
    assert np.isnan(found.roi[:, 1]).all()
    assert np.isfinite(found.roi[:, 0]).all()
    assert found.curves.channels == ("channel-0",)
    assert found.weekly_spend[1] == 0


def test_a_belief_on_its_share_is_kept_and_only_what_was_shown_makes_it_organic() -> None:
    _, data, form = prepare(organic_panel(), Priors())
    assert form.effect == ("roi", "contribution_share")
    own = ChannelPriors(contribution_share=Normal(0.1, 0.02))
    _, data, _ = prepare(organic_panel(), Priors(channels={"channel-1": own}))
    p = data.fixed.shape[-1] - 1
    assert float(data.prior_mean[p + 1]) == pytest.approx(0.1)
    _, _, unseen = prepare(replace(organic_panel(), exposure={}), Priors())
    assert unseen.effect == ("roi", "roi")


def test_nothing_paid_at_all_is_refused_and_so_is_the_engine_that_needs_spend() -> None:
    with pytest.raises(NotEnoughData, match="no ad spend"):
        prepare(replace(organic_panel(), spend=0 * PAID.spend), Priors())
    with pytest.raises(NotEnoughData, match="Nothing was ever spent"):
        fit(organic_panel(), MediaMixSpec(engine="lightweight"), seed=1)


def test_free_media_cannot_be_said_to_follow_the_weather() -> None:
    assert not weather_reactions(organic_panel())[1].reacts
