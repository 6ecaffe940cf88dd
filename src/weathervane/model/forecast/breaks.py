"""Breaks in a panel's past: days without sales taken as closed, and levels that shifted (forecast.md, "Breaks")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.figures import share, short_day
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats, closed, log_offset, offset, selling, weekday
from weathervane.model.forecast.tiers import Tier

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

OPEN = "open"  # a calendar event of this name says that a day without sales was an open one
NEVER = -1  # no shift
_LEAST_RUN = 3  # days without sales in a row, before they are more than three slow days
_BY_CHANCE = 0.01  # such runs expected in a whole history, were they chance
_SELLING_SHARE = 0.8  # of its days a series must sell on, or its days without sales say nothing
_LOOK_BACK = {1: 84, 7: 26}  # periods, by the day and by the week, in which a shift is looked for
_AFTER = {1: (7, 28), 7: (3, 8)}  # fewest and most periods that tell of the new level
_BEFORE = {1: 56, 7: 13}  # periods that tell of the old one
_JUST_BEFORE = {1: 14, 7: 4}  # that must still be at the old one: a slow slide is a trend
_LEAST_SHIFT = 0.3  # log: a fall by a quarter or a rise by a third
_SURE = 5.0  # standard errors
_ON_ITS_SIDE = 0.8  # share of periods nearer to their own level than to the other
_MOST, _MOST_AFTER_A_FALL = 3.0, 1.5  # times the most ever sold in a period
_TOGETHER = {1: 3, 7: 1}  # periods within which shifts of several places are one


@dataclass(frozen=True)
class Shifts:
    """The newest shift of each series' level: the first period at the new level (NEVER: none), and its size in log."""

    at: Ints  # [k, g]
    size: Floats  # [k, g]


def with_closed_runs(panel: Panel) -> Panel:
    """The panel in which days without sales in a row, too many for chance, are closed days.

    A run that has not ended by the last day is taken to go on for as long as it has lasted.
    """
    if panel.step_days > 1:
        return panel
    runs = _closed_runs(panel)
    return replace(panel, closed=closed(panel) | runs) if runs.any() else panel


def without_shifts(panel: Panel, shifts: Shifts) -> Panel:
    """The panel with what was sold before a shift brought to the new level, so that nothing is learnt from the fall."""
    if not (shifts.at > NEVER).any():
        return panel
    before = np.arange(len(panel.starts)) < shifts.at[..., None]
    return replace(panel, outcome=panel.outcome * np.exp(np.where(before, shifts.size[..., None], 0.0)))


def mended(panel: Panel) -> tuple[Panel, Shifts]:
    """The panel that models learn from, and the shifts that were brought to the new level in it."""
    panel = with_closed_runs(panel)
    shifts = level_shifts(panel)
    return without_shifts(panel, shifts), shifts


def ceiling(panel: Panel, tier: Tier, shifts: Shifts) -> Floats:
    """[s]: the highest a range of each row may reach: three times the most it sold in a period.

    After a fall, half as much again as it ever sold: the level went down, and nothing says that it will treble.
    `panel` is a mended one; what was sold before a shift counts at its own level.
    """
    n = panel.n_past
    before = np.arange(n) < shifts.at[..., None]
    sold = np.nan_to_num(panel.outcome[:, :, :n]) * np.exp(np.where(before, -shifts.size[..., None], 0.0))
    most = tier.add(np.maximum(sold, 0.0)).max(axis=1)
    fell = tier.add(((shifts.size < 0) * 1.0 * sold.sum(axis=2))[..., None]) > 0.5 * tier.add(
        sold.sum(axis=2)[..., None]
    )
    return np.where(fell[:, 0], _MOST_AFTER_A_FALL, _MOST) * most


def level_shifts(panel: Panel) -> Shifts:
    """The newest sudden shift of each series that lasted until now; one that came a year ago too is a season."""
    k, g = panel.outcome.shape[:2]
    at, size = np.full(k * g, NEVER), np.zeros(k * g)
    sold = selling(panel).reshape(k * g, -1)
    log = log_offset(sold, offset(panel).reshape(-1, 1))
    days = weekday(panel)[: panel.n_past] if panel.step_days == 1 else np.zeros(panel.n_past)
    likely = _may_have_shifted(log, panel.step_days)
    for s in np.flatnonzero(likely.any(axis=1)):
        at[s] = _shift_of(log[s], days, np.flatnonzero(likely[s]), panel.step_days)
        if at[s] > NEVER:
            # The size is of sales themselves: small sums added before logs are taken would make it less.
            plain = np.log(np.where(sold[s] > 0, sold[s], np.nan))
            size[s] = _median_shift(*_residuals(plain, days, int(at[s]), panel.n_past, panel.step_days))
    return Shifts(at.reshape(k, g), size.reshape(k, g))


