"""Generated weather and archived forecasts (docs/modeling/synthetic-worlds.md, "Weather" and "Archived forecasts")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from weathervane.connectors.synthetic.streams import Floats, continued, persistent, stream
from weathervane.connectors.weather.climate import WET_MM, Normals, annual_basis, cities, city_normals
from weathervane.contracts.errors import BadInput

Days = NDArray[np.datetime64]

LEADS = 14
TEMP_PERSISTENCE = 0.75
WET_PERSISTENCE = 0.40
_TEMP_SCALE_KM, _TEMP_POWER = 1250.0, 1.4
_WET_SCALE_KM, _WET_POWER = 750.0, 1.2
_ERROR_AT_ONE_DAY_C = 1.1
_GAMMA_SHAPE = 0.8
_TRACE_SHARE = 0.08  # days with a trace of rain, at most WET_MM
_EARTH_KM = 6371.0
_FITTED_DAYS = 365


@dataclass(frozen=True)
class Weather:
    """Weather of some places over consecutive days; arrays are [day, geo], forecasts [lead - 1, day, geo].

    `z` is the anomaly of the mean temperature over its local spread and `wet` the wet-day indicator less its usual
    share; both are 0 where the weather is not known. `normals` arrays are [day, geo] too.
    """

    days: Days
    geos: tuple[str, ...]
    normals: Normals
    z: Floats
    wet: Floats
    temp_mean_c: Floats
    temp_max_c: Floats
    temp_min_c: Floats
    precip_mm: Floats
    snow_cm: Floats
    forecast_temp_c: Floats
    forecast_precip_mm: Floats

    def forecast_z(self, lead: int) -> Floats:
        """The anomaly forecast `lead` days before, [day, geo], over the local spread."""
        return (self.forecast_temp_c[lead - 1] - self.normals.temp_mean_c) / self.normals.temp_sd_c


def simulated_weather(seed: int, geos: tuple[str, ...], days: Days) -> Weather:
    """Weather of cities of the climate table, from their normals alone."""
    normals = _stacked([city_normals(geo, days) for geo in geos])
    temp_anomaly = persistent(
        _innovations(seed, "weather/temperature", geos, len(days), _temp_factor()), TEMP_PERSISTENCE
    )
    wetness = persistent(_innovations(seed, "weather/wetness", geos, len(days), _wet_factor()), WET_PERSISTENCE)
    return _assembled(seed, geos, days, normals, temp_anomaly, wetness)


def observed_weather(seed: int, frame: pl.DataFrame, days: Days, history: slice) -> Weather:
    """Weather read from observations in the WEATHER contract, with normals fitted from them by day of year.

    A day before the history that the frame does not hold has usual weather; one after it goes on from the last day as
    generated weather would. BadInput when a place has less than a year, or not every day of the history.
    """
    for name in ("temp_mean_c", "precip_mm"):
        if name not in frame.columns:
            raise BadInput(f"The weather table has no column {name}.", "add it, with nulls where it is not known.")
    seen = frame.filter(pl.col("lead_days") == 0, pl.col("member") == 0).sort("geo", "date")
    geos = tuple(seen["geo"].unique().sort())
    _check_covers(seen, geos, days[history])
    parts = [_fitted(seed, geo, seen.filter(pl.col("geo") == geo), days) for geo in geos]
    normals = _stacked([part[0] for part in parts])
    temp_anomaly = np.column_stack([part[1] for part in parts])
    wetness = np.column_stack([part[2] for part in parts])
    n_known = history.stop
    for array, factor, phi, name in (
        (temp_anomaly, _temp_factor(), TEMP_PERSISTENCE, "weather/temperature"),
        (wetness, _wet_factor(), WET_PERSISTENCE, "weather/wetness"),
    ):
        last = np.nan_to_num(array[n_known - 1])
        after = continued(last, _innovations(seed, name, geos, len(days) - n_known, factor), phi)
        array[n_known:] = np.where(np.isnan(array[n_known:]), after, array[n_known:])
    return _assembled(seed, geos, days, normals, temp_anomaly, wetness)


def _assembled(
    seed: int, geos: tuple[str, ...], days: Days, normals: Normals, temp_anomaly: Floats, wetness: Floats
) -> Weather:
    """Physical weather and its forecasts from standard normal anomalies and wetness [day, geo], NaN where unknown."""
    temp = normals.temp_mean_c + normals.temp_sd_c * temp_anomaly
    precip = _precipitation(wetness, normals)
    raining = np.nan_to_num(precip) > WET_MM
    swing = _daily_swing(seed, geos, normals, raining)
    frozen = np.clip((1.5 - temp) / 3.0, 0.0, 1.0)
    wet = np.where(np.isnan(precip), 0.0, raining - normals.wet_share)
    return Weather(
        days=days,
        geos=geos,
        normals=normals,
        z=np.nan_to_num(temp_anomaly),
        wet=wet,
        temp_mean_c=np.round(temp, 1),
        temp_max_c=np.round(temp + swing / 2, 1),
        temp_min_c=np.round(temp - swing / 2, 1),
        precip_mm=precip,
        snow_cm=np.round(precip * frozen, 1),
        forecast_temp_c=_forecast_temperature(seed, geos, normals, np.nan_to_num(temp_anomaly)),
        forecast_precip_mm=_forecast_precipitation(seed, geos, normals, np.nan_to_num(wetness)),
    )


def _daily_swing(seed: int, geos: tuple[str, ...], normals: Normals, raining: NDArray[np.bool_]) -> Floats:
    """Daily maximum less minimum, °C: wider in dry climates and on dry days."""
    noise = np.column_stack([stream(seed, "weather/swing", geo).standard_normal(len(raining)) for geo in geos])
    return np.maximum(13.5 - 10.0 * normals.wet_share - 3.0 * raining + 1.5 * noise, 2.0)


def _precipitation(wetness: Floats, normals: Normals) -> Floats:
    """mm a day from a standard normal wetness: dry, a trace, or a gamma amount above the wet-day bound."""
    rank, dry = ndtr(wetness), 1.0 - normals.wet_share
    within = np.clip((rank - dry) / normals.wet_share, 0.0, 1.0 - 1e-9)
    amount = WET_MM + gammaincinv(_GAMMA_SHAPE, within) * (normals.wet_mm - WET_MM) / _GAMMA_SHAPE
    # Rounded up, so that a wet day stays above the bound and a trace at or under it.
    amount = np.ceil(amount * 10 + 1e-6) / 10
    trace = np.round(np.clip((rank - dry + _TRACE_SHARE) / _TRACE_SHARE, 0.0, 1.0) * WET_MM, 1)
    return np.where(np.isnan(wetness), np.nan, np.where(rank > dry, amount, trace))


def _wetness(precip: Floats, normals: Normals, dry_rank: Floats) -> Floats:
    """The standard normal wetness behind mm a day: the inverse of `_precipitation`, dry days spread at random."""
    dry = 1.0 - normals.wet_share
    within = gammainc(_GAMMA_SHAPE, np.maximum(precip - WET_MM, 0) * _GAMMA_SHAPE / (normals.wet_mm - WET_MM))
    rank = np.where(precip > WET_MM, dry + normals.wet_share * within, dry_rank * dry)
    return np.where(np.isnan(precip), np.nan, ndtri(np.clip(rank, 1e-6, 1 - 1e-6)))


# --- forecasts ------------------------------------------------------------------------------------------------------


def _forecast_temperature(seed: int, geos: tuple[str, ...], normals: Normals, anomaly: Floats) -> Floats:
    """°C [lead - 1, day, geo]: the expected temperature given what is known at each lead."""
    known = _temperature_information(normals.temp_sd_c)
    standard = _bridged(seed, "forecast/temperature", geos, _temp_factor(), TEMP_PERSISTENCE, anomaly, known)
    return np.round(normals.temp_mean_c + normals.temp_sd_c * standard, 1)


def _forecast_precipitation(seed: int, geos: tuple[str, ...], normals: Normals, wetness: Floats) -> Floats:
    """mm [lead - 1, day, geo]: one likely course, wet as often as usual at every lead and right less often with it."""
    share = _information_left()[:, None, None] * 0.75
    known = np.broadcast_to(share, (LEADS, *wetness.shape))
    standard = _bridged(seed, "forecast/wetness", geos, _wet_factor(), WET_PERSISTENCE, wetness, known)
    return np.stack([_precipitation(lead / np.sqrt(s), normals) for lead, s in zip(standard, known, strict=True)])


def _temperature_information(temp_sd_c: Floats) -> Floats:
    """Share of the anomaly's variance known at each lead [lead - 1, day, geo]."""
    # Where weather hardly varies (Miami in July) the error at one day is a share of the spread instead.
    error = np.minimum(_ERROR_AT_ONE_DAY_C, 0.5 * temp_sd_c)
    return (1.0 - (error / temp_sd_c) ** 2) * _information_left()[:, None, None]


