"""The structural forecast beside the other methods: true effects are found, none invented, odd series survived."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from model.conftest import END
from model.small_tables import morning_after, panel_of
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.response import WeatherEffect
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.forecast.candidates import METHODS, fit
from weathervane.model.forecast.floors import EIGHT_WEEKS, RECENT_MEAN, SEASONAL_NAIVE, WeekdayMeans, YearAgo
from weathervane.model.forecast.structural import STRUCTURAL, outlook
from weathervane.model.forecast.tiers import tiers
from weathervane.model.forecast.trial import typical_spread

Floats = NDArray[np.float64]
HORIZON = 14
PROMOTION_LIFT = 2.2  # of log demand, by depth, in every generated world


def predict(name: str, panel: Panel) -> Floats:
    return fit(name, panel).predict(panel)


def structural(panel: Panel) -> Floats:
    """Log demand [k, g, horizon]."""
    return np.log(predict(STRUCTURAL, panel))


def spread(panel: Panel) -> Floats:
    """[s] of the series."""
    return typical_spread(panel, tiers(panel)[0])


def panel_of_world(world: World, *, horizon: int = 1) -> Panel:
    as_of = morning_after(END)
    return build_panel(world.tables, select_grain(world.tables), as_of=as_of, step_days=1, horizon=horizon)


# --- weather effects ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recovered() -> list[tuple[WeatherEffect, float]]:
    """Every effect found in four worlds, beside its true relative value."""
    found: list[tuple[WeatherEffect, float]] = []
    for seed in range(1, 5):
        world = make_world("sensitive", seed=seed, n_days=730, end=END, n_geos=8)
        true = world.truth.weather_on_sales()
        effects = outlook(panel_of_world(world)).effects
        found += [(effect, float(np.expm1(true[effect.category, effect.index]))) for effect in effects]
    return found


def test_every_effect_has_the_right_sign_and_size(recovered: list[tuple[WeatherEffect, float]]):
    assert len(recovered) == 4 * 9
    for effect, true in recovered:
        assert np.sign(effect.rel_p50) == np.sign(true), effect
        assert effect.rel_p50 == pytest.approx(true, abs=0.02 + 0.1 * abs(true)), effect


def test_intervals_of_effects_hold_the_truth_about_as_often_as_they_say(recovered: list[tuple[WeatherEffect, float]]):
    """Nominally 32 of 36; effects of one world err together, so seven of ten is the bar here."""
    held = [effect.rel_p05 <= true <= effect.rel_p95 for effect, true in recovered]
    assert np.mean(held) >= 0.7
    assert np.mean(held) < 1.0
    assert max(effect.rel_p95 - effect.rel_p05 for effect, _ in recovered) < 0.08


def test_warmth_may_sell_in_one_season_and_not_in_the_other():
    """What warms in winter and burdens in summer: the same index, two signs."""
    draw = np.random.default_rng(5)
    t, z = np.arange(900 + 14), np.abs(draw.standard_normal(900 + 14))
    turning = 0.2 * np.cos(2 * np.pi * (t + 6) / 365.25) * z  # the panel starts on 6 January
    panel = panel_of(100 * np.exp(turning[:900] + 0.05 * draw.standard_normal(900))[None, None], 14)
    indices = np.stack([z[None], np.zeros((1, 914)), np.zeros((1, 914))])
    panel = replace(panel, weather=indices, weather_source="forecast")
    error = np.abs(structural(panel)[0, 0] - np.log(100) - turning[900:])
    assert error.mean() < 0.25 * np.abs(turning[900:]).mean()


def test_no_effect_is_seldom_told_from_zero():
    """Nominally one in ten of these 72."""
    told = []
    for seed in range(1, 9):
        world = make_world("null", seed=seed, n_days=500, end=END, n_geos=5)
        told += [effect.told_from_zero for effect in outlook(panel_of_world(world)).effects]
    assert len(told) == 72
    assert sum(told) <= 16


def test_what_promotions_do_is_found_and_none_invented(sensitive: World):
    panel = panel_of_world(sensitive)
    found = outlook(panel).promotions
    assert [each.category for each in found] == list(panel.categories)
    for each in found:
        true = float(np.expm1(PROMOTION_LIFT * each.depth_share))
        assert each.rel_p50 == pytest.approx(true, rel=0.25), each
        assert each.rel_p05 < each.rel_p50 < each.rel_p95
        assert each.rel_p05 > 0
    assert outlook(replace(panel, promotion=np.zeros_like(panel.promotion))).promotions == ()


def test_copies_of_a_place_are_no_further_evidence():
    """Places that share every shock and every day's weather: six say no more than one."""
    one = panel_of(rhythm(400)[:, :1], 1)
    draw = np.random.default_rng(3)
    z = draw.standard_normal((1, 401))
    weather = np.stack([np.maximum(z, 0), np.maximum(-z, 0), np.zeros((1, 401))])
    one = replace(one, weather=weather, weather_source="climatology")
    six = replace(
        panel_of(np.repeat(one.outcome[:, :, :400], 6, axis=1), 1),
        weather=np.repeat(weather, 6, axis=1),
        weather_source="climatology",
    )
    widths = [[effect.rel_p95 - effect.rel_p05 for effect in outlook(panel).effects] for panel in (one, six)]
    assert len(widths[0]) == 2
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_the_forecast_carries_the_weather_that_is_coming(sensitive: World):
    """The same panel with two spreads of warmth ahead sells more of what warmth sells."""
    panel = panel_of_world(sensitive, horizon=HORIZON)
    ahead = np.arange(len(panel.starts)) >= panel.n_past
    warm = replace(panel, weather=np.where(ahead, np.array([2.0, 0.0, 0.0])[:, None, None], panel.weather))
    fit, warmer = outlook(panel), outlook(warm)
    gain = np.log(warmer.predicted / fit.predicted)[:, :, -1].mean(axis=1)
    assert gain[panel.categories.index("summer")] > 0.1
    assert gain[panel.categories.index("outerwear")] < -0.05
    np.testing.assert_allclose(warmer.without_weather, fit.without_weather, atol=1e-12)


