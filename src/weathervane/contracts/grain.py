"""Grain: the time × geo × category × channel a tenant is modelled at, with the reason and what was rejected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

TimeGrain = Literal["day", "week"]
GeoLevel = Literal["geo", "national"]
CategoryLevel = Literal["category", "total"]

NATIONAL = "national"
TOTAL = "total"


@dataclass(frozen=True)
class RejectedGrain:
    """A finer grain and why the data does not carry it."""

    grain: str
    because: str


@dataclass(frozen=True)
class GrainSelection:
    """What the data carries. `time` is the data's own step; media is always measured by week (mmm.md).

    `left_out` are places that do not report throughout and are in no sum; `since` is the day from which all others do.
    """

    time: TimeGrain
    geo_level: GeoLevel
    geos: tuple[str, ...]
    category_level: CategoryLevel
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    n_days: int
    weather_complete_share: float
    reason: str
    rejected: tuple[RejectedGrain, ...]
    left_out: tuple[str, ...] = ()
    since: date | None = None
