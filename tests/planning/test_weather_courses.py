"""Courses of the weather: as likely as they turn out to be, faded to the climate, said to be what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.forecast import WeatherCourses
from weathervane.contracts.period import Period
from weathervane.model.features.weather import fit_normals
from weathervane.planning.weather_courses import weather_courses

END = date(2026, 6, 30)


@cache
def table() -> pl.DataFrame:
    return make_world("sensitive", seed=3, end=END, n_days=1100, n_geos=8).tables["weather"]


def places() -> list[str]:
    return sorted(table()["geo"].unique().to_list())[:4]


@cache
def normals(through: date) -> pl.DataFrame:
    return fit_normals(table(), through)


def courses(
    start: date, frame: pl.DataFrame | None = None, weeks: int = 1, weights: dict[str, float] | None = None
) -> WeatherCourses:
    """Those known on the morning of `start`."""
    at = datetime.combine(start, datetime.min.time(), UTC) + timedelta(hours=6)
    known = (table() if frame is None else frame).filter(pl.col("known_at") <= at)
    period = Period(start, start + timedelta(days=7 * weeks - 1))
    geos = places() if weights is None else ["national"]
    return weather_courses(known, normals(start - timedelta(days=1)), geos, period, 7, at, weights)


def came(start: date) -> np.ndarray:
    """The week's mean anomaly [g] as it was observed."""
    rows = table().filter((pl.col("lead_days") == 0) & pl.col("date").is_between(start, start + timedelta(days=6)))
    rows = rows.with_columns(day=pl.col("date").dt.ordinal_day()).join(
        normals(start - timedelta(days=1)), on=["geo", "day"]
    )
    mean = rows.group_by("geo").agg(((pl.col("temp_mean_c") - pl.col("mean_c")) / pl.col("spread_c")).mean().alias("z"))
    found = dict(mean.iter_rows())
    return np.array([found[geo] for geo in places()])


def values(found: WeatherCourses) -> np.ndarray:
    return np.array(found.anomaly_z)


DAY = date(2026, 3, 2)
BLIND = pl.col("lead_days") == 0


def test_the_week_that_comes_is_among_the_courses_as_often_as_they_say() -> None:
    starts = [date(2025, 9, 1) + timedelta(days=14 * k) for k in range(20)]
    drawn = np.array([values(courses(start))[:, 0] for start in starts])  # [issue, geo, course]
    truth = np.array([came(start) for start in starts])
    low, high = np.quantile(drawn, [0.1, 0.9], axis=2)
    assert 0.65 < ((truth >= low) & (truth <= high)).mean() < 0.93
    error = truth - drawn.mean(axis=2)
    assert (error**2).mean() < 0.6 * (truth**2).mean(), "the forecast is followed"
    assert 0.7 < drawn.std(axis=2).mean() / error.std() < 1.4


def test_weeks_far_ahead_fade_to_the_climate() -> None:
    starts = [date(2025, 9, 1) + timedelta(days=28 * k) for k in range(8)]
    far = np.array([values(courses(start, weeks=4)) for start in starts])  # [issue, geo, week, course]
    means, spreads = np.abs(far.mean(axis=3)).mean(axis=(0, 1)), far.std(axis=3).mean(axis=(0, 1))
    assert means[0] > 3 * means[2:].max()
    assert means[2] < 0.03
    assert means[3] < 1e-3, "nothing is known, and normal weather is the mean"
    assert spreads[0] < 0.8 * spreads[2:].min()


def test_without_a_forecast_courses_are_those_of_past_years_around_normal() -> None:
    found = courses(DAY, table().filter(BLIND))
    assert set(found.basis) == {"climatology"}
    assert np.abs(values(found).mean(axis=2)).max() < 1e-3
    assert values(found).std(axis=2).min() > 0.3
    assert "past years" in found.sentence


def test_a_forecast_whose_errors_are_not_known_is_not_followed() -> None:
    recent = table().filter(BLIND | (pl.col("issued_at") > datetime(2026, 2, 20, tzinfo=UTC)))
    assert courses(DAY, recent) == courses(DAY, table().filter(BLIND))
    assert set(courses(DAY).basis) == {"forecast"}


