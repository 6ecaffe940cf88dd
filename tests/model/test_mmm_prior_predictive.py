"""What priors imply before a fit: believable ones pass, absurd ones are called so."""

from __future__ import annotations

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from weathervane.contracts.examination import PriorPredictive
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.prior_predictive import prior_draws, prior_predictive
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

PANEL = known_panel(varied_spend(3, 4, 60), np.ones((3, 60))).panel


def implied(priors: Priors) -> PriorPredictive:
    design, data, form = prepare(PANEL, priors)
    return prior_predictive(design, data, PANEL.channels, prior_draws(data, form, seed=1))


def test_built_in_priors_are_believable_and_are_what_they_say() -> None:
    said = implied(Priors())
    assert not said.absurd
    assert said.above_outcome == 0
    for each in said.roi:
        # ROI is Normal(1, 1.5): its 90 % interval is −1.47 to 3.47, and geos' own effects widen it little.
        assert each.roi.p50 == pytest.approx(1.0, abs=0.3)
        assert each.roi.p05 == pytest.approx(-1.47, abs=0.4)
        assert each.roi.p95 == pytest.approx(3.47, abs=0.4)


def test_returns_that_would_make_ads_more_than_everything_are_absurd() -> None:
    said = implied(Priors(default=ChannelPriors(roi=Normal(5.0, 3.0))))
    assert said.absurd
    assert said.above_outcome > 0.1
    assert said.negative_baseline >= said.above_outcome
    assert "absurd" in said.sentence


def test_ads_that_would_destroy_a_quarter_of_sales_are_absurd() -> None:
    said = implied(Priors(default=ChannelPriors(roi=Normal(-2.0, 1.0))))
    assert said.absurd
    assert said.above_outcome == 0


def test_a_belief_on_total_media_is_met() -> None:
    said = implied(Priors(total_media_share=Normal(0.3, 0.02)))
    assert said.total_share.p50 == pytest.approx(0.3, abs=0.02)
    assert said.total_share.p95 - said.total_share.p05 < 0.1


def test_a_share_prior_implies_its_own_share() -> None:
    priors = Priors(default=ChannelPriors(contribution_share=Normal(0.1, 0.001)))
    assert implied(priors).total_share.p50 == pytest.approx(0.3, abs=0.01)
