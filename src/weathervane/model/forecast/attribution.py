"""Attribution: how much of a past week's miss was weather, plan, promotion, and the model's own (calibration.md).

Each cause is what it would have changed in the forecast had it been known; what is left is the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from weathervane.contracts.calibration import Floats, ForecastCells, Miss
from weathervane.contracts.forecast import LEVELS
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.period import Period
from weathervane.contracts.response import ResponseCurves, WeatherEffect
from weathervane.model.features.grain import as_days
from weathervane.model.features.weather import INDICES, daily_weather, fit_normals
from weathervane.model.forecast.scores import single_series

Tables = Mapping[str, pl.DataFrame]

_WEEKS = 26
_MIDDLE = LEVELS.index(0.5)
_SPEND_DAYS = 28
_ISSUED_HOUR = timedelta(hours=30)  # of the last day known: six the next morning
_SERIES = ["geo", "category"]
_GRID = 1024.0  # parts are rounded to a power of two of the unit, so that they add up to the last bit


@dataclass(frozen=True)
class Sensitivities:
    """What the forecast would have said otherwise: weather effects on demand, and response curves where there are any.

    `half_lives` gives by channel the days until half an effect of ads has gone. `uses_weather` says that forecasts took
    the weather forecast into account; otherwise they assumed normal weather.
    """

    effects: tuple[WeatherEffect, ...]
    curves: ResponseCurves | None
    half_lives: Mapping[str, float]
    uses_weather: bool


def misses(
    cells: ForecastCells, tables_at: Callable[[datetime], Tables], now: datetime, given: Sensitivities
) -> tuple[Miss, ...]:
    """The last 26 whole weeks that a forecast issued before them covers, oldest first.

    `tables_at(instant)` gives sales, spend, weather and promotions as known then. See calibration.md,
    "Why a week missed".
    """
    known = tables_at(now)
    observed = as_days(known["weather"]).filter(pl.col("lead_days") == 0)
    found: list[Miss] = []
    for (origin,), of_origin in _weeks(cells).group_by("origin", maintain_order=True):
        if not isinstance(origin, date):
            continue
        then = datetime.combine(origin, datetime.min.time(), now.tzinfo) + _ISSUED_HOUR
        known_then = tables_at(then)
        last = origin + timedelta(days=int(cells.lead.max()) * cells.step_days)
        surprise = _surprise(observed, known_then["weather"], origin, last, then, given)
        for (start,), rows in of_origin.group_by("start", maintain_order=True):
            if isinstance(start, date):
                week = _Week(rows, Period(start, start + timedelta(days=6)), origin, cells.step_days)
                found.append(_miss(week, known_then, known, surprise, given))
    return tuple(found)


@dataclass(frozen=True)
class _Week:
    """geo, category, date, expected and actual of every series in one week, and the last day its forecast knew."""

    rows: pl.DataFrame
    period: Period
    origin: date
    step_days: int

    def holds(self) -> pl.Expr:
        return pl.col("date").is_between(self.period.start, self.period.end)

    def at_tier(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame at the week's own tier: of all places, or all categories, where its series are sums over them."""
        if set(self.rows["geo"].unique()) == {NATIONAL}:
            frame = frame.with_columns(geo=pl.lit(NATIONAL))
        if "category" in frame.columns and set(self.rows["category"].unique()) == {TOTAL}:
            frame = frame.with_columns(category=pl.lit(TOTAL))
        return frame


def _weeks(cells: ForecastCells) -> pl.DataFrame:
    """geo, category, date, start, origin, expected, actual: of each whole week the newest forecast before it."""
    series = single_series(cells)
    rows = pl.DataFrame(
        {
            "geo": [series.geos[g] for g in series.geo],
            "category": [series.categories[k] for k in series.category],
            "date": series.date.astype("datetime64[D]"),
            "origin": series.origin.astype("datetime64[D]"),
            "expected": series.quantiles[:, _MIDDLE],
            "actual": series.actual,
        }
    )
    if cells.step_days == 7:
        return _whole(rows.with_columns(start="date"), 1)
    # From Mondays, unless the rhythm in which forecasts were issued covers more weeks from another day.
    shifts = (timedelta(days=shift) for shift in range(7))
    starts = (((pl.col("date") - shift).dt.truncate("1w") + shift).alias("start") for shift in shifts)
    return max((_whole(rows.with_columns(start), 7) for start in starts), key=lambda found: found["start"].n_unique())


