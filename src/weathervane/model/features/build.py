"""The panel: every model column as an array over series, geos and periods, from what was known at the time.

Features are built by the day and then aggregated to the model's step by their declared measure: a flow is summed, a
rate averaged, a stock taken at its last day (features.md, "From days to periods").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection
from weathervane.contracts.tables import TABLES, Measure
from weathervane.model.features.grain import as_days, first_and_last
from weathervane.model.features.weather import INDICES, daily_weather, fit_normals

Floats = NDArray[np.float64]
REGIONAL = "regional holiday"
EXPOSURES = ("impressions", "clicks", "reach")
_DOUBT = ("temp_c", "spread_c", "z_sd", "wet_sd")
_CLOSED_WEEKS = 8
_LATELY_DAYS = 28  # whose sales say how much each part of a sum counts
_OPEN_SHARE = 0.8  # of the other weekdays must have sold, or an idle one may be chance
_READS = ("sales", "spend", "weather", "calendar", "promotions", "prices", "inventory")
WeatherSource = Literal["forecast", "climatology", "none"]


@dataclass(frozen=True)
class WeatherDoubt:
    """How far weather may turn out otherwise than the panel has it; arrays [g, t], zero once observed."""

    z_sd: Floats
    wet_sd: Floats
    spread_c: Floats  # degrees a unit of z is worth, never zero


@dataclass(frozen=True)
class Panel:
    """Arrays over category k, channel c, event e, weather index i, geo g and period t (past, then future).

    `outcome` is NaN where sales are missing and in the future, `spend` where spend is missing and in the future.
    `weather` and `z` (the mean temperature anomaly over local spread) are zero, which is normal weather, where none is
    known; `temp_anomaly_c` and `wet_days`, which are for showing, are NaN there.
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
    closed: NDArray[np.bool_] | None = None  # [k or 1, g, t], known to sell nothing; None where no such day is known
    temp_c: Floats | None = None  # [g, t], as known: observed, then forecast as faded, then normal; None if unknown
    doubt: WeatherDoubt | None = None  # None where no weather is known
    # What was shown rather than paid, [c, g, t] by EXPOSURES, NaN where missing; a name is there if the tables have it.
    exposure: Mapping[str, Floats] = field(default_factory=dict[str, Floats])

    @property
    def through(self) -> date:
        """The last day of the last past period."""
        return self.starts[self.n_past - 1] + timedelta(days=self.step_days - 1)

    def cut(self, n: int, horizon: int) -> Panel:
        """The panel when its first n periods had passed, if nothing was restated and all inputs were planned then."""
        total = n + horizon
        over_time = ("in_stock", "promotion", "log_price", "weather", "z", "temp_anomaly_c", "wet_days", "event_days")
        arrays = {name: getattr(self, name)[..., :total] for name in over_time}
        past = np.arange(total) < n
        arrays |= {name: np.where(past, getattr(self, name)[..., :total], np.nan) for name in ("outcome", "spend")}
        for name in ("closed", "temp_c"):
            values = getattr(self, name)
            arrays[name] = None if values is None else values[..., :total]
        doubt = self.doubt and WeatherDoubt(*(each[:, :total] for each in vars(self.doubt).values()))
        return replace(self, starts=self.starts[:total], n_past=n, doubt=doubt, **arrays)


