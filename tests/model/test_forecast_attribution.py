"""Attribution of misses: in a world where one cause is planted, that cause is named, and the parts add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from tests.model.small_tables import days, forecast, morning_after, observed, sales, table, tables_of

from weathervane.contracts.calibration import ForecastCells, Miss
from weathervane.contracts.response import ResponseCurves, WeatherEffect
from weathervane.model.forecast.attribution import Sensitivities, misses

GEOS = ("a", "b")
N = 700
FIRST = date(2024, 1, 1)  # a Monday
ORIGIN = FIRST + timedelta(days=N - 15)  # a Sunday, a fortnight before the end
WEEKS = [ORIGIN + timedelta(days=1), ORIGIN + timedelta(days=8)]
NOW = morning_after(FIRST + timedelta(days=N - 1))
LEVEL = 1000.0
WARM = WeatherEffect("a", "warm", "one spread warmer", 0.05, 0.10, 0.15)


def cells(expected: float = LEVEL, actual: Callable[[str, date], float] = lambda *_: LEVEL) -> ForecastCells:
    """A flat forecast of both places for the fortnight after ORIGIN."""
    on = [(geo, lead) for geo in GEOS for lead in range(1, 15)]
    date_of = [ORIGIN + timedelta(days=lead) for _, lead in on]
    return ForecastCells(
        source="ledger",
        step_days=1,
        geos=GEOS,
        categories=("a",),
        origin=np.full(28, ORIGIN, "datetime64[D]"),
        date=np.array(date_of, "datetime64[D]"),
        lead=np.array([lead for _, lead in on], np.int64),
        geo=np.array([GEOS.index(geo) for geo, _ in on], np.int64),
        category=np.zeros(28, np.int64),
        quantiles=np.tile(expected + np.arange(-3.0, 4.0), (28, 1)),
        raw=np.full((28, 7), np.nan),
        floor=np.full(28, np.nan),
        actual=np.array([actual(geo, day) for (geo, _), day in zip(on, date_of, strict=True)]),
        scale=np.full(28, np.nan),
    )


def world(**extra: pl.DataFrame) -> dict[str, pl.DataFrame]:
    on = days(N, FIRST)
    flat = pl.concat([sales(geo, on, [LEVEL] * N) for geo in GEOS])
    return tables_of(**{"sales": flat, **extra})


def known_in(tables: dict[str, pl.DataFrame]) -> Callable[[datetime], dict[str, pl.DataFrame]]:
    return lambda at: {name: frame.filter(pl.col("known_at") <= at) for name, frame in tables.items()}


def curves() -> ResponseCurves:
    """Each unit of weekly spend brings two, in both draws."""
    budget = np.tile(np.array([0.0, 1e4]), (2, 1, 1))
    return ResponseCurves("m", GEOS, ("tv",), budget, np.stack([2 * budget] * 2, axis=-1), np.zeros((2, 1, 2, 2)),
                          np.full((2, 1), 700.0), np.full((2, 1), 1e4))  # fmt: skip


NOTHING = Sensitivities((), None, {}, uses_weather=False)


def adds_up(found: tuple[Miss, ...]) -> None:
    for miss in found:
        assert miss.weather + miss.plan + miss.promotion + miss.model == miss.error == miss.actual - miss.expected


def test_without_a_cause_all_is_the_models() -> None:
    found = misses(cells(actual=lambda *_: 1100.123), known_in(world()), NOW, NOTHING)
    adds_up(found)
    assert [miss.week.start for miss in found] == WEEKS
    assert [miss.origin for miss in found] == [ORIGIN] * 2
    for miss in found:
        assert (miss.weather, miss.plan, miss.promotion) == (0, 0, 0)
        assert miss.model == pytest.approx(14 * 100.123, abs=0.01)
        assert miss.not_known == ("weather", "plan")


def swinging(geo: str, *, warmer: float) -> pl.DataFrame:
    """Two years of weather one degree either side of fifteen; in the last week warmer by so much."""
    on = days(N, FIRST)
    temp = 15 + np.where(np.arange(N) % 2, 1.0, -1.0)
    temp[-7:] = 15.0 + warmer
    return observed(geo, on, temp.tolist())


def test_weather_that_no_forecast_foresaw_is_weathers() -> None:
    weather = pl.concat([swinging(geo, warmer=2.5) for geo in GEOS])
    given = Sensitivities((WARM,), None, {}, uses_weather=False)
    plain = misses(cells(), known_in(world(weather=weather)), NOW, given)
    # Normals have a spread of about √(π/2), so the week is two spreads warmer; one brings ten per cent.
    surprise = plain[1].weather / (14 * LEVEL)
    assert surprise == pytest.approx(1.1 ** (2.5 / np.sqrt(np.pi / 2)) - 1, rel=0.06)
    sold = LEVEL * (1 + surprise)
    last = WEEKS[1]
    found = misses(cells(actual=lambda _, day: sold if day >= last else LEVEL), known_in(world(weather=weather)), NOW,
                   given)  # fmt: skip
    adds_up(found)
    assert found[1].model == pytest.approx(0, abs=0.01 * found[1].weather)
    assert found[1].not_known == ("plan",)


def test_weather_that_was_forecast_rightly_is_no_surprise() -> None:
    on = days(N, FIRST)
    rng = np.random.default_rng(3)
    frames = []
    for geo in GEOS:
        temp = 15 + 3 * rng.normal(size=N)
        seen = observed(geo, on, temp.tolist())
        # Forecasts of every lead that were always right, archived all along.
        ahead = [forecast(geo, on[lead:], lead, temp[lead:].tolist()) for lead in range(1, 15)]
        frames += [seen, *ahead]
    weather = pl.concat(frames)
    given = Sensitivities((WARM,), None, {}, uses_weather=True)
    used = misses(cells(), known_in(world(weather=weather)), NOW, given)
    ignored = misses(cells(), known_in(world(weather=weather)), NOW, replace(given, uses_weather=False))
    for foreseen, surprise in zip(used, ignored, strict=True):
        assert abs(foreseen.weather) < 0.02 * abs(surprise.weather)
        assert abs(surprise.weather) > 0.005 * surprise.expected


def test_spend_that_was_not_as_planned_is_the_plans() -> None:
    on = days(N, FIRST)
    paid = np.full(N, 100.0)
    paid[-7:] = 40.0
    spend = pl.concat([table("spend", geo=geo, date=on, channel="tv", spend=paid.tolist()) for geo in GEOS])
    given = Sensitivities((), curves(), {}, uses_weather=False)
    # Both places spend 420 a week less than assumed, and each unit brings two.
    lost = 2 * 2 * 420.0
    found = misses(cells(actual=lambda _, day: LEVEL - (lost / 14 if day >= WEEKS[1] else 0)),
                   known_in(world(spend=spend)), NOW, given)  # fmt: skip
    adds_up(found)
    assert [miss.plan for miss in found] == pytest.approx([0, -lost])
    assert found[1].model == pytest.approx(0, abs=0.01)
    # Where half an effect is gone in a week only, part of the loss comes later: 1 − k + … over seven days.
    keep = 0.5 ** (1 / 7)
    there = np.mean([1 - keep ** (day + 1) for day in range(7)])
    slow = misses(cells(), known_in(world(spend=spend)), NOW, replace(given, half_lives={"tv": 7.0}))
    assert [miss.plan for miss in slow] == pytest.approx([0, -lost * there])
    # Spend of a country cannot be laid beside curves of places.
    national = spend.with_columns(geo=pl.lit("national"))
    assert misses(cells(), known_in(world(spend=national)), NOW, given)[0].not_known == ("weather", "plan")


def test_a_promotion_nobody_announced_is_promotions_and_one_called_off_too() -> None:
    on = days(N, FIRST)
    depth = np.where(np.arange(N) // 3 % 5 == 0, 0.2, 0.0)
    depth[-14:] = 0.0
    depth[-7:] = 0.2
    effect = 1.5
    kept = depth > 0
    rows = {"date": [d for d, k in zip(on, kept, strict=True) if k], "depth_share": depth[kept].tolist()}
    known = [morning_after(day) for day in rows["date"]]
    promotions = pl.concat([table("promotions", geo=geo, category="a", known_at=known, **rows) for geo in GEOS])
    revenue = (LEVEL * np.exp(effect * depth)).tolist()
    sold = pl.concat([sales(geo, on, revenue) for geo in GEOS])
    tables = world(sales=sold, promotions=promotions)
    found = misses(cells(actual=lambda _, day: LEVEL * np.exp(0.3) if day >= WEEKS[1] else LEVEL), known_in(tables),
                   NOW, NOTHING)  # fmt: skip
    adds_up(found)
    assert found[0].promotion == 0
    assert found[1].promotion == pytest.approx(14 * LEVEL * (np.exp(0.3) - 1), rel=0.05)
    assert abs(found[1].model) < 0.05 * found[1].promotion
    # Announced in time, it is no reason for a miss.
    early = promotions.with_columns(known_at=pl.lit(morning_after(FIRST)).cast(promotions.schema["known_at"]))
    assert misses(cells(), known_in(world(sales=sold, promotions=early)), NOW, NOTHING)[1].promotion == 0
    # Announced and then not held: the other way round.
    week = table("promotions", geo="a", category="a", date=days(7, WEEKS[0]), depth_share=[0.2] * 7,
                 known_at=morning_after(FIRST))  # fmt: skip
    off = week.with_columns(depth_share=pl.lit(0.0), known_at=pl.lit(NOW).cast(week.schema["known_at"]))

    def as_known(at: datetime) -> dict[str, pl.DataFrame]:
        called = off if at >= NOW else week
        return {**known_in(tables)(at), "promotions": pl.concat([known_in(tables)(at)["promotions"], called])}

    assert misses(cells(), as_known, NOW, NOTHING)[0].promotion == pytest.approx(
        7 * LEVEL * (np.exp(-0.3) - 1), rel=0.05
    )


def test_the_newest_forecast_before_a_week_counts_and_half_weeks_do_not() -> None:
    older = cells(expected=900.0)
    week_later = replace(older, origin=older.origin - np.timedelta64(3, "D"), lead=older.lead + 3)
    both = {
        name: np.concatenate([getattr(cells(), name), getattr(week_later, name)])
        for name in ("origin", "date", "lead", "geo", "category", "quantiles", "raw", "floor", "actual", "scale")
    }
    found = misses(replace(older, **both), known_in(world()), NOW, NOTHING)
    assert [miss.expected for miss in found] == [14 * LEVEL] * 2
    cut = replace(cells(), actual=np.where(cells().lead == 14, np.nan, cells().actual))
    assert [miss.week.start for miss in misses(cut, known_in(world()), NOW, NOTHING)] == WEEKS[:1]


def test_weekly_forecasts_of_the_country_are_taken_apart_too() -> None:
    on = [FIRST + timedelta(days=7 * i) for i in range(N // 7)]
    weather = pl.concat([swinging(geo, warmer=2.5) for geo in GEOS])
    flat = pl.concat([sales(geo, on, [LEVEL] * len(on)) for geo in GEOS])
    two = cells()
    one = replace(
        two,
        step_days=7,
        geos=("national",),
        categories=("total",),
        **{
            name: getattr(two, name)[:2]
            for name in ("origin", "geo", "category", "quantiles", "raw", "floor", "actual", "scale")
        },
        date=np.array(WEEKS, "datetime64[D]"),
        lead=np.array([1, 2], np.int64),
    )
    effect = replace(WARM, category="total")
    given = Sensitivities((effect,), None, {}, uses_weather=False)
    found = misses(one, known_in(tables_of(sales=flat, weather=weather)), NOW, given)
    adds_up(found)
    assert [miss.week.start for miss in found] == WEEKS
    assert found[1].weather / LEVEL == pytest.approx(1.1 ** (2.5 / np.sqrt(np.pi / 2)) - 1, rel=0.06)
