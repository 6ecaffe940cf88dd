"""The panel: every model column as an array over series, geos and periods, from what was known at the time.

Features are built by the day and then aggregated to the model's step by their declared measure: a flow is summed, a
rate averaged, a stock taken at its last day (features.md, "From days to periods").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection
from weathervane.contracts.tables import TABLES, Measure
from weathervane.model.features.grain import first_and_last
from weathervane.model.features.weather import INDICES, daily_weather, fit_normals

Floats = NDArray[np.float64]
REGIONAL = "regional holiday"
WeatherSource = Literal["forecast", "climatology", "none"]


@dataclass(frozen=True)
class Panel:
    """Arrays over category k, channel c, event e, weather index i, geo g and period t (past, then future).

    `outcome` is NaN where sales are missing and in the future, `spend` where spend is missing and in the future.
    Weather is all zero when `weather_source` is "none". `z` is the mean temperature anomaly over local spread.
    """

    step_days: int
    geos: tuple[str, ...]
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    events: tuple[str, ...]
    starts: tuple[date, ...]
    n_past: int
    outcome: Floats  # [k, g, t]
    spend: Floats  # [c, g, t]
    in_stock: Floats  # [k, g, t]
    promotion: Floats  # [k, g, t]
    log_price: Floats  # [k, g, t], minus its mean over time
    weather: Floats  # [i, g, t], order INDICES
    z: Floats  # [g, t]
    temp_anomaly_c: Floats  # [g, t]
    wet_days: Floats  # [g, t], days a period
    event_days: Floats  # [e, g, t], days a period
    weather_source: WeatherSource
    notes: tuple[str, ...]

    @property
    def through(self) -> date:
        """The last day of the last past period."""
        return self.starts[self.n_past - 1] + timedelta(days=self.step_days - 1)


def build_panel(
    tables: Mapping[str, pl.DataFrame],
    grain: GrainSelection,
    *,
    as_of: datetime,
    step_days: int,
    horizon: int,
    total: bool = False,
) -> Panel:
    """The panel of all periods known at `as_of` (a UTC instant), and `horizon` periods ahead.

    `total` sums the categories. Rows whose `known_at` is later than `as_of` do not exist here. Periods are counted back
    from the last day of sales, so the newest data is always used; NotEnoughData when no whole period is left.
    """
    known = {name: frame.filter(pl.col("known_at") <= as_of) for name, frame in tables.items()}
    data_step = 7 if grain.time == "week" else 1
    if step_days % data_step:
        raise NotEnoughData("Weekly sales carry no daily model.", "forecast by week.")
    categories = (TOTAL,) if total else grain.categories
    sales = _coarsen(known["sales"], grain, "net_revenue", categories)
    if sales.is_empty():
        raise NotEnoughData("No sales were known at that time.", "choose a later as-of date.")
    oldest, newest = first_and_last(sales["date"])
    through = newest + timedelta(days=data_step - 1)
    n_past = ((through - oldest).days + 1) // step_days
    if n_past < 1:
        raise NotEnoughData("There is no whole period of sales.", "import more history.")
    clock = _Clock(through - timedelta(days=n_past * step_days - 1), step_days, n_past + horizon)
    geos, notes = grain.geos, []
    days_needed = step_days // data_step

    outcome = _array(sales, clock, {"category": categories, "geo": geos}, "net_revenue", "flow", needs_days=days_needed)
    weights = np.nanmean(outcome, axis=2).sum(axis=0)
    spend = _spend(known["spend"], clock, geos, grain, weights, days_needed, notes)
    weather, source = _weather(tables["weather"], known["sales"], grain, clock, as_of, through, notes)
    calendar = _pool_regional(_to_geos(known["calendar"], geos), len(geos))
    events = tuple(sorted(calendar["event"].unique().to_list()))
    flagged = calendar.with_columns(days=pl.lit(1.0))
    promotion = _coarsen(known["promotions"], grain, "depth_share", categories)
    price = _coarsen(known["prices"], grain, "price_index", categories).with_columns(pl.col("price_index").log())
    stock = _coarsen(known["inventory"], grain, "in_stock_share", categories)
    by_category = {"category": categories, "geo": geos}
    log_price = np.nan_to_num(_fill_forward(_array(price, clock, by_category, "price_index", "rate")))
    return Panel(
        step_days=step_days,
        geos=geos,
        categories=categories,
        channels=grain.channels,
        events=events,
        starts=clock.starts,
        n_past=n_past,
        outcome=outcome,
        spend=spend,
        in_stock=np.nan_to_num(_array(stock, clock, by_category, "in_stock_share", "rate"), nan=1.0),
        # A day without a promotion row has no promotion: the table lists promotions, not days.
        promotion=np.nan_to_num(_array(promotion, clock, by_category, "depth_share", "flow")) / step_days * data_step,
        log_price=log_price - log_price[:, :, :n_past].mean(axis=2, keepdims=True),
        weather=np.stack([weather[name] for name in INDICES]),
        z=weather["z"],
        temp_anomaly_c=weather["temp_anomaly_c"],
        wet_days=weather["wet_days"] * step_days,
        event_days=np.nan_to_num(_array(flagged, clock, {"event": events, "geo": geos}, "days", "flow")),
        weather_source=source,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Clock:
    """Maps days to periods: `first` is the first day of period 0."""

    first: date
    step_days: int
    n: int

    @property
    def starts(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=i * self.step_days) for i in range(self.n))

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.n * self.step_days - 1)

    def period_of(self) -> pl.Expr:
        return (pl.col("date") - pl.lit(self.first)).dt.total_days() // self.step_days

    def holds(self) -> pl.Expr:
        return pl.col("date").is_between(self.first, self.last)


def _array(
    frame: pl.DataFrame,
    clock: _Clock,
    axes: Mapping[str, Sequence[str]],
    value: str,
    measure: Measure,
    needs_days: int = 1,
) -> Floats:
    """[*axes, t]: the column aggregated by its measure; NaN where fewer than `needs_days` rows carry a value."""
    if measure == "flow":
        aggregate = pl.col(value).sum()
    elif measure == "stock":
        aggregate = pl.col(value).sort_by("date").last()
    else:
        aggregate = pl.col(value).mean()
    grouped = (
        frame.filter(clock.holds())
        .with_columns(period=clock.period_of())
        .group_by(*axes, "period")
        .agg(aggregate.alias("value"), rows=pl.col(value).count())
        .filter(pl.col("rows") >= needs_days)
    )
    out = np.full((*(len(names) for names in axes.values()), clock.n), np.nan)
    index: list[NDArray[np.int64]] = []
    for column, names in axes.items():
        position = pl.DataFrame(
            {column: list(names), f"{column}_at": range(len(names))}, schema_overrides={column: pl.String}
        )
        grouped = grouped.join(position, on=column, how="inner")
    grouped = grouped.drop_nulls("value")
    index.extend(grouped[f"{column}_at"].to_numpy() for column in axes)
    out[(*index, grouped["period"].to_numpy())] = grouped["value"].to_numpy()
    return out


def _to_geos(frame: pl.DataFrame, geos: tuple[str, ...]) -> pl.DataFrame:
    """The rows of the modelled geos; when the model is national, each day's distinct events of any place."""
    if geos == (NATIONAL,) and not frame.is_empty():
        return frame.with_columns(geo=pl.lit(NATIONAL)).unique(["geo", "date", "event"])
    return frame.filter(pl.col("geo").is_in(geos))