def test_without_weather_there_are_no_effects(sensitive: World):
    panel = panel_of_world(sensitive, horizon=HORIZON)
    without = replace(panel, weather=np.zeros_like(panel.weather), weather_source="none")
    fit = outlook(without)
    assert fit.effects == ()
    np.testing.assert_array_equal(fit.predicted, fit.without_weather)


# --- the floors -----------------------------------------------------------------------------------------------------


def test_naive_repeats_the_weekday_and_recent_repeats_the_mean():
    outcome = np.tile(np.arange(1.0, 8.0), 8)[None, None]
    panel = panel_of(outcome, HORIZON)
    assert predict(SEASONAL_NAIVE, panel)[0, 0] == pytest.approx(np.tile(np.arange(1.0, 8.0), 2))
    assert predict(RECENT_MEAN, panel)[0, 0] == pytest.approx(np.full(HORIZON, 4.0))
    outcome[0, 0, -7:] *= 10
    assert predict(SEASONAL_NAIVE, panel_of(outcome, HORIZON))[0, 0, :7] == pytest.approx(10 * np.arange(1.0, 8.0))
    assert predict(RECENT_MEAN, panel_of(outcome, HORIZON))[0, 0, 0] == pytest.approx((3 * 4 + 40) / 4)


def test_by_week_naive_looks_back_a_year():
    weekly = panel_of(np.arange(1.0, 105.0)[None, None], 4, step_days=7)
    assert predict(SEASONAL_NAIVE, weekly)[0, 0] == pytest.approx([53.0, 54.0, 55.0, 56.0])
    assert predict(RECENT_MEAN, weekly)[0, 0, 0] == pytest.approx(np.arange(97.0, 105.0).mean())
    short = panel_of(np.arange(1.0, 31.0)[None, None], 4, step_days=7)
    assert predict(SEASONAL_NAIVE, short)[0, 0] == pytest.approx([30.0] * 4)


def test_spread_is_that_of_week_on_week_changes():
    draw = np.random.default_rng(0)
    noisy = panel_of(1000 * np.exp(0.2 * draw.standard_normal((1, 2, 2000))), HORIZON)
    # Logs are taken of demand and a twentieth of its mean.
    assert spread(noisy) == pytest.approx(np.full(2, 0.2 / 1.05), rel=0.08)


# --- odd series -----------------------------------------------------------------------------------------------------


def rhythm(n: int, seed: int = 0) -> Floats:
    draw = np.random.default_rng(seed)
    weekday = np.array([0.1, 0.0, 0.0, 0.1, 0.3, 0.5, -0.2])[np.arange(n) % 7]
    return 1000 * np.exp(weekday + 0.05 * draw.standard_normal((1, 2, n)))


def test_structure_is_found():
    panel = panel_of(rhythm(300), HORIZON)
    weekday = np.array([0.1, 0.0, 0.0, 0.1, 0.3, 0.5, -0.2])[np.arange(300, 314) % 7]
    assert structural(panel)[0] == pytest.approx(np.tile(np.log(1000) + weekday, (2, 1)), abs=0.05)


@pytest.mark.parametrize("bad", [0.0, -50.0, np.nan])
def test_zero_negative_and_missing_days_are_survived(bad: float):
    outcome = rhythm(300)
    outcome[0, 0, ::40] = bad
    for name in METHODS:
        made = predict(name, panel_of(outcome, HORIZON))
        assert np.isfinite(made).all(), name
        # The other place is not dragged along.
        assert made[0, 1] == pytest.approx(predict(name, panel_of(rhythm(300), HORIZON))[0, 1], rel=0.25), name


def test_missing_days_do_not_pull_the_forecast():
    outcome = rhythm(300)
    outcome[0, 0, 200:220] = np.nan
    whole = structural(panel_of(rhythm(300), HORIZON))
    assert structural(panel_of(outcome, HORIZON)) == pytest.approx(whole, abs=0.02)


