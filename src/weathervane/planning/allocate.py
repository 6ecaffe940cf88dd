"""Allocate: the budgets that serve a problem's goal best, with a proof of how far from best they can be.

Formulas in docs/modeling/planning.md, "The program", "The bound" and "Risk".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from weathervane.contracts.errors import PlanImpossible
from weathervane.contracts.plan import Certificate
from weathervane.planning import outcome
from weathervane.planning.clash import explain
from weathervane.planning.layout import Layout, layout, programmed, scores
from weathervane.planning.problem import Bools, Floats, Ints, Problem
from weathervane.planning.program import Solution, solve_linear, solve_mixed
from weathervane.planning.proof import certificate
from weathervane.planning.reach import SHARP, Found, holds
from weathervane.planning.rounding import to_minor_units
from weathervane.planning.search import ENOUGH, in_order, search
from weathervane.planning.stairs import Stairs, envelope, falls_short

_CUTS = 60


@dataclass(frozen=True)
class Allocation:
    """Budgets [g, c, t] in minor units, and the proof."""

    budgets: Ints
    certificate: Certificate


def best(problem: Problem, *, start: Ints | None = None, tolerance: float = 1e-3) -> Allocation:
    """The best budgets, searched exactly where the bound is further than `tolerance`; `start` if nothing beats it.

    Ties go to the names that sort first. Raises PlanImpossible, naming the smallest set of limits that clash, where no
    budgets hold them all.
    """
    if ((problem.lo > problem.hi) & ~problem.may_pause).any():
        raise explain(problem)
    if problem.risk.name != "expected":
        return _cautious(problem, start, tolerance)
    plan = layout(problem)
    solution, found = _solve(plan, start, tolerance)
    return Allocation(_budgets(found), certificate(plan, solution, found, "expected outcome"))


def relaxed(plan: Layout) -> tuple[Floats, float]:
    """(budgets [g, c, t], objective) of the relaxation alone, which no budgets can exceed."""
    cells, points = _relaxed(plan)
    made = programmed(plan, cells, points, [points])
    solution = solve_linear(made.program)
    if solution is None:
        raise explain(plan.problem)
    reached = float(made.program.value @ solution.columns) + made.nothing
    return made.budgets(solution.columns).reshape(plan.problem.shape), reached


def _budgets(found: Found) -> Ints:
    if found.budgets is None:
        raise PlanImpossible(
            "No budgets in whole minor units were found that hold every limit, though none of the limits is shown to "
            "clash.",
            "widen the limits on outcomes, shares or smallest budgets a little.",
        )
    return found.budgets


def _solve(plan: Layout, start: Ints | None, tolerance: float) -> tuple[Solution, Found]:
    """Relaxation, rounding, and exact search as far as the gap asks for it."""
    cells, points = _relaxed(plan)
    made = programmed(plan, cells, points, [points])
    solution = solve_linear(made.program)
    if solution is None:
        raise explain(plan.problem)
    marks = scores(plan, solution.price)
    position = made.budgets(solution.columns)
    found = Found(None, -math.inf, marks.bound).better(plan, start).better(plan, to_minor_units(plan, position))
    if found.gap() > tolerance and plan.link is None and len(position) > ENOUGH:
        found = search(plan, marks, found, position, tolerance, few=True)
    if found.gap() > tolerance:
        found = search(plan, marks, found, position, tolerance, few=False)
    return solution, found


def _relaxed(plan: Layout) -> tuple[Stairs, Stairs]:
    """Least concave functions above the true ones, except where a row holds an outcome down: there the true pieces."""
    if plan.link is None:
        both = _but(envelope(plan.points), plan.points, plan.held_down)
        return both, both
    return plan.cells, _but(envelope(plan.points), plan.points, plan.held_down)


def _but(each: Stairs, other: Stairs, rows: Bools) -> Stairs:
    """`each` with some functions as in `other`."""
    if not rows.any():
        return each
    mixed = [np.where(rows if a.ndim == 1 else rows[:, None], b, a) for a, b in _fields(each, other)]
    return Stairs(*mixed)


def _fields(each: Stairs, other: Stairs) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(getattr(each, name), getattr(other, name)) for name in Stairs.__dataclass_fields__]


def _cautious(problem: Problem, start: Ints | None, tolerance: float) -> Allocation:
    """The largest mean of the lowest tail of draws: the tail is bought cut by cut (docs "Risk").

    p10 is steered by the mean of the lowest fifth, in whose middle it lies; the certificate is about that mean.
    """
    tail = 0.2 if problem.risk.name == "p10" else problem.risk.tail
    plan = layout(problem)
    bent = falls_short(plan.cells).any() or plan.held_down.any() or _bends(problem)
    aims, every = [plan.points], np.ones(len(plan.points.start), np.bool_)
    found, price = Found(None, -math.inf, math.inf), np.zeros(len(plan.low))
    first = len(plan.low) + len(plan.link_at_zero)
    exact = False
    for _ in range(_CUTS):
        cuts = [*aims, aims[-1]]  # at least two, so that the last column is there
        made = programmed(plan, plan.cells, plan.points, cuts)
        if exact:
            program, whole = in_order(made, every)
            columns, bound = solve_mixed(program, whole, tolerance / 4)
            bound += made.nothing
        else:
            solved = solve_linear(made.program)
            if solved is None:
                raise explain(problem)
            columns, price = solved.columns, solved.price
            plan = _weighted(plan, cuts, price[first:])
            bound = scores(plan, price[:first]).bound
        found = replace(found, bound=min(found.bound, max(bound, found.objective)))
        if columns is None:
            break
        position = made.budgets(columns[: len(made.program.value) - 1])
        for budgets in (start, to_minor_units(plan, position)):
            if budgets is not None and holds(plan, budgets):
                reached = tail_mean(problem, budgets, tail)
                if reached > found.objective:
                    found = Found(budgets, reached, max(found.bound, reached))
        draws = outcome.caused_draws(problem, position.reshape(problem.shape))
        aims.append(layout(problem, tail_weights(draws, tail)).aim)
        aim, shares = aims[-1], made.shares(columns)
        climbed = problem.goal.per_outcome * float(aim.base.sum() + (aim.rise * shares).sum())
        settled = columns[len(made.program.value) - 1] - climbed <= tolerance / 10 * abs(climbed) + SHARP
        if found.gap() <= tolerance or (settled and (exact or not bent)):
            break
        exact = exact or settled
    of = f"the mean of the lowest {tail:.0%} of outcomes"
    return Allocation(_budgets(found), certificate(plan, Solution(np.zeros(0), price), found, of))


def _bends(problem: Problem) -> bool:
    """Whether some draw of some curve rises faster and then slower within the bounds, so that pieces need an order."""
    slope = np.diff(problem.outcome, axis=2) / np.diff(problem.grid, axis=2)[..., None]
    reach = (problem.lo.min(axis=2) * problem.per_week, problem.hi.max(axis=2) * problem.per_week)
    inner = problem.grid[:, :, 1:-1]
    inside = (inner > reach[0][..., None]) & (inner < reach[1][..., None]) | (problem.carry is not None)
    return bool((inside[..., None] & (np.diff(slope, axis=2) > SHARP * np.abs(slope).max())).any())


def _weighted(plan: Layout, aims: list[Stairs], price: Floats) -> Layout:
    """The layout whose objective weighs the draws as the prices of the cuts do: it bounds the lowest tail's mean."""
    share = price / price.sum()
    base = np.einsum("q,qj->j", share, np.array([aim.base for aim in aims]))
    rise = np.einsum("q,qjk->jk", share, np.array([aim.rise for aim in aims]))
    return replace(plan, aim=replace(plan.points, base=base, rise=rise))


def tail_weights(draws: Floats, tail: float) -> Floats:
    """Weights [d], adding up to one, of the lowest `tail` of the draws."""
    left = np.clip(tail * len(draws) - np.arange(len(draws)), 0.0, 1.0) / (tail * len(draws))
    weights = np.empty(len(draws))
    weights[np.argsort(draws, kind="stable")] = left
    return weights


def tail_mean(problem: Problem, budgets: Ints | Floats, tail: float) -> float:
    """The objective with the mean of the lowest tail of draws for the outcome."""
    draws = outcome.caused_draws(problem, budgets)
    spend = float(budgets.sum()) / problem.minor
    return problem.goal.per_outcome * float(draws @ tail_weights(draws, tail)) - problem.goal.per_spend * spend
