"""Archived weather forecasts in place of observed weather: does the range widen by lead, and hold at each?

Weather is real: highs forecast 12 and 36 hours ahead by the National Weather Service beside what came, February to
September 2021, after observations of two and a quarter years (of the same places, some years later, dated back by four
years). Demand is made from what came, by a known response, so that nothing but weather and noise is left to err.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.figure import Figure
from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.grain import NATIONAL, GrainSelection
from weathervane.contracts.tables import TABLES
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.forecast.backtest import backtest
from weathervane.model.pipeline import known_at

Floats = NDArray[np.float64]
_CITIES = ("boston", "charlotte", "chicago", "denver", "detroit", "orlando", "philadelphia", "tampa")
_BACK = timedelta(days=1461)
_HORIZON = 7
_ORIGINS = 30
_WARM = 0.15  # log of demand, for one local standard deviation warmer
_FIRST = date(2018, 10, 22)
_NOISE = 0.06
_LEADS = {1: "forecast_hi_current_AM", 2: "forecast_hi_prev_AM"}
_TYPES: dict[str, Any] = {"text": pl.String, "date": pl.Date, "instant": pl.Datetime("us", "UTC"), "float": pl.Float64,
          "int": pl.Int64, "bool": pl.Boolean}  # fmt: skip


def archived(folder: Path, n_worlds: int) -> Iterator[Figure]:
    """Coverage and width by lead with archived forecasts, and width with the weather that came known beforehand."""
    observed, issued = _weather(folder / "weather")
    foreseen = _foreseen(observed)
    cells = [_cells(observed, issued, seed) for seed in range(n_worlds)]
    oracle = [_cells(observed, foreseen, seed) for seed in range(n_worlds)]
    note = (
        f"{n_worlds} worlds on {observed['geo'].n_unique()} cities; forecasts 1 and 2 days ahead, then normal weather"
    )
    for low, high in ((1, 1), (2, 2), (3, _HORIZON)):
        name = f"archived_lead_{low}" if low == high else f"archived_leads_{low}_to_{high}"
        held = np.mean([_held(each, low, high) for each in cells], axis=0)
        mean, error = float(held.mean()), float(held.std(ddof=1) / np.sqrt(len(held)))
        holds = abs(mean - 0.8) <= 2.6 * error
        told = f"standard error {100 * error:.1f} over {len(held)} origins: worlds share their weather; {note}"
        yield Figure(
            f"{name}_coverage_80", round(100 * mean, 2), "%", "80, give or take 2.6 standard errors", holds, told
        )
        widths = [float(np.mean([_width(each, low, high) for each in of])) for of in (cells, oracle)]
        told = f"{100 * widths[1]:.2f} had the weather been known; {note}"
        yield Figure(f"{name}_width_80", round(100 * widths[0], 2), "% of the middle", note=told)
    steps = [np.mean([_width(each, lead, lead) for each in cells]) for lead in (1, 2, 3)]
    grows, ratio = bool(steps[0] < steps[1] < steps[2]), round(float(steps[2] / steps[0]), 3)
    yield Figure("archived_width_grows", ratio, "lead 3 / lead 1", "by each of three leads", grows, note)


def _cells(observed: pl.DataFrame, issued: pl.DataFrame, seed: int) -> ForecastCells:
    tables = {name: _table(name, {}) for name in TABLES} | {"sales": _sales(observed, seed)}
    tables["weather"] = _table("weather", pl.concat([observed, issued], how="diagonal").to_dict(as_series=False))
    dates = tables["sales"]["date"]
    starts: list[date] = pl.date_range(dates.min(), dates.max(), eager=True).to_list()
    geos = tuple(sorted(set(observed["geo"])))
    grain = GrainSelection("day", "geo", geos, "category", ("all",), (), len(starts), 1.0, "all there is", ())

    def as_known(n: int) -> Panel:
        through = starts[n - 1]
        instant = datetime.combine(through + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
        known = known_at(tables, instant)
        return build_panel(known, grain, as_of=instant, step_days=1, horizon=_HORIZON, through=through)

    n = len(starts)
    ends = range(n - _HORIZON * _ORIGINS, n - _HORIZON + 1, _HORIZON)
    return backtest(as_known(n), as_known, _HORIZON, ends).cells


def _weather(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Observed highs by city and day; forecasts of them with lead and time of issue."""
    station = pl.read_parquet(folder / "nws_forecast_vs_actual_2021_2022.parquet").with_columns(
        geo=pl.col("city").str.to_lowercase(), date=pl.col("date").cast(pl.Date)
    )
    station = station.filter(pl.col("geo").is_in(_CITIES)).sort("geo", "date")
    grid = pl.read_parquet(folder / "open_meteo_us_cities_daily.parquet").select(
        geo=pl.col("location_slug").str.replace(r"-[a-z]+$", ""),
        date=pl.col("date").cast(pl.Date) - _BACK,
        temp_mean_c=pl.col("temperature_2m_max").cast(pl.Float64),
    )
    seen = station.select("geo", "date", temp_mean_c=(pl.col("actual_hi_current_PM") - 32) / 1.8).drop_nulls()
    first = seen["date"].min()
    grid = grid.filter(pl.col("geo").is_in(_CITIES) & pl.col("date").is_between(_FIRST, first, closed="left"))
    observed = pl.concat([grid, seen]).unique(["geo", "date"], keep="first", maintain_order=True).sort("geo", "date")
    issued = pl.concat(
        station.select(
            "geo",
            "date",
            lead_days=pl.lit(lead, pl.Int64),
            temp_mean_c=(pl.col(column) - 32) / 1.8,
            issued_at=_at_six(pl.col("date") - pl.duration(days=lead - 1)) - pl.duration(minutes=1),
        )
        for lead, column in _LEADS.items()
    ).drop_nulls()
    return observed.with_columns(lead_days=pl.lit(0, pl.Int64)), issued