def _whole(rows: pl.DataFrame, n_dates: int) -> pl.DataFrame:
    """The rows of the last weeks, each in the newest forecast that covers all its dates: one issued before it."""
    whole = pl.col("date").n_unique().over("start", "origin") == n_dates
    rows = rows.filter(whole)
    rows = rows.filter(pl.col("origin") == pl.col("origin").max().over("start"))
    newest = rows["start"].unique().sort().tail(_WEEKS)
    return rows.filter(pl.col("start").is_in(newest.implode())).sort("start", "date", *_SERIES)


def _miss(week: _Week, then: Tables, now: Tables, surprise: pl.DataFrame | None, given: Sensitivities) -> Miss:
    parts = {
        "weather": _weather(week, surprise, given),
        "plan": _plan(week, then["spend"], now["spend"], given),
        "promotion": _promotion(week, then["promotions"], now),
    }
    rounded = {name: _rounded(part or 0.0) for name, part in parts.items()}
    expected, actual = (_rounded(float(week.rows[name].sum())) for name in ("expected", "actual"))
    return Miss(
        week=week.period,
        origin=week.origin,
        expected=expected,
        actual=actual,
        error=actual - expected,
        **rounded,
        model=actual - expected - sum(rounded.values()),
        not_known=tuple(name for name, part in parts.items() if part is None),
    )


def _surprise(
    observed: pl.DataFrame, weather: pl.DataFrame, origin: date, last: date, then: datetime, given: Sensitivities
) -> pl.DataFrame | None:
    """geo, date and each index as it came less as it was assumed, from `origin` on; None where there are no normals."""
    seen = as_days(weather)
    normals = fit_normals(seen, origin)
    if not given.effects or normals.is_empty():
        return None
    ahead = pl.col("date").is_between(origin, last, closed="right")
    came = daily_weather(observed.filter(ahead), normals, then, last).filter(pl.col("known") == "observed")
    if not given.uses_weather:
        return came.select("geo", "date", *INDICES)
    # The forecast stood on the last day of sales: weather seen after it was not in it.
    before = seen.filter((pl.col("lead_days") > 0) | (pl.col("date") <= origin))
    assumed = daily_weather(before, normals, then, last).filter(ahead)
    beside = came.join(assumed, on=["geo", "date"], suffix="_assumed")
    return beside.select("geo", "date", *(pl.col(name) - pl.col(f"{name}_assumed") for name in INDICES))


def _weather(week: _Week, surprise: pl.DataFrame | None, given: Sensitivities) -> float | None:
    """What the weather that came does to the forecast, against the weather it assumed; None where either is unknown."""
    if surprise is None:
        return None
    indices = [pl.col(name).mean() for name in INDICES]
    daily = week.at_tier(surprise.filter(week.holds())).group_by("geo", "date").agg(indices)
    if week.step_days == 7:
        daily = daily.group_by("geo").agg(pl.lit(week.period.start).alias("date"), *indices)
    if daily.is_empty():
        return None
    slopes = {(each.category, each.index): float(np.log1p(each.rel_p50)) for each in given.effects}
    log_change = pl.sum_horizontal(
        pl.col(index).fill_null(0.0) * _by_category({k: slope for (k, name), slope in slopes.items() if name == index})
        for index in INDICES
    )
    return _changed(week.rows.join(daily, on=["geo", "date"], how="left"), log_change)


