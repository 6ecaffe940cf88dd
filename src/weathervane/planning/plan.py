"""Plan: curves, forecast and limits become a BudgetPlan. Pure: everything it needs comes in the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.contracts.figures import share
from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import DemandForecast, ForecastQuality, Quantiles, WeatherOutlook
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import (
    BudgetPlan,
    DemandDay,
    ExperimentPayload,
    GeoOutlook,
    LeadCoverage,
    PlanAim,
    PlanLimits,
    PlanLine,
    Ribbon,
)
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.tenant import Place, Tenant
from weathervane.planning import wording
from weathervane.planning.check import verify, verify_guardrails
from weathervane.planning.decision import Decision, decide, halves
from weathervane.planning.guardrails import guarded
from weathervane.planning.lines import Evidence, plan_lines, quantiles
from weathervane.planning.outcome import evaluate
from weathervane.planning.problem import Floats, Ints, Problem
from weathervane.planning.question import problem_of, sorted_series, weather_draws
from weathervane.planning.weather_worth import weather_worth

_SCHEMA_VERSION = 2
_WORTH_A_CAVEAT_GAP = 1e-3
_RHAT_LIMIT = 1.01
Cell = tuple[str, str]  # (geo, channel)


@dataclass(frozen=True)
class PlanRequest:
    """Everything a plan is made from.

    `period` is a whole number of weeks: one for daily data, four for weekly; it is planned in steps of `step_days`,
    None for all of it at once. `current` is the weekly budget of every geo × channel; None takes the curves' mean spend
    of the last four weeks. `limits` are for the whole period, but those on a cell for each step. A geo without an
    outlook in `forecast` is planned at normal weather; `weather_members` may hold members [steps, m] of its anomaly by
    geo.
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
    weather_members: Mapping[str, Floats] | None = None
    experiments: tuple[ExperimentPayload, ...] = ()
    coverage_by_lead: tuple[LeadCoverage, ...] = ()

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
    weather = weather_draws(
        _outlook(request), request.weather_members, series.geos, (len(steps), series.curves.outcome.shape[-1])
    )
    problem = problem_of(
        series.curves, _current(request), len(steps), steps[0].n_days, request.tenant.currency, weather
    )
    return guarded(problem, request.limits, request.aim, series.spend_max, _demand_by_geo(request))


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
    if decision.change:
        sentence = wording.change_sentence(
            moves, gain, decision.chance, wording.when(period, is_next), names, new_total
        )
    else:
        sentence = wording.keep_sentence(decision.why, new_total, forced=forced)
    brought = evaluate(halves(problem)[1], decision.budgets)
    carries = problem.carry is not None
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
        reason=wording.reason(decision.why, fit.media_signal, gain, decision.chance, decision.noise_p, names),
        would_change_our_mind=wording.changes_of_mind(decision.why, fit.channels, fit.grain.n_days, names),
        total_current=total_now,
        total_recommended=total_then,
        gain=gain if decision.change else Quantiles(0.0, 0.0, 0.0),
        chance_gain=decision.chance if decision.change else 0.0,
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
        caveats=_caveats(request, problem, names, decision, lines, new_total is not None),
        outcome_is_money=tenant.outcome_is_money,
        aim=request.aim,
        carry_in=quantiles(brought.carry_in.sum(axis=(0, 1))) if carries else None,
        carry_out=quantiles(brought.carry_out.sum(axis=(0, 1))) if carries else None,
        weather_worth=weather_worth(problem, names),
        experiments=request.experiments,
        coverage_by_lead=request.coverage_by_lead,
    )
    return replace(plan, plan_id=_plan_id(plan))


