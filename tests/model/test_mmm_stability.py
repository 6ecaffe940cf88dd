"""Stability: quiet while nothing changes, loud when a return doubles in the last quarter."""

from __future__ import annotations

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.examination import Range
from weathervane.contracts.response import ResponseCurves
from weathervane.model.mmm import stability
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.stability import earlier_ends, rolling_stability

WEEKS = 64


def roi_of(doubles: bool) -> np.ndarray:
    roi = np.repeat([[1.5], [1.5]], WEEKS, axis=1)
    roi[0, -13:] *= 2 if doubles else 1
    return roi


@pytest.mark.slow
@pytest.mark.parametrize("doubles", [False, True])
def test_quiet_on_a_stable_panel_and_loud_when_a_return_doubles(doubles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stability, "ENDS", 3 if doubles else 2)
    panel = known_panel(varied_spend(2, 5, WEEKS, seed=4), roi_of(doubles), seed=4).panel
    fit = fit_media_mix(panel, Priors(), seed=1)
    found = rolling_stability(panel, Priors(), fit, 1, unit="USD")
    changed, same = found.channels
    assert found.ends[-1] == panel.through
    assert (found.ends[-1] - found.ends[0]).days == (56 if doubles else 28)
    assert (changed.stable, changed.drifted) == (not doubles, doubles)
    assert (same.stable, same.drifted) == (True, False)
    # Twice 1.5 is 1.5 more, shrunk a little towards no change.
    assert changed.lately.holds(1.3 if doubles else 0.0)
    assert ("in the last 13 weeks" in changed.sentence) is doubles
    assert ("channel-0" in found.sentence) is doubles
    assert found.regret.p05 <= found.regret.p95


def test_a_move_is_said_with_the_weeks_that_made_it() -> None:
    rng = np.random.default_rng(0)
    roi = [rng.normal(mean, 0.2, 500) for mean in (1.0, 1.02, 1.8)]
    one = stability._of_channel("tv", roi, rng.normal(0.0, 0.2, 500), ["2026-01-05", "2026-02-02"])
    assert (one.stable, one.drifted) == (False, False)
    assert "2026-02-02" in one.sentence
    assert one.moves[1] == pytest.approx(0.78 / 0.2, rel=0.15)
    assert one.overlap < 0.1


def test_regret_compares_two_beliefs_about_one_budget() -> None:
    budget = np.array([1000.0, 1000.0])[:, None] * np.linspace(0.0, 3.0, 31)
    recent = np.array([[1000.0, 1000.0]])

    def curves(first: float, second: float, spent: float) -> ResponseCurves:
        outcome = (np.array([first, second])[:, None] * budget)[None, ..., None] * np.ones(5)
        return ResponseCurves(
            "m", ("here",), ("a", "b"), budget[None], outcome, np.zeros_like(outcome), spent * recent, recent * 2
        )

    same = stability.split_regret(curves(2.0, 1.0, 1.6), curves(2.0, 1.0, 1.0))
    np.testing.assert_allclose(same, 0.0, atol=1e-9)
    # Belief turned round: 150 stand where each returns 1 less than it could, twice over.
    turned = stability.split_regret(curves(1.0, 2.0, 1.6), curves(2.0, 1.0, 1.0))
    np.testing.assert_allclose(turned, 300.0)


def test_overlap_is_of_the_shorter_interval() -> None:
    assert stability._overlap(Range(0, 1, 4), Range(1, 2, 3)) == 1.0
    assert stability._overlap(Range(0, 1, 2), Range(1, 2, 3)) == 0.5
    assert stability._overlap(Range(0, 1, 2), Range(3, 4, 5)) == 0.0


def test_too_short_a_history_has_no_earlier_end() -> None:
    panel = known_panel(varied_spend(1, 1, 28), np.ones((1, 28))).panel
    with pytest.raises(NotEnoughData, match="30 weeks"):
        earlier_ends(panel)
