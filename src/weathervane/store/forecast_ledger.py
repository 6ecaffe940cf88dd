"""Forecast ledger: what was really forecast beside what happened, and the backtest that came with the last forecast.

Forecasts never change (results.py). Actuals are joined when they are asked for, from the sales table, which keeps every
version of a row: so each forecast can be scored on what was first known of its day and on what is known now.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import polars as pl

from weathervane.contracts.calibration import ForecastCells, WeatherValue
from weathervane.contracts.errors import StateUnusable
from weathervane.contracts.forecast import LEVELS, DemandForecast, ForecastInputs
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.tables import TABLES
from weathervane.store import results
from weathervane.store.atomic import unusable, write_atomically
from weathervane.store.ledger import sha256
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json
from weathervane.store.tables import data_hash, read

Version = Literal["latest", "first"]

KEPT_DAYS = 365  # forecasts issued longer ago say little of those issued now
_SPEND_DAYS = 28
_LEVELS = [f"q{level:.2f}" for level in LEVELS]
_SERIES = ["geo", "category"]


def inputs_of(store: Store, as_of: datetime, model_version: str) -> ForecastInputs:
    """What a forecast issued at `as_of` rests on, from what was known then."""
    sales, spend, promotions = (read(store, name, as_of) for name in ("sales", "spend", "promotions"))
    last = sales["date"].max()
    recent = spend.filter(pl.col("date") > last - timedelta(days=_SPEND_DAYS)) if isinstance(last, date) else spend
    weekly = recent.group_by("channel").agg(pl.col("spend").sum() * 7 / _SPEND_DAYS).sort("channel")
    announced = promotions.filter(pl.col("date") > last) if isinstance(last, date) else promotions
    return ForecastInputs(
        model_version=model_version,
        data_hashes={name: data_hash(store, name, as_of) for name in TABLES},
        weekly_spend=dict(weekly.iter_rows()),
        promotion_rows=announced.height,
    )


def with_inputs(forecast: DemandForecast, inputs: ForecastInputs) -> DemandForecast:
    """The forecast with what it rests on, under the id of both."""
    made = replace(forecast, forecast_id="", inputs=inputs)
    return replace(made, forecast_id=f"{made.tenant_id}-{sha256(repr(made))[:16]}")


def actual_cells(store: Store, as_of: datetime, version: Version = "latest") -> ForecastCells | None:
    """Every cell forecast in the last year with what was known of it at `as_of`; None before the first forecast.

    `version` chooses the value first known or the latest. A cell's actual is NaN until its period is over and all of
    it is known. A forecast issued again from the same last day replaces the earlier one; those issued before quantiles
    were kept have none and are left out.
    """
    since, until = ((at).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (as_of - timedelta(days=KEPT_DAYS), as_of))
    issued = [forecast for forecast in results.forecasts(store, since, until) if _has_fan(forecast)]
    if not issued:
        return None
    # A change of step starts a new record.
    step = issued[-1].step_days
    points = pl.concat([_points(forecast) for forecast in issued if forecast.step_days == step])
    points = points.unique([*_SERIES, "origin", "date"], keep="last", maintain_order=True)
    over = pl.col("date") + timedelta(days=step) <= as_of.date()
    sales = read(store, "sales", as_of, first=version == "first").filter(over)
    first = sales if version == "first" else read(store, "sales", as_of, first=True).filter(over)
    known = _beside_actuals(points, sales)
    return _cells(_beside_floor(known, _rolled_up(first, points), step), step)


def keep_backtest(store: Store, forecast_id: str, cells: ForecastCells, weather_value: WeatherValue | None) -> None:
    """Stores the backtest of the forecast just issued, instead of the one before."""
    content = {name: np.asarray(getattr(cells, name)) for name in _arrays()}
    words = {"forecast_id": forecast_id, "weather_value": "" if weather_value is None else to_json(weather_value)}
    content |= {name: np.array(text) for name, text in words.items()}
    content |= {name: np.array(getattr(cells, name)) for name in ("step_days", "geos", "categories")}
    file = io.BytesIO()
    np.savez_compressed(file, **content)  # pyright: ignore[reportArgumentType]  no array is named allow_pickle
    write_atomically(store.backtest, file.getvalue())


def backtest_of(store: Store, forecast_id: str) -> tuple[ForecastCells, WeatherValue | None] | None:
    """The backtest that came with that forecast; None where another one's is stored, or none."""
    try:
        data = store.backtest.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(store.backtest, error) from error
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if str(file["forecast_id"]) != forecast_id:
                return None
            names = {name: tuple(str(one) for one in file[name]) for name in ("geos", "categories")}
            arrays = {name: file[name] for name in _arrays()}
            value = str(file["weather_value"])
            cells = ForecastCells(source="backtest", step_days=int(file["step_days"]), **names, **arrays)
    except (ValueError, KeyError, OSError, BadZipFile) as error:
        raise StateUnusable(f"{store.backtest} is damaged.", "delete it and run `weathervane forecast`.") from error
    return cells, from_json(WeatherValue, value) if value else None