def _geo(request: PlanRequest, names: wording.Names, geo: str, lines: tuple[PlanLine, ...]) -> GeoOutlook:
    place = {each.geo: each for each in request.tenant.places}.get(geo, Place(geo, geo))
    outlook = _outlook(request).get(geo) or WeatherOutlook(geo, None, None, None, None)
    here = [line for line in lines if line.geo == geo]
    currency = request.tenant.currency
    return GeoOutlook(
        geo=geo,
        name=names.place(geo),
        latitude=place.latitude,
        longitude=place.longitude,
        temp_anomaly_c=outlook.temp_anomaly_c,
        temp_anomaly_z=outlook.temp_anomaly_z,
        wet_days=outlook.wet_days,
        demand=_demand_of(request, geo),
        demand_weather_rel=outlook.demand_weather_rel,
        current=Money(sum(line.current.minor for line in here), currency),
        recommended=Money(sum(line.recommended.minor for line in here), currency),
    )


def _demand_of(request: PlanRequest, geo: str) -> Quantiles:
    """Demand over the period. Errors of days and categories are taken to move together, so the range errs wide."""
    points = [
        p.demand
        for p in request.forecast.points
        if p.geo == geo and request.period.start <= p.date <= request.period.end
    ]
    return Quantiles(sum(p.p10 for p in points), sum(p.p50 for p in points), sum(p.p90 for p in points))


def _demand_by_geo(request: PlanRequest) -> dict[str, float]:
    return {geo: _demand_of(request, geo).p50 for geo in request.curves.geos}


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


def _caveats(
    request: PlanRequest,
    problem: Problem,
    names: wording.Names,
    decision: Decision,
    lines: tuple[PlanLine, ...],
    new_total: bool,
) -> tuple[str, ...]:
    """Everything a reader should hold against the plan, the largest first."""
    fit = request.fit
    at_zero = [line for line in lines if line.current.minor == 0]
    known = {geo for geo, each in _outlook(request).items() if each.temp_anomaly_z is not None}
    known |= set(request.weather_members or {})
    no_outlook = [geo for geo in problem.geos if geo not in known]
    seen = np.floor(sorted_series(request.curves).spend_max / problem.per_week + 1e-6)
    above = np.argwhere((problem.current > seen[:, :, None]).any(axis=2))
    beyond = [line for line in lines if line.extrapolates]
    no_forecast = request.forecast.weather_source != "forecast"
    said = [
        (not fit.media_signal.told_from_zero, fit.media_signal.sentence),
        (
            fit.summary.rhat_max > _RHAT_LIMIT or fit.summary.divergences > 0,
            "The fit converged poorly: read its figures as rough.",
        ),
        (bool(beyond), f"{_these(len(beyond), 'line')} above any spend observed there: the curve is extrapolated."),
        (len(above) > 0, f"{_these(len(above), 'line')} already above any weekly spend observed and may not rise."),
        *((True, caveat) for caveat in fit.caveats),
        (request.quality.verdict != "calibrated", request.quality.sentence),
        (no_forecast, "No weather forecast is stored: planned at normal weather."),
        (
            bool(no_outlook) and not no_forecast,
            f"No weather outlook for {_listed(no_outlook, names)}: planned at normal weather.",
        ),
        (
            new_total,
            "The total differs from the current one. Gains compare with the current split scaled to the new total, "
            "so they say nothing of what the change of the total itself brings.",
        ),
        (
            not new_total and bool((decision.start != problem.current).any()),
            "The limits themselves move some lines: the current split is outside them. Gains compare with the nearest "
            "split inside.",
        ),
        (
            bool(at_zero),
            f"{_these(len(at_zero), 'line')} without spend now and left at zero: there is nothing to judge them by.",
        ),
        (
            decision.change and decision.certificate.gap_rel > _WORTH_A_CAVEAT_GAP,
            f"A better split may exist: the proof leaves {share(decision.certificate.gap_rel)} open.",
        ),
    ]
    return tuple(dict.fromkeys(text for holds, text in said if holds and text))


def _these(count: int, noun: str) -> str:
    return f"{count} {noun}{'s are' if count > 1 else ' is'}"


def _listed(geos: list[str], names: wording.Names) -> str:
    told = ", ".join(names.place(geo) for geo in geos[:3])
    return told if len(geos) <= 3 else f"{told} and {len(geos) - 3} more"


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
    return np.array(by_series, dtype=np.int64)


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
