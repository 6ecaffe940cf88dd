"""Weather out of the outcome: finds what is there, leaves alone what is not, never looks into the test."""

from __future__ import annotations

import numpy as np
import pytest
from tests.experiments.made_tests import N_PRE, make_panel

from weathervane.contracts.errors import BadInput
from weathervane.experiments.weather_adjustment import adjust_for_weather


def between(values: np.ndarray) -> float:
    gaps = values / values.mean(axis=1, keepdims=True)
    return float((gaps - gaps.mean(axis=0)).std())


def test_noise_from_weather_goes_also_from_the_days_not_fitted() -> None:
    panel, weather = make_panel(1, sensitivity=0.1)
    found = adjust_for_weather(panel.outcome, weather, N_PRE)
    assert found.noise_removed_rel > 0.4
    assert 0.8 < found.shrinkage <= 1.0
    assert between(found.outcome[:, N_PRE:]) < 0.75 * between(panel.outcome[:, N_PRE:])
    assert found.coefficients[:, 0] / weather.std() == pytest.approx(np.full(10, 0.1), abs=0.04)


def test_insensitive_panels_are_hardly_touched() -> None:
    before, after, untouched = [], [], []
    for seed in range(40):
        panel, weather = make_panel(seed)
        before.append(between(panel.outcome[:, N_PRE:]))
        found = adjust_for_weather(panel.outcome, weather, N_PRE)
        after.append(between(found.outcome[:, N_PRE:]))
        untouched.append(found.shrinkage == 0.0)
    assert np.mean(after) < 1.02 * np.mean(before)
    assert np.mean(untouched) > 0.7


def test_the_test_itself_is_not_looked_at() -> None:
    panel, weather = make_panel(2, sensitivity=0.1)
    changed = panel.outcome.copy()
    changed[:4, N_PRE:] *= 1.3
    one = adjust_for_weather(panel.outcome, weather, N_PRE)
    other = adjust_for_weather(changed, weather, N_PRE)
    assert other.outcome - changed == pytest.approx(one.outcome - panel.outcome)


def test_weather_that_all_geos_share_changes_nothing() -> None:
    panel, weather = make_panel(3)
    shared = np.broadcast_to(weather[:, :1], weather.shape)
    assert adjust_for_weather(panel.outcome, shared, N_PRE).outcome == pytest.approx(panel.outcome)


def test_order_of_geos_changes_nothing() -> None:
    panel, weather = make_panel(5, sensitivity=0.1)
    order = np.random.default_rng(0).permutation(10)
    one = adjust_for_weather(panel.outcome, weather, N_PRE).outcome
    assert adjust_for_weather(panel.outcome[order], weather[:, order], N_PRE).outcome == pytest.approx(one[order])


def test_refusals() -> None:
    panel, weather = make_panel(0)
    with pytest.raises(BadInput, match="shape"):
        adjust_for_weather(panel.outcome, weather[:, :-1], N_PRE)
    weather[0, 0, 0] = np.nan
    with pytest.raises(BadInput, match="missing"):
        adjust_for_weather(panel.outcome, weather, N_PRE)


def test_a_day_before_the_test_is_adjusted_by_days_of_other_blocks_alone() -> None:
    """Its block's own outcomes move the common shrinkage, and no coefficient."""
    rng = np.random.default_rng(4)
    weather = rng.standard_normal((2, 12, 80))
    outcome = 100.0 * (1.0 + 0.1 * weather[0] - 0.05 * weather[1] + 0.03 * rng.standard_normal((12, 80)))
    moved = outcome.copy()
    moved[:, 1] += 8.0 * weather[1, :, 1]  # two days of the first block of nine: each geo's level stays
    moved[:, 2] -= 8.0 * weather[1, :, 1]
    before, after = (one - adjust_for_weather(one, weather, 72).outcome for one in (outcome, moved))
    factor = after[:, :9] / before[:, :9]
    assert factor == pytest.approx(np.full(factor.shape, factor[0, 0]), rel=1e-9)
