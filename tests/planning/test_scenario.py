"""A scenario is the plan with one thing changed: laws that hold whatever the plan, and levers that do what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planning.builders import CHANNELS, GEOS, WEATHER, curves_of, request_of, same

from weathervane.contracts.errors import BadInput, PlanImpossible
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import BudgetPlan, PlanAim, PlanLimits
from weathervane.contracts.response import PromotionEffect, WeatherEffect, WeatherResponse
from weathervane.contracts.scenario import Scenario, ScenarioResult
from weathervane.planning.past_weather import Replay
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import PlanRequest
from weathervane.planning.scenario import Baseline, baseline, run_scenario
from weathervane.planning.scenario_demand import planned_depths

SLOPES = {**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4}


def made(request: PlanRequest) -> tuple[Baseline, BudgetPlan]:
    plan = make_budget_plan(request)
    return baseline(request, plan, "a" * 64), plan


@cache
def flat() -> Baseline:
    """A plan on curves that do not depend on weather."""
    return made(request_of(curves_of(SLOPES)))[0]


@cache
def weathered() -> Baseline:
    """A plan on curves that do: search brings more where it is warm."""
    per_z = {cell: 0.3 if cell[1] == "search" else 0.0 for cell in SLOPES}
    return made(request_of(curves_of(SLOPES, per_z=per_z)))[0]


@cache
def four_weeks() -> Baseline:
    """A plan of four weeks in weekly steps."""
    return made(request_of(curves_of(SLOPES), weeks=4, step_days=7))[0]


@cache
def kept() -> Baseline:
    """A plan that keeps the current budgets, for want of a signal."""
    return made(request_of(curves_of(SLOPES), media_signal=False))[0]


BASES = (flat, weathered, four_weeks)
factors = st.floats(0.0, 3.0).map(lambda x: round(x, 3))


@pytest.mark.parametrize("base", BASES)
def test_multipliers_of_one_are_the_plan_exactly(base: object) -> None:
    assert callable(base)
    one = base()
    found = run_scenario(one, Scenario(channel_multipliers=dict.fromkeys(CHANNELS, 1.0), geo_tilt={GEOS[0]: 1.0}))
    assert [cell.budget for cell in found.cells] == [line.recommended for line in one.plan.lines]
    assert found.spend == one.plan.total_recommended
    for diff in (found.outcome_diff, found.roas_diff, *(part.outcome_diff for part in found.by_channel)):
        assert diff is not None
        assert (diff.p10, diff.p50, diff.p90) == (0.0, 0.0, 0.0)
    assert (found.spend_diff.minor, found.chance_more, found.unanswered) == (0, None, ())
    assert found.breaches == ()


@given(st.dictionaries(st.sampled_from(CHANNELS), factors), st.dictionaries(st.sampled_from(GEOS), factors))
def test_budgets_add_up_and_follow_the_factors(by_channel: dict[str, float], tilt: dict[str, float]) -> None:
    scenario = Scenario(channel_multipliers=by_channel, geo_tilt=tilt)
    wanted = {
        (cell.geo, cell.channel): cell.planned.minor * by_channel.get(cell.channel, 1.0)
        for cell in run_scenario(flat(), Scenario()).cells
    }
    total = round(sum(wanted.values()))
    tilted = {cell: amount * tilt.get(cell[0], 1.0) for cell, amount in wanted.items()}
    if total and not sum(tilted.values()):
        with pytest.raises(BadInput, match="leaves no budget"):
            run_scenario(flat(), scenario)
        return
    found = run_scenario(flat(), scenario)
    assert found.spend.minor == total
    assert sum(part.budget.minor for part in found.by_channel) == total
    assert sum(part.budget.minor for part in found.by_geo) == total
    scale = total / sum(tilted.values()) if total else 0.0
    for cell in found.cells:
        assert abs(cell.budget.minor - scale * tilted[cell.geo, cell.channel]) <= 1.01
        assert cell.budget.minor >= 0


@given(st.integers(1, 100_000_00))
def test_a_total_is_met_to_the_cent(total: int) -> None:
    found = run_scenario(four_weeks(), Scenario(total=Money(total, "USD")))
    assert found.spend.minor == total
    assert found.spend_diff.minor == total - four_weeks().plan.total_recommended.minor


@settings(max_examples=25)
@given(
    st.permutations(GEOS), st.permutations(CHANNELS), st.dictionaries(st.sampled_from(CHANNELS), factors, min_size=2)
)
def test_permuted_keys_change_nothing(geos: list[str], channels: list[str], by_channel: dict[str, float]) -> None:
    per_z = {cell: 0.3 if cell[1] == "search" else 0.0 for cell in SLOPES}
    request = request_of(curves_of(SLOPES, per_z=per_z, order=(geos, channels)))
    base = baseline(request, weathered().plan, "a" * 64)
    backwards = dict(reversed(by_channel.items()))
    for weather in ("forecast", "normal"):
        one = run_scenario(weathered(), Scenario(channel_multipliers=by_channel, weather=weather))
        other = run_scenario(base, Scenario(channel_multipliers=backwards, weather=weather))
        assert replace(one, scenario=other.scenario) == other


@settings(max_examples=25, deadline=None)
@given(st.floats(0.87, 1.13), st.floats(0.87, 1.13))
def test_more_money_never_brings_less_than_the_best_of_less(one: float, other: float) -> None:
    now = flat().plan.total_recommended.minor
    low, high = sorted((round(now * one), round(now * other)))
    reached = [best_of(flat(), total).certificate for total in (low, high)]
    assert reached[0] is not None
    assert reached[1] is not None
    assert reached[1].objective >= reached[0].objective * (1 - reached[1].gap_rel) - 1e-9


def best_of(base: Baseline, total: int) -> ScenarioResult:
    return run_scenario(base, Scenario(total=Money(total, "USD"), aim=PlanAim()))


def test_normal_weather_is_the_forecast_where_the_response_is_flat() -> None:
    normal, forecast = (run_scenario(flat(), Scenario(weather=case)) for case in ("normal", "forecast"))
    assert replace(normal, scenario=forecast.scenario, unanswered=(), demand_diff=None) == forecast
    assert any("does not depend on weather" in text for text in normal.unanswered)
    best_normal = run_scenario(flat(), Scenario(weather="normal", aim=PlanAim()))
    best_forecast = run_scenario(flat(), Scenario(aim=PlanAim()))
    assert best_normal.cells == best_forecast.cells


def test_weather_counts_where_the_response_depends_on_it() -> None:
    base = weathered()
    normal = run_scenario(base, Scenario(weather="normal"))
    warm = run_scenario(base, Scenario(weather="warm"), replay_of(dict.fromkeys(GEOS, 3.0)))
    assert normal.unanswered == warm.unanswered == ()
    assert warm.outcome.p50 > normal.outcome.p50
    by_name = {part.name: part for part in warm.by_channel}
    assert by_name["social"].outcome_diff.p50 == 0.0, "only search depends on it"
    assert by_name["search"].outcome_diff.p10 > 0
    assert [cell.budget for cell in warm.cells] == [line.recommended for line in base.plan.lines]


def replay_of(z: dict[str, float], **indices: float) -> Replay:
    """A past week with this anomaly by geo, and every geo with these mean indices."""
    return Replay({geo: np.array([each]) for geo, each in z.items()}, dict.fromkeys(z, indices), date(2025, 11, 20))


def test_what_cannot_be_answered_is_said_and_changes_nothing() -> None:
    plain = run_scenario(weathered(), Scenario())
    for scenario, says in (
        (Scenario(weather="wet"), "not known anywhere"),
        (Scenario(weather="warm"), "not known anywhere"),
        (Scenario(promotion="on"), "fitted before effects of promotions were kept"),
    ):
        found = run_scenario(weathered(), scenario)
        assert says in " ".join(found.unanswered)
        assert replace(found, scenario=plain.scenario, unanswered=(), notes=()) == plain
    one_place = run_scenario(weathered(), Scenario(weather="warm"), replay_of({GEOS[0]: 2.0}, warm=2.0))
    assert f"in {GEOS[1]}" in one_place.unanswered[0]
    assert one_place.demand_diff is None


def with_fit(base: Baseline, **changes: object) -> Baseline:
    request = replace(base.request, fit=replace(base.request.fit, **changes))  # type: ignore[arg-type]
    return replace(base, request=request)


RAIN = WeatherEffect("total", "wet", "a wet day", -0.06, -0.04, -0.02)
PROMOTED = PromotionEffect("total", 0.2, 0.10, 0.20, 0.30)


def test_a_wet_week_is_told_from_the_effect_of_rain_on_demand() -> None:
    rainy = replay_of(dict.fromkeys(GEOS, 0.0), warm=0.0, cold=0.0, wet=0.5)
    base = with_fit(weathered(), weather=WeatherResponse((*weathered().request.fit.weather.effects, RAIN), ""))
    found = run_scenario(base, Scenario(weather="wet"), rainy)
    normal = run_scenario(base, Scenario(weather="normal"))
    assert found.unanswered == ()
    assert found.demand_diff is not None
    assert normal.demand_diff is not None
    at_normal = sum(
        p.demand.p50 / (1 + 0.03 * WEATHER[p.geo]) for p in base.request.forecast.points if p.geo in WEATHER
    )
    rain = found.demand_diff.p50 - normal.demand_diff.p50
    assert rain == pytest.approx(at_normal * (0.96**0.5 - 1), rel=0.03)
    assert found.demand_diff.p90 < normal.demand_diff.p50
    blind = run_scenario(weathered(), Scenario(weather="wet"), rainy)
    assert any("no effect of rain" in text for text in blind.unanswered)
    assert blind.demand_diff == normal.demand_diff


def test_without_any_effect_of_weather_demand_is_not_told() -> None:
    base = with_fit(weathered(), weather=WeatherResponse((), "No weather."))
    found = run_scenario(base, Scenario(weather="normal"))
    assert found.demand_diff is None
    assert any("no effect of weather on demand" in text for text in found.unanswered)


def test_promotions_are_told_from_their_measured_effect_against_what_is_planned() -> None:
    base = with_fit(flat(), promotions=(PROMOTED,))
    demand = sum(point.demand.p50 for point in base.request.forecast.points)
    on, off = (run_scenario(base, Scenario(promotion=case)) for case in ("on", "off"))
    assert on.unanswered == off.unanswered == ()
    assert on.demand_diff is not None
    assert off.demand_diff is not None
    assert on.demand_diff.p50 == pytest.approx(0.2 * demand, rel=0.03)
    assert on.demand_diff.p10 > 0.1 * demand
    assert (off.demand_diff.p10, off.demand_diff.p90) == (0.0, 0.0), "none is planned"
    planned = {(geo, "total"): 0.2 for geo in GEOS}
    already, dropped = (run_scenario(base, Scenario(promotion=x), None, planned).demand_diff for x in ("on", "off"))
    assert already is not None
    assert dropped is not None
    assert (already.p10, already.p90) == (0.0, 0.0)
    assert dropped.p50 == pytest.approx((1 / 1.2 - 1) * demand, rel=0.03)
    assert on.outcome_diff.p50 == 0.0
    assert any("taken to be the same with and without promotions" in text for text in on.notes)
    never = run_scenario(with_fit(flat(), promotions=()), Scenario(promotion="on"))
    assert any("the history holds none" in text for text in never.unanswered)


def test_planned_depths_are_means_over_the_period() -> None:
    rows = [("a", "hats", date(2026, 11, 23 + i), 0.14) for i in range(5)] + [("b", "hats", date(2026, 12, 9), 0.3)]
    frame = pl.DataFrame(rows, schema=["geo", "category", "date", "depth_share"], orient="row")
    period = Period(date(2026, 11, 23), date(2026, 11, 29))
    series = [("a", "hats"), ("b", "hats"), ("c", "hats"), ("national", "total")]
    found = planned_depths(frame, series, period)
    assert [round(found[each], 9) for each in series] == [0.1, 0.0, 0.0, 0.05]


def test_differences_are_paired() -> None:
    """The same error in every cell of a draw cancels: a small change has a small range, however unsure the level."""
    base = flat()
    found = run_scenario(base, Scenario(channel_multipliers={"social": 1.02}))
    width = found.outcome.p90 - found.outcome.p10
    assert found.outcome_diff.p90 - found.outcome_diff.p10 < 0.1 * width
    assert math.isclose(found.outcome.p50 - found.outcome_diff.p50, base.caused.sum(axis=(0, 1)).mean(), rel_tol=0.02)


def test_doubling_brings_less_than_double() -> None:
    base = flat()
    doubled = run_scenario(base, Scenario(channel_multipliers=dict.fromkeys(CHANNELS, 2.0)))
    assert doubled.outcome.p50 < 2 * run_scenario(base, Scenario()).outcome.p50
    assert doubled.outcome_diff.p10 > 0


def test_broken_limits_and_extrapolation_are_named() -> None:
    found = run_scenario(flat(), Scenario(channel_multipliers={"search": 1.9}))
    assert any("a change of at most 15 %" in text for text in found.breaches)
    assert any("largest observed" in text for text in found.breaches)
    assert any(text.startswith("all lines together: a total of") for text in found.breaches)
    beyond = {(cell.geo, cell.channel) for cell in found.cells if cell.extrapolates}
    assert beyond == {(geo, "search") for geo in GEOS}
    assert any("extrapolated" in text for text in found.notes)
    asked = run_scenario(flat(), Scenario(total=Money(flat().plan.total_recommended.minor + 100, "USD")))
    assert not any(text.startswith("all lines together") for text in asked.breaches), "another total was asked for"
    assert not any(cell.extrapolates for cell in asked.cells)


def test_steps_from_week_to_week_are_held_too() -> None:
    base = four_weeks()
    assert not any("to the next" in text for text in run_scenario(base, Scenario()).breaches)
    jumpy = replace(base, budgets=base.budgets * np.array([1, 2, 1, 2]))
    found = run_scenario(jumpy, Scenario())
    assert any("from one period to the next" in text for text in found.breaches)


def test_the_best_within_limits_breaks_none_and_beats_scaling() -> None:
    base = kept()  # a plan that keeps the current budgets, so that a twentieth more is within its limits
    total = round(1.05 * base.plan.total_recommended.minor)
    best = best_of(base, total)
    scaled = run_scenario(base, Scenario(total=Money(total, "USD")))
    assert best.breaches == ()
    assert best.spend == scaled.spend
    assert best.certificate is not None
    assert best.certificate.gap_rel <= 1e-3
    assert scaled.breaches == ()
    assert best.outcome_diff.p10 > scaled.outcome_diff.p90
    with pytest.raises(PlanImpossible):
        best_of(base, 2 * total)


def test_what_a_multiplier_sets_is_held_while_the_rest_is_chosen() -> None:
    base = kept()
    found = run_scenario(base, Scenario(channel_multipliers={"social": 0.9}, aim=PlanAim()))
    for cell in found.cells:
        if cell.channel == "social":
            assert cell.budget.minor == round(0.9 * cell.planned.minor)
    assert found.spend == base.plan.total_recommended, "what social gives up goes elsewhere"


def test_draws_that_score_have_no_part_in_choosing() -> None:
    curves = curves_of(SLOPES)
    outcome = curves.outcome.copy()
    outcome[..., 1::2] *= np.array([0.2, 3.0])[None, :, None, None]  # the scoring half would choose the other way
    other = request_of(replace(curves, outcome=outcome), media_signal=False)
    chosen = run_scenario(baseline(other, kept().plan, "a" * 64), Scenario(aim=PlanAim()))
    assert chosen.cells == run_scenario(kept(), Scenario(aim=PlanAim())).cells


def test_returns_are_outcome_over_budget() -> None:
    found = run_scenario(flat(), Scenario(channel_multipliers={"social": 0.0}))
    for part in found.by_channel:
        if part.name == "social":
            assert (part.roas, part.budget.minor, part.outcome.p90) == (None, 0, 0.0)
        else:
            assert part.roas is not None
            assert part.roas.p50 == pytest.approx(part.outcome.p50 / part.budget.major)


def test_a_return_floor_holds_on_the_draws_that_chose() -> None:
    request = request_of(curves_of(SLOPES), media_signal=False, limits=PlanLimits(max_change_rel=0.5))
    base = made(request)[0]
    free = run_scenario(base, Scenario(aim=PlanAim()))
    assert free.roas is not None
    found = run_scenario(base, Scenario(roas_floor=round(1.02 * free.roas.p50, 3)))
    assert found.spend.minor < free.spend.minor
    assert found.roas is not None
    assert found.roas.p50 > free.roas.p50


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        (Scenario(channel_multipliers={"radio": 1.1}), "no channel 'radio'"),
        (Scenario(geo_tilt={"atlantis": 1.1}), "no place 'atlantis'"),
        (Scenario(total=Money(1, "EUR")), "EUR"),
    ],
)
def test_what_the_plan_does_not_have_is_refused(scenario: Scenario, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        run_scenario(flat(), scenario)


@pytest.mark.parametrize(
    "levers",
    [
        {"channel_multipliers": {"search": 3.01}},
        {"channel_multipliers": {"search": -0.1}},
        {"channel_multipliers": {"search": math.nan}},
        {"geo_tilt": {"miami": math.inf}},
        {"total": Money(0, "USD")},
        {"weather": "replay"},
        {"roas_floor": 0.0},
        {"roas_floor": 1.0, "aim": PlanAim("profit", margin=0.4)},
    ],
)
def test_levers_that_make_no_sense_are_refused(levers: Mapping[str, object]) -> None:
    with pytest.raises(BadInput):
        Scenario(**levers)  # type: ignore[arg-type]


def test_a_plan_of_another_model_is_no_baseline() -> None:
    request = request_of(curves_of({cell: slope for cell, slope in SLOPES.items() if cell[0] != "miami"}))
    with pytest.raises(BadInput, match="other lines"):
        baseline(request, flat().plan, "a" * 64)


def test_limits_of_the_plan_are_those_of_its_scenarios() -> None:
    request = request_of(curves_of(SLOPES))
    base, _ = made(replace(request, limits=PlanLimits(max_change_rel=0.05)))
    again = baseline(request, base.plan, "a" * 64)
    assert any("at most 5 %" in text for text in run_scenario(again, Scenario(geo_tilt={"miami": 1.2})).breaches)