def _plan(week: _Week, spend_then: pl.DataFrame, spend_now: pl.DataFrame, given: Sensitivities) -> float | None:
    """What the spend since the forecast brings to the week on the response curves, against the spend it assumed."""
    curves, before = given.curves, week.origin - timedelta(days=_SPEND_DAYS - 1)
    if curves is None or spend_now.filter(week.holds()).is_empty():
        return None
    after = spend_now.filter(pl.col("date").is_between(week.origin, week.period.end, closed="right"))
    past = _by_period(spend_then, curves, before, week.origin, week.step_days)
    spent = _by_period(after, curves, week.origin + timedelta(days=1), week.period.end, week.step_days)
    if past is None or spent is None:
        return None
    usual = past.mean(axis=2, keepdims=True)
    half_lives = np.array([given.half_lives.get(channel, 0.0) for channel in curves.channels])
    keep = 0.5 ** (week.step_days / np.maximum(half_lives, 1e-3))
    # What has been carried over from before the forecast is the same in both.
    surplus = np.zeros(usual.shape[:2])
    carried = []
    for period in range(spent.shape[2]):
        surplus = keep * surplus + (1 - keep) * (spent[:, :, period] - usual[:, :, 0])
        carried.append(surplus)
    weekly = usual[:, :, 0] * 7 / week.step_days
    changed = np.mean(carried[-7 // week.step_days :], axis=0) * 7 / week.step_days
    total = 0.0
    for g, c in np.argwhere(changed != 0):
        budgets = np.array([weekly[g, c], max(0.0, weekly[g, c] + changed[g, c])])
        outcome = curves.at(curves.geos[g], curves.channels[c], budgets).mean(axis=1)
        total += float(outcome[1] - outcome[0])
    return total


def _by_period(spend: pl.DataFrame, curves: ResponseCurves, first: date, last: date, step_days: int) -> Floats | None:
    """[g, c, period] of spend from `first` to `last`, of all places where the curves are national; None without any."""
    rows = spend.filter(pl.col("date").is_between(first, last))
    rows = rows.with_columns(geo=pl.lit(NATIONAL)) if curves.geos == (NATIONAL,) else rows
    rows = rows.filter(pl.col("geo").is_in(curves.geos) & pl.col("channel").is_in(curves.channels))
    if rows.is_empty():
        return None
    out = np.zeros((len(curves.geos), len(curves.channels), ((last - first).days + 1) // step_days))
    period = (pl.col("date") - first).dt.total_days() // step_days
    for geo, channel, at, value in rows.select("geo", "channel", period, "spend").drop_nulls().iter_rows():
        out[curves.geos.index(geo), curves.channels.index(channel), at] += value
    return out


def _promotion(week: _Week, announced: pl.DataFrame, known: Tables) -> float:
    """What the promotions that ran do to the forecast, against those announced when it was issued."""
    before, ran = (_depths(frame.filter(week.holds()), week) for frame in (announced, known["promotions"]))
    changed = ran.join(before, on=[*_SERIES, "date"], how="full", coalesce=True, suffix="_before")
    changed = changed.with_columns(change=pl.col("depth").fill_null(0.0) - pl.col("depth_before").fill_null(0.0))
    changed = changed.filter(pl.col("change") != 0)
    if changed.is_empty():
        return 0.0
    slopes = _promotion_slopes(known, week)
    beside = week.rows.join(changed, on=[*_SERIES, "date"], how="left")
    return _changed(beside, pl.col("change").fill_null(0.0) * _by_category(slopes))


def _promotion_slopes(known: Tables, week: _Week) -> dict[str, float]:
    """By category, the slope of log sales on depth within a series' months and weekdays, up to the week's end."""
    past = pl.col("date") <= week.period.end
    sales = week.at_tier(known["sales"].filter(past).select(*_SERIES, "date", value="net_revenue"))
    sales = sales.group_by(*_SERIES, "date").agg(pl.col("value").sum()).filter(pl.col("value") > 0)
    rows = sales.join(_depths(known["promotions"].filter(past), week), on=[*_SERIES, "date"], how="left")
    rows = rows.with_columns(pl.col("depth").fill_null(0.0), y=pl.col("value").log())
    for group in (pl.col("date").dt.weekday(), pl.col("date").dt.truncate("1mo")):
        rows = rows.with_columns(pl.col(name) - pl.col(name).mean().over(*_SERIES, group) for name in ("y", "depth"))
    fitted = rows.group_by("category").agg(xy=(pl.col("depth") * pl.col("y")).sum(), xx=(pl.col("depth") ** 2).sum())
    return {category: xy / xx if xx > 1e-9 else 0.0 for category, xy, xx in fitted.iter_rows()}


def _depths(promotions: pl.DataFrame, week: _Week) -> pl.DataFrame:
    """geo, category, date, depth at the week's tier; the mean where its series are sums."""
    rows = week.at_tier(promotions.select(*_SERIES, "date", depth="depth_share"))
    return rows.group_by(*_SERIES, "date").agg(pl.col("depth").mean())


def _by_category(slopes: Mapping[str, float]) -> pl.Expr:
    return pl.col("category").replace_strict(slopes, default=0.0, return_dtype=pl.Float64)


def _changed(rows: pl.DataFrame, log_change: pl.Expr) -> float:
    """By how much the forecast of these rows would have been higher."""
    return float(rows.select((pl.col("expected") * (log_change.exp() - 1)).sum()).item())


def _rounded(value: float) -> float:
    return round(value * _GRID) / _GRID
