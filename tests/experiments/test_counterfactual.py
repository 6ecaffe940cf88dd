"""Estimators behind one interface: exact weights, no dependence on order, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from tests.experiments.made_tests import N_PRE, assignment_set, make_panel

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import EstimatorName
from weathervane.experiments.counterfactual import Refit, contrasts, counterfactual
from weathervane.experiments.estimators import augmented
from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.estimators.trimmed_match import trimmed_match

WEIGHTED: tuple[EstimatorName, ...] = (
    "difference_in_differences",
    "synthetic_control",
    "augmented",
    "synthetic_did",
    "time_based_regression",
)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(2, 15), st.integers(2, 40), st.sampled_from([0.0, 3.0]))
def test_simplex_weights_are_optimal(seed: int, n_donors: int, n_rows: int, penalty: float) -> None:
    rng = np.random.default_rng(seed)
    donors, target = rng.normal(0.0, 1.0, (n_donors, n_rows)), rng.normal(0.0, 1.0, n_rows)
    weights = simplex_weights(donors, target, penalty)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    # Optimality on a simplex: the gradient is smallest, and equal, where weight is.
    gradient = donors @ (weights @ donors - target) + penalty * weights
    slack = gradient - gradient.min()
    assert (weights * slack).sum() < 1e-5 * (1.0 + np.abs(gradient).max())


def test_simplex_weights_agree_with_a_general_solver() -> None:
    rng = np.random.default_rng(3)
    donors, target = rng.normal(0.0, 1.0, (6, 30)), rng.normal(0.0, 1.0, 30)
    solved = minimize(
        lambda w: ((target - w @ donors) ** 2).sum(),
        np.full(6, 1 / 6),
        bounds=[(0.0, 1.0)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
        options={"ftol": 1e-14},
    )
    assert simplex_weights(donors, target) == pytest.approx(solved.x, abs=1e-5)


def test_alike_donors_share_their_weight() -> None:
    donors = np.tile(np.random.default_rng(0).normal(0.0, 1.0, 20), (4, 1))
    assert simplex_weights(donors, donors[0] + 0.1) == pytest.approx(np.full(4, 0.25), abs=1e-6)


@pytest.mark.parametrize("estimator", WEIGHTED)
def test_order_of_geos_changes_nothing(estimator: EstimatorName) -> None:
    panel, _ = make_panel(4)
    mask = np.arange(10) < 4
    order = np.random.default_rng(1).permutation(10)
    one = counterfactual(estimator, panel.outcome, mask, N_PRE)
    other = counterfactual(estimator, panel.outcome[order], mask[order], N_PRE)
    assert other.mean == pytest.approx(one.mean, rel=1e-7)
    assert other.weights == pytest.approx(one.weights[order], abs=1e-6)


@pytest.mark.parametrize("estimator", WEIGHTED)
def test_many_assignments_at_once_are_those_one_by_one(estimator: EstimatorName) -> None:
    panel, _ = make_panel(6, n_geos=8)
    masks = assignment_set(8, 3, 6)
    many = contrasts(estimator, panel.outcome, masks, N_PRE)
    for i, mask in enumerate(masks):
        pair = contrasts(estimator, panel.outcome, np.stack([mask, mask]), N_PRE)
        assert many.weights[i] == pytest.approx(pair.weights[0], abs=1e-6)
        alone = contrasts(estimator, panel.outcome, mask, N_PRE).effects(panel.outcome)[0]
        if estimator != "synthetic_did":  # one by one, it stops where the published code does
            assert many.effects(panel.outcome)[i] == pytest.approx(alone, abs=1e-4)
    mean = panel.outcome[:, N_PRE:].mean(axis=1)
    assert many.mean_effects(mean) == pytest.approx(many.effects(panel.outcome)[:, N_PRE:].mean(axis=1))
    assert many.mean_effects(mean + 3.0 * masks[0]) - many.mean_effects(mean) == pytest.approx(
        3.0 * many.responses(masks[0].astype(float))
    )


@pytest.mark.parametrize("estimator", [name for name in WEIGHTED if name != "synthetic_did"])
def test_refit_is_a_fit_on_all_days(estimator: EstimatorName) -> None:
    panel, _ = make_panel(8)
    mask = np.arange(10) < 4
    pattern = np.where(np.arange(panel.outcome.shape[1]) >= N_PRE, 5.0, 0.0)
    thetas = np.array([0.0, -1.0, 2.0])
    found = Refit(estimator, panel.outcome, mask, pattern).residuals(thetas)
    for theta, residuals in zip(thetas, found, strict=True):
        if estimator == "augmented" and theta != 0.0:
            continue  # its strength stays that of theta = 0
        changed = panel.outcome.copy()
        changed[mask] -= theta * pattern
        direct = contrasts(estimator, changed, mask, changed.shape[1]).effects(changed)[0]
        assert residuals == pytest.approx(direct, abs=1e-4)


@given(seeds)
def test_trimmed_match_drops_the_pair_that_went_wrong(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(50.0, 150.0, 16)
    response = 2.0 * exposure + rng.normal(0.0, 5.0, 16)
    response[3] += 5000.0
    found = trimmed_match(response, exposure)
    assert found.n_trimmed >= 1
    assert 3 not in found.kept()
    assert found.estimate() == pytest.approx(2.0, abs=0.2)
    assert float(found.statistics(np.array([found.estimate()]))[0]) == pytest.approx(0.0, abs=1e-6)


def test_ridge_strength_does_not_depend_on_how_many_assignments_are_asked_for() -> None:
    panel, _ = make_panel(8, n_geos=8)
    masks = assignment_set(8, 3, 2, seed=8)
    one = contrasts("augmented", panel.outcome, masks[0], N_PRE).weights[0]
    past = panel.outcome[:, :N_PRE] - panel.outcome[:, :N_PRE].mean(axis=1, keepdims=True)
    target = past[masks[0]].mean(axis=0)
    strength = augmented.choose_lambda(past[~masks[0]], target)
    direct = augmented.weights(past[~masks[0]], target[None], strength)[0]
    assert one[~masks[0]] == pytest.approx(-direct)
    assert contrasts("augmented", panel.outcome, masks, N_PRE).weights[0] == pytest.approx(one, abs=1e-9)


def test_refusals() -> None:
    panel, _ = make_panel(0)
    nobody, everybody = np.zeros(10, dtype=bool), np.ones(10, dtype=bool)
    for mask in (nobody, everybody):
        with pytest.raises(BadInput, match="one arm without geos"):
            contrasts("synthetic_control", panel.outcome, mask, N_PRE)
    with pytest.raises(NotEnoughData, match="One geo"):
        contrasts("synthetic_control", panel.outcome[:1], np.array([True]), N_PRE)
    with pytest.raises(NotEnoughData, match="days before"):
        contrasts("synthetic_control", panel.outcome, np.arange(10) < 4, 1)
    with pytest.raises(BadInput, match="pairs"):
        contrasts("trimmed_match", panel.outcome, np.arange(10) < 4, N_PRE)
    with pytest.raises(NotEnoughData, match="pairs"):
        trimmed_match(np.ones(3), np.ones(3))


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 60))
def test_weights_are_optimal_whatever_the_size_of_the_donors(seed: int, n_donors: int, n_days: int) -> None:
    """The distance to the optimum is at most the duality gap, whoever's solver found it: here it is next to nothing."""
    rng = np.random.default_rng(seed)
    donors = rng.standard_normal((n_donors, n_days)) * 10.0 ** rng.uniform(-3.0, 3.0, (n_donors, 1))
    target = rng.standard_normal(n_days)
    donors, target = donors - donors.mean(axis=1, keepdims=True), target - target.mean()
    weights = simplex_weights(donors, target)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    gradient = 2.0 * donors @ (weights @ donors - target)
    gap = float(weights @ gradient - gradient.min())
    # Where the target is met exactly, what is left is the rounding of a sum of far larger donors.
    rounding = 4 * np.finfo(float).eps * float((weights @ np.abs(donors)).max() * np.abs(donors).max())
    assert gap <= 1e-9 * max(float(target @ target), float(((target - weights @ donors) ** 2).sum())) + rounding


@pytest.mark.parametrize(("n_geos", "n_pre"), [(2, 3), (3, 2), (5, 8)])
def test_the_augmented_mix_of_donors_that_do_not_differ_is_the_mix(n_geos: int, n_pre: int) -> None:
    outcome = np.tile(np.random.default_rng(1).standard_normal(n_pre + 2), (n_geos, 1))
    outcome[0] += np.random.default_rng(2).standard_normal(n_pre + 2)
    treated = np.arange(n_geos) == 0
    plain, augmented = (counterfactual(name, outcome, treated, n_pre) for name in ("synthetic_control", "augmented"))
    assert augmented.effect == pytest.approx(plain.effect)


def test_the_augmented_mix_needs_but_two_days() -> None:
    outcome = np.random.default_rng(3).standard_normal((4, 5))
    assert np.isfinite(counterfactual("augmented", outcome, np.arange(4) == 0, 2).effect).all()
