"""A plan moves channels that are known only together in step or not at all, and leaves what is not measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.planning.builders import curves_of, fit_of, request_of, same

from weathervane.contracts.examination import TestValue
from weathervane.contracts.fit import FitReport, JointEvidence
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, PlanLimits
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.plan import make_budget_plan

SAID = "Spend on search and social rose and fell together."
TEST = "To tell search and social apart, stop search everywhere for 6 weeks."


def moved(plan: BudgetPlan) -> dict[str, float]:
    """Change of each channel's budget over all places, as a part of it."""
    now: dict[str, int] = {}
    change: dict[str, int] = {}
    for line in plan.lines:
        now[line.channel] = now.get(line.channel, 0) + line.current.minor
        change[line.channel] = change.get(line.channel, 0) + line.change.minor
    return {channel: change[channel] / now[channel] for channel in now}


def together(curves: ResponseCurves, *channels: str) -> FitReport:
    joint = JointEvidence(channels, Quantiles(1.0, 1.2, 1.4), 0.9, 1.5, SAID, TEST)
    return replace(fit_of(curves), joint=(joint,), caveats=(SAID,))


def test_money_moves_between_channels_that_can_be_told_apart_and_not_between_those_that_cannot() -> None:
    curves = curves_of(same({"search": 2.5, "social": 0.4}))
    request = request_of(curves)
    assert moved(make_budget_plan(request))["search"] > 0.1
    plan = make_budget_plan(replace(request, fit=together(curves, "search", "social")))
    assert plan.verdict == "keep"
    assert moved(plan) == {"search": 0.0, "social": 0.0}
    assert SAID in plan.caveats
    assert plan.would_change_our_mind[0] == TEST


@pytest.mark.parametrize("third", [0.4, 4.0])
def test_against_another_channel_they_move_in_step_everywhere(third: float) -> None:
    curves = curves_of(same({"search": 1.5, "social": 1.5, "tv": third}))
    plan = make_budget_plan(replace(request_of(curves), fit=together(curves, "search", "social")))
    assert plan.verdict == "change"
    lines = {(line.geo, line.channel): line.change.minor for line in plan.lines}
    for geo in {line.geo for line in plan.lines}:
        assert lines[geo, "search"] == pytest.approx(lines[geo, "social"], abs=3)
    assert moved(plan)["search"] * (1.0 - third) > 0.01


def test_another_total_is_split_between_them_as_now() -> None:
    curves = curves_of(same({"search": 2.5, "social": 0.4}))
    now = sum(line.current.minor for line in make_budget_plan(request_of(curves)).lines)
    limits = PlanLimits(total=Money(round(1.1 * now), "USD"))
    plan = make_budget_plan(replace(request_of(curves), fit=together(curves, "search", "social"), limits=limits))
    assert moved(plan) == pytest.approx({"search": 0.1, "social": 0.1}, abs=1e-5)


def test_a_channel_that_is_not_measured_stays_as_it_is_and_its_lines_say_why() -> None:
    curves = curves_of(same({"search": 2.5, "social": 0.4, "tv": 1.2}))
    request = request_of(curves)
    assert moved(make_budget_plan(request))["social"] < -0.1
    blind = tuple(
        replace(each, standing="not_measured", told_from_zero=False) if each.channel == "social" else each
        for each in request.fit.channels
    )
    plan = make_budget_plan(replace(request, fit=replace(request.fit, channels=blind)))
    assert moved(plan)["social"] == 0.0
    assert all("do not measure" in line.reason for line in plan.lines if line.channel == "social")
    nothing = tuple(replace(each, standing="not_measured") for each in request.fit.channels)
    kept = make_budget_plan(replace(request, fit=replace(request.fit, channels=nothing)))
    assert set(moved(kept).values()) == {0.0}
    assert kept.sentence.endswith("the data measure no channel.")
    assert "limits" not in kept.reason
    assert kept.average_return is None, "a prior is no measurement"
    assert kept.total_sentence.endswith("what ads bring is not measured.")
    limits = PlanLimits(total=Money(round(1.1 * sum(line.current.minor for line in kept.lines)), "USD"))
    more = make_budget_plan(replace(request, fit=replace(request.fit, channels=nothing), limits=limits))
    assert moved(more) == pytest.approx(dict.fromkeys(("search", "social", "tv"), 0.1), abs=1e-5)


def test_the_plan_says_of_the_next_test_what_the_fit_found_of_it() -> None:
    curves = curves_of(same({"search": 1.5, "social": 0.9}))
    value = TestValue("social", 1.0, 0.0, 6, 0.3, "A test of social would hardly change the split.")
    plan = make_budget_plan(replace(request_of(curves), fit=replace(fit_of(curves), next_tests=(value,))))
    assert plan.would_change_our_mind[0] == value.sentence
