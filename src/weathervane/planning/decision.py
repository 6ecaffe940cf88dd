"""Decision: whether moving money would pay, judged so that a search over many cells cannot flatter itself.

Formulas and the reasons for them in docs/modeling/planning.md, "When a change is recommended".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.figures import capped
from weathervane.contracts.plan import Certificate
from weathervane.planning.allocate import best, relaxed
from weathervane.planning.layout import Layout, layout, seen_by
from weathervane.planning.nearest import nearest
from weathervane.planning.outcome import evaluate, marginal
from weathervane.planning.problem import Bools, Bound, Floats, Goal, Ints, Problem, Risk
from weathervane.planning.reach import objective, relative_gap

Why = Literal[
    "pays", "no_media_signal", "not_measured", "nothing_may_move", "no_room", "nothing_clear", "no_better", "noise",
    "unsure",
]  # fmt: skip

MIN_CHANCE = 0.90
CLEAR = 0.80
MAX_NOISE_P = 0.05
_LEAST_ROOM = 1e-3  # of the total: with less to move there is nothing to choose
_NOISE_SEARCHES = 39
_MIN_DRAWS = 40
UP, DOWN, UNCLEAR, UNTOUCHED = 1, -1, 0, 9


@dataclass(frozen=True)
class Decision:
    """The budgets to hold and the evidence, on the scoring half of the draws.

    `start` is the current split, brought within the limits where it is not; every gain is against it. `leaning`
    [g, c, t] says which cells are clearly worth more (1) or less (-1) than the average money, 0 neither, 9 those that
    may not move.
    `gain` [d] belongs to the best change found, also where the decision is to keep, in the goal's unit. `price` [d] is
    what the average minor unit of money brings at the margin; `noise_p` the share of searches through pure noise that
    found as much; `luck` [d] the part of the mean gain that is the search's own luck, already taken off each draw.
    """

    why: Why
    start: Ints
    budgets: Ints
    leaning: Ints
    gain: Floats
    price: Floats
    noise_p: float
    luck: Floats
    certificate: Certificate

    @property
    def change(self) -> bool:
        """Whether the plan recommends a change."""
        return self.why == "pays"

    @property
    def chance(self) -> float:
        """The chance that the best change found gains, as it may be claimed."""
        return chance_of_gain(self.gain)


def chance_of_gain(gain: Floats) -> float:
    """The share of draws [d] above zero, as far as such a share may be claimed (docs "Chances")."""
    return capped(float((gain > 0).mean()))


def halves(problem: Problem) -> tuple[Problem, Problem]:
    """(choosing, scoring): the problem by every second draw, and by the others. ModelFailed if there are too few."""
    if problem.n_draws < _MIN_DRAWS:
        raise ModelFailed(
            f"The fit holds {problem.n_draws} posterior draws; a plan needs {_MIN_DRAWS} to say how sure it is.",
            "fit again and keep more draws.",
        )
    return problem.with_draws(slice(0, None, 2)), problem.with_draws(slice(1, None, 2))


def decide(problem: Problem, *, media_signal: bool) -> Decision:
    """Chooses with one half of the draws and scores with the other; PlanImpossible where limits clash."""
    choosing, scoring = halves(problem)
    start = nearest(choosing)
    movable = (problem.lo < problem.hi) | problem.may_pause
    leaning = _leaning(choosing, start, movable)
    wide = best(choosing, start=start).certificate
    plan, mean = layout(choosing), wide
    if choosing.risk.name != "expected":
        mean = best(replace(choosing, risk=Risk()), start=start).certificate
    noise_p, luck_share = _against_noise(plan, start, mean.objective - objective(plan, start))
    narrow = best(_only_clear(choosing, start, leaning), start=start)
    found = difference(scoring, narrow.budgets, start)
    luck = luck_by_draw(found, luck_share)
    gain = without_luck(found, luck)
    why = _why(problem, media_signal, start, leaning, bool((narrow.budgets != start).any()), noise_p, gain)
    kept = _keeping(choosing, wide, start)
    return Decision(
        why,
        start,
        narrow.budgets if why == "pays" else start,
        leaning,
        gain,
        average_price(scoring, start, movable),
        noise_p,
        luck,
        narrow.certificate if why == "pays" else kept,
    )


def difference(problem: Problem, budgets: Ints, start: Ints) -> Floats:
    """Draws [d] of what the goal gains by these budgets over those at the start, in its own unit."""
    more = evaluate(problem, budgets).caused - evaluate(problem, start).caused
    spend = float((budgets - start).sum()) / problem.minor
    return problem.goal.per_outcome * more - problem.goal.per_spend * spend


def luck_by_draw(gain: Floats, luck_share: float) -> Floats:
    """How much of the mean gain each draw [d] gives up: all of the luck in the lower half, ever less up to the top.

    What pooling has shrunk already would be shrunk twice if the upper end fell too (docs "Luck taken off").
    """
    rank = np.argsort(np.argsort(gain, kind="stable"), kind="stable") / max(1, len(gain) - 1)
    return luck_share * np.minimum(1.0, 2.0 * (1.0 - rank))


def without_luck(gain: Floats, luck: Floats) -> Floats:
    """Draws of a gain [..., d] less the luck that each gives up. Linear in the gain, so lines add up draw by draw."""
    return gain - luck * gain.mean(axis=-1, keepdims=True)


def average_price(problem: Problem, start: Ints, movable: Bools) -> Floats:
    """Draws [d] of what one more minor unit brings: spread over the movable cells as money is spread now.

    The price of money elsewhere, draw by draw, so that what all cells share (a fit that credits media too much)
    cancels. Where the goal itself prices money (profit at a margin), that price. The allocator's own shadow price is
    not used: it is not unique where bounds bind.
    """
    goal = problem.goal
    if goal.per_spend > 0 and goal.per_outcome > 0:
        return np.full(problem.n_draws, goal.per_spend / goal.per_outcome / problem.minor)
    weights = np.where(movable if movable.any() else True, np.maximum(1, start), 0).astype(np.float64)
    return np.einsum("gctd,gct->d", marginal(problem, start), weights / weights.sum())


def _why(
    problem: Problem, media_signal: bool, start: Ints, leaning: Ints, moved: bool, noise_p: float, gain: Floats
) -> Why:
    if not media_signal:
        return "no_media_signal"
    if (leaning != UNTOUCHED).sum() < 2 and not _free_total(problem):
        return "nothing_may_move"
    if not _free_total(problem) and _room(problem, start) < _LEAST_ROOM * start.sum():
        return "no_room"
    clear = {UP, DOWN} & set(leaning.ravel().tolist())
    if len(clear) < (1 if _free_total(problem) else 2):
        return "nothing_clear"
    if not moved:
        return "no_better"
    if noise_p > MAX_NOISE_P:
        return "noise"
    if float((gain > 0).mean()) < MIN_CHANCE or float(np.quantile(gain, 0.05)) <= 0:
        return "unsure"
    return "pays"


def _room(problem: Problem, start: Ints) -> int:
    """How much money the limits on cells let move from some cells to others, in minor units."""
    down = np.where(problem.may_pause, start, np.maximum(0, start - problem.lo))
    return min(int(np.maximum(0, problem.hi - start).sum()), int(down.sum()))


def _free_total(problem: Problem) -> bool:
    """Whether money may be left unspent, so that one clear cell is enough to act on."""
    whole = [each for each in problem.limits if each.budget_weight is not None and (each.budget_weight == 1).all()]
    return not any(each.low == each.high for each in whole)


def _leaning(problem: Problem, start: Ints, movable: Bools) -> Ints:
    price = average_price(problem, start, movable)
    beats = (marginal(problem, start) > price).mean(axis=-1)
    result = np.where(beats >= CLEAR, UP, np.where(beats <= 1 - CLEAR, DOWN, UNCLEAR))
    return np.where(movable, result, UNTOUCHED)


def _only_clear(problem: Problem, start: Ints, leaning: Ints) -> Problem:
    """Only cells that are clearly better or worse than the average may move, and only that way."""
    lo = np.where(leaning == DOWN, problem.lo, start)
    hi = np.where(leaning == UP, problem.hi, start)
    bound = Bound("only clear cells move, only their way", lo, hi)
    return replace(problem, bounds=(*problem.bounds, bound), pause=problem.may_pause & (leaning == DOWN))


def _keeping(problem: Problem, wide: Certificate, start: Ints) -> Certificate:
    """What the current split reaches, under the bound of the best."""
    certificate = best(
        replace(problem, bounds=(Bound("as it is", start, start),), limits=(), ramp_rel=None, pause=None)
    )
    reached = certificate.certificate.objective
    return replace(wide, objective=reached, gap_rel=relative_gap(reached, wide.upper_bound))


def _against_noise(plan: Layout, start: Ints, found: float) -> tuple[float, float]:
    """(noise_p, luck_share): how easily noise finds as much, and the share of what was found that is the search's luck.

    Both searches see the error of one posterior draw (its distance from the mean): the first on top of cells that
    return alike, whose common return adds the same to any split of one total and is left out; the second on top of
    the posterior mean, where what the error alone adds to the split it leads to is luck.
    """
    n = plan.problem.n_draws
    picks = np.unique(np.linspace(0, n - 1, min(_NOISE_SEARCHES, n)).round().astype(int))
    as_good, luck = 0, list[float]()
    for pick in picks:
        one = np.eye(n)[pick]
        error = seen_by(plan, one - 1 / n, Goal())
        at_start = objective(error, start)
        as_good += relaxed(error)[1] - at_start >= found
        luck.append(objective(error, relaxed(seen_by(plan, one, plan.problem.goal))[0]) - at_start)
    share = math.fsum(luck) / len(luck) / found if found > 0 else 1.0
    return (1 + as_good) / (1 + len(picks)), min(1.0, max(0.0, share))
