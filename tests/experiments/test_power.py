"""Power grows with effects, geos and days, its size is alpha, and it foretells how often effects are then found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from tests.experiments.designs import GO_DARK, HALF, drafted, made_panel

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.experiment_design import Cell
from weathervane.contracts.period import Period
from weathervane.experiments.assign import assignment_set
from weathervane.experiments.counterfactual import contrasts
from weathervane.experiments.inference import randomisation
from weathervane.experiments.panel import Panel
from weathervane.experiments.power import injected, power_of, simulate_over_time, simulate_randomised, smallest_effect

SMALL_EFFECTS = np.array([0.0, 0.02, 0.05, 0.1, 0.2])


def test_power_starts_at_the_size_and_grows_to_one() -> None:
    found = power_of(made_panel(24, n_days=365), drafted(made_panel(24, n_days=365), HALF, alpha=0.1))
    power = [point.power for point in found.curve]
    assert found.curve[0].effect_rel == 0.0
    assert found.aa_size == power[0]
    assert power[0] == pytest.approx(0.1, abs=0.05)
    assert all(later >= earlier for earlier, later in pairwise(power))
    assert power[-1] == 1.0
    assert found.mde_rel is not None
    assert 0.005 < found.mde_rel < 0.1
    assert (found.n_windows, found.n_tests, found.n_weeks) == (12, 720, 4)


def test_an_injected_effect_is_what_the_analysis_would_then_test() -> None:
    """The fast reading of one p-curve equals the test on an outcome that really carries the effect."""
    panel = made_panel(12, n_days=120)
    design = drafted(panel, HALF, cooldown_days=0)
    masks = assignment_set(design)[:100]
    length, effect = 28, 0.08
    found = simulate_randomised(panel.outcome, masks, design, "go_dark", length, effects=np.array([effect]), turns=1)
    start = panel.outcome.shape[1] - length
    cut = panel.outcome.copy()
    cut[masks[0], start:] *= 1.0 - effect / (1.0 + effect)
    weights = contrasts(design.estimator, cut, masks, start)
    mean = cut[:, start:].mean(axis=1)
    direct = randomisation(weights.mean_effects(mean), weights.responses(np.where(masks[0], mean, 0.0)), 0.1)
    assert found.p_values[-1, 0, 0] == pytest.approx(direct.p_value, abs=1e-12)


def test_more_geos_or_days_never_lower_the_power() -> None:
    """The same geos four times over, with noise of their own, and a test of twice the days."""
    effects = np.array([0.03])

    def power(n_geos: int, length: int) -> float:
        shares = []
        for seed in range(4):
            panel = made_panel(n_geos, n_days=200, seed=seed)
            design = drafted(panel, HALF, seed=seed)
            masks = assignment_set(design)[:100]
            found = simulate_randomised(panel.outcome, masks, design, "go_dark", length, effects=effects, turns=20)
            shares.append(float(found.power(0.1)[0]))
        return float(np.mean(shares))

    error = 0.05  # of the mean of four designs
    by_geos = [power(n, 14) for n in (8, 16, 48)]
    assert by_geos[0] <= by_geos[1] + error
    assert by_geos[1] <= by_geos[2] + error
    assert by_geos[0] < by_geos[2] - error
    assert power(24, 7) <= power(24, 28) + error


def test_power_over_time_where_nothing_was_randomised() -> None:
    panel = made_panel(12, n_days=200)
    design = replace(drafted(panel, HALF), seed=None, method="imported", test="block_conformal")
    found = power_of(panel, design)
    assert found.n_windows > 12
    assert found.curve[-1].power > 0.9
    treated = np.arange(12) < 6
    simulated = simulate_over_time(panel.outcome, treated, design, "heavy_up", 14, effects=SMALL_EFFECTS)
    assert (np.diff(simulated.power(0.1)) >= -0.1).all()


def test_signs_are_turned_once() -> None:
    effects = np.array([0.0, 0.25])
    assert injected("go_dark", effects) == pytest.approx([0.0, -0.2])
    assert injected("heavy_up", effects) == pytest.approx([0.0, 0.25])


def test_cost_and_return_at_the_smallest_effect() -> None:
    panel = made_panel(24, n_days=365)
    design = drafted(panel, HALF)
    spend = Panel(panel.geos, panel.days, np.full(panel.outcome.shape, 10.0))
    found = power_of(panel, design, spend=spend)
    assert found.spend_change_abs == pytest.approx(-10.0 * 28 * len(design.treated_geos))
    assert found.return_at_mde is not None
    assert found.return_at_mde > 0.0
    up = replace(design, cells=(Cell("cell_1", "heavy_up", "meta", 0.5),), kind="heavy_up")
    assert power_of(panel, up, spend=spend).return_at_mde is None


def test_weather_taken_out_lowers_the_smallest_effect() -> None:
    panel = made_panel(24, n_days=365)
    rng = np.random.default_rng(3)
    weather = rng.standard_normal((1, 24, 365))
    moved = Panel(panel.geos, panel.days, panel.outcome * np.exp(0.15 * weather[0]))
    design = drafted(moved, HALF)
    plain, adjusted = power_of(moved, design), power_of(moved, design, weather=weather)
    assert adjusted.weather_adjusted
    assert plain.mde_rel is not None
    assert adjusted.mde_rel is not None
    assert adjusted.mde_rel < plain.mde_rel


def test_cells_share_alpha_and_the_weakest_counts() -> None:
    panel = made_panel(30, n_days=300)
    cells = (Cell("one", "go_dark", "meta", 0.3), Cell("two", "go_dark", "search", 0.3))
    design = drafted(panel, cells)
    found = power_of(panel, design)
    assert found.alpha == design.alpha / 2


def test_a_history_without_windows_is_refused() -> None:
    panel = made_panel(12, n_days=60)
    design = drafted(panel, GO_DARK, alpha=0.1)
    with pytest.raises(NotEnoughData, match="bring"):
        power_of(panel, design)
    longer = Period(design.test_window.start, design.test_window.start + timedelta(days=200))
    with pytest.raises(NotEnoughData):
        power_of(made_panel(12), replace(design, test_window=longer))


def test_an_effect_that_is_never_found_has_no_size() -> None:
    panel = made_panel(12, n_days=120)
    design = drafted(panel, HALF)
    found = simulate_randomised(
        panel.outcome, assignment_set(design), design, "go_dark", 14, effects=np.array([0.0, 1e-6])
    )
    assert smallest_effect(found, 0.05) is None