def test_one_place_without_an_archive_takes_no_other_down() -> None:
    lone = places()[1]
    recent = pl.col("issued_at") > datetime(2026, 2, 20, tzinfo=UTC)
    found = courses(DAY, table().filter(BLIND | (pl.col("geo") != lone) | recent))
    assert dict(zip(found.geos, found.basis, strict=True)) == {
        geo: "climatology" if geo == lone else "forecast" for geo in places()
    }
    assert np.abs(values(found)[1].mean()) < 1e-3
    assert "in 3 places from the weather forecast" in found.sentence
    assert "in 1 place from past years" in found.sentence


def test_a_place_without_weather_of_its_own_is_named_by_nobody() -> None:
    lone = places()[1]
    found = courses(DAY, table().filter(pl.col("geo") != lone))
    assert found.geos == tuple(geo for geo in places() if geo != lone)
    assert "1 place without enough weather of their own taken as normal" in found.sentence
    nobody = courses(DAY, table().clear())
    assert nobody.geos == ()
    assert "The coming weather is not known" in nobody.sentence


def with_members(frame: pl.DataFrame, spread: float, n: int = 20) -> pl.DataFrame:
    """The newest forecasts as an ensemble around the control run, `spread` degrees wide on every day."""
    newest = frame.filter((pl.col("lead_days") > 0) & (pl.col("date") >= DAY) & (pl.col("known_at") <= AT))
    newest = newest.filter(pl.col("issued_at") == pl.col("issued_at").max())
    offsets = np.linspace(-1.7, 1.7, n + 1)[1:] * spread
    members = [
        newest.with_columns(member=pl.lit(m + 1, pl.Int64), temp_mean_c=pl.col("temp_mean_c") + float(by))
        for m, by in enumerate(offsets)
    ]
    return pl.concat([frame, *members], how="vertical_relaxed")


AT = datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_members_are_taken_where_they_were_delivered() -> None:
    wide, narrow = (values(found)[:, 0] for found in (ensemble(6.0), ensemble(0.01)))
    plain = values(courses(DAY))[:, 0]
    assert set(ensemble(6.0).basis) == {"ensemble"}
    assert "members of the weather forecast" in ensemble(6.0).sentence
    np.testing.assert_allclose(narrow.mean(axis=1), plain.mean(axis=1), atol=0.01)
    # Too narrow an ensemble gets the errors that were made before, a wide one keeps its own spread.
    np.testing.assert_allclose(narrow.std(axis=1), plain.std(axis=1), rtol=0.3)
    assert (wide.std(axis=1) > 1.3 * narrow.std(axis=1)).all()


@cache
def ensemble(spread: float) -> WeatherCourses:
    return courses(DAY, with_members(table(), spread))


def test_an_ensemble_without_an_archive_is_taken_at_its_word() -> None:
    recent = table().filter(BLIND | (pl.col("issued_at") > datetime(2026, 2, 20, tzinfo=UTC)))
    found = courses(DAY, with_members(recent, 2.0))
    assert set(found.basis) == {"ensemble"}
    assert np.abs(values(found).mean(axis=2)).max() > 0.1


def test_nothing_that_comes_later_and_no_order_of_rows_changes_a_digit() -> None:
    whole = courses(DAY)
    later = table().with_columns(
        temp_mean_c=pl.when((pl.col("date") >= DAY) & BLIND).then(40.0).otherwise(pl.col("temp_mean_c")),
        known_at=pl.when(BLIND).then(pl.lit(datetime(2025, 1, 1, tzinfo=UTC))).otherwise(pl.col("known_at")),
    )
    assert courses(DAY, later.cast(table().schema)) == whole
    assert courses(DAY, table().sample(fraction=1.0, shuffle=True, seed=1)) == whole


def test_nationally_places_count_by_their_weight() -> None:
    weights = dict(zip(places(), (3.0, 1.0, 0.0, 0.0), strict=True))
    found, apart = courses(DAY, weights=weights), values(courses(DAY))
    assert found.geos == ("national",)
    np.testing.assert_allclose(values(found)[0], 0.75 * apart[0] + 0.25 * apart[1], atol=2e-3)
