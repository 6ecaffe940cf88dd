"""Assignments: constraints hold in every member of the set, every geo has the same chance, and its test is exact."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.experiments.designs import GO_DARK, HALF, drafted, made_panel

from weathervane.contracts.errors import BadInput, NotEnoughData, PlanImpossible, StateUnusable
from weathervane.contracts.experiment_design import Cell, Constraints
from weathervane.experiments.assign import (
    assignment_arms,
    assignment_set,
    cell_geos,
    chosen_arms,
    digest,
    draw_set,
    random_arms,
    rule_of,
)
from weathervane.experiments.balance import imbalance
from weathervane.experiments.panel import Panel

TWO_CELLS = (Cell("cell_1", "go_dark", "meta", 0.25), Cell("cell_2", "heavy_up", "meta", 0.25))


def test_the_set_is_drawn_again_from_the_frozen_design() -> None:
    design = drafted(made_panel(24))
    found = assignment_set(design)
    assert found.shape == (design.n_assignments, 24)
    assert len(np.unique(found, axis=0)) == len(found)
    assert tuple(np.array(design.geos)[found[0]]) == design.treated_geos
    assert design.p_floor == 1 / len(found)
    with pytest.raises(StateUnusable, match="cannot be drawn again"):
        assignment_arms(replace(design, seed=2))
    with pytest.raises(StateUnusable, match="cannot be drawn again"):
        assignment_arms(replace(design, max_assignments=design.n_assignments - 1))


def test_another_seed_gives_another_assignment_and_the_same_seed_the_same() -> None:
    panel = made_panel(24)
    assert drafted(panel, seed=1) == drafted(panel, seed=1)
    assert len({drafted(panel, seed=seed).treated_geos for seed in range(6)}) > 3


def test_drawing_in_parts_is_drawing_at_once() -> None:
    rule = rule_of(drafted(made_panel(20)))
    few, many = np.concatenate(list(random_arms(rule, 3, 100))), np.concatenate(list(random_arms(rule, 3, 5_000)))
    assert np.array_equal(few, many[:100])


def test_every_member_keeps_the_balance_rule() -> None:
    for statistic in ("max_abs_smd", "mahalanobis"):
        design = drafted(made_panel(30), balance_statistic=statistic)
        rule = rule_of(design)
        worst = imbalance(assignment_arms(design), rule.values, 1, design.balance_rule.statistic)
        assert design.balance_rule.threshold is not None
        assert worst.max() <= design.balance_rule.threshold
        free = imbalance(
            np.concatenate(list(random_arms(rule, 9, 2_000))), rule.values, 1, design.balance_rule.statistic
        )
        assert np.quantile(free, 0.25) > design.balance_rule.threshold


def test_a_given_threshold_is_kept_or_refused() -> None:
    panel = made_panel(20)
    assert max(abs(v) for v in drafted(panel, balance_threshold=0.6).balance.values()) <= 0.6
    with pytest.raises(PlanImpossible, match="the best reached"):
        drafted(panel, balance_threshold=1e-6)


@settings(max_examples=25)
@given(st.data())
def test_constraints_hold_in_every_member(data: st.DataObject) -> None:
    panel = made_panel(24, seed=data.draw(st.integers(0, 50)))
    names = data.draw(st.permutations(panel.geos))
    cells = data.draw(st.sampled_from((GO_DARK, HALF, TWO_CELLS)))
    treat, keep, drop = names[:1], names[1:3], names[3:5]
    near = ((names[5], names[6]), (names[6], names[7]), (names[8], names[9]))
    handling = data.draw(st.sampled_from(("merge", "drop")))
    limits = Constraints(
        must_treat=dict.fromkeys(treat, "cell_1"),
        must_not_treat=tuple(keep),
        exclude=tuple(drop),
        neighbours=near,
        buffer=handling,
        max_revenue_at_risk=0.65,
    )
    design = drafted(panel, cells, seed=data.draw(st.integers(0, 99)), constraints=limits)
    at = {geo: i for i, geo in enumerate(design.geos)}
    arms = assignment_arms(design)
    assert (arms[:, at[treat[0]]] == 1).all()
    assert (arms[:, [at[geo] for geo in keep]] == 0).all()
    assert set(drop) <= {one.geo for one in design.excluded_geos}
    assert not set(drop) & set(design.geos)
    for a, b in near:
        if handling == "merge":
            assert (arms[:, at[a]] == arms[:, at[b]]).all()
        else:
            assert not {a, b} <= set(design.geos)
    assert (rule_of(design).at_risk(arms) <= 0.65 + 1e-9).all()
    assert {one.geo for one in design.excluded_geos} | set(design.geos) == set(panel.geos)


def test_too_little_revenue_at_risk_is_impossible_and_says_what_is() -> None:
    with pytest.raises(PlanImpossible, match="the lowest was"):
        drafted(made_panel(20), constraints=Constraints(max_revenue_at_risk=0.01))


def test_in_a_holdback_the_control_is_at_risk() -> None:
    design = drafted(made_panel(20), (Cell("cell_1", "holdback", "meta", 0.8),))
    assert design.revenue_at_risk == pytest.approx(design.control_share)
    assert len(design.treated_geos) == 16
    assert design.holdout_count == 4


def test_population_is_shared_out() -> None:
    panel = made_panel(30)
    people = dict(zip(panel.geos, np.random.default_rng(4).lognormal(0, 1, 30).tolist(), strict=True))
    design = drafted(panel, HALF, constraints=Constraints(population=people))
    share = np.array([people[geo] for geo in design.geos])
    treated = assignment_set(design) @ share / share.sum()
    assert np.abs(treated - 0.5).max() <= 0.05 + 1e-9
    with pytest.raises(BadInput, match="population"):
        drafted(panel, HALF, constraints=Constraints(population={"geo-000": 1.0}))


def test_shuffled_geos_change_nothing() -> None:
    panel = made_panel(20)
    names = np.array(panel.geos)
    order = np.random.default_rng(8).permutation(20)
    # The same outcomes under the same names; only the order in which the rows come differs.
    rows = sorted(order.tolist(), key=lambda i: names[i])
    assert drafted(Panel(panel.geos, panel.days, panel.outcome[rows])) == drafted(panel)
    # Renaming every geo so that its place in the order changes renames the strata's members and nothing else.
    design = drafted(panel)
    mapping = {geo: f"z{i:02d}" for i, geo in enumerate(names[order])}
    back = {new: old for old, new in mapping.items()}
    new_names = tuple(sorted(back))
    renamed = Panel(new_names, panel.days, panel.outcome[[panel.geos.index(back[new]) for new in new_names]])
    blocks = {frozenset(unit[0] for unit in stratum.units) for stratum in design.strata}
    renamed_blocks = {frozenset(back[unit[0]] for unit in stratum.units) for stratum in drafted(renamed).strata}
    assert blocks == renamed_blocks


@pytest.mark.parametrize(("n_geos", "cells"), [(13, GO_DARK), (17, TWO_CELLS), (11, HALF)])
def test_without_constraints_each_geo_is_treated_equally_often(n_geos: int, cells: tuple[Cell, ...]) -> None:
    panel = made_panel(n_geos, 60)
    n = 200
    treated = np.array(
        [chosen_arms(drafted(panel, cells, seed=seed, balance_threshold=math.inf)) == 1 for seed in range(n)]
    )
    share = treated.mean()
    spread = ((treated.sum(axis=0) - n * share) ** 2).sum() / (n * share * (1 - share)) * (n_geos - 1) / n_geos
    assert stats.chi2.sf(spread, n_geos - 1) > 0.001
    # A rule that always leaves the same geo over would pass unseen if this could not fail:
    fixed = np.repeat(treated[:1], n, axis=0).sum(axis=0)
    assert stats.chi2.sf(((fixed - n * share) ** 2).sum() / (n * share), n_geos - 1) < 1e-6


@pytest.mark.parametrize("n_geos", [8, 13, 20, 50, 210])
def test_the_randomisation_test_is_exact_where_nothing_happens(n_geos: int) -> None:
    """Difference in means on fixed outcomes: over seeds, its rank in the set is uniform."""
    panel = made_panel(n_geos, 60)
    rule = rule_of(drafted(panel, HALF if n_geos % 2 else GO_DARK))
    outcome = panel.outcome.mean(axis=1) * np.random.default_rng(n_geos).normal(1, 0.2, n_geos)
    jitter = np.random.default_rng(1)
    ranks: list[float] = []
    for seed in range(200):
        arms = draw_set(rule, seed, n_draws=2_000, max_assignments=200)
        treated = (arms == 1) / (arms == 1).sum(axis=1, keepdims=True) - (arms == 0) / (arms == 0).sum(
            axis=1, keepdims=True
        )
        effect = np.abs(np.round(treated @ outcome, 9))
        above, equal = (effect > effect[0]).mean(), (effect == effect[0]).mean()
        ranks.append(above + jitter.uniform() * equal)
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
    assert abs(np.mean(np.array(ranks) <= 0.05) - 0.05) < 0.05


def test_cells_share_a_control_and_are_tested_one_by_one() -> None:
    design = drafted(made_panel(24), TWO_CELLS)
    assert len(design.geos_of("cell_1")) == len(design.geos_of("cell_2")) == 6
    found = assignment_set(design, "cell_2")
    other = np.array([one.cell == "cell_1" for one in design.assignment])
    assert not found[:, other].any()
    assert np.array_equal(found[0], np.array([one.cell == "cell_2" for one in design.assignment]))
    assert len(found) > 20
    assert (found.sum(axis=1) == 6).all()
    assert np.array_equal(cell_geos(design, "cell_2"), ~other)
    with pytest.raises(BadInput, match="no cell"):
        assignment_set(design, "cell_9")


def test_too_few_assignments_for_alpha_are_refused() -> None:
    limits = Constraints(must_not_treat=tuple(f"geo-{i:03d}" for i in range(6)))
    with pytest.raises(NotEnoughData, match="no p-value can be under"):
        drafted(made_panel(9), constraints=limits)


def test_the_digest_tells_sets_apart() -> None:
    arms = np.array([[0, 1], [1, 0]], dtype=np.int8)
    assert digest(arms) != digest(arms[::-1])
