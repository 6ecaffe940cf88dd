"""Generated media: where the money goes, and what it causes (docs/modeling/synthetic-worlds.md, "Media")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from weathervane.connectors.synthetic.markets import Market
from weathervane.connectors.synthetic.specs import ChannelSpec, WorldSpec
from weathervane.connectors.synthetic.streams import Floats, decayed_sum, persistent, stream
from weathervane.connectors.synthetic.weather import Days, Weather

_WEEKDAY = np.array([1.02, 1.04, 1.04, 1.03, 1.0, 0.93, 0.94])  # Monday first
_TRIGGER_LEAD = 2
_SEASON = 0.15  # budgets lean towards the year's end, log
_DRIFT, _DRIFT_PERSISTENCE = 0.25, 0.9  # national, log, by week
_PLACE, _WEEK_JITTER, _DAY_JITTER = 0.20, 0.35, 0.08  # by geo, geo × week, geo × day, log
_PULSE_LOW, _PULSE_HIGH = 0.55, 1.45  # a place's own runs of weeks
_DARK = 0.05  # of the usual spend between two bursts


def spend(seed: int, spec: WorldSpec, markets: Sequence[Market], weather: Weather) -> Floats:
    """Currency a day [day, geo, channel], in whole cents."""
    days = weather.days
    paid = np.empty((len(days), len(markets), len(spec.channels)))
    for c, channel in enumerate(spec.channels):
        usual = channel.spend_share * spec.revenue_per_head_year / 365.25
        national = usual * _national(seed, channel, days)
        for g, market in enumerate(markets):
            local = _local(seed, channel, market.place.geo, days)
            reaction = np.exp(np.clip(channel.trigger * weather.forecast_z(_TRIGGER_LEAD)[:, g], -1.2, 1.2))
            paid[:, g, c] = market.people * national * local * reaction
    return np.round(paid, 2)


def _national(seed: int, channel: ChannelSpec, days: Days) -> Floats:
    """What multiplies a channel's usual spend everywhere, by day."""
    week, n_weeks = _weeks(days)
    draw = stream(seed, "media/national", channel.name)
    drift = _DRIFT * persistent(draw.standard_normal((n_weeks, 1)), _DRIFT_PERSISTENCE)[:, 0]
    flight = np.ones(n_weeks)
    if channel.flighting == "bursts":
        flight = _runs(draw, n_weeks, low=_DARK, high=1.8)
    day_of_year = (days - days.astype("datetime64[Y]")).astype(np.float64)
    season = _SEASON * np.cos(2 * np.pi * (day_of_year - 340) / 365.25)
    weekday = (days.astype(np.int64) + 3) % 7
    return np.exp(drift[week] + season) * flight[week] * _WEEKDAY[weekday]


def _local(seed: int, channel: ChannelSpec, geo: str, days: Days) -> Floats:
    """What multiplies a channel's national spend in one place, by day: this is what makes effects identifiable."""
    week, n_weeks = _weeks(days)
    draw = stream(seed, "media/local", channel.name, geo)
    place = _PLACE * draw.standard_normal()
    pulses = _runs(draw, n_weeks, low=_PULSE_LOW, high=_PULSE_HIGH)
    jitter = _WEEK_JITTER * draw.standard_normal(n_weeks)
    noise = _DAY_JITTER * draw.standard_normal(len(days))
    return np.exp(place + jitter[week] + noise) * pulses[week]


def _weeks(days: Days) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """The week of each day, counted from the first, Mondays first; and how many there are."""
    monday = (days.astype(np.int64) + 3) // 7
    week = monday - monday[0]
    return week, int(week[-1]) + 1


def _runs(draw: np.random.Generator, n_weeks: int, *, low: float, high: float) -> Floats:
    """Runs of three to six weeks high, then two to five low, and so on [week]."""
    values = np.empty(n_weeks)
    week, on = 0, bool(draw.integers(2))
    while week < n_weeks:
        length = int(draw.integers(3, 7) if on else draw.integers(2, 6))
        values[week : week + length] = high if on else low
        week, on = week + length, not on
    return values


@dataclass(frozen=True)
class SpendCut:
    """A channel spends only `share_left` of its usual in these geos from `start` to `end`, as in a go-dark test."""

    channel: str
    geos: tuple[str, ...]
    start: date
    end: date
    share_left: float = 0.0


