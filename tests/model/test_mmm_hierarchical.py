"""The fit as a whole: recovery, honesty about nothing, curves that agree with it, and its refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.panels import simulate

from model.weekly_panels import weekly_panel
from weathervane.contracts.errors import ModelFailed, NotEnoughData
from weathervane.model.mmm import diagnostics
from weathervane.model.mmm.curves import response_curves, shape_draws
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.placebo import media_signal
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

ROI = (0.8, 2.5)
PANEL = weekly_panel(8, 90, ROI, seed=11, modulation=0.3)


@pytest.fixture(scope="module")
def fit() -> MediaMixFit:
    return fit_media_mix(PANEL, Priors(), seed=1)


@pytest.mark.slow
def test_known_effects_lie_in_their_intervals_and_intervals_are_not_vacuous(fit: MediaMixFit) -> None:
    for c, truth in enumerate(ROI):
        low, high = np.quantile(fit.roi[:, c], [0.025, 0.975])
        assert low < truth < high
        assert high - low < 2.5
    assert fit.convergence.agreed
    # The world's modulation is 0.3 for both channels; the prior is centred at none.
    assert np.quantile(fit.modulation, 0.05) < 0.3
    assert fit.modulation.mean() > 0.05


@pytest.mark.slow
def test_curves_start_at_nothing_and_agree_with_the_fit_they_come_from(fit: MediaMixFit) -> None:
    curves = response_curves(fit, "m")
    assert (curves.outcome[:, :, 0] == 0).all()
    assert (np.diff(curves.budget, axis=2) > 0).all()
    g, c = 2, 1
    recent = curves.at(curves.geos[g], curves.channels[c], np.array([curves.spend_recent[g, c]]))[0]
    steady = PANEL.spend[c, g, -4:].mean()
    assert curves.spend_recent[g, c] == pytest.approx(steady)
    assert curves.spend_max[g, c] == pytest.approx(PANEL.spend[c, g].max())
    assert curves.carry_over is not None
    # Half of a geometric carry-over has come by its half-life.
    come, half_life = curves.carry_over.cumsum(axis=1), shape_draws(fit).half_life_days[:, c]
    assert curves.carry_over.sum(axis=1) == pytest.approx(np.ones(curves.carry_over.shape[::2]))
    half_day = (come[c] >= 0.5).argmax(axis=0) + 1
    assert np.median(half_day) == pytest.approx(np.median(half_life), abs=1.5)
    # Near its usual spend a place's average return is near its ROI.
    assert np.median(recent) / steady == pytest.approx(np.median(fit.effect_by_geo[:, g, c]), rel=0.4)


@pytest.mark.slow
def test_a_real_effect_stands_out_of_every_placebo(fit: MediaMixFit) -> None:
    signal = media_signal(fit.design, fit.data, fit.form)
    assert signal.told_from_zero
    assert signal.p_value == pytest.approx(1 / (signal.n_placebos + 1))


@pytest.mark.slow
def test_same_seed_same_numbers(fit: MediaMixFit) -> None:
    again = fit_media_mix(PANEL, Priors(), seed=1)
    assert (again.roi == fit.roi).all()
    assert (again.coordinates == fit.coordinates).all()


@pytest.mark.slow
def test_without_an_effect_zero_is_held_and_placebos_do_as_well() -> None:
    p_values, held = [], 0
    for seed in range(4):
        empty = fit_media_mix(weekly_panel(6, 70, (0.0, 0.0), seed=20 + seed), Priors(), seed)
        p_values.append(media_signal(empty.design, empty.data, empty.form).p_value)
        low, high = np.quantile(empty.roi, [0.025, 0.975], axis=0)
        held += int(((low < 0) & (high > 0)).sum())
    assert held >= 7  # of 8 at 95 %
    assert np.mean(p_values) > 0.2


@pytest.mark.slow
def test_units_do_not_matter(fit: MediaMixFit) -> None:
    cents = replace(PANEL, outcome=100 * PANEL.outcome, spend=100 * PANEL.spend)
    scaled = fit_media_mix(cents, Priors(), seed=1)
    assert np.median(scaled.roi, axis=0) == pytest.approx(np.median(fit.roi, axis=0), rel=0.03)


def test_too_little_to_measure_is_said_before_anything_is_fitted() -> None:
    with pytest.raises(NotEnoughData, match="25 whole weeks"):
        fit_media_mix(weekly_panel(2, 25, (1.0,)), Priors(), 0)
    with pytest.raises(NotEnoughData, match="no ad spend"):
        fit_media_mix(replace(PANEL, channels=(), spend=PANEL.spend[:0]), Priors(), 0)


@pytest.mark.slow
def test_by_day_with_other_families_and_a_channel_that_costs_nothing() -> None:
    simulated = simulate(6, 300, 3, 1, seed=2)
    panel = simulated.panel
    priors = Priors(
        channels={
            "channel-00": ChannelPriors(carry_over="delayed", saturation="exponent"),
            "channel-01": ChannelPriors(carry_over="binomial", saturation="logistic", marginal_roi=Normal(1.0, 1.0)),
            "channel-02": ChannelPriors(contribution_share=Normal(0.05, 0.1)),
        }
    )
    fit = fit_media_mix(panel, priors, seed=3)
    low, high = np.quantile(fit.contribution_share, [0.005, 0.995], axis=0)
    assert (low < simulated.share).all()
    assert (simulated.share < high).all()


@pytest.mark.slow
def test_what_ads_bought_tells_more_than_what_was_paid_where_prices_move() -> None:
    panel = weekly_panel(6, 90, ROI, seed=4)
    price = np.exp(np.random.default_rng(2).normal(0.0, 0.8, panel.spend.shape))
    # What was bought did what it did; what was paid for it is another matter, and as much in all.
    paid = panel.spend * price
    paid *= (panel.spend.sum(axis=(1, 2)) / paid.sum(axis=(1, 2)))[:, None, None]
    made = replace(panel, spend=paid, exposure={"clicks": panel.spend})
    by_spend = fit_media_mix(made, Priors(), seed=1)
    by_clicks = fit_media_mix(made, Priors(default=ChannelPriors(exposure="clicks")), seed=1)
    errors = [np.abs(np.median(fit.roi, axis=0) - ROI).sum() for fit in (by_clicks, by_spend)]
    low, high = np.quantile(by_clicks.roi, [0.025, 0.975], axis=0)
    assert (low < ROI).all()
    assert (high > ROI).all()
    assert errors[0] < 0.7 * errors[1]
    curves = response_curves(by_clicks, "m")
    assert curves.spend_recent.sum() == pytest.approx(made.spend[:, :, -4:].sum() / 4)


def test_chains_that_do_not_agree_are_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "ESS_MIN", 1e9)
    monkeypatch.setattr("weathervane.model.mmm.hierarchical.DRAWS", 20)
    with pytest.raises(ModelFailed, match="did not converge"):
        fit_media_mix(weekly_panel(2, 40, (1.0,)), Priors(), 0)
