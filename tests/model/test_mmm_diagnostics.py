"""R-hat and effective sample size on chains whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weathervane.model.mmm import diagnostics


def ar1(rho: float, chains: int, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.zeros((chains, n))
    x[:, 0] = rng.standard_normal(chains)
    for i in range(1, n):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(chains)
    return x


def test_independent_chains_agree_and_count_in_full() -> None:
    draws = ar1(0.0, 4, 1000, 0)
    assert diagnostics.rhat(draws) < 1.005
    assert diagnostics.ess(draws) == pytest.approx(4000, rel=0.15)


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_autocorrelated_chains_count_for_less_as_theory_says(rho: float) -> None:
    draws = ar1(rho, 4, 4000, 1)
    assert diagnostics.ess(draws) == pytest.approx(16_000 * (1 - rho) / (1 + rho), rel=0.15)


def test_one_stuck_chain_and_one_wider_chain_are_both_seen() -> None:
    stuck, wider = ar1(0.0, 4, 300, 2), ar1(0.0, 4, 300, 3)
    stuck[0] += 1.0
    wider[0] *= 3.0
    assert diagnostics.rhat(stuck) > 1.05
    assert diagnostics.rhat(wider) > 1.01


def test_a_fit_is_shown_only_when_every_measure_of_agreement_holds() -> None:
    draws = np.moveaxis(np.stack([ar1(0.0, 4, 400, 4), ar1(0.0, 4, 400, 5)]), 0, -1)
    found = diagnostics.convergence(draws, 0, 1.0, "exact")
    assert found.agreed
    draws[0, :, 1] += 0.5
    found = diagnostics.convergence(draws, 0, 1.0, "exact")
    assert not found.agreed
    assert found.worst == 1
    assert not diagnostics.convergence(draws[:, :60, :1], 0, 1.0, "exact").agreed  # 240 draws are not 400


def test_smoothed_weights_are_kept_when_mild_and_reported_when_not() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal(4000)
    # Towards a slightly shifted normal the ratio is mild; towards a normal three times as wide it has no variance.
    mild, k_mild = diagnostics.smoothed_weights(0.3 * x)
    _, k_wild = diagnostics.smoothed_weights(0.5 * x**2 - 0.5 * (x / 3) ** 2)
    assert float(mild @ x) == pytest.approx(0.3, abs=0.06)
    assert mild.sum() == pytest.approx(1.0)
    assert k_mild < 0.5
    assert k_wild > 0.7
    rows = diagnostics.resampled(mild, rng)
    assert np.bincount(rows, minlength=4000).max() <= np.ceil(mild.max() * 4000) + 1


def block(rhat: float, ess: float, channel: str | None = "tv") -> diagnostics.Block:
    return diagnostics.Block("shapes", "half life days", channel, rhat, ess, ess)


SAID = diagnostics.Convergence("exact", 1.004, 700.0, 600.0, 0, 0, 0.9, blocks=(block(1.02, 500.0),), strict=True)


@pytest.mark.parametrize(
    ("found", "agreed", "says", "do"),
    [
        (SAID, True, "", ""),
        (replace(SAID, rhat_max=1.011), False, "what search caused", "search hardly varies"),
        (replace(SAID, blocks=(block(1.06, 500.0),)), False, "half life days of tv", "prior of half life days of tv"),
        (replace(SAID, blocks=(block(1.01, 150.0, None),)), False, "half life days is the", "fewer places"),
        (replace(SAID, divergences=1), False, "1 draws diverged", "half-saturation"),
        (replace(SAID, ebfmi=0.1), False, "E-BFMI 0.10", "varies least"),
        # What is not strict is judged by its returns alone.
        (replace(SAID, divergences=5, ebfmi=0.1, strict=False), True, "", ""),
    ],
)
def test_a_fit_in_doubt_says_which_parameter_why_and_what_to_do(
    found: diagnostics.Convergence, agreed: bool, says: str, do: str
) -> None:
    assert found.agreed is agreed
    doubts = found.doubts(("search", "tv"))
    assert bool(doubts) is not agreed
    assert says in "; ".join(each for each, _ in doubts)
    assert do in "; ".join(each for _, each in doubts)


def test_the_worst_of_a_block_is_named_and_constants_are_not_judged() -> None:
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4, 200, 3))
    draws[2, :, 1] += 3.0
    draws[:, :, 2] = 1.0
    labels = [("slope", "a"), ("slope", "b"), ("slope", "c")]
    worst = diagnostics.block_of("shapes", draws, labels)
    assert worst is not None
    assert (worst.channel, worst.agreed) == ("b", False)
    assert diagnostics.block_of("shapes", draws[:, :, 2:], labels[2:]) is None
