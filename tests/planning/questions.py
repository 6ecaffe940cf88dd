"""Small problems made by hand or drawn by hypothesis, whose best budgets can be found by trying them all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from weathervane.planning.allocate import tail_mean
from weathervane.planning.layout import Layout, layout
from weathervane.planning.problem import Bound, Floats, Goal, Ints, Limit, Problem, Risk, carry_over, total
from weathervane.planning.reach import holds, objective

STEP = 100  # minor units between the budgets that brute force tries: corners of the curves lie on them


def made(
    grid: Floats, outcome: Floats, *, periods: int = 1, current: Ints | None = None, low: Ints | None = None, **changes
) -> Problem:
    """Problem of a week's periods in US cents on curves [g, c, k(, d)], from `low` (nothing) up to the end of each."""
    outcome = outcome if outcome.ndim == 4 else outcome[..., None]
    g, c, *_ = outcome.shape
    shape = (g, c, periods)
    top = np.repeat(np.round(grid[:, :, -1:] * 100).astype(np.int64), periods, axis=2)
    fields = {
        "geos": tuple(f"geo{i:02d}" for i in range(g)),
        "channels": tuple(f"channel{i:02d}" for i in range(c)),
        "n_periods": periods,
        "period_days": 7,
        "currency": "USD",
        "grid": grid,
        "outcome": outcome,
        "spent": grid[:, :, 1],
        "current": np.full(shape, STEP) if current is None else current,
        "bounds": (Bound("from nothing to the end of the curve", np.zeros_like(top) if low is None else low, top),),
    }
    return Problem(**(fields | changes))


def up_to(problem: Problem, most: float, *others: Limit, exact: bool = False) -> Problem:
    """The same with a total of at most (exactly) this, and other limits."""
    limit = total(most if exact else 0, most, problem.shape, "the total")
    return replace(problem, limits=(limit, *others))


@st.composite
def bent(draw: st.DrawFn, *, series: int = 3, periods: int = 1, draws: int = 1, concave: bool = False) -> Problem:
    """Rising curves of any bend over up to four pieces of one or two units each, and a total between none and all."""
    n, k = draw(st.integers(1, series)), 5
    widths = draw(st.lists(st.integers(1, 2), min_size=n * (k - 1), max_size=n * (k - 1)))
    slopes = draw(st.lists(st.floats(0, 5).map(lambda x: round(x, 2)), min_size=n * (k - 1), max_size=n * (k - 1)))
    width, slope = np.array(widths, float).reshape(1, n, k - 1), np.array(slopes).reshape(1, n, k - 1)
    if concave:
        slope = -np.sort(-slope, axis=2)
    seed = draw(st.integers(0, 2**16))
    noise = np.random.default_rng(seed).uniform(0.3, 2.0, (1, n, k - 1, draws)) if draws > 1 else np.ones((1, n, 1, 1))
    zero = np.zeros((1, n, 1))
    grid = np.concatenate([zero, np.cumsum(width, axis=2)], axis=2)
    rises = np.cumsum((width * slope)[..., None] * noise, axis=2)
    outcome = np.concatenate([np.zeros((1, n, 1, draws)), rises], axis=2)
    problem = made(grid, outcome, periods=periods)
    most = int(problem.hi.sum()) // STEP
    return up_to(problem, STEP * draw(st.integers(0, most)))


def with_carry_over(problem: Problem, seed: int = 0) -> Problem:
    """The same with effects that come in the week of spending and the two after it, in shares that differ by draw."""
    n_channels, n_draws = len(problem.channels), problem.n_draws
    weeks = np.random.default_rng(seed).dirichlet([3, 2, 1], size=(n_channels, n_draws)).transpose(0, 2, 1)
    by_lag = np.zeros((n_channels, 15, n_draws))
    by_lag[:, ::7] = weeks
    return replace(problem, carry=carry_over(by_lag, problem.n_periods, 7))


def every_budget(problem: Problem, plan: Layout) -> Iterator[Ints]:
    """All budgets in steps that hold the limits."""
    lo, hi, pause = problem.lo.ravel(), problem.hi.ravel(), problem.may_pause.ravel()
    choices = [
        sorted({*range(int(a), int(b) + 1, STEP), *([0] if off else [])})
        for a, b, off in zip(lo, hi, pause, strict=True)
    ]
    for one in itertools.product(*choices):
        budgets = np.array(one, dtype=np.int64).reshape(problem.shape)
        if holds(plan, budgets):
            yield budgets


def by_trying(problem: Problem) -> float:
    """The largest objective of all budgets in steps."""
    plan = layout(problem)
    if problem.risk.name == "expected":
        return max(objective(plan, budgets) for budgets in every_budget(problem, plan))
    return max(tail_mean(problem, budgets, problem.risk.tail) for budgets in every_budget(problem, plan))


PROFIT = Goal("most profit", 1.0, 1.5)
CAUTIOUS = Risk("cvar", 0.4)
