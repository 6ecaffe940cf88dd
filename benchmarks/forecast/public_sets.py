"""Public demand sets as panels: sales by series and period, calendar, promotions, closed days and observed weather."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDICES, daily_weather, fit_normals

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PublicSet:
    """One set: how far ahead it is tested, and how to read it from a folder of data."""

    name: str
    horizon: int
    read: Callable[[Path, int | None], Panel]  # folder, at most so many series


def panel_of(
    outcome: Floats,
    first: date,
    horizon: int,
    *,
    geos: tuple[str, ...],
    categories: tuple[str, ...] = ("all",),
    step_days: int = 1,
    promotion: Floats | None = None,
    closed: NDArray[np.bool_] | None = None,
    events: dict[str, Floats] | None = None,
    weather: dict[str, Floats] | None = None,
) -> Panel:
    """A panel of outcome [k, g, past]; inputs [.., past + horizon] are padded with nothing where they end earlier."""
    k, g, past = outcome.shape
    total = past + horizon

    def padded(values: Floats, fill: float = 0.0) -> Floats:
        room = [(0, 0)] * (values.ndim - 1) + [(0, max(0, total - values.shape[-1]))]
        return np.pad(values, room, constant_values=fill)[..., :total]

    nothing = np.zeros((k, g, total))
    days = {name: np.broadcast_to(padded(values), (g, total)) for name, values in sorted((events or {}).items())}
    known = {name: padded(values) for name, values in (weather or {}).items()}
    calm = np.zeros((g, total))
    return Panel(
        step_days=step_days,
        geos=geos,
        categories=categories,
        channels=(),
        events=tuple(days),
        starts=tuple(first + timedelta(days=i * step_days) for i in range(total)),
        n_past=past,
        outcome=padded(outcome, np.nan),
        spend=np.zeros((0, g, total)),
        in_stock=np.ones((k, g, total)),
        promotion=nothing if promotion is None else padded(promotion),
        log_price=nothing,
        weather=np.stack([known.get(name, calm) for name in INDICES]),
        z=known.get("warm", calm) - known.get("cold", calm),
        temp_anomaly_c=calm,
        wet_days=calm,
        event_days=np.stack(list(days.values())) if days else np.zeros((0, g, total)),
        weather_source="forecast" if weather else "none",
        notes=(),
        closed=None if closed is None else padded(closed * 1.0) > 0,
        temp_c=known.get("temp_c"),
    )


def rossmann(folder: Path, most: int | None) -> Panel:
    """Store-days; a day without a row is a closed day, as the calendar of openings has it."""
    rows = pl.read_parquet(folder / "demand_weather/rossmann_daily.parquet").with_columns(pl.col("Date").cast(pl.Date))
    stores = pl.read_csv(folder / "demand_weather/rossmann_stores.csv", infer_schema_length=None)
    chosen = _some(rows["Store"].unique().sort().to_list(), most)
    rows = rows.filter(pl.col("Store").is_in(chosen))
    state = dict(stores.select("Store", "State").iter_rows())
    first, last = _span(rows["Date"])
    days = (last - first).days + 1
    series = {store: i for i, store in enumerate(chosen)}
    at = _at(rows["Store"].to_list(), series), _day(rows["Date"], first)
    outcome, promotion, school = (_grid(len(chosen), days, fill) for fill in (np.nan, 0.0, 0.0))
    outcome[at], promotion[at], school[at] = (rows[name].to_numpy() for name in ("Sales", "Promo", "SchoolHoliday"))
    promotion[:] = promotion.max(axis=0)  # one calendar of promotions for all stores
    holidays = {f"holiday {kind}": _state_days(rows, state, chosen, first, days, kind) for kind in "abc"}
    german = pl.read_parquet(folder / "weather/german_states_daily_2013_2015.parquet")
    observed = german.select(
        geo=pl.col("state"),
        date=pl.col("Date").cast(pl.Date),
        temp_mean_c=pl.col("Mean_TemperatureC").cast(pl.Float64),
        precip_mm=pl.col("Precipitationmm").cast(pl.Float64),
    )
    by_state = weather_of(observed, first, days)
    of_store = [{"HB,NI": "NI"}.get(state[store], state[store]) for store in chosen]
    return panel_of(
        outcome[None],
        first,
        42,
        geos=tuple(f"store {store:04d}" for store in chosen),
        promotion=promotion[None],
        closed=~np.isfinite(outcome)[None],
        events={**{name: on for name, on in holidays.items() if on.any()}, "school holiday": school},
        weather={name: np.stack([values[s] for s in of_store]) for name, values in by_state.items()},
    )


def walmart(folder: Path, most: int | None) -> Panel:
    """Weeks of departments (categories) in stores (places); the four holiday weeks are named."""
    rows = pl.read_parquet(folder / "demand_weather/walmart_weekly_store_dept.parquet")
    rows = rows.with_columns(pl.col("Date").cast(pl.Date))
    features = pl.read_csv(folder / "demand_weather/walmart_features.csv", null_values=["NA"], infer_schema_length=None)
    features = features.with_columns(pl.col("Date").str.to_date()).sort("Store", "Date")
    stores, departments = rows["Store"].unique().sort().to_list(), rows["Dept"].unique().sort().to_list()
    departments = _some(departments, most and max(2, most // len(stores)))
    rows = rows.filter(pl.col("Dept").is_in(departments))
    first, last = _span(rows["Date"])
    weeks = (last - first).days // 7 + 1
    total = weeks + 6
    k, g = {d: i for i, d in enumerate(departments)}, {s: i for i, s in enumerate(stores)}
    outcome = np.full((len(k), len(g), weeks), np.nan)
    at = _at(rows["Dept"].to_list(), k), _at(rows["Store"].to_list(), g), _day(rows["Date"], first) // 7
    outcome[at] = rows["Weekly_Sales"].to_numpy()
    features = features.filter(pl.col("Date") < first + timedelta(days=7 * total))
    inside = _at(features["Store"].to_list(), g), _day(features["Date"], first) // 7
    temperature = _grid(len(g), total, np.nan)
    temperature[inside] = (features["Temperature"].to_numpy() - 32) / 1.8
    events: dict[str, Floats] = {}
    for day in features.filter(pl.col("IsHoliday").cast(pl.String).str.to_lowercase() == "true")["Date"].unique():
        name = {2: "super bowl", 9: "labour day", 11: "thanksgiving", 12: "christmas"}[day.month]
        events.setdefault(name, np.zeros(total))[(day - first).days // 7] = 1.0
    return panel_of(
        outcome,
        first,
        6,
        geos=tuple(f"store {store:02d}" for store in stores),
        categories=tuple(f"dept {department:02d}" for department in departments),
        step_days=7,
        events=events,
        weather=_weekly_weather(temperature, first),
    )


def electricity(folder: Path, most: int | None) -> Panel:  # noqa: ARG001  one series
    """Victoria's demand by local day."""
    rows = pl.read_parquet(folder / "demand_weather/electricity_victoria_30min.parquet")
    daily = (
        rows.group_by(date=pl.col("Date").str.to_date())
        .agg(pl.col("Demand").sum(), pl.col("Temperature").mean(), pl.col("Holiday").max(), n=pl.len())
        .filter(pl.col("n") >= 46)
        .sort("date")
    )
    observed = daily.select(
        "date", geo=pl.lit("victoria"), temp_mean_c="Temperature", precip_mm=pl.lit(None, pl.Float64)
    )
    return _one_series(daily, "Demand", "victoria", observed, {"holiday": daily["Holiday"].to_numpy() * 1.0})


