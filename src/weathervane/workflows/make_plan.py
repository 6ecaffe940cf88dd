"""Make the plan: the champion's curves and the latest forecast become next week's budget."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.event import Event
from weathervane.contracts.experiment import LiftResult, StoredResult
from weathervane.contracts.experiment_design import ExperimentDesign, State
from weathervane.contracts.plan import BudgetPlan, ExperimentLift, ExperimentPayload, PlanAim, PlanLimits
from weathervane.planning.plan import PlanRequest, make_budget_plan, plan_period
from weathervane.store import experiments, model_registry, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store

_NOT_SHOWN: frozenset[State] = frozenset({"draft", "superseded"})
_STATUS: dict[State, Literal["pending", "running", "completed", "failed"]] = {
    "draft": "pending",
    "assigned": "pending",
    "running": "running",
    "completed": "completed",
}


def make_plan(
    store: Store, *, now: datetime, run_id: str, limits: PlanLimits | None = None, aim: PlanAim | None = None
) -> BudgetPlan:
    """The plan for the first week the latest forecast covers (four single weeks on weekly data), stored and returned.

    Raises NotFound before a model is trained and a forecast issued, NotEnoughData when the fit is older than the
    forecast, PlanImpossible when the limits clash.
    """
    request = plan_request(store, now=now, limits=limits, aim=aim)
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
    return PlanRequest(
        tenant=results.tenant(store),
        generated_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        period=period,
        fit=fit,
        curves=curves,
        forecast=forecast,
        quality=quality,
        limits=limits or PlanLimits(),
        aim=aim or PlanAim(),
        step_days=7,
        experiments=_experiments(store),
    )


def _experiments(store: Store) -> tuple[ExperimentPayload, ...]:
    """Every experiment that left the drawing board and was not replaced, by id."""
    found: list[tuple[ExperimentDesign, State]] = [
        (one, step.state) for one, step in experiments.designs(store) if step.state not in _NOT_SHOWN
    ]
    return tuple(_payload(design, state, experiments.result(store, design.experiment_id)) for design, state in found)


def _payload(design: ExperimentDesign, state: State, result: StoredResult | None) -> ExperimentPayload:
    lifts = () if result is None else result.lifts
    return ExperimentPayload(
        experiment_id=design.experiment_id,
        status="failed" if result is not None and result.not_carried_out else _STATUS.get(state, "failed"),
        channel=design.channel,
        start_date=design.test_window.start,
        end_date=design.test_window.end,
        treatment_geos=design.treated_geos,
        control_geos=design.control_geos,
        treatment_spend=None,
        control_spend=None,
        metric_name=design.metric,
        lift=_lift(lifts[0], result.read_at) if result is not None and lifts else None,
    )


def _lift(lift: LiftResult, read_at: str) -> ExperimentLift:
    return ExperimentLift(
        lift_rel=lift.lift_rel,
        lift_rel_low=lift.lift_rel_low,
        lift_rel_high=lift.lift_rel_high,
        lift_abs=lift.lift_abs,
        lift_abs_low=lift.lift_abs_low,
        lift_abs_high=lift.lift_abs_high,
        lift_abs_unit=lift.kpi_unit,
        p_value=lift.p_value,
        n_geos_treatment=lift.n_geos_treatment,
        n_geos_control=lift.n_geos_control,
        n_days=lift.n_days,
        is_significant=lift.p_value < lift.alpha,
        generated_at=read_at,
    )
