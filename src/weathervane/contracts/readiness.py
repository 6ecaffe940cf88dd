"""Readiness: what data a tenant has, and whether it is enough for what the product promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.period import Period

# A forecast learns the weekday from eight weeks of days; from weeks it needs a quarter to see any movement at all.
MIN_FORECAST_DAYS = 56
MIN_FORECAST_WEEKS = 12
# Half a year of weeks is the least in which spend moves often enough to be told from season and trend.
MIN_MEDIA_WEEKS = 26
# A weather effect is looked for where weather is known for most of the days that have sales.
MIN_WEATHER_SHARE = 0.8
# A plan for next week should not rest on sales that ended weeks ago.
MAX_AGE_DAYS = 14

Purpose = Literal["forecast", "media", "weather", "freshness"]


@dataclass(frozen=True)
class TableCoverage:
    """What is stored of one table. `gaps` are runs of missing periods of a place, longest first; `step_days` is 1 or 7.

    `gap_geos` are the places of those gaps, in their order.
    """

    table: str
    rows: int
    span: Period | None
    step_days: int
    n_periods: int
    geos: tuple[str, ...]
    gaps: tuple[Period, ...]
    gap_geos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """One thing the data should allow: whether it does, why, and what to do if not (empty if it does)."""

    purpose: Purpose
    needed: bool  # without it nothing can be planned
    met: bool
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Readiness:
    """A tenant's data as of a day, and the verdict: ready when every needed requirement is met."""

    tenant_id: str
    as_of: date
    tables: tuple[TableCoverage, ...]
    requirements: tuple[Requirement, ...]

    @property
    def ready(self) -> bool:
        """Whether a model can be trained and a plan made."""
        return all(one.met for one in self.requirements if one.needed)

    @property
    def sentence(self) -> str:
        """The verdict and, if it is no, the first reason."""
        lacking = [one for one in self.requirements if one.needed and not one.met]
        return f"Not ready: {lacking[0].sentence}" if lacking else "Ready: there is enough to train, forecast and plan."

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do about every unmet requirement, needed ones first."""
        unmet = sorted((one for one in self.requirements if not one.met), key=lambda one: not one.needed)
        return tuple(one.remedy for one in unmet)
