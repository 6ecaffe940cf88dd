"""Trigger episodes are randomised whole, in turns, and their schedule can be drawn again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.experiments.designs import FIRST, drafted, made_panel

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.trigger import (
    episodes,
    expected,
    is_treated,
    schedule,
    schedule_set,
    treated_days,
    trigger_design,
)

DAYS = tuple(FIRST + timedelta(days=i) for i in range(400))
GEOS = tuple(f"geo-{i:03d}" for i in range(12))
RULE = TriggerRule("rain", 1.0)
TRIGGER = np.random.default_rng(2).random((12, 400)) < 0.12


def test_episodes_are_runs_and_the_washout_joins_them() -> None:
    row = np.array([[0, 1, 1, 0, 1, 0, 0, 0, 1, 0]], dtype=np.bool_)
    days = DAYS[:10]
    apart = episodes(("a",), days, row, 0)
    assert [(one.first.day, one.last.day, one.n_trigger_days) for one in apart] == [(2, 3, 2), (5, 5, 1), (9, 9, 1)]
    assert [(one.first.day, one.last.day) for one in episodes(("a",), days, row, 1)] == [(2, 5), (9, 9)]
    assert [(one.first.day, one.last.day) for one in episodes(("a",), days, row, 3)] == [(2, 9)]


@given(st.integers(0, 4), st.integers(0, 500))
def test_carry_over_never_crosses_from_one_episode_to_another(washout: int, seed: int) -> None:
    found = episodes(GEOS, DAYS[:90], TRIGGER[:, :90], washout)
    for before, after in pairwise(found):
        if before.geo == after.geo:
            assert (after.first - before.last).days > washout + 1
    on = treated_days(GEOS, DAYS[:90], TRIGGER[:, :90], seed, washout)
    assert not (on & ~TRIGGER[:, :90]).any()
    assert sum(one.n_trigger_days for one in found) == TRIGGER[:, :90].sum()
    assert on.sum() == sum(o.n_trigger_days for o, t in zip(found, schedule(seed, found), strict=True) if t)


def test_of_each_two_episodes_one_is_treated_and_by_a_fair_coin() -> None:
    first = [is_treated(seed, "a", 6) for seed in range(600)]
    assert all(is_treated(seed, "a", 6) != is_treated(seed, "a", 7) for seed in range(50))
    assert stats.binomtest(sum(first), 600).pvalue > 0.01
    assert {is_treated(1, "a", 2 * i) for i in range(20)} == {True, False}


def test_the_order_of_geos_changes_nothing() -> None:
    order = np.random.default_rng(0).permutation(12)
    names = tuple(GEOS[i] for i in order)
    assert episodes(names, DAYS, TRIGGER[order], 1) == episodes(GEOS, DAYS, TRIGGER, 1)
    shuffled = treated_days(names, DAYS, TRIGGER[order], 5, 1)
    assert np.array_equal(shuffled, treated_days(GEOS, DAYS, TRIGGER, 5, 1)[order])


def test_the_schedule_set_holds_the_real_one_first_and_its_test_is_exact() -> None:
    found = episodes(GEOS, DAYS[:60], TRIGGER[:, :60], 1)
    outcome = np.random.default_rng(4).normal(size=len(found))
    ranks: list[float] = []
    jitter = np.random.default_rng(6)
    for seed in range(200):
        drawn = schedule_set(seed, found, 200)
        assert np.array_equal(drawn[0], schedule(seed, found))
        assert len(np.unique(drawn, axis=0)) == len(drawn)
        effect = np.abs(np.round(np.array([outcome[row].mean() - outcome[~row].mean() for row in drawn]), 9))
        ranks.append((effect > effect[0]).mean() + jitter.uniform() * (effect == effect[0]).mean())
    assert stats.kstest(ranks, "uniform").pvalue > 0.01


def test_what_to_expect_follows_the_same_season() -> None:
    trigger = np.zeros((12, 400), dtype=np.bool_)
    trigger[:, 5:15] = True  # early January only
    window = Period(FIRST.replace(year=2028), FIRST.replace(year=2028, day=20))
    plan = expected(RULE, GEOS, DAYS, trigger, window, 2)
    # 2026 and 2027 both have these days; the trigger fired in one of the two years.
    assert plan.expected_geo_days == pytest.approx(12 * 10 / 2)
    assert plan.expected_episodes == pytest.approx(12 / 2)
    with pytest.raises(NotEnoughData, match="never fired"):
        expected(RULE, GEOS, DAYS, np.zeros((12, 400), dtype=np.bool_), window, 2)


def test_a_design_becomes_a_trigger_experiment() -> None:
    design = drafted(made_panel(12))
    plan = expected(RULE, GEOS, DAYS, TRIGGER, design.test_window, 1)
    made = trigger_design(design, plan)
    assert made.trigger == plan
    assert {one.group for one in made.assignment} == {"alternating"}
    assert RULE.definition in made.treatment_definition
    few = expected(RULE, GEOS[:1], DAYS, TRIGGER[:1], Period(FIRST, FIRST + timedelta(days=10)), 1)
    with pytest.raises(NotEnoughData, match="no p-value"):
        trigger_design(design, few)
    with pytest.raises(BadInput, match="shape"):
        episodes(GEOS, DAYS, TRIGGER[:3], 1)
