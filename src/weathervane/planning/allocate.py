"""Allocate: the budgets that serve a problem's goal best, with a proof of how far from best they can be.

Formulas in docs/modeling/planning.md, "The program", "The bound" and "Risk".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import sparse

from weathervane.contracts.errors import PlanImpossible
from weathervane.contracts.plan import Binding, Certificate
from weathervane.planning import outcome
from weathervane.planning.clash import explain
from weathervane.planning.layout import Layout, Programmed, Scores, layout, programmed, scores
from weathervane.planning.problem import Bools, Floats, Ints, Problem
from weathervane.planning.program import Program, Solution, solve_linear, solve_mixed
from weathervane.planning.stairs import Stairs, corners, envelope, falls_short, value_at

_ENOUGH = 400  # stairs that a first exact search may move; all others stay where the prices put them
_CUTS = 60
_SHARP = 1e-6


@dataclass(frozen=True)
class Allocation:
    """Budgets [g, c, t] in minor units, and the proof."""

    budgets: Ints
    certificate: Certificate


@dataclass(frozen=True)
class _Found:
    """The best budgets so far, what they reach on the layout's own curves, and the bound so far."""

    budgets: Ints | None
    objective: float
    bound: float

    def gap(self) -> float:
        return math.inf if self.budgets is None else relative_gap(self.objective, self.bound)

    def better(self, plan: Layout, budgets: Ints | None) -> _Found:
        """With these budgets, if they hold every limit and reach more."""
        if budgets is None or not holds(plan, budgets):
            return self
        reached = objective(plan, budgets)
        return _Found(budgets, reached, max(self.bound, reached)) if reached > self.objective else self


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
    return Allocation(_budgets(found), _certificate(plan, solution, found, "expected outcome"))


def relative_gap(reached: float, bound: float) -> float:
    """How far the bound lies above what is reached, relative to the bound."""
    return max(0.0, bound - reached) / max(abs(bound), 1e-9) if math.isfinite(bound) else math.inf


def relaxed(plan: Layout) -> tuple[Floats, float]:
    """(budgets [g, c, t], objective) of the relaxation alone, which no budgets can exceed."""
    cells, points = _relaxed(plan)
    made = programmed(plan, cells, points, [points])
    solution = solve_linear(made.program)
    if solution is None:
        raise explain(plan.problem)
    reached = float(made.program.value @ solution.columns) + made.nothing
    return made.budgets(solution.columns).reshape(plan.problem.shape), reached


def objective(plan: Layout, budgets: Ints | Floats) -> float:
    """What budgets reach on the layout's objective, in its own units."""
    x = budgets.ravel().astype(np.float64)
    at = x if plan.link is None else plan.link_at_zero + plan.link @ x
    reached = math.fsum(value_at(plan.aim, at).tolist())
    return plan.problem.goal.per_outcome * reached + math.fsum((plan.per_cell * x).tolist())


def holds(plan: Layout, budgets: Ints) -> bool:
    """Whether budgets hold every bound and limit, to a millionth where outcomes or shares are concerned."""
    problem, x = plan.problem, budgets.ravel().astype(np.float64)
    inside = (budgets >= problem.lo) & (budgets <= problem.hi) | (problem.may_pause & (budgets == 0))
    at = x if plan.link is None else plan.link_at_zero + plan.link @ x
    value = value_at(plan.points, at)
    reached = plan.spend @ x + plan.gain @ value
    room = slack(plan.spend) + _SHARP * (abs(plan.gain) @ np.abs(value))
    return bool(inside.all() and (reached >= plan.low - room).all() and (reached <= plan.high + room).all())


def slack(spend: sparse.csr_array) -> Floats:
    """Minor units by which whole budgets may miss each row: none for plain sums, one a cell for broken weights."""
    broken = abs(spend - spend.astype(np.int64)).sum(axis=1) > 0
    return np.where(broken, np.asarray(abs(spend).sum(axis=1)).ravel(), 1e-6)


def _budgets(found: _Found) -> Ints:
    if found.budgets is None:
        raise PlanImpossible(
            "No budgets in whole minor units were found that hold every limit, though none of the limits is shown to "
            "clash.",
            "widen the limits on outcomes, shares or smallest budgets a little.",
        )
    return found.budgets


