"""Program: linear and mixed-integer programs over shares of pieces, by HiGHS (planning.md, "The program").

maximise value · u  subject to  low ≤ rows · u ≤ high,  lower ≤ u ≤ upper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, sparse

from weathervane.planning.problem import Bools, Floats, Ints

# Nodes, not seconds: the answer must not depend on how busy the machine is.
_NODES = 2000
# The dual simplex takes time in the square of the columns; beyond this many only those that can matter are handed over.
_MANY_COLUMNS = 4000
_FEASIBLE = 1e-9
_MANY_ROWS = 500
_WINDOW = 400
_CLOSE = 1e-5
_SWEEPS = 4


@dataclass(frozen=True)
class Program:
    """A program over columns u; `rows` is sparse [m, n]."""

    value: Floats
    rows: sparse.csr_array
    low: Floats
    high: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Solution:
    """The columns and, for each row, what one unit more of its bound is worth."""

    columns: Floats
    price: Floats


def solve_linear(program: Program) -> Solution | None:
    """The optimum of the linear program; None if nothing satisfies its rows."""
    if not len(program.low) or not len(program.value):
        columns = np.where(program.value > 0, program.upper, program.lower)
        possible = (program.low <= _FEASIBLE).all() and (program.high >= -_FEASIBLE).all()
        return Solution(columns, np.zeros(len(program.low))) if possible else None
    scaled, unit, size = _scaled(program)
    many = (
        len(program.value) > _MANY_COLUMNS and len(program.low) < _MANY_ROWS and bool(np.isfinite(program.upper).all())
    )
    solved = _one_row(scaled) if len(program.low) == 1 else _sift(scaled) if many else _simplex(scaled)
    return solved and Solution(solved.columns, solved.price * unit / size)


def solve_mixed(program: Program, whole: Bools, gap_rel: float = 1e-6) -> tuple[Floats | None, float]:
    """(columns or None, upper bound on the value) with `whole` columns integer, after a limited number of nodes.

    It may stop once the two are `gap_rel` of the value apart.
    """
    scaled, unit, _ = _scaled(program)
    result = optimize.milp(
        -scaled.value,
        integrality=whole.astype(np.int64),
        bounds=optimize.Bounds(scaled.lower, scaled.upper),
        constraints=optimize.LinearConstraint(scaled.rows, scaled.low, scaled.high) if len(scaled.low) else (),
        options={"node_limit": _NODES, "mip_rel_gap": max(gap_rel, 1e-6)},
    )
    # Stopped at the node limit the solver may know no point, or no bound.
    bound: float | None = result.mip_dual_bound
    columns = None if result.x is None else np.asarray(result.x, dtype=np.float64)
    return columns, np.inf if bound is None else -float(bound) * unit


def _scaled(program: Program) -> tuple[Program, float, Floats]:
    """The program with values and every row's weights up to one, and by how much each was divided."""
    unit = float(np.abs(program.value).max(initial=1e-12)) or 1.0
    largest = abs(program.rows).max(axis=1).toarray().ravel() if program.rows.shape[1] else np.ones(len(program.low))
    size = np.where(largest > 0, largest, 1.0)
    rows = sparse.csr_array(sparse.diags_array(1 / size) @ program.rows)
    low, high = program.low / size, program.high / size
    return replace(program, value=program.value / unit, rows=rows, low=low, high=high), unit, size


def _one_row(program: Program) -> Solution | None:
    """One row of positive weights: the columns that bring most per weight first, as far as the row allows."""
    weight = program.rows.toarray().ravel()
    if (weight < 0).any() or not np.isfinite(program.upper).all():
        return _simplex(program)
    free = weight == 0
    per = np.divide(program.value, weight, out=np.where(program.value > 0, np.inf, -np.inf), where=~free)
    order = np.argsort(-per, kind="stable")
    room = (weight * (program.upper - program.lower))[order]
    start = float(weight @ program.lower)
    low, high = float(program.low[0]) - start, float(program.high[0]) - start
    tolerance = _FEASIBLE * max(1.0, float(room.sum()))
    if high < -tolerance or low > float(room.sum()) + tolerance:
        return None
    gainful = float(room[per[order] > 0].sum())
    filled = min(max(gainful, low), high)
    done = np.cumsum(room) - room
    share = np.divide(filled - done, room, out=np.where(per[order] > 0, 1.0, 0.0), where=room > 0)
    columns = program.lower.copy()
    columns[order] += np.clip(share, 0.0, 1.0) * (program.upper - program.lower)[order]
    at = min(int(np.searchsorted(np.cumsum(room), filled - tolerance)), len(order) - 1)
    binds = filled != gainful or (filled in (low, high))
    return Solution(columns, np.array([per[order][at] if binds and not free[order[at]] else 0.0]))