def bikes(folder: Path, most: int | None) -> Panel:  # noqa: ARG001  one series
    """Washington's bike rentals by day; a wet day is one with two hours of rain or snow."""
    rows = pl.read_parquet(folder / "demand_weather/bike_dc_hourly.parquet")
    daily = (
        rows.group_by(date=pl.col("dteday").str.to_date())
        .agg(
            pl.col("cnt").sum(), pl.col("temp").mean() * 41, pl.col("holiday").max(), (pl.col("weathersit") >= 3).sum()
        )
        .sort("date")
    )
    observed = daily.select("date", geo=pl.lit("dc"), temp_mean_c="temp", precip_mm=pl.col("weathersit") * 1.0 - 0.5)
    return _one_series(daily, "cnt", "dc", observed, {"holiday": daily["holiday"].to_numpy() * 1.0})


def restaurants(folder: Path, most: int | None) -> Panel:
    """Visits by restaurant and day; a day without a row is a closed day. No weather: their places are not known."""
    rows = pl.read_parquet(folder / "demand_weather/recruit_restaurant_visits.parquet")
    rows = rows.with_columns(date=pl.col("visit_date").str.to_date())
    chosen = _some(rows["air_store_id"].unique().sort().to_list(), most)
    rows = rows.filter(pl.col("air_store_id").is_in(chosen))
    first, last = _span(rows["date"])
    outcome = _grid(len(chosen), (last - first).days + 1, np.nan)
    names = {name: i for i, name in enumerate(chosen)}
    outcome[_at(rows["air_store_id"].to_list(), names), _day(rows["date"], first)] = rows["visitors"].to_numpy()
    return panel_of(outcome[None], first, 42, geos=tuple(chosen), closed=~np.isfinite(outcome)[None])


