"""Plan: curves, forecast and limits become a BudgetPlan. Pure: everything it needs comes in the request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date, timedelta

import numpy as np

from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import Quantiles, WeatherOutlook
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, DemandDay, GeoOutlook, PlanLine, Ribbon
from weathervane.contracts.tenant import Place, Tenant
from weathervane.planning import wording
from weathervane.planning.caveats import caveats, weather_sentence
from weathervane.planning.check import verify, verify_guardrails
from weathervane.planning.decision import Decision, Why, average_price, decide, halves
from weathervane.planning.lines import Evidence, plan_lines, quantiles
from weathervane.planning.outcome import evaluate
from weathervane.planning.problem import Goal, Problem
from weathervane.planning.question import sorted_series
from weathervane.planning.request import PlanRequest, demand_of, question
from weathervane.planning.weather_worth import weather_worth

_SCHEMA_VERSION = 2


def make_budget_plan(request: PlanRequest) -> BudgetPlan:
    """The plan for the period: budgets, outcomes and gains are for the whole period, not a week.

    Raises PlanImpossible where limits clash, ModelFailed where the fit cannot carry a plan or the finished plan fails
    its own check, BadInput where the parts of the request do not belong together.
    """
    problem = question(request)
    decision = decide(problem, media_signal=request.fit.media_signal.told_from_zero)
    verify(halves(problem)[0], decision.budgets, decision.certificate)
    seen = sorted_series(request.curves).spend_max
    verify_guardrails(problem, decision.budgets, request.limits, request.aim, seen)
    return _assemble(request, problem, decision)


def _assemble(request: PlanRequest, problem: Problem, decision: Decision) -> BudgetPlan:
    tenant, fit, period = request.tenant, request.fit, request.period
    names = _names(tenant)
    evidence = Evidence(
        problem,
        halves(problem)[1],
        decision,
        fit,
        _outlook(request),
        sorted_series(request.curves).spend_max,
        request.quality,
        tuple(request.steps),
        names,
        request.under_test,
        request.last_week or {},
    )
    lines = plan_lines(evidence)
    now, then = int(problem.current.sum()), int(decision.budgets.sum())
    total_now, total_then = Money(now, tenant.currency), Money(then, tenant.currency)
    new_total = None if now == then else (total_then, total_now)
    gain = quantiles(decision.gain)
    is_next = -1 <= (period.start - date.fromisoformat(request.generated_at[:10])).days <= 7
    moved = (decision.budgets - decision.start).sum(axis=2)
    moves = [
        wording.Move(geo, channel, Money(int(moved[g, c]), tenant.currency))
        for g, geo in enumerate(problem.geos)
        for c, channel in enumerate(problem.channels)
    ]
    forced = bool((decision.start != problem.current).any())
    why = _why(decision, fit)
    if decision.change:
        sentence = wording.change_sentence(
            moves, gain, decision.chance, wording.when(period, is_next), names, new_total, request.aim
        )
    else:
        sentence = wording.keep_sentence(why, new_total, forced=forced)
    brought = evaluate(halves(problem)[1], decision.budgets)
    carries, average = problem.carry is not None, _average_return(problem, decision, fit)
    last_week = None if request.last_week is None else sum(each.minor for each in request.last_week.values())
    weekly = now / request.weeks
    margin = request.margin if request.margin is not None else request.aim.margin
    plan = BudgetPlan(
        schema_version=_SCHEMA_VERSION,
        plan_id="",
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        demo=tenant.demo,
        currency=tenant.currency,
        outcome=tenant.outcome,
        as_of=period.start - timedelta(days=1),
        generated_at=request.generated_at,
        period=period,
        valid_until=period.end,
        verdict="change" if decision.change else "keep",
        sentence=sentence,
        reason=wording.reason(why, fit.media_signal, gain, decision.chance, decision.noise_p, names, request.aim),
        would_change_our_mind=wording.changes_of_mind(why, fit, names),
        total_current=total_now,
        total_recommended=total_then,
        gain=gain if decision.change else Quantiles(0.0, 0.0, 0.0),
        chance_gain=decision.chance if decision.change else None,
        lines=lines,
        channels=fit.channels,
        media_signal=fit.media_signal,
        weather_effects=fit.weather.effects,
        geos=tuple(_geo(request, names, geo, lines) for geo in problem.geos),
        demand=_demand(request),
        forecast_quality=request.quality,
        grain=fit.grain,
        limits=request.limits,
        certificate=decision.certificate,
        model=fit.summary,
        data_hashes=dict(fit.data_hashes),
        ribbons=_ribbons(request, lines),
        caveats=caveats(request, problem, names, decision, lines, new_total is not None),
        outcome_is_money=tenant.outcome_is_money,
        aim=request.aim,
        carry_in=quantiles(brought.carry_in.sum(axis=(0, 1))) if carries else None,
        carry_out=quantiles(brought.carry_out.sum(axis=(0, 1))) if carries else None,
        weather_worth=weather_worth(problem, names) if _forecast_known(request) else None,
        experiments=request.experiments,
        coverage_by_lead=request.coverage_by_lead,
        weather_sentence=weather_sentence(request, names),
        now_sentence=wording.now(weekly, last_week, names),
        total_sentence=wording.total(average, margin, names, money=tenant.outcome_is_money),
        average_return=average,
        margin=margin,
    )
    return replace(plan, plan_id=_plan_id(plan))


def _why(decision: Decision, fit: FitReport) -> Why:
    """Why the plan changes or keeps; where nothing may move because nothing is measured, that."""
    blind = fit.channels and not any(each.standing != "not_measured" for each in fit.channels)
    return "not_measured" if decision.why == "nothing_may_move" and blind else decision.why


def _average_return(problem: Problem, decision: Decision, fit: FitReport) -> Quantiles | None:
    """What the average next unit of money brings in measured lines, those that may move if any, on the scoring draws.

    None where ads are not told from noise or no channel is measured: a prior is no measurement.
    """
    blind = {each.channel for each in fit.channels if each.standing == "not_measured"}
    known = np.array([channel not in blind for channel in problem.channels])
    if not fit.media_signal.told_from_zero or not known.any():
        return None
    measured = np.broadcast_to(known[None, :, None], problem.shape)
    movable = ((problem.lo < problem.hi) | problem.may_pause) & measured
    scoring = replace(halves(problem)[1], goal=Goal())
    price = average_price(scoring, decision.start, movable if movable.any() else measured)
    return quantiles(price * problem.minor)


def _geo(request: PlanRequest, names: wording.Names, geo: str, lines: tuple[PlanLine, ...]) -> GeoOutlook:
    place = {each.geo: each for each in request.tenant.places}.get(geo, Place(geo, geo))
    outlook = _outlook(request).get(geo) or WeatherOutlook(geo, None, None, None, None)
    here = [line for line in lines if line.geo == geo]
    courses = request.forecast.courses
    basis = {} if courses is None else dict(zip(courses.geos, courses.basis, strict=True))
    currency = request.tenant.currency
    return GeoOutlook(
        geo=geo,
        name=names.place(geo),
        latitude=place.latitude,
        longitude=place.longitude,
        temp_anomaly_c=outlook.temp_anomaly_c,
        temp_anomaly_z=outlook.temp_anomaly_z,
        wet_days=outlook.wet_days,
        demand=demand_of(request, geo),
        demand_weather_rel=outlook.demand_weather_rel,
        current=Money(sum(line.current.minor for line in here), currency),
        recommended=Money(sum(line.recommended.minor for line in here), currency),
        weather_basis=basis.get(geo),
    )


def _demand(request: PlanRequest) -> tuple[DemandDay, ...]:
    coming = {point.date: point.demand for point in request.forecast.total}
    return tuple(
        DemandDay(day.date, day.actual, coming.get(day.date), day.temp_anomaly_z)
        for day in sorted(request.forecast.days, key=lambda day: day.date)
        if day.actual is not None or day.date in coming
    )


def _ribbons(request: PlanRequest, lines: tuple[PlanLine, ...]) -> tuple[Ribbon, ...]:
    holds: dict[Ribbon, bool] = {
        "demo": request.tenant.demo,
        "no_media_signal": not request.fit.media_signal.told_from_zero,
        "not_calibrated": request.quality.verdict != "calibrated",
        "no_weather_forecast": request.forecast.weather_source != "forecast",
        "extrapolates": any(line.extrapolates for line in lines),
    }
    return tuple(ribbon for ribbon, shown in holds.items() if shown)


def _forecast_known(request: PlanRequest) -> bool:
    """Whether any weather but the climate's is known to the plan."""
    courses = request.forecast.courses
    if courses is None:
        return any(each.temp_anomaly_z for each in request.forecast.outlook)
    return bool(set(courses.basis) - {"climatology"})


def _outlook(request: PlanRequest) -> dict[str, WeatherOutlook]:
    return {each.geo: each for each in request.forecast.outlook}


def _names(tenant: Tenant) -> wording.Names:
    outcome = tenant.outcome.replace("_", " ")
    unit = tenant.currency if tenant.outcome_is_money else outcome
    return wording.Names(tenant.currency, unit, outcome, {place.geo: place.name for place in tenant.places})


def _plan_id(plan: BudgetPlan) -> str:
    """From the plan's content alone: the same plan made at another moment has the same id."""
    content = {name: value for name, value in asdict(plan).items() if name not in ("plan_id", "generated_at")}
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return f"plan-{plan.period.start:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
