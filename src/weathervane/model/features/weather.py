"""Weather features: day-of-year normals from the past, anomalies against them, forecasts shrunk by their skill.

Formulas: docs/modeling/features.md. Everything here is daily; aggregation to the model's step is build.py's business.
"""

from __future__ import annotations

from datetime import date, datetime

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
    "wet": "a wet day (over 1 mm) instead of a dry one",
}
_MIN_SPREAD_C = 0.5
_MIN_SKILL_PAIRS = 60
_POOLED_PAIRS = 120.0
_DAYS_OF_YEAR = np.arange(1, 367)


def fit_normals(weather: pl.DataFrame, through: date) -> pl.DataFrame:
    """Normals by geo and day of the year, from observations up to and including `through` (features.md, "Normals").

    Columns: geo, day (1 to 366), mean_c, spread_c, wet_share. A geo with under eleven months of temperatures has no
    rows; one with under eleven months of rain has a null wet_share.
    """
    observed = _observed(weather).filter((pl.col("date") <= through) & pl.col("temp_mean_c").is_not_null())
    fitted = [
        _normals_of(str(geo), rows)
        for (geo,), rows in observed.sort("geo", "date").group_by("geo", maintain_order=True)
        if rows.height >= MIN_DAYS_FOR_NORMALS
    ]
    return pl.concat(fitted) if fitted else pl.DataFrame(schema=_NORMALS)


def daily_weather(weather: pl.DataFrame, normals: pl.DataFrame, as_of: datetime, last: date) -> pl.DataFrame:
    """Daily anomalies per geo up to `last`: observations, then the newest forecast at `as_of`, then normal weather.

    Columns: geo, date, temp_anomaly_c, z, warm, cold, wet (anomaly of the wet-day share), wet_days (null where rain is
    not known), temp_c (normal plus anomaly), spread_c, z_sd and wet_sd (how far z and wet may turn out otherwise, zero
    once observed), known (observed | forecast | normal). Forecast anomalies are multiplied by their skill at that
    lead (features.md, "Fading forecasts"), so that a forecast without skill reads as normal weather.
    """
    rows = weather.filter(pl.col("geo").is_in(normals["geo"].unique().to_list()) & (pl.col("date") <= last))
    rows = rows.filter(pl.col("temp_mean_c").is_not_null())
    observed = _observed(rows)
    newest = observed.group_by("geo").agg(newest=pl.col("date").max())
    ahead = newest.with_columns(date=pl.date_ranges(pl.col("newest") + pl.duration(days=1), last)).explode("date")
    skill = forecast_skill(weather, normals, as_of)
    forecast = _newest_forecast(rows, as_of).join(skill, on=["geo", "lead_days"], how="left")
    ahead = ahead.drop_nulls("date").join(forecast, on=["geo", "date"], how="left")
    columns = ("geo", "date", "temp_mean_c", "precip_mm", "rho_temp", "rho_wet", "known")
    certain = observed.with_columns(rho_temp=pl.lit(1.0), rho_wet=pl.lit(1.0), known=pl.lit("observed"))
    expected = ahead.with_columns(
        pl.col("rho_temp", "rho_wet").fill_null(0.0),
        known=pl.when(pl.col("temp_mean_c").is_null()).then(pl.lit("normal")).otherwise(pl.lit("forecast")),
    )
    return _anomalies(pl.concat([certain.select(columns), expected.select(columns)]), normals).sort("geo", "date")


