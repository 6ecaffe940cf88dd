"""Strata: units as much alike as can be, in blocks of equal size (see docs/modeling/experiments.md, "Strata")."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Fewer assignments than this and blocks are made coarser: alike blocks are worth nothing if no test can be run on them.
_ENOUGH_ASSIGNMENTS = 1_000
_MOST_SWAPS = 2_000


def n_blocks(n_units: int, treated: Sequence[int]) -> int:
    """The most blocks that n units make with the same number of each cell's units in every block, at least 1.

    Blocks are coarsened until there are 1,000 assignments or one block is left.
    """
    shared = math.gcd(*treated)
    for blocks in range(shared, 1, -1):
        size = n_units // blocks
        each = [count // blocks for count in treated]
        if shared % blocks == 0 and sum(each) < size and n_assignments(size, each) ** blocks >= _ENOUGH_ASSIGNMENTS:
            return blocks
    return 1


def n_assignments(size: int, treated: Sequence[int]) -> int:
    """In how many ways `treated[c]` of `size` units go to each cell c."""
    ways, left = 1, size
    for count in treated:
        ways, left = ways * math.comb(left, count), left - count
    return ways


def blocks_of(values: Floats, blocks: int) -> list[Ints]:
    """Rows of `values` [u, f] in `blocks` blocks of equal size; u must be a multiple. Each block's rows are sorted.

    Greedy from the outermost row, then swaps between blocks for as long as they bring alike rows together.
    """
    size = len(values) // blocks
    if blocks == 1:
        return [np.arange(len(values))]
    distance = _squared_distances(values)
    label = _swapped(distance, _greedy(values, distance, blocks, size), blocks)
    found = [np.flatnonzero(label == b) for b in range(blocks)]
    return sorted(found, key=lambda rows: int(rows[0]))


def _squared_distances(values: Floats) -> Floats:
    square = np.einsum("uf,uf->u", values, values)
    return np.maximum(square[:, None] + square - 2 * values @ values.T, 0.0)


def _greedy(values: Floats, distance: Floats, blocks: int, size: int) -> Ints:
    label = np.full(len(values), -1, dtype=np.intp)
    outermost = np.argsort(
        -np.einsum("uf,uf->u", values - values.mean(axis=0), values - values.mean(axis=0)), kind="stable"
    )
    block = 0
    for start in outermost:
        if label[start] >= 0 or block == blocks:
            continue
        free = np.flatnonzero(label < 0)
        nearest = free[np.argsort(distance[start, free], kind="stable")]
        others = nearest[nearest != start][: size - 1]
        label[start] = block
        label[others] = block
        block += 1
    return label


def _swapped(distance: Floats, label: Ints, blocks: int) -> Ints:
    """Swaps the two rows whose exchange lowers the distances inside blocks most, until none does."""
    member = np.eye(blocks)[label]  # [u, b]
    to_block = distance @ member
    for _ in range(_MOST_SWAPS):
        own = to_block[np.arange(len(label)), label]
        across = to_block[:, label].T  # [i, j]: from j to the block of i
        gain = own[:, None] + own - across - across.T + 2 * distance
        gain[label[:, None] == label] = 0.0
        i, j = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[i, j] <= 1e-9:
            break
        a, b = label[i], label[j]
        to_block[:, a] += distance[:, j] - distance[:, i]
        to_block[:, b] += distance[:, i] - distance[:, j]
        label[i], label[j] = b, a
    return label
