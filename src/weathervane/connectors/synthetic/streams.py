"""Random streams keyed by name: what is drawn for one place or channel never depends on which others there are."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def stream(seed: int, *names: str) -> np.random.Generator:
    """The generator of one thing, such as ("weather/temperature", "boston-ma"); same seed and names, same draws."""
    digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=16).digest()
    words = [int(word) for word in np.frombuffer(digest, dtype="<u4")]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def persistent(innovations: Floats, phi: float) -> Floats:
    """AR(1) along the first axis, stationary from its first row, with the variance of the innovations."""
    driven = innovations * np.sqrt(1 - phi**2)
    driven[0] = innovations[0]
    return decayed_sum(driven, phi)


def continued(last: Floats, innovations: Floats, phi: float) -> Floats:
    """AR(1) rows that follow on `last`, one for each row of innovations."""
    driven = innovations * np.sqrt(1 - phi**2)
    driven[0] += phi * last
    return decayed_sum(driven, phi)


def decayed_sum(values: Floats, keep: float) -> Floats:
    """Running sum along the first axis that keeps a share of itself from row to row."""
    # A plain loop: SciPy's filter does the same, and loading it takes longer than making a world.
    total = np.array(values, dtype=np.float64)
    for row in range(1, len(total)):
        total[row] += keep * total[row - 1]
    return total
