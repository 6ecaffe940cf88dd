"""Layout: a problem as columns and rows of a program, and the bound that any prices prove.

Formulas in docs/modeling/planning.md, "The program" and "The bound".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from weathervane.planning import outcome
from weathervane.planning.problem import Bools, Floats, Goal, Ints, Limit, Problem
from weathervane.planning.program import Program
from weathervane.planning.stairs import Stairs, climbed, corners, stairs

RAMP = "the change from one period to the next"


@dataclass(frozen=True)
class Layout:
    """A problem ready to be programmed: n cells [g · c · t] that money goes to, J points at which it brings something.

    Without carry-over cells and points are the same stairs; with it the cells bring nothing themselves. `spend` [m, n]
    and `gain` [m, J] are the weights of the m rows on budgets and on outcomes, `link` [J, n] the pressure a minor unit
    makes, None without carry-over. `aim` [J] climbs as the points do, in the outcome that the objective counts: that of
    weighted draws, where points have means.
    """

    problem: Problem
    cells: Stairs
    points: Stairs
    aim: Stairs
    names: tuple[str, ...]
    spend: sparse.csr_array
    gain: sparse.csr_array
    low: Floats
    high: Floats
    link: sparse.csr_array | None
    link_at_zero: Floats

    @property
    def per_cell(self) -> Floats:
        """What a minor unit spent takes off the objective."""
        return np.full(len(self.cells.start), -self.problem.goal.per_spend / self.problem.minor)

    @cached_property
    def held_down(self) -> Bools:
        """Points [J] whose outcome some row holds down: there the envelope would be no relaxation."""
        weights = self.gain.toarray()
        down = ((weights > 0) & np.isfinite(self.high)[:, None]) | ((weights < 0) & np.isfinite(self.low)[:, None])
        return np.asarray(down.any(axis=0))


def layout(problem: Problem, weights: Floats | None = None) -> Layout:
    """The problem ready to be programmed; `weights` [d] of the draws make the objective, none for their mean."""
    cells, points, link, at_zero = _geometry(problem, None)
    aim = points if weights is None else _geometry(problem, weights)[1]
    spend, gain = _weights(problem)
    names = [each.name for each in problem.limits]
    low, high = ([getattr(each, side) for each in problem.limits] for side in ("low", "high"))
    ramp = _ramp(problem)
    if ramp is not None:
        spend = sparse.csr_array(sparse.vstack([spend, ramp]))
        gain = sparse.csr_array(sparse.vstack([gain, sparse.csr_array((ramp.shape[0], gain.shape[1]))]))
        names += [RAMP] * ramp.shape[0]
        low += [-np.inf] * ramp.shape[0]
        high += [0.0] * ramp.shape[0]
    ends = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    return Layout(problem, cells, points, aim, tuple(names), spend, gain, *ends, link, at_zero)


def seen_by(plan: Layout, weights: Floats, goal: Goal) -> Layout:
    """The layout if the draws so weighted [d] were the truth, without limits on outcomes."""
    cells, points, _, _ = _geometry(plan.problem, weights)
    plain = np.diff(plan.gain.indptr) == 0
    return replace(
        plan,
        problem=replace(plan.problem, goal=goal),
        cells=cells,
        points=points,
        aim=points,
        gain=sparse.csr_array(plan.gain.shape),
        low=np.where(plain, plan.low, -np.inf),
        high=np.where(plain, plan.high, np.inf),
    )


def _geometry(problem: Problem, weights: Floats | None) -> tuple[Stairs, Stairs, sparse.csr_array | None, Floats]:
    """(cells, points, link, pressure at zero) on the curves that weight the draws so."""
    grid, values = outcome.mean_curves(problem, weights)
    pause, k = problem.may_pause.ravel(), grid.shape[-1]
    shut = pause & (problem.lo > problem.hi).ravel()
    lo, hi = (np.where(shut, 0, each.ravel()).astype(np.float64) for each in (problem.lo, problem.hi))
    at = np.repeat(grid[:, :, None, :], problem.n_points, axis=2).reshape(-1, k)
    if problem.carry is None:
        cells = stairs(at / problem.per_week, values.reshape(-1, k), lo, hi, pause, round_to=1.0)
        return cells, cells, None, np.zeros(0)
    ends = np.stack([np.zeros_like(hi), hi + 1.0], axis=1)
    cells = stairs(ends, np.zeros_like(ends), lo, hi, pause)
    link, at_zero = _link(problem)
    base = outcome.interpolate(grid, values, at_zero.reshape(*grid.shape[:2], -1))[..., None]
    least, most = at_zero + link @ np.where(pause, 0.0, lo), at_zero + link @ hi
    points = stairs(at, (values - base).reshape(-1, k), least, most, np.zeros(len(at_zero), np.bool_))
    return cells, points, link, at_zero


def _weights(problem: Problem) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Rows of the limits on budgets [m, n] and on outcomes [m, J]."""
    n = int(np.prod(problem.shape))
    spend = [np.zeros(n) if each.budget_weight is None else each.budget_weight.ravel() for each in problem.limits]
    gain = [_point_weights(problem, each) for each in problem.limits]
    n_points = problem.shape[0] * problem.shape[1] * problem.n_points
    return (
        sparse.csr_array(np.array(spend).reshape(len(spend), n)),
        sparse.csr_array(np.array(gain).reshape(len(gain), n_points)),
    )


