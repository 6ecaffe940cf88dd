"""Weather features: day-of-year normals from the past, anomalies against them, forecasts shrunk by their skill.

Formulas: docs/modeling/features.md. Everything here is daily; aggregation to the model's step is build.py's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WET_DAY_MM = 1.0
MIN_DAYS_FOR_NORMALS = 330
INDICES = ("warm", "cold", "wet")
INDEX_UNITS = {
    "warm": "one local standard deviation warmer than normal, for a day",
    "cold": "one local standard deviation colder than normal, for a day",
    "wet": "a wet day (over 1 mm) where a dry one was certain",
}
_MIN_SPREAD_C = 0.5
_MIN_SKILL_PAIRS = 60


@dataclass(frozen=True)
class Normals:
    """Per geo, harmonic coefficients of the daily mean (°C), its spread (°C) and the wet-day share."""

    coefficients: dict[str, tuple[Floats, Floats, Floats]]

    def at(self, geo: str, dates: list[date]) -> tuple[Floats, Floats, Floats]:
        """Mean temperature, spread and wet-day share on these days; arrays [len(dates)]."""
        mean, spread, wet = self.coefficients[geo]
        return (
            _harmonics(dates, (len(mean) - 1) // 2) @ mean,
            np.maximum(_harmonics(dates, (len(spread) - 1) // 2) @ spread, _MIN_SPREAD_C),
            np.clip(_harmonics(dates, (len(wet) - 1) // 2) @ wet, 0.02, 0.98),
        )


def fit_normals(weather: pl.DataFrame, through: date) -> Normals:
    """Normals from observations up to and including `through`; a geo with under eleven months has none.

    features.md, "Normals".
    """
    observed = _observed(weather).filter((pl.col("date") <= through) & pl.col("temp_mean_c").is_not_null())
    coefficients: dict[str, tuple[Floats, Floats, Floats]] = {}
    for (geo,), rows in observed.group_by("geo", maintain_order=True):
        if rows.height < MIN_DAYS_FOR_NORMALS:
            continue
        order = 3 if rows.height >= 2 * 365 else 2
        dates = rows["date"].to_list()
        temperature = rows["temp_mean_c"].to_numpy()
        mean = _ridge(_harmonics(dates, order), temperature)
        # The mean absolute deviation of a Gaussian is sqrt(2/pi) of its spread; it is less upset by one odd day.
        deviation = np.abs(temperature - _harmonics(dates, order) @ mean) * np.sqrt(np.pi / 2)
        spread = _ridge(_harmonics(dates, 1), deviation)
        rain = rows.filter(pl.col("precip_mm").is_not_null())
        is_wet = (rain["precip_mm"].to_numpy() > WET_DAY_MM).astype(np.float64)
        wet = _ridge(_harmonics(rain["date"].to_list(), 2), is_wet) if rain.height else np.zeros(1)
        coefficients[str(geo)] = (mean, spread, wet)
    return Normals(coefficients)


def daily_weather(weather: pl.DataFrame, normals: Normals, as_of: datetime, last: date) -> pl.DataFrame:
    """Daily anomalies per geo up to `last`: observations, then the newest forecast at `as_of`, then normal weather.

    Columns: geo, date, temp_anomaly_c, z, warm, cold, wet (anomaly of the wet-day share), wet_days, known
    (observed | forecast | normal). Forecast anomalies are multiplied by their skill at that lead
    (features.md, "Fading forecasts"), so that a forecast without skill reads as normal weather.
    """
    frames: list[pl.DataFrame] = []
    skill = forecast_skill(weather, normals, as_of)
    for geo in sorted(normals.coefficients):
        rows = weather.filter((pl.col("geo") == geo) & (pl.col("date") <= last))
        observed = _observed(rows).filter(pl.col("temp_mean_c").is_not_null())
        if observed.is_empty():
            continue
        newest = observed["date"].max()
        if not isinstance(newest, date):
            continue
        forecast = _newest_forecast(rows.filter(pl.col("date") > newest), as_of)
        frames.append(_anomalies(geo, observed, normals, 1.0, 1.0, "observed"))
        for (lead,), at_lead in forecast.group_by("lead_days", maintain_order=True):
            rho_temp, rho_wet = skill.get(int(str(lead)), (0.0, 0.0))
            frames.append(_anomalies(geo, at_lead, normals, rho_temp, rho_wet, "forecast"))
        covered = set(forecast["date"].to_list())
        ahead = [newest + timedelta(days=i) for i in range(1, (last - newest).days + 1)]
        frames.append(_normal_days(geo, [day for day in ahead if day not in covered], normals))
    return pl.concat(frames).sort("geo", "date") if frames else pl.DataFrame(schema=_SCHEMA)


def forecast_skill(weather: pl.DataFrame, normals: Normals, as_of: datetime) -> dict[int, tuple[float, float]]:
    """Per lead in days: the slopes of observed on forecast anomaly, for temperature and for wet days, within 0 to 1.

    Estimated from forecasts archived before `as_of` whose day has come; a lead with fewer than 60 pairs has no skill.
    """
    archived = weather.filter((pl.col("lead_days") > 0) & (pl.col("member") == 0) & (pl.col("issued_at") <= as_of))
    pairs = archived.select("geo", "date", "lead_days", "temp_mean_c", "precip_mm").join(
        _observed(weather).select("geo", "date", "temp_mean_c", "precip_mm"), on=["geo", "date"], suffix="_seen"
    )
    pairs = pairs.filter(pl.col("geo").is_in(list(normals.coefficients))).drop_nulls(
        ["temp_mean_c", "temp_mean_c_seen"]
    )
    if pairs.is_empty():
        return {}
    parts: list[pl.DataFrame] = []
    for (geo,), rows in pairs.group_by("geo", maintain_order=True):
        mean, spread, wet = normals.at(str(geo), rows["date"].to_list())
        parts.append(
            rows.select(
                "lead_days",
                z=(pl.col("temp_mean_c") - pl.Series(mean)) / pl.Series(spread),
                z_seen=(pl.col("temp_mean_c_seen") - pl.Series(mean)) / pl.Series(spread),
                wet=(pl.col("precip_mm") > WET_DAY_MM).cast(pl.Float64) - pl.Series(wet),
                wet_seen=(pl.col("precip_mm_seen") > WET_DAY_MM).cast(pl.Float64) - pl.Series(wet),
            )
        )
    skill: dict[int, tuple[float, float]] = {}
    for (lead,), rows in pl.concat(parts).group_by("lead_days", maintain_order=True):
        if rows.height >= _MIN_SKILL_PAIRS:
            rain = rows.drop_nulls(["wet", "wet_seen"])
            skill[int(str(lead))] = (_slope(rows["z"], rows["z_seen"]), _slope(rain["wet"], rain["wet_seen"]))
    return skill


_SCHEMA = {
    "geo": pl.String,
    "date": pl.Date,
    "temp_anomaly_c": pl.Float64,
    "z": pl.Float64,
    "warm": pl.Float64,
    "cold": pl.Float64,
    "wet": pl.Float64,
    "wet_days": pl.Float64,
    "known": pl.String,
}


def _observed(weather: pl.DataFrame) -> pl.DataFrame:
    return weather.filter(pl.col("lead_days") == 0)


def _newest_forecast(rows: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    known = rows.filter(
        (pl.col("lead_days") > 0)
        & (pl.col("member") == 0)
        & (pl.col("issued_at") <= as_of)
        & pl.col("temp_mean_c").is_not_null()
    )
    return known.sort("date", "issued_at").group_by("date", maintain_order=True).last()


def _anomalies(
    geo: str, rows: pl.DataFrame, normals: Normals, rho_temp: float, rho_wet: float, known: str
) -> pl.DataFrame:
    dates = rows["date"].to_list()
    mean, spread, wet_normal = normals.at(geo, dates)
    anomaly = rho_temp * (rows["temp_mean_c"].to_numpy() - mean)
    rain = rows["precip_mm"].to_numpy().astype(np.float64)
    is_wet = np.where(np.isnan(rain), wet_normal, (rain > WET_DAY_MM).astype(np.float64))
    wet = rho_wet * (is_wet - wet_normal)
    z = anomaly / spread
    return _daily_frame(geo, dates, anomaly, z, wet, wet + wet_normal, known)


def _normal_days(geo: str, dates: list[date], normals: Normals) -> pl.DataFrame:
    zero = np.zeros(len(dates))
    wet_normal = normals.at(geo, dates)[2] if dates else zero
    return _daily_frame(geo, dates, zero, zero, zero, wet_normal, "normal")


def _daily_frame(
    geo: str, dates: list[date], anomaly: Floats, z: Floats, wet: Floats, wet_days: Floats, known: str
) -> pl.DataFrame:
    n = len(dates)
    return pl.DataFrame(
        {
            "geo": [geo] * n,
            "date": dates,
            "temp_anomaly_c": anomaly,
            "z": z,
            "warm": np.maximum(z, 0.0),
            "cold": np.maximum(-z, 0.0),
            "wet": wet,
            "wet_days": wet_days,
            "known": [known] * n,
        },
        schema=_SCHEMA,
    )


def _harmonics(dates: list[date], order: int) -> Floats:
    """[n, 1 + 2·order]: one, then cosine and sine of the day of the year."""
    day = np.array([d.timetuple().tm_yday for d in dates], dtype=np.float64)
    angles = 2 * np.pi * np.outer(day, np.arange(1, order + 1)) / 365.25
    return np.column_stack([np.ones(len(day)), np.cos(angles), np.sin(angles)])


def _ridge(design: Floats, target: Floats) -> Floats:
    # A pinch of ridge on the harmonics: it changes nothing over whole years and steadies eleven months.
    penalty = np.eye(design.shape[1]) * 1e-3 * len(target)
    penalty[0, 0] = 0.0
    return np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ target), dtype=np.float64)


def _slope(forecast: pl.Series, seen: pl.Series) -> float:
    x, y = forecast.to_numpy(), seen.to_numpy()
    power = float(x @ x)
    return float(np.clip(x @ y / power, 0.0, 1.0)) if power > 0 else 0.0
