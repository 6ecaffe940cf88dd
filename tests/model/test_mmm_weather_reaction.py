"""Spend that follows the weather is seen, spend that does not is left in peace, for one place and for many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.panels import simulate

from weathervane.model.features.build import Panel
from weathervane.model.mmm.weather_reaction import weather_reactions, without_weather

QUIET = simulate(8, 104, 2, 7, seed=4).panel


def reacting(by: float) -> Panel:
    """The panel with channel 1 spending more when it is cold."""
    spend = QUIET.spend.copy()
    spend[1] = spend[1] * np.exp(-by * QUIET.z)
    return replace(QUIET, spend=spend)


def test_spend_that_follows_the_weather_is_seen_with_how_much() -> None:
    calm, moved = weather_reactions(reacting(0.5))
    assert not calm.reacts
    assert moved.reacts
    assert moved.share > 0.1
    assert moved.p_value <= 0.05
    assert "moves with the weather" in moved.sentence


def test_spend_that_does_not_is_rarely_said_to() -> None:
    found = [each.reacts for seed in range(12) for each in weather_reactions(simulate(6, 80, 2, 7, seed=seed).panel)]
    assert sum(found) <= 3  # of 24 at one in twenty, and two per cent of variation asked for besides


def test_one_place_is_read_after_its_season() -> None:
    national = simulate(1, 156, 1, 7, seed=3).panel
    season = np.cos(2 * np.pi * np.arange(156) / 52.18)[None]
    # Spend and weather with the same season and nothing else in common.
    seasonal = replace(
        national,
        spend=national.spend * np.exp(season),
        z=national.z + season,
        weather=np.stack([np.maximum(national.z + season, 0), np.maximum(-national.z - season, 0), 0 * national.z]),
    )
    assert not weather_reactions(seasonal)[0].reacts
    moved = replace(seasonal, spend=seasonal.spend * np.exp(-0.6 * national.z))
    assert weather_reactions(moved)[0].reacts


def test_places_in_another_order_change_nothing_and_no_weather_is_no_reading() -> None:
    order = np.random.default_rng(0).permutation(8)
    moved = reacting(0.3)
    shuffled = replace(
        moved,
        geos=tuple(moved.geos[i] for i in order),
        spend=moved.spend[:, order],
        z=moved.z[order],
        weather=moved.weather[:, order],
    )
    for one, other in zip(weather_reactions(moved), weather_reactions(shuffled), strict=True):
        assert one.share == pytest.approx(other.share, abs=1e-9)
        assert one.p_value == other.p_value
    assert weather_reactions(without_weather(QUIET)) == ()
