"""Paths of the coming weather: as likely as they turn out to be, faded to the climate, and blind to the future."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.trigger import TriggerRule, Variable
from weathervane.planning.trigger_rule import Floats, parse_rule, runs
from weathervane.planning.trigger_weather import TriggerWeather, paths, trigger_weather

END = date(2026, 6, 30)
FIRST_ISSUE = datetime(2025, 7, 5, 12, tzinfo=UTC)
NO_NORMALS = pl.DataFrame(schema={"geo": pl.String, "day": pl.Int16, "mean_c": pl.Float64, "spread_c": pl.Float64})


@cache
def table() -> pl.DataFrame:
    return make_world("sensitive", seed=3, end=END, n_days=1100, n_geos=8).tables["weather"]


def geos() -> list[str]:
    return sorted(table()["geo"].unique().to_list())


def seen_at(at: datetime, variables: tuple[Variable, ...], frame: pl.DataFrame | None = None) -> TriggerWeather:
    known = (table() if frame is None else frame).filter(pl.col("known_at") <= at)
    return trigger_weather(known, NO_NORMALS, geos(), variables, at)


def chances(rule: TriggerRule, weather: TriggerWeather) -> Floats:
    """[g, h], counting the days that were observed just before."""
    found, back = paths(weather), rule.hold_days + rule.keep_days
    n = len(next(iter(found.values.values())))
    tail = {name: np.tile(weather.observed[name][None, :, -back:], (n, 1, 1)) for name in rule.variables}
    joined = {name: np.concatenate([tail[name], found.values[name]], axis=2) for name in rule.variables}
    return np.nanmean(runs(rule, joined)[..., back:], axis=0)


def came(rule: TriggerRule, weather: TriggerWeather) -> Floats:
    whole = seen_at(datetime(2026, 7, 2, tzinfo=UTC), rule.variables)
    first, back = whole.days.index(weather.ahead[0]), rule.hold_days + rule.keep_days
    window = {name: whole.observed[name][:, first - back : first + 14] for name in rule.variables}
    return runs(rule, window)[:, back:]


@pytest.mark.parametrize(
    "text", ["temp_mean_c > 20 for 2 days", "precip_mm > 5", "precip_mm < 1 for 3 days keep 1 day"]
)
def test_chances_come_true_as_often_as_they_say(text: str) -> None:
    rule = parse_rule(text)
    issues = [seen_at(FIRST_ISSUE + timedelta(days=14 * k), rule.variables) for k in range(24)]
    said, happened = np.array([chances(rule, one) for one in issues]), np.array([came(rule, one) for one in issues])
    usual = happened.mean()
    skill = 1 - ((said - happened) ** 2).mean(axis=(0, 1)) / ((usual - happened) ** 2).mean(axis=(0, 1))
    assert skill[0] > 0.35, "tomorrow's weather is largely known"
    assert skill[0] > skill[13] > -0.3
    # 24 fortnights of 8 places that share their weather: the error of the mean is that of 24 means.
    error = (said - happened).mean(axis=(1, 2))
    assert abs(error.mean()) < 3.0 * error.std(ddof=1) / np.sqrt(24)
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.6), (0.6, 0.9), (0.9, 1.01)):
        inside = (said >= low) & (said < high)
        if inside.sum() > 150:
            assert abs(said[inside].mean() - happened[inside].mean()) < 0.1


def test_without_a_forecast_paths_are_the_weather_of_past_years() -> None:
    at, rule = datetime(2026, 1, 20, 12, tzinfo=UTC), parse_rule("temp_mean_c < 0")
    blind = seen_at(at, rule.variables, table().filter(pl.col("lead_days") == 0))
    assert paths(blind).with_forecast == frozenset()
    assert paths(seen_at(at, rule.variables)).with_forecast == {"temp_mean_c"}
    found = chances(rule, blind)
    season = [t for t, day in enumerate(blind.days) if day.month in (1, 2)]
    usual = (blind.observed["temp_mean_c"][:, season] < 0).mean(axis=1)
    assert np.abs(found.mean(axis=1) - usual).max() < 0.1
    assert found.std(axis=1).max() < 0.15, "no day stands out where nothing is known of it"


def test_a_forecast_without_skill_changes_nothing() -> None:
    at, rule = datetime(2026, 1, 20, 12, tzinfo=UTC), parse_rule("temp_mean_c < 0")
    noise = np.random.default_rng(1).normal(0.0, 12.0, table().height)
    ahead = pl.col("lead_days") > 0
    nonsense = table().with_columns(temp_mean_c=pl.when(ahead).then(pl.Series(noise)).otherwise(pl.col("temp_mean_c")))
    blind = chances(rule, seen_at(at, rule.variables, table().filter(~ahead)))
    assert np.abs(chances(rule, seen_at(at, rule.variables, nonsense)) - blind).mean() < 0.05


def test_the_future_is_not_looked_at() -> None:
    at, variables = datetime(2026, 1, 20, 12, tzinfo=UTC), ("temp_mean_c", "precip_mm")
    later = (pl.col("date") > at.date()) & (pl.col("lead_days") == 0) | (pl.col("issued_at") > at)
    planted = table().with_columns(temp_mean_c=pl.when(later).then(40.0).otherwise(pl.col("temp_mean_c")))
    one, other = (trigger_weather(frame, NO_NORMALS, geos(), variables, at) for frame in (table(), planted))
    for name in variables:
        np.testing.assert_array_equal(paths(one).values[name], paths(other).values[name])


def test_keys_not_positions() -> None:
    at, variables = datetime(2026, 1, 20, 12, tzinfo=UTC), ("temp_mean_c", "precip_mm")
    shuffled = table().sample(fraction=1.0, shuffle=True, seed=5)
    one = trigger_weather(table(), NO_NORMALS, geos(), variables, at)
    other = trigger_weather(shuffled, NO_NORMALS, geos()[::-1], variables, at)
    few = trigger_weather(table(), NO_NORMALS, geos()[2:4], variables, at)
    for name in variables:
        np.testing.assert_array_equal(paths(one).values[name], paths(other).values[name])
        # The skill of forecasts is learnt from all the places asked for, so a place alone differs, but not by much.
        alone, among = paths(few).values[name].mean(axis=0), paths(one).values[name].mean(axis=0)[2:4]
        assert np.abs(alone - among).mean() < 0.2


def test_amounts_stay_amounts_and_dry_days_stay_common() -> None:
    weather = seen_at(datetime(2026, 3, 20, 12, tzinfo=UTC), ("precip_mm",))
    rain = paths(weather).values["precip_mm"]
    assert rain.min() >= 0.0
    observed = weather.observed["precip_mm"]
    assert abs((rain <= 1).mean() - (observed <= 1).mean()) < 0.05


def test_too_little_weather_is_said() -> None:
    at = datetime(2026, 3, 20, 12, tzinfo=UTC)
    few = table().filter(pl.col("date") > date(2026, 2, 1))
    with pytest.raises(NotEnoughData, match="40 are needed"):
        paths(seen_at(at, ("temp_mean_c",), few))
    with pytest.raises(NotEnoughData, match="No weather was observed"):
        seen_at(at, ("temp_mean_c",), table().filter(pl.col("lead_days") > 0))
