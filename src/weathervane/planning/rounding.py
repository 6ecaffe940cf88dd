"""Rounding: whole minor units nearest to what a program chose (docs/modeling/planning.md, "The program")."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from weathervane.planning.layout import Layout
from weathervane.planning.problem import Floats, Ints
from weathervane.planning.program import Program, solve_mixed
from weathervane.planning.reach import SHARP, slack


def to_minor_units(plan: Layout, position: Floats) -> Ints | None:
    """Whole minor units nearest to the positions that hold every bound and every limit on budgets; None if none do."""
    problem = plan.problem
    paused = problem.may_pause.ravel() & (position < 0.5)
    lo, hi = np.where(paused, 0, problem.lo.ravel()), np.where(paused, 0, problem.hi.ravel())
    down = np.clip(np.floor(position + SHARP).astype(np.int64), lo, hi)
    up = np.minimum(hi, down + (position - down > SHARP))
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
