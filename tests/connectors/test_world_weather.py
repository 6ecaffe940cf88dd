"""Generated weather behaves like weather: against its own targets, and against real cities."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weathervane.connectors.synthetic.weather import (
    LEADS,
    Weather,
    city_distances_km,
    simulated_weather,
)
from weathervane.connectors.weather.climate import WET_MM, cities, city_normals

GEOS = tuple(city.geo for city in cities())
DAYS = np.arange("2021-01-01", "2025-01-01", dtype="datetime64[D]")
REAL = Path("../shared/data/weather/open_meteo_us_cities_daily.parquet")


@pytest.fixture(scope="module")
def weather() -> Weather:
    return simulated_weather(11, GEOS, DAYS)


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there: real weather to compare with")
    columns = {"geo": "location_slug", "temp": "temperature_2m_mean", "precip": "precipitation_sum"}
    frame = pl.read_parquet(REAL).select(date=pl.col("date").dt.date(), **columns)
    return frame.filter(pl.col("geo").is_in(GEOS)).sort("geo", "date")


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def between(values: np.ndarray, a: str, b: str) -> float:
    return correlation(values[:, GEOS.index(a)], values[:, GEOS.index(b)])


# --- climate normals ------------------------------------------------------------------------------------------------


def test_normals_are_smooth_and_periodic():
    days = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[D]")
    for geo in GEOS:
        normals = city_normals(geo, days)
        steps = np.abs(np.diff(normals.temp_mean_c, append=normals.temp_mean_c[0]))
        assert steps.max() < 0.5
        assert ((normals.wet_share > 0) & (normals.wet_share < 0.75)).all()
        assert (normals.temp_sd_c > 0.5).all()
        assert (normals.wet_mm > WET_MM).all()


def test_normals_keep_the_monthly_means_they_come_from():
    days = np.arange("2023-01-01", "2024-01-01", dtype="datetime64[D]")
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    table = pl.read_csv(files("weathervane.connectors.weather") / "us_city_normals.csv")
    for geo, number, temp, spread, wet, _ in table.iter_rows():
        normals, inside = city_normals(geo, days), month == number
        assert normals.temp_mean_c[inside].mean() == pytest.approx(temp, abs=0.6)
        assert normals.temp_sd_c[inside].mean() == pytest.approx(spread, abs=0.3)
        assert normals.wet_share[inside].mean() == pytest.approx(wet, abs=0.035)


def test_normals_agree_with_real_cities(real):
    compared = 0
    for (geo,), rows in real.group_by("geo"):
        normals = city_normals(str(geo), rows["date"].to_numpy())
        # Three recent years against thirty, a grid cell against an airport: a degree or two is all to be had.
        assert np.mean(normals.temp_mean_c) == pytest.approx(rows["temp"].mean(), abs=2.0)
        assert correlation(normals.temp_mean_c, rows["temp"].to_numpy()) > 0.8 or geo in (
            "miami-fl",
            "san-francisco-ca",
        )
        spread = (rows["temp"].to_numpy() - normals.temp_mean_c).std()
        assert normals.temp_sd_c.mean() == pytest.approx(spread, rel=0.35)
        compared += 1
    assert compared >= 12


# --- observed weather -----------------------------------------------------------------------------------------------


def test_anomalies_are_standard_and_persist(weather):
    assert weather.z.mean() == pytest.approx(0.0, abs=0.06)
    assert weather.z.std() == pytest.approx(1.0, abs=0.04)
    lag_one = [correlation(weather.z[1:, g], weather.z[:-1, g]) for g in range(len(GEOS))]
    assert np.mean(lag_one) == pytest.approx(0.75, abs=0.02)


def test_anomalies_are_alike_nearby_and_unrelated_far_away(weather):
    assert between(weather.z, "new-york-ny", "philadelphia-pa") > 0.93
    assert between(weather.z, "new-york-ny", "boston-ma") == pytest.approx(0.88, abs=0.06)
    assert between(weather.z, "new-york-ny", "chicago-il") == pytest.approx(0.41, abs=0.12)
    assert between(weather.z, "new-york-ny", "los-angeles-ca") == pytest.approx(0.0, abs=0.12)
    distance, correlations = city_distances_km(), np.corrcoef(weather.z.T)
    pairs = np.triu_indices(len(GEOS), 1)
    expected = np.exp(-((distance[pairs] / 1250.0) ** 1.4))
    assert np.abs(correlations[pairs] - expected).mean() < 0.06
    bands = [
        correlations[pairs][(distance[pairs] >= low) & (distance[pairs] < low + 500)].mean()
        for low in range(0, 2000, 500)
    ]
    assert bands == sorted(bands, reverse=True)


def test_rain_is_as_frequent_and_as_heavy_as_usual(weather):
    raining = weather.precip_mm > WET_MM
    assert np.abs(raining.mean(axis=0) - weather.normals.wet_share.mean(axis=0)).max() < 0.05
    amount = weather.precip_mm[raining].mean()
    usual = np.average(weather.normals.wet_mm, weights=weather.normals.wet_share)
    assert amount == pytest.approx(usual, rel=0.08)
    # Wet days come in spells, and with the neighbours'.
    spells = [correlation(raining[1:, g], raining[:-1, g]) for g in range(len(GEOS))]
    assert 0.15 < np.mean(spells) < 0.45
    assert between(raining.astype(float), "new-york-ny", "philadelphia-pa") > 0.55
    assert abs(between(raining.astype(float), "new-york-ny", "los-angeles-ca")) < 0.1


def test_physical_limits_hold(weather):
    assert (weather.temp_min_c <= weather.temp_mean_c).all()
    assert (weather.temp_mean_c <= weather.temp_max_c).all()
    assert (weather.precip_mm >= 0).all()
    assert (weather.snow_cm[weather.temp_mean_c > 2] == 0).all()
    snow = weather.snow_cm.sum(axis=0)
    assert snow[GEOS.index("minneapolis-mn")] > 10 * snow[GEOS.index("dallas-tx")]
    assert snow[GEOS.index("miami-fl")] == 0


def test_generated_weather_resembles_real_weather(real, weather):
    anomalies: dict[str, pl.DataFrame] = {}
    for (geo,), rows in real.group_by("geo"):
        normals = city_normals(str(geo), rows["date"].to_numpy())
        z = (rows["temp"].to_numpy() - normals.temp_mean_c) / normals.temp_sd_c
        # A slow drift of three recent years against thirty is no weather: leave each year's season its own mean.
        seasonal = pl.DataFrame({"date": rows["date"], "z": z}).with_columns(quarter=pl.col("date").dt.truncate("1q"))
        anomalies[str(geo)] = seasonal.select("date", z=pl.col("z") - pl.col("z").mean().over("quarter"))
    lag_one = [correlation(a["z"][1:].to_numpy(), a["z"][:-1].to_numpy()) for a in anomalies.values()]
    assert np.mean(lag_one) == pytest.approx(0.75, abs=0.08)
    for pair in (("new-york-ny", "philadelphia-pa"), ("new-york-ny", "washington-dc"), ("new-york-ny", "chicago-il")):
        both = anomalies[pair[0]].join(anomalies[pair[1]], on="date")
        assert between(weather.z, *pair) == pytest.approx(correlation(both["z"], both["z_right"]), abs=0.15)


# --- forecasts ------------------------------------------------------------------------------------------------------


def test_forecast_error_grows_from_a_degree_to_the_climatological_spread(weather):
    error = (weather.forecast_temp_c - weather.temp_mean_c).std(axis=(1, 2))
    spread = (weather.temp_mean_c - weather.normals.temp_mean_c).std()
    assert error[0] == pytest.approx(1.1, abs=0.1)
    assert (np.diff(error) > 0).all()
    assert error[-1] == pytest.approx(spread, rel=0.02)
    chicago = GEOS.index("chicago-il")
    assert (weather.forecast_temp_c[0] - weather.temp_mean_c)[:, chicago].std() == pytest.approx(1.1, abs=0.08)


def test_forecast_skill_fades_and_its_variance_with_it(weather):
    skill = [correlation(weather.forecast_z(lead), weather.z) for lead in range(1, LEADS + 1)]
    spread = [weather.forecast_z(lead).std() for lead in range(1, LEADS + 1)]
    assert skill[0] > 0.9
    assert skill[-1] < 0.2
    assert (np.diff(skill) < 0).all()
    assert (np.diff(spread) < 0).all()


def test_forecasts_are_calibrated_and_revisions_cannot_be_foreseen(weather):
    for lead in (1, 4, 8):
        forecast = weather.forecast_z(lead)
        slope = np.polyfit(forecast.ravel(), weather.z.ravel(), 1)[0]
        assert slope == pytest.approx(1.0, abs=0.05)
        earlier = weather.forecast_z(lead + 1)
        assert correlation(forecast - earlier, earlier) == pytest.approx(0.0, abs=0.06)


def test_rain_is_forecast_as_often_as_usual_and_right_less_often_with_lead(weather):
    raining = weather.precip_mm > WET_MM
    forecast = weather.forecast_precip_mm > WET_MM
    assert forecast.mean(axis=(1, 2)) == pytest.approx(np.full(LEADS, raining.mean()), abs=0.02)
    skill = [correlation(forecast[lead], raining) for lead in (0, 3, 6, 10, 13)]
    assert skill == sorted(skill, reverse=True)
    assert skill[0] > 0.5
    assert skill[-1] < 0.2


# --- streams --------------------------------------------------------------------------------------------------------


def test_a_place_has_the_same_weather_whoever_else_is_asked_for():
    days = DAYS[:120]
    all_places = simulated_weather(5, GEOS, days)
    two = simulated_weather(5, ("seattle-wa", "boston-ma"), days)
    for column, geo in enumerate(two.geos):
        g = GEOS.index(geo)
        assert (two.temp_mean_c[:, column] == all_places.temp_mean_c[:, g]).all()
        assert (two.precip_mm[:, column] == all_places.precip_mm[:, g]).all()
        assert (two.forecast_temp_c[:, :, column] == all_places.forecast_temp_c[:, :, g]).all()
        assert (two.forecast_precip_mm[:, :, column] == all_places.forecast_precip_mm[:, :, g]).all()


def test_seeds_decide():
    same, again, other = (simulated_weather(seed, GEOS[:2], DAYS[:60]) for seed in (5, 5, 6))
    assert (same.temp_mean_c == again.temp_mean_c).all()
    assert not (same.temp_mean_c == other.temp_mean_c).all()
