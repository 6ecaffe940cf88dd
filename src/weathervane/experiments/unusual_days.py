"""Unusual days: places that were closed, have no sales or sold suddenly far from usual on some days of a test.

experiments.md, "Unusual days".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

import numpy as np

from weathervane.contracts.figures import counted
from weathervane.experiments.panel import Bools, Floats, Panel, named

UnusualKind = Literal["missing", "closed", "low", "high"]

_LATELY = 112  # days before the test that say what is usual
_SELLS = 0.9  # of a weekday's past with sales, above which a zero there is unusual
_LENGTHS = (1, 3, 7)  # days on end whose mean is looked at
_FAR_Z = 6.0
_FAR_REL = {1: 0.5, 3: 0.25, 7: 0.25}  # nearer to usual than this a run of days is no fault, however rare
_MIN_WINDOW = 7


@dataclass(frozen=True)
class UnusualDays:
    """Days of a test on which a place has no rows, sold nothing, or far less or more than usual.

    `share` is what it sold of what was usual; None where there are no rows.
    """

    geo: str
    kind: UnusualKind
    days: tuple[date, ...]
    share: float | None = None

    @property
    def sentence(self) -> str:
        """What happened, where and when."""
        when = spans(self.days)
        if self.kind == "missing":
            return f"{self.geo} has no sales rows for {when}."
        if self.kind == "closed":
            return (
                f"{self.geo} sold nothing on {when}, although it sold on nearly all such days before. "
                "Days with no sales at all are not an effect of ads."
            )
        return (
            f"{self.geo} sold {self.share or 0.0:.0%} of what was usual on {when}, unlike the other places and its "
            "own other days. Look for a stock-out, a closed branch, a large order or a day counted twice."
        )


def spans(days: Sequence[date]) -> str:
    """Days as runs with their number: `2026-11-03 to 2026-11-08 (6 days)`."""
    breaks = [i + 1 for i, (one, other) in enumerate(pairwise(days)) if (other - one).days > 1]
    runs = [days[i:j] for i, j in pairwise([0, *breaks, len(days)])]
    told = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"{named(told)} ({counted(len(days), 'day')})"


def unusual_days(panel: Panel, treated: Bools, n_pre: int) -> tuple[UnusualDays, ...]:
    """What is unusual from day `n_pre` of the panel on, by place; `treated` [n_geos].

    A place is held against what was usual for it on that weekday, times what that day was like in the typical place.
    Its own middle in the test is taken out, and with three or more places in its arm theirs of that day: a lasting
    effect of ads is not unusual. Neither is a fault that lasts for most of the test: nothing tells it from an effect.
    """
    found: list[UnusualDays] = []
    values = panel.outcome
    gone: Bools = np.isnan(values[:, n_pre:])
    shut = _shut(panel, n_pre)
    far = _far(panel, treated, n_pre, gone | shut)
    days = np.array(panel.days[n_pre:], dtype=object)
    for g, geo in enumerate(panel.geos):
        kinds: tuple[tuple[UnusualKind, Bools], ...] = (
            ("missing", gone[g]),
            ("closed", shut[g]),
            ("low", far.signs[g] < 0.0),
            ("high", far.signs[g] > 0.0),
        )
        for kind, chosen in kinds:
            if chosen.any():
                sold = float(values[g, n_pre:][chosen].sum() / far.usual[g][chosen].sum())
                found.append(UnusualDays(geo, kind, tuple(days[chosen]), None if kind == "missing" else sold))
    return tuple(found)


def _shut(panel: Panel, n_pre: int) -> Bools:
    """Zeros on weekdays on which the place nearly always sold, where most other places did sell; [n_geos, n_test]."""
    values = panel.outcome
    weekday = np.array([day.weekday() for day in panel.days])
    zero = values[:, n_pre:] == 0.0
    sells = np.zeros(zero.shape, dtype=np.bool_)
    for w in range(7):
        past = values[:, :n_pre][:, weekday[:n_pre] == w]
        known = np.isfinite(past).sum(axis=1)
        often = (np.nan_to_num(past) > 0.0).sum(axis=1) >= _SELLS * np.maximum(known, 1)
        sells[:, weekday[n_pre:] == w] = (often & (known > 0))[:, None]
    return np.asarray(zero & sells & (zero.mean(axis=0) < 0.5)[None], dtype=np.bool_)


@dataclass(frozen=True)
class _Far:
    """Of each place and day of the test: -1 far below usual, 1 far above, else 0; and what was usual."""

    signs: Floats
    usual: Floats


def _far(panel: Panel, treated: Bools, n_pre: int, known_already: Bools) -> _Far:
    first = max(n_pre - _LATELY, 0)
    values = panel.outcome[:, first:]
    n_past, n_test = n_pre - first, panel.outcome.shape[1] - n_pre
    nothing = _Far(np.zeros((len(panel.geos), n_test)), np.ones((len(panel.geos), n_test)))
    if len(panel.geos) < 3 or n_past < 28 or n_test < _MIN_WINDOW:
        return nothing
    level = _usual_by_weekday(values[:, :n_past], [day.weekday() for day in panel.days[first:]])
    sells = np.asarray((level > 0.0).all(axis=1), dtype=np.bool_)
    usable: Bools = sells & np.asarray((np.nan_to_num(values) >= 0.0).all(axis=1), dtype=np.bool_)
    if usable.sum() < 3:
        return nothing
    ratio = np.where(usable[:, None], values / np.where(level > 0.0, level, 1.0), np.nan)
    ratio[:, n_past:][known_already] = np.nan
    common = _median(ratio[usable], 0)[0]
    common = np.where(common > 0.0, common, np.nan)
    rest = ratio / common - 1.0
    past, tested = rest[:, :n_past], rest[:, n_past:]
    tested = tested - _median(tested, 1)
    for arm in (treated, ~treated):
        mates = arm & usable
        if mates.sum() >= 3:
            tested[mates] -= _median(tested[mates], 0)
    past = past - _median(past, 1)
    signs = np.zeros(tested.shape)
    for length in _LENGTHS:
        spread = 1.4826 * _median(np.abs(_means(past, length)), 1)
        run = _means(tested, length)
        with np.errstate(invalid="ignore", divide="ignore"):
            hit = (np.abs(run) >= _FAR_Z * spread) & (np.abs(run) >= _FAR_REL[length])
        for g, start in np.argwhere(hit & usable[:, None]):
            days = slice(start, start + length)
            mine = tested[g, days] * np.sign(run[g, start]) >= 0.5 * abs(run[g, start])
            signs[g, days][mine] = np.sign(run[g, start])
    usual = np.where(usable[:, None], level * common, 1.0)[:, n_past:]
    return _Far(signs, np.where(np.isfinite(usual), usual, 1.0))


def _usual_by_weekday(past: Floats, weekdays: Sequence[int]) -> Floats:
    """The median of a place's weekday in the past, for each of its days, [n_geos, n_days]."""
    every = np.array(weekdays)
    found = np.empty((len(past), len(every)))
    for w in range(7):
        found[:, every == w] = _median(past[:, every[: past.shape[1]] == w], 1)
    return found


def _means(rest: Floats, length: int) -> Floats:
    """Means of `length` days on end, [n_geos, n_days - length + 1]; NaN where a day is not known."""
    return np.lib.stride_tricks.sliding_window_view(rest, length, axis=1).mean(axis=2)


def _median(values: Floats, axis: int) -> Floats:
    """The median of what is known along an axis, kept as an axis of one; 0 where nothing is."""
    known = np.isfinite(values)
    some = known.any(axis=axis, keepdims=True)
    filled = np.where(some, values, 0.0)
    return np.asarray(np.nanmedian(filled, axis=axis, keepdims=True), dtype=np.float64)