SETS = (
    PublicSet("rossmann", 42, rossmann),
    PublicSet("walmart", 6, walmart),
    PublicSet("electricity", 42, electricity),
    PublicSet("bikes", 42, bikes),
    PublicSet("restaurants", 42, restaurants),
)


def weather_of(observed: pl.DataFrame, first: date, n_days: int) -> dict[str, dict[str, Floats]]:
    """{column: {geo: [t]}} of observed weather; normals from the first two thirds of the days, which no origin scores."""
    table = observed.with_columns(
        lead_days=pl.lit(0), member=pl.lit(0), issued_at=pl.lit(None, pl.Datetime("us", "UTC"))
    )
    normals = fit_normals(table, first + timedelta(days=max(400, n_days * 2 // 3)))
    last = first + timedelta(days=n_days - 1)
    daily = daily_weather(table, normals, pl.datetime(2100, 1, 1, time_zone="UTC"), last).join(
        observed.select("geo", "date", "temp_mean_c"), on=["geo", "date"], how="left"
    )
    out: dict[str, dict[str, Floats]] = {name: {} for name in (*INDICES, "temp_c")}
    for (geo,), rows in daily.sort("date").group_by("geo", maintain_order=True):
        at = _day(rows["date"], first)
        inside = (at >= 0) & (at < n_days)
        for name in out:
            values = np.zeros(n_days) if name in INDICES else np.full(n_days, np.nan)
            values[at[inside]] = rows[{"temp_c": "temp_mean_c"}.get(name, name)].to_numpy()[inside]
            out[name][str(geo)] = values
    return out


def _one_series(daily: pl.DataFrame, value: str, geo: str, observed: pl.DataFrame, events: dict[str, Floats]) -> Panel:
    first, last = _span(daily["date"])
    days = (last - first).days + 1
    outcome = _grid(1, days, np.nan)
    at = _day(daily["date"], first)
    outcome[0, at] = daily[value].to_numpy()
    on = {name: np.zeros(days) for name in events}
    for name, values in events.items():
        on[name][at] = values
    weather = {name: values[geo][None] for name, values in weather_of(observed, first, days).items()}
    return panel_of(outcome[None], first, 42, geos=(geo,), events=on, weather=weather)


def _weekly_weather(temperature: Floats, first: date) -> dict[str, Floats]:
    """Anomalies of weekly temperatures [g, t] against each place's own season, learnt on the first two thirds."""
    day = np.array([(first + timedelta(days=7 * t)).timetuple().tm_yday for t in range(temperature.shape[1])])
    angles = 2 * np.pi * np.outer(day, [1, 2]) / 365.25
    design = np.column_stack([np.ones(len(day)), np.cos(angles), np.sin(angles)])
    learnt = slice(0, len(day) * 2 // 3)
    season = np.linalg.lstsq(design[learnt], np.nan_to_num(temperature[:, learnt]).T)[0]
    anomaly = temperature - (design @ season).T
    z = np.nan_to_num(anomaly / np.nanstd(anomaly[:, learnt], axis=1, keepdims=True))
    return {"warm": np.maximum(z, 0), "cold": np.maximum(-z, 0), "temp_c": temperature}


def _state_days(
    rows: pl.DataFrame, state: dict[int, str], stores: list[int], first: date, days: int, kind: str
) -> Floats:
    """[store, day]: days that some store of the state reports as a holiday of this kind."""
    out = np.zeros((len(stores), days))
    marked = rows.filter(pl.col("StateHoliday").cast(pl.String) == kind)
    on = {(state[store], (day - first).days) for store, day in marked.select("Store", "Date").iter_rows()}
    for i, store in enumerate(stores):
        out[i, [day for of, day in on if of == state[store]]] = 1.0
    return out


def _some(names: list, most: int | None) -> list:
    """Every so-manyth, so that at most `most` are left."""
    return names if most is None or len(names) <= most else names[:: -(-len(names) // most)]


def _span(days: pl.Series) -> tuple[date, date]:
    return days.min(), days.max()


def _grid(rows: int, columns: int, fill: float) -> Floats:
    return np.full((rows, columns), fill)


def _at(names: list, index: dict) -> NDArray[np.int64]:
    return np.array([index[name] for name in names])


def _day(days: pl.Series, first: date) -> NDArray[np.int64]:
    return (days.to_numpy().astype("datetime64[D]") - np.datetime64(first, "D")).astype(np.int64)
