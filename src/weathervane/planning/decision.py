"""Decision: whether moving money would pay, judged so that a search over many cells cannot flatter itself.

Formulas and the reasons for them in docs/modeling/planning.md, "When a change is recommended".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.plan import Certificate
from weathervane.planning.allocate_old import Choice, allocate, choice, expected, in_proportion, relax
from weathervane.planning.guardrails import Band
from weathervane.planning.responses import Cell, CellResponse, Floats

Leaning = Literal["up", "unclear", "down", "untouched"]
Why = Literal["pays", "no_media_signal", "nothing_may_move", "nothing_clear", "no_better", "noise", "unsure"]

MIN_CHANCE = 0.90
CLEAR = 0.80
MAX_NOISE_P = 0.05
_NOISE_SEARCHES = 39
_MIN_DRAWS = 40


@dataclass(frozen=True)
class Decision:
    """The budgets to hold and the evidence. Everything in draws is per minor unit or per period, on the scoring half.

    `start` is the current split, scaled to the total where another total was asked for; every gain is against it.
    `gain` [d] belongs to the best change found, also where the decision is to keep. `price` [d] is what the average
    unit of money brings at the margin; `noise_p` the share of searches through pure noise that found as much;
    `luck_share` the part of the gain found that is the search's own luck, already taken off.
    """

    why: Why
    start: dict[Cell, int]
    budgets: dict[Cell, int]
    leanings: dict[Cell, Leaning]
    gain: Floats
    price: Floats
    noise_p: float
    luck_share: float
    certificate: Certificate

    @property
    def change(self) -> bool:
        """Whether the plan recommends a change."""
        return self.why == "pays"

    @property
    def chance(self) -> float:
        """The share of draws in which the best change found pays."""
        return float((self.gain > 0).mean())


def decide(
    responses: Mapping[Cell, CellResponse],
    bands: Mapping[Cell, Band],
    current: Mapping[Cell, int],
    total: int,
    *,
    media_signal: bool,
) -> Decision:
    """Chooses with one half of the draws and scores with the other. ModelFailed if there are too few draws to tell."""
    draws = next(iter(responses.values())).outcome.shape[1]
    if draws < _MIN_DRAWS:
        raise ModelFailed(
            f"The fit holds {draws} posterior draws; a plan needs {_MIN_DRAWS} to say how sure it is.",
            "fit again and keep more draws.",
        )
    choosing = {cell: response.half(0) for cell, response in responses.items()}
    scoring = {cell: response.half(1) for cell, response in responses.items()}
    start = in_proportion({cell: (band.lo, band.hi) for cell, band in bands.items()}, current, total)
    movable = [cell for cell in sorted(bands) if bands[cell].lo < bands[cell].hi]
    leanings = _leanings(choosing, start, movable)
    free = [choice(choosing[cell], bands[cell].lo, bands[cell].hi) for cell in sorted(bands)]
    wide = allocate(free, total, start=start)
    found = wide.certificate.objective - expected(free, start)
    noise_p, luck_share = _against_noise(choosing, free, total, start, found)
    narrow = [choice(choosing[cell], *_room(bands[cell], start[cell], leanings[cell])) for cell in sorted(bands)]
    best = allocate(narrow, total, start=start)
    gain = without_luck(_gain(scoring, best.budgets, start), luck_share)
    why = _why(media_signal, movable, leanings, best.budgets != start, noise_p, gain)
    objective = expected(free, start)
    kept = Certificate(objective, wide.certificate.upper_bound, _relative_gap(objective, wide.certificate.upper_bound))
    return Decision(
        why,
        start,
        best.budgets if why == "pays" else start,
        leanings,
        gain,
        _price(scoring, start, movable),
        noise_p,
        luck_share,
        best.certificate if why == "pays" else kept,
    )


def _why(
    media_signal: bool,
    movable: list[Cell],
    leanings: Mapping[Cell, Leaning],
    moved: bool,
    noise_p: float,
    gain: Floats,
) -> Why:
    if not media_signal:
        return "no_media_signal"
    if len(movable) < 2:
        return "nothing_may_move"
    if not {"up", "down"} <= set(leanings.values()):
        return "nothing_clear"
    if not moved:
        return "no_better"
    if noise_p > MAX_NOISE_P:
        return "noise"
    if float((gain > 0).mean()) < MIN_CHANCE or float(np.quantile(gain, 0.05)) <= 0:
        return "unsure"
    return "pays"


def _leanings(
    responses: Mapping[Cell, CellResponse], start: Mapping[Cell, int], movable: list[Cell]
) -> dict[Cell, Leaning]:
    """Whether the next unit of money in a cell clearly beats, or is clearly beaten by, the average unit."""
    price = _price(responses, start, movable)
    result: dict[Cell, Leaning] = dict.fromkeys(responses, "untouched")
    for cell in movable:
        beats = float((responses[cell].marginal(start[cell]) > price).mean())
        result[cell] = "up" if beats >= CLEAR else "down" if beats <= 1 - CLEAR else "unclear"
    return result


def _price(responses: Mapping[Cell, CellResponse], start: Mapping[Cell, int], movable: list[Cell]) -> Floats:
    """Draws [d] of what one more unit of money brings if spread over the movable cells as it is spread now.

    The price of money elsewhere, draw by draw, so that what all cells share (a fit that credits media too much)
    cancels. The allocator's own shadow price is not used: it is not unique where bands bind.
    """
    cells = movable or sorted(responses)
    weights = np.array([max(1, start[cell]) for cell in cells], dtype=np.float64)
    return np.asarray(
        np.stack([responses[cell].marginal(start[cell]) for cell in cells], axis=-1) @ (weights / weights.sum())
    )


def _room(band: Band, start: int, leaning: Leaning) -> tuple[int, int]:
    """Only cells that are clearly better or worse than the average may move, and only that way."""
    return {"up": (start, band.hi), "down": (band.lo, start)}.get(leaning, (start, start))


def _gain(responses: Mapping[Cell, CellResponse], budgets: Mapping[Cell, int], start: Mapping[Cell, int]) -> Floats:
    """Draws [d] of the outcome gained over the start split."""
    gains = [responses[cell].at(budgets[cell]) - responses[cell].at(start[cell]) for cell in sorted(responses)]
    return np.asarray(np.sum(gains, axis=0))


def without_luck(gain: Floats, luck_share: float) -> Floats:
    """Draws of a gain moved down by the searched-for luck in its mean; their spread stays. Linear, so lines add up."""
    return gain - luck_share * gain.mean()


def _against_noise(
    responses: Mapping[Cell, CellResponse], free: list[Choice], total: int, start: Mapping[Cell, int], found: float
) -> tuple[float, float]:
    """(noise_p, luck_share): how easily noise finds as much, and the share of what was found that is the search's luck.

    Both searches see the error of one posterior draw (its distance from the mean): the first on top of cells that
    return alike, whose common return adds the same to any split of one total and is left out; the second on top of
    the posterior mean, where what the error alone adds to the split it leads to is luck.
    """
    draws = next(iter(responses.values())).outcome.shape[1]
    picks = np.unique(np.linspace(0, draws - 1, min(_NOISE_SEARCHES, draws)).round().astype(int))
    errors = {
        each.cell: np.stack([responses[each.cell].at(float(b)) for b in each.budget]) - each.value[:, None]
        for each in free
    }
    as_good, luck = 0, list[float]()
    for pick in picks:
        noise = [replace(each, value=errors[each.cell][:, pick]) for each in free]
        mistaken = [replace(each, value=each.value + error.value) for each, error in zip(free, noise, strict=True)]
        as_good += relax(noise, total).upper_bound - expected(noise, start) >= found
        luck.append(expected(noise, relax(mistaken, total).budgets) - expected(noise, start))
    share = math.fsum(luck) / len(luck) / found if found > 0 else 1.0
    return (1 + as_good) / (1 + len(picks)), min(1.0, max(0.0, share))


def _relative_gap(objective: float, bound: float) -> float:
    return max(0.0, bound - objective) / max(abs(bound), 1e-9) if math.isfinite(bound) else math.inf
