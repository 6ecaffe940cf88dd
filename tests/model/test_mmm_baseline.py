"""The baseline beyond the data: a level stays where it got to, and what comes back every year comes back."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from model.known_panels import varied_spend
from model.weekly_panels import panel_of, weekly_panel
from weathervane.model.features.build import Panel
from weathervane.model.mmm.decomposition import joint_draws, predict
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.likelihood import LEARNT, SPREADS, prior_sd_of
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors

WEEKS, HIDDEN = 156, 13
SPIKES = (10, 23, 37)  # weeks of the year in which half as much again is sold


def drifting(seed: int) -> Panel:
    """One place whose level wanders by a fifth a year, with sharp weeks that come back, and two channels."""
    rng = np.random.default_rng([seed, 9])
    spend = varied_spend(2, 1, WEEKS, seed=seed)
    level = 1e5 * np.exp(np.cumsum(0.2 / np.sqrt(52) * rng.standard_normal(WEEKS)))
    week = np.array([start.isocalendar().week for start in panel_of(spend[0], spend, spend[0]).starts])
    shape = 0.9 + 0.5 * np.isin(week, SPIKES)
    media = 0.08 * (spend / spend.mean() / (1 + spend / spend.mean())).sum(axis=0)[0]
    outcome = level * (shape + media + 0.03 * rng.standard_normal(WEEKS))
    return panel_of(outcome[None], spend, np.zeros((1, WEEKS)))


def wape(actual: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.abs(actual - predicted).sum() / actual.sum())


@pytest.mark.slow
def test_unseen_weeks_of_a_drifting_level_are_told_better_than_by_either_floor() -> None:
    errors = []
    for seed in range(3):
        whole = drifting(seed)
        actual = whole.outcome[0, 0]
        outcome = whole.outcome.copy()
        outcome[:, :, -HIDDEN:] = np.nan
        fit = fit_media_mix(replace(whole, outcome=outcome), Priors(), seed=1)
        ours = np.mean(list(predict(fit, joint_draws(fit, seed=1, n_draws=50))), axis=0)[0]
        guesses = (
            ours[-HIDDEN:],
            actual[-HIDDEN - 52 : -52],
            np.full(HIDDEN, actual[-2 * HIDDEN : -HIDDEN].mean()),
        )
        errors.append([wape(actual[-HIDDEN:], guess) for guess in guesses])
    model, seasonal_naive, recent_mean = np.mean(errors, axis=0)
    assert model < 0.8 * min(seasonal_naive, recent_mean)


def test_the_level_stays_where_it_got_to_when_the_data_end() -> None:
    panel = weekly_panel(1, 150, (1.0,))
    design, data, _ = prepare(panel, Priors())
    steps = [i for i, name in enumerate(design.columns) if name.startswith("step ")]
    # Eight weeks a step, and each is over before the next begins: seen from its end, every step is a constant.
    assert len(steps) == 19
    moving = np.abs(np.diff(design.raw_baseline[0][:, steps], axis=0)) > 1e-9
    assert (moving.sum(axis=1) <= 1).all()
    assert (moving[:, :-1].sum(axis=0) == 8).all()
    # Its prior's spread is a year's walk, taken for the eight weeks of one step.
    common = jnp.array([1.0] * len(SPREADS)).at[list(SPREADS).index("walk")].set(0.5)
    sd = np.asarray(prior_sd_of(data, common))[steps]
    assert sd == pytest.approx(0.5 * np.sqrt(56 / 365.25))


def test_many_places_have_week_effects_instead_of_weeks_of_the_year() -> None:
    alone, together = prepare(weekly_panel(1, 110, (1.0,)), Priors()), prepare(weekly_panel(4, 110, (1.0,)), Priors())
    of_the_year = [sum(name.endswith("of the year") for name in design.columns) for design, *_ in (alone, together)]
    assert of_the_year == [52, 0]
    weeks = [int((np.asarray(data.learnt) == LEARNT.index("week")).sum()) for _, data, _ in (alone, together)]
    assert weeks == [0, 110]
    # Two years are needed for anything to have come back.
    short, *_ = prepare(weekly_panel(1, 90, (1.0,)), Priors())
    assert not any(name.endswith("of the year") for name in short.columns)
