"""The record: made of what was known at each origin, honest about its intervals, and never of what came after."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.model.test_forecast_verdict import run_of, scored

from model.small_tables import panel_of
from weathervane.contracts.calibration import as_calibrated
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.forecast import ForecastQuality
from weathervane.model.features.build import Panel
from weathervane.model.forecast.backtest import Backtest, backtest, record
from weathervane.model.forecast.candidates import BLEND, CANDIDATES, FLOORS, METHODS, STACK, STACKED, best, stacked
from weathervane.model.forecast.conformal import ORDINARY, Ahead
from weathervane.model.forecast.floors import RECENT_MEAN, SEASONAL_NAIVE, YEAR_AGO
from weathervane.model.forecast.tiers import tiers
from weathervane.model.forecast.trial import MAX_ORIGINS, Trial

Floats = NDArray[np.float64]
HORIZON = 14


def up_to(panel: Panel, n: int) -> Panel:
    """The panel when its first n periods had passed; what it knows of later periods is gone."""
    total = n + HORIZON
    cut = {name: getattr(panel, name)[..., :total] for name in ("in_stock", "promotion", "log_price", "weather", "z",
           "temp_anomaly_c", "wet_days", "event_days", "spend", "outcome")}  # fmt: skip
    cut["outcome"] = np.where(np.arange(total) < n, cut["outcome"], np.nan)
    return replace(panel, starts=panel.starts[:total], n_past=n, **cut)


def recorded(panel: Panel) -> Backtest:
    return backtest(panel, lambda n: up_to(panel, n), HORIZON)


def weekly_rhythm(n: int, seed: int = 0, noise: float = 0.1, g: int = 3) -> Floats:
    """[1, g, n]: a weekday pattern with noise of this spread in logs."""
    draw = np.random.default_rng(seed)
    weekday = np.array([0.1, 0.0, 0.0, 0.1, 0.3, 0.5, -0.2])[np.arange(n) % 7]
    return 1000 * np.exp(weekday + noise * draw.standard_normal((1, g, n)))


# --- the past alone -------------------------------------------------------------------------------------------------


def test_garbage_after_an_origin_changes_no_earlier_forecast():
    outcome = weekly_rhythm(300)
    clean = recorded(panel_of(outcome, HORIZON))
    poisoned = outcome.copy()
    poisoned[:, :, -HORIZON:] = 1e9
    dirty = recorded(panel_of(poisoned, HORIZON))
    for name in clean.trial.made:
        np.testing.assert_array_equal(dirty.trial.made[name], clean.trial.made[name])
    # Issued ranges are the same to the last origin: its errors are seen after it.
    for name in ("origin", "lead", "quantiles", "raw", "floor"):
        np.testing.assert_array_equal(getattr(dirty.cells, name), getattr(clean.cells, name))
    assert dirty.cells.actual.max() > 1e9 > clean.cells.actual.max()


def test_an_error_is_not_used_before_its_period_has_passed():
    """Origins a day apart: wild errors of one day move no range issued before that day is over."""
    outcome = weekly_rhythm(200)
    wild = outcome.copy()
    wild[:, :, 180] *= 30
    ends = list(range(110, 186))
    calm, shaken = (
        backtest(panel, lambda n, panel=panel: up_to(panel, n), HORIZON, ends).cells
        for panel in (panel_of(values, HORIZON) for values in (outcome, wild))
    )
    before = calm.origin < np.datetime64(date(2025, 1, 6), "D") + 180
    np.testing.assert_array_equal(shaken.quantiles[before], calm.quantiles[before])
    assert not np.array_equal(shaken.quantiles[~before], calm.quantiles[~before])


def test_the_planner_of_origins_asks_for_what_was_known_then():
    asked: list[int] = []
    panel = panel_of(weekly_rhythm(300), HORIZON)

    def as_known(n: int) -> Panel:
        asked.append(n)
        return up_to(panel, n)

    made = backtest(panel, as_known, HORIZON)
    assert asked == [300 - HORIZON * i for i in range(14, 0, -1)]
    assert made.quality.origins == tuple(panel.starts[n] for n in asked)
    assert len(recorded(panel_of(weekly_rhythm(800), HORIZON)).quality.origins) == MAX_ORIGINS


def test_a_year_is_kept_before_the_first_origin_where_there_is_more():
    long = recorded(panel_of(weekly_rhythm(560), HORIZON)).quality
    assert long.origins[0] >= date(2025, 1, 6).replace(year=2026)


def test_too_short_a_history_has_no_record():
    with pytest.raises(NotEnoughData) as refusal:
        recorded(panel_of(weekly_rhythm(41), HORIZON))
    assert "41 periods are too few" in refusal.value.problem
    assert len(recorded(panel_of(weekly_rhythm(42), HORIZON)).quality.origins) == 1


# --- scores and choice ----------------------------------------------------------------------------------------------


def test_wape_is_absolute_error_over_absolute_actual():
    """On a constant series each floor is exact; missing days count for nothing."""
    flat = np.full((1, 2, 100), 50.0)
    flat[0, 0, 90] = np.nan
    scores = {one.method: one for one in recorded(panel_of(flat, HORIZON)).quality.scores}
    assert set(scores) == set(METHODS) - {YEAR_AGO}  # there is no year yet
    assert all(scores[name].wape == pytest.approx(0.0, abs=1e-12) for name in FLOORS if name != YEAR_AGO)
    assert all(one.wape == pytest.approx(0.0, abs=1e-3) for one in scores.values())  # trees in single precision
    assert {one.n for one in scores.values()} == {4 * 2 * HORIZON - 1}
    doubled = flat.copy()
    doubled[:, :, -HORIZON:] *= 2
    naive = {one.method: one.wape for one in recorded(panel_of(doubled, HORIZON)).quality.scores}[SEASONAL_NAIVE]
    # Three origins without error; the last misses 27 values (one is missing) by half of twice the usual.
    assert naive == pytest.approx((27 * 50.0) / (27 * 100 + 3 * 28 * 50))


def test_a_tie_goes_to_the_simpler():
    wape = dict.fromkeys(METHODS, 0.2)
    assert best(wape) == RECENT_MEAN
    assert best({**wape, STACK: 0.1995}) == RECENT_MEAN
    assert best({**wape, STACK: 0.19}) == STACK


def test_a_method_alone_has_to_win_by_more_than_luck_and_else_is_blended():
    """A model alone against the stack, a baseline alone against its blend with the stack."""
    draw = np.random.default_rng(3)
    trial = trial_of(draw.standard_normal((12, 1, 4, HORIZON)))
    actual = trial.actual

    def chosen(name: str, errors: Floats) -> str:
        """Where this method errs by so much, the models by 1.7, all alike, and the baselines by 3."""
        shared = draw.standard_normal(actual.shape)
        made = {each: actual * np.exp(0.1 * (3.0 if each in FLOORS else 1.7) * shared) for each in trial.made}
        return record(replace(trial, made={**made, name: actual * np.exp(0.1 * errors * shared)})).quality.chosen

    everywhere, once = np.ones((12, 1, 1, 1)), (np.arange(12) == 11)[:, None, None, None]
    assert chosen(RECENT_MEAN, 0.5 * everywhere) == RECENT_MEAN
    assert chosen(STACKED[0], 1.2 * everywhere) == STACKED[0]
    # One good fortnight is luck for both: the stack stays, alone or half and half with the baseline.
    assert chosen(RECENT_MEAN, np.where(once, 0.01, 1.7)) in {STACK, BLEND}
    assert chosen(STACKED[0], np.where(once, 0.01, 1.7)) == STACK
    assert chosen(RECENT_MEAN, 3.0 * everywhere) == STACK


def test_the_stack_is_the_mean_of_its_models():
    made = {name: np.full((2, 3), value) for name, value in zip(STACKED, (1.0, 2.0, 6.0), strict=True)}
    assert (stacked(made) == 3.0).all()


def test_an_origin_without_actuals_is_not_scored():
    outcome = weekly_rhythm(300)
    outcome[:, :, -HORIZON:] = np.nan
    quality = recorded(panel_of(outcome, HORIZON)).quality
    assert np.isfinite(quality.coverage_80)
    assert quality.verdict in ("calibrated", "too narrow", "too wide")


# --- verdicts -------------------------------------------------------------------------------------------------------


def trial_of(scores: Floats) -> Trial:
    """A trial of forecasts of a hundred whose log errors are a tenth of these scores [origin, k, g, lead]."""
    n, k, g, _ = scores.shape
    panel = panel_of(np.ones((k, g, 40 + n * HORIZON)), HORIZON)
    made = np.full(scores.shape, 100.0)
    heights = [len(tier.keys) for tier in tiers(panel)]
    return Trial(
        panel,
        40 + np.arange(n) * HORIZON,
        {each.name: made for each in CANDIDATES},
        made * np.exp(0.1 * scores),
        np.zeros(scores.shape, dtype=np.bool_),
        np.full((n, k, g), 1e-6),
        np.zeros((n, k, g), dtype=np.bool_),
        np.zeros(scores.shape),
        (tuple(Ahead(np.full(height, 0.1), np.full((height, HORIZON), ORDINARY)) for height in heights),) * n,
        tuple(np.ones((n, height)) for height in heights),
    )


def quality_of(scores: Floats) -> ForecastQuality:
    return record(trial_of(scores)).quality


def scores_of(n: int, last: float, seed: int = 0) -> Floats:
    """Standard errors at the first half of the origins, and `last` times as large at the others."""
    draw = np.random.default_rng(seed).standard_normal((n, 3, 8, HORIZON))
    return draw * np.where(np.arange(n) < n // 2, 1.0, last)[:, None, None, None]


def test_steady_errors_are_calibrated():
    quality = quality_of(scores_of(16, 1.0))
    assert quality.verdict == "calibrated"
    assert quality.coverage_low <= 0.8 <= quality.coverage_high
    assert quality.coverage_80 == pytest.approx(0.8, abs=0.03)
    assert quality.n == 12 * 3 * 8 * HORIZON
    assert quality.sentence.startswith("The range meant to hold 8 in 10 held ")
    assert quality.sentence.endswith("of 4,032 outcomes of the backtest, as it should.")


def test_errors_that_grow_are_called_too_narrow():
    growing = (
        np.random.default_rng(0).standard_normal((16, 3, 8, HORIZON)) * (1.6 ** np.arange(-8, 8))[:, None, None, None]
    )
    quality = quality_of(growing)
    assert quality.verdict == "too narrow"
    assert quality.coverage_high < 0.8
    assert "too narrow, read it as less sure" in quality.sentence


def test_errors_that_shrink_are_called_too_wide():
    shrinking = (
        np.random.default_rng(0).standard_normal((16, 3, 8, HORIZON)) * (0.6 ** np.arange(16))[:, None, None, None]
    )
    quality = quality_of(shrinking)
    assert quality.verdict == "too wide"
    assert quality.coverage_low > 0.8
    assert "wider than it need be" in quality.sentence


@pytest.mark.parametrize("n", [1, 4, 5, 9, 11])
def test_few_origins_make_no_verdict(n: int):
    quality = quality_of(scores_of(n, 1.0))
    assert quality.verdict == "not enough data"
    assert quality.sentence.startswith("It is too early to say whether the range holds: ")
    if n <= 4:
        assert (quality.coverage_80, quality.coverage_low, quality.coverage_high, quality.n) == (0.0, 0.0, 1.0, 0)
    assert quality_of(scores_of(12, 1.0)).verdict != "not enough data"


@pytest.mark.parametrize("n", [5, 9, 11, 12, 16])
@pytest.mark.parametrize("last", [0.1, 1.0, 4.0])
def test_the_forecast_and_its_calibration_give_one_verdict(n: int, last: float):
    """Of the same record, in the same words: a forecast never says "as it should" of what calibration calls too few."""
    made = record(trial_of(scores_of(n, last)))
    run = run_of(scored(made.cells), None)
    assert as_calibrated(made.quality, run) == made.quality


def test_origins_are_the_unit_of_the_interval():
    """A thousand series that err together are one piece of evidence: the interval is as wide as for ten."""
    shared = np.random.default_rng(2).standard_normal((12, 1, 1, 1)) * np.ones((12, 1, 10, HORIZON))
    few, many = quality_of(shared), quality_of(np.repeat(shared, 20, axis=2))
    assert many.n == 20 * few.n
    assert many.coverage_high - many.coverage_low == pytest.approx(few.coverage_high - few.coverage_low, abs=0.02)
    assert many.coverage_high - many.coverage_low > 0.3