def _pool_regional(calendar: pl.DataFrame, n_geos: int) -> pl.DataFrame:
    """Events that fewer than half the geos keep become one, so that rare ones do not each ask for an effect."""
    kept_by = pl.col("geo").n_unique().over("event")
    named = calendar.with_columns(event=pl.when(kept_by * 2 >= n_geos).then("event").otherwise(pl.lit(REGIONAL)))
    return named.unique(["geo", "date", "event"])


def _coarsen(frame: pl.DataFrame, grain: GrainSelection, value: str, categories: tuple[str, ...]) -> pl.DataFrame:
    """One column taken up to the grain's tier of geo and category: summed if it is money, averaged if it is a rate."""
    out = frame.select("geo", "date", "category", value)
    if grain.geo_level == "national":
        out = out.with_columns(geo=pl.lit(grain.geos[0]))
    if categories == (TOTAL,) or grain.category_level == "total":
        out = out.with_columns(category=pl.lit(categories[0]))
    column = pl.col(value)
    return out.group_by("geo", "date", "category").agg(column.sum() if value == "net_revenue" else column.mean())


def _spend(
    spend: pl.DataFrame,
    clock: _Clock,
    geos: tuple[str, ...],
    grain: GrainSelection,
    weights: Floats,
    days_needed: int,
    notes: list[str],
) -> Floats:
    """[c, g, t]; national spend of a tenant modelled by geo is shared out by mean outcome, and that is noted."""
    rows = spend.select("geo", "date", "channel", "spend")
    if grain.geo_level == "national":
        rows = rows.with_columns(geo=pl.lit(grain.geos[0]))
        rows = rows.group_by("geo", "date", "channel").agg(pl.col("spend").sum())
    elif not rows.is_empty() and set(rows["geo"].unique()).isdisjoint(geos):
        national = rows.group_by("date", "channel").agg(pl.col("spend").sum())
        share = pl.DataFrame({"geo": list(geos), "share": weights / weights.sum()})
        rows = national.join(share, how="cross").with_columns(spend=pl.col("spend") * pl.col("share"))
        notes.append("Spend is known for the whole country only; it was shared out to places by their sales.")
    axes = {"channel": grain.channels, "geo": geos}
    return _array(rows, clock, axes, "spend", TABLES["spend"].column("spend").measure, needs_days=days_needed)


