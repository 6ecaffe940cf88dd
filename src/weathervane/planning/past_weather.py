"""Past weather: the temperature anomaly of a past period by geo, for scenarios (planning.md, "Scenarios")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.scenario import Scenario
from weathervane.planning.trigger_weather import Floats, local_anomaly

_SEASON_DAYS = 45
_YEAR_DAYS = 365.25
_MIN_PERIODS = 40
_TENTH = 0.9


@dataclass(frozen=True)
class PastWeather:
    """Temperature anomalies over local spread [g, t] of sorted geos on days without gaps; NaN is unknown."""

    geos: tuple[str, ...]
    days: tuple[date, ...]
    z: Floats


def past_weather(frame: pl.DataFrame) -> PastWeather | None:
    """What was observed, against what is usual for the place and time of year; None where nothing was."""
    return None if (found := local_anomaly(frame)) is None else PastWeather(*found)


def replayed(
    past: PastWeather | None, scenario: Scenario, geos: Sequence[str], start: date, step_days: Sequence[int]
) -> tuple[dict[str, Floats] | None, date | None]:
    """The anomaly [t] by geo of the period that the scenario replays, in steps of so many days, and when it began.

    "warm" is the past period within 45 days of `start` in the year whose mean over all places is warmer than nine in
    ten; None where that period, or enough to choose from, is not known. A national plan gets the mean of all places.
    """
    if past is None:
        return None, None
    n = sum(step_days)
    first = _asked(past, scenario.replay_start, n) if scenario.weather == "replay" else _warm(past, start, n)
    if first is None:
        return None, None
    window = past.z[:, first : first + n]
    ends = np.cumsum([0, *step_days])
    steps = np.stack([window[:, a:b].mean(axis=1) for a, b in pairwise(ends)], axis=1)
    found = {geo: steps[g] for g, geo in enumerate(past.geos)}
    if tuple(geos) == (NATIONAL,) and NATIONAL not in found:
        found[NATIONAL] = steps.mean(axis=0)
    return found, past.days[first]


def _asked(past: PastWeather, start: date | None, n: int) -> int | None:
    if start is None or start not in past.days:
        return None
    first = past.days.index(start)
    whole = past.z[:, first : first + n]
    return first if whole.shape[1] == n and np.isfinite(whole).all() else None


def _warm(past: PastWeather, start: date, n: int) -> int | None:
    starts = np.arange(max(0, len(past.days) - n + 1))
    if not len(starts):
        return None
    of_year = np.array([past.days[i].timetuple().tm_yday for i in starts], dtype=np.float64)
    apart = np.abs((of_year - start.timetuple().tm_yday + _YEAR_DAYS / 2) % _YEAR_DAYS - _YEAR_DAYS / 2)
    mean = past.z[:, starts[:, None] + np.arange(n)].mean(axis=(0, 2))
    chosen = starts[(apart <= _SEASON_DAYS) & np.isfinite(mean)]
    if len(chosen) < _MIN_PERIODS:
        return None
    ordered = chosen[np.argsort(mean[chosen], kind="stable")]
    return int(ordered[int(np.ceil(_TENTH * len(ordered))) - 1])