def build_panel(
    tables: Mapping[str, pl.DataFrame],
    grain: GrainSelection,
    *,
    as_of: datetime,
    step_days: int,
    horizon: int,
    total: bool = False,
    through: date | None = None,
) -> Panel:
    """The panel of all periods known at `as_of` (a UTC instant), and `horizon` periods ahead.

    `total` sums the categories. Rows whose `known_at` is later than `as_of` do not exist here. Periods are counted back
    from `through`, by default the last day of sales, so the newest data is always used. NotEnoughData when no whole
    period is left.
    """
    # In the order of their keys, so that the order of rows changes no last digit.
    known = {name: tables[name].filter(pl.col("known_at") <= as_of).sort(TABLES[name].key) for name in _READS}
    all_sold = known["sales"]
    known |= {name: _of_members(known[name], grain) for name in ("sales", "spend", "promotions", "prices", "inventory")}
    data_step = 7 if grain.time == "week" else 1
    if step_days % data_step:
        raise NotEnoughData("Weekly sales carry no daily model.", "forecast by week.")
    categories = (TOTAL,) if total else grain.categories
    sales = _added_up(known["sales"], grain, categories)
    if sales.is_empty():
        raise NotEnoughData("No sales were known at that time.", "choose a later as-of date.")
    oldest, newest = first_and_last(sales["date"])
    through = through or newest + timedelta(days=data_step - 1)
    n_past = ((through - oldest).days + 1) // step_days
    if n_past < 1:
        raise NotEnoughData("There is no whole period of sales.", "import more history.")
    clock = _Clock(through - timedelta(days=n_past * step_days - 1), step_days, n_past + horizon)
    geos, notes = grain.geos, []
    days_needed = step_days // data_step

    outcome = _array(sales, clock, {"category": categories, "geo": geos}, "net_revenue", "flow", needs_days=days_needed)
    weights = _mean_outcome(outcome)
    paid = _for_members(known["spend"], all_sold, grain)
    spend = _spend(paid, clock, geos, grain, weights, days_needed, notes)
    weather, source = _weather(known["weather"], known["sales"], grain, clock, as_of, through, notes)
    calendar = _pool_regional(_to_geos(known["calendar"], geos), len(geos))
    events = tuple(sorted(calendar["event"].unique().to_list()))
    flagged = calendar.with_columns(days=pl.lit(1.0))
    promotion, log_price, in_stock = _offers(known, grain, clock, n_past, categories)
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
        in_stock=in_stock,
        promotion=promotion,
        log_price=log_price,
        weather=np.stack([weather[name] for name in INDICES]),
        z=weather["z"],
        temp_anomaly_c=weather["temp_anomaly_c"],
        wet_days=weather["wet_days"] * step_days,
        event_days=np.nan_to_num(_array(flagged, clock, {"event": events, "geo": geos}, "days", "flow")),
        weather_source=source,
        notes=tuple(notes),
        closed=_closed(known["calendar"], outcome, clock, geos, n_past),
        temp_c=None if source == "none" else weather["temp_c"],
        doubt=None if source == "none" else _doubt(weather),
        exposure=_exposures(paid, clock, geos, grain, weights, days_needed),
    )


def _doubt(weather: Mapping[str, Floats]) -> WeatherDoubt:
    """A place without weather of its own reads as normal, and nothing is known of how far it may stray: no doubt."""
    z_sd, wet_sd = (np.nan_to_num(weather[name]) for name in ("z_sd", "wet_sd"))
    return WeatherDoubt(z_sd, wet_sd, np.nan_to_num(weather["spread_c"], nan=1.0))


def _closed(
    calendar: pl.DataFrame, outcome: Floats, clock: _Clock, geos: tuple[str, ...], n_past: int
) -> NDArray[np.bool_] | None:
    """[k, g, t]: days the calendar calls closed, and weekdays idle for eight weeks in which others were not."""
    if clock.step_days > 1:
        return None
    rows = calendar.filter((pl.col("kind") == "closed") & pl.col("geo").is_in(geos)).with_columns(days=pl.lit(1.0))
    told = np.nan_to_num(_array(rows, clock, {"geo": geos}, "days", "flow")) > 0
    shut = np.broadcast_to(told, (*outcome.shape[:2], clock.n)).copy()
    since = n_past - 7 * _CLOSED_WEEKS
    if since >= 0:
        sold = (np.nan_to_num(outcome[:, :, since:n_past]) > 0).reshape(*outcome.shape[:2], _CLOSED_WEEKS, 7)
        share = sold.mean(axis=2)
        others = share.sum(axis=2, keepdims=True) / np.maximum((share > 0).sum(axis=2, keepdims=True), 1)
        idle = (share == 0) & (others > _OPEN_SHARE)
        shut[:, :, since:] |= idle[:, :, np.arange(clock.n - since) % 7]
    return shut if shut.any() else None


