"""Difference in differences: every control geo counts the same. The floor that the other estimators must beat."""

from __future__ import annotations

import numpy as np

from weathervane.experiments.panel import Floats


def weights(donors: Floats, targets: Floats) -> Floats:
    """Equal weights [n_targets, n_donors] for `donors` [n_donors, n_pre] and `targets` [n_targets, n_pre]."""
    return np.full((len(targets), len(donors)), 1.0 / len(donors))