def with_cuts(
    usual: Floats, cuts: Sequence[SpendCut], channels: Sequence[ChannelSpec], geos: Sequence[str], days: Days
) -> Floats:
    """Spend [day, geo, channel] as it is with the cuts in place, in whole cents."""
    paid = usual.copy()
    for cut in cuts:
        within = (days >= np.datetime64(cut.start, "D")) & (days <= np.datetime64(cut.end, "D"))
        where = within[:, None] & np.isin(np.array(geos), cut.geos)
        c = [one.name for one in channels].index(cut.channel)
        paid[:, :, c] = np.where(where, np.round(cut.share_left * usual[:, :, c], 2), paid[:, :, c])
    return paid


@dataclass(frozen=True)
class ChannelResponse:
    """What a channel causes in each market: scale × people × strength × hill(spend per head / mean) × exp(delta z)."""

    spec: ChannelSpec
    mean_per_head: float  # currency a head and day, over the history
    scale: float  # currency a head and day at full saturation
    strength: Floats  # [geo]
    contribution: Floats  # currency a day [day, geo]

    def steady(self, people: Floats, weekly_spend: Floats, z: float = 0.0) -> Floats:
        """Outcome a week at this weekly spend held steady, per market [geo, …]; spend's first axis is the market."""
        shape = (len(people),) + (1,) * (weekly_spend.ndim - 1)
        head = people.reshape(shape)
        level = hill(weekly_spend / 7.0 / head / self.mean_per_head, self.spec)
        return 7.0 * self.scale * head * self.strength.reshape(shape) * level * np.exp(self.spec.delta * z)

    def with_spend(self, people: Floats, paid: Floats, z: Floats) -> ChannelResponse:
        """The same channel under other spend [day, geo]; `people` [geo], temperature anomalies `z` [day, geo]."""
        level = hill(adstock(paid / people / self.mean_per_head, self.spec.half_life_days), self.spec)
        shape = people * self.strength * level * np.exp(self.spec.delta * z)
        return replace(self, contribution=self.scale * shape)


def hill(stock: Floats, channel: ChannelSpec) -> Floats:
    """Saturation of an adstock in multiples of mean spend: 0 at none, a half at the half-saturation, 1 at most."""
    raised = np.power(stock, channel.slope)
    return raised / (raised + channel.half_saturation**channel.slope)


def adstock(exposure: Floats, half_life_days: float) -> Floats:
    """Geometric adstock along the days, weights summing to one, so that steady exposure is its own adstock."""
    keep = 0.5 ** (1.0 / half_life_days)
    return decayed_sum((1.0 - keep) * exposure, keep)


def responses(
    seed: int,
    channels: Sequence[ChannelSpec],
    markets: Sequence[Market],
    paid: Floats,
    weather: Weather,
    history: slice,
) -> tuple[ChannelResponse, ...]:
    """The effects of every channel, from spend a day [day, geo, channel]."""
    return tuple(_response(seed, c, markets, paid[:, :, i], weather, history) for i, c in enumerate(channels))


def _response(
    seed: int, channel: ChannelSpec, markets: Sequence[Market], paid: Floats, weather: Weather, history: slice
) -> ChannelResponse:
    """The channel's effects, scaled so that over `history` they are its declared ROI times its spend [day, geo]."""
    people = np.array([market.people for market in markets])
    strength = np.array([_strength(seed, channel, market.place.geo) for market in markets])
    mean = float(paid[history].sum() / (people.sum() * len(paid[history])))
    level = hill(adstock(paid / people / mean, channel.half_life_days), channel)
    shape = people * strength * level * np.exp(channel.delta * weather.z)
    scale = channel.roi * float(paid[history].sum()) / float(shape[history].sum())
    return ChannelResponse(channel, mean, scale, strength, scale * shape)


def _strength(seed: int, channel: ChannelSpec, geo: str) -> float:
    draw = stream(seed, "media/strength", channel.name, geo).standard_normal()
    return float(np.exp(channel.geo_spread * draw - channel.geo_spread**2 / 2))


def delivery(seed: int, channels: Sequence[ChannelSpec], geos: Sequence[str], days: Days, paid: Floats) -> pl.DataFrame:
    """Rows of the SPEND contract, with the impressions and clicks the money bought."""
    frames: list[pl.DataFrame] = []
    for g, geo in enumerate(geos):
        for c, channel in enumerate(channels):
            draw = stream(seed, "media/delivery", channel.name, geo)
            price = channel.cost_per_mille * np.exp(0.1 * draw.standard_normal(len(days)))
            impressions = np.floor(1000.0 * paid[:, g, c] / price)
            frames.append(
                pl.DataFrame(
                    {
                        "geo": np.full(len(days), geo),
                        "date": days,
                        "channel": np.full(len(days), channel.name),
                        "spend": paid[:, g, c],
                        "impressions": impressions,
                        "clicks": draw.binomial(impressions.astype(np.int64), channel.click_rate).astype(np.float64),
                    }
                )
            )
    return pl.concat(frames)
