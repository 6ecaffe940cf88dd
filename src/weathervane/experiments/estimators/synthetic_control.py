"""Fixed-effect synthetic control: the mix of controls that moved as the treated geos did, each around its mean."""

from __future__ import annotations

import numpy as np

from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.panel import Floats


def weights(donors: Floats, targets: Floats) -> Floats:
    """Weights [n_targets, n_donors], not negative, summing to 1, for de-meaned `donors` and `targets` [.., n_pre].

    experiments.md, "Synthetic control".
    """
    return np.array([simplex_weights(donors, target) for target in targets])
