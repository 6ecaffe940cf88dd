"""Nearest: the current split, brought within the limits by as little as possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from weathervane.contracts.errors import PlanImpossible
from weathervane.planning.allocate import best
from weathervane.planning.clash import explain
from weathervane.planning.layout import Layout, layout, programmed
from weathervane.planning.problem import Floats, Goal, Ints, Problem
from weathervane.planning.program import solve_linear
from weathervane.planning.reach import holds
from weathervane.planning.rounding import to_minor_units
from weathervane.planning.stairs import stairs


def nearest(problem: Problem) -> Ints:
    """The current budgets [g, c, t] if they hold every limit; else the same shares of the total asked for; else what
    moves the smallest share of them. PlanImpossible where nothing holds the limits.
    """
    if ((problem.lo > problem.hi) & ~problem.may_pause).any():
        raise explain(problem)
    plan = layout(problem)
    if holds(plan, problem.current):
        return problem.current
    aimed = _in_proportion(problem)
    for target in (aimed, _moved_least(plan, aimed)):
        found = None if target is None else to_minor_units(plan, target.ravel())
        if found is not None and holds(plan, found):
            return found
    try:
        return best(problem).budgets  # limits on outcomes, which moving least does not look at
    except PlanImpossible as error:
        raise explain(problem) from error


def _in_proportion(problem: Problem) -> Floats:
    """All cells times one factor, kept within their bounds, so that the total comes within its own limit."""
    whole = [x for x in problem.limits if x.budget_weight is not None and (x.budget_weight == 1).all()]
    low = max((each.low for each in whole if each.outcome_weight is None), default=0.0)
    high = min((each.high for each in whole if each.outcome_weight is None), default=np.inf)

    def at(factor: float) -> Floats:
        return np.asarray(np.clip(factor * problem.current, problem.lo, problem.hi), dtype=np.float64)

    wanted = min(max(float(at(1.0).sum()), low), high)
    least, most = 0.0, 1.0
    while at(most).sum() < wanted and most < 1e12:
        most *= 2
    for _ in range(200):
        middle = (least + most) / 2
        least, most = (middle, most) if at(middle).sum() < wanted else (least, middle)
    return np.asarray(at(most), dtype=np.float64)


def _moved_least(plan: Layout, aimed: Floats) -> Floats | None:
    """The budgets within bounds and limits on budgets from which the sum of relative distances is least."""
    problem = plan.problem
    lo, hi = (each.ravel().astype(np.float64) for each in (problem.lo, problem.hi))
    target = np.clip(aimed.ravel(), lo, hi)
    far = 1.0 / np.maximum(target, 1.0)
    at = np.stack([target - 1.0 / far, target, target + 1.0 / far], axis=1)
    cells = stairs(at, np.tile([-1.0, 0.0, -1.0], (len(at), 1)), lo, hi, problem.may_pause.ravel())
    plain = np.diff(plan.gain.indptr) == 0
    only = replace(
        plan,
        problem=replace(problem, goal=Goal()),
        cells=cells,
        points=cells,
        aim=cells,
        gain=sparse.csr_array((plan.gain.shape[0], len(lo))),
        low=np.where(plain, plan.low, -np.inf),
        high=np.where(plain, plan.high, np.inf),
        link=None,
        link_at_zero=np.zeros(0),
    )
    made = programmed(only, cells, cells, [cells])
    solution = solve_linear(made.program)
    return None if solution is None else made.budgets(solution.columns).reshape(problem.shape)
