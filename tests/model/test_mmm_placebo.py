"""Placebo tests change the dates of measured weeks alone: weeks that were filled in make no signal out of noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.known_panels import varied_spend
from model.weekly_panels import panel_of
from weathervane.contracts.plan import MediaSignal
from weathervane.model.features.build import Panel
from weathervane.model.mmm.placebo import media_signal
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors

WEEKS = 160
MONTHS = np.diff(np.arange(WEEKS + 1) * 7 // 30.4) > 0  # the weeks that hold a month's row


def noise(seed: int) -> Panel:
    """Spend and sales that know nothing of each other, in one week a month; in the others neither."""
    rng = np.random.default_rng(seed)
    spend = varied_spend(2, 1, WEEKS, seed=seed) * MONTHS
    outcome = 1e5 * (1 + 0.1 * rng.standard_normal((1, WEEKS))) * MONTHS
    return panel_of(outcome, spend, np.zeros((1, WEEKS)))


def signal(panel: Panel) -> MediaSignal:
    return media_signal(*prepare(panel, Priors()))


def test_months_taken_for_weeks_are_no_signal() -> None:
    found = signal(noise(1))
    assert not found.told_from_zero
    assert found.n_placebos == MONTHS.sum() - 7
    assert "cannot be told from none" in found.sentence


def test_weeks_without_an_outcome_are_not_moved_either() -> None:
    panel = noise(1)
    empty = np.where(panel.outcome > 0, panel.outcome, np.nan)
    assert not signal(replace(panel, outcome=empty)).told_from_zero
