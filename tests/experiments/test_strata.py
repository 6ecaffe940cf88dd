"""Blocks are as fine as a test allows and hold alike units; supergeos mend pairs that are not alike."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weathervane.experiments.strata import blocks_of, n_assignments, n_blocks
from weathervane.experiments.supergeo import side_distance, supergeo_pairs


@given(st.integers(4, 300), st.lists(st.integers(1, 60), min_size=1, max_size=3))
def test_blocks_share_out_every_cell_and_leave_room_for_a_test(n_units: int, treated: list[int]) -> None:
    if sum(treated) > n_units // 2:
        return
    blocks = n_blocks(n_units, treated)
    assert all(count % blocks == 0 for count in treated)
    size, each = n_units // blocks, [count // blocks for count in treated]
    assert sum(each) < size
    assert blocks == 1 or n_assignments(size, each) ** blocks >= 1_000


def test_few_geos_are_not_cut_into_pairs() -> None:
    assert n_blocks(8, [4]) == 1  # 16 assignments in pairs, 70 in one block
    assert n_blocks(20, [10]) == 10
    assert n_blocks(210, [42]) == 42
    assert n_assignments(8, [4]) == 70
    assert n_assignments(6, [2, 2]) == math.factorial(6) // 8


def test_blocks_find_what_belongs_together() -> None:
    rng = np.random.default_rng(3)
    centres = rng.normal(0, 10, (7, 2))
    group = rng.permutation(np.repeat(np.arange(7), 4))
    blocks = blocks_of(centres[group] + rng.normal(0, 0.1, (28, 2)), 7)
    assert sorted(len(set(group[rows])) for rows in blocks) == [1] * 7
    assert sorted(np.concatenate(blocks).tolist()) == list(range(28))


@pytest.mark.parametrize(("n", "blocks"), [(12, 6), (30, 6), (40, 20)])
def test_no_swap_of_two_units_would_bring_alike_ones_closer(n: int, blocks: int) -> None:
    values = np.random.default_rng(n).normal(size=(n, 3))
    found = [rows.tolist() for rows in blocks_of(values, blocks)]

    def cost(rows: list[int]) -> float:
        apart = values[rows][:, None] - values[rows][None]
        return float((apart**2).sum() / 2)

    for one, other in combinations(found, 2):
        for i, j in product(one, other):
            swapped = cost([*(r for r in one if r != i), j]) + cost([*(r for r in other if r != j), i])
            assert swapped >= cost(one) + cost(other) - 1e-6


def test_supergeos_make_poor_pairs_alike() -> None:
    rng = np.random.default_rng(7)
    weights = np.concatenate([[8.0, 4.0, 4.1, 2.0], rng.uniform(0.9, 1.1, 36)])
    values = np.log(weights)[:, None] * np.ones((1, 1))
    values = (values - values.mean()) / values.std()
    plain = [tuple((int(i),) for i in rows) for rows in blocks_of(values, 20)]
    found = supergeo_pairs(values, weights, 0.5)
    worst_plain = max(side_distance(values, weights, pair) for pair in plain)  # type: ignore[arg-type]
    worst = max(side_distance(values, weights, pair) for pair in found)
    assert worst_plain > 0.5
    assert worst < worst_plain
    assert sorted(row for pair in found for side in pair for row in side) == list(range(40))
    assert 10 <= len(found) < 20


def test_pairs_that_are_alike_stay_as_they_are() -> None:
    values = np.repeat(np.arange(12.0), 2)[:, None]
    found = supergeo_pairs(values, np.ones(24), 0.1)
    assert found == [((2 * i,), (2 * i + 1,)) for i in range(12)]


@pytest.mark.parametrize("shift", [1, 5])
def test_the_order_of_rows_does_not_decide_the_blocks(shift: int) -> None:
    values = np.random.default_rng(11).normal(size=(20, 4))
    order = np.roll(np.arange(20), shift)
    plain = {frozenset(rows.tolist()) for rows in blocks_of(values, 5)}
    assert {frozenset(order[rows].tolist()) for rows in blocks_of(values[order], 5)} == plain
