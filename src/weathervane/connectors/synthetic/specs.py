"""The named worlds: what is declared true in each (docs/modeling/synthetic-worlds.md, "Named worlds")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from weathervane.contracts.errors import BadInput


@dataclass(frozen=True)
class CategorySpec:
    """A category: its share of revenue, basket, season, and total log-effect of one unit of each weather index."""

    name: str
    share: float
    basket: float  # currency per order
    season: float  # amplitude of the annual cycle, log
    peak_day: float  # day of year of its peak
    warm: float
    cold: float
    wet: float


@dataclass(frozen=True)
class ChannelSpec:
    """A channel: how its money flows, and what it causes."""

    name: str
    spend_share: float  # of baseline revenue
    flighting: Literal["always_on", "bursts"]
    roi: float  # incremental revenue over spend, whole history
    half_life_days: float
    half_saturation: float  # in multiples of mean spend
    slope: float
    cost_per_mille: float
    click_rate: float
    geo_spread: float = 0.25  # log sd of the effect per head over places
    delta: float = 0.0  # effect × exp(delta × temperature anomaly)
    trigger: float = 0.0  # spend × exp(trigger × forecast anomaly, two days ahead)


@dataclass(frozen=True)
class WorldSpec:
    """Everything declared about a named world."""

    name: str
    purpose: str
    categories: tuple[CategorySpec, ...]
    channels: tuple[ChannelSpec, ...]
    n_days: int = 730
    n_geos: int = 24
    revenue_per_head_year: float = 1.0
    stockout_share: float = 0.004  # of geo × category × days short of stock
    gaps: bool = False
    national_weeks: bool = False


_CATEGORIES = (
    CategorySpec("outerwear", 0.45, 110.0, 0.40, 335.0, warm=-0.06, cold=0.12, wet=0.04),
    CategorySpec("rainwear", 0.25, 75.0, 0.15, 300.0, warm=-0.03, cold=0.03, wet=0.30),
    CategorySpec("summer", 0.30, 60.0, 0.45, 180.0, warm=0.12, cold=-0.06, wet=-0.10),
)
_CHANNELS = (
    ChannelSpec("search", 0.040, "always_on", 2.4, 2.0, 1.6, 0.9, 18.0, 0.030),
    ChannelSpec("social", 0.030, "always_on", 1.5, 4.0, 1.2, 1.0, 9.0, 0.011, delta=0.08),
    ChannelSpec("tv", 0.025, "bursts", 0.8, 14.0, 1.8, 1.4, 24.0, 0.0005),
    ChannelSpec("video", 0.020, "bursts", 1.2, 7.0, 1.4, 1.2, 14.0, 0.004),
)


def _without_weather(category: CategorySpec) -> CategorySpec:
    return replace(category, warm=0.0, cold=0.0, wet=0.0)


def _without_effect(channel: ChannelSpec) -> ChannelSpec:
    return replace(channel, roi=0.0, delta=0.0)


def _triggered(channel: ChannelSpec) -> ChannelSpec:
    return replace(channel, trigger=-0.6) if channel.name in ("social", "video") else channel


_SENSITIVE = WorldSpec("sensitive", "weather moves demand and every channel works", _CATEGORIES, _CHANNELS)

WORLDS: dict[str, WorldSpec] = {
    spec.name: spec
    for spec in (
        _SENSITIVE,
        replace(
            _SENSITIVE,
            name="null",
            purpose="neither weather nor media does anything; a finding here is a false one",
            categories=tuple(_without_weather(category) for category in _CATEGORIES),
            channels=tuple(_without_effect(channel) for channel in _CHANNELS),
        ),
        replace(
            _SENSITIVE,
            name="triggered",
            purpose="social and video spend more when cold is forecast, and cold sells: a naive ROI is too high",
            categories=(
                replace(_CATEGORIES[0], warm=-0.18, cold=0.20),
                replace(_CATEGORIES[1], warm=-0.08, cold=0.08),
                replace(_CATEGORIES[2], warm=0.05, cold=-0.03),
            ),
            channels=tuple(_triggered(channel) for channel in _CHANNELS),
        ),
        replace(
            _SENSITIVE,
            name="national-weekly",
            purpose="one national series by week, as many brands have it",
            n_days=1456,
            national_weeks=True,
        ),
        replace(
            _SENSITIVE,
            name="sparse",
            purpose="few orders, three places, a short history with holes",
            n_days=140,
            n_geos=3,
            revenue_per_head_year=0.03,
            gaps=True,
        ),
        replace(
            _SENSITIVE,
            name="stockout",
            purpose="shortages hide demand: sales are not what customers wanted",
            stockout_share=0.12,
        ),
    )
}


def world_spec(name: str) -> WorldSpec:
    """The spec of that name; BadInput lists the names when there is none."""
    if name not in WORLDS:
        raise BadInput(f"There is no generated world called {name!r}.", f"choose one of {', '.join(sorted(WORLDS))}.")
    return WORLDS[name]