def _point_weights(problem: Problem, limit: Limit) -> Floats:
    g, c, t = problem.shape
    weights = np.zeros((g, c, problem.n_points))
    if limit.outcome_weight is not None:
        weights[:, :, :t] = limit.outcome_weight
        if limit.carried_out:
            weights[:, :, t:] = limit.outcome_weight.mean(axis=2, keepdims=True)
    return weights.ravel()


def _ramp(problem: Problem) -> sparse.csr_array | None:
    """Rows x_t ≤ (1 + r) x_before and x_t ≥ (1 − r) x_before; a cell that may pause jumps by nature and has none;
    nor has one that is held."""
    if problem.ramp_rel is None or problem.n_periods < 2:
        return None
    index = np.arange(int(np.prod(problem.shape))).reshape(problem.shape)
    free = problem.may_pause | problem.is_held
    steady = ~(free[:, :, 1:] | free[:, :, :-1])
    now, before = index[:, :, 1:][steady], index[:, :, :-1][steady]
    row, one = np.arange(len(now)), np.ones(len(now))
    shape = (len(now), index.size)
    up = sparse.csr_array((np.r_[one, -(1 + problem.ramp_rel) * one], (np.r_[row, row], np.r_[now, before])), shape)
    down = sparse.csr_array((np.r_[-one, (1 - problem.ramp_rel) * one], (np.r_[row, row], np.r_[now, before])), shape)
    return sparse.csr_array(sparse.vstack([up, down]))


def _link(problem: Problem) -> tuple[sparse.csr_array, Floats]:
    """Pressure [J] = at_zero + link · budgets, by mean carry-over."""
    g, c, t = problem.shape
    assert problem.carry is not None
    within = problem.carry.within.mean(axis=3) * problem.per_week  # [c, p, t]
    blocks = [sparse.csr_array(within[channel]) for _ in range(g) for channel in range(c)]
    return (
        sparse.csr_array(sparse.block_diag(blocks)),
        outcome.pressure(problem, np.zeros((g, c, t))).ravel(),
    )


@dataclass(frozen=True)
class Programmed:
    """A program whose first columns are the pieces of these stairs, then those of `points` where they are not `cells`.

    `nothing` is the objective before any piece is climbed.
    """

    program: Program
    cells: Stairs
    points: Stairs
    nothing: float

    def budgets(self, columns: Floats) -> Floats:
        """The cells' positions [n]."""
        return climbed(self.cells, self._shares(columns)[0])

    def shares(self, columns: Floats) -> Floats:
        """How far each piece of the points is climbed [J, k]."""
        return self._shares(columns)[-1]

    def _shares(self, columns: Floats) -> list[Floats]:
        at, shares = 0, list[Floats]()
        for each in (self.cells,) if self.points is self.cells else (self.cells, self.points):
            piece = np.nonzero(each.width > 0)
            share = np.zeros_like(each.width)
            share[piece] = columns[at : at + len(piece[0])]
            at += len(piece[0])
            shares.append(share)
        return shares


