"""Stairs: piecewise-linear functions climbed piece by piece, and the least concave ones above them.

Formulas in docs/modeling/planning.md, "The program".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.planning.problem import Bools, Floats

# A curve this much, relative to its height, under the line between two of its points counts as straight.
_STRAIGHT = 1e-9


@dataclass(frozen=True)
class Stairs:
    """n functions from `start` [n], where the value is `base` [n], up pieces of `width` and `rise` [n, k].

    A piece of no width is no piece. `whole` pieces are climbed fully or not at all; inside `torn` pieces the true value
    lies under the line.
    """

    start: Floats
    base: Floats
    width: Floats
    rise: Floats
    whole: Bools
    torn: Bools

    def slope(self) -> Floats:
        """Rise per width [n, k]; 0 where there is no piece."""
        return np.divide(self.rise, self.width, out=np.zeros_like(self.rise), where=self.width > 0)

    def take(self, rows: Bools) -> Stairs:
        """Some of the functions."""
        return Stairs(
            self.start[rows], self.base[rows], self.width[rows], self.rise[rows], self.whole[rows], self.torn[rows]
        )


def stairs(points: Floats, values: Floats, lo: Floats, hi: Floats, pause: Bools, *, round_to: float = 0.0) -> Stairs:
    """The functions through points [n, k] and values [n, k] between lo [n] and hi [n]; `pause` ones also reach zero.

    Points are moved to multiples of `round_to`, with the value read off there.
    """
    slope = np.diff(values, axis=1) / np.diff(points, axis=1)
    row = np.arange(len(lo))

    def at(x: Floats) -> Floats:
        cell = np.clip((x[:, None] >= points).sum(axis=1) - 1, 0, points.shape[1] - 2)
        return values[row, cell] + slope[row, cell] * (x - points[row, cell])

    moved = np.round(points / round_to) * round_to if round_to else points
    before, after = np.concatenate([slope[:, :1], slope], 1), np.concatenate([slope, slope[:, -1:]], 1)
    moved_values = values + np.where(moved > points, after, before) * (moved - points)
    low, high = at(lo), at(hi)
    inside = np.clip(moved, lo[:, None], hi[:, None])
    value = np.where(moved <= lo[:, None], low[:, None], np.where(moved >= hi[:, None], high[:, None], moved_values))
    x = np.concatenate([lo[:, None], inside, hi[:, None]], axis=1)
    y = np.concatenate([low[:, None], value, high[:, None]], axis=1)
    off = pause & (lo > 0)
    zero = np.zeros(len(lo))
    x = np.concatenate([np.where(off, 0.0, lo)[:, None], x], axis=1)
    y = np.concatenate([np.where(off, at(zero), low)[:, None], y], axis=1)
    whole = np.zeros((len(lo), x.shape[1] - 1), np.bool_)
    whole[:, 0] = off
    return Stairs(x[:, 0], y[:, 0], np.diff(x, axis=1), np.diff(y, axis=1), whole, whole.copy())


def falls_short(each: Stairs) -> Bools:
    """Which functions [n] are not concave, or have a piece to be climbed whole."""
    slope, height = each.slope(), np.abs(each.rise).sum(axis=1)
    steepest_later = np.maximum.accumulate(np.where(each.width > 0, slope, -np.inf)[:, ::-1], axis=1)[:, ::-1]
    faster = np.where(each.width > 0, steepest_later - slope, 0.0) * each.width
    return (faster.max(axis=1, initial=0.0) > _STRAIGHT * height) | each.whole.any(axis=1)


def envelope(each: Stairs) -> Stairs:
    """The least concave functions above these: pieces drawn over points below them are `torn`."""
    rows = falls_short(each)
    if not rows.any():
        return each
    part = each.take(rows)
    n, k = part.width.shape
    x = np.concatenate([np.zeros((n, 1)), np.cumsum(part.width, axis=1)], axis=1)
    y = np.concatenate([np.zeros((n, 1)), np.cumsum(part.rise, axis=1)], axis=1)
    width, rise = np.zeros_like(part.width), np.zeros_like(part.rise)
    torn = np.zeros_like(part.torn)
    here, row, index = np.zeros(n, np.int64), np.arange(n), np.arange(k + 1)
    slack = _STRAIGHT * np.abs(part.rise).sum(axis=1)
    while (going := x[row, here] < x[:, -1]).any():
        ahead = x - x[row, here][:, None]
        steep = np.divide(y - y[row, here][:, None], ahead, out=np.full_like(x, -np.inf), where=ahead > 0)
        top = steep.max(axis=1)
        # Of points in one line the last.
        reach = k - np.argmax((steep >= top[:, None] - _STRAIGHT * np.abs(top)[:, None])[:, ::-1], axis=1)
        line = y[row, here][:, None] + np.where(going, top, 0.0)[:, None] * ahead
        over = (index > here[:, None]) & (index < reach[:, None]) & (line - y > slack[:, None])
        first_whole = part.whole[:, 0] & (here == 0)
        at = row[going], here[going]
        width[at], rise[at] = (x[row, reach] - x[row, here])[going], (y[row, reach] - y[row, here])[going]
        torn[at] = (over.any(axis=1) | first_whole)[going]
        here = np.where(going, reach, here)
    result = Stairs(each.start, each.base, each.width.copy(), each.rise.copy(), each.whole.copy(), each.torn.copy())
    result.width[rows], result.rise[rows], result.torn[rows], result.whole[rows] = width, rise, torn, False
    return result


def corners(each: Stairs) -> tuple[Floats, Floats]:
    """Position and value [n, k + 1] before the first piece and after each."""
    x = np.concatenate([each.start[:, None], each.start[:, None] + np.cumsum(each.width, axis=1)], axis=1)
    y = np.concatenate([each.base[:, None], each.base[:, None] + np.cumsum(each.rise, axis=1)], axis=1)
    return x, y


def climbed(each: Stairs, share: Floats) -> Floats:
    """Position [n] after climbing these shares [n, k] of each piece."""
    return each.start + (each.width * share).sum(axis=1)


def value_at(each: Stairs, position: Floats) -> Floats:
    """Value [n] at a position [n] when pieces are climbed in order."""
    done = np.cumsum(each.width, axis=1) - each.width
    share = np.divide(
        position[:, None] - each.start[:, None] - done, each.width, out=np.zeros_like(done), where=each.width > 0
    )
    return each.base + (each.rise * np.clip(share, 0, 1)).sum(axis=1)