def _solve(plan: Layout, start: Ints | None, tolerance: float) -> tuple[Solution, _Found]:
    """Relaxation, rounding, and exact search as far as the gap asks for it."""
    cells, points = _relaxed(plan)
    made = programmed(plan, cells, points, [points])
    solution = solve_linear(made.program)
    if solution is None:
        raise explain(plan.problem)
    marks = scores(plan, solution.price)
    position = made.budgets(solution.columns)
    found = _Found(None, -math.inf, marks.bound).better(plan, start).better(plan, to_minor_units(plan, position))
    if found.gap() > tolerance and plan.link is None and len(position) > _ENOUGH:
        found = _search(plan, marks, found, position, tolerance, few=True)
    if found.gap() > tolerance:
        found = _search(plan, marks, found, position, tolerance, few=False)
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


def _search(plan: Layout, marks: Scores, found: _Found, position: Floats, tolerance: float, *, few: bool) -> _Found:
    """The mixed-integer program over true pieces: over the `few` functions that cost least to move, or over all.

    Of each function only what the prices leave open is searched: what lies outside cannot beat what is found.
    """
    lead = found.bound - found.objective if math.isfinite(found.objective) else math.inf
    cells, points = plan.cells, plan.points
    if few:
        moving = _easiest(plan, marks, position)
        cells = points = _fixed(_narrowed(points, marks.points, lead), ~moving, position, points)
    else:
        points = _narrowed(points, marks.points, lead)
        cells = points if plan.link is None else _narrowed(cells, marks.cells, lead)
    made = programmed(plan, cells, points, [points])
    program, whole = in_order(made, plan.held_down)
    open_ = tolerance / 4 * abs(found.bound) / max(abs(found.bound - made.nothing), 1e-12)
    columns, bound = solve_mixed(program, whole, min(open_, 0.1))
    reached = found
    if columns is not None:
        reached = found.better(plan, to_minor_units(plan, made.budgets(columns[: len(made.program.value)])))
    if few:
        return reached
    # Outside of what was searched nothing beats what had been found.
    proven = max(bound + made.nothing, found.objective, reached.objective)
    return replace(reached, bound=min(reached.bound, proven))


def _easiest(plan: Layout, marks: Scores, position: Floats) -> Bools:
    """The functions that lose least by moving from where they are by a piece, and those in the middle of one."""
    x, _ = corners(plan.points)
    top = marks.points.max(axis=1)
    away = np.abs(x - position[:, None]) > 0.5
    second = np.where(away, marks.points, -np.inf).max(axis=1)
    loss = top - second
    moving: Bools = np.abs(x - position[:, None]).min(axis=1) > 0.5
    moving[np.argsort(loss, kind="stable")[:_ENOUGH]] = True
    return moving


def _narrowed(each: Stairs, marks: Floats, lead: float) -> Stairs:
    """Only the corners that could be part of something better than what leads, and one more on either side."""
    if not math.isfinite(lead):
        return each
    k = each.width.shape[1]
    open_ = marks >= marks.max(axis=1, keepdims=True) - lead * (1 + 1e-9) - 1e-12
    first = np.maximum(np.argmax(open_, axis=1) - 1, 0)
    last = np.minimum(k - np.argmax(open_[:, ::-1], axis=1) + 1, k)
    x, y = corners(each)
    row, piece = np.arange(len(first)), np.arange(k)
    kept = (piece >= first[:, None]) & (piece < last[:, None])
    return Stairs(
        x[row, first], y[row, first], each.width * kept, each.rise * kept, each.whole & kept, each.torn & kept
    )


def _fixed(each: Stairs, rows: Bools, position: Floats, true: Stairs) -> Stairs:
    """Some functions held at their position, at its true value."""
    gone = ~rows[:, None]
    return Stairs(
        np.where(rows, position, each.start),
        np.where(rows, value_at(true, position), each.base),
        each.width * gone,
        each.rise * gone,
        each.whole & gone,
        each.torn & gone,
    )


