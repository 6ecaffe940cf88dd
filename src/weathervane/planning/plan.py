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
from weathervane.contracts.money import Money, minor_digits
from weathervane.contracts.period import Period
from weathervane.contracts.plan import BudgetPlan, DemandDay, Direction, GeoOutlook, PlanLimits, PlanLine, Ribbon
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.tenant import Place, Tenant
from weathervane.planning import wording
from weathervane.planning.decision import Decision, decide, without_luck
from weathervane.planning.guardrails import Band, bands, total_to_spend, verify
from weathervane.planning.responses import Cell, CellResponse, Floats, cell_responses

_SCHEMA_VERSION = 1
_WORTH_A_CAVEAT_GAP = 1e-3
_RHAT_LIMIT = 1.01


@dataclass(frozen=True)
class PlanRequest:
    """Everything a plan is made from.

    `period` is a whole number of weeks: one for daily data, four for weekly. `current` is the weekly budget of every
    geo × channel; None takes the curves' mean spend of the last four weeks. `limits` are for the whole period. A geo
    without an outlook in `forecast` is planned at normal weather.
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

    @property
    def weeks(self) -> int:
        """Length of the period in weeks."""
        return self.period.n_days // 7


def plan_period(forecast: DemandForecast) -> Period:
    """What a plan made on this forecast is for: its first seven days, or its first four weeks on weekly data."""
    start = min(point.date for point in forecast.total)
    return Period(start, start + timedelta(days=6 if forecast.step_days == 1 else 27))


def make_budget_plan(request: PlanRequest) -> BudgetPlan:
    """The plan for the period: budgets, outcomes and gains are for the whole period, not a week.

    Raises PlanImpossible where limits clash, ModelFailed where the fit cannot carry a plan or the finished plan fails
    its own check, BadInput where the parts of the request do not belong together.
    """
    _check(request)
    currency, weeks = request.tenant.currency, request.weeks
    z = _anomalies(request)
    responses = cell_responses(request.curves, z, weeks, currency)
    current = _current(request)
    allowed = bands(current, {cell: each.observed_max for cell, each in responses.items()}, request.limits, currency)
    total = total_to_spend(current, allowed, request.limits, currency)
    decision = decide(responses, allowed, current, total, media_signal=request.fit.media_signal.told_from_zero)
    verify(decision.budgets, current, request.limits, request.curves, z, weeks, currency, decision.certificate)
    return _assemble(request, responses, current, allowed, decision)


def _assemble(
    request: PlanRequest,
    responses: Mapping[Cell, CellResponse],
    current: Mapping[Cell, int],
    allowed: Mapping[Cell, Band],
    decision: Decision,
) -> BudgetPlan:
    tenant, fit, period = request.tenant, request.fit, request.period
    names = _names(tenant)
    stands = {channel: _saturation(request, channel, current) for channel in request.curves.channels}
    lines = tuple(
        _line(request, names, responses[cell], current[cell], decision, stands[cell[1]]) for cell in sorted(current)
    )
    now, then = sum(current.values()), sum(decision.budgets.values())
    total_now, total_then = Money(now, tenant.currency), Money(then, tenant.currency)
    new_total = None if now == then else (total_then, total_now)
    gain = _quantiles(decision.gain)
    is_next = -1 <= (period.start - date.fromisoformat(request.generated_at[:10])).days <= 7
    moves = [
        wording.Move(*cell, Money(decision.budgets[cell] - decision.start[cell], tenant.currency))
        for cell in sorted(current)
    ]
    if decision.change:
        sentence = wording.change_sentence(
            moves, gain, decision.chance, wording.when(period, is_next), names, new_total
        )
    else:
        sentence = wording.keep_sentence(decision.why, new_total, forced=decision.start != current)
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
        geos=tuple(_geo(request, names, geo, lines) for geo in sorted(request.curves.geos)),
        demand=_demand(request),
        forecast_quality=request.quality,
        grain=fit.grain,
        limits=request.limits,
        certificate=decision.certificate,
        model=fit.summary,
        data_hashes=dict(fit.data_hashes),
        ribbons=_ribbons(request, lines),
        caveats=_caveats(request, names, allowed, decision, lines, new_total is not None),
        outcome_is_money=tenant.outcome_is_money,
    )
    return replace(plan, plan_id=_plan_id(plan))


def _line(
    request: PlanRequest,
    names: wording.Names,
    response: CellResponse,
    current: int,
    decision: Decision,
    saturation: str,
) -> PlanLine:
    cell = response.cell
    geo, channel = cell
    currency = request.tenant.currency
    minor = 10 ** minor_digits(currency)
    scoring = response.half(1)
    budget, start = decision.budgets[cell], decision.start[cell]
    # Against the average unit of money, so that a cut shows what its money brings elsewhere; over all lines the
    # prices cancel and the gains add up to the plan's.
    gain = without_luck(scoring.at(budget) - scoring.at(start) - decision.price * (budget - start), decision.luck_share)
    marginal = _quantiles(scoring.marginal(start) * minor)
    average = float(np.quantile(decision.price * minor, 0.5))
    state = _state(decision, cell, current)
    outlook = _outlook(request).get(geo)
    in_curve = bool(
        np.any(request.curves.outcome_per_z[request.curves.geos.index(geo), request.curves.channels.index(channel)])
    )
    weather = (
        ""
        if outlook is None
        else wording.weather(names.place(geo), outlook.temp_anomaly_c, outlook.demand_weather_rel, in_curve)
    )
    return PlanLine(
        geo=geo,
        channel=channel,
        current=Money(current, currency),
        recommended=Money(budget, currency),
        change=Money(budget - current, currency),
        change_rel=(budget - current) / current if current else 0.0,
        direction=_direction(state),
        gain=_quantiles(gain) if budget != start else Quantiles(0.0, 0.0, 0.0),
        chance_gain=float((gain > 0).mean()) if budget != start else 0.0,
        outcome=_quantiles(scoring.at(budget)),
        marginal_return=marginal,
        extrapolates=budget > response.observed_max,
        reason=wording.line_reason(state, marginal, average, saturation, weather, names),
        would_change_our_mind=wording.line_turns(state, channel, wording.in_place(geo, names), average, names),
    )


def _state(decision: Decision, cell: Cell, current: int) -> str:
    if current == 0:
        return "at_zero"
    moved = decision.budgets[cell] - decision.start[cell]
    if moved:
        return "up" if moved > 0 else "down"
    if decision.leanings[cell] in ("unclear", "untouched"):
        return {"unclear": "unclear", "untouched": "fixed"}[decision.leanings[cell]]
    return "no_room" if decision.change else "held"


def _direction(state: str) -> Direction:
    directions: dict[str, Direction] = {"up": "clearly_up", "down": "clearly_down", "unclear": "unclear"}
    return directions.get(state, "keep")


def _saturation(request: PlanRequest, channel: str, current: Mapping[Cell, int]) -> str:
    shape = {each.channel: each for each in request.fit.shapes}.get(channel)
    evidence = {each.channel: each for each in request.fit.channels}.get(channel)
    weekly = Money(sum(budget for (_, c), budget in current.items() if c == channel), request.tenant.currency).major
    return wording.saturation(shape, weekly / request.weeks, evidence)


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
    names: wording.Names,
    allowed: Mapping[Cell, Band],
    decision: Decision,
    lines: tuple[PlanLine, ...],
    new_total: bool,
) -> tuple[str, ...]:
    """Everything a reader should hold against the plan, the largest first."""
    fit = request.fit
    at_zero = [line for line in lines if line.current.minor == 0]
    no_outlook = [geo for geo in sorted(request.curves.geos) if geo not in _anomalies(request)]
    above = [cell for cell, band in sorted(allowed.items()) if band.above_observed]
    beyond = [line for line in lines if line.extrapolates]
    no_forecast = request.forecast.weather_source != "forecast"
    said = [
        (not fit.media_signal.told_from_zero, fit.media_signal.sentence),
        (
            fit.summary.rhat_max > _RHAT_LIMIT or fit.summary.divergences > 0,
            "The fit converged poorly: read its figures as rough.",
        ),
        (bool(beyond), f"{_these(len(beyond), 'line')} above any spend observed there: the curve is extrapolated."),
        (bool(above), f"{_these(len(above), 'line')} already above any weekly spend observed and may not rise."),
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
            not new_total and decision.start != _current(request),
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
    cells = {(geo, channel) for geo in curves.geos for channel in curves.channels}
    if request.current is not None:
        odd_cells = sorted(set(request.current) ^ cells)
        if odd_cells:
            odd = ", ".join(" × ".join(cell) for cell in odd_cells[:3])
            raise BadInput(f"The current budget and the curves differ in these cells: {odd}.", "name every cell once.")
        if any(money.currency != tenant.currency or money.minor < 0 for money in request.current.values()):
            raise BadInput("A current budget is negative or in another currency.", f"write it in {tenant.currency}.")


def _current(request: PlanRequest) -> dict[Cell, int]:
    """The current budget of every cell over the period, in minor units."""
    curves, currency = request.curves, request.tenant.currency
    if request.current is not None:
        return {cell: money.minor * request.weeks for cell, money in sorted(request.current.items())}
    return {
        (geo, channel): Money.from_major(float(curves.spend_recent[g, c]), currency).minor * request.weeks
        for g, geo in sorted(enumerate(curves.geos), key=lambda item: item[1])
        for c, channel in sorted(enumerate(curves.channels), key=lambda item: item[1])
    }


def _outlook(request: PlanRequest) -> dict[str, WeatherOutlook]:
    return {each.geo: each for each in request.forecast.outlook}


def _anomalies(request: PlanRequest) -> dict[str, float]:
    return {geo: each.temp_anomaly_z for geo, each in _outlook(request).items() if each.temp_anomaly_z is not None}


def _names(tenant: Tenant) -> wording.Names:
    outcome = tenant.outcome.replace("_", " ")
    unit = tenant.currency if tenant.outcome_is_money else outcome
    return wording.Names(tenant.currency, unit, outcome, {place.geo: place.name for place in tenant.places})


def _quantiles(draws: Floats) -> Quantiles:
    low, mid, high = (float(q) for q in np.quantile(draws, [0.1, 0.5, 0.9]))
    return Quantiles(low, mid, high)


def _plan_id(plan: BudgetPlan) -> str:
    """From the plan's content alone: the same plan made at another moment has the same id."""
    content = {name: value for name, value in asdict(plan).items() if name not in ("plan_id", "generated_at")}
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return f"plan-{plan.period.start:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
