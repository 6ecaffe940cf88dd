"""Climate normals of 24 US cities: what weather is usual there on any day of the year.

The two CSV files beside this one hold the cities and their monthly normals. They are our own summary of the published
1991–2020 NOAA normals, rounded: mean daily temperature, its day-to-day spread about the normal, the share of days with
more than 1 mm of precipitation, and the mean amount on such a day. Good for a generated world; not a reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WET_MM = 1.0  # a wet day has more precipitation than this
YEAR_DAYS = 365.25
_MONTHLY_HARMONICS = 4


@dataclass(frozen=True)
class City:
    """A city as the climate table knows it; `geo` is its id, such as "new-york-ny"."""

    geo: str
    name: str
    state: str
    latitude: float
    longitude: float
    time_zone: str


@dataclass(frozen=True)
class Normals:
    """Usual weather, one value per day asked for: °C, °C, share of days above 1 mm, mm on such a day."""

    temp_mean_c: Floats
    temp_sd_c: Floats
    wet_share: Floats
    wet_mm: Floats


@cache
def cities() -> tuple[City, ...]:
    """The 24 cities. New ones are appended, never inserted: the generator's spatial noise relies on this order."""
    return tuple(City(**row) for row in _read("us_cities.csv").iter_rows(named=True))


def city_normals(geo: str, days: NDArray[np.datetime64]) -> Normals:
    """Normals of a city on these days, smooth over the year and periodic; KeyError for a city not in the table."""
    coefficients = _coefficients()[geo]
    temp, log_sd, logit_wet, log_mm = coefficients @ annual_basis(days, _MONTHLY_HARMONICS).T
    return Normals(temp, np.exp(log_sd), 1 / (1 + np.exp(-logit_wet)), WET_MM + np.exp(log_mm))


def annual_basis(days: NDArray[np.datetime64], harmonics: int) -> Floats:
    """A constant and sine and cosine pairs of the year, [day, 1 + 2 * harmonics]."""
    angle = 2 * np.pi * _day_of_year(days) / YEAR_DAYS
    waves = [wave(k * angle) for k in range(1, harmonics + 1) for wave in (np.sin, np.cos)]
    return np.column_stack([np.ones(len(angle)), *waves])


def _day_of_year(days: NDArray[np.datetime64]) -> Floats:
    """Days since 1 January, counted to the middle of the day."""
    dates = days.astype("datetime64[D]")
    return (dates - dates.astype("datetime64[Y]")).astype(np.float64) + 0.5


@cache
def _coefficients() -> dict[str, Floats]:
    """Per city, harmonic coefficients [4, k]: temperature, log spread, logit wet share, log mm above the bound."""
    table = _read("us_city_normals.csv").sort("geo", "month")
    solve = np.linalg.pinv(_monthly_means_of_basis()).astype(np.float64)
    found: dict[str, Floats] = {}
    for (geo,), rows in table.group_by("geo"):
        wet = rows["wet_share"].to_numpy()
        monthly = np.stack(
            [
                rows["temp_mean_c"].to_numpy(),
                np.log(rows["temp_sd_c"].to_numpy()),
                np.log(wet / (1 - wet)),
                np.log(rows["wet_mm"].to_numpy() - WET_MM),
            ]
        )
        found[str(geo)] = monthly @ solve.T
    return found


def _monthly_means_of_basis() -> Floats:
    """The annual basis averaged over each month [12, k], so that fitted curves reproduce monthly means."""
    days = np.arange("2001-01-01", "2005-01-01", dtype="datetime64[D]")
    month = days.astype("datetime64[M]").astype(int) % 12
    basis = annual_basis(days, _MONTHLY_HARMONICS)
    return np.stack([basis[month == m].mean(axis=0) for m in range(12)])


def _read(name: str) -> pl.DataFrame:
    return pl.read_csv(BytesIO(files("weathervane.connectors.weather").joinpath(name).read_bytes()))
