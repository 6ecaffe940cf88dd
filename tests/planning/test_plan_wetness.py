"""Plans over the rain that is expected: read off the curves, by step, said in words, and changed by scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from planning.builders import GEOS, curves_of, request_of, same
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.scenario import Scenario
from weathervane.planning.outcome import evaluate
from weathervane.planning.past_weather import Replay
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.question import weather_draws
from weathervane.planning.request import PlanRequest, question
from weathervane.planning.scenario import baseline, run_scenario

ALIKE = same({"search": 1.0, "social": 1.0})
RAIN_IN_DALLAS = {"chicago": (-0.3,) * 7, "dallas": (0.5,) * 7, "miami": (-0.3,) * 7}


def with_rain(curves: ResponseCurves) -> ResponseCurves:
    """The same where social brings more, and search less, the wetter it is."""
    pull = np.array([{"search": -0.8, "social": 1.2}[each] for each in curves.channels])
    per_wet = curves.outcome.mean(axis=3, keepdims=True) * pull[:, None, None]
    return replace(curves, outcome_per_wet=np.broadcast_to(per_wet, curves.outcome.shape).copy())


def raining(request: PlanRequest, wet: dict[str, tuple[float, ...]]) -> PlanRequest:
    """The request with this wetness expected in each period ahead."""
    outlook = tuple(replace(each, wet_anomaly=wet.get(each.geo, ())) for each in request.forecast.outlook)
    return replace(request, forecast=replace(request.forecast, outlook=outlook))


@pytest.fixture(scope="module")
def rainy() -> ResponseCurves:
    return with_rain(curves_of(ALIKE, error=0.15))


def test_expected_rain_moves_money_and_none_expected_does_not(rainy: ResponseCurves) -> None:
    dry = {line.channel + line.geo: line.change.minor for line in make_budget_plan(request_of(rainy, weather={})).lines}
    assert not any(dry.values())
    plan = make_budget_plan(raining(request_of(rainy), RAIN_IN_DALLAS))
    moved = {(line.geo, line.channel): line.change.minor for line in plan.lines}
    assert moved["dallas", "social"] > 0 > moved["dallas", "search"]
    assert moved["miami", "social"] < 0 < moved["miami", "search"]
    assert plan.weather_worth is not None
    assert plan.weather_worth.gain.p10 > 0


def test_a_plan_reads_the_curves_at_the_rain_and_the_warmth_of_each_week() -> None:
    curves = with_rain(curves_of(ALIKE, error=0.1, per_z={(geo, "social"): 0.4 for geo in GEOS}))
    curves = replace(curves, carry_over=None)
    week = (0.1,) * 7 + (0.4,) * 7 + (-0.2,) * 7
    request = raining(request_of(curves, weeks=4, step_days=7, weather={"dallas": 2.0}), {"dallas": week})
    problem = question(request)
    budgets = problem.current
    brought = evaluate(problem, budgets).by_cell
    g, c = problem.geos.index("dallas"), problem.channels.index("social")
    for t, wet in enumerate((0.1, 0.4, -0.2, 0.0)):  # the last week is not in the outlook
        weekly = np.array([budgets[g, c, t] / 100])
        expected = curves.at("dallas", "social", weekly, z=2.0, wet=wet)[0]
        np.testing.assert_allclose(brought[g, c, t], expected, rtol=1e-9)


def test_weeks_and_days_of_a_forecast_are_put_into_the_steps_they_are_in(rainy: ResponseCurves) -> None:
    request = raining(request_of(rainy, weeks=1, step_days=1), {"dallas": tuple(np.arange(7) / 10)})
    found = weather_draws(request.forecast, ("chicago", "dallas"), request.steps, 3)["wetness"]
    assert found.shape == (2, 7, 3)
    np.testing.assert_allclose(found[1, :, 2], np.arange(7) / 10)
    assert (found[0] == 0).all()
    whole = weather_draws(request.forecast, ("dallas",), [request.period], 1)["wetness"]
    assert whole[0, 0, 0] == pytest.approx(0.3)
    # Days that are not in it come as usual.
    short = raining(request, {"dallas": (0.7, 0.7)}).forecast
    assert weather_draws(short, ("dallas",), [request.period], 1)["wetness"][0, 0, 0] == pytest.approx(0.2)
    weekly = replace(request.forecast, step_days=7)
    by_day = weather_draws(weekly, ("dallas",), request.steps, 1)["wetness"]
    np.testing.assert_allclose(by_day, 0.0)  # its first week's


def test_the_plan_says_what_rain_it_took(rainy: ResponseCurves) -> None:
    told = make_budget_plan(raining(request_of(rainy), RAIN_IN_DALLAS)).weather_sentence
    assert "Rain is taken at what is expected of it" in told
    assert "as normal" not in told
    partly = make_budget_plan(raining(request_of(rainy), {"dallas": (0.5,) * 7})).weather_sentence
    assert "as normal in Chicago, Miami" in partly
    assert "Rain" not in make_budget_plan(request_of(curves_of(ALIKE))).weather_sentence


def test_a_scenario_changes_the_rain_where_it_is_known_and_says_so_where_not(rainy: ResponseCurves) -> None:
    request = raining(request_of(rainy), RAIN_IN_DALLAS)
    base = baseline(request, make_budget_plan(request), "a" * 64)
    z = {geo: np.zeros(1) for geo in GEOS}
    past = Replay(z, {}, date(2025, 11, 20), {geo: np.array([0.5]) for geo in GEOS})
    wet, normal = run_scenario(base, Scenario(weather="wet"), past), run_scenario(base, Scenario(weather="normal"))
    assert wet.unanswered == normal.unanswered == ()
    gained = {part.name: part.outcome_diff.p50 for part in wet.by_geo}
    assert gained["dallas"] == pytest.approx(0.0, abs=1e-6)  # as wet as was expected
    social = {part.name: part for part in wet.by_channel}["social"].outcome.p50
    assert social > {part.name: part for part in normal.by_channel}["social"].outcome.p50
    unknown = run_scenario(base, Scenario(weather="wet"), replace(past, wet={}))
    assert any("rain of that past period is not known" in text for text in unknown.unanswered)
    assert unknown.outcome_diff.p50 == pytest.approx(0.0, abs=1e-6)
