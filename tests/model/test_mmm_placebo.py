"""Placebo tests change the dates of measured weeks alone: weeks that were filled in make no signal out of noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.known_panels import varied_spend
from model.weekly_panels import panel_of
from weathervane.contracts.plan import MediaSignal
from weathervane.model.features.build import Panel
from weathervane.model.mmm import placebo
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


# Of 30 comparisons of noise one in 30 puts the real dates first: two of six panels would in one run of 60.
SEEDS = range(1, 7)
MOST_TOLD = 1


def test_months_taken_for_weeks_are_no_signal() -> None:
    found = [signal(noise(seed)) for seed in SEEDS]
    assert sum(each.told_from_zero for each in found) <= MOST_TOLD
    assert all(each.n_placebos == MONTHS.sum() - 7 for each in found)
    assert "cannot be told from none" in found[0].sentence


def test_weeks_without_an_outcome_are_not_moved_either() -> None:
    panels = [noise(seed) for seed in SEEDS]
    empty = [replace(each, outcome=np.where(each.outcome > 0, each.outcome, np.nan)) for each in panels]
    assert sum(signal(each).told_from_zero for each in empty) <= MOST_TOLD


def test_a_density_that_is_no_number_is_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([np.nan] + [1.0] * 99)
    monkeypatch.setattr(placebo, "_best", lambda *_: next(values))
    assert signal(noise(1)).p_value == 1.0
