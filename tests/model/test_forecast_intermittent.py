"""Series that sell on few days: ranges begin at zero, hold as often as they say, and sums are of means."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model.small_tables import panel_of
from weathervane.contracts.forecast import LEVELS
from weathervane.model.features.build import Panel
from weathervane.model.forecast.intermittent import hurdle

Floats = NDArray[np.float64]
HORIZON = 14


def seldom(chance: float, seed: int, n: int = 400, g: int = 20, *, by_weekday: bool = False) -> Panel:
    draw = np.random.default_rng(seed)
    day = np.arange(n + HORIZON) % 7
    odds = np.where(day < 5, 0.2, 3.0) if by_weekday else np.ones(n + HORIZON)
    sold = draw.uniform(size=(1, g, n + HORIZON)) < np.minimum(chance * odds, 1.0)
    return panel_of(sold * 100.0 * np.exp(0.5 * draw.standard_normal((1, g, n + HORIZON))), HORIZON)


def future_of(panel: Panel) -> tuple[Panel, Floats]:
    """The panel a horizon earlier, and what came."""
    n = panel.n_past - HORIZON
    return panel.cut(n, HORIZON), panel.outcome[:, :, n : n + HORIZON]


def held(quantiles: Floats, actual: Floats) -> float:
    """Share of what came between p10 and p90, a value at several quantiles being spread over the levels between."""
    level = np.array([0.0, *LEVELS, 1.0])[:, None]
    under = (quantiles < actual).sum(axis=0).ravel()
    equal = (quantiles <= actual).sum(axis=0).ravel()
    low, high = level[under, 0], level[np.maximum(equal, under + 1), 0]
    return float(((np.minimum(high, 0.9) - np.maximum(low, 0.1)).clip(0) / (high - low)).mean())


@pytest.mark.parametrize("chance", [0.12, 0.3, 0.4])
@pytest.mark.parametrize("by_weekday", [False, True])
def test_ranges_of_intermittent_series_hold_what_they_promise(chance: float, by_weekday: bool) -> None:
    shares = []
    for seed in range(24):
        panel, actual = future_of(seldom(chance, seed, by_weekday=by_weekday))
        made = hurdle(panel)
        told = made.told[0]
        if told.any():
            shares.append(held(made.quantiles[:, 0][:, told], actual[0][told]))
    assert np.mean(shares) == pytest.approx(0.8, abs=0.04)


def test_a_place_open_one_day_in_eight_has_ranges_that_begin_at_zero() -> None:
    panel, _ = future_of(seldom(0.12, 1))
    made = hurdle(panel)
    assert (made.quantiles[LEVELS.index(0.1)] == 0).all()
    assert (made.quantiles[LEVELS.index(0.5)] == 0).all()
    assert made.quantiles.max() <= panel.outcome[..., : panel.n_past].max()


def test_sums_are_of_means_and_means_are_right_on_average() -> None:
    pairs = [
        (hurdle(panel).mean.sum(), actual.sum()) for panel, actual in (future_of(seldom(0.2, s)) for s in range(12))
    ]
    made, came = np.sum(pairs, axis=0)
    assert made == pytest.approx(came, rel=0.08)


def test_a_series_that_sells_every_day_has_no_hurdle_forecast() -> None:
    panel, _ = future_of(seldom(1.0, 1))
    assert not hurdle(panel).told.any()