def test_a_series_that_never_sold_is_forecast_near_nothing():
    outcome = rhythm(300)
    outcome[0, 1] = np.nan
    panel = panel_of(outcome, HORIZON)
    for name in METHODS:
        assert (predict(name, panel)[0, 1] < 1e-6).all(), name
    assert np.isfinite(spread(panel)).all()


def test_days_out_of_stock_do_not_pull_the_forecast_down():
    """Sales are not demand: a shortage of the last ten days at 30 % is left out where the table of stock says so."""
    outcome = rhythm(300)
    outcome[0, 0, -10:] *= 0.3
    short = np.ones((1, 2, 300 + HORIZON))
    short[0, 0, 290:300] = 0.3
    whole = structural(panel_of(rhythm(300), HORIZON))
    told = structural(panel_of(outcome, HORIZON, in_stock=short))
    untold = structural(panel_of(outcome, HORIZON))
    assert told == pytest.approx(whole, abs=0.02)
    assert (untold - whole)[0, 0].mean() < -0.2


def test_in_a_world_of_shortages_the_forecast_is_of_demand():
    """With the table of stock, the forecast of the last fortnight is near what would have sold; without, below it."""
    world = make_world("stockout", seed=2, n_days=400, end=END, n_geos=5)
    through = date.fromordinal(END.toordinal() - HORIZON)
    known = {name: frame.filter(pl.col("known_at") <= morning_after(through)) for name, frame in world.tables.items()}
    wanted = world.truth.outcome.filter(pl.col("date") > through)["expected"].sum()

    def ratio(tables: dict[str, pl.DataFrame]) -> float:
        grain = select_grain(tables)
        made = build_panel(tables, grain, as_of=morning_after(through), step_days=1, horizon=HORIZON)
        return float(np.exp(structural(made)).sum() / wanted)

    with_stock, without = ratio(known), ratio({**known, "inventory": known["inventory"].clear()})
    assert with_stock == pytest.approx(1.0, abs=0.04)
    assert without < with_stock - 0.03


def test_a_short_history_learns_the_week_and_no_season():
    weekday = np.array([0.1, 0.0, 0.0, 0.1, 0.3, 0.5, -0.2])[np.arange(60, 74) % 7]
    made = structural(panel_of(rhythm(60), HORIZON))
    assert made[0] == pytest.approx(np.tile(np.log(1000) + weekday, (2, 1)), abs=0.15)


# --- keys, never positions ------------------------------------------------------------------------------------------


def test_order_of_series_changes_no_forecast(sensitive: World):
    panel = panel_of_world(sensitive, horizon=HORIZON)
    g, k, c = np.array([3, 0, 5, 1, 4, 2]), np.array([2, 0, 1]), np.array([1, 3, 0, 2])
    assert panel.temp_c is not None
    moved = replace(
        panel,
        temp_c=panel.temp_c[g],
        doubt=None,
        geos=tuple(panel.geos[i] for i in g),
        categories=tuple(panel.categories[i] for i in k),
        channels=tuple(panel.channels[i] for i in c),
        spend=panel.spend[c][:, g],
        weather=panel.weather[:, g],
        event_days=panel.event_days[:, g],
        z=panel.z[g],
        **{name: getattr(panel, name)[k][:, g] for name in ("outcome", "in_stock", "promotion", "log_price")},
    )
    for name in METHODS:
        np.testing.assert_allclose(predict(name, moved), predict(name, panel)[k][:, g], rtol=1e-10, err_msg=name)
    of = {(one.category, one.index): one.rel_p50 for one in outlook(panel).effects}
    assert {(one.category, one.index): one.rel_p50 for one in outlook(moved).effects} == pytest.approx(of)


def test_units_of_money_change_no_shape():
    """Cents for dollars move the log by a constant and nothing else."""
    panel = panel_of(rhythm(300), HORIZON)
    cents = replace(panel, outcome=panel.outcome * 100)
    np.testing.assert_allclose(structural(cents), structural(panel) + np.log(100), atol=1e-9)
    np.testing.assert_allclose(spread(cents), spread(panel), atol=1e-12)


def test_the_year_ago_and_eight_week_baselines_are_what_they_say():
    n, horizon = 800, 14
    outcome = rhythm(n)[:, :1]
    panel = panel_of(outcome, horizon)
    ago = YearAgo().fit(panel).predict(panel)
    np.testing.assert_allclose(ago[0, 0], outcome[0, 0, n - 364 : n - 364 + horizon])
    weeks = WeekdayMeans(EIGHT_WEEKS, 8).fit(panel).predict(panel)
    expected = outcome[0, 0, n - 56 :].reshape(8, 7).mean(axis=0)
    np.testing.assert_allclose(weeks[0, 0], np.tile(expected, 2))
    short = panel_of(outcome[..., :100], horizon)
    np.testing.assert_allclose(YearAgo().predict(short), WeekdayMeans(EIGHT_WEEKS, 8).predict(short))
