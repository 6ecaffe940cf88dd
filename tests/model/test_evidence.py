"""What a fit says of each channel: an average that is called one, in digits that tell small returns apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.small_estimates import small_estimates
from weathervane.contracts.forecast import BacktestScore
from weathervane.contracts.plan import MediaSignal
from weathervane.contracts.tenant import Tenant
from weathervane.model.evidence import evidence, joint_evidence, posterior_and_prior, unseen_sentence
from weathervane.model.mmm.contraction import Learnt
from weathervane.model.mmm.engine import Estimates

SIGNAL = MediaSignal(True, 0.01, 99, "Ads leave a mark on sales.")
SHOP = Tenant("shop", "Shop", "USD", demo=False)
CLUB = Tenant("club", "Club", "USD", demo=False, outcome="sign_ups", outcome_is_money=False)


def estimates(tv: float, search: float, *, learnt: tuple[Learnt, ...] = ()) -> Estimates:
    spread = np.linspace(0.9, 1.1, 101)
    roi = np.stack([tv * spread, search * spread], axis=1)
    return replace(small_estimates(), roi=roi, contribution_share=roi / 10, learnt=learnt)


def test_returns_below_a_hundredth_are_told_apart() -> None:
    tv, search = evidence(estimates(0.006, 0.002), CLUB, SIGNAL)
    assert "TV brought 0.0060 sign ups for each $1 spent" in tv.sentence
    assert "Search brought 0.0020 sign ups for each $1 spent" in search.sentence
    assert "(from 0.0055 to 0.0065, 9 in 10)" in tv.sentence


def test_an_average_is_called_one() -> None:
    tv, _ = evidence(estimates(1.39, 1.0), SHOP, SIGNAL)
    assert tv.sentence == (
        "TV brought $1.39 for each $1 spent, on average over the whole history (from $1.26 to $1.52, 9 in 10)."
    )


def test_a_channel_whose_posterior_is_its_prior_is_not_measured_and_not_told_from_zero() -> None:
    prior, known = Learnt(1.0, 1.5, 1.0, 1.45), Learnt(1.0, 1.5, 1.0, 0.2)
    tv, search = evidence(estimates(1.0, 1.0, learnt=(prior, known)), SHOP, SIGNAL)
    assert (tv.standing, search.standing) == ("not_measured", "measured")
    assert not tv.told_from_zero
    assert tv.sentence.startswith("TV is not measured")


def test_channels_known_only_together_say_so_and_name_each_other() -> None:
    found = replace(estimates(1.5, 1.5), collinear=((0, 1),))
    (joint,) = joint_evidence(found, SHOP)
    assert "TV and search rose and fell together" in joint.sentence
    assert "$1.50 for each $1 spent" in joint.sentence
    assert joint.test.startswith("To tell TV and search apart, ")
    assert [each.sentence for each in evidence(found, SHOP, SIGNAL)] == [
        "TV is known only together with search.",
        "Search is known only together with TV.",
    ]


def test_a_return_that_its_prior_holds_is_said_with_what_the_data_alone_point_to() -> None:
    held = Learnt(1.0, 1.5, 7.5, 0.93)
    (said,) = posterior_and_prior(estimates(7.5, 1.0, learnt=(held, Learnt(1.0, 1.5, 1.0, 0.2))), SHOP)
    assert said.startswith("TV: the range believed before the data (from −$1.47 to $3.47")
    assert "the data alone point to about $11.5" in said


def test_the_error_on_unseen_weeks_stands_beside_the_baselines_and_says_which_is_less() -> None:
    scores = tuple(
        BacktestScore(name, wape, 13)
        for name, wape in (("hierarchical", 0.386), ("seasonal naive", 0.362), ("recent mean", 0.5))
    )
    worse = unseen_sentence(scores, "")
    assert "off by 39 % of sales, more than a simple forecast was: 36 % by repeating the same weeks" in worse
    better = unseen_sentence((replace(scores[0], wape=0.2), *scores[1:]), "")
    assert "less than simple forecasts were" in better
    assert unseen_sentence((), "It is not tested.") == "It is not tested."
