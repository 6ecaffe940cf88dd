"""Weather features: normals know the past alone, anomalies are honest, forecasts fade with their skill."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from model.small_tables import days, flat_normals, forecast, morning_after, observed
from weathervane.connectors.synthetic.world import World
from weathervane.connectors.weather.climate import city_normals
from weathervane.model.features.weather import daily_weather, fit_normals, forecast_skill

FIRST = date(2024, 1, 1)
EVER = datetime(2100, 1, 1, tzinfo=UTC)


def seasonal(n: int, seed: int = 0, geo: str = "x") -> pl.DataFrame:
    """A cosine year of 12 ± 10 °C around day 200, day-to-day spread 3 °C, three wet days in ten."""
    draw = np.random.default_rng(seed)
    on = days(n, FIRST)
    day = np.array([one.timetuple().tm_yday for one in on])
    mean = 12 + 10 * np.cos(2 * np.pi * (day - 200) / 365.25)
    rain = np.where(draw.uniform(size=n) < 0.3, 5.0, 0.0)
    return observed(geo, on, mean + 3 * draw.standard_normal(n), rain)


def on_day(normals: pl.DataFrame, day: date) -> dict[str, float]:
    return normals.row(by_predicate=pl.col("day") == day.timetuple().tm_yday, named=True)


# --- normals --------------------------------------------------------------------------------------------------------


def test_normals_recover_a_known_year():
    normals = fit_normals(seasonal(3 * 365), date(2026, 12, 31)).sort("day")
    day = normals["day"].to_numpy()
    truth = 12 + 10 * np.cos(2 * np.pi * (day - 200) / 365.25)
    assert len(day) == 366
    assert np.abs(normals["mean_c"].to_numpy() - truth).max() < 0.8
    assert normals["spread_c"].to_numpy() == pytest.approx(np.full(366, 3.0), abs=0.4)
    assert normals["wet_share"].to_numpy() == pytest.approx(np.full(366, 0.3), abs=0.1)


def test_normals_of_a_generated_world_are_the_citys_own(sensitive: World):
    """Fifteen months of weather give the climate the generator drew from, within what one warm month does."""
    weather = sensitive.tables["weather"]
    normals = fit_normals(weather, date(2026, 5, 31))
    errors = []
    for (geo,), rows in normals.group_by("geo"):
        climate = city_normals(str(geo), np.datetime64("2024-12-31") + rows["day"].to_numpy().astype(int))
        errors.append(rows["mean_c"].to_numpy() - climate.temp_mean_c)
    assert len(errors) == 6
    assert np.sqrt(np.mean(np.square(errors))) < 1.5


def test_the_future_changes_no_normal():
    through = FIRST + timedelta(days=499)
    past = seasonal(500)
    heat = observed("x", days(200, through + timedelta(days=1)), 45.0, 30.0)
    assert_frame_equal(fit_normals(pl.concat([past, heat]), through), fit_normals(past, through))


@pytest.mark.parametrize(("n", "has"), [(329, False), (330, True)])
def test_normals_need_eleven_months(n: int, has: bool):
    assert (not fit_normals(seasonal(n), date(2026, 1, 1)).is_empty()) is has


def test_a_short_geo_has_no_normals_and_takes_none_from_others():
    both = pl.concat([seasonal(400, geo="long"), seasonal(100, geo="short")])
    assert fit_normals(both, date(2026, 1, 1))["geo"].unique().to_list() == ["long"]


def test_a_forecast_is_no_observation():
    wrong = forecast("x", days(400, FIRST), 1, 40.0)
    assert_frame_equal(
        fit_normals(pl.concat([seasonal(400), wrong]), date(2026, 1, 1)), fit_normals(seasonal(400), date(2026, 1, 1))
    )


# --- missing measurements -------------------------------------------------------------------------------------------


def blanked(frame: pl.DataFrame, column: str, every: int) -> pl.DataFrame:
    gone = pl.int_range(pl.len()) % every == 0
    return frame.with_columns(pl.when(gone).then(None).otherwise(pl.col(column)).alias(column))


def test_a_missing_temperature_is_absent_not_freezing():
    whole, holed = seasonal(730), blanked(seasonal(730), "temp_mean_c", 7)
    kept = holed.drop_nulls("temp_mean_c")
    through = date(2025, 12, 30)
    assert_frame_equal(fit_normals(holed, through), fit_normals(kept, through))
    daily = daily_weather(holed, fit_normals(whole, through), EVER, through)
    seen = daily.filter(known="observed")
    assert seen.height == kept.height
    assert set(seen["date"]) == set(kept["date"])
    assert daily["z"].abs().max() < 6


def test_missing_rain_is_neither_wet_nor_dry():
    holed = blanked(seasonal(730), "precip_mm", 7)
    through = date(2025, 12, 30)
    normals = fit_normals(holed, through)
    assert_frame_equal(
        normals.select("wet_share"),
        fit_normals(holed.drop_nulls("precip_mm"), through).select("wet_share"),
    )
    daily = daily_weather(holed, normals, EVER, through)
    gone = holed.filter(pl.col("precip_mm").is_null())["date"]
    unknown = daily.filter(pl.col("date").is_in(gone.to_list()))
    assert unknown.height == gone.len()
    assert (unknown["wet"] == 0).all()
    usual = [on_day(normals, day)["wet_share"] for day in unknown["date"]]
    assert unknown["wet_days"].to_list() == pytest.approx(usual)
    certain = daily.filter(~pl.col("date").is_in(gone.to_list()))
    assert set(certain["wet_days"].round(9).unique()) == {0.0, 1.0}


def test_a_place_without_rain_has_no_wet_days():
    dry_record = seasonal(500).with_columns(precip_mm=pl.lit(None, pl.Float64))
    normals = fit_normals(dry_record, date(2026, 1, 1))
    assert normals["wet_share"].null_count() == 366
    daily = daily_weather(dry_record, normals, EVER, FIRST + timedelta(days=505))
    assert (daily["wet"] == 0).all()
    assert daily["wet_days"].null_count() == daily.height


# --- anomalies ------------------------------------------------------------------------------------------------------


def test_anomalies_of_a_world_are_centred_and_scaled(sensitive: World):
    weather, through = sensitive.tables["weather"], date(2026, 5, 31)
    daily = daily_weather(weather, fit_normals(weather, through), morning_after(through), through)
    by_geo = daily.group_by("geo").agg(
        anomaly=pl.col("temp_anomaly_c").mean(), spread=pl.col("z").std(), wet=pl.col("wet").mean()
    )
    assert by_geo.height == 6
    assert by_geo["anomaly"].abs().max() < 0.15
    assert by_geo["wet"].abs().max() < 0.01
    assert by_geo["spread"].to_numpy() == pytest.approx(np.ones(6), abs=0.1)


def test_indices_are_hinges_of_one_z():
    daily = daily_weather(seasonal(500), fit_normals(seasonal(500), date(2026, 1, 1)), EVER, date(2025, 5, 1))
    z = daily["z"].to_numpy()
    assert daily["warm"].to_numpy() == pytest.approx(np.maximum(z, 0))
    assert daily["cold"].to_numpy() == pytest.approx(np.maximum(-z, 0))


# --- skill ----------------------------------------------------------------------------------------------------------


def archive(slopes: dict[int, tuple[float, float]], n: int = 80) -> pl.DataFrame:
    """Observations, and by lead a forecast anomaly of a · truth + b · (something as large that is orthogonal to it)."""
    draw = np.random.default_rng(5)
    on = days(n, FIRST)
    truth, other = draw.standard_normal((2, n))
    other -= truth * (other @ truth) / (truth @ truth)
    other *= np.sqrt((truth @ truth) / (other @ other))
    frames = [observed("x", on, 10 + 4 * truth, np.where(truth > 0.5, 9.0, 0.0))]
    for lead, (a, b) in slopes.items():
        frames.append(forecast("x", on, lead, 10 + 4 * (a * truth + b * other), np.where(truth > 0.5, 9.0, 0.0)))
    return pl.concat(frames)


def test_skill_is_the_planted_slope_at_each_lead():
    weather = archive({1: (1.0, 0.0), 3: (1.0, 1.0), 7: (0.5, 1.5), 9: (-1.0, 0.0), 11: (0.5, 0.0)})
    skill = forecast_skill(weather, flat_normals("x"), EVER)
    # The slope is a / (a² + b²), kept within 0 to 1.
    assert dict(skill.select("lead_days", "rho_temp").iter_rows()) == pytest.approx(
        {1: 1.0, 3: 0.5, 7: 0.2, 9: 0.0, 11: 1.0}
    )
    assert skill["rho_wet"].to_list() == pytest.approx([1.0] * 5)


def test_skill_of_wet_days_leaves_out_days_without_rain_on_either_side():
    weather = archive({1: (1.0, 0.0)}, n=200)
    holed = blanked(weather.filter(lead_days=0), "precip_mm", 3)
    noisy = pl.concat([holed, weather.filter(lead_days=1)])
    assert forecast_skill(noisy, flat_normals("x"), EVER)["rho_wet"].to_list() == pytest.approx([1.0])
    assert forecast_skill(weather, flat_normals("x", wet_share=None), EVER)["rho_wet"].to_list() == [0.0]


def test_a_lead_with_few_pairs_has_no_skill():
    short = archive({1: (1.0, 0.0)}, n=59)
    assert forecast_skill(short, flat_normals("x"), EVER).is_empty()
    ahead = forecast("x", days(1, FIRST + timedelta(days=59)), 1, 30.0)
    daily = daily_weather(pl.concat([short, ahead]), flat_normals("x"), EVER, FIRST + timedelta(days=59))
    assert daily.filter(known="forecast")["z"].to_list() == [0.0]


def test_skill_knows_only_what_was_archived_by_then():
    """A hindcast made later about a day already past is no archived forecast."""
    weather = archive({1: (1.0, 1.0)}, n=200)
    then = morning_after(FIRST + timedelta(days=99))
    known = weather.filter(pl.col("known_at") <= then)
    hindcast = forecast("x", days(90, FIRST), 2, 10.0).with_columns(issued_at=pl.lit(then + timedelta(hours=1)))
    expected = forecast_skill(known, flat_normals("x"), then)
    assert expected["lead_days"].to_list() == [1]
    seen = known.filter(lead_days=0)
    planted = pl.concat([weather.filter(pl.col("lead_days") > 0), seen, hindcast])
    assert_frame_equal(forecast_skill(planted, flat_normals("x"), then), expected)


# --- the days ahead -------------------------------------------------------------------------------------------------


def ahead_of(weather: pl.DataFrame, as_of: datetime, last: date) -> pl.DataFrame:
    return daily_weather(weather, flat_normals("x"), as_of, last).filter(pl.col("known") != "observed")


def test_the_newest_forecast_known_is_used_and_shrunk_by_its_skill():
    past = archive({1: (1.0, 0.0), 2: (1.0, 0.0), 3: (1.0, 1.0)})
    newest = FIRST + timedelta(days=79)
    as_of = morning_after(newest) - timedelta(minutes=1)
    tomorrow, after = newest + timedelta(days=1), newest + timedelta(days=2)
    soon = newest + timedelta(days=3)
    weather = pl.concat([
        past,
        forecast("x", [tomorrow], 3, 99.0),
        forecast("x", [tomorrow], 2, 14.0),
        forecast("x", [after], 3, 18.0, 9.0),
        forecast("x", [after], 1, 44.0),  # issued a minute later
        forecast("x", [soon], 1, 44.0),
    ])  # fmt: skip
    daily = ahead_of(weather, as_of, soon)
    assert daily["date"].to_list() == [tomorrow, after, soon]
    assert daily["known"].to_list() == ["forecast", "forecast", "normal"]
    # 14 °C at lead 2 with skill 1; 18 °C at lead 3 with skill a half; nothing known of the third day.
    assert daily["temp_anomaly_c"].to_list() == pytest.approx([4.0, 4.0, 0.0])
    assert daily["z"].to_list() == pytest.approx([1.0, 1.0, 0.0])
    assert daily["wet_days"].to_list() == pytest.approx([0.0, 1.0, 0.3])


def test_only_the_control_run_is_read():
    past = archive({1: (1.0, 0.0)})
    tomorrow = FIRST + timedelta(days=80)
    members = forecast("x", [tomorrow], 1, 44.0).with_columns(member=pl.lit(7, pl.Int64))
    daily = ahead_of(pl.concat([past, members]), morning_after(tomorrow), tomorrow)
    assert daily["known"].to_list() == ["normal"]


def test_without_an_archive_the_days_ahead_are_normal():
    past = archive({})
    daily = ahead_of(past, EVER, FIRST + timedelta(days=85))
    assert daily["known"].to_list() == ["normal"] * 6
    assert (daily.select("z", "warm", "cold", "wet", "temp_anomaly_c").sum_horizontal() == 0).all()
    assert daily["wet_days"].to_list() == pytest.approx([0.3] * 6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows_and_columns_changes_nothing(seed: int):
    weather = pl.concat([archive({1: (1.0, 1.0), 2: (0.5, 0.5)}), seasonal(400, geo="a"), seasonal(400, 1, geo="b")])
    draw = np.random.default_rng(seed)
    shuffled = weather[draw.permutation(weather.height)].select(draw.permutation(weather.columns).tolist())
    through = FIRST + timedelta(days=399)
    normals = fit_normals(weather, through)
    assert_frame_equal(fit_normals(shuffled, through), normals)
    assert_frame_equal(
        daily_weather(shuffled, normals, EVER, through + timedelta(days=3)),
        daily_weather(weather, normals, EVER, through + timedelta(days=3)),
    )