def _weather(
    weather: pl.DataFrame,
    sales: pl.DataFrame,
    grain: GrainSelection,
    clock: _Clock,
    as_of: datetime,
    through: date,
    notes: list[str],
) -> tuple[dict[str, Floats], WeatherSource]:
    """Weather columns [g, t] as known at `as_of`, and where the future's come from."""
    columns = (*INDICES, "z", "temp_anomaly_c", "wet_days")
    nothing = {name: np.zeros((len(grain.geos), clock.n)) for name in columns}
    known = weather.filter(pl.col("known_at") <= as_of)
    normals = fit_normals(known, through)
    if not normals.coefficients:
        notes.append("No place has eleven months of weather, so there are no normals and weather is left out.")
        return nothing, "none"
    daily = daily_weather(known, normals, as_of, clock.last)
    if grain.geo_level == "national":
        daily = _sales_weighted(daily, sales, grain.geos[0])
    missing = sorted(set(grain.geos) - set(daily["geo"].unique()))
    if missing:
        if len(missing) == len(grain.geos):
            notes.append("No modelled place has weather of its own, so weather is left out.")
            return nothing, "none"
        notes.append(f"{len(missing)} of {len(grain.geos)} places have no weather; theirs is taken as normal.")
    arrays = {name: _array(daily, clock, {"geo": grain.geos}, name, "rate") for name in columns}
    if not np.isfinite(arrays["z"][:, 0]).any():
        notes.append("Weather starts later than sales; earlier days are taken as normal.")
    ahead = daily.filter(pl.col("date") > through)
    source: WeatherSource = "forecast" if (ahead["known"] == "forecast").any() else "climatology"
    return {name: np.nan_to_num(values) for name, values in arrays.items()}, source


def _sales_weighted(daily: pl.DataFrame, sales: pl.DataFrame, national: str) -> pl.DataFrame:
    """One national row a day: indices built by place, then averaged by the places' sales (equally if none match)."""
    share = sales.group_by("geo").agg(weight=pl.col("net_revenue").sum().clip(0.0))
    joined = daily.join(share, on="geo", how="left")
    if joined["weight"].null_count() == joined.height or not joined["weight"].sum():
        joined = joined.with_columns(weight=pl.lit(1.0))
    joined = joined.with_columns(pl.col("weight").fill_null(0.0))
    numbers = [*INDICES, "z", "temp_anomaly_c", "wet_days"]
    return (
        joined.group_by("date")
        .agg(
            *((pl.col(name) * pl.col("weight")).sum() / pl.col("weight").sum() for name in numbers),
            known=pl.col("known").min(),  # "forecast" < "normal" < "observed"
        )
        .with_columns(geo=pl.lit(national))
    )


def _fill_forward(values: Floats) -> Floats:
    """NaN replaced by the last value before it along time: the shelf price stands until it is changed."""
    seen = np.where(np.isfinite(values), np.arange(values.shape[-1]), 0)
    return np.take_along_axis(values, np.maximum.accumulate(seen, axis=-1), axis=-1)
