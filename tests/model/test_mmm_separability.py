"""Channels that cannot be told apart are said to be so, and those that can are not."""

from __future__ import annotations

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from weathervane.contracts.examination import Pair
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.holdout import holdout_sd
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.separability import correlations, pairs

WEEKS, ROI = 80, (1.0, 1.5, 2.0)


@pytest.fixture(scope="module")
def fit() -> MediaMixFit:
    spend = varied_spend(3, 5, WEEKS, seed=1)
    spend[1] = spend[0] * np.exp(np.random.default_rng(1).normal(0.0, 0.04, spend[0].shape))
    assert np.corrcoef(spend[0].ravel(), spend[1].ravel())[0, 1] == pytest.approx(0.998, abs=0.001)
    return fit_media_mix(known_panel(spend, np.repeat(np.array(ROI)[:, None], WEEKS, axis=1)).panel, Priors(), seed=1)


@pytest.fixture(scope="module")
def found(fit: MediaMixFit) -> tuple[Pair, ...]:
    return pairs(fit)


@pytest.mark.slow
def test_two_channels_that_move_together_are_flagged_and_independent_ones_are_not(found: tuple[Pair, ...]) -> None:
    assert [(pair.first, pair.second, pair.told_apart) for pair in found[:1]] == [("channel-0", "channel-1", False)]
    assert all(pair.told_apart for pair in found[1:])
    assert all(pair.correlation is not None and abs(pair.correlation) < 0.3 for pair in found[1:])


@pytest.mark.slow
def test_their_joint_return_is_known_better_than_either(fit: MediaMixFit, found: tuple[Pair, ...]) -> None:
    joint = found[0].joint_roi
    assert joint is not None
    assert joint.holds((ROI[0] + ROI[1]) / 2)
    alone = [np.subtract(*np.quantile(fit.roi[:, c], [0.95, 0.05])) for c in (0, 1)]
    assert joint.p95 - joint.p05 < 0.8 * min(alone)


@pytest.mark.slow
def test_the_sentence_names_the_test_that_separates_them(fit: MediaMixFit, found: tuple[Pair, ...]) -> None:
    sentence = found[0].sentence
    assert "cannot be told apart" in sentence
    assert "half of the places for " in sentence
    weeks = int(sentence.split(" weeks")[0].split()[-1])
    assert holdout_sd(fit, weeks)[:2].min() <= fit.roi[:, :2].std(axis=0).max() / 2


@pytest.mark.slow
def test_correlations_are_symmetric_with_ones(fit: MediaMixFit) -> None:
    rows = np.array(correlations(fit).rows)
    np.testing.assert_allclose(rows, rows.T)
    np.testing.assert_allclose(np.diag(rows), 1.0)


@pytest.mark.slow
def test_a_longer_test_measures_better_and_a_free_channel_cannot_be_stopped(fit: MediaMixFit) -> None:
    assert (holdout_sd(fit, 8) < holdout_sd(fit, 4)).all()
    np.testing.assert_allclose(holdout_sd(fit, 4) / holdout_sd(fit, 16), 2.0)
