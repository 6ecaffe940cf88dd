"""Planning in worlds of known truth: what plans made on simulated posteriors really earn, beside other ways to budget.

Each world is eight places × four channels in one week. Profit is outcome less spend, per unit of present budget, and
every figure is the profit above that of keeping present spend. Where the total stays that is the outcome gained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import optimize

from benchmarks.figure import Figure
from weathervane.planning.allocate import best
from weathervane.planning.decision import decide
from weathervane.planning.nearest import nearest
from weathervane.planning.outcome import caused_mean
from weathervane.planning.problem import Bound, Floats, Goal, Ints, Problem, total

PAGE = Path(__file__).resolve().parents[1] / "docs" / "modeling" / "planning.md"
GRID = 25
BAND = 0.15

Asked = Literal["outcome", "profit"]


@dataclass(frozen=True)
class World:
    """A kind of world: returns by channel and by line, each normal around its mean with these spreads."""

    name: str
    words: str
    level: float
    channels: float
    lines: float
    error: float
    pooled: bool


WORLDS = (
    World("null", "null: ads do nothing", 0.0, 0.0, 0.0, 0.5, pooled=False),
    World("same", "no difference between lines", 1.0, 0.0, 0.0, 0.5, pooled=False),
    World("unpooled", "lines differ, unpooled estimates", 1.2, 0.4, 0.3, 0.3, pooled=False),
    World("channels", "channels differ, pooled", 1.2, 0.5, 0.0, 0.3, pooled=True),
    World("lines", "lines differ too, pooled", 1.2, 0.4, 0.3, 0.3, pooled=True),
)


def hill(
    shape: tuple[int, int, int],
    *,
    days: int = 7,
    draws: int = 200,
    seed: int = 0,
    bend: float = 1.0,
    band: float = BAND,
) -> Problem:
    """Hill curves of random size, half-saturation and bend (1 to `bend`), with posterior draws; the total stays."""
    g, c, t = shape
    rng = np.random.default_rng(seed)
    spent = rng.lognormal(9, 1, (g, c))
    grid = 2.5 * spent[..., None] * np.linspace(0, 1, GRID) ** 1.5
    power, half = rng.uniform(1, bend, (g, c, 1, 1)), spent[..., None, None] * rng.uniform(0.3, 2.0, (g, c, 1, 1))
    size = (
        spent[..., None, None] * rng.lognormal(0.5, 0.5, (g, c, 1, 1)) * np.exp(0.3 * rng.normal(size=(g, c, 1, draws)))
    )
    x = grid[..., None] ** power
    current = np.repeat(np.round(spent * 100 * days / 7).astype(np.int64)[..., None], t, axis=2)
    bound = Bound("change", np.ceil(current * (1 - band)).astype(int), np.floor(current * (1 + band)).astype(int))
    return Problem(
        tuple(f"geo{i:05d}" for i in range(g)), tuple(f"channel{i:03d}" for i in range(c)), t, days, "USD", grid,
        size * x / (x + half**power), spent, current, bounds=(bound,),
        limits=(total(int(current.sum()), int(current.sum()), shape),),
    )  # fmt: skip


def believed(world: World, seed: int, geos: int = 8, channels: int = 4, draws: int = 200) -> tuple[Problem, Problem]:
    """(what a fit believes, the truth): the same curves by lines of an estimated and of the true return."""
    rng = np.random.default_rng([seed, *world.name.encode()])
    by_channel = world.channels * rng.normal(size=(1, channels))
    truth = world.level + by_channel + world.lines * rng.normal(size=(geos, channels))
    estimate = truth + world.error * rng.normal(size=truth.shape)
    own, shared = world.error * rng.normal(size=(geos, channels, draws)), np.zeros((1, channels, draws))
    if world.pooled:
        # Shrunk to the channel's mean as far as the lines' own spread says; the error of that mean is shared by lines.
        keep = world.lines**2 / (world.lines**2 + world.error**2)
        middle = estimate.mean(axis=0)
        estimate = middle + keep * (estimate - middle)
        shared = np.sqrt((world.lines**2 + world.error**2) / geos) * rng.normal(size=shared.shape)
        own, shared = np.sqrt(keep) * own, (1 - keep) * shared
    base = hill((geos, channels, 1), draws=1, seed=seed)
    x = base.grid[..., None] / base.spent[..., None, None]
    curve = base.spent[..., None, None] * x / (1 + x / 3) * (4 / 3) ** 2  # marginal return one at present spend
    drawn = estimate[..., None] + own + shared
    fit = replace(base, outcome=curve * drawn[:, :, None, :])
    return fit, replace(base, outcome=curve * truth[..., None, None])


def asking(problem: Problem, goal: Asked) -> Problem:
    """The problem with the present total spent, or with up to it spent for the most profit."""
    if goal == "outcome":
        return problem
    return replace(
        problem, goal=Goal("most profit", 1.0, 1.0), limits=(total(0, int(problem.current.sum()), problem.shape),)
    )


def slsqp(problem: Problem, starts: int, seed: int = 0) -> Floats:
    """The best budgets that SLSQP finds from several starts, on the same mean curves, goal, total and bounds."""
    rng, goal = np.random.default_rng(seed), problem.goal
    lo, hi = problem.lo.ravel().astype(float), problem.hi.ravel().astype(float)
    asked, scale = problem.limits[0].high, float(problem.current.max())
    unit = abs(float(caused_mean(problem, problem.current).sum())) or 1.0
    price = goal.per_spend * scale / problem.minor

    def value(x: Floats) -> float:
        brought = float(caused_mean(problem, x.reshape(problem.shape) * scale).sum())
        return (price * float(x.sum()) - goal.per_outcome * brought) / unit

    def slope(x: Floats) -> Floats:
        step = 1e-4
        up, down = ((x + sign * step).reshape(problem.shape) * scale for sign in (1, -1))
        rise = (caused_mean(problem, up) - caused_mean(problem, down)).ravel() / (2 * step)
        return (price - goal.per_outcome * rise) / unit

    exact = problem.limits[0].low == problem.limits[0].high
    constraint = {
        "type": "eq" if exact else "ineq",
        "fun": lambda x: asked / scale - x.sum(),
        "jac": lambda x: -np.ones_like(x),
    }
    found, least = problem.current.ravel() / scale, np.inf
    for turn in range(starts):
        start = problem.current.ravel() / scale if turn == 0 else rng.uniform(lo, hi) / scale
        result = optimize.minimize(
            value, start, jac=slope, method="SLSQP", bounds=list(zip(lo / scale, hi / scale, strict=True)),
            constraints=constraint, options={"maxiter": 300},
        )  # fmt: skip
        over = result.x.sum() - asked / scale
        if (abs(over) if exact else over) < 1e-6 and result.fun < least:
            found, least = result.x, result.fun
    return found.reshape(problem.shape) * scale


@dataclass(frozen=True)
class Row:
    """What a kind of world came to under one goal: means over worlds, and the standard error of the plan's."""

    world: World
    goal: Asked
    n: int
    plan: float
    error: float
    slsqp: float
    equal: float
    omniscient: float
    changes: int
    holds: int

    @property
    def regret(self) -> float:
        """What omniscience would have earned more than the plan."""
        return self.omniscient - self.plan

    def figures(self) -> Iterator[Figure]:
        """The row as figures; in `null` a plan must not earn less than keeping present spend."""
        about, judged = f"{self.world.words}, most {self.goal}", self.world.level == 0
        note = (
            f"{self.n} worlds, standard error {self.error:.4f}; {self.changes} plans change something, the 90 % "
            f"interval of {self.holds} holds the true gain"
        )
        holds = self.plan >= -1e-12 if judged else None
        yield Figure(f"profit over present spend, {about}", self.plan, "share of budget", "≥ 0" * judged, holds, note)
        for name, value in (("SLSQP", self.slsqp), ("equal split", self.equal), ("omniscient", self.omniscient)):
            yield Figure(f"the same by {name}, {about}", value, "share of budget")
        yield Figure(f"regret, {about}", self.regret, "share of budget", note="omniscient less plan")

    def line(self) -> str:
        """The row of the page's table."""
        figures = (self.plan, self.slsqp, self.equal, self.omniscient, self.regret)
        told = " | ".join(f"{value:+.4f}" for value in figures)
        return f"{self.key} {told} | {self.error:.4f} | {self.changes} | {self.holds} | {self.n} |"

    @property
    def key(self) -> str:
        """How the row begins."""
        return f"| {self.world.words} | {self.goal} |"


