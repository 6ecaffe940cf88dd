"""The best split of the same total between channels, each within a limit, from response curves alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.response import ResponseCurves

Floats = NDArray[np.float64]

LIMIT = 0.15


@dataclass(frozen=True)
class Pieces:
    """What moving each channel c by `limit` is worth, all places in proportion; draws s of outcome a week."""

    limit: float
    spend: Floats  # [c], a week, lately
    now: Floats  # [s, c], outcome of that spend
    down: Floats  # [s, c], what is lost by `limit` less
    up: Floats  # [s, c], what is gained by `limit` more


@dataclass(frozen=True)
class Split:
    """Changes [..., c] of each channel's spend, from −limit to limit, and the outcome gained over now."""

    change: Floats
    gain: Floats


def pieces(curves: ResponseCurves, limit: float = LIMIT) -> Pieces:
    """The pieces of every channel, summed over geos."""
    found = np.zeros((3, len(curves.channels), curves.outcome.shape[-1]))
    for c, channel in enumerate(curves.channels):
        for g, geo in enumerate(curves.geos):
            recent = curves.spend_recent[g, c]
            found[:, c] += curves.at(geo, channel, recent * np.array([1 - limit, 1.0, 1 + limit]))
    low, now, high = np.swapaxes(found, 1, 2)
    return Pieces(limit, curves.spend_recent.sum(axis=0), now, now - low, high - now)


def best_split(down: Floats, up: Floats, spend: Floats, limit: float) -> Split:
    """The split of the same total that gains most, where outcome is linear within each piece [..., c].

    Pieces are bought by what they return, the dearest last; exact where returns fall. Where a channel's second piece
    returns more than its first, both count at their mean.
    """
    convex = up > down
    mean = (down + up) / 2
    down, up = np.where(convex, mean, down), np.where(convex, mean, up)
    cost = np.concatenate([spend, spend]) * limit
    value = np.concatenate([down, up], axis=-1)
    order = np.argsort(-value / np.maximum(cost, 1e-12), axis=-1, kind="stable")
    paid = cost[order]
    before = np.cumsum(paid, axis=-1) - paid
    part = np.clip((cost.sum() / 2 - before) / np.maximum(paid, 1e-12), 0.0, 1.0)
    bought = np.zeros_like(value)
    np.put_along_axis(bought, order, part, axis=-1)
    c = len(spend)
    gain = (bought * value).sum(axis=-1) - down.sum(axis=-1)
    change = limit * (bought[..., :c] + bought[..., c:] - 1.0)
    return Split(np.where(spend > 0, change, 0.0), gain)


def best_budget(curves: ResponseCurves, limit: float = LIMIT) -> Floats:
    """[g, c]: weekly budgets of the split that gains most in expectation."""
    found = pieces(curves, limit)
    split = best_split(found.down.mean(axis=0), found.up.mean(axis=0), found.spend, limit)
    return curves.spend_recent * (1.0 + split.change)


def regret(curves: ResponseCurves, kept: Floats, best: Floats) -> Floats:
    """Draws of outcome a week that keeping budgets `kept` [g, c] loses against `best` [g, c], by these curves."""
    lost = np.zeros(curves.outcome.shape[-1])
    for g, geo in enumerate(curves.geos):
        for c, channel in enumerate(curves.channels):
            better, worse = curves.at(geo, channel, np.array([best[g, c], kept[g, c]]))
            lost += better - worse
    return lost
