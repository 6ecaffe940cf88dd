"""Weights that are not negative and sum to one: the least-squares mix of donors, found in finitely many steps."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from weathervane.contracts.errors import ModelFailed
from weathervane.experiments.panel import Floats

# Where several mixes fit alike (geos that copy each other, more donors than days), this penalty, relative to the size
# of the target, picks the one with the smallest squared weights; a unique one moves by far less than 1 in 10,000. (Not
# relative to the donors: one a thousand times as large would then decide how the others are weighed.)
_TIE_BREAK = 1e-5


def simplex_weights(donors: Floats, target: Floats, penalty: float = 0.0) -> Floats:
    """The w >= 0 with sum 1 that minimises |target - w @ donors|^2 + penalty |w|^2. `donors` [n_donors, n_rows].

    experiments.md, "Weights on a simplex". ModelFailed if the solver does not finish.
    """
    n_donors, n_rows = donors.shape
    misses = (donors - target).T
    size = float(np.sqrt((misses**2).sum() / n_donors + penalty))
    if n_donors == 1 or size == 0.0:
        return np.full(n_donors, 1.0 / n_donors)
    system = np.zeros((n_rows + n_donors + 1, n_donors))
    system[:n_rows] = misses
    scale = min(size, float(np.linalg.norm(target)) or size)
    np.fill_diagonal(system[n_rows:-1], np.sqrt(penalty + (_TIE_BREAK * scale) ** 2))
    system[-1] = scale
    goal = np.zeros(len(system))
    goal[-1] = scale
    try:
        found, _ = nnls(system, goal, maxiter=max(300, 30 * n_donors))
    except RuntimeError as error:
        raise ModelFailed(
            f"The weights of {n_donors} control geos could not be found.", "leave out geos that copy each other."
        ) from error
    return found / found.sum()
