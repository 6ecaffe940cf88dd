"""Allocate: the split of a fixed total that brings the most, with a proof of how far from best it can be.

Formulas in docs/modeling/planning.md, "The split". Budgets are whole minor units over the plan period.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize, sparse

from weathervane.contracts.errors import PlanImpossible
from weathervane.contracts.plan import Certificate
from weathervane.planning.responses import Cell, CellResponse, Floats

# Nodes, not seconds: the answer must not depend on how busy the machine is.
_MILP_NODES = 2000


@dataclass(frozen=True)
class Choice:
    """What one cell may get, `lo` to `hi`, and the expected outcome `value` [k] at each `budget` [k] between them.

    The outcome is linear between these points, which start at `lo` and end at `hi`.
    """

    cell: Cell
    lo: int
    hi: int
    budget: Floats
    value: Floats

    def at(self, budget: float) -> float:
        """Expected outcome at a budget inside the band."""
        return float(np.interp(budget, self.budget, self.value))


@dataclass(frozen=True)
class Allocation:
    """Budgets in minor units that add up to the total, and the proof."""

    budgets: dict[Cell, int]
    certificate: Certificate


@dataclass(frozen=True)
class _Relaxation:
    """The best split if every curve were its concave envelope: an upper bound on any split of the true curves."""

    budgets: dict[Cell, float]
    upper_bound: float


def choice(response: CellResponse, lo: int, hi: int) -> Choice:
    """The mean over the response's draws, exact inside the band: its ends and every grid point between them."""
    inside = response.budget[(response.budget > lo) & (response.budget < hi)]
    budget = np.unique(np.concatenate([[float(lo)], inside, [float(hi)]]))
    value = np.array([float(response.at(float(b)).mean()) for b in budget])
    return Choice(response.cell, lo, hi, budget, value)


def allocate(
    choices: Sequence[Choice], total: int, *, start: Mapping[Cell, int] | None = None, tolerance: float = 1e-3
) -> Allocation:
    """The split of `total` with the largest expected outcome; exact search where the bound is further than `tolerance`.

    `start`, when it is itself allowed, is returned where nothing better was found. Ties go to the cell whose name
    sorts first, so the order of `choices` changes nothing. PlanImpossible if the bands cannot hold the total.
    """
    ordered = sorted(choices, key=lambda each: each.cell)
    lowest, highest = sum(each.lo for each in ordered), sum(each.hi for each in ordered)
    if not lowest <= total <= highest:
        raise PlanImpossible(
            f"A total of {total} minor units does not fit bands that hold {lowest} to {highest}.",
            "change the total or widen the limits.",
        )
    relaxed = relax(ordered, total)
    found = [_to_minor_units(ordered, relaxed.budgets, total)]
    if start is not None and _allowed(ordered, start, total):
        found.append({each.cell: start[each.cell] for each in ordered})
    bound = relaxed.upper_bound
    best = max(found, key=lambda budgets: expected(ordered, budgets))
    if _gap(expected(ordered, best), bound) > tolerance:
        exact = _search(ordered, total)
        if exact is not None:
            bound = min(bound, exact.upper_bound)
            best = max([best, _to_minor_units(ordered, exact.budgets, total)], key=lambda b: expected(ordered, b))
    objective = expected(ordered, best)
    bound = max(bound, objective)
    return Allocation(best, Certificate(objective, bound, _gap(objective, bound)))


def expected(choices: Sequence[Choice], budgets: Mapping[Cell, float]) -> float:
    """Expected outcome of a split; exactly rounded, so the order of cells changes nothing."""
    return math.fsum(each.at(budgets[each.cell]) for each in choices)


def relax(choices: Sequence[Choice], total: int) -> _Relaxation:
    """Solves the λ-formulation's linear relaxation exactly: the steepest pieces of the envelopes are bought first."""
    budgets = {each.cell: float(each.lo) for each in choices}
    pieces = [(slope, each.cell, width) for each in choices for slope, width in _envelope(each)]
    pieces.sort(key=lambda piece: (-piece[0], piece[1]))
    left, worth = float(total - sum(each.lo for each in choices)), [each.at(each.lo) for each in choices]
    for slope, cell, width in pieces:
        if left <= 0:
            break
        bought = min(width, left)
        budgets[cell] += bought
        worth.append(slope * bought)
        left -= bought
    return _Relaxation(budgets, math.fsum(worth))


def _envelope(each: Choice) -> list[tuple[float, float]]:
    """(slope, width) of the pieces of the least concave function above the curve, steepest first."""
    hull: list[tuple[float, float]] = []
    for x, y in zip(each.budget.tolist(), each.value.tolist(), strict=True):
        while len(hull) > 1 and _rises_to(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    return [((y1 - y0) / (x1 - x0), x1 - x0) for (x0, y0), (x1, y1) in pairwise(hull)]


def _rises_to(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])