def _information_left() -> Floats:
    """Of what is known one day ahead, the share known at each lead 1..LEADS: 1 falling to a hundredth."""
    x = np.arange(LEADS) / (LEADS - 1)
    return 1.0 - 0.99 * np.sin(np.pi * x / 2) ** 1.5


def _bridged(
    seed: int, name: str, geos: tuple[str, ...], factor: Floats, phi: float, truth: Floats, known: Floats
) -> Floats:
    """Standardised forecasts [lead - 1, day, geo], each the mean of the truth given a `known` share of its variance.

    A Brownian bridge from the truth (share 1) back to nothing (share 0): at a share s the forecast has variance s and
    error variance 1 - s, and revisions from lead to lead are unpredictable, as those of a good forecast are.
    """
    forecasts = np.empty_like(known)
    value, share = truth, np.ones_like(truth)
    for lead in range(LEADS):
        left = known[lead]
        noise = persistent(_innovations(seed, f"{name}/{lead + 1}", geos, len(truth), factor), phi)
        value = value * left / share + noise * np.sqrt(left * (share - left) / share)
        forecasts[lead], share = value, left
    return forecasts


# --- space ----------------------------------------------------------------------------------------------------------


def _innovations(seed: int, name: str, geos: tuple[str, ...], n_days: int, factor: Floats) -> Floats:
    """Standard normal draws [day, geo], correlated over the climate table's cities, independent for other places."""
    known = [city.geo for city in cities()]
    # Every city is drawn whether asked for or not: its neighbours' weather must not depend on the choice of geos.
    white = np.column_stack([stream(seed, name, geo).standard_normal(n_days) for geo in known])
    correlated = dict(zip(known, (white @ factor.T).T, strict=True))
    return np.column_stack(
        [correlated[geo] if geo in correlated else stream(seed, name, geo).standard_normal(n_days) for geo in geos]
    )