def forecast_skill(weather: pl.DataFrame, normals: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Per geo and lead_days: rho_temp and rho_wet, the slopes of observed on forecast anomaly, within 0 to 1.

    Estimated from forecasts archived before `as_of` whose day has come, each place's own drawn towards that of all
    places; a lead with fewer than 60 pairs in all has no row.
    """
    archived = weather.filter((pl.col("lead_days") > 0) & (pl.col("member") == 0) & (pl.col("issued_at") <= as_of))
    pairs = archived.select("geo", "date", "lead_days", "temp_mean_c", "precip_mm").join(
        _observed(weather).select("geo", "date", "temp_mean_c", "precip_mm"),
        on=["geo", "date"],
        suffix="_seen",
        maintain_order="left",
    )
    pairs = _beside_normals(pairs.drop_nulls(["temp_mean_c", "temp_mean_c_seen"]), normals).select(
        "geo",
        "lead_days",
        z=(pl.col("temp_mean_c") - pl.col("mean_c")) / pl.col("spread_c"),
        z_seen=(pl.col("temp_mean_c_seen") - pl.col("mean_c")) / pl.col("spread_c"),
        wet=_is_wet("precip_mm") - pl.col("wet_share"),
        wet_seen=_is_wet("precip_mm_seen") - pl.col("wet_share"),
    )
    sums = (*_products("temp", "z", "z_seen"), *_products("wet", "wet", "wet_seen"))
    leads = pairs.group_by("lead_days", maintain_order=True).agg(*sums, n=pl.len())
    leads = leads.filter(pl.col("n") >= _MIN_SKILL_PAIRS)
    places = pairs.group_by("geo", "lead_days", maintain_order=True).agg(sums)
    every = normals.select(pl.col("geo").unique()).join(leads, how="cross")
    both = every.join(places, on=["geo", "lead_days"], how="left", suffix="_here")
    return both.select("geo", "lead_days", rho_temp=_shrunk_slope("temp"), rho_wet=_shrunk_slope("wet")).sort(
        "geo", "lead_days"
    )


_NORMALS = {"geo": pl.String, "day": pl.Int16, "mean_c": pl.Float64, "spread_c": pl.Float64, "wet_share": pl.Float64}


def _observed(weather: pl.DataFrame) -> pl.DataFrame:
    return weather.filter(pl.col("lead_days") == 0)


def _normals_of(geo: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The 366 rows of one geo."""
    order = 3 if rows.height >= 2 * 365 else 2
    day, temperature = rows["date"].dt.ordinal_day().to_numpy(), rows["temp_mean_c"].to_numpy()
    mean = _ridge(_harmonics(day, order), temperature)
    # The mean absolute deviation of a Gaussian is sqrt(2/pi) of its spread; it is less upset by one odd day.
    deviation = np.abs(temperature - _harmonics(day, order) @ mean) * np.sqrt(np.pi / 2)
    spread = _ridge(_harmonics(day, 1), deviation)
    rain = rows.filter(pl.col("precip_mm").is_not_null())
    wet_share = None
    if rain.height >= MIN_DAYS_FOR_NORMALS:
        is_wet = rain.select(_is_wet("precip_mm")).to_series().to_numpy()
        wet = _ridge(_harmonics(rain["date"].dt.ordinal_day().to_numpy(), 2), is_wet)
        wet_share = np.clip(_harmonics(_DAYS_OF_YEAR, 2) @ wet, 0.02, 0.98)
    return pl.DataFrame(
        {
            "geo": [geo] * len(_DAYS_OF_YEAR),
            "day": _DAYS_OF_YEAR,
            "mean_c": _harmonics(_DAYS_OF_YEAR, order) @ mean,
            "spread_c": np.maximum(_harmonics(_DAYS_OF_YEAR, 1) @ spread, _MIN_SPREAD_C),
            "wet_share": wet_share,
        },
        schema=_NORMALS,
    )


def _newest_forecast(rows: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    known = rows.filter((pl.col("lead_days") > 0) & (pl.col("member") == 0) & (pl.col("issued_at") <= as_of))
    # Of two issued at once, the one about a day less far ahead.
    known = known.sort("geo", "date", "issued_at", pl.col("lead_days").neg())
    return known.unique(["geo", "date"], keep="last", maintain_order=True)


def _beside_normals(rows: pl.DataFrame, normals: pl.DataFrame) -> pl.DataFrame:
    """The rows of geos that have normals, each with those of its day."""
    by_day = rows.with_columns(day=pl.col("date").dt.ordinal_day())
    return by_day.join(normals, on=["geo", "day"], how="inner", maintain_order="left")


def _anomalies(rows: pl.DataFrame, normals: pl.DataFrame) -> pl.DataFrame:
    """Columns of `daily_weather` from temperature, rain and their skill; normal where a measurement is missing."""
    anomaly = (pl.col("rho_temp") * (pl.col("temp_mean_c") - pl.col("mean_c"))).fill_null(0.0)
    wet = (pl.col("rho_wet") * (_is_wet("precip_mm") - pl.col("wet_share"))).fill_null(0.0)
    daily = _beside_normals(rows, normals).with_columns(temp_anomaly_c=anomaly, wet=wet)
    z = pl.col("temp_anomaly_c") / pl.col("spread_c")
    return daily.select(
        "geo",
        "date",
        "temp_anomaly_c",
        z=z,
        warm=z.clip(lower_bound=0.0),
        cold=(-z).clip(lower_bound=0.0),
        wet="wet",
        wet_days=pl.col("wet") + pl.col("wet_share"),
        temp_c=pl.col("mean_c") + pl.col("temp_anomaly_c"),
        spread_c="spread_c",
        # With skill ρ a standardised anomaly is known to within √(1 − ρ²); nothing is left open once it is observed.
        z_sd=(1 - pl.col("rho_temp") ** 2).sqrt(),
        wet_sd=((1 - pl.col("rho_wet") ** 2) * pl.col("wet_share") * (1 - pl.col("wet_share"))).sqrt().fill_null(0.0),
        known="known",
    )


def _is_wet(name: str) -> pl.Expr:
    return (pl.col(name) > WET_DAY_MM).cast(pl.Float64)


def _harmonics(day: NDArray[np.integer], order: int) -> Floats:
    """[n, 1 + 2·order]: one, then cosines and sines of the day of the year."""
    angles = 2 * np.pi * np.outer(day, np.arange(1, order + 1)) / 365.25
    return np.column_stack([np.ones(len(day)), np.cos(angles), np.sin(angles)])


def _ridge(design: Floats, target: Floats) -> Floats:
    # A pinch of ridge on the harmonics: it changes nothing over whole years and steadies eleven months.
    penalty = np.eye(design.shape[1]) * 1e-3 * len(target)
    penalty[0, 0] = 0.0
    return np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ target), dtype=np.float64)


def _products(name: str, forecast: str, seen: str) -> tuple[pl.Expr, pl.Expr]:
    """Σ forecast · seen and Σ forecast², over the rows that have both."""
    x, y = pl.col(forecast), pl.col(seen)
    power = (x * x).filter(y.is_not_null()).sum()
    return (x * y).sum().alias(f"both_{name}"), power.alias(f"power_{name}")


def _shrunk_slope(name: str) -> pl.Expr:
    """Of seen on forecast through zero, within 0 to 1: a place's own, as if it had seen the pool's for 120 days too."""
    pooled = (pl.col(f"both_{name}") / pl.col(f"power_{name}")).fill_nan(0.0)
    prior = _POOLED_PAIRS * pl.col(f"power_{name}") / pl.col("n")
    both, power = (pl.col(f"{sort}_{name}_here").fill_null(0.0) for sort in ("both", "power"))
    # Rounded, so that the order in which places are added up changes no digit.
    return ((both + prior * pooled) / (power + prior)).fill_nan(0.0).clip(0.0, 1.0).round(12)