def in_order(made: Programmed, every: Bools) -> tuple[Program, Bools]:
    """(program, which columns are whole) with a binary at each corner after which a function may rise faster, or of
    `every` corner of some points [J]: 1 once all before it is climbed. Pieces to be climbed whole are binary too.
    """
    program, n = made.program, len(made.program.value)
    whole = np.zeros(n, np.bool_)
    after, before = list[tuple[int, int]](), list[tuple[int, int]]()  # (binary, column): y ≤ u and u ≤ y
    binaries, first = 0, 0
    for each in (made.cells,) if made.points is made.cells else (made.cells, made.points):
        piece = np.nonzero(each.width > 0)
        column = np.full(each.width.shape, -1)
        column[piece] = first + np.arange(len(piece[0]))
        whole[column[piece]] = each.whole[piece]
        first += len(piece[0])
        slope, all_of = each.slope(), every if each is made.points else np.zeros(len(each.start), np.bool_)
        for row in np.flatnonzero(falls_short(each) | all_of):
            runs = _runs(
                np.flatnonzero(column[row] >= 0).tolist(), slope[row], each.whole[row], every=bool(all_of[row])
            )
            for done, coming in pairwise(runs):
                after += [(binaries, column[row, k]) for k in done]
                before += [(binaries, column[row, k]) for k in coming]
                binaries += 1
    if not binaries:
        return program, whole
    pairs, index = np.array(after + before), np.arange(len(after) + len(before))
    sign = np.where(index < len(after), -1.0, 1.0)  # sign · (u − y) ≤ 0
    at = (np.r_[index, index], np.r_[pairs[:, 1], n + pairs[:, 0]])
    order = sparse.csr_array((np.r_[sign, -sign], at), (len(pairs), n + binaries))
    wide = sparse.hstack([program.rows, sparse.csr_array((program.rows.shape[0], binaries))])
    ordered = Program(
        np.concatenate([program.value, np.zeros(binaries)]),
        sparse.csr_array(sparse.vstack([wide, order])),
        np.concatenate([program.low, np.full(len(pairs), -np.inf)]),
        np.concatenate([program.high, np.zeros(len(pairs))]),
        np.concatenate([program.lower, np.zeros(binaries)]),
        np.concatenate([program.upper, np.ones(binaries)]),
    )
    return ordered, np.concatenate([whole, np.ones(binaries, np.bool_)])


def _runs(pieces: list[int], slope: Floats, whole: Bools, *, every: bool) -> list[list[int]]:
    """Pieces grouped so that within a group each is no steeper than the one before."""
    runs: list[list[int]] = []
    for k in pieces:
        if not runs or every or whole[runs[-1][-1]] or slope[k] > slope[runs[-1][-1]]:
            runs.append([k])
        else:
            runs[-1].append(k)
    return runs


def to_minor_units(plan: Layout, position: Floats) -> Ints | None:
    """Whole minor units nearest to the positions that hold every bound and every limit on budgets; None if none do."""
    problem = plan.problem
    paused = problem.may_pause.ravel() & (position < 0.5)
    lo, hi = np.where(paused, 0, problem.lo.ravel()), np.where(paused, 0, problem.hi.ravel())
    down = np.clip(np.floor(position + _SHARP).astype(np.int64), lo, hi)
    up = np.minimum(hi, down + (position - down > _SHARP))
    found = _rounded(plan, position, down, up)
    if found is None:
        found = _rounded(plan, position, np.maximum(lo, down - 1), np.minimum(hi, down + 1))
    return None if found is None else found.reshape(problem.shape)


def _rounded(plan: Layout, position: Floats, least: Ints, most: Ints) -> Ints | None:
    """Whole numbers between `least` and `most`, nearest to the positions, that hold the limits on budgets alone."""
    plain = np.asarray(abs(plan.gain).sum(axis=1)).ravel() == 0
    rows, room = plan.spend[plain], slack(plan.spend[plain])
    held = rows @ least.astype(np.float64)
    low, high = plan.low[plain] - held - room, plan.high[plain] - held + room
    open_ = np.flatnonzero(most > least)
    if not len(open_):
        return least if (low <= 0).all() and (high >= 0).all() else None
    # One unit more pays as far as the position lies above the middle between the two.
    pays = 2 * (position - least)[open_] - (most - least)[open_]
    size = (most - least)[open_].astype(np.float64)
    program = Program(pays, sparse.csr_array(rows[:, open_]), low, high, np.zeros(len(open_)), size)
    columns, _ = solve_mixed(program, np.ones(len(open_), np.bool_))
    if columns is None:
        return None
    result = least.copy()
    result[open_] += np.round(columns).astype(np.int64)
    return result