def _foreseen(observed: pl.DataFrame) -> pl.DataFrame:
    """What came, as if it had been forecast at every lead."""
    return pl.concat(
        observed.with_columns(
            lead_days=pl.lit(lead, pl.Int64),
            issued_at=_at_six(pl.col("date") - pl.duration(days=lead - 1)) - pl.duration(minutes=1),
        )
        for lead in range(1, _HORIZON + 1)
    )


def _sales(observed: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Demand that follows the season, the weekday and how far the high lies from the city's own normal."""
    draw = np.random.default_rng([seed, 9])
    parts: list[pl.DataFrame] = []
    for (geo,), rows in observed.group_by("geo", maintain_order=True):
        day = rows["date"].dt.ordinal_day().to_numpy() * 2 * np.pi / 365.25
        waves = np.column_stack([np.ones(len(day)), *(f(k * day) for k in (1, 2) for f in (np.cos, np.sin))])
        high = rows["temp_mean_c"].to_numpy()
        apart = high - waves @ np.linalg.lstsq(waves, high, rcond=None)[0]
        week = draw.normal(0, 0.2, 7)[rows["date"].dt.weekday().to_numpy() - 1]
        log = 7 + week + 0.1 * np.cos(day) + _WARM * apart / apart.std() + _NOISE * draw.standard_normal(len(day))
        columns = {"geo": [geo] * len(day), "date": rows["date"].to_list(), "category": ["all"] * len(day),
                   "net_revenue": np.exp(log).tolist(), "orders": [100.0] * len(day)}  # fmt: skip
        parts.append(_table("sales", columns))
    return pl.concat(parts)


def _table(name: str, columns: dict[str, list[object]]) -> pl.DataFrame:
    """A table of the contract; absent columns are null, and a row is known the day after, or when it was issued."""
    height = max((len(values) for values in columns.values()), default=0)
    extra = {"member": [0] * height} if name == "weather" else {}
    every = {**columns, **extra}
    made = {
        column.name: pl.Series(every.get(column.name, [None] * height), dtype=_TYPES[column.kind], strict=False)
        for column in TABLES[name].columns
    }
    frame = pl.DataFrame(made)
    if "date" not in frame.columns:
        return frame.with_columns(known_at=pl.lit(None, _TYPES["instant"]))
    known = _at_six(pl.col("date") + pl.duration(days=1)) - pl.duration(hours=6)
    return frame.with_columns(known_at=pl.coalesce("issued_at", known) if "issued_at" in frame.columns else known)


def _at_six(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + pl.duration(hours=6)


def _held(cells: ForecastCells, low: int, high: int) -> Floats:
    """[origin]: share of outcomes inside the 80 % range."""
    chosen = _chosen(cells, low, high)
    inside = ((cells.actual >= cells.quantiles[:, 1]) & (cells.actual <= cells.quantiles[:, 5]))[chosen]
    origin = np.unique(cells.origin[chosen], return_inverse=True)[1]
    return np.bincount(origin, inside) / np.bincount(origin)


def _width(cells: ForecastCells, low: int, high: int) -> float:
    chosen = _chosen(cells, low, high)
    return float(((cells.quantiles[:, 5] - cells.quantiles[:, 1]) / cells.quantiles[:, 3])[chosen].mean())


def _chosen(cells: ForecastCells, low: int, high: int) -> NDArray[np.bool_]:
    series = np.array([name != NATIONAL for name in cells.geos])[cells.geo]
    return series & (cells.lead >= low) & (cells.lead <= high)
