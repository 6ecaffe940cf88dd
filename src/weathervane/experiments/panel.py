"""The panel: one outcome a geo and day, complete or refused, in an order that does not depend on the file's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Panel:
    """`outcome` [n_geos, n_days] for `geos` in sorted order and `days` in order; NaN where a row is missing."""

    geos: tuple[str, ...]
    days: tuple[date, ...]
    outcome: Floats

    def __post_init__(self) -> None:
        if self.outcome.shape != (len(self.geos), len(self.days)):
            raise BadInput(
                f"{len(self.geos)} geos and {len(self.days)} days do not fit an outcome of shape {self.outcome.shape}.",
                "give one row a geo and one column a day.",
            )
        if list(self.geos) != sorted(set(self.geos)):
            raise BadInput("The geos of a panel must be sorted and distinct.", "build it with panel_from_rows.")
        if any(later <= earlier for earlier, later in pairwise(self.days)):
            raise BadInput("The days of a panel must rise.", "build it with panel_from_rows.")

    def rows(self, geos: Sequence[str]) -> NDArray[np.intp]:
        """Row numbers of the named geos; BadInput if one is not there."""
        at = {geo: i for i, geo in enumerate(self.geos)}
        unknown = sorted(set(geos) - set(at))
        if unknown:
            raise BadInput(f"No data for {named(unknown)}.", "check the spelling of the geos against the data.")
        return np.array([at[geo] for geo in geos], dtype=np.intp)

    def only(self, geos: Sequence[str]) -> Panel:
        """The panel of these geos alone."""
        kept = tuple(sorted(geos))
        return Panel(kept, self.days, self.outcome[self.rows(kept)])

    def missing(self, geos: Sequence[str], start: date, end: date) -> tuple[str, ...]:
        """Those of `geos` without an outcome on some day from `start` to `end`."""
        within = np.array([start <= day <= end for day in self.days])
        holes = np.asarray(np.isnan(self.outcome[:, within]).any(axis=1), dtype=np.bool_)
        rows = self.rows(geos)
        return tuple(geo for geo, row in zip(geos, rows, strict=True) if holes[row])


def panel_from_rows(
    geos: Sequence[str], days: Sequence[date], values: Sequence[float], absent: float = np.nan
) -> Panel:
    """Long rows to a panel; every day from the first to the last at the data's own step gets a column.

    The step is the smallest gap between days (1 for daily, 7 for weekly data); a row that is not there
    is unknown, unless the source says what it means: `absent`. Raises BadInput for a geo and day
    given twice, NotEnoughData without rows.
    """
    if not len(geos) == len(days) == len(values):
        raise BadInput("Geos, days and values differ in length.", "give one of each a row.")
    if not len(geos):
        raise NotEnoughData("The panel has no rows.", "give at least two geos with history.")
    seen: set[tuple[str, date]] = set()
    for key in zip(geos, days, strict=True):
        if key in seen:
            raise BadInput(f"{key[0]} has {key[1]} more than once.", "sum or drop the duplicate rows first.")
        seen.add(key)
    names = tuple(sorted(set(geos)))
    calendar = _calendar(sorted(set(days)))
    row = {geo: i for i, geo in enumerate(names)}
    column = {day: i for i, day in enumerate(calendar)}
    outcome = np.full((len(names), len(calendar)), absent)
    for geo, day, value in zip(geos, days, values, strict=True):
        outcome[row[geo], column[day]] = value
    return Panel(names, calendar, outcome)


def _calendar(days: list[date]) -> tuple[date, ...]:
    gaps = {(later - earlier).days for earlier, later in pairwise(days)}
    step = min(gaps, default=1)
    if any(gap % step for gap in gaps) or step > 7:
        return tuple(days)  # months or years: the calendar is what the rows say
    return tuple(days[0] + timedelta(days=i) for i in range(0, (days[-1] - days[0]).days + 1, step))


def named(geos: Sequence[str]) -> str:
    """Geos in a sentence: the first five, and how many more."""
    shown = ", ".join(geos[:5])
    return shown if len(geos) <= 5 else f"{shown} and {len(geos) - 5} more"