def _search(choices: Sequence[Choice], total: int) -> _Relaxation | None:
    """The mixed-integer program over the true, possibly S-shaped curves; None if it found nothing in its nodes.

    Weights λ on the points of a cell add up to one; where a curve is not concave, one binary a piece keeps the
    weights on neighbours.
    """
    scale_b, scale_v = max(1.0, float(total)), max(1e-12, max(float(np.abs(each.value).max()) for each in choices))
    gain: list[float] = []
    integral: list[int] = []
    rows: list[tuple[dict[int, float], float, float]] = []
    money: dict[int, float] = {}
    first: list[int] = []
    for each in choices:
        k, at = len(each.budget), len(gain)
        first.append(at)
        gain += (-each.value / scale_v).tolist()
        integral += [0] * k
        money |= {at + i: b / scale_b for i, b in enumerate(each.budget.tolist())}
        rows.append(({at + i: 1.0 for i in range(k)}, 1.0, 1.0))
        if len(_envelope(each)) < k - 1:
            piece = len(gain)
            gain += [0.0] * (k - 1)
            integral += [1] * (k - 1)
            rows.append(({piece + s: 1.0 for s in range(k - 1)}, 1.0, 1.0))
            for i in range(k):
                neighbours = {piece + s: -1.0 for s in (i - 1, i) if 0 <= s < k - 1}
                rows.append(({at + i: 1.0} | neighbours, -np.inf, 0.0))
    rows.append((money, total / scale_b, total / scale_b))
    matrix = sparse.lil_array((len(rows), len(gain)))
    for r, (entries, _, _) in enumerate(rows):
        for column, entry in entries.items():
            matrix[r, column] = entry
    result = optimize.milp(
        np.array(gain),
        integrality=np.array(integral),
        bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(
            matrix.tocsr(), np.array([low for _, low, _ in rows]), np.array([high for _, _, high in rows])
        ),
        options={"node_limit": _MILP_NODES, "mip_rel_gap": 1e-6},
    )
    # Stopped at the node limit the solver may know no point, or no bound: then the envelope's answer stands.
    bound: float | None = result.mip_dual_bound
    if result.x is None or bound is None:
        return None
    weights = np.asarray(result.x, dtype=np.float64)
    budgets = {
        each.cell: float(each.budget @ weights[at : at + len(each.budget)])
        for each, at in zip(choices, first, strict=True)
    }
    # The solver's own feasibility tolerance is 1e-6 of the scale: the bound is widened by that much.
    slack = 1e-6 * scale_v * len(choices)
    return _Relaxation(budgets, -float(bound) * scale_v + slack)


def _to_minor_units(choices: Sequence[Choice], budgets: Mapping[Cell, float], total: int) -> dict[Cell, int]:
    """Whole minor units inside the bands that add up to the total; what rounding leaves goes to the largest rests."""
    whole = {each.cell: min(each.hi, max(each.lo, math.floor(budgets[each.cell] + 1e-6))) for each in choices}
    missing = total - sum(whole.values())
    step = 1 if missing > 0 else -1
    by_rest = sorted(choices, key=lambda each: (step * (whole[each.cell] - budgets[each.cell]), each.cell))
    while missing:
        for each in by_rest:
            if missing and each.lo <= whole[each.cell] + step <= each.hi:
                whole[each.cell] += step
                missing -= step
    return whole


def in_proportion(bands: Mapping[Cell, tuple[int, int]], shares: Mapping[Cell, int], total: int) -> dict[Cell, int]:
    """`total` spread in proportion to `shares`, kept inside the bands [lo, hi]; `shares` itself if it already fits.

    The bands must be able to hold the total.
    """
    low, high = 0.0, 1.0
    spread = {cell: float(shares[cell]) for cell in bands}
    if not (sum(shares[c] for c in bands) == total and all(lo <= shares[c] <= hi for c, (lo, hi) in bands.items())):
        while sum(_scaled(bands, shares, high).values()) < total and high < 1e12:
            high *= 2
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if sum(_scaled(bands, shares, middle).values()) < total else (low, middle)
        spread = _scaled(bands, shares, high)
    flat = np.zeros(2)
    ordered = [Choice(cell, *bands[cell], np.array(bands[cell], dtype=np.float64), flat) for cell in sorted(bands)]
    return _to_minor_units(ordered, spread, total)


def _scaled(bands: Mapping[Cell, tuple[int, int]], shares: Mapping[Cell, int], factor: float) -> dict[Cell, float]:
    return {cell: min(float(hi), max(float(lo), factor * shares[cell])) for cell, (lo, hi) in sorted(bands.items())}


def _allowed(choices: Sequence[Choice], budgets: Mapping[Cell, int], total: int) -> bool:
    inside = all(each.lo <= budgets[each.cell] <= each.hi for each in choices)
    return inside and sum(budgets[each.cell] for each in choices) == total


def _gap(objective: float, bound: float) -> float:
    """How far the bound lies above the objective, relative to the bound."""
    return max(0.0, bound - objective) / max(abs(bound), 1e-9)
