"""A past period to replay: one that was asked for, or the warmest tenth at this time of year, all places at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.scenario import Scenario
from weathervane.model.features.weather import daily_weather, fit_normals
from weathervane.planning.past_weather import PastWeather, past_weather, replayed

END = date(2026, 6, 30)
WARM = Scenario(weather="warm")


def made() -> tuple[pl.DataFrame, PastWeather]:
    frame = make_world("sensitive", seed=3, end=END, n_days=900, n_geos=4).tables["weather"]
    found = past_weather(frame)
    assert found is not None
    return frame, found


def replay(day: date) -> Scenario:
    return Scenario(weather="replay", replay_start=day)


def test_the_anomaly_is_that_of_the_model() -> None:
    """The same normal as the model's features have, up to the model's pinch of ridge and day of the year."""
    frame, past = made()
    at = datetime(2026, 7, 1, tzinfo=UTC)
    model = daily_weather(frame, fit_normals(frame, END), at, END).filter(pl.col("known") == "observed")
    for g, geo in enumerate(past.geos):
        theirs = model.filter(pl.col("geo") == geo).sort("date")["z"].to_numpy()
        assert np.corrcoef(theirs, past.z[g])[0, 1] > 0.999
        assert np.abs(theirs - past.z[g]).mean() < 0.05


def test_a_replay_is_the_mean_of_those_days_by_step() -> None:
    _, past = made()
    whole = replayed(past, replay(date(2025, 7, 1)), past.geos, date(2026, 7, 1), [7, 7])
    assert whole is not None
    assert whole.began == date(2025, 7, 1)
    found = whole.z
    first = past.days.index(date(2025, 7, 1))
    for g, geo in enumerate(past.geos):
        np.testing.assert_allclose(
            found[geo], [past.z[g, first : first + 7].mean(), past.z[g, first + 7 : first + 14].mean()]
        )


def test_warm_is_warmer_than_nine_in_ten_at_this_time_of_the_year() -> None:
    _, past = made()
    start = date(2026, 7, 1)
    whole = replayed(past, WARM, past.geos, start, [7])
    assert whole is not None
    found, began = whole.z, whole.began
    season = [
        t
        for t, day in enumerate(past.days[: len(past.days) - 6])
        if min(abs((day - date(year, 7, 1)).days) for year in range(2023, 2028)) <= 45
    ]
    means = np.array([past.z[:, t : t + 7].mean() for t in season])
    chosen = np.mean([found[geo][0] for geo in past.geos])
    assert 0.88 <= (means <= chosen + 1e-12).mean() <= 0.92
    assert min(abs((began - date(year, 7, 1)).days) for year in range(2023, 2028)) <= 45


def test_a_national_plan_gets_the_mean_of_all_places() -> None:
    _, past = made()
    here = replayed(past, WARM, past.geos, date(2026, 7, 1), [7])
    nation = replayed(past, WARM, ("national",), date(2026, 7, 1), [7])
    assert here is not None
    assert nation is not None
    np.testing.assert_allclose(nation.z["national"], np.mean([here.z[geo] for geo in past.geos], axis=0))
    assert nation.indices["national"]["wet"] == pytest.approx(np.mean([here.indices[geo]["wet"] for geo in past.geos]))


def test_wet_is_wetter_than_nine_in_ten_and_keeps_the_warmth_of_its_days() -> None:
    frame, past = made()
    found = replayed(past, Scenario(weather="wet"), past.geos, date(2026, 7, 1), [7])
    assert found is not None
    first = past.days.index(found.began)
    season = [
        t
        for t, day in enumerate(past.days[: len(past.days) - 6])
        if min(abs((day - date(year, 7, 1)).days) for year in range(2023, 2028)) <= 45
    ]
    means = np.array([past.wet[:, t : t + 7].mean() for t in season])
    chosen = np.mean([found.indices[geo]["wet"] for geo in past.geos])
    assert 0.88 <= (means <= chosen + 1e-12).mean() <= 0.92
    window = past.z[0, first : first + 7]
    here = found.indices[past.geos[0]]
    assert here["warm"] - here["cold"] == pytest.approx(window.mean())
    assert here["warm"] == pytest.approx(np.maximum(window, 0).mean())
    assert np.abs(past.wet.mean(axis=1)).max() < 0.01, "less what is usual there"
    rainless = past_weather(frame.with_columns(precip_mm=pl.lit(None, pl.Float64)))
    assert replayed(rainless, Scenario(weather="wet"), past.geos, date(2026, 7, 1), [7]) is None
    dry = replayed(rainless, WARM, past.geos, date(2026, 7, 1), [7])
    assert dry is not None
    assert set(dry.indices[past.geos[0]]) == {"warm", "cold"}


def test_what_is_not_known_is_not_replayed() -> None:
    frame, past = made()
    for day in (date(2020, 1, 1), END - timedelta(days=3)):
        assert replayed(past, replay(day), past.geos, date(2026, 7, 1), [7]) is None
    assert replayed(None, WARM, past.geos, date(2026, 7, 1), [7]) is None
    assert past_weather(frame.filter(pl.col("lead_days") > 0)) is None
    short = past_weather(frame.filter(pl.col("date") > END - timedelta(days=30)))
    assert replayed(short, WARM, past.geos, date(2026, 7, 1), [7]) is None
