"""Clash: the smallest set of limits that no budgets can hold together, in words.

Method in docs/modeling/planning.md, "Limits that clash".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.errors import PlanImpossible
from weathervane.planning.layout import RAMP, layout, programmed
from weathervane.planning.problem import Bound, Limit, Problem
from weathervane.planning.program import solve_linear

_NO_END = 2**52


def explain(problem: Problem) -> PlanImpossible:
    """The error that names the limits: each of them is needed for the clash, and without any one of them it is gone."""
    needed = clashing(problem)
    if not needed:
        return PlanImpossible(
            "The limits leave no budgets, though each pair of them does.", "widen the smallest budgets or the shares."
        )
    if len(needed) == 1:
        return PlanImpossible(f"No budgets can hold this limit: {needed[0]}.", "widen it.")
    return PlanImpossible(
        f"No budgets can hold these limits together: {'; '.join(needed)}.", "widen one of them; any one will do."
    )


def clashing(problem: Problem) -> list[str]:
    """Names of an irreducible set of limits that clash in the linear relaxation, in the order they were given.

    Every limit is left out in turn, and for good where the rest still clash.
    """
    names = list(dict.fromkeys([*(b.name for b in problem.bounds), *(limit.name for limit in problem.limits)]))
    if problem.ramp_rel is not None and problem.n_periods > 1:
        names.append(RAMP)
    kept = list(names)
    for name in names:
        without = [each for each in kept if each != name]
        if not _possible(problem, without):
            kept = without
    return [] if _possible(problem, kept) else kept


def _possible(problem: Problem, names: list[str]) -> bool:
    held = set(names)
    bounds: list[Bound] = [each for each in problem.bounds if each.name in held]
    limits: list[Limit] = [each for each in problem.limits if each.name in held]
    bounds.append(Bound("", np.zeros(problem.shape, np.int64), np.full(problem.shape, _more_than_all(problem))))
    rest = replace(
        problem,
        bounds=tuple(bounds),
        limits=tuple(limits),
        ramp_rel=problem.ramp_rel if RAMP in held else None,
    )
    empty = rest.lo > rest.hi
    if (empty & ~rest.may_pause).any():
        return False
    plan = layout(rest)
    made = programmed(plan, plan.cells, plan.points, [plan.points])
    return solve_linear(made.program) is not None


def _more_than_all(problem: Problem) -> int:
    """Minor units beyond what any bound or limit speaks of: where a cell ends that nothing bounds."""
    ends = [1.0, float(problem.current.sum())]
    ends += [float(each.lo.max()) for each in problem.bounds]
    ends += [float(each.hi[each.hi < _NO_END].max(initial=0)) for each in problem.bounds]
    spoken = [each for each in problem.limits if each.outcome_weight is None]
    ends += [abs(end) for each in spoken for end in (each.low, each.high) if np.isfinite(end)]
    return int(2 * max(ends))
