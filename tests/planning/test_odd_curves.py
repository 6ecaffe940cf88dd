"""Curves and limits that others bring: any plan made of them holds every limit, or its refusal says which clash."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.planning.builders import GEOS, curves_of, request_of, same

from weathervane.contracts.errors import ModelFailed, PlanImpossible
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, ChannelMinimum, GroupBudget, PlanLimits, Scope
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.allocate import best
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import question

SLOPES = {**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4}
CELLS = [(geo, channel) for geo in GEOS for channel in ("search", "social")]


def dollars(low: int, high: int) -> st.SearchStrategy[Money]:
    return st.integers(low, high).map(lambda x: Money(100 * x, "USD"))


limits = st.builds(
    PlanLimits,
    max_change_rel=st.sampled_from([0.0, 0.05, 0.15, 0.5, 1.0]),
    total=st.none() | dollars(50_000, 70_000),
    min_cell=st.none() | dollars(0, 9_900),
    max_cell=st.none() | dollars(9_000, 14_000),
    platform_minimums=st.just(()) | dollars(0, 9_000).map(lambda x: (ChannelMinimum("social", x),)),
    groups=st.just(())
    | st.tuples(st.sampled_from([Scope("miami"), Scope(None, "social"), Scope("dallas", "search")]), st.booleans()).map(
        lambda x: (GroupBudget(x[0], minimum=Money(100, "USD")) if x[1] else GroupBudget(x[0], maximum=TWO),)
    ),
    untouched=st.just(()) | st.sampled_from(GEOS).map(lambda geo: (Scope(geo),)),
    may_pause=st.booleans(),
    fair_budget_share=st.sampled_from([0.0, 0.1, 0.3]),
)
TWO = Money(2_050_000, "USD")


def planned_or_refused(asked: PlanLimits) -> BudgetPlan | str:
    try:
        return make_budget_plan(request_of(curves_of(SLOPES, draws=40), limits=asked))
    except PlanImpossible as error:
        return error.problem


@settings(max_examples=20, deadline=None)
@given(limits)
@example(PlanLimits(max_change_rel=0.0, max_cell=Money(900_000, "USD")))
def test_whatever_the_limits_a_plan_holds_them_all_or_is_refused_by_name(asked: PlanLimits) -> None:
    plan = planned_or_refused(asked)
    if isinstance(plan, str):
        if "is out of reach" in plan:
            said = [int(each.replace(",", "")) for each in re.findall(r"\$([\d,]*\d)", plan)]
            total, low, high = said[0], *said[-2:]
            assert not low <= total <= high, plan
        else:
            assert "limit" in plan
        return
    total = plan.total_current if asked.total is None else asked.total
    assert sum(line.recommended.minor for line in plan.lines) == total.minor == plan.total_recommended.minor
    for line in plan.lines:
        now, then = line.current.minor, line.recommended.minor
        if any(scope.holds(line.geo, line.channel) for scope in asked.untouched):
            assert then == now
        if asked.may_pause and then == 0:
            continue
        assert abs(then - now) <= asked.max_change_rel * now + 1e-6
        assert asked.min_cell is None or then >= asked.min_cell.minor
        assert asked.max_cell is None or then <= asked.max_cell.minor
        assert all(then >= each.minimum.minor for each in asked.platform_minimums if each.channel == line.channel)
    for group in asked.groups:
        inside = sum(x.recommended.minor for x in plan.lines if group.scope.holds(x.geo, x.channel))
        assert group.minimum is None or inside >= group.minimum.minor
        assert group.maximum is None or inside <= group.maximum.minor
    for geo in GEOS:
        here = sum(line.recommended.minor for line in plan.lines if line.geo == geo)
        assert here + 3 >= asked.fair_budget_share * total.minor


def shaped(kind: str, draws: int = 60) -> ResponseCurves:
    """The small tenant's curves in another shape."""
    curves = curves_of(SLOPES, draws=draws)
    grid = curves.budget[..., None]
    shapes = {
        "a threshold": 20_000.0 * (grid > 10_500.0) * np.ones(draws),
        "a steep S": 30_000.0 / (1 + np.exp(-(grid - 11_000.0) / 150.0)) * np.ones(draws),
        "no response": np.zeros((*grid.shape[:3], draws)),
        "harm": -0.3 * grid * np.ones(draws),
        "draws of either sign": grid * np.random.default_rng(0).normal(0.0, 1.0, (3, 2, 1, draws)),
    }
    return replace(curves, outcome=shapes[kind] + np.zeros((*grid.shape[:3], draws)))


@pytest.mark.parametrize("kind", ["a threshold", "a steep S", "no response", "harm", "draws of either sign"])
def test_any_shape_of_curve_gives_a_plan_that_adds_up_and_is_proven(kind: str) -> None:
    request = request_of(shaped(kind), limits=PlanLimits(0.3))
    plan = make_budget_plan(request)
    assert plan.total_recommended == plan.total_current
    assert plan.certificate.gap_rel <= 1e-3 or plan.verdict == "keep"
    assert best(question(request)).certificate.gap_rel <= 1e-3
    if kind in ("no response", "harm"):
        assert plan.verdict == "keep", "lines that bring the same give no reason to move"


def test_one_line_has_nowhere_to_send_its_money() -> None:
    curves = curves_of({("miami", "search"): 1.0}, draws=60)
    plan = make_budget_plan(request_of(curves))
    assert (plan.verdict, len(plan.lines)) == ("keep", 1)


def test_one_draw_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelFailed, match="1 posterior draws"):
        make_budget_plan(request_of(curves_of(SLOPES, draws=1)))


def test_nothing_spent_anywhere_stays_nothing() -> None:
    nothing = dict.fromkeys(CELLS, Money(0, "USD"))
    plan = make_budget_plan(request_of(curves_of(SLOPES, draws=60), current=nothing))
    assert plan.verdict == "keep"
    assert plan.total_recommended.minor == 0


def test_limits_that_pin_everything_leave_the_present_split() -> None:
    plan = make_budget_plan(request_of(curves_of(SLOPES, draws=60), limits=PlanLimits(0.0)))
    assert plan.verdict == "keep"
    assert all(line.change.minor == 0 for line in plan.lines)


def budgets(plan: BudgetPlan) -> dict[tuple[str, str], int]:
    return {(line.geo, line.channel): line.recommended.minor for line in plan.lines}


def test_five_hundred_lines_in_any_order_are_one_plan() -> None:
    geos, channels = [f"g{i:03d}" for i in range(100)], [f"c{i}" for i in range(5)]
    rng = np.random.default_rng(5)
    slopes = {(geo, channel): float(rng.uniform(0.5, 2.0)) for geo in geos for channel in channels}
    shuffled = (list(rng.permutation(geos)), list(rng.permutation(channels)))
    plans = [
        make_budget_plan(request_of(curves_of(slopes, draws=40, order=order), weather={}))
        for order in ((geos, channels), shuffled)
    ]
    assert plans[0].verdict == "change"
    assert budgets(plans[0]) == budgets(plans[1])
