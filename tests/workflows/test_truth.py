"""From generated data to a decision, on worlds whose truth is known; the full count is benchmarks/truth.py."""

from __future__ import annotations

import pytest
from benchmarks.truth import Seen, look, right_signs, true_gain


@pytest.mark.slow
@pytest.mark.parametrize("seed", [41, 42])
def test_where_ads_do_nothing_the_plan_keeps_the_budget_and_says_why(seed: int) -> None:
    seen = look("null", seed, n_days=480, n_geos=8)
    assert seen.plan.verdict == "keep"
    assert seen.plan.total_recommended == seen.plan.total_current
    assert "dates shifted in time" in seen.plan.reason or "chance alone" in seen.plan.sentence
    assert "no_media_signal" in seen.plan.ribbons or seen.fit.media_signal.told_from_zero
    assert seen.plan.would_change_our_mind


@pytest.fixture(scope="module")
def sensitive() -> Seen:
    return look("sensitive", 43, n_days=730, n_geos=12)


@pytest.mark.slow
def test_where_weather_matters_its_effects_have_the_right_sign(sensitive: Seen) -> None:
    assert right_signs(sensitive)


@pytest.mark.slow
def test_where_ads_work_their_returns_lie_in_their_intervals(sensitive: Seen) -> None:
    truth = {channel.channel: channel.roi for channel in sensitive.world.truth.channels}
    held = sum(each.roi_p05 <= truth[each.channel] <= each.roi_p95 for each in sensitive.fit.channels)
    assert held >= 3  # of 4; at 90 % each, fewer happens in one world of twenty
    assert sensitive.fit.media_signal.told_from_zero


@pytest.mark.slow
def test_a_recommended_change_would_pay(sensitive: Seen) -> None:
    if sensitive.plan.verdict == "change":
        assert true_gain(sensitive) > 0
    else:
        assert sensitive.plan.reason
