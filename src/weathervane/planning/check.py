"""Check: finished budgets against every limit and their objective, by code that shares nothing with the allocator.

What is checked in docs/modeling/planning.md, "The check".
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.figures import share
from weathervane.contracts.plan import Certificate, PlanAim, PlanLimits
from weathervane.planning.problem import Floats, Ints, Limit, Problem

_PART = 1e-6  # of the size of what is compared; only limits on outcomes and shares need it


def verify(problem: Problem, budgets: Ints, certificate: Certificate) -> None:
    """Recomputes every limit of a problem and the objective; ModelFailed names what does not hold."""
    if budgets.shape != problem.current.shape:
        _insist([f"there are {budgets.shape} budgets for {problem.current.shape} cells"])
    _insist([*_limits_broken(problem, budgets), *_objective_broken(problem, budgets, certificate)])


def verify_guardrails(problem: Problem, budgets: Ints, limits: PlanLimits, aim: PlanAim, observed_max: Floats) -> None:
    """The same from the guardrails as they were given, whatever became of them in the problem."""
    _insist(list(_guardrails_broken(problem, budgets, limits, aim, observed_max)))


def _insist(broken: list[str]) -> None:
    if broken:
        named = "; ".join(broken[:5]) + (f"; and {len(broken) - 5} more" if len(broken) > 5 else "")
        raise ModelFailed(
            f"The finished plan does not hold what it promises: {named}.",
            "keep the current budget and report this with the plan's inputs.",
        )


def _limits_broken(problem: Problem, budgets: Ints) -> Iterator[str]:
    paused = np.zeros(budgets.shape, bool) if problem.pause is None else problem.pause & (budgets == 0)
    for bound in problem.bounds:
        out = ((budgets < bound.lo) | (budgets > bound.hi)) & ~paused
        if out.any():
            yield f"{_name(problem, np.argwhere(out)[0])} breaks the limit {bound.name!r}"
    if (budgets < 0).any():
        yield "a budget is below zero"
    caused = _caused(problem, budgets)
    for limit in problem.limits:
        left, room = _left_side(problem, limit, budgets, caused)
        if not limit.low - room <= left <= limit.high + room:
            yield f"the limit {limit.name!r} is broken: {left:.6g} is not from {limit.low:.6g} to {limit.high:.6g}"
    if problem.ramp_rel is not None:
        free = np.zeros(budgets.shape, bool) if problem.pause is None else problem.pause
        free = free if problem.held is None else free | problem.held
        for t in range(1, budgets.shape[2]):
            step = np.abs(budgets[:, :, t] - budgets[:, :, t - 1])
            out = (step > problem.ramp_rel * budgets[:, :, t - 1] + 3) & ~free[:, :, t] & ~free[:, :, t - 1]
            if out.any():
                yield f"{_name(problem, (*np.argwhere(out)[0], t))} jumps by more than {share(problem.ramp_rel)}"


def _left_side(problem: Problem, limit: Limit, budgets: Ints, caused: list[list[list[float]]]) -> tuple[float, float]:
    """(left side, room for rounding) of a limit."""
    left, room = 0.0, 1e-6
    for g, c in np.ndindex(budgets.shape[:2]):
        for p, brought in enumerate(caused[g][c]):
            t = min(p, problem.n_periods - 1)
            if limit.outcome_weight is not None and (p < problem.n_periods or limit.carried_out):
                inside = limit.outcome_weight[g, c]
                weight = float(inside[t]) if p < problem.n_periods else float(inside.mean())
                left, room = left + weight * brought, room + _PART * abs(weight * brought)
    if limit.budget_weight is not None:
        left += math.fsum((limit.budget_weight * budgets).ravel().tolist())
        broken = limit.budget_weight != np.round(limit.budget_weight)
        room += float(np.abs(limit.budget_weight).sum()) if broken.any() else 0.0
    return left, room


def _caused(problem: Problem, budgets: Ints, weights: Floats | None = None) -> list[list[list[float]]]:
    """Outcome of each series at each point, from the curves as they were fitted, one point at a time."""
    n_draws, minor = problem.outcome.shape[3], 10 ** _digits(problem)
    share_of = np.full(n_draws, 1 / n_draws) if weights is None else weights
    to_week = 7 / problem.period_days / minor
    result: list[list[list[float]]] = []
    for g in range(len(problem.geos)):
        result.append([])
        for c in range(len(problem.channels)):
            series, grid = list[float](), problem.grid[g, c]
            n_points = problem.n_periods if problem.carry is None else problem.carry.within.shape[1]
            for p in range(n_points):
                curve = problem.outcome[g, c] @ share_of
                for each in problem.modulations if p < problem.n_periods else ():
                    per_unit, came = each.per_unit[g, c], each.anomaly[g, p]
                    # On average weather and curves are independent; in single draws each has its own weather.
                    curve = curve + (
                        per_unit.mean(axis=1) * came.mean() if weights is None else per_unit @ (weights * came)
                    )
                weeks = (problem.period_days if p < problem.n_periods else 7) / 7
                if problem.carry is None:
                    series.append(weeks * _read_off(grid, curve, float(budgets[g, c, p]) * to_week))
                    continue
                around = float((problem.carry.before[c, p] + problem.carry.after[c, p]).mean() * problem.spent[g, c])
                within = problem.carry.within[c, p].mean(axis=1)
                here = around + sum(float(w * b) * to_week for w, b in zip(within, budgets[g, c], strict=True))
                series.append(weeks * (_read_off(grid, curve, here) - _read_off(grid, curve, around)))
            result[-1].append(series)
    return result


def _digits(problem: Problem) -> int:
    return round(math.log10(problem.minor))


def _read_off(grid: Floats, values: Floats, at: float) -> float:
    if at <= grid[-1]:
        return float(np.interp(at, grid, values))
    return float(values[-1] + (values[-1] - values[-2]) / (grid[-1] - grid[-2]) * (at - grid[-1]))


def _objective_broken(problem: Problem, budgets: Ints, certificate: Certificate) -> Iterator[str]:
    spend = problem.goal.per_spend * int(budgets.sum()) / 10 ** _digits(problem)

    def reached(weights: Floats | None) -> float:
        series = [brought for row in _caused(problem, budgets, weights) for one in row for brought in one]
        return problem.goal.per_outcome * math.fsum(series) - spend

    if problem.risk.name == "expected":
        objective = reached(None)
    else:
        tail = 0.2 if problem.risk.name == "p10" else problem.risk.tail
        n = problem.outcome.shape[3]
        draws = sorted(reached(row) for row in np.eye(n))
        parts = [min(1.0, max(0.0, tail * n - i)) for i in range(n)]
        objective = sum(part * draw for part, draw in zip(parts, draws, strict=True)) / (tail * n)
    size = max(1.0, abs(objective), abs(certificate.upper_bound))
    if abs(objective - certificate.objective) > _PART * size:
        yield f"the objective is {objective:.8g}, the plan says {certificate.objective:.8g}"
    if certificate.upper_bound < objective - _PART * size:
        yield "the proven upper bound lies under the objective"


def _guardrails_broken(
    problem: Problem, budgets: Ints, limits: PlanLimits, aim: PlanAim, observed_max: Floats
) -> Iterator[str]:
    minor = 10 ** _digits(problem)
    asked = limits.total.minor if limits.total is not None else int(problem.current.sum())
    asked += aim.extra.minor if aim.goal == "extra" and aim.extra is not None else 0
    spent = int(budgets.sum())
    if aim.goal in ("outcome", "extra") and not limits.inventory and spent != asked:
        yield f"the total is {spent} minor units, not {asked}"
    if (aim.goal != "target" or limits.total is not None) and spent > asked:
        yield f"the total is {spent} minor units, more than {asked}"
    for (g, c, t), budget in np.ndenumerate(budgets):
        geo, channel, now = problem.geos[g], problem.channels[c], int(problem.current[g, c, t])
        name = _name(problem, (g, c, t))
        held = any(each.geo in (None, geo) and each.channel in (None, channel) for each in limits.untouched)
        if held and budget != now:
            yield f"{name} was not to be touched"
        if problem.held is not None and problem.held[g, c, t]:
            if budget != now:
                yield f"{name} is under test and was not to change"
            continue
        if limits.may_pause and budget == 0:
            continue
        # One part in 10^9 for the rounding of a product of decimals; far below one minor unit at any real budget.
        if abs(int(budget) - now) > limits.max_change_rel * now * (1 + 1e-9) + 1e-6:
            yield f"{name} changes by more than {share(limits.max_change_rel)}"
        if now > 0 and limits.min_cell is not None and budget < limits.min_cell.minor:
            yield f"{name} is under the smallest cell"
        if limits.max_cell is not None and budget > limits.max_cell.minor:
            yield f"{name} is over the largest cell"
        for each in limits.platform_minimums:
            if each.channel == channel and now > 0 and budget < each.minimum.minor:
                yield f"{name} is under what the platform takes"
        seen = float(observed_max[g, c]) * problem.period_days / 7 * minor
        if not limits.allow_extrapolation and budget > max(now, seen + 1e-6):
            yield f"{name} is above its largest observed spend"
        if (
            aim.goal == "extra"
            and aim.extra is not None
            and (int(budget) - now) * (1 if aim.extra.minor >= 0 else -1) < 0
        ):
            yield f"{name} was not to be touched"
    for group in limits.groups:
        cells = [
            int(budgets[g, c].sum())
            for g, geo in enumerate(problem.geos)
            for c, channel in enumerate(problem.channels)
            if group.scope.geo in (None, geo) and group.scope.channel in (None, channel)
        ]
        low, high = group.minimum, group.maximum
        if (low is not None and sum(cells) < low.minor) or (high is not None and sum(cells) > high.minor):
            yield f"{group.scope.channel or 'everything'} in {group.scope.geo or 'all places'} is outside its budget"
    for g, geo in enumerate(problem.geos):
        if budgets[g].sum() + budgets[g].size + 1 < limits.fair_budget_share * spent:
            yield f"{geo} has less than its fair share"


def _name(problem: Problem, cell: tuple[int, ...] | Ints) -> str:
    g, c, t = (int(x) for x in cell)
    when = f", period {t + 1}" if problem.n_periods > 1 else ""
    return f"{problem.channels[c]} in {problem.geos[g]}{when}"
