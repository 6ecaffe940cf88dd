"""Ranges: never crossing, never negative, adding up where they say so, and held as often as they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.small_tables import panel_of
from weathervane.contracts.forecast import LEVELS
from weathervane.model.features.build import Panel
from weathervane.model.forecast.backtest import backtest, record
from weathervane.model.forecast.breaks import level_shifts
from weathervane.model.forecast.candidate import closed, selling
from weathervane.model.forecast.candidates import METHODS, fit
from weathervane.model.forecast.conformal import (
    EVENT,
    ORDINARY,
    Ahead,
    Ranges,
    Seen,
    expected_size,
    learn,
    weighted_quantile,
)
from weathervane.model.forecast.desk import Recalibration, difficulty
from weathervane.model.forecast.extrapolation import extrapolations
from weathervane.model.forecast.tiers import tiers
from weathervane.model.forecast.trial import origins, try_all
from weathervane.model.forecast.weather_value import as_if_forecast, as_if_value, value_of_weather

Floats = NDArray[np.float64]
HORIZON = 7


def noisy(k: int, g: int, n: int, seed: int = 0, spread: float = 0.2) -> Floats:
    draw = np.random.default_rng(seed)
    week = np.exp(draw.normal(0, 0.3, 7))[np.arange(n) % 7]
    return 100 * week * np.exp(spread * draw.standard_normal((k, g, n)))


def promoted(panel: Panel, depth: float) -> Panel:
    """The panel with a promotion of the first series planned for the third day ahead, where there never was one."""
    promotion = np.zeros_like(panel.promotion)
    promotion[0, 0, panel.n_past + 2] = depth
    return replace(panel, promotion=promotion)


# --- shape ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    forecast=st.lists(st.floats(0, 1e9), min_size=4 * HORIZON, max_size=4 * HORIZON),
    scale=st.floats(1e-6, 50),
    scores=st.lists(st.floats(-20, 20), min_size=len(LEVELS), max_size=len(LEVELS)),
    shift=st.floats(-1, 1),
    unseen=st.floats(0, 1),
)
def test_fans_never_cross_nor_go_below_zero_and_middles_add_up(
    forecast: list[float], scale: float, scores: list[float], shift: float, unseen: float
):
    panel = promoted(panel_of(noisy(2, 2, 40), HORIZON), unseen)
    quantiles = np.repeat(np.sort(scores)[:, None], HORIZON, axis=1)
    ranges = tuple(Ranges(np.full((len(tier.keys), HORIZON), scale), quantiles) for tier in tiers(panel))
    made = np.array(forecast).reshape(2, 2, HORIZON)
    fans = Recalibration(shift, ranges).fans(panel, made, np.stack([made, 2 * made]), level_shifts(panel))
    for fan in fans:
        assert (fan >= 0).all()
        assert (np.diff(fan, axis=0) >= 0).all()
    middle = LEVELS.index(0.5)
    series, by_geo, by_category, whole = (fan[middle] for fan in fans)
    np.testing.assert_allclose(by_geo, series.reshape(2, 2, HORIZON).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(by_category, series.reshape(2, 2, HORIZON).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(whole[0], series.sum(axis=0), rtol=1e-12)


def test_a_closed_day_is_a_known_zero():
    """Shut on one weekday: nothing is forecast for it, its zeros are no low demand, and it is no cell of the record."""
    outcome = noisy(1, 2, 140)
    shut = np.broadcast_to(np.arange(140 + HORIZON) % 7 == 6, (1, 2, 140 + HORIZON))
    outcome[shut[..., :140]] = 0.0
    panel = replace(panel_of(outcome, HORIZON), closed=shut)
    made = backtest(panel, lambda n: panel.cut(n, HORIZON), HORIZON)
    forecaster = fit(made.quality.chosen, panel)
    fans = made.recalibration.fans(panel, forecaster.predict(panel), forecaster.models(panel), level_shifts(panel))
    assert (fans[0][:, :, np.arange(140, 147) % 7 == 6] == 0).all()
    assert fans[0][:, :, np.arange(140, 147) % 7 != 6].min() > 20
    assert np.isnan(selling(panel)[closed(panel)[..., :140]]).all()
    weekday = (made.cells.date - np.datetime64(date(2025, 1, 6), "D")).astype(int) % 7
    assert set(weekday) == {0, 1, 2, 3, 4, 5}


# --- coverage -------------------------------------------------------------------------------------------------------


def test_ranges_hold_each_series_as_often_as_they_say():
    """Spreads from 5 to 60 %: the loudest and the quietest series are covered too, not only the pool."""
    draw = np.random.default_rng(4)
    spread = np.linspace(0.05, 0.6, 8)[None, :, None]
    panel = panel_of(100 * np.exp(spread * draw.standard_normal((1, 8, 500))), HORIZON)
    cells = backtest(panel, lambda n: panel.cut(n, HORIZON), HORIZON, range(200, 493, HORIZON)).cells
    inside = (cells.actual >= cells.quantiles[:, 1]) & (cells.actual <= cells.quantiles[:, 5])
    for g in range(8):
        assert inside[(cells.geo == g)].mean() == pytest.approx(0.8, abs=0.09), g
    assert inside[cells.geo < 8].mean() == pytest.approx(0.8, abs=0.03)


def test_after_a_level_shift_the_range_comes_back():
    outcome = noisy(1, 4, 420)
    outcome[:, :, 300:] *= 0.5
    panel = panel_of(outcome, HORIZON)
    cells = backtest(panel, lambda n: panel.cut(n, HORIZON), HORIZON, range(120, 413, HORIZON)).cells
    inside = (cells.actual >= cells.quantiles[:, 1]) & (cells.actual <= cells.quantiles[:, 5])
    late = cells.origin >= np.datetime64(date(2025, 1, 6), "D") + 350
    assert 0.7 <= inside[late].mean() <= 0.95


def seen_of(errors: Floats, kind: NDArray[np.int64] | None = None, age_days: float = 0.0) -> Seen:
    """Errors [o, s, h] of daily forecasts that all came to an end `age_days` ago, of series with unit spread."""
    o, s, h = errors.shape
    ages = age_days + 20.0 * np.arange(o)[::-1, None] * np.ones(h) / o
    return Seen(errors, ages, np.ones((o, s)), np.full((o, s, h), ORDINARY) if kind is None else kind, 1)


def test_learned_ranges_are_those_of_the_errors():
    draw = np.random.default_rng(0)
    errors = np.array([0.1, 0.4])[:, None] * draw.standard_normal((40, 2, 5))
    size_then = np.array([0.1, 0.4])[:, None] * np.ones((40, 2, 5))
    ranges = learn(seen_of(errors), size_then, Ahead(np.ones(2), np.full((2, 5), ORDINARY)))
    fan = ranges.around(np.zeros((2, 5)), np.ones((2, 5)), np.zeros((2, 5)))
    assert fan[5].mean(axis=1) == pytest.approx([0.128, 0.513], rel=0.15)
    assert fan[1].mean(axis=1) == pytest.approx([-0.128, -0.513], rel=0.15)


def test_sizes_missed_for_long_are_made_up_for():
    """Errors twice as large as was expected of them make the range twice as wide as the expectation."""
    errors = np.random.default_rng(1).standard_normal((60, 3, 5))
    ahead = Ahead(np.ones(3), np.full((3, 5), ORDINARY))
    right, short = (learn(seen_of(errors), np.full((60, 3, 5), size), ahead) for size in (0.8, 0.4))
    assert short.quantiles[5] == pytest.approx(2 * right.quantiles[5], rel=1e-6)
    assert short.size == pytest.approx(right.size)


def test_a_kind_of_day_with_larger_errors_has_wider_ranges():
    draw = np.random.default_rng(2)
    kind = np.where(draw.uniform(size=(60, 3, 5)) < 0.3, EVENT, ORDINARY)
    errors = draw.standard_normal((60, 3, 5)) * np.where(kind == EVENT, 3.0, 1.0)
    plain, event = (
        expected_size(seen_of(errors, kind), Ahead(np.ones(3), np.full((3, 5), each))) for each in (ORDINARY, EVENT)
    )
    assert (event / plain) == pytest.approx(3.0, rel=0.25)


def test_the_first_days_ahead_have_a_size_of_their_own_where_they_err_less():
    """As forecast weather makes them: two leads half as far off as the five after, at origins of one series to many."""
    true = np.array([0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0])
    for n_series, n_origins, within in ((8, 30, 0.15), (40, 12, 0.15), (1, 200, 0.2)):
        errors = np.random.default_rng([n_series, 3]).standard_normal((n_origins, n_series, 7)) * true
        size = expected_size(seen_of(errors), Ahead(np.ones(n_series), np.full((n_series, 7), ORDINARY)))
        assert size.mean(axis=0) / true == pytest.approx(np.full(7, 0.798), rel=within), n_series


def test_where_leads_differ_by_chance_they_stay_with_their_neighbours():
    """Shared shocks make leads of a few origins look different: the least and the largest are drawn together."""
    own, drawn = list[float](), list[float]()
    for seed in range(40):
        draw = np.random.default_rng([seed, 8])
        loud = np.exp(0.6 * draw.standard_normal((8, 1, 14)))  # how far off all series of one day are
        errors = loud * draw.standard_normal((8, 12, 14))
        size = expected_size(seen_of(errors), Ahead(np.ones(12), np.full((12, 14), ORDINARY)))
        by_lead = np.abs(errors).mean(axis=(0, 1))
        own.append(float(np.log(by_lead.max() / by_lead.min())))
        drawn.append(float(np.log(size.mean(axis=0).max() / size.mean(axis=0).min())))
    assert np.mean(drawn) < 0.5 * np.mean(own)


def test_recent_errors_count_more():
    errors = np.concatenate([np.full((10, 2, 5), 4.0), np.full((10, 2, 5), 1.0)])
    old_first = replace(seen_of(errors), age_days=np.linspace(600, 0, 20)[:, None] * np.ones(5))
    new_first = replace(old_first, age_days=old_first.age_days[::-1])
    ahead = Ahead(np.ones(2), np.full((2, 5), ORDINARY))
    assert (expected_size(old_first, ahead) < 0.5 * expected_size(new_first, ahead)).all()


def test_where_models_differ_the_range_is_wider():
    panel = panel_of(noisy(1, 2, 60), HORIZON)
    agreed = np.full((1, 2, HORIZON), 100.0)
    apart = np.stack([agreed, agreed * np.array([1.0, 1.5])[:, None], agreed])
    tier = tiers(panel)[0]
    hard = difficulty(tier, apart, np.full((1, 2), 5.0), np.full(2, 0.2))
    assert hard[0] == pytest.approx(1.0)
    assert hard[1] == pytest.approx(np.sqrt(1 + (np.log(155 / 105) / np.sqrt(3) / 0.2) ** 2))


def test_weighted_quantiles_count_by_weight():
    values = np.array([3.0, 1.0, 2.0])
    assert weighted_quantile(values, np.ones(3), np.array([0.5])) == pytest.approx([2.0])
    assert weighted_quantile(values, np.array([100.0, 1.0, 1.0]), np.array([0.5])) == pytest.approx([3.0], abs=0.03)


# --- what is said beside the range ----------------------------------------------------------------------------------


def test_weather_that_helps_is_told_from_weather_that_does_not():
    draw = np.random.default_rng(1)
    actual = 100 + draw.standard_normal((12, 1, 3, 7))
    near, far = actual + 2 * draw.standard_normal(actual.shape), actual + 6 * draw.standard_normal(actual.shape)
    helps = value_of_weather(actual, near, far)
    assert helps.helps
    assert helps.saved_low > 0.02
    saved = (np.abs(far - actual) - np.abs(near - actual)).sum(axis=(1, 2, 3))
    # The bootstrap of twelve origins against their standard error.
    half = 1.645 * saved.std() / np.sqrt(12)
    told = np.array([helps.money, helps.money_low, helps.money_high], dtype=np.float64)
    assert told - saved.mean() == pytest.approx([0.0, -half, half], rel=0.15, abs=1e-9)
    assert not value_of_weather(actual[:1], near[:1], far[:1]).helps


def test_weather_that_does_not_help_is_said_to_in_one_of_twenty():
    found = []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        actual = 100 + draw.standard_normal((12, 1, 3, 7))
        with_it, without = (actual + 2 * draw.standard_normal(actual.shape) for _ in range(2))
        found.append(value_of_weather(actual, with_it, without))
    # Of 60 at one in twenty, 9 or more happen in under one of a hundred.
    assert sum(one.helps for one in found) < 9
    assert all("was tested and does not make" in one.sentence for one in found if not one.helps)


def lasting_anomalies(g: int, n: int) -> Floats:
    draw = np.random.default_rng(8)
    z = draw.standard_normal((g, n))
    for t in range(1, n):
        z[:, t] = 0.7 * z[:, t - 1] + np.sqrt(1 - 0.49) * z[:, t]
    return z


def test_as_if_forecasts_know_less_of_the_weather_at_every_lead_and_are_right_on_average():
    g, n, horizon = 400, 120, 28
    z = lasting_anomalies(g, n)
    later = panel_of(np.ones((1, g, n)), horizon)
    z = np.concatenate([z, np.zeros((g, horizon))], axis=1)
    later = replace(later, z=z, weather=np.stack([z.clip(0), (-z).clip(0), z]), weather_source="climatology")
    then = later.cut(n - horizon, horizon)
    normal = np.where(np.arange(n) < n - horizon, then.z, 0.0)
    then = replace(then, z=normal, weather=np.stack([normal.clip(0), (-normal).clip(0), normal]))
    made = as_if_forecast(then, later)
    np.testing.assert_array_equal(made.z[:, : n - horizon], then.z[:, : n - horizon])
    came, said = z[:, n - horizon : n], made.z[:, n - horizon :]
    slope = (came * said).sum(axis=0) / (said**2).sum(axis=0)
    known = np.array([np.corrcoef(came[:, lead], said[:, lead])[0, 1] for lead in range(14)])
    assert known[0] > 0.9
    assert known[6] < 0.85
    assert np.all(np.diff(known[[0, 3, 6, 10, 13]]) < 0)
    assert slope[:10].mean() == pytest.approx(1.0, abs=0.1)
    assert np.abs(said[:, 14:]).mean() < 0.1


def test_what_was_not_tested_is_not_said_to_be_of_no_help():
    actual = 100 * np.ones((8, 1, 1, HORIZON))
    same = as_if_value(actual, actual * 1.1, actual * 1.1)
    better = as_if_value(actual, actual * 1.05, actual * 1.2)
    for value in (same, better):
        assert value.as_if
        assert not value.helps
        assert value.sentence.startswith("Weather was not tested: no earlier weather forecast is stored")
    assert "that difference may be luck" in same.sentence
    assert "5.0 % of demand with weather and 20.0 % without." in better.sentence


def test_a_promotion_deeper_than_any_is_called_an_extrapolation():
    panel = panel_of(noisy(1, 2, 60), HORIZON)
    promotion = np.zeros((1, 2, 60 + HORIZON))
    promotion[0, :, 10:20], promotion[0, 0, 62], promotion[0, 1, 63] = 0.2, 0.5, 0.21
    (found,) = extrapolations(replace(panel, promotion=promotion))
    assert (found.geo, found.planned_depth, found.deepest_seen) == ("g0", 0.5, 0.2)
    assert found.date == panel.starts[62]


def test_a_promotion_never_seen_widens_the_range_of_its_day():
    """By three logs for the whole price off, as variances add; in the total by its share of demand."""
    outcome = noisy(1, 2, 6000)
    outcome[..., 0] = 2e6  # once sold as much as is forecast: no range goes beyond three times that
    calm = panel_of(outcome, HORIZON)
    gaussian = np.repeat(np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645])[:, None], HORIZON, axis=1)
    ranges = tuple(Ranges(np.full((len(tier.keys), HORIZON), 0.1), gaussian) for tier in tiers(calm))
    made = np.full((1, 2, HORIZON), 1e6)
    made[0, 1] *= 3

    def upper(panel: Panel) -> list[Floats]:
        fans = Recalibration(0.0, ranges).fans(panel, made, np.stack([made, made]), level_shifts(panel))
        return [np.log(fan[5] / fan[3]) for fan in fans]

    (before, total_before), (after, total_after) = upper(calm), upper(promoted(calm, 0.2))
    assert after[0, 2] == pytest.approx(1.282 * np.hypot(0.1, 0.6), rel=1e-3)
    assert total_after[0, 2] == pytest.approx(1.282 * np.hypot(0.1, 0.15), rel=1e-3)
    other = np.arange(HORIZON) != 2
    assert (after[0, other] == before[0, other]).all()
    assert (after[1] == before[1]).all()
    assert (total_after[0, other] == total_before[0, other]).all()


def test_what_a_promotion_never_seen_did_teaches_nothing_of_ordinary_days():
    calm = panel_of(noisy(1, 3, 200), HORIZON)
    promotion = np.zeros_like(calm.promotion)
    promotion[0, 0, 152:155] = 0.4
    panel = replace(calm, promotion=promotion)
    trial = try_all(panel, lambda n: panel.cut(n, HORIZON), HORIZON, origins(panel, HORIZON))
    wild = replace(trial, actual=np.where(trial.doubt > 0, 3 * trial.actual, trial.actual))
    learnt, learnt_wild = (record(each).recalibration for each in (trial, wild))
    assert (trial.doubt > 0).sum() == 3
    assert learnt.shift == learnt_wild.shift
    for one, other in zip(learnt.ranges, learnt_wild.ranges, strict=True):
        np.testing.assert_array_equal(one.size, other.size)
        np.testing.assert_array_equal(one.quantiles, other.quantiles)


@pytest.mark.parametrize("name", METHODS)
def test_low_counts_and_zeros_are_forecast_without_complaint(name: str):
    counts = np.random.default_rng(2).poisson(0.4, (1, 5, 200)).astype(np.float64)
    made = fit(name, panel_of(counts, HORIZON)).predict(panel_of(counts, HORIZON))
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert made.mean() < 1.5
