"""Request: everything a plan is made from, and the problem that it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import ExperimentPayload
from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import DemandForecast, ForecastQuality, Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import LeadCoverage, PlanAim, PlanLimits, check_margin
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.tenant import Tenant
from weathervane.contracts.tested_line import HeldLine
from weathervane.planning.guardrails import asked_total, guarded
from weathervane.planning.problem import Bools, Bound, Ints, Problem
from weathervane.planning.question import problem_of, sorted_series, weather_draws
from weathervane.planning.together import as_measured

Cell = tuple[str, str]  # (geo, channel)


@dataclass(frozen=True)
class PlanRequest:
    """Everything a plan is made from.

    `period` is a whole number of weeks: one for daily data, four for weekly; it is planned in steps of `step_days`,
    None for all of it at once. `current` is the weekly budget of every geo × channel; None takes the curves' mean spend
    of the last four weeks. What is `under_test` has the budget that the test's design says. `last_week` is what the
    last week cost, to be shown beside it. `margin` is what is left of a unit of outcome after its own costs, None if
    nobody said. `limits` are for the whole period, but those on a cell for each step. The weather is that of the
    forecast's courses.
    """

    tenant: Tenant
    generated_at: str
    period: Period
    fit: FitReport
    curves: ResponseCurves
    forecast: DemandForecast
    quality: ForecastQuality
    limits: PlanLimits = field(default_factory=PlanLimits)
    current: Mapping[Cell, Money] | None = None
    aim: PlanAim = field(default_factory=PlanAim)
    step_days: int | None = None
    experiments: tuple[ExperimentPayload, ...] = ()
    coverage_by_lead: tuple[LeadCoverage, ...] = ()
    under_test: tuple[HeldLine, ...] = ()
    last_week: Mapping[Cell, Money] | None = None
    margin: float | None = None

    @property
    def weeks(self) -> int:
        """Length of the period in weeks."""
        return self.period.n_days // 7

    @property
    def steps(self) -> list[Period]:
        """The periods that budgets are set for."""
        days = self.step_days or self.period.n_days
        starts = [self.period.start + timedelta(days=i) for i in range(0, self.period.n_days, days)]
        return [Period(start, start + timedelta(days=days - 1)) for start in starts]


def plan_period(forecast: DemandForecast) -> Period:
    """What a plan made on this forecast is for: its first seven days, or its first four weeks on weekly data."""
    start = min(point.date for point in forecast.total)
    return Period(start, start + timedelta(days=6 if forecast.step_days == 1 else 27))


def question(request: PlanRequest) -> Problem:
    """The request as a problem, limits and all: what `best` and `evaluate` take. A scenario changes one thing in it.

    Raises BadInput where the parts of the request do not belong together.
    """
    _check(request)
    series, steps = sorted_series(request.curves), request.steps
    weather = weather_draws(request.forecast, series.geos, steps, series.curves.outcome.shape[-1])
    problem = problem_of(
        series.curves, _current(request), len(steps), steps[0].n_days, request.tenant.currency, weather
    )
    limited = guarded(
        problem,
        request.limits,
        request.aim,
        series.spend_max,
        {geo: demand_of(request, geo).p50 for geo in series.geos},
    )
    limited = as_measured(limited, request.fit, asked_total(problem, request.limits, request.aim))
    return held_at(limited, limited.current, _under_test(request, limited))


def held_at(problem: Problem, budgets: Ints, held: Bools) -> Problem:
    """The problem in which some cells [g, c, t] have these budgets, whatever its rules say of cells."""
    if not held.any():
        return problem
    bounds = tuple(
        Bound(each.name, np.where(held, budgets, each.lo), np.where(held, budgets, each.hi)) for each in problem.bounds
    )
    before = False if problem.held is None else problem.held
    return replace(problem, bounds=bounds, held=held | before, pause=problem.may_pause & ~held)


def _under_test(request: PlanRequest, problem: Problem) -> Bools:
    cells = {(each.geo, each.channel) for each in request.under_test}
    of = [[(geo, channel) in cells for channel in problem.channels] for geo in problem.geos]
    return np.broadcast_to(np.array(of, np.bool_)[:, :, None], problem.shape)


def demand_of(request: PlanRequest, geo: str) -> Quantiles:
    """Demand over the period. Errors of days and categories are taken to move together, so the range errs wide."""
    points = [
        p.demand
        for p in request.forecast.points
        if p.geo == geo and request.period.start <= p.date <= request.period.end
    ]
    return Quantiles(sum(p.p10 for p in points), sum(p.p50 for p in points), sum(p.p90 for p in points))


def _check(request: PlanRequest) -> None:
    tenant, fit, curves = request.tenant, request.fit, request.curves
    if request.period.n_days % 7:
        raise BadInput(
            f"The plan period has {request.period.n_days} days, and curves are by week.",
            "plan whole weeks: 7 or 28 days.",
        )
    if {fit.tenant_id, request.forecast.tenant_id} != {tenant.tenant_id}:
        raise BadInput("The fit, the forecast and the plan belong to different tenants.", "use those of one tenant.")
    if fit.model_id != curves.model_id:
        raise BadInput(
            f"The curves come from {curves.model_id}, the fit is {fit.model_id}.", "use one fit's own curves."
        )
    if request.period.n_days % (request.step_days or request.period.n_days):
        raise BadInput(
            f"A period of {request.period.n_days} days cannot be planned in steps of {request.step_days}.",
            "plan by day (1) or week (7).",
        )
    cells = {(geo, channel) for geo in curves.geos for channel in curves.channels}
    if request.current is not None:
        odd_cells = sorted(set(request.current) ^ cells)
        if odd_cells:
            odd = ", ".join(" × ".join(cell) for cell in odd_cells[:3])
            raise BadInput(f"The current budget and the curves differ in these cells: {odd}.", "name every cell once.")
        if any(money.currency != tenant.currency or money.minor < 0 for money in request.current.values()):
            raise BadInput("A current budget is negative or in another currency.", f"write it in {tenant.currency}.")
    odd_lines = sorted((each.geo, each.channel) for each in request.under_test if (each.geo, each.channel) not in cells)
    if odd_lines or any(len(each.budgets) != len(request.steps) for each in request.under_test):
        odd = " × ".join(odd_lines[0]) if odd_lines else "the length of the plan"
        raise BadInput(f"The lines under test do not fit the plan: {odd}.", "give each line of the plan its budgets.")
    for margin in (request.margin, request.aim.margin):
        if margin is not None:
            check_margin(margin, outcome_is_money=tenant.outcome_is_money)
    courses = request.forecast.courses
    if courses is not None and courses.anomaly_z:
        n_days = courses.step_days * len(courses.anomaly_z[0])
        if not 0 <= (request.period.start - courses.start).days <= n_days - request.period.n_days:
            raise BadInput(
                f"The forecast's weather is for {n_days} days from {courses.start}, the plan for other days.",
                "run `weathervane forecast`, then `weathervane plan`.",
            )


def _current(request: PlanRequest) -> Ints:
    """The current budget [g, c, t] of every cell, geos and channels sorted, in minor units."""
    curves, currency = request.curves, request.tenant.currency
    weekly = request.current or {
        (geo, channel): Money.from_major(float(curves.spend_recent[g, c]), currency)
        for g, geo in enumerate(curves.geos)
        for c, channel in enumerate(curves.channels)
    }
    days = [step.n_days for step in request.steps]
    # Whole minor units that add up to the week's budget times the weeks, spread as evenly as they go.
    ends = np.cumsum([0, *days])
    by_series = [
        [np.diff([weekly[geo, channel].minor * int(end) // 7 for end in ends]) for channel in sorted(curves.channels)]
        for geo in sorted(curves.geos)
    ]
    current = np.array(by_series, dtype=np.int64)
    for each in request.under_test:
        cell = sorted(curves.geos).index(each.geo), sorted(curves.channels).index(each.channel)
        current[cell] = [budget.minor for budget in each.budgets]
    return current