def _arrays() -> Sequence[str]:
    return [field.name for field in fields(ForecastCells)][4:]


def _has_fan(forecast: DemandForecast) -> bool:
    return all(point.fan for point in forecast.points)


def _points(forecast: DemandForecast) -> pl.DataFrame:
    """A forecast's series and totals as rows; a total that is the only series counts once."""
    known = {(point.geo, point.category) for point in forecast.points}
    totals = [point for point in forecast.total if point.fan and (point.geo, point.category) not in known]
    rows = [
        (forecast.forecast_id, is_sum, point.geo, point.category, point.date, point.lead_days, *point.fan)
        for is_sum, points in ((False, forecast.points), (True, totals))
        for point in points
    ]
    names = ["forecast_id", "is_sum", *_SERIES, "date", "lead_days", *_LEVELS]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(origin=pl.col("date") - pl.duration(days=pl.col("lead_days")))


def _beside_actuals(points: pl.DataFrame, sales: pl.DataFrame) -> pl.DataFrame:
    """The points with `actual`: of a series its sales, of a sum those of its series, or null where one lacks."""
    at = ["forecast_id", "date"]
    series = points.filter(~pl.col("is_sum"))
    series = series.join(_rolled_up(sales, series), on=[*_SERIES, "date"], how="left")
    sums = points.filter(pl.col("is_sum"))
    parts = series.select(*at, *_SERIES, "actual")
    both = [
        parts.with_columns(pl.lit(geo).alias("geo") if geo else pl.col("geo"),
                           pl.lit(category).alias("category") if category else pl.col("category"))
        for geo, category in ((NATIONAL, TOTAL), (NATIONAL, None), (None, TOTAL))
    ]  # fmt: skip
    whole = pl.concat(both).group_by(*at, *_SERIES).agg(_whole("actual"))
    return pl.concat([series, sums.join(whole, on=[*at, *_SERIES], how="left").select(series.columns)])


def _rolled_up(sales: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Sales by geo, category and date as `actual`, summed up to each tier that the points have."""
    wanted = points.select(_SERIES).unique()
    found: list[pl.DataFrame] = []
    for national, total in ((False, False), (False, True), (True, False), (True, True)):
        rows = sales.select(*_SERIES, "date", actual=pl.col("net_revenue"))
        if national:
            rows = rows.with_columns(geo=pl.lit(NATIONAL))
        if total:
            rows = rows.with_columns(category=pl.lit(TOTAL))
        tier = wanted.filter((pl.col("geo") == NATIONAL) == national, (pl.col("category") == TOTAL) == total)
        found.append(rows.join(tier, on=_SERIES, how="semi").group_by(*_SERIES, "date").agg(_whole("actual")))
    return pl.concat(found)


def _whole(name: str) -> pl.Expr:
    """The sum, or null where a part of it is: a sum of what happens to be known is no total."""
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _beside_floor(points: pl.DataFrame, first: pl.DataFrame, step: int) -> pl.DataFrame:
    """The points with `floor`, the value a week ago (52 weeks ago, by week), and `scale`, the mean change over that."""
    season = 7 if step == 1 else 364
    ago = first.select(*_SERIES, pl.col("date") + timedelta(days=season), before="actual")
    changes = (
        first.join(ago, on=[*_SERIES, "date"], how="inner")
        .sort("date")
        .select(
            *_SERIES,
            "date",
            scale=((pl.col("actual") - pl.col("before")).abs().cum_sum() / pl.int_range(1, pl.len() + 1)).over(_SERIES),
        )
    )
    seasons = (pl.col("lead_days") + season - 1) // season
    points = points.with_columns(like=pl.col("date") - pl.duration(days=season * seasons))
    points = points.join(first.rename({"date": "like", "actual": "floor"}), on=[*_SERIES, "like"], how="left")
    return points.sort("origin").join_asof(
        changes.rename({"date": "seen"}).sort("seen"), left_on="origin", right_on="seen", by=_SERIES,
        check_sortedness=False,
    )  # fmt: skip


def _cells(rows: pl.DataFrame, step: int) -> ForecastCells:
    rows = rows.sort("date", "origin", *_SERIES)
    geos, categories = (tuple(rows[name].unique().sort().to_list()) for name in _SERIES)

    def numbers(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)

    def places(name: str, names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return rows[name].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()

    return ForecastCells(
        source="ledger",
        step_days=step,
        geos=geos,
        categories=categories,
        origin=rows["origin"].to_numpy().astype("datetime64[D]"),
        date=rows["date"].to_numpy().astype("datetime64[D]"),
        lead=((rows["lead_days"] - 1) // step + 1).to_numpy(),
        geo=places("geo", geos),
        category=places("category", categories),
        quantiles=rows.select(_LEVELS).to_numpy(),
        raw=np.full((rows.height, len(LEVELS)), np.nan),
        floor=numbers("floor"),
        actual=numbers("actual"),
        scale=numbers("scale"),
    )