@cache
def _temp_factor() -> Floats:
    return _spatial_factor(_TEMP_SCALE_KM, _TEMP_POWER)


@cache
def _wet_factor() -> Floats:
    return _spatial_factor(_WET_SCALE_KM, _WET_POWER)


def _spatial_factor(scale_km: float, power: float) -> Floats:
    """Cholesky factor of exp(-(distance / scale)^power) over the cities; a power up to 2 keeps it positive definite."""
    return np.linalg.cholesky(np.exp(-((city_distances_km() / scale_km) ** power)))


def city_distances_km() -> Floats:
    """Straight distances [city, city] through the globe, which keep the correlation positive definite."""
    latitude = np.radians([city.latitude for city in cities()])
    longitude = np.radians([city.longitude for city in cities()])
    points = _EARTH_KM * np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    return np.linalg.norm(points[:, None, :] - points[None, :, :], axis=2)


# --- a given table --------------------------------------------------------------------------------------------------


def _fitted(seed: int, geo: str, seen: pl.DataFrame, days: Days) -> tuple[Normals, Floats, Floats]:
    """Normals of one place on `days`, and its anomaly and wetness there, NaN where the table says nothing."""
    if seen.height < _FITTED_DAYS:
        raise BadInput(
            f"The weather table holds {seen.height} days for {geo}; normals by day of year need {_FITTED_DAYS}.",
            "give at least a year of observed weather for every place, or leave the table out.",
        )
    dates = seen["date"].to_numpy().astype("datetime64[D]")
    temp = seen["temp_mean_c"].cast(pl.Float64).to_numpy()
    precip = seen["precip_mm"].cast(pl.Float64).to_numpy()
    known, measured = ~np.isnan(temp), ~np.isnan(precip)
    mean = _annual_fit(dates[known], temp[known], 3)
    variance = _annual_fit(dates[known], (temp[known] - mean(dates[known])) ** 2, 1)
    floor = 0.2 * float(np.mean((temp[known] - mean(dates[known])) ** 2))
    raining = precip[measured] > WET_MM
    wet_share = _annual_fit(dates[measured], raining.astype(np.float64), 2)
    wet_mm = float(precip[measured][raining].mean()) if raining.any() else 2 * WET_MM
    normals = Normals(
        mean(days),
        np.sqrt(np.maximum(variance(days), floor)),
        np.clip(wet_share(days), 0.02, 0.95),
        np.full(len(days), max(wet_mm, 1.5 * WET_MM)),
    )
    temp_here, precip_here = _on(days, dates, temp), _on(days, dates, precip)
    dry_rank = stream(seed, "weather/dry", geo).uniform(size=len(days))
    return normals, (temp_here - normals.temp_mean_c) / normals.temp_sd_c, _wetness(precip_here, normals, dry_rank)


def _check_covers(seen: pl.DataFrame, geos: tuple[str, ...], history: Days) -> None:
    """BadInput unless every place has a row for every day of the history."""
    first, last = history[0].astype(object), history[-1].astype(object)
    inside = seen.filter(pl.col("date").is_between(first, last)).group_by("geo").len()
    held = dict(inside.iter_rows())
    for geo in geos or ("any place",):
        if held.get(geo, 0) != len(history):
            raise BadInput(
                f"The weather table has {held.get(geo, 0)} of the {len(history)} days {first} to {last} for {geo}.",
                "ask for days the table covers, or drop the place from it.",
            )


def _annual_fit(days: Days, values: Floats, harmonics: int) -> Callable[[Days], Floats]:
    """A least-squares annual cycle of values, as a function of days."""
    coefficients = np.linalg.lstsq(annual_basis(days, harmonics), values, rcond=None)[0]
    return lambda asked: annual_basis(asked, harmonics) @ coefficients


def _on(days: Days, dates: Days, values: Floats) -> Floats:
    """Values by day, NaN for a day without one."""
    found = np.full(len(days), np.nan)
    inside = np.isin(dates, days)
    found[np.searchsorted(days, dates[inside])] = values[inside]
    return found


def _stacked(parts: list[Normals]) -> Normals:
    return Normals(
        np.column_stack([part.temp_mean_c for part in parts]),
        np.column_stack([part.temp_sd_c for part in parts]),
        np.column_stack([part.wet_share for part in parts]),
        np.column_stack([part.wet_mm for part in parts]),
    )
