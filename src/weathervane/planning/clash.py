"""Clash: the smallest set of limits that no budgets can hold together, in words.

Method in docs/modeling/planning.md, "Limits that clash".
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from weathervane.contracts.errors import PlanImpossible
from weathervane.contracts.figures import whole_money
from weathervane.contracts.money import Money
from weathervane.planning.layout import RAMP, layout, programmed
from weathervane.planning.problem import Bound, Goal, Limit, Problem, Risk
from weathervane.planning.program import solve_linear

_NO_END = 2**52


def explain(problem: Problem) -> PlanImpossible:
    """The error that names the limits: each of them is needed for the clash, and without any one of them it is gone."""
    needed = clashing(problem)
    if not needed:
        return PlanImpossible(
            "The limits leave no budgets, though each pair of them does.", "widen the smallest budgets or the shares."
        )
    reach = reachable_totals(problem, needed)
    if reach is not None:
        within, least, most = reach
        raise PlanImpossible(
            f"The total of {_asked(problem)} is out of reach. "
            f"Within {within} the total can lie from {least} to {most}.",
            "ask for a total in that range, or widen one of those limits.",
        )
    if len(needed) == 1:
        return PlanImpossible(f"No budgets can hold this limit: {needed[0]}.", "widen it.")
    return PlanImpossible(
        f"No budgets can hold these limits together: {'; '.join(needed)}.", "widen one of them; any one will do."
    )


def reachable_totals(problem: Problem, needed: list[str]) -> tuple[str, str, str] | None:
    """(the other limits in words, the least total, the most) where a total is what clashes with the others, or None.

    The ends are whole major units inside the range, so that either can be asked for.
    """
    whole = [each.name for each in problem.limits if _is_total(each)]
    others = [name for name in needed if name not in whole]
    if len(others) == len(needed) or not others:
        return None
    rest = replace(problem, limits=tuple(each for each in problem.limits if not _is_total(each)))
    if not (rest.hi < _NO_END).all():
        return None
    least, most = _end(rest, 1.0), _end(rest, -1.0)
    if least is None or most is None:
        return None
    ends = math.ceil(least / problem.minor), math.floor(most / problem.minor)
    low, high = (whole_money(Money(end * problem.minor, problem.currency)) for end in ends)
    return " and ".join(others), low, high


def _end(problem: Problem, per_spend: float) -> float | None:
    """The least total (the most, where spending earns) in minor units within every limit, None where none holds."""
    if _leaves_none(problem):
        return None
    aimed = replace(problem, goal=Goal("the total", 0.0, per_spend), risk=Risk())
    plan = layout(aimed)
    made = programmed(plan, plan.cells, plan.points, [plan.points])
    solved = solve_linear(made.program)
    return None if solved is None else round(float(made.budgets(solved.columns).sum()), 3)


def _asked(problem: Problem) -> str:
    whole = next(each for each in problem.limits if _is_total(each))
    return whole_money(Money(round(whole.high), problem.currency))


def _is_total(limit: Limit) -> bool:
    return limit.outcome_weight is None and limit.budget_weight is not None and bool((limit.budget_weight == 1).all())


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
    if _leaves_none(rest):
        return False
    plan = layout(rest)
    made = programmed(plan, plan.cells, plan.points, [plan.points])
    return solve_linear(made.program) is not None


def _leaves_none(problem: Problem) -> bool:
    """Whether the bounds of some cell that may not pause hold no budget at all: a program would not see that."""
    return bool(((problem.lo > problem.hi) & ~problem.may_pause).any())


def _more_than_all(problem: Problem) -> int:
    """Minor units beyond what any bound or limit speaks of: where a cell ends that nothing bounds."""
    ends = [1.0, float(problem.current.sum())]
    ends += [float(each.lo.max()) for each in problem.bounds]
    ends += [float(each.hi[each.hi < _NO_END].max(initial=0)) for each in problem.bounds]
    spoken = [each for each in problem.limits if each.outcome_weight is None]
    ends += [abs(end) for each in spoken for end in (each.low, each.high) if np.isfinite(end)]
    return int(2 * max(ends))
