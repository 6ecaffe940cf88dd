"""Lines and what stands beside them: ranks, confidence, periods, after-effects, and what the weather is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planning.builders import GEOS, QUALITY, curves_of, over, request_of, same
from weathervane.contracts.plan import PlanAim, PlanLimits
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.allocate import best
from weathervane.planning.lines import ranks
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import question

STRONG = same({"search": 0.6, "social": 1.8})
WARM_SOCIAL = {(geo, "social"): 0.4 for geo in GEOS}
HOT_DALLAS = {geo: 2.0 if geo == "dallas" else -2.0 for geo in GEOS}


def lasting(curves: ResponseCurves, weeks: int = 3) -> ResponseCurves:
    """The same curves with an equal share of every effect in each of some weeks."""
    n_channels, n_draws = len(curves.channels), curves.outcome.shape[-1]
    by_lag = np.zeros((n_channels, 7 * weeks, n_draws))
    by_lag[:, ::7] = 1 / weeks
    return replace(curves, carry_over=by_lag)


def test_what_cannot_be_told_apart_shares_a_rank() -> None:
    rng = np.random.default_rng(2)
    centre = np.array([1.0, 3.0, 1.05, 2.0])
    assert ranks(centre[:, None] + rng.normal(0.0, 0.2, (4, 400))).tolist() == [3, 1, 3, 2]
    assert set(ranks(rng.normal(0.0, 1.0, (6, 400)))) == {1}
    plan = make_budget_plan(request_of(curves_of(STRONG)))
    assert {(line.channel, line.rank) for line in plan.lines} == {("social", 1), ("search", 2)}


def test_confidence_falls_with_width_with_missed_coverage_and_with_little_data() -> None:
    request = request_of(curves_of(STRONG))
    sure = make_budget_plan(request).lines[1]
    wide = make_budget_plan(request_of(curves_of(STRONG, error=1.0))).lines[1]
    missed = make_budget_plan(replace(request, quality=replace(QUALITY, coverage_80=0.55))).lines[1]
    short = replace(request.fit, grain=replace(request.fit.grain, n_days=90))
    new = make_budget_plan(replace(request, fit=short)).lines[1]
    assert sure.confidence == "high"
    assert all(each.confidence_score < sure.confidence_score for each in (wide, missed, new))
    assert new.confidence == "low"


def test_a_line_says_its_cause_its_return_and_what_it_takes_for_granted() -> None:
    plan = make_budget_plan(request_of(curves_of(STRONG)))
    up = plan.lines[1]
    assert up.primary_driver.endswith("brings clearly more here than on average")
    assert up.roas is not None
    assert up.roas.p50 == pytest.approx(up.outcome.p50 / up.recommended.major)
    assert up.supporting_factors
    assert len(up.assumptions) == 3
    unclear = make_budget_plan(request_of(curves_of(same({"search": 1.0, "social": 1.0})))).lines[0]
    assert any("no better than the average" in risk for risk in unclear.risks)


def test_single_weeks_add_up_to_the_line() -> None:
    plan = make_budget_plan(request_of(curves_of(STRONG), weeks=4, step_days=7))
    for line in plan.lines:
        assert [each.period.n_days for each in line.periods] == [7, 7, 7, 7]
        assert sum(each.recommended.minor for each in line.periods) == line.recommended.minor
        assert sum(each.current.minor for each in line.periods) == line.current.minor
    daily = make_budget_plan(request_of(curves_of(STRONG), step_days=1))
    assert len(daily.lines[0].periods) == 7
    assert daily.total_current == make_budget_plan(request_of(curves_of(STRONG))).total_current


def test_after_effects_are_shown_and_counted_as_the_budgets_own() -> None:
    at_once = make_budget_plan(request_of(curves_of(STRONG)))
    later = make_budget_plan(request_of(lasting(curves_of(STRONG))))
    assert at_once.carry_in is None
    assert later.carry_in is not None
    assert later.carry_out is not None
    assert later.lines[1].carry_out is not None
    # A third comes in the week itself, two thirds after it.
    outcome = sum(line.outcome.p50 for line in later.lines)
    assert later.carry_out.p50 / outcome == pytest.approx(2 / 3, rel=0.02)
    # As much money acts in the week from before, and on the steep start of the curve.
    assert later.carry_out.p50 < later.carry_in.p50 < 1.5 * later.carry_out.p50
    assert later.verdict == "change"
    assert any("last four weeks" in text for text in later.lines[0].assumptions)


def test_weather_is_worth_what_the_best_for_it_brings_over_the_best_without() -> None:
    alike = same({"search": 1.0, "social": 1.0})
    plan = make_budget_plan(request_of(curves_of(alike, per_z=WARM_SOCIAL), weather=HOT_DALLAS))
    worth = plan.weather_worth
    assert worth is not None
    assert worth.gain.p10 > 0
    assert worth.moved.minor > 0
    # Social's return differs by 0.8 on either side of normal, on 1,500 a cell.
    assert 500 < worth.gain.p50 < 4 * 1_500 * 0.8
    assert make_budget_plan(request_of(curves_of(alike), weather=HOT_DALLAS)).weather_worth is None
    assert make_budget_plan(request_of(curves_of(alike, per_z=WARM_SOCIAL), weather={})).weather_worth is None


def test_courses_of_the_weather_widen_the_range_and_leave_the_mean() -> None:
    curves = curves_of(STRONG, per_z=WARM_SOCIAL)
    members = {geo: np.array([[-1.5, 1.5]]) for geo in GEOS}
    mean = make_budget_plan(request_of(curves, weather=dict.fromkeys(GEOS, 0.0)))
    spread = make_budget_plan(over(request_of(curves), members))
    widths = [plan.lines[1].outcome.p90 - plan.lines[1].outcome.p10 for plan in (mean, spread)]
    assert widths[1] > 1.5 * widths[0]
    assert {line.recommended for line in spread.lines} == {line.recommended for line in mean.lines}


@pytest.mark.parametrize("aim", [PlanAim(), PlanAim(risk="cvar"), PlanAim("profit", margin=0.9)])
def test_flat_in_weather_no_forecast_moves_a_cent(aim: PlanAim) -> None:
    curves = curves_of(same({"search": 1.0, "social": 1.3}), error=0.3)
    budgets = [
        best(question(request_of(curves, weather=weather, aim=aim, limits=PlanLimits(0.3)))).budgets
        for weather in (HOT_DALLAS, {})
    ]
    assert (budgets[0] == budgets[1]).all()
