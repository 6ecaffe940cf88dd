"""Make the plan: what the store knows of weather and of past forecasts reaches the plan by itself, and is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.exports.calibrations import a_run
from tests.planning.builders import curves_of, over, request_of
from tests.workflows.small_tenant import NOW, SLOPES, small_tenant

from weathervane.contracts.forecast import WeatherBasis
from weathervane.contracts.plan import BudgetPlan
from weathervane.store import results
from weathervane.store.calibration import keep_calibration
from weathervane.store.paths import Store
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.read_baseline import read_baseline

HOT = {"chicago": [-2.0, -1.0], "dallas": [1.5, 2.5], "miami": [0.5, -0.5]}


def planned_over(store: Store, members: dict[str, list[float]], basis: WeatherBasis = "forecast") -> BudgetPlan:
    """The plan on a newer forecast with these courses of the week."""
    request = over(request_of(curves_of(SLOPES)), {geo: np.array([z]) for geo, z in members.items()}, basis)
    forecast = replace(
        request.forecast,
        tenant_id=store.tenant_id,
        forecast_id=f"forecast-{basis}-{len(members)}",
        issued_at="2026-11-22T06:05:00Z",
    )
    results.keep_forecast(store, forecast, request.quality)
    return make_plan(store, now=NOW + timedelta(minutes=1), run_id="again")


def budgets(plan: BudgetPlan) -> list[int]:
    return [line.recommended.minor for line in plan.lines]


def test_where_ads_do_not_depend_on_weather_its_courses_move_no_cent(tmp_path: Path) -> None:
    store, without = small_tenant(tmp_path)
    plan = planned_over(store, HOT)
    assert without.verdict == "change"
    assert budgets(plan) == budgets(without)
    assert plan.weather_worth is None
    assert {geo.weather_basis for geo in plan.geos} == {"forecast"}


def test_where_they_do_the_plan_follows_the_courses_and_says_what_that_is_worth(tmp_path: Path) -> None:
    store, mean = small_tenant(tmp_path, per_z=0.5)
    plan = planned_over(store, HOT)
    by_cell = {(line.geo, line.channel): line.recommended.minor for line in plan.lines}
    assert by_cell["dallas", "search"] > by_cell["chicago", "search"]
    assert budgets(plan) != budgets(mean)
    assert plan.weather_worth is not None
    assert plan.weather_sentence == "Some courses."
    # A scenario starts from the same weather.
    assert read_baseline(store).plan == plan


def test_the_climate_alone_is_no_knowledge_of_the_weather(tmp_path: Path) -> None:
    store, _ = small_tenant(tmp_path, per_z=0.5)
    plan = planned_over(store, {geo: [-1.0, 1.0] for geo in HOT}, "climatology")
    assert plan.weather_worth is None
    assert plan.weather_sentence in plan.caveats
    partly = planned_over(store, {"dallas": [1.0, 2.0]})
    assert "Some courses." in partly.caveats
    assert {geo.geo: geo.weather_basis for geo in partly.geos} == {"chicago": None, "dallas": "forecast", "miami": None}


def test_how_past_forecasts_did_is_in_the_plan_by_lead(tmp_path: Path) -> None:
    store, plan = small_tenant(tmp_path)
    assert plan.coverage_by_lead == ()
    run = replace(a_run(), tenant=store.tenant_id)
    keep_calibration(store, run)
    found = make_plan(store, now=NOW, run_id="again").coverage_by_lead
    assert [each.first_lead for each in found] == [int(each.group.split()[0]) for each in run.record.by_lead]
    for each, score in zip(found, run.record.by_lead, strict=True):
        held = score.of(0.8)
        assert (each.coverage, each.low, each.high, each.n) == (held.share, held.low, held.high, held.n)
    assert sum(each.n for each in found) == pytest.approx(run.n)
