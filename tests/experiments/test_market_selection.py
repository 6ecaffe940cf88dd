"""Market selection gives the published designs, and choosing the best of many is paid for."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest
from tests.experiments.designs import made_panel
from tests.experiments.published_panels import geolift

from weathervane.contracts.errors import BadInput, NotEnoughData, PlanImpossible
from weathervane.experiments.inference import paid_for
from weathervane.experiments.market_selection import (
    Search,
    candidate_sets,
    placebos_of_selection,
    power_curve,
    select_markets,
)
from weathervane.experiments.panel import Panel

WALKTHROUGH = Search(
    sizes=(2, 3, 4, 5),
    lengths=(10, 15),
    effects=(0.0, 0.05, 0.10, 0.15, 0.20),
    must_treat=("chicago",),
    must_not_treat=("honolulu",),
    cost_per_unit=7.5,
    budget=100_000,
)
# markets, days, effect, investment, mean effect, mean lift, scaled imbalance, bias, correlation, as published.
PUBLISHED = [
    ("chicago, cincinnati, houston, portland", 15, 0.05, 74118.38, 159.3627, 0.0482991, 0.1971864, 0.002, 0.9144814),
    ("chicago, portland", 15, 0.10, 64563.75, 290.0071, 0.1011732, 0.1738778, 0.001, 0.9321104),
    ("chicago, cincinnati, houston, portland", 10, 0.10, 99027.75, 316.6204, 0.0955288, 0.1966996, 0.004, 0.9144814),
    ("chicago, portland", 10, 0.10, 43646.25, 300.9401, 0.1037801, 0.1682310, 0.004, 0.9321104),
    ("chicago, houston, portland", 10, 0.10, 75389.25, 350.3141, 0.1050297, 0.2305628, 0.005, 0.9139549),
    ("chicago, cincinnati, houston, nashville, san diego", 15, 0.05, 95755.50, 146.7975, 0.0428222, 0.2699167, 0.007,
     0.8992280),
]  # fmt: skip


def test_the_walkthrough_selection() -> None:
    panel = geolift("geolift_pretest.csv")
    assert len(candidate_sets(panel, WALKTHROUGH)) * 2 * 5 == 330
    found = {(one.markets, one.n_days): one for one in select_markets(panel, WALKTHROUGH)}
    for markets, n_days, effect, *figures in PUBLISHED:
        one = found[tuple(markets.split(", ")), n_days]
        assert one.effect_rel == effect
        got = (one.investment, one.mean_effect, one.mean_lift_rel, one.imbalance_scaled, one.bias_rel, one.correlation)
        assert got == pytest.approx(figures, rel=1e-3)
    assert [found[tuple(row[0].split(", ")), row[1]].rank for row in PUBLISHED] == [1, 1, 3, 3, 5, 6]


def test_the_walkthrough_power_curve() -> None:
    panel = geolift("geolift_pretest.csv")
    effects = (0.0, 0.03, 0.05, 0.08, 0.10, -0.05, -0.10)
    curve = power_curve(panel, ("chicago", "portland"), 15, Search((2,), (15,), effects, n_windows=7))
    assert curve.power == pytest.approx([0.0, 0.0, 6 / 7, 1.0, 1.0, 0.0, 1.0], abs=1e-9)
    assert curve.mean_lift_rel[0] == pytest.approx(0.0044, abs=5e-5)


def test_shuffled_geos_change_nothing_and_lists_are_kept() -> None:
    panel = made_panel(10, n_days=80)
    search = Search((2, 3), (10,), (0.0, 0.1, 0.2), must_treat=("geo-001",), must_not_treat=("geo-003",))
    sets = candidate_sets(panel, search)
    assert all("geo-001" in markets and "geo-003" not in markets for markets in sets)
    renamed = Panel(panel.geos, panel.days, panel.outcome[::-1].copy())
    again = candidate_sets(renamed, Search((2, 3), (10,), (0.0,), must_treat=("geo-008",), must_not_treat=("geo-006",)))
    turned = {tuple(sorted(f"geo-{9 - int(geo[-3:]):03d}" for geo in markets)) for markets in again}
    assert turned == set(sets)
    with pytest.raises(BadInput, match="No data for"):
        candidate_sets(panel, Search((2,), (10,), (0.1,), must_treat=("paris",)))
    with pytest.raises(PlanImpossible, match="larger sets"):
        candidate_sets(panel, Search((1,), (10,), (0.1,), must_treat=("geo-001", "geo-002")))


def test_a_budget_nobody_can_meet_leaves_nothing() -> None:
    assert select_markets(made_panel(8, n_days=60), Search((2,), (10,), (0.0, 0.2), budget=0.0)) == ()


@pytest.mark.slow
def test_choosing_the_best_of_many_is_paid_for() -> None:
    """Where nothing happens, the p-value held against repeated selections is small as rarely as it says."""
    search = Search((2, 3), (7,), (0.0,))
    adjusted: list[float] = []
    for seed in range(60):
        panel = made_panel(8, n_days=110, seed=seed)
        past = Panel(panel.geos, panel.days[:-7], panel.outcome[:, :-7])
        placebos = placebos_of_selection(past, 7, search)
        own = placebos_of_selection(panel, 7, search).p_values[-1, 0]
        adjusted.append(float(paid_for(own, placebos.p_values[:, 0])))
    for alpha in (0.1, 0.5):
        assert binomtest(sum(p <= alpha for p in adjusted), 60, alpha).pvalue > 0.001


def test_too_short_a_history_cannot_repeat_the_selection() -> None:
    with pytest.raises(NotEnoughData, match="longer history"):
        placebos_of_selection(made_panel(8, n_days=30), 14, Search((2,), (14,), (0.0,)))
