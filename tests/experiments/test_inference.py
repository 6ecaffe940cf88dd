"""p-values and their inversion: exact against brute force, never at odds, right as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiments.made_tests import assignment_set

from weathervane.contracts.errors import BadInput
from weathervane.experiments.inference import (
    block_p_values,
    distinct_assignments,
    placebo_normal,
    randomisation,
    randomisation_p_values,
    search,
    student_t,
)

seeds = st.integers(0, 2**32 - 1)
alphas = st.sampled_from([0.05, 0.1, 0.2, 0.35])


def raw_p(effects: np.ndarray, responses: np.ndarray, theta: float) -> float:
    size = np.abs(effects - theta * responses)
    return float((size >= size[0] - 1e-12).mean())


@given(seeds, st.integers(2, 60), alphas, st.booleans())
def test_randomisation_interval_is_the_hull_of_what_is_not_rejected(
    seed: int, n: int, alpha: float, tame: bool
) -> None:
    rng = np.random.default_rng(seed)
    effects = rng.normal(0.5, 1.0, n)
    responses = np.concatenate([[1.0], rng.uniform(-0.9, 0.9, n - 1) if tame else rng.normal(0.0, 1.0, n - 1)])
    found = randomisation(effects, responses, alpha)
    assert (found.p_value <= alpha) == (found.low > 0.0 or found.high < 0.0)
    grid = np.concatenate([np.linspace(-50, 50, 401), found.estimate + np.linspace(-3, 3, 301)])
    accepted = np.array([raw_p(effects, responses, theta) > alpha + 1e-12 for theta in grid])
    assert found.low - 1e-9 <= grid[accepted].min(initial=found.estimate)
    assert found.high + 1e-9 >= grid[accepted].max(initial=found.estimate)
    for end, outward in ((found.low, -1.0), (found.high, 1.0)):
        if np.isfinite(end):
            assert raw_p(effects, responses, end) > alpha or end == found.estimate
            assert raw_p(effects, responses, end + outward * 1e-6) <= alpha + 1e-12
    if tame:  # no assignment feels the effect as much as the real one: the p shown is the plain one
        assert found.p_value == pytest.approx(raw_p(effects, responses, 0.0))
    else:
        assert found.p_value >= raw_p(effects, responses, 0.0) - 1e-12


@given(seeds)
def test_injected_effects_at_once_are_those_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    effects, responses = rng.normal(0.0, 1.0, (3, 40)), rng.normal(0.0, 1.0, (3, 40))
    responses[:, 0] = 1.5
    injected = np.array([-2.0, 0.0, 0.1, 1.0, 30.0])
    found = randomisation_p_values(effects, responses, injected)
    for w in range(3):
        for j, more in enumerate(injected):
            alone = randomisation(effects[w] + more * responses[w], responses[w], 0.1)
            assert found[w, j] == pytest.approx(alone.p_value)


def test_a_mirrored_assignment_always_ties_and_sets_the_floor() -> None:
    found = randomisation(np.array([3.0, -3.0, 0.2, 0.1]), np.array([1.0, -1.0, 0.1, 0.0]), 0.05)
    assert found.p_floor == 0.5
    assert found.p_value == 0.5
    assert found.low == -np.inf
    assert found.high == np.inf


def test_assignments_are_counted_once_with_the_observed_first() -> None:
    drawn = assignment_set(n=50)
    observed = drawn[7]
    found = distinct_assignments(observed, np.vstack([drawn, drawn]))
    assert (found[0] == observed).all()
    assert len(found) == len({row.tobytes() for row in drawn})
    with pytest.raises(BadInput, match="shape"):
        distinct_assignments(observed, drawn[:, :-1])


@given(seeds, st.integers(2, 12), alphas)
def test_block_test_and_its_search_never_contradict(seed: int, length: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    series = rng.normal(0.0, 1.0, 48)
    pattern = np.where(np.arange(48) >= 48 - length, 1.0, 0.0)
    series = series + pattern * rng.normal(0.0, 2.0)

    def p_values(thetas: np.ndarray) -> np.ndarray:
        shifted = series - thetas[:, None] * pattern
        return block_p_values(shifted - shifted.mean(axis=1, keepdims=True), 48 - length)

    found = search("block_conformal", p_values, float(series[-length:].mean()), 0.2, alpha, 1 / 48)
    assert (found.p_value <= alpha) == (found.low > 0.0 or found.high < 0.0)
    for end in (found.low, found.high):
        if np.isfinite(end):
            assert float(p_values(np.array([end]))[0]) > alpha


def test_block_p_value_counts_circular_windows() -> None:
    residuals = np.array([[1.0, -1.0, 0.5, 0.0, 3.0, 3.0]])
    sums = [abs(np.roll(residuals[0], -shift)[4:].sum()) for shift in range(6)]
    assert block_p_values(residuals, 4)[0] == np.mean(np.array(sums) >= 6.0)
    scattered = np.array([[1.0, 1.0, 1.0, 1.0, 4.0, -4.0]])
    assert block_p_values(scattered, 4, "absolute")[0] < block_p_values(scattered, 4)[0]


@given(st.floats(-5, 5), st.floats(0.1, 3), alphas)
def test_distributional_tests_never_contradict(location: float, scale: float, alpha: float) -> None:
    placebos = np.random.default_rng(0).normal(0.0, scale, 50)
    for found in (student_t(location, scale, 12, alpha), placebo_normal(location, placebos, alpha)):
        assert (found.p_value <= alpha) == (found.low > 0.0 or found.high < 0.0)


def test_a_test_that_rejects_every_effect_claims_nothing() -> None:
    found = search("block_conformal", lambda thetas: np.zeros(len(thetas)), 1.0, 0.5, 0.1, 0.01)
    assert (found.p_value, found.low, found.high) == (1.0, -np.inf, np.inf)


def test_randomisation_keeps_its_error_rate() -> None:
    rng = np.random.default_rng(5)
    masks = assignment_set(12, 6, 99)
    rejected = 0
    for _ in range(2000):
        means = rng.standard_t(3, 12)
        truth = masks[rng.permutation(len(masks))]
        effects = np.where(truth, 1 / 6, -1 / 6) @ means
        responses = np.where(truth, 1 / 6, -1 / 6) @ truth[0]
        rejected += randomisation(effects, responses, 0.1).p_value <= 0.1
    assert 0.08 < rejected / 2000 < 0.115
