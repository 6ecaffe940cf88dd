"""How well a plausible holdout would measure a channel's return: stop it in half of the places for some weeks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weathervane.model.mmm.hierarchical import MediaMixFit

Floats = NDArray[np.float64]

WEEKS = 6  # of a plausible test


def holdout_sd(fit: MediaMixFit, weeks: int) -> Floats:
    """[c]: the standard error of a channel's return, from stopping it in half of the places for that many weeks.

    The noise is the model's own, with its lag-1 correlation; the other half says what would have been sold. A single
    place has no other half: there it is stopped everywhere, and the weeks before are what it is held against.
    Infinite for a channel that costs nothing.
    """
    design = fit.design
    rho, periods = design.noise_correlation, weeks * 7 / design.step_days
    variance = float(np.sum((design.noise_spread * design.level) ** 2))
    alone = len(fit.geos) == 1
    # V/2 for the half that is stopped and as much for the half it is compared with; alone, before and after.
    lift_sd = np.sqrt((2 if alone else 1) * periods * variance * (1 + rho) / (1 - rho))
    spent = design.spend_share * design.level.sum() / design.z.shape[1]  # a period
    stopped = spent * periods * (1.0 if alone else 0.5)
    return np.where(stopped > 0, lift_sd / np.maximum(stopped, 1e-12), np.inf)
