"""Make the plan: the champion's curves and the latest forecast become next week's budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from weathervane.contracts.calibration import CalibrationRun, as_calibrated, coverage_by_lead
from weathervane.contracts.errors import NotEnoughData, NotFound
from weathervane.contracts.event import Event
from weathervane.contracts.plan import BudgetPlan, PlanAim, PlanLimits
from weathervane.experiments.lines_of_tests import lines_of_tests
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.recent_spend import recent_spend
from weathervane.planning.request import PlanRequest, plan_period
from weathervane.store import experiments, model_registry, results
from weathervane.store.calibration import latest_calibration
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.store.tables import read


def make_plan(
    store: Store,
    *,
    now: datetime,
    run_id: str,
    limits: PlanLimits | None = None,
    aim: PlanAim | None = None,
    margin: float | None = None,
) -> BudgetPlan:
    """The plan for the first week the latest forecast covers (four single weeks on weekly data), stored and returned.

    Raises NotFound before a model is trained and a forecast issued, NotEnoughData when the fit is older than the
    forecast, PlanImpossible when the limits clash. `margin` is what is left of a unit of outcome after its own costs:
    it says whether the total looks right.
    """
    request = replace(plan_request(store, now=now, limits=limits, aim=aim), margin=margin)
    plan = make_budget_plan(request)
    results.keep_plan(store, plan)
    detail = {"plan_id": plan.plan_id, "verdict": plan.verdict, "gap_rel": plan.certificate.gap_rel}
    record(store, Event("plan.made", store.tenant_id, request.generated_at, run_id, detail=detail))
    return plan


def plan_request(
    store: Store, *, now: datetime, limits: PlanLimits | None = None, aim: PlanAim | None = None
) -> PlanRequest:
    """What a plan is made from now, out of what is stored; raises as `make_plan` does."""
    fit, curves = model_registry.champion(store)
    forecast, quality = results.latest_forecast(store)
    period = plan_period(forecast)
    if fit.summary.fitted_through >= period.start:
        raise NotEnoughData(
            "The model has seen days the latest forecast still calls future.",
            "run `weathervane forecast`, then `weathervane plan`.",
        )
    run = _calibration_of(store)
    request = PlanRequest(
        tenant=results.tenant(store),
        generated_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        period=period,
        fit=fit,
        curves=curves,
        forecast=forecast,
        quality=as_calibrated(quality, run) if run and run.forecast_id == forecast.forecast_id else quality,
        limits=limits or PlanLimits(),
        aim=aim or PlanAim(),
        step_days=7,
        experiments=experiments.payloads(store),
        coverage_by_lead=coverage_by_lead(run) if run else (),
    )
    tests = lines_of_tests(experiments.designs(store))
    spent = recent_spend(read(store, "spend", now), curves, tests, request.steps, request.tenant.currency)
    return replace(request, current=spent.usual, last_week=spent.last_week, under_test=spent.held)


def _calibration_of(store: Store) -> CalibrationRun | None:
    """What was last measured of how often ranges held; None before it was."""
    try:
        return latest_calibration(store)[0]
    except NotFound:
        return None
