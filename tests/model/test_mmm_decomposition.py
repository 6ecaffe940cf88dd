"""The outcome taken apart: it adds up, it is the model's own prediction, and it finds what was put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.known_panels import Known, known_panel, varied_spend
from weathervane.model.mmm.decomposition import Decomposition, contributions, decompose, joint_draws, predict
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.priors import Priors

WEEKS, GAP = 80, 10


@pytest.fixture(scope="module")
def known() -> Known:
    spend = varied_spend(2, 5, WEEKS, seed=3)
    return known_panel(spend, np.repeat([[1.0], [2.5]], WEEKS, axis=1), seed=3)


@pytest.fixture(scope="module")
def fit(known: Known) -> MediaMixFit:
    promotion = np.zeros_like(known.panel.promotion)
    promotion[0, 1, 30:34] = 0.2
    events = np.zeros((1, 5, WEEKS))
    events[0, :, 51] = 3.0
    outcome = known.panel.outcome.copy()
    outcome[0, 2, GAP] = np.nan
    panel = replace(known.panel, outcome=outcome, promotion=promotion, events=("summer sale",), event_days=events)
    return fit_media_mix(panel, Priors(), seed=1)


@pytest.fixture(scope="module")
def apart(fit: MediaMixFit) -> Decomposition:
    return decompose(fit, seed=1)


@pytest.mark.slow
def test_parts_add_up_to_the_prediction_in_every_draw(fit: MediaMixFit) -> None:
    draws = joint_draws(fit, seed=1, n_draws=20)
    for parts, predicted in zip(contributions(fit, draws), predict(fit, draws), strict=True):
        np.testing.assert_allclose(parts.sum(axis=0), predicted, rtol=1e-12)


@pytest.mark.slow
def test_the_fitted_outcome_is_the_observed_one_up_to_noise(fit: MediaMixFit, apart: Decomposition) -> None:
    middle = np.median(apart.fitted, axis=0)
    residual = (apart.observed - middle) / apart.observed
    assert np.abs(np.nanmean(residual)) < 0.005
    assert np.nanstd(residual) < 0.03 / np.sqrt(5) * 1.3  # the noise of the sum of five places


@pytest.mark.slow
def test_every_column_is_in_a_part_of_its_kind(apart: Decomposition) -> None:
    baseline = ("baseline", "weather", "promotions and price", "events", "week effects")
    assert apart.parts == (*baseline, "channel-0", "channel-1")
    promotion, events = (apart.mean[apart.parts.index(name)] for name in baseline[2:4])
    assert set(np.flatnonzero(np.abs(promotion).sum(axis=1))) == {1}
    assert set(np.flatnonzero(np.abs(events).sum(axis=0))) == {51}


@pytest.mark.slow
def test_what_channels_truly_caused_lies_in_its_interval(known: Known, apart: Decomposition) -> None:
    for c in range(2):
        k = apart.parts.index(f"channel-{c}")
        low, high = np.quantile(apart.totals[:, k].sum(axis=1), [0.05, 0.95])
        assert low < known.caused[c].sum() < high
        by_period = np.quantile(apart.totals[:, k], [0.05, 0.95], axis=0)
        truth = known.caused[c].sum(axis=0)
        assert ((by_period[0] < truth) & (truth < by_period[1])).mean() > 0.7


@pytest.mark.slow
def test_weather_counts_against_normal_weather(fit: MediaMixFit) -> None:
    columns = [i for i, name in enumerate(fit.design.columns) if name.split(" ")[0] in {"warm", "cold"}]
    raw = fit.design.raw_baseline.copy()
    raw[:, 7, columns] = 0.0  # a week of normal weather everywhere
    normal = replace(fit, design=replace(fit.design, raw_baseline=raw))
    apart = decompose(normal, seed=1, n_draws=5)
    assert (apart.totals[:, apart.parts.index("weather"), 7] == 0).all()


@pytest.mark.slow
def test_a_baseline_that_may_be_negative_is_flagged(fit: MediaMixFit, apart: Decomposition) -> None:
    starts = STARTS
    assert not apart.report(starts).flagged
    negative = np.zeros(WEEKS)
    negative[12] = 0.3
    report = replace(apart, negative=negative).report(starts)
    assert report.flagged
    assert "30 %" in report.sentence
    assert str(starts[12]) in report.sentence


STARTS = known_panel(varied_spend(1, 1, WEEKS), np.ones((1, WEEKS))).panel.starts


@pytest.mark.slow
def test_a_period_that_does_not_count_has_no_observation(apart: Decomposition) -> None:
    # A fifth of the outcome is more than the fit may stand in for.
    report = apart.report(STARTS)
    assert [i for i, value in enumerate(report.observed) if value is None] == [GAP]
    assert np.isfinite(report.fitted.p50).all()