def _simplex(program: Program) -> Solution | None:
    same = program.low == program.high
    up, down = np.isfinite(program.high) & ~same, np.isfinite(program.low) & ~same
    above = sparse.vstack([program.rows[up], -program.rows[down]], format="csr")
    result = optimize.linprog(
        -program.value,
        A_ub=above if above.shape[0] else None,
        b_ub=np.concatenate([program.high[up], -program.low[down]]) if above.shape[0] else None,
        A_eq=program.rows[same] if same.any() else None,
        b_eq=program.high[same] if same.any() else None,
        bounds=list(zip(program.lower.tolist(), program.upper.tolist(), strict=True)),
        method="highs-ds",
        options={"presolve": len(program.low) > 200},
    )
    if result.x is None or result.status != 0:
        return None
    price = np.zeros(len(program.low))
    if above.shape[0]:
        marginals = -np.asarray(result.ineqlin.marginals, dtype=np.float64)
        price[up] += marginals[: int(up.sum())]
        price[down] -= marginals[int(up.sum()) :]
    if same.any():
        price[same] = -np.asarray(result.eqlin.marginals, dtype=np.float64)
    return Solution(np.clip(np.asarray(result.x, dtype=np.float64), program.lower, program.upper), price)


def _sift(program: Program) -> Solution | None:
    """Solves over the columns near their price, the others at the end that the price says; with more columns until
    what is reached is as good as what the best prices allow."""
    n = len(program.value)
    weight = np.asarray(abs(program.rows).sum(axis=0)).ravel()
    size = max(_WINDOW, 10 * len(program.low))
    price = _rough_prices(program)
    allowed = _allowed(program, price)
    while size < n:
        worth = program.value - program.rows.T @ price
        columns = np.where(worth > 0, program.upper, program.lower)
        chosen = np.argsort(np.abs(worth) / weight, kind="stable")[:size]
        columns[chosen] = 0.0
        held = program.rows @ columns
        solved = _simplex(replace(_columns(program, chosen), low=program.low - held, high=program.high - held))
        size *= 2
        if solved is None:
            continue
        columns[chosen] = solved.columns
        if _allowed(program, solved.price) < allowed:
            price, allowed = solved.price, _allowed(program, solved.price)
        reached = float(program.value @ columns)
        if allowed - reached <= _CLOSE * abs(reached):
            return Solution(columns, price)
    return _simplex(program)


def _allowed(program: Program, price: Floats) -> float:
    """What no columns can exceed at these prices of the rows."""
    worth = program.value - program.rows.T @ price
    bound = np.where(price > 0, program.high, np.where(price < 0, program.low, 0.0))
    return float(np.maximum(worth * program.upper, worth * program.lower).sum() + price @ bound)


def _rough_prices(program: Program) -> Floats:
    """Prices row by row, each as if the others were right, a few times over: where a search may start."""
    price, rows = np.zeros(len(program.low)), program.rows
    room = program.upper - program.lower
    worth = program.value.copy()
    for _ in range(_SWEEPS):
        for r in range(len(price)):
            ours = slice(rows.indptr[r], rows.indptr[r + 1])
            at, weight = rows.indices[ours], rows.data[ours]
            per = worth[at] / weight + price[r]
            order = np.argsort(-per, kind="stable")
            filled = np.cumsum(weight[order] * room[at[order]])
            gainful = filled[max(0, int((per > 0).sum()) - 1)] if len(at) and per.max() > 0 else 0.0
            bound = min(max(gainful, program.low[r]), program.high[r])
            new = 0.0
            if bound != gainful and len(at):
                new = float(per[order][min(int(np.searchsorted(filled, bound)), len(at) - 1)])
            worth[at] += (price[r] - new) * weight
            price[r] = new
    return price


def _columns(program: Program, chosen: Ints) -> Program:
    return Program(
        program.value[chosen],
        program.rows[:, chosen],
        program.low,
        program.high,
        program.lower[chosen],
        program.upper[chosen],
    )
