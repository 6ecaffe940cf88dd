"""Read the baseline: the newest plan with the curves and forecast it was made from, for scenarios to start at."""

from __future__ import annotations

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.plan import BudgetPlan
from weathervane.planning.plan import PlanRequest, plan_period
from weathervane.planning.scenario import Baseline, baseline
from weathervane.store import model_registry, results
from weathervane.store.paths import Store


def read_baseline(store: Store) -> Baseline:
    """The newest plan as scenarios start from it. NotFound where there is none, NotEnoughData where the model or the
    forecast has moved on since.
    """
    plan = results.latest_plan(store)
    fit, curves = model_registry.champion(store)
    forecast, quality = results.latest_forecast(store)
    if plan.model.model_id != fit.model_id or plan.period != plan_period(forecast):
        moved = "model" if plan.model.model_id != fit.model_id else "forecast"
        raise NotEnoughData(f"The plan was made on another {moved} than is in use now.", "run `weathervane plan`.")
    request = PlanRequest(
        tenant=results.tenant(store),
        generated_at=plan.generated_at,
        period=plan.period,
        fit=fit,
        curves=curves,
        forecast=forecast,
        quality=quality,
        limits=plan.limits,
        aim=plan.aim,
        step_days=_step_days(plan),
    )
    return baseline(request, plan, results.plan_sha256(plan))


def _step_days(plan: BudgetPlan) -> int | None:
    steps = plan.lines[0].periods if plan.lines else ()
    return steps[0].period.n_days if steps else None
