"""Recommended scenarios are found by the allocator, better than the plan on draws that did not choose, or not given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.planning.builders import curves_of, request_of, same

from weathervane.contracts.plan import PlanLimits
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.recommend import recommend
from weathervane.planning.scenario import Baseline, baseline

SLOPES = {**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4}


def base_of(*, signal: bool = True, slopes: dict[tuple[str, str], float] = SLOPES) -> Baseline:
    """The current budgets as a plan that somebody made, though some places and channels bring more."""
    request = request_of(curves_of(slopes), media_signal=False, limits=PlanLimits(max_change_rel=0.3))
    plan = replace(make_budget_plan(request), verdict="change")
    return baseline(replace(request, fit=request_of(curves_of(slopes), media_signal=signal).fit), plan, "a" * 64)


def test_three_are_found_each_for_its_own_reason() -> None:
    base = base_of()
    found = recommend(base, margin=0.5)
    assert [one.name for one in found.scenarios] == ["Safest", "Most profit", "Same for less"]
    safest, profit, less = (one.result for one in found.scenarios)
    assert safest.spend_diff.minor == 0
    assert safest.outcome_diff.p10 > 0
    assert 0.5 * profit.outcome_diff.p50 > profit.spend_diff.major
    assert less.spend_diff.minor < 0
    assert less.outcome_diff.p50 == pytest.approx(0.0, abs=0.02 * less.outcome.p50)
    for one in (safest, profit, less):
        assert one.breaches == ()
        assert one.certificate is not None
        assert one.certificate.gap_rel < 0.01


def test_without_a_margin_nothing_is_said_of_profit() -> None:
    found = recommend(base_of(), margin=None)
    assert [one.name for one in found.scenarios] == ["Safest", "Same for less"]
    assert "no margin is known" in found.reasons[0]


def test_where_the_plan_keeps_no_other_split_of_its_total_is_recommended() -> None:
    base = base_of()
    found = recommend(replace(base, plan=replace(base.plan, verdict="keep")), margin=0.5)
    assert [one.name for one in found.scenarios] == ["Most profit", "Same for less"]
    assert found.reasons == ("Safest: the plan found no other split of the same total that is shown to pay.",)
    assert all("may be luck" in one.result.notes[0] for one in found.scenarios)


def test_without_a_signal_nothing_is_recommended() -> None:
    found = recommend(base_of(signal=False), margin=0.5)
    assert found.scenarios == ()
    assert "follow noise" in found.reasons[0]


def test_nothing_is_recommended_that_is_no_better() -> None:
    request = request_of(curves_of(SLOPES), limits=PlanLimits(max_change_rel=0.0))
    base = baseline(request, make_budget_plan(request), "a" * 64)
    found = recommend(base, margin=0.5)
    assert found.scenarios == ()
    assert len(found.reasons) == 3
