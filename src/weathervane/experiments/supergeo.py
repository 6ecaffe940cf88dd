"""Supergeos: pairs of geos that are not alike are merged until the two sides of every pair are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from weathervane.experiments.strata import blocks_of

Floats = NDArray[np.float64]
Pair = tuple[tuple[int, ...], tuple[int, ...]]  # rows on either side

# 2^10 assignments: with fewer pairs no test has room, however alike they are.
_FEWEST_PAIRS = 10
# All ways to split this many rows in two are tried; beyond it a merge is not worth its price in pairs.
_LARGEST_UNION = 8


def supergeo_pairs(values: Floats, weights: Floats, max_distance: float) -> list[Pair]:
    """Rows of `values` [u, f] (an even number) as pairs of supergeos at most `max_distance` apart where possible.

    The distance of two sides is the root mean square, over metrics and the relative difference of their summed
    `weights` [u], of the differences between their weighted means. Starts from the best ordinary pairs; the worst
    pair is merged with the other pair that helps most, all splits of the union tried, while pairs remain to spare.
    """
    pairs: list[Pair] = [((int(a),), (int(b),)) for a, b in blocks_of(values, len(values) // 2)]
    while len(pairs) > min(_FEWEST_PAIRS, len(values) // 2):
        distance = [side_distance(values, weights, pair) for pair in pairs]
        worst = int(np.argmax(distance))
        if distance[worst] <= max_distance:
            break
        found = _best_merge(values, weights, pairs, distance, worst)
        if found is None:
            break
        other, merged = found
        pairs = [pair for i, pair in enumerate(pairs) if i not in {worst, other}] + [merged]
    return sorted((min(pair), max(pair)) for pair in pairs)


def side_distance(values: Floats, weights: Floats, pair: Pair) -> float:
    """How far the two sides of a pair are apart; see supergeo_pairs."""
    (a, size_a), (b, size_b) = (_side(values, weights, rows) for rows in pair)
    size = abs(size_a - size_b) / (0.5 * (size_a + size_b) + 1e-12)
    return float(np.sqrt(np.mean(np.append(a - b, size) ** 2)))


def _side(values: Floats, weights: Floats, rows: Sequence[int]) -> tuple[Floats, float]:
    chosen = list(rows)
    weight = weights[chosen] + 1e-12
    return weight @ values[chosen] / weight.sum(), float(weight.sum())


def _best_merge(
    values: Floats, weights: Floats, pairs: Sequence[Pair], distance: Sequence[float], worst: int
) -> tuple[int, Pair] | None:
    """The other pair and the split of the union that leave the least distance, if less than the worse of the two."""
    best: tuple[float, int, Pair] | None = None
    for other, pair in enumerate(pairs):
        union = sorted({*pairs[worst][0], *pairs[worst][1], *pair[0], *pair[1]})
        if other == worst or len(union) > _LARGEST_UNION:
            continue
        for split in _splits(union):
            apart = side_distance(values, weights, split)
            if apart < distance[worst] - 1e-9 and (best is None or apart < best[0]):
                best = (apart, other, split)
    return None if best is None else (best[1], best[2])


def _splits(rows: Sequence[int]) -> list[Pair]:
    """Every split of the rows into two sides that both have some; the first row is always on the first side."""
    first, rest = rows[0], rows[1:]
    found: list[Pair] = []
    for size in range(len(rest)):
        found += [
            ((first, *joined), tuple(row for row in rest if row not in joined)) for joined in combinations(rest, size)
        ]
    return found