def _cautious(problem: Problem, start: Ints | None, tolerance: float) -> Allocation:
    """The largest mean of the lowest tail of draws: the tail is bought cut by cut (docs "Risk").

    p10 is steered by the mean of the lowest fifth, in whose middle it lies; the certificate is about that mean.
    """
    tail = 0.2 if problem.risk.name == "p10" else problem.risk.tail
    plan = layout(problem)
    bent = falls_short(plan.cells).any() or plan.held_down.any() or _bends(problem)
    aims, every = [plan.points], np.ones(len(plan.points.start), np.bool_)
    found, price = _Found(None, -math.inf, math.inf), np.zeros(len(plan.low))
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
                    found = _Found(budgets, reached, max(found.bound, reached))
        draws = outcome.caused_draws(problem, position.reshape(problem.shape))
        aims.append(layout(problem, tail_weights(draws, tail)).aim)
        aim, shares = aims[-1], made.shares(columns)
        climbed = problem.goal.per_outcome * float(aim.base.sum() + (aim.rise * shares).sum())
        settled = columns[len(made.program.value) - 1] - climbed <= tolerance / 10 * abs(climbed) + _SHARP
        if found.gap() <= tolerance or (settled and (exact or not bent)):
            break
        exact = exact or settled
    of = f"the mean of the lowest {tail:.0%} of outcomes"
    return Allocation(_budgets(found), _certificate(plan, Solution(np.zeros(0), price), found, of))


def _bends(problem: Problem) -> bool:
    """Whether some draw of some curve rises faster and then slower within the bounds, so that pieces need an order."""
    slope = np.diff(problem.outcome, axis=2) / np.diff(problem.grid, axis=2)[..., None]
    reach = (problem.lo.min(axis=2) * problem.per_week, problem.hi.max(axis=2) * problem.per_week)
    inner = problem.grid[:, :, 1:-1]
    inside = (inner > reach[0][..., None]) & (inner < reach[1][..., None]) | (problem.carry is not None)
    return bool((inside[..., None] & (np.diff(slope, axis=2) > _SHARP * np.abs(slope).max())).any())


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


def _certificate(plan: Layout, solution: Solution, found: _Found, of: str) -> Certificate:
    """What is proven, and what binds, the dearest first."""
    assert found.budgets is not None
    problem, m = plan.problem, len(plan.low)
    price = solution.price[:m] * problem.minor
    worth: dict[str, tuple[int, float]] = {}
    for name, each, row in zip(plan.names, price.tolist(), range(m), strict=True):
        if abs(each) > _SHARP:
            plain = plan.gain[[row]].nnz == 0
            cells, most = worth.get(name, (0, 0.0))
            worth[name] = (cells + 1, max(most, abs(each)) if plain else most)
    marks = scores(plan, solution.price)
    lifted = np.diff(marks.cells, axis=1)
    x, _ = corners(plan.cells)
    at = found.budgets.ravel()
    slope = np.divide(lifted, plan.cells.width, out=np.zeros_like(lifted), where=plan.cells.width > 0)
    for bound in problem.bounds:
        for limit, side in ((bound.hi.ravel(), 1), (bound.lo.ravel(), -1)):
            pressed = (at == limit) & (problem.lo.ravel() < problem.hi.ravel())
            if side > 0:
                piece = (plan.cells.width > 0) & (x[:, 1:] <= at[:, None] + 0.5)
                last = plan.cells.width.shape[1] - 1 - np.argmax(piece[:, ::-1], axis=1)
            else:
                last = np.argmax((plan.cells.width > 0) & (x[:, :-1] >= at[:, None] - 0.5), axis=1)
            gains = np.where(pressed, side * slope[np.arange(len(at)), last], 0.0) * problem.minor
            binds = gains > _SHARP
            if binds.any():
                cells, most = worth.get(bound.name, (0, 0.0))
                worth[bound.name] = (cells + int(binds.sum()), max(most, float(gains.max())))
    binding = tuple(
        Binding(name, count, each or None)
        for name, (count, each) in sorted(worth.items(), key=lambda item: (-item[1][1], item[0]))
    )
    return Certificate(found.objective, found.bound, found.gap(), of, binding)
