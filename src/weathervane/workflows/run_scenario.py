"""Run a scenario: the newest plan with one thing changed; nothing is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from weathervane.contracts.figures import short_day
from weathervane.contracts.scenario import Scenario, ScenarioResult
from weathervane.planning.past_weather import Replay, past_weather, replayed
from weathervane.planning.scenario import Baseline, needs_past
from weathervane.planning.scenario import run_scenario as run
from weathervane.planning.scenario_demand import demand_in, planned_depths
from weathervane.store.paths import Store
from weathervane.store.tables import read
from weathervane.workflows.read_baseline import read_baseline


def run_scenario(store: Store, scenario: Scenario, *, base: Baseline | None = None) -> ScenarioResult:
    """What the scenario comes to against the newest plan, or against `base`.

    Raises NotFound and NotEnoughData as reading the baseline does, BadInput and PlanImpossible as running does.
    """
    base = base or read_baseline(store)
    past = _replay(store, scenario, base) if needs_past(scenario) else None
    promotions = {}
    if scenario.promotion != "as_planned":
        made_at = datetime.fromisoformat(base.plan.generated_at)
        forecast, period = base.request.forecast, base.plan.period
        series = demand_in(forecast, period).series
        promotions = planned_depths(read(store, "promotions", made_at), series, period)
    result = run(base, scenario, past, promotions)
    if past is None:
        return result
    said = f"The weather is that of the {base.plan.period.n_days} days from {short_day(past.began)} {past.began.year}."
    return replace(result, notes=(said, *result.notes))


def _replay(store: Store, scenario: Scenario, base: Baseline) -> Replay | None:
    problem = base.problem
    steps = [problem.period_days] * problem.n_periods
    return replayed(past_weather(read(store, "weather")), scenario, problem.geos, base.plan.period.start, steps)
