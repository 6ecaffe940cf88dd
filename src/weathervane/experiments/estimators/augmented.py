"""Ridge-augmented synthetic control: the mix, plus a ridge correction for what the mix cannot follow."""

from __future__ import annotations

import numpy as np

from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.panel import Floats

_N_LAMBDA = 20
_LAMBDA_MIN_RATIO = 1e-8


def weights(donors: Floats, targets: Floats, ridge_lambda: float | None = None) -> Floats:
    """Weights [n_targets, n_donors] that sum to 1, some may be negative, for de-meaned donors and targets [.., n_pre].

    `ridge_lambda` None chooses it for each target by `choose_lambda`. experiments.md, "Augmented synthetic control".
    """
    return np.array([_weights(donors, target, ridge_lambda) for target in targets])


def choose_lambda(donors: Floats, target: Floats) -> float:
    """The largest lambda whose leave-one-day-out error is within a standard error of the smallest.

    The path is 21 values from the largest squared singular value of the donors down by a factor 1e-8; donors that do
    not differ leave nothing to correct with, whatever lambda is, and have 0.
    """
    middle = donors.mean(axis=0)
    donors, target = donors - middle, target - middle
    lambda_max = float(np.linalg.norm(donors, 2) ** 2)
    if lambda_max == 0.0:
        return 0.0
    lambdas = lambda_max * _LAMBDA_MIN_RATIO ** (np.arange(_N_LAMBDA + 1) / _N_LAMBDA)
    n_pre = donors.shape[1]
    kernel = donors @ donors.T
    # As in the published code, the last day is never held out.
    errors = np.empty((n_pre - 1, len(lambdas)))
    for day in range(n_pre - 1):
        kept = np.arange(n_pre) != day
        mix = simplex_weights(donors[:, kept], target[kept])
        pull = donors[:, kept] @ (target[kept] - mix @ donors[:, kept])
        held = donors[:, day]
        values, vectors = np.linalg.eigh(kernel - np.outer(held, held))
        corrections = (vectors.T @ held) * (vectors.T @ pull) / (np.maximum(values, 0.0) + lambdas[:, None])
        errors[day] = (target[day] - mix @ held - corrections.sum(axis=1)) ** 2
    mean = errors.mean(axis=0)
    best = int(mean.argmin())
    spread = float(errors[:, best].std(ddof=1)) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0
    return float(lambdas[mean <= mean[best] + spread].max())


def _weights(donors: Floats, target: Floats, ridge_lambda: float | None) -> Floats:
    mix = simplex_weights(donors, target)
    strength = choose_lambda(donors, target) if ridge_lambda is None else ridge_lambda
    centred = donors - donors.mean(axis=0)
    if not centred.any():
        return mix
    pull = centred @ (target - mix @ donors)
    return mix + np.linalg.solve(centred @ centred.T + strength * np.eye(len(donors)), pull)