def _may_have_shifted(log: Floats, step: int) -> Mask:
    """[s, past]: where the mean of the weeks after is far enough from that of the weeks before; a quick first look."""
    n, week, back = log.shape[1], 7 if step == 1 else 1, _LOOK_BACK[step]
    known = np.isfinite(log)
    total, count = (
        np.concatenate([np.zeros((len(log), 1)), np.cumsum(each, axis=1)], axis=1)
        for each in (np.where(known, log, 0.0), known.astype(np.float64))
    )

    def mean(start: int, stop: int) -> Floats:
        return (total[:, stop] - total[:, start]) / np.maximum(count[:, stop] - count[:, start], 1)

    far = np.zeros(log.shape, dtype=np.bool_)
    fewest, most = _AFTER[step]
    for at in range(max(n - back, 2 * fewest), n - fewest + 1):
        stop = at + min(most, (n - at) // week * week)
        before = min(at, _BEFORE[step]) // week * week
        # Sudden, so the two weeks next to it differ as well.
        near = mean(at, at + week) - mean(at - week, at)
        away = mean(at, stop) - mean(at - before, at)
        far[:, at] = np.minimum(np.abs(near), np.abs(away)) > 0.8 * _LEAST_SHIFT
    return far


def crossed(shifts: Shifts, ends: Ints, target: Ints) -> Mask:
    """[o, k, g, h]: whether a forecast from the first `ends` [o] periods was of a period after the shift.

    `target` [o, h] counts the periods past when each forecast period is over.
    """
    at = shifts.at[None, ..., None]
    return (at > NEVER) & (ends[:, None, None, None] <= at) & (target[:, None, None, :] > at)


def caveats(before: Panel, shifts: Shifts) -> tuple[str, ...]:
    """What a reader should know of breaks in the past of a panel whose closed runs are not marked yet."""
    return (*_said_of_runs(before), *_said_of_shifts(before, shifts))


def _closed_runs(panel: Panel) -> Mask:
    """[k, g, t]: runs of days without sales that chance does not explain."""
    n, shut = panel.n_past, closed(panel)
    out = np.zeros(shut.shape, dtype=np.bool_)
    told_open = _told_open(panel)
    for k, g in np.ndindex(*shut.shape[:2]):
        zero = (panel.outcome[k, g, :n] == 0) & ~shut[k, g, :n] & ~told_open[g, :n]
        for first, last in _runs(zero, ~shut[k, g, :n]):
            out[k, g, first : last + 1] = True
            if last == n - 1:
                out[k, g, n : 2 * n - first] = True
    return out & ~told_open[None]


def _told_open(panel: Panel) -> Mask:
    """[g, t]: days that the calendar calls open."""
    if OPEN not in panel.events:
        return np.zeros((len(panel.geos), len(panel.starts)), dtype=np.bool_)
    return panel.event_days[panel.events.index(OPEN)] > 0


def _runs(zero: Mask, opened: Mask) -> list[tuple[int, int]]:
    """First and last day of each run of zeros, closed days between not counting, that is no chance."""
    days = np.flatnonzero(opened)
    edges = np.diff(np.concatenate([[0], zero[days].astype(np.int64), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long = stops - starts >= _LEAST_RUN
    usual = np.ones(len(days), dtype=np.bool_)
    for start, stop in zip(starts[long], stops[long], strict=True):
        usual[start:stop] = False
    # Days outside long runs tell how often a single day sells nothing.
    share_zero = (zero[days][usual].sum() + 0.5) / (usual.sum() + 1)
    if usual.sum() < 7 * _LEAST_RUN or share_zero > 1 - _SELLING_SHARE:
        return []
    found = long & (len(days) * share_zero ** (stops - starts).astype(np.float64) < _BY_CHANCE)
    return [(int(days[a]), int(days[b - 1])) for a, b in zip(starts[found], stops[found], strict=True)]


def _shift_of(log: Floats, days: Floats, likely: Ints, step: int) -> int:
    """First period of the newest lasting shift of one series [past], of the likely ones; NEVER where there is none."""
    n, (fewest, most) = len(log), _AFTER[step]
    best, found, size_found = -np.inf, NEVER, 0.0
    for at in likely.tolist():
        before, after = _residuals(log, days, at, n, step)
        if len(before) < 2 * fewest or len(after) < fewest:
            continue
        size = _median_shift(before, after[:most])
        if abs(size) < _LEAST_SHIFT:
            continue
        left = np.concatenate([before - np.median(before), after - np.median(after)])
        spread = max(1.4826 * float(np.median(np.abs(left))), 0.02)
        # Neighbouring days err alike: they count for half.
        sure = abs(size) / (spread * np.sqrt(2 / len(before) + 2 / len(after)))
        # The date is where two levels explain most.
        gain = len(after) * len(before) / (len(after) + len(before)) * size**2 - float((left**2).sum())
        if sure > _SURE and gain > best and _sudden(before, after, size, spread, step):
            best, found, size_found = gain, at, size
    return NEVER if found > NEVER and _last_year_too(log, days, found, size_found, step) else found


def _median_shift(before: Floats, after: Floats) -> float:
    return float(np.median(after) - np.median(before))


def _residuals(log: Floats, days: Floats, at: int, until: int, step: int) -> tuple[Floats, Floats]:
    """What is known before and from `at` on, less what each weekday had before."""
    start = max(0, at - _BEFORE[step])
    before, after = log[start:at], log[at:until]
    usual = np.array([_median(before[days[start:at] == day]) for day in range(7)])
    before, after = before - usual[days[start:at].astype(int)], after - usual[days[at:until].astype(int)]
    return before[np.isfinite(before)], after[np.isfinite(after)]


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _sudden(before: Floats, after: Floats, size: float, spread: float, step: int) -> bool:
    """Whether days just before were still at the old level, and those since are at the new one and stay there."""
    half = len(after) // 2
    if abs(_median_shift(after[:half], after[half:])) > max(abs(size) / 4, 2 * spread / np.sqrt(half)):
        return False
    middle = np.median(before) + size / 2
    new_side, old_side = np.sign(size) * (after - middle) > 0, np.sign(size) * (before - middle) < 0
    recent = old_side[-_JUST_BEFORE[step] :]
    return bool(min(new_side.mean(), recent.mean()) >= _ON_ITS_SIDE)


def _last_year_too(log: Floats, days: Floats, at: int, size: float, step: int) -> bool:
    """Whether the same came at the same time of the year before."""
    year, around = 364 // step, 14 // step
    for then in range(at - year - around, at - year + around + 1, max(1, 7 // step)):
        if then - _AFTER[step][0] < 0:
            continue
        before, after = _residuals(log, days, then, min(then + len(log) - at, len(log)), step)
        if len(before) and len(after) and np.sign(size) * _median_shift(before, after) > abs(size) / 2:
            return True
    return False


def _said_of_runs(panel: Panel) -> tuple[str, ...]:
    if panel.step_days > 1:
        return ()
    n, runs = panel.n_past, _closed_runs(panel)
    by_days: dict[tuple[int, int], list[str]] = {}
    for k, g in np.ndindex(*runs.shape[:2]):
        edges = np.diff(np.concatenate([[0], runs[k, g, :n].astype(np.int64), [0]]))
        for first, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            by_days.setdefault((int(first), int(stop) - 1), []).append(_name(panel, k, g))
    said: list[str] = []
    for (first, last), names in sorted(by_days.items()):
        who, span = _some(names), f"{short_day(panel.starts[first])} to {short_day(panel.starts[last])}"
        zeros = int((panel.outcome[:, :, first : last + 1] == 0).any(axis=(0, 1)).sum())
        if last == n - 1:
            said.append(
                f"{who} sold nothing on the last {zeros} days ({span}): taken as closed, and for as many days to come. "
                "If that is wrong, say in a calendar which days are closed and which are open."
            )
        else:
            said.append(
                f"{who} sold nothing on {zeros} days in a row ({span}), among sales every day: taken as closed. "
                "Declare those days as closed in a calendar, or as open if they were."
            )
    return tuple(said)


def _said_of_shifts(panel: Panel, shifts: Shifts) -> tuple[str, ...]:
    """A sentence for each day on which levels shifted; places that shift together are told together."""
    left = [(int(shifts.at[k, g]), k, g) for k, g in zip(*np.nonzero(shifts.at > NEVER), strict=True)]
    left.sort()
    said: list[str] = []
    while left:
        first = left[0][0]
        group = [each for each in left if each[0] - first <= _TOGETHER[panel.step_days]]
        left = left[len(group) :]
        at = int(np.median([each[0] for each in group]))
        rel = float(np.expm1(np.median([shifts.size[k, g] for _, k, g in group])))
        names = [_name(panel, k, g) for _, k, g in group]
        everywhere = len(group) == shifts.at.size and shifts.at.size > 1
        where = "everywhere" if everywhere else f"in {_some(names)}"
        said.append(
            f"Sales {where} {'fell' if rel < 0 else 'rose'} by about {share(abs(rel))} from "
            f"{short_day(panel.starts[at])}: the forecast is at the new level, and the record of past forecasts is "
            "mostly from before."
        )
    return tuple(said)


def _name(panel: Panel, k: int, g: int) -> str:
    geo, category = panel.geos[g], panel.categories[k]
    known = [name for name in (geo, category) if name not in (NATIONAL, TOTAL)]
    if len(panel.categories) == 1 and geo != NATIONAL:
        known = [geo]
    return " ".join(known) or "Sales"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
