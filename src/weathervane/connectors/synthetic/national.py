"""A national world by week: the markets of a daily world added up, dated by the Monday of each week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from weathervane.connectors.synthetic.truth import Truth
from weathervane.contracts.grain import NATIONAL

_WEEK_DAYS = 7
_MEANS = ("temp_mean_c", "temp_max_c", "temp_min_c")
_SUMS = ("precip_mm", "snow_cm")
_WEEK_LEADS = (1, 8)  # issued the day before the Monday, or a week earlier


def national_tables(tables: Mapping[str, pl.DataFrame], people: Mapping[str, float]) -> dict[str, pl.DataFrame]:
    """Weekly national tables but for the calendar, from daily tables of whole weeks; `people` by geo."""
    orders = pl.col("orders").sum()
    new_customers = (pl.col("new_customer_share") * pl.col("orders")).sum() / orders
    flows = [pl.col(name).sum() for name in ("net_revenue", "orders", "units")]
    sales = _weekly(tables["sales"], "category", [*flows, new_customers.alias("new_customer_share")])
    spend = _weekly(tables["spend"], "channel", [pl.col(name).sum() for name in ("spend", "impressions", "clicks")])
    inventory = _weekly(tables["inventory"], "category", [pl.col("in_stock_share").mean()])
    prices = _weekly(tables["prices"], "category", [pl.col("price_index").mean()])
    promotions = _weekly(tables["promotions"], "category", [pl.col("depth_share").mean()])
    return {
        "sales": sales,
        "spend": spend,
        "inventory": inventory,
        "prices": prices,
        "promotions": promotions,
        "weather": _weekly_weather(tables["weather"], people),
    }


def national_truth(truth: Truth) -> Truth:
    """The same truth, summed over the markets and over weeks."""
    return replace(
        truth,
        outcome=_weekly(truth.outcome, "category", [pl.col(pl.Float64).sum()]),
        contributions=_weekly(truth.contributions, "channel", [pl.col(pl.Float64).sum()]),
        steady=replace(truth.steady, geo_of=(NATIONAL,) * len(truth.steady.geo_of)),
        step_days=_WEEK_DAYS,
    )


def _weekly(daily: pl.DataFrame, axis: str, measures: list[pl.Expr]) -> pl.DataFrame:
    """Rows by week and name of `axis`; a week is known once its last day is."""
    if "known_at" in daily.columns:
        measures = [*measures, pl.col("known_at").max()]
    week = pl.col("date").dt.truncate("1w")
    return daily.group_by(week, axis).agg(measures).sort("date", axis).select(pl.lit(NATIONAL).alias("geo"), pl.all())


def _weekly_weather(weather: pl.DataFrame, people: Mapping[str, float]) -> pl.DataFrame:
    """Weather weighted by people: observed weeks, and forecasts of whole weeks. A week's lead is that of its Monday.

    A measure missing on any day or in any market is missing in the week.
    """
    week = pl.col("date").dt.truncate("1w")
    into_week = (pl.col("date") - week).dt.total_days()
    observed = pl.col("lead_days") == 0
    daily = weather.with_columns(
        people=pl.col("geo").replace_strict(people, return_dtype=pl.Float64),
        date=week,
        lead_days=pl.when(observed).then(0).otherwise(pl.col("lead_days") - into_week),
        forecast=~observed,
    ).filter(~pl.col("forecast") | pl.col("lead_days").is_in(_WEEK_LEADS))
    weighted = pl.col("people") / pl.col("people").sum()
    complete = {name: pl.col(name).null_count() == 0 for name in (*_MEANS, *_SUMS)}
    value = {name: (pl.col(name) * weighted).sum() for name in _MEANS}
    value |= {name: (pl.col(name) * weighted).sum() * _WEEK_DAYS for name in _SUMS}
    measures = [pl.when(complete[name]).then(value[name].round(2)).alias(name) for name in value]
    weekly = daily.group_by("date", "lead_days", "forecast").agg(
        pl.col("issued_at").first(), *measures, pl.col("known_at").max(), pl.len().alias("n")
    )
    whole = weekly.filter(pl.col("n") == len(people) * _WEEK_DAYS).sort("date", "lead_days")
    return whole.select(
        pl.lit(NATIONAL).alias("geo"),
        "date",
        "lead_days",
        pl.lit(0, pl.Int64).alias("member"),
        "issued_at",
        *value,
        "known_at",
    )
