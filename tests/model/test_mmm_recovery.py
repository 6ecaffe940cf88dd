"""Recovery on the user's own design: no for a channel that never varies, yes for a strong one."""

from __future__ import annotations

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from weathervane.contracts.examination import Recovery
from weathervane.model.mmm import recovery
from weathervane.model.mmm.decomposition import joint_draws
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.recovery import recover

WEEKS = 80


@pytest.fixture(scope="module")
def panel():
    spend = varied_spend(2, 4, WEEKS, seed=2)
    spend[1] = spend[1].mean(axis=1, keepdims=True)  # never varies
    made = known_panel(spend, np.repeat([[1.5], [1.0]], WEEKS, axis=1), seed=2).panel
    made.outcome[0, 1, 20:23] = np.nan
    return made


@pytest.fixture(scope="module")
def fit(panel) -> MediaMixFit:
    return fit_media_mix(panel, Priors(), seed=1)


@pytest.fixture(scope="module")
def found(panel, fit: MediaMixFit) -> Recovery:
    return recover(panel, Priors(), fit, seed=1, replications=3)


@pytest.mark.slow
def test_a_strong_channel_is_recovered_and_one_that_never_varies_is_not(found: Recovery) -> None:
    strong, constant = found.channels
    assert strong.recoverable
    assert strong.left < 0.4
    assert strong.covered >= 2
    assert abs(strong.bias) < 1.5
    assert not constant.recoverable
    assert constant.left > 0.6
    assert "channel-1" in found.sentence
    assert found.replications == 3


@pytest.mark.slow
def test_simulated_outcomes_are_the_users_own_with_new_noise(panel, fit: MediaMixFit) -> None:
    draws = joint_draws(fit, 1, 2)
    for again in recovery._simulated(panel, fit, draws, np.random.default_rng(0)):
        assert (np.isnan(again.outcome) == np.isnan(panel.outcome)).all()
        assert again.spend is panel.spend
        ratio = again.outcome / panel.outcome
        assert np.nanstd(ratio) == pytest.approx(0.03 * np.sqrt(2), rel=0.4)


def test_noise_has_the_correlation_and_spread_it_is_asked_for() -> None:
    noise = recovery._noise(np.random.default_rng(0), np.array([0.1, 0.2]), 0.6, 20_000)
    np.testing.assert_allclose(noise.std(axis=1), np.array([0.1, 0.2]) / 0.8, rtol=0.05)
    assert np.corrcoef(noise[0, 1:], noise[0, :-1])[0, 1] == pytest.approx(0.6, abs=0.03)