def measured(world: World, goal: Asked, n: int, first: int = 0) -> Row:
    """`n` worlds of a kind from seed `first`, budgeted in every way."""
    gains: dict[str, list[float]] = {"plan": [], "slsqp": [], "equal": [], "omniscient": []}
    changes, holds = 0, 0
    for seed in range(first, first + n):
        fit, truth = (asking(each, goal) for each in believed(world, seed))
        decision, size = decide(fit, media_signal=True), float(fit.current.sum()) / fit.minor
        even = replace(fit, current=np.full_like(fit.current, round(float(fit.current.mean()))))
        ways: dict[str, Ints | Floats] = {
            "plan": decision.budgets,
            "slsqp": slsqp(fit, 2, seed),
            "equal": nearest(even),
            "omniscient": best(truth).budgets,
        }
        for name, budgets in ways.items():
            gains[name].append((_profit(truth, budgets) - _profit(truth, fit.current)) / size)
        low, high = np.quantile(decision.gain, [0.05, 0.95])
        changes += decision.change
        holds += decision.change and low <= gains["plan"][-1] * size <= high
    means = {name: float(np.mean(values)) for name, values in gains.items()}
    error = float(np.std(gains["plan"]) / np.sqrt(n))
    return Row(
        world, goal, n, means["plan"], error, means["slsqp"], means["equal"], means["omniscient"], changes, holds
    )


def _profit(truth: Problem, budgets: Ints | Floats) -> float:
    return float(caused_mean(truth, budgets).sum()) - float(budgets.sum()) / truth.minor


def write_rows(rows: Sequence[Row]) -> None:
    """Puts the rows in the place of those of the same world and goal in the page's table."""
    text = PAGE.read_text(encoding="utf-8")
    for row in rows:
        text, n = re.subn(rf"^{re.escape(row.key)}.*$", lambda _, row=row: row.line(), text, flags=re.MULTILINE)
        if n != 1:
            raise SystemExit(f"{PAGE.name} has no row {row.key!r}: write one there.")
    PAGE.write_text(text, encoding="utf-8")