def programmed(plan: Layout, cells: Stairs, points: Stairs, aims: Sequence[Stairs]) -> Programmed:
    """The program over these stairs. Of several aims, the least counts: a last column holds it under all of them."""
    goal, same = plan.problem.goal, points is cells
    cell, point = np.nonzero(cells.width > 0), np.nonzero(points.width > 0)
    width = cells.width[cell]
    cost = plan.per_cell[cell[0]] * width
    climbs = [goal.per_outcome * aim.rise[point] for aim in aims]
    spend, gain = _times(plan.spend, cell[0], width), _times(plan.gain, point[0], points.rise[point])
    rows = [spend + gain if same else sparse.hstack([spend, gain])]
    held = plan.spend @ cells.start + plan.gain @ points.base
    low, high = [plan.low - held], [plan.high - held]
    if plan.link is not None:
        climb = points.width[point]
        made = sparse.csr_array((climb, (point[0], np.arange(len(climb)))), shape=(len(points.start), len(climb)))
        rows.append(sparse.hstack([_times(plan.link, cell[0], -width), made]))
        low.append(plan.link_at_zero + plan.link @ cells.start - points.start)
        high.append(low[-1])
    wide = [cost + climb if same else np.concatenate([cost, climb]) for climb in climbs]
    nothing = float(plan.per_cell @ cells.start)
    value, stacked = wide[0], sparse.csr_array(sparse.vstack(rows))
    lower, upper = np.zeros(len(value)), np.ones(len(value))
    if len(aims) == 1:
        nothing += goal.per_outcome * float(aims[0].base.sum())
    else:
        # worth ≤ base + climb for every aim; the cost stays outside.
        wide = [climb if same else np.concatenate([np.zeros(len(cost)), climb]) for climb in climbs]
        least = sparse.hstack([sparse.csr_array(-np.array(wide)), sparse.csr_array(np.ones((len(aims), 1)))])
        none = sparse.csr_array((stacked.shape[0], 1))
        stacked = sparse.csr_array(sparse.vstack([sparse.hstack([stacked, none]), least]))
        low.append(np.full(len(aims), -np.inf))
        high.append(goal.per_outcome * np.array([aim.base.sum() for aim in aims]))
        value = np.concatenate([cost if same else np.concatenate([cost, np.zeros(len(climbs[0]))]), [1.0]])
        lower, upper = np.append(lower, -np.inf), np.append(upper, np.inf)
    program = Program(value, stacked, np.concatenate(low), np.concatenate(high), lower, upper)
    return Programmed(program, cells, points, nothing)


def _times(rows: sparse.csr_array, chosen: Ints, by: Floats) -> sparse.csr_array:
    return sparse.csr_array(sparse.csc_array(rows)[:, chosen] @ sparse.diags_array(by))


@dataclass(frozen=True)
class Scores:
    """What each corner of the stairs is worth at given prices, [n, k + 1]; `rest` is the worth of the rows' bounds.

    For any prices of the right sign, the sum of the best corners and the rest is no less than the objective of any
    budgets that hold the limits (weak duality), whatever the shape of the curves.
    """

    cells: Floats
    points: Floats
    rest: float

    @property
    def bound(self) -> float:
        """The upper bound that these prices prove."""
        same = self.points is self.cells
        return float(self.cells.max(axis=1).sum() + (0.0 if same else self.points.max(axis=1).sum()) + self.rest)


def scores(plan: Layout, price: Floats) -> Scores:
    """The corners of the true curves at these prices of the rows, the links' after the limits'."""
    m = len(plan.low)
    rows = np.where(price[:m] > 0, np.where(np.isfinite(plan.high), price[:m], 0.0), price[:m])
    rows = np.where((rows < 0) & ~np.isfinite(plan.low), 0.0, rows)
    rest = float(rows @ np.where(rows > 0, plan.high, np.where(rows < 0, plan.low, 0.0)))
    per_outcome, per_gain = plan.problem.goal.per_outcome, -(plan.gain.T @ rows)
    per_spend = plan.per_cell - plan.spend.T @ rows
    cell_x, cell_y = corners(plan.cells)
    if plan.link is None:
        both = per_outcome * corners(plan.aim)[1] + per_gain[:, None] * cell_y + per_spend[:, None] * cell_x
        return Scores(both, both, rest)
    links = price[m : m + len(plan.link_at_zero)]
    point_x, point_y = corners(plan.points)
    return Scores(
        (per_spend + plan.link.T @ links)[:, None] * cell_x,
        per_outcome * corners(plan.aim)[1] + per_gain[:, None] * point_y - links[:, None] * point_x,
        rest + float(links @ plan.link_at_zero),
    )
