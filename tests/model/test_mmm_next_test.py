"""Which channel to test next: the split behind it is the best there is, and the uncertain big channel comes first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from weathervane.contracts.response import ResponseCurves
from weathervane.model.mmm.next_test import next_tests
from weathervane.model.mmm.reallocation import best_budget, best_split, pieces, regret


def straight_curves(
    spend: list[float], roi_mean: list[float], roi_sd: list[float], n_draws: int = 400
) -> ResponseCurves:
    """One place, outcome nearly proportional to budget: return × budget^0.9, returns independent between channels."""
    rng = np.random.default_rng(0)
    c = len(spend)
    budget = np.array(spend)[:, None] * np.linspace(0.0, 2.0, 41)
    roi = np.array(roi_mean)[:, None] + np.array(roi_sd)[:, None] * rng.standard_normal((c, n_draws))
    now = np.array(spend)[:, None]
    outcome = (now * (budget / now) ** 0.9)[..., None] * roi[:, None, :]
    return ResponseCurves(
        model_id="m",
        geos=("here",),
        channels=tuple(f"channel-{i}" for i in range(c)),
        budget=budget[None],
        outcome=outcome[None],
        outcome_per_z=np.zeros_like(outcome[None]),
        spend_recent=np.array([spend]),
        spend_max=np.array([spend]),
    )


def test_the_uncertain_big_channel_is_tested_first() -> None:
    curves = straight_curves([100.0, 1000.0, 1000.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.1])
    first, *rest = next_tests(curves, np.full(3, 0.2), unit="USD")
    assert first.channel == "channel-1"
    assert first.sentence.startswith("The next test should be of channel-1")
    assert all(first.value > 2 * each.value for each in rest)


def test_no_test_is_worth_more_than_knowing_and_a_vague_one_is_worth_nothing() -> None:
    curves = straight_curves([500.0, 800.0, 300.0], [1.0, 1.1, 0.9], [0.6, 0.4, 0.8])
    for each in next_tests(curves, np.full(3, 0.3), unit="USD"):
        assert 0 <= each.value <= each.perfect * (1 + 1e-9)
    vague = next_tests(curves, np.full(3, 1e6), unit="USD")
    assert all(each.value < 1e-6 for each in vague)
    assert "hardly change the split" in vague[0].sentence


def test_knowing_exactly_is_worth_what_two_channels_say_it_is() -> None:
    # Two channels of one size: with the first known to return r, the split gains 0.15 × spend × |r − 1| × slope.
    curves = straight_curves([1000.0, 1000.0], [1.0, 1.0], [0.5, 1e-9], n_draws=4000)
    found = pieces(curves)
    slope = (found.up + found.down)[:, 1].mean() / 300.0
    (first, *_) = next_tests(curves, np.full(2, 1e-9), unit="USD")
    expected = 150.0 * 0.5 * np.sqrt(2 / np.pi) * slope  # E|N(0, 0.5)|
    assert first.perfect == pytest.approx(expected, rel=0.08)
    assert first.value == pytest.approx(first.perfect, rel=1e-3)


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_the_split_is_the_linear_programmes(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    spend = rng.uniform(1, 100, n)
    down = spend * rng.uniform(-0.1, 0.5, n)
    up = np.minimum(down, spend * rng.uniform(-0.2, 0.5, n))
    split = best_split(down, up, spend, 0.15)
    assert split.change @ spend == pytest.approx(0.0, abs=1e-9 * spend.sum())
    assert np.abs(split.change).max() <= 0.15 + 1e-12
    # Parts of each piece, the total held: the first piece of a channel is never worth less than its second.
    best = linprog(-np.concatenate([down, up]), A_eq=[np.tile(spend, 2)], b_eq=[spend.sum()], bounds=[(0, 1)] * (2 * n))
    assert split.gain == pytest.approx(-best.fun - down.sum(), abs=1e-7 * spend.sum())


def test_keeping_the_best_split_is_no_regret_and_keeping_the_old_one_is() -> None:
    curves = straight_curves([1000.0, 1000.0], [2.0, 0.5], [0.1, 0.1])
    best = best_budget(curves)
    np.testing.assert_allclose(best, [[1150.0, 850.0]])
    assert (regret(curves, best, best) == 0).all()
    assert regret(curves, curves.spend_recent, best).mean() == pytest.approx(150 * 1.5 * 0.9, rel=0.05)
