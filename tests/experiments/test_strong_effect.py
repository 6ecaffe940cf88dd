"""A strong effect is read as one: the test shows what it accepts, also where it rejects its own fit's estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.experiments.made_tests import make_panel, with_lift
from tests.experiments.published_panels import geolift

from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.period import Period
from weathervane.experiments.counterfactual import Refit
from weathervane.experiments.inference import best_effect, block_p_values, search
from weathervane.experiments.panel import Panel
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_out

LIFT = 0.2


def pair_of_cities(seed: int) -> tuple[Panel, Question]:
    """Two of the walkthrough's cities with a true +20 % in its last fifteen days."""
    found = geolift()
    panel = found.only([geo for geo in found.geos if geo not in ("chicago", "portland")])
    cities = tuple(sorted(np.random.default_rng([seed, 3]).choice(panel.geos, 2, replace=False).tolist()))
    others = tuple(geo for geo in panel.geos if geo not in cities)
    lifted = with_lift(panel, cities, LIFT, 15)
    window = Period(panel.days[-15], panel.days[-1])
    return lifted, Question("pair", "ads", "USD", cities, others, window, test="block_conformal")


def p_value_of(panel: Panel, question: Question, result: LiftResult, lift_rel: float) -> float:
    """What the block test says of a relative lift."""
    treated = np.isin(np.array(panel.geos), question.treated_geos)
    n_pre = len(panel.days) - result.n_days
    pattern = np.where(np.arange(len(panel.days)) >= n_pre, panel.outcome[treated].mean(axis=0), 0.0)
    theta = lift_rel / (1.0 + lift_rel)
    refit = Refit(question.estimator, panel.outcome, treated, pattern)
    return float(block_p_values(refit.residuals(np.array([theta])), n_pre)[0])


# Pairs in which both 0 and the estimate of the fit before the test are rejected at 90 %, and one in which neither is.
@pytest.mark.parametrize("seed", [1, 92, 225, 0])
def test_a_pair_of_cities_with_a_true_effect_is_never_read_as_nothing(seed: int) -> None:
    panel, question = pair_of_cities(seed)
    wide, narrow = (read_out(panel, replace(question, alpha=alpha)).plain for alpha in (0.05, 0.1))
    assert any("Fit and test disagree" in text for text in narrow.result.caveats) == (seed > 0)
    for view in (wide, narrow):
        result = view.result
        assert result.lift_abs == pytest.approx(sum(day.effect or 0.0 for day in view.days), rel=1e-6)
        assert result.p_value < 0.1
        assert result.lift_rel_low is not None
        assert result.lift_rel_high is not None
        assert result.lift_rel_low <= result.lift_rel <= result.lift_rel_high
        assert p_value_of(panel, question, result, result.lift_rel) > result.alpha
    # A range at 90 % lies within the one at 95 %.
    assert wide.result.lift_rel_low - 1e-3 <= narrow.result.lift_rel_low  # type: ignore[operator]
    assert narrow.result.lift_rel_high <= wide.result.lift_rel_high + 1e-3  # type: ignore[operator]


def test_the_region_around_the_largest_p_is_found_for_any_test() -> None:
    """A test that accepts effects near 4 alone, asked from a fit that says 1."""

    def p_values(thetas: np.ndarray) -> np.ndarray:
        return np.maximum(1.0 - np.abs(thetas - 4.0) / 0.5, 0.0)

    found = search("trimmed_t", p_values, 1.0, 0.1, 0.1, 0.0)
    assert found.fit == 1.0
    assert found.estimate == pytest.approx(4.0, abs=0.05)
    assert (found.low, found.high) == (pytest.approx(3.55, abs=0.02), pytest.approx(4.45, abs=0.02))
    assert found.p_value == 0.0


def test_the_best_effect_leaves_the_test_without_a_miss() -> None:
    panel, _ = make_panel(5)
    lifted = with_lift(panel, panel.geos[:4], 0.3)
    treated = np.arange(10) < 4
    pattern = np.where(np.arange(49) >= 42, lifted.outcome[treated].mean(axis=0), 0.0)
    refit = Refit("synthetic_control", lifted.outcome, treated, pattern)
    for start in (-5.0, 0.0, 0.2, 5.0):
        _, best = best_effect(refit, 42, start)
        residuals = refit.residuals(np.array([best]))
        assert abs(residuals[0, 42:].mean()) < 1e-5 * float(pattern.max())
