"""Time-based regression: the treated mean as a line in the control mean, with the published posterior t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.contracts.errors import NotEnoughData
from weathervane.experiments.panel import Floats


@dataclass(frozen=True)
class Posterior:
    """The summed effect after each day: Student's t with `df` around `location` [n_post], spread `scale` [n_post]."""

    location: Floats
    scale: Floats
    df: int


def weights(donors: Floats, targets: Floats) -> Floats:
    """Weights [n_targets, n_donors]: the same for all donors, summing to the regression's slope."""
    mean = donors.mean(axis=0)
    slope = targets @ mean / max(float(mean @ mean), np.finfo(float).tiny)
    return np.repeat(slope[:, None] / len(donors), len(donors), axis=1)


def posterior(treated: Floats, control: Floats, n_pre: int) -> Posterior:
    """The cumulative effect of `treated` [t] given `control` [t], under errors independent from day to day.

    experiments.md, "Time-based regression". NotEnoughData with fewer than four days before the test.
    """
    if n_pre < 4:
        raise NotEnoughData(f"{n_pre} days before the test cannot carry a regression.", "give at least four.")
    design = np.column_stack([np.ones(n_pre), control[:n_pre]])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ (design.T @ treated[:n_pre])
    df = n_pre - 2
    variance = float(((treated[:n_pre] - design @ coefficients) ** 2).sum()) / df
    later = np.column_stack([np.ones(len(control) - n_pre), control[n_pre:]])
    location = np.cumsum(treated[n_pre:] - later @ coefficients)
    summed = np.cumsum(later, axis=0)
    days = np.arange(1, len(summed) + 1)
    scale = np.sqrt(variance * (days + np.einsum("ti,ij,tj->t", summed, inverse, summed)))
    return Posterior(location, scale, df)
