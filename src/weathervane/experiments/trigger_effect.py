"""What the episodes of a trigger experiment brought, and what each schedule makes of it.

experiments.md, "Trigger read-out".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from weathervane.contracts.errors import NotEnoughData
from weathervane.experiments.panel import Bools, Floats
from weathervane.experiments.trigger import Episode, episodes

_NEAR_DAYS = 28  # on either side of a day, for a geo's usual level
_ROUNDS = 3  # of days given levels, then levels given days
_MIN_PAST_GEO_DAYS = 20


@dataclass(frozen=True)
class Episodes:
    """The test's episodes: `row` [e] is the geo of each, `fired` [e, t] its trigger days in all days of the panel.

    `span` [e, t] are those days, the gaps between them and the washout after. `free` [n_geos, t] are the geo-days
    outside of every span, in the history too, and `past` [n_geos, t] those inside one before the test. `weekday` [t] is
    that of each day, Monday 0.
    """

    found: tuple[Episode, ...]
    row: np.ndarray
    fired: Bools
    span: Bools
    free: Bools
    past: Bools
    weekday: np.ndarray


def episodes_of(
    geos: Sequence[str], days: Sequence[date], trigger: Bools, washout_days: int, n_pre: int, n_test: int
) -> Episodes:
    """The episodes of `trigger` [n_geos, t] in the `n_test` days after the first `n_pre`; the washout may reach on.

    An episode that is under way as the test begins is cut there, and so is one that is as it ends.
    """
    day = np.arange(trigger.shape[1])
    during = (day >= n_pre) & (day < n_pre + n_test)
    _, rows, spans = _spans(geos, days, trigger & (day < n_pre), washout_days)
    found, row, span = _spans(geos, days, trigger & during, washout_days)
    history, covered = np.zeros_like(trigger), np.zeros_like(trigger)
    np.logical_or.at(history, rows, spans)
    np.logical_or.at(covered, row, span)
    return Episodes(
        found,
        row,
        fired=span & trigger[row] & during,
        span=span,
        free=~(covered | history | trigger),
        past=history & (day < n_pre),
        weekday=np.array([one.weekday() for one in days]),
    )


def _spans(
    geos: Sequence[str], days: Sequence[date], trigger: Bools, washout_days: int
) -> tuple[tuple[Episode, ...], np.ndarray, Bools]:
    """Episodes of `trigger`, their geos' rows, and the days [e, n_days] that each takes."""
    found = episodes(geos, days, trigger, washout_days)
    at = {geo: i for i, geo in enumerate(geos)}
    day = np.array([one.toordinal() for one in days])
    first = np.array([one.first.toordinal() for one in found]).reshape(-1, 1)
    last = np.array([one.last.toordinal() + washout_days for one in found]).reshape(-1, 1)
    return found, np.array([at[one.geo] for one in found], dtype=np.intp), (day >= first) & (day <= last)


def unexplained(outcome: Floats, each: Episodes, n_pre: int) -> Floats:
    """`outcome` [n_geos, t] in units of each geo's level, less what days free of the trigger let expect.

    That is the geo's level near that day, what the day did to free geos, and what the trigger's weather alone did
    before the test. Nothing of it depends on which episodes were treated, so a test over schedules stays exact.
    """
    weight = each.free.astype(np.float64)
    left = outcome / levels(outcome, n_pre)
    for _ in range(_ROUNDS):
        left = left - _by_day(left, weight, each.weekday)
        left = left - _near(left, weight)
    if each.past.sum() >= _MIN_PAST_GEO_DAYS:
        left = left - left[each.past].mean()
    return left


def levels(outcome: Floats, n_pre: int) -> Floats:
    """The mean size of each geo's outcome before the test, [n_geos, 1]."""
    return np.abs(outcome[:, :n_pre]).mean(axis=1, keepdims=True)


def _by_day(values: Floats, weight: Floats, weekday: np.ndarray) -> Floats:
    """Mean of the free geos by day, [t]; a day without any takes the mean of its weekday."""
    count = weight.sum(axis=0)
    total = (values * weight).sum(axis=0)
    usual = np.array([total[weekday == k].sum() / max(float(count[weekday == k].sum()), 1.0) for k in range(7)])
    return np.where(count > 0.0, total / np.maximum(count, 1.0), usual[weekday])


def _near(values: Floats, weight: Floats) -> Floats:
    """Mean of a geo's free days within four weeks of each day, [n_geos, t]; of all of them where there is none near."""
    total, count = _rolling(values * weight), _rolling(weight)
    overall = (values * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    found: Floats = np.where(count > 0.0, total / np.maximum(count, 1.0), overall)
    return found


def _rolling(values: Floats) -> Floats:
    """Sums over the days up to `_NEAR_DAYS` before and after each."""
    n_days = values.shape[1]
    summed = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
    day = np.arange(n_days)
    return summed[:, np.minimum(day + _NEAR_DAYS + 1, n_days)] - summed[:, np.maximum(day - _NEAR_DAYS, 0)]


def by_episode(values: Floats, each: Episodes) -> Floats:
    """`values` [n_geos, t] on the days each episode takes, [e, t]; zero elsewhere."""
    return values[each.row] * each.span


def pattern_of(raw: Floats, each: Episodes, *, absolute: bool) -> Floats:
    """What theta = 1 would have added to each episode if treated, [e, t]: its trigger days' outcome, or one a day."""
    return np.where(each.fired, 1.0 if absolute else raw[each.row], 0.0)


def contrast(schedules: Bools, sums: Floats) -> Floats:
    """Treated less untreated episodes under each of `schedules` [n, e], of `sums` [e, ..]; [n, ..]."""
    return (2.0 * schedules - 1.0) @ sums


def need_both_arms(treated: Bools) -> None:
    """Raises NotEnoughData where no episode was treated, or all were."""
    if not treated.any() or treated.all():
        raise NotEnoughData(
            f"Of {len(treated)} trigger episodes {int(treated.sum())} were treated: there is nothing to compare.",
            "run the test longer, in more geos, or with a commoner trigger.",
        )
