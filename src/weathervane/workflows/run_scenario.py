"""Run a scenario: the newest plan with one thing changed; nothing is stored."""

from __future__ import annotations

from dataclasses import replace

from weathervane.contracts.figures import short_day
from weathervane.contracts.scenario import Scenario, ScenarioResult
from weathervane.planning.past_weather import past_weather, replayed
from weathervane.planning.scenario import Baseline, depends_on_weather, needs_past
from weathervane.planning.scenario import run_scenario as run
from weathervane.store.paths import Store
from weathervane.store.tables import read
from weathervane.workflows.read_baseline import read_baseline


def run_scenario(store: Store, scenario: Scenario, *, base: Baseline | None = None) -> ScenarioResult:
    """What the scenario comes to against the newest plan, or against `base`.

    Raises NotFound and NotEnoughData as reading the baseline does, BadInput and PlanImpossible as running does.
    """
    base = base or read_baseline(store)
    if not (needs_past(scenario) and depends_on_weather(base)):
        return run(base, scenario)
    period, problem = base.plan.period, base.problem
    steps = [problem.period_days] * problem.n_periods
    found, began = replayed(past_weather(read(store, "weather")), scenario, problem.geos, period.start, steps)
    result = run(base, scenario, found)
    if began is None:
        return result
    said = f"The weather is that of the {period.n_days} days from {short_day(began)} {began.year}."
    return replace(result, notes=(said, *result.notes))
