"""Truth: everything a generated world knows of itself and a model has to find out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from weathervane.connectors.synthetic.demand import INDICES
from weathervane.connectors.synthetic.media import ChannelResponse
from weathervane.connectors.synthetic.specs import CategorySpec
from weathervane.connectors.synthetic.streams import Floats


@dataclass(frozen=True)
class ChannelTruth:
    """One channel over the whole history: currency caused, its share of expected revenue, and the declared shape."""

    channel: str
    roi: float
    contribution: float
    contribution_share: float
    half_life_days: float
    half_saturation: float  # in multiples of mean spend
    slope: float
    delta: float  # effect × exp(delta × temperature anomaly)


@dataclass(frozen=True)
class SteadyResponse:
    """What a weekly spend held steady causes, market by market; a geo of the tables may hold several markets."""

    geo_of: tuple[str, ...]  # [market]
    people: Floats  # [market]
    weekly_spend: Floats  # [market, channel], mean of the last four weeks
    responses: tuple[ChannelResponse, ...]


@dataclass(frozen=True)
class Truth:
    """The truth of a world, in currency. Frames are daily (weekly, by Monday, in a weekly world) and hold:

    `weather_effects`: category, index (warm | cold | wet), log_effect (total over lags, of one unit of the index).
    `outcome`: geo, date, category, baseline (usual weather, no media), weather, media, expected (their sum: revenue
    before noise and shortages).
    `contributions`: geo, date, channel, spend, contribution.
    `withheld`, where spend was cut: geo, date, channel, withheld (what the usual spend would have added).
    """

    world: str
    seed: int
    channels: tuple[ChannelTruth, ...]
    weather_effects: pl.DataFrame
    outcome: pl.DataFrame
    contributions: pl.DataFrame
    steady: SteadyResponse
    step_days: int = 1
    withheld: pl.DataFrame | None = None

    def lift(self, channel: str, geos: Sequence[str], first: date, last: date) -> tuple[float, float]:
        """What the channel's withheld ads would have added there and then: currency, and relative to what was expected
        without them. Zero where no spend was cut."""
        there = pl.col("geo").is_in(list(geos)) & pl.col("date").is_between(first, last)
        lost = 0.0
        if self.withheld is not None:
            lost = float(self.withheld.filter(there & (pl.col("channel") == channel))["withheld"].sum())
        return lost, lost / float(self.outcome.filter(there)["expected"].sum())

    def weather_on_sales(self) -> dict[tuple[str, str], float]:
        """By category and index: the total log-effect on all sales, which is what sales can show.

        The declared effect is on baseline demand. What media bring does not move with the weather, so sales move less:
        by the slope of their log-response on the baseline's, day by day.
        """
        moved = self.outcome.with_columns(
            baseline_moved=(1 + pl.col("weather") / pl.col("baseline")).log(),
            sales_moved=(pl.col("expected") / (pl.col("baseline") + pl.col("media"))).log(),
        )
        slope = (pl.col("baseline_moved") * pl.col("sales_moved")).sum() / (pl.col("baseline_moved") ** 2).sum()
        share = dict(moved.group_by("category").agg(slope.fill_nan(0.0)).iter_rows())
        return {
            (category, index): share[category] * effect for category, index, effect in self.weather_effects.iter_rows()
        }

    def weekly_contributions(self) -> pl.DataFrame:
        """geo, channel, week_ending (a Sunday), n_days (fewer than 7 at the edges), spend, contribution."""
        monday = pl.col("date").dt.truncate("1w")
        return (
            self.contributions.with_columns(week_ending=monday + pl.duration(days=6))
            .group_by("geo", "channel", "week_ending")
            .agg(
                n_days=pl.len().cast(pl.Int64) * self.step_days,
                spend=pl.col("spend").sum(),
                contribution=pl.col("contribution").sum(),
            )
            .sort("geo", "channel", "week_ending")
        )

    def weekly_spend(self, channel: str, geo: str | None = None) -> float:
        """Mean weekly spend of the last four weeks, in one geo or (None) in all."""
        c, markets = self._channel(channel), self._markets(geo)
        return float(self.steady.weekly_spend[markets, c].sum())

    def true_outcome_at(self, channel: str, multiple: float, geo: str | None = None, z: float = 0.0) -> float:
        """Outcome a week when every market steadily spends this multiple of its current weekly spend.

        `z` is the mean temperature anomaly; 0 is usual weather.
        """
        c, markets = self._channel(channel), self._markets(geo)
        spend = multiple * self.steady.weekly_spend[:, c]
        return float(self.steady.responses[c].steady(self.steady.people, spend, z)[markets].sum())

    def steady_outcome(self, geo: str, channel: str, weekly_spend: Floats, z: float = 0.0) -> Floats:
        """Outcome a week at each of these weekly spends of a geo, its markets sharing the money as they do now."""
        c, markets = self._channel(channel), self._markets(geo)
        now = self.steady.weekly_spend[markets, c]
        share = now / now.sum() if now.sum() > 0 else self.steady.people[markets] / self.steady.people[markets].sum()
        response = self.steady.responses[c]
        only = ChannelResponse(
            response.spec,
            response.mean_per_head,
            response.scale,
            response.strength[markets],
            response.contribution[:, markets],
        )
        return only.steady(self.steady.people[markets], share[:, None] * weekly_spend[None, :], z).sum(axis=0)

    def _channel(self, channel: str) -> int:
        return [truth.channel for truth in self.channels].index(channel)

    def _markets(self, geo: str | None) -> Sequence[int]:
        markets = [m for m, of in enumerate(self.steady.geo_of) if geo in (None, of)]
        if not markets:
            raise KeyError(geo)
        return markets


def channel_truths(
    responses: Sequence[ChannelResponse], paid: Floats, history: slice, expected: float
) -> tuple[ChannelTruth, ...]:
    """The figures of every channel; `paid` is the history's spend [day, geo, channel], `expected` its total revenue."""
    found: list[ChannelTruth] = []
    for c, response in enumerate(responses):
        contribution, spent = float(response.contribution[history].sum()), float(paid[:, :, c].sum())
        found.append(
            ChannelTruth(
                channel=response.spec.name,
                roi=contribution / spent if spent > 0 else 0.0,
                contribution=contribution,
                contribution_share=contribution / expected,
                half_life_days=response.spec.half_life_days,
                half_saturation=response.spec.half_saturation,
                slope=response.spec.slope,
                delta=response.spec.delta,
            )
        )
    return tuple(found)


def weather_effects(categories: Sequence[CategorySpec]) -> pl.DataFrame:
    """category, index, log_effect: the total over its lags of one unit of each index."""
    return pl.DataFrame(
        [(c.name, index, getattr(c, index)) for c in categories for index in INDICES],
        schema={"category": pl.String, "index": pl.String, "log_effect": pl.Float64},
        orient="row",
    )
