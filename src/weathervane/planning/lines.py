"""Lines: each geo × channel of a plan with its figures, its reasons and how far to trust it.

Formulas in docs/modeling/planning.md, "Reading a line" and "Confidence".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import ForecastQuality, Quantiles, WeatherOutlook
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import Confidence, Direction, PeriodBudget, PlanLine
from weathervane.contracts.tested_line import HeldLine
from weathervane.planning import wording
from weathervane.planning.decision import CLEAR, UNCLEAR, UNTOUCHED, Decision, chance_of_gain, without_luck
from weathervane.planning.outcome import evaluate, marginal
from weathervane.planning.problem import Floats, Problem

_HIGH, _MEDIUM = 0.5, 0.25
_NOMINAL = 0.8
_YEAR = 365


@dataclass(frozen=True)
class Evidence:
    """What lines are written from: the problem by all draws and by those that scored, the decision, and the context."""

    problem: Problem
    scoring: Problem
    decision: Decision
    fit: FitReport
    outlook: Mapping[str, WeatherOutlook]
    observed_max: Floats  # [g, c] weekly, major units
    quality: ForecastQuality
    steps: tuple[Period, ...]
    names: wording.Names
    under_test: tuple[HeldLine, ...] = ()
    last_week: Mapping[tuple[str, str], Money] = field(default_factory=dict[tuple[str, str], Money])

    def test_of(self, geo: str, channel: str) -> HeldLine | None:
        """The test that holds a line."""
        return next((each for each in self.under_test if (each.geo, each.channel) == (geo, channel)), None)


@dataclass(frozen=True)
class _Figures:
    """Draws of every series [g, c, d]; budgets [g, c] are over the whole period."""

    outcome: Floats
    carry_out: Floats
    gain: Floats
    next_one: Floats
    rank: Floats


def plan_lines(evidence: Evidence) -> tuple[PlanLine, ...]:
    """Every line, in order of geo and channel."""
    figures = _figures(evidence)
    return tuple(
        _line(evidence, figures, g, c)
        for g in range(len(evidence.problem.geos))
        for c in range(len(evidence.problem.channels))
    )


def quantiles(draws: Floats) -> Quantiles:
    """p10, p50 and p90 of draws."""
    low, mid, high = (float(q) for q in np.quantile(draws, [0.1, 0.5, 0.9]))
    return Quantiles(low, mid, high)


def ranks(next_one: Floats) -> Floats:
    """Rank [n] from 1 of what the next unit of money brings, by draws [n, d]: what cannot be told apart shares one."""
    order = np.argsort(-np.median(next_one, axis=1), kind="stable")
    result, rank, first = np.ones(len(order)), 1, order[0]
    for each in order:
        if float((next_one[first] > next_one[each]).mean()) >= CLEAR:
            rank, first = rank + 1, each
        result[each] = rank
    return result


def _figures(evidence: Evidence) -> _Figures:
    scoring, decision = evidence.scoring, evidence.decision
    now, start = evaluate(scoring, decision.budgets), evaluate(scoring, decision.start)
    outcome = now.by_cell.sum(axis=2) + now.carry_out
    more = outcome - start.by_cell.sum(axis=2) - start.carry_out
    moved = (decision.budgets - decision.start).sum(axis=2)[..., None]
    # Against the average unit of money, so that a cut shows what its money brings elsewhere; over all lines the prices
    # cancel and the gains add up to the plan's.
    gain = (scoring.goal.per_outcome or 1.0) * (more - decision.price * moved)
    weight = np.maximum(decision.start, 1).astype(np.float64)
    weight /= weight.sum(axis=2, keepdims=True)
    next_one = np.einsum("gctd,gct->gcd", marginal(scoring, decision.start), weight) * scoring.minor
    rank = ranks(next_one.reshape(-1, next_one.shape[-1])).reshape(next_one.shape[:2])
    return _Figures(outcome, now.carry_out, without_luck(gain, decision.luck), next_one, rank)


def _line(evidence: Evidence, figures: _Figures, g: int, c: int) -> PlanLine:
    problem, decision, names = evidence.problem, evidence.decision, evidence.names
    geo, channel, currency = problem.geos[g], problem.channels[c], problem.currency
    current, budget = int(problem.current[g, c].sum()), int(decision.budgets[g, c].sum())
    moved = bool((decision.budgets[g, c] != decision.start[g, c]).any())
    state = _state(evidence, g, c)
    next_one = quantiles(figures.next_one[g, c])
    average = float(np.quantile(decision.price * problem.minor, 0.5))
    outcome, gain = quantiles(figures.outcome[g, c]), figures.gain[g, c]
    extrapolates = bool((decision.budgets[g, c] * problem.per_week > evidence.observed_max[g, c] + 1e-6).any())
    score = _confidence(evidence, next_one, channel, extrapolates=extrapolates)
    saturation, weather = _saturation(evidence, c), _weather(evidence, g, c)
    carries, test = problem.carry is not None, evidence.test_of(geo, channel)
    return PlanLine(
        geo=geo,
        channel=channel,
        current=Money(current, currency),
        recommended=Money(budget, currency),
        change=Money(budget - current, currency),
        change_rel=(budget - current) / current if current else 0.0,
        direction=_direction(state, sure=float(np.quantile(gain, 0.1)) > 0),
        gain=quantiles(gain) if moved else Quantiles(0.0, 0.0, 0.0),
        chance_gain=chance_of_gain(gain) if moved else None,
        outcome=outcome,
        marginal_return=next_one,
        extrapolates=extrapolates,
        reason=wording.line_under_test(test)
        if test is not None
        else wording.line_reason(state, next_one, average, saturation, weather, names),
        would_change_our_mind=wording.line_turns(state, channel, wording.in_place(geo, names), average, names),
        roas=quantiles(figures.outcome[g, c] * problem.minor / budget) if budget else None,
        carry_out=quantiles(figures.carry_out[g, c]) if carries else None,
        rank=int(figures.rank[g, c]),
        confidence=_level(score),
        confidence_score=round(score, 3),
        primary_driver=wording.driver(state, names),
        supporting_factors=tuple(part for part in (saturation, weather) if part),
        assumptions=wording.assumptions(carries=carries, weather=geo in evidence.outlook),
        risks=wording.risks(
            next_one.p10 < average < next_one.p90, extrapolates, evidence.quality.verdict != "calibrated", names
        ),
        periods=_periods(evidence, g, c),
        under_test_until=None if test is None else test.until,
        last_week=evidence.last_week.get((geo, channel)),
    )


def _periods(evidence: Evidence, g: int, c: int) -> tuple[PeriodBudget, ...]:
    if len(evidence.steps) < 2:
        return ()
    currency, decision = evidence.problem.currency, evidence.decision
    return tuple(
        PeriodBudget(
            step,
            Money(int(evidence.problem.current[g, c, t]), currency),
            Money(int(decision.budgets[g, c, t]), currency),
        )
        for t, step in enumerate(evidence.steps)
    )


def _confidence(evidence: Evidence, next_one: Quantiles, channel: str, *, extrapolates: bool) -> float:
    """From 0 to 1: narrow range × coverage as measured × data behind it (docs "Confidence")."""
    width = (next_one.p90 - next_one.p10) / max(abs(next_one.p50), 1e-12)
    quality = evidence.quality
    known = quality.verdict != "not enough data" and quality.n > 0
    covered = max(0.0, 1 - abs(quality.coverage_80 - _NOMINAL) / 0.4) if known else 0.5
    told = {each.channel: each.told_from_zero for each in evidence.fit.channels}.get(channel, False)
    support = min(1.0, evidence.fit.grain.n_days / _YEAR) * (1.0 if told else 0.5) * (0.5 if extrapolates else 1.0)
    return covered * support / (1 + width / 2)


def _level(score: float) -> Confidence:
    return "high" if score >= _HIGH else "medium" if score >= _MEDIUM else "low"


def _state(evidence: Evidence, g: int, c: int) -> str:
    decision, leaning = evidence.decision, evidence.decision.leaning[g, c]
    if evidence.test_of(evidence.problem.geos[g], evidence.problem.channels[c]) is not None:
        return "under_test"
    if not evidence.problem.current[g, c].any():
        return "at_zero"
    if evidence.problem.channels[c] in {e.channel for e in evidence.fit.channels if e.standing == "not_measured"}:
        return "not_measured"
    moved = int((decision.budgets[g, c] - decision.start[g, c]).sum())
    if moved:
        return "up" if moved > 0 else "down"
    if (leaning == UNTOUCHED).all():
        return "fixed"
    if (leaning == UNCLEAR).any():
        return "unclear"
    return "no_room" if decision.change else "held"


def _direction(state: str, *, sure: bool) -> Direction:
    """`sure`: the range of the line's gain excludes a loss. A move that may lose is not called clear."""
    directions: dict[str, Direction] = {"up": "clearly_up", "down": "clearly_down", "unclear": "unclear"}
    found = directions.get(state, "keep")
    return found if sure or found == "keep" else "unclear"


def _saturation(evidence: Evidence, c: int) -> str:
    problem, fit = evidence.problem, evidence.fit
    channel = problem.channels[c]
    shape = {each.channel: each for each in fit.shapes}.get(channel)
    found = {each.channel: each for each in fit.channels}.get(channel)
    weekly = float(problem.current[:, c].sum() * problem.per_week / problem.n_periods)
    return wording.saturation(shape, weekly, found)


def _weather(evidence: Evidence, g: int, c: int) -> str:
    outlook = evidence.outlook.get(evidence.problem.geos[g])
    if outlook is None:
        return ""
    in_curve = any(each.per_unit[g, c].any() for each in evidence.problem.modulations)
    place = evidence.names.place(outlook.geo)
    return wording.weather(place, outlook.temp_anomaly_c, outlook.demand_weather_rel, in_curve)
