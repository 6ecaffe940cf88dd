"""Past weather: the weather of a past period by geo, for scenarios (planning.md, "Scenarios")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.scenario import Scenario
from weathervane.planning.trigger_weather import Floats, local_anomaly, wet_anomaly

_SEASON_DAYS = 45
_YEAR_DAYS = 365.25
_MIN_PERIODS = 40
_TENTH = 0.9


@dataclass(frozen=True)
class PastWeather:
    """Sorted geos on days without gaps: temperature anomalies over local spread, and wet days (1 or 0) less their usual
    share, both [g, t]; NaN is unknown.
    """

    geos: tuple[str, ...]
    days: tuple[date, ...]
    z: Floats
    wet: Floats


@dataclass(frozen=True)
class Replay:
    """A past period by geo: the mean anomalies [t] of temperature and wetness in each step, and the mean of every
    weather index over its days. No `wet` where rain is not known.
    """

    z: Mapping[str, Floats]
    indices: Mapping[str, Mapping[str, float]]
    began: date
    wet: Mapping[str, Floats] = field(default_factory=dict[str, Floats])


def past_weather(frame: pl.DataFrame) -> PastWeather | None:
    """What was observed, against what is usual for the place and time of year; None where nothing was."""
    return None if (found := local_anomaly(frame)) is None else PastWeather(*found, wet_anomaly(frame, *found[:2]))


def replayed(
    past: PastWeather | None, scenario: Scenario, geos: Sequence[str], start: date, step_days: Sequence[int]
) -> Replay | None:
    """The past period that the scenario replays, in steps of so many days.

    "warm" ("wet") is the past period within 45 days of `start` in the year whose mean over all places is warmer
    (wetter) than nine in ten; None where that period, or enough to choose from, is not known. A national plan gets the
    mean of all places. Rain that is not known is left out.
    """
    if past is None:
        return None
    n = sum(step_days)
    judged = past.wet if scenario.weather == "wet" else past.z
    first = (
        _asked(past, scenario.replay_start, n) if scenario.weather == "replay" else _ninth_tenth(past, judged, start, n)
    )
    if first is None or not np.isfinite(past.z[:, first : first + n]).all():
        return None
    window, rain = past.z[:, first : first + n], past.wet[:, first : first + n]
    ends = np.cumsum([0, *step_days])
    steps, wet_steps = (
        np.stack([days[:, a:b].mean(axis=1) for a, b in pairwise(ends)], axis=1) for days in (window, rain)
    )
    index = {"warm": np.maximum(window, 0).mean(axis=1), "cold": np.maximum(-window, 0).mean(axis=1)}
    if np.isfinite(rain).all():
        index["wet"] = rain.mean(axis=1)
    by_geo = {geo: steps[g] for g, geo in enumerate(past.geos)}
    wet = {geo: wet_steps[g] for g, geo in enumerate(past.geos) if "wet" in index}
    indices = {geo: {name: float(each[g]) for name, each in index.items()} for g, geo in enumerate(past.geos)}
    if tuple(geos) == (NATIONAL,) and NATIONAL not in by_geo:
        by_geo[NATIONAL] = steps.mean(axis=0)
        wet |= {NATIONAL: wet_steps.mean(axis=0)} if wet else {}
        indices[NATIONAL] = {name: float(each.mean()) for name, each in index.items()}
    return Replay(by_geo, indices, past.days[first], wet)


def _asked(past: PastWeather, start: date | None, n: int) -> int | None:
    if start is None or start not in past.days:
        return None
    first = past.days.index(start)
    whole = past.z[:, first : first + n]
    return first if whole.shape[1] == n and np.isfinite(whole).all() else None


def _ninth_tenth(past: PastWeather, judged: Floats, start: date, n: int) -> int | None:
    starts = np.arange(max(0, len(past.days) - n + 1))
    if not len(starts):
        return None
    of_year = np.array([past.days[i].timetuple().tm_yday for i in starts], dtype=np.float64)
    apart = np.abs((of_year - start.timetuple().tm_yday + _YEAR_DAYS / 2) % _YEAR_DAYS - _YEAR_DAYS / 2)
    mean = judged[:, starts[:, None] + np.arange(n)].mean(axis=(0, 2))
    chosen = starts[(apart <= _SEASON_DAYS) & np.isfinite(mean)]
    if len(chosen) < _MIN_PERIODS:
        return None
    ordered = chosen[np.argsort(mean[chosen], kind="stable")]
    return int(ordered[int(np.ceil(_TENTH * len(ordered))) - 1])