def _exposures(
    spend: pl.DataFrame,
    clock: _Clock,
    geos: tuple[str, ...],
    grain: GrainSelection,
    weights: Floats,
    days_needed: int,
) -> dict[str, Floats]:
    there = [name for name in EXPOSURES if name in spend.columns and spend[name].count()]
    # Where these are national, so is spend, and it is noted there.
    return {name: _spend(spend, clock, geos, grain, weights, days_needed, [], name) for name in there}


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


def _mean_outcome(outcome: Floats) -> Floats:
    """[g]: each geo's mean outcome a period, over the periods that are known."""
    there = np.isfinite(outcome)
    means = np.where(there, outcome, 0.0).sum(axis=2) / np.maximum(there.sum(axis=2), 1)
    return means.sum(axis=0)


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


def _added_up(sales: pl.DataFrame, grain: GrainSelection, categories: tuple[str, ...]) -> pl.DataFrame:
    """Revenue taken up to the grain's tier of geo and category."""
    out = sales.select("geo", "date", "category", "net_revenue")
    if grain.geo_level == "national":
        out = out.with_columns(geo=pl.lit(grain.geos[0]))
    if categories == (TOTAL,) or grain.category_level == "total":
        out = out.with_columns(category=pl.lit(categories[0]))
    return out.group_by("geo", "date", "category", maintain_order=True).agg(_whole_sum("net_revenue"))


