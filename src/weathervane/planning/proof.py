"""Proof: the certificate of an allocation, with what binds and what room there would be worth.

Formulas in docs/modeling/planning.md, "The bound".
"""

from __future__ import annotations

import numpy as np

from weathervane.contracts.plan import Binding, Certificate
from weathervane.planning.layout import Layout, scores
from weathervane.planning.program import Solution
from weathervane.planning.reach import SHARP, Found
from weathervane.planning.stairs import corners


def certificate(plan: Layout, solution: Solution, found: Found, of: str) -> Certificate:
    """What is proven, and what binds, the dearest first."""
    assert found.budgets is not None
    problem, m = plan.problem, len(plan.low)
    price = solution.price[:m] * problem.minor
    worth: dict[str, tuple[int, float]] = {}
    for name, each, row in zip(plan.names, price.tolist(), range(m), strict=True):
        if abs(each) > SHARP:
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
            binds = gains > SHARP
            if binds.any():
                cells, most = worth.get(bound.name, (0, 0.0))
                worth[bound.name] = (cells + int(binds.sum()), max(most, float(gains.max())))
    binding = tuple(
        Binding(name, count, each or None)
        for name, (count, each) in sorted(worth.items(), key=lambda item: (-item[1][1], item[0]))
    )
    return Certificate(found.objective, found.bound, found.gap(), of, binding)
