"""Reach: what budgets reach on a layout's curves, whether they hold its limits, and how far from best that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from weathervane.planning.layout import Layout
from weathervane.planning.problem import Floats, Ints
from weathervane.planning.stairs import value_at

SHARP = 1e-6


@dataclass(frozen=True)
class Found:
    """The best budgets so far, what they reach on the layout's own curves, and the bound so far."""

    budgets: Ints | None
    objective: float
    bound: float

    def gap(self) -> float:
        """How far the bound lies above what is reached; infinite before anything is found."""
        return math.inf if self.budgets is None else relative_gap(self.objective, self.bound)

    def better(self, plan: Layout, budgets: Ints | None) -> Found:
        """With these budgets, if they hold every limit and reach more."""
        if budgets is None or not holds(plan, budgets):
            return self
        reached = objective(plan, budgets)
        return Found(budgets, reached, max(self.bound, reached)) if reached > self.objective else self


def relative_gap(reached: float, bound: float) -> float:
    """How far the bound lies above what is reached, relative to the bound."""
    return max(0.0, bound - reached) / max(abs(bound), 1e-9) if math.isfinite(bound) else math.inf


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
    room = slack(plan.spend) + SHARP * (abs(plan.gain) @ np.abs(value))
    return bool(inside.all() and (reached >= plan.low - room).all() and (reached <= plan.high + room).all())


def slack(spend: sparse.csr_array) -> Floats:
    """Minor units by which whole budgets may miss each row: none for plain sums, one a cell for broken weights."""
    broken = abs(spend - spend.astype(np.int64)).sum(axis=1) > 0
    return np.where(broken, np.asarray(abs(spend).sum(axis=1)).ravel(), 1e-6)