def _offers(
    known: Mapping[str, pl.DataFrame],
    grain: GrainSelection,
    clock: _Clock,
    n_past: int,
    categories: tuple[str, ...],
) -> tuple[Floats, Floats, Floats]:
    """[k, g, t] each: promotion depth, log price less its mean of the past, and the share in stock.

    Where a category or place of the model is a sum, it is the mean of its parts by what each has sold lately.
    """
    sales = known["sales"]
    added = (categories != grain.categories or grain.category_level == "total", grain.geo_level == "national")
    tiers = (("category", categories, TOTAL), ("geo", grain.geos, NATIONAL))
    parts: dict[str, tuple[str, ...]] = {}
    rows = {name: known[name] for name in ("promotions", "prices", "inventory")}
    for (column, names, whole), summed in zip(tiers, added, strict=True):
        parts[column] = tuple(sorted(sales[column].unique().to_list())) if summed else names
        rows = {name: _of_each_part(frame, column, parts[column], whole) for name, frame in rows.items()}

    # A day without a promotion row has no promotion: the table lists promotions, not days.
    data_step = 7 if grain.time == "week" else 1
    depth = np.nan_to_num(_array(rows["promotions"], clock, parts, "depth_share", "flow"))
    price = rows["prices"].with_columns(pl.col("price_index").log())
    log_price = np.nan_to_num(_fill_forward(_array(price, clock, parts, "price_index", "rate")))
    offers = (
        depth / clock.step_days * data_step,
        log_price - log_price[:, :, :n_past].mean(axis=2, keepdims=True),
        np.nan_to_num(_array(rows["inventory"], clock, parts, "in_stock_share", "rate"), nan=1.0),
    )
    axes = tuple(axis for axis, summed in enumerate(added) if summed and offers[0].shape[axis] > 1)
    if not axes:
        return offers
    sold = _sold_lately(_array(sales, clock, parts, "net_revenue", "flow"), n_past, _LATELY_DAYS // clock.step_days)
    # Where nothing was sold all parts count the same.
    weight = np.where(sold.sum(axis=axes, keepdims=True) > 0, sold, 1.0)
    weight /= weight.sum(axis=axes, keepdims=True)
    depth, log_price, in_stock = ((weight * each).sum(axis=axes, keepdims=True) for each in offers)
    return depth, log_price, in_stock


def _of_each_part(rows: pl.DataFrame, column: str, parts: tuple[str, ...], whole: str) -> pl.DataFrame:
    """Rows of the whole country, or of all categories, as rows of each of its parts."""
    if whole in parts:
        return rows
    told = rows.filter(pl.col(column) == whole).drop(column)
    return pl.concat([rows, told.join(pl.DataFrame({column: parts}), how="cross").select(rows.columns)])


def _sold_lately(sold: Floats, n_past: int, n: int) -> Floats:
    """[..., t]: mean of the `n` periods before each, so that what a period sells has no say in it.

    The first periods take the mean of the first `n`, those to come that of the last `n` of the past.
    """
    n = min(n, n_past)
    total = np.concatenate([np.zeros((*sold.shape[:-1], 1)), np.cumsum(np.nan_to_num(sold), axis=-1)], axis=-1)
    end = np.clip(np.arange(sold.shape[-1]), n, n_past)
    return np.maximum(total[..., end] - total[..., end - n], 0.0) / n


def _whole_sum(name: str) -> pl.Expr:
    """The sum, or null where a part of it is: a sum of what happens to be known is no total."""
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _spend(
    spend: pl.DataFrame,
    clock: _Clock,
    geos: tuple[str, ...],
    grain: GrainSelection,
    weights: Floats,
    days_needed: int,
    notes: list[str],
    column: str = "spend",
) -> Floats:
    """[c, g, t] of spend, or of another flow of its table.

    National spend of a tenant modelled by geo is shared out by mean outcome, and that is noted.
    """
    rows = spend.select("geo", "date", "channel", column)
    if grain.geo_level == "national":
        rows = rows.with_columns(geo=pl.lit(grain.geos[0]))
        rows = rows.group_by("geo", "date", "channel", maintain_order=True).agg(_whole_sum(column))
    elif not rows.is_empty() and not set(rows["geo"].unique()) <= set(geos):
        rows = _shared_out(rows, geos, weights, column, notes)
    axes = {"channel": grain.channels, "geo": geos}
    return _array(rows, clock, axes, column, TABLES["spend"].column(column).measure, needs_days=days_needed)


def _shared_out(
    rows: pl.DataFrame, geos: tuple[str, ...], weights: Floats, column: str, notes: list[str]
) -> pl.DataFrame:
    """The rows of the modelled places, with what the whole country spends added by their share of sales."""
    own = rows.filter(pl.col("geo").is_in(geos))
    national = rows if own.is_empty() else rows.filter(pl.col("geo") == NATIONAL)
    if national.is_empty():
        return own
    national = national.group_by("date", "channel", maintain_order=True).agg(_whole_sum(column))
    share = pl.DataFrame({"geo": list(geos), "share": weights / weights.sum()})
    shared = national.join(share, how="cross").with_columns(pl.col(column) * pl.col("share"))
    named = "" if own.is_empty() else f" of {', '.join(sorted(national['channel'].unique()))}"
    notes.append(f"Spend{named} is known for the whole country only; it was shared out to places by their sales.")
    both = pl.concat([own, shared.select(own.columns)])
    return both.group_by("geo", "date", "channel", maintain_order=True).agg(_whole_sum(column))


def _of_members(rows: pl.DataFrame, grain: GrainSelection) -> pl.DataFrame:
    """The rows without places that come and go, from the day on which all others report."""
    kept = rows.filter(~pl.col("geo").is_in(grain.left_out)) if grain.left_out else rows
    return kept if grain.since is None else kept.filter(pl.col("date") >= grain.since)


def _for_members(spend: pl.DataFrame, sales: pl.DataFrame, grain: GrainSelection) -> pl.DataFrame:
    """Spend of the whole country, cut to the share that the modelled places have of what reporting places sell.

    The share is of the places' mean sales, so that it moves as places come and go and not with what a day sold.
    """
    places = set(sales["geo"].unique())
    modelled = set(grain.geos) if grain.geo_level == "geo" else places - set(grain.left_out)
    if NATIONAL in places or modelled >= places or spend.is_empty():
        return spend
    mine = set(spend["geo"].unique())
    national = spend if mine.isdisjoint(places) else spend.filter(pl.col("geo") == NATIONAL)
    if national.is_empty():
        return spend
    spans = sales.group_by("geo").agg(
        first=pl.col("date").min(), last=pl.col("date").max(), level=pl.col("net_revenue").mean().clip(0.0)
    )
    there = national.select("date").unique().join(spans, how="cross")
    there = there.filter(pl.col("date").is_between("first", "last"))
    ours = pl.col("level").filter(pl.col("geo").is_in(list(modelled))).sum()
    share = there.group_by("date").agg(share=(ours / pl.col("level").sum()).fill_nan(1.0))
    flows = [column.name for column in TABLES["spend"].columns if column.measure == "flow"]
    cut = national.join(share, on="date", how="left").with_columns(
        pl.col(name) * pl.col("share").fill_null(1.0) for name in flows
    )
    rest = spend.join(national.select("geo").unique(), on="geo", how="anti")
    return pl.concat([rest, cut.select(spend.columns)]).sort(TABLES["spend"].key)


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
    columns = (*INDICES, "z", "temp_anomaly_c", "wet_days", *_DOUBT)
    empty = (len(grain.geos), clock.n)
    nothing = {name: np.full(empty, 0.0 if name in (*INDICES, "z") else np.nan) for name in columns}
    # The forecast stands on the last day of sales: weather seen after it is not what was known there.
    known = as_days(weather).filter((pl.col("lead_days") > 0) | (pl.col("date") <= through))
    normals = fit_normals(known, through)
    if normals.is_empty():
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
    # Columns that enter a regression read as normal where nothing is known; those that are shown stay empty.
    filled = {name: np.nan_to_num(arrays[name]) for name in (*INDICES, "z")}
    return {**arrays, **filled}, source


def _sales_weighted(daily: pl.DataFrame, sales: pl.DataFrame, national: str) -> pl.DataFrame:
    """One national row a day: indices built by place, then averaged by the places' sales (equally if none match)."""
    share = sales.group_by("geo").agg(weight=pl.col("net_revenue").sum().clip(0.0))
    joined = daily.join(share, on="geo", how="left", maintain_order="left")
    if joined["weight"].null_count() == joined.height or not joined["weight"].sum():
        joined = joined.with_columns(weight=pl.lit(1.0))
    joined = joined.with_columns(pl.col("weight").fill_null(0.0))
    numbers = [*INDICES, "z", "temp_anomaly_c", "wet_days", *_DOUBT]
    return (
        joined.group_by("date", maintain_order=True)
        .agg(
            *(_weighted_mean(name) for name in numbers),
            known=pl.col("known").min(),  # "forecast" < "normal" < "observed"
        )
        .with_columns(geo=pl.lit(national))
    )


def _weighted_mean(name: str) -> pl.Expr:
    """Over the rows that have a value; null where none with a weight has."""
    weight = pl.col("weight").filter(pl.col(name).is_not_null())
    return ((pl.col(name) * pl.col("weight")).sum() / weight.sum()).fill_nan(None)


def _fill_forward(values: Floats) -> Floats:
    """NaN replaced by the last value before it along time: the shelf price stands until it is changed."""
    seen = np.where(np.isfinite(values), np.arange(values.shape[-1]), 0)
    return np.take_along_axis(values, np.maximum.accumulate(seen, axis=-1), axis=-1)
