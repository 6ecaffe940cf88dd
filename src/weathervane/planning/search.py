"""Search: the mixed-integer program over true pieces, where the relaxation is not proof enough.

Formulas in docs/modeling/planning.md, "The program".
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import sparse

from weathervane.planning.layout import Layout, Programmed, Scores, programmed
from weathervane.planning.problem import Bools, Floats
from weathervane.planning.program import Program, solve_mixed
from weathervane.planning.reach import Found
from weathervane.planning.rounding import to_minor_units
from weathervane.planning.stairs import Stairs, corners, falls_short, value_at

ENOUGH = 400  # stairs that a first exact search may move; all others stay where the prices put them


def search(plan: Layout, marks: Scores, found: Found, position: Floats, tolerance: float, *, few: bool) -> Found:
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
    moving[np.argsort(loss, kind="stable")[:ENOUGH]] = True
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
