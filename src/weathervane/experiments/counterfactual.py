"""The one interface of all estimators: what the treated geos would have done, as a weighted difference of geos.

Every estimator turns the days before the test into weights on geos; the effect on a day is then `weights @ outcome -
baseline`. That is linear in the outcome, so what depends only on the past is computed once, and any number of later
windows, injected effects or hypotheses costs a product of matrices. experiments.md, "One interface".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import EstimatorName
from weathervane.experiments.estimators import (
    augmented,
    difference_in_differences,
    synthetic_control,
    synthetic_did,
    time_based_regression,
)
from weathervane.experiments.panel import Bools, Floats

Weigher = Callable[[Floats, Floats], Floats]

# (donors [n_donors, n_pre], targets [n_targets, n_pre]), de-meaned by unit -> weights [n_targets, n_donors]
WEIGHERS: dict[EstimatorName, Weigher] = {
    "difference_in_differences": difference_in_differences.weights,
    "synthetic_control": synthetic_control.weights,
    "augmented": augmented.weights,
    "time_based_regression": time_based_regression.weights,
}
_FRANK_WOLFE_ITERATIONS = 10_000


@dataclass(frozen=True)
class Contrasts:
    """For each assignment: weights on all geos (treated mean minus mix of controls), the baseline, and the day weights.

    `weights` [n_assignments, n_geos], `baseline` [n_assignments].
    """

    weights: Floats
    baseline: Floats

    def effects(self, outcome: Floats) -> Floats:
        """Effect on the treated mean, [.., n_assignments, t], of `outcome` [.., n_geos, t]."""
        return self.weights @ outcome - self.baseline[:, None]

    def mean_effects(self, mean_outcome: Floats) -> Floats:
        """Average daily effect on the treated mean, [.., n_assignments], of a window's `mean_outcome` [.., n_geos]."""
        return mean_outcome @ self.weights.T - self.baseline

    def responses(self, pattern: Floats) -> Floats:
        """What adding `pattern` [.., n_geos] to `mean_outcome` adds to `mean_effects`, [.., n_assignments]."""
        return pattern @ self.weights.T


@dataclass(frozen=True)
class Counterfactual:
    """What the mean treated geo would have done, [t]; `weights` [n_geos], 0 on treated geos; misses before the test.

    `imbalance` is the root of the summed squared misses, `imbalance_scaled` divides it by that of equal weights.
    """

    mean: Floats
    effect: Floats
    weights: Floats
    imbalance: float
    imbalance_scaled: float


def contrasts(estimator: EstimatorName, outcome: Floats, treated: Bools, n_pre: int) -> Contrasts:
    """Contrasts of many assignments: `outcome` [n_geos, t], `treated` [n_assignments, n_geos] or [n_geos].

    Only the first `n_pre` days are read, except by synthetic difference in differences, whose day weights come from the
    controls' days after; it solves its weights exactly for many assignments and by the published iterations for one.
    BadInput or NotEnoughData where an assignment leaves an arm empty or the past is too short.
    """
    masks = np.atleast_2d(treated)
    check_shapes(outcome, masks, n_pre)
    if estimator == "synthetic_did":
        return _synthetic_did(outcome, masks, n_pre, None if len(masks) > 1 else _FRANK_WOLFE_ITERATIONS)
    if estimator not in WEIGHERS:
        raise BadInput(f"{estimator} compares pairs of places, and here are none.", "design the test with pairs.")
    weigher = WEIGHERS[estimator]
    past = outcome[:, :n_pre]
    level = past.mean(axis=1)
    centred = past - level[:, None]
    if len(masks) > 1 and n_pre > len(centred) and estimator != "augmented":
        # Weights depend on products between geos alone, so long pasts are turned into as many columns as geos, once.
        centred = np.ascontiguousarray(np.asarray(np.linalg.qr(centred.T, mode="r"), dtype=np.float64).T)
    weights = np.empty(masks.shape)
    for row, mask in zip(weights, masks, strict=True):
        row[mask] = 1.0 / int(mask.sum())
        row[~mask] = -weigher(centred[~mask], centred[mask].mean(axis=0)[None])[0]
    return Contrasts(weights, weights @ level)


def counterfactual(estimator: EstimatorName, outcome: Floats, treated: Bools, n_pre: int) -> Counterfactual:
    """The counterfactual of one assignment: `outcome` [n_geos, t], `treated` [n_geos]."""
    found = contrasts(estimator, outcome, treated, n_pre)
    effect = found.effects(outcome)[0]
    target = outcome[treated].mean(axis=0)
    plain = target[:n_pre] - outcome[~treated, :n_pre].mean(axis=0)
    missed = effect[:n_pre] - (effect[:n_pre].mean() if estimator == "synthetic_did" else 0.0)
    imbalance = float(np.linalg.norm(missed))
    plain_imbalance = float(np.linalg.norm(plain - plain.mean()))
    return Counterfactual(
        mean=target - effect,
        effect=effect,
        weights=np.where(treated, 0.0, -found.weights[0]),
        imbalance=imbalance,
        imbalance_scaled=imbalance / plain_imbalance if plain_imbalance > 0.0 else 0.0,
    )


class Refit:
    """The treated mean refitted over all days, the test's too, under many hypotheses; donors are prepared once.

    The hypothesis theta says that theta x `pattern` [t] is what ads added to the treated mean of `outcome` [n_geos, t].
    A ridge keeps one strength, that of the outcome as it is. BadInput for estimators that have no such refit.
    """

    def __init__(self, estimator: EstimatorName, outcome: Floats, treated: Bools, pattern: Floats) -> None:
        if estimator not in WEIGHERS:
            raise BadInput(f"{estimator} has no refit over all days.", "test it with placebos or a randomised design.")
        check_shapes(outcome, np.atleast_2d(treated), outcome.shape[1])
        donors = outcome[~treated]
        self._donors = donors - donors.mean(axis=1, keepdims=True)
        target = outcome[treated].mean(axis=0)
        self._target = target - target.mean()
        self.pattern = pattern
        self._pattern = pattern - pattern.mean()
        self._weigher = WEIGHERS[estimator]
        if estimator == "augmented":
            strength = augmented.choose_lambda(self._donors, self._target)
            self._weigher = partial(augmented.weights, ridge_lambda=strength)
        self._basis: Floats | None = None
        n_donors, n_days = self._donors.shape
        if n_days > n_donors + 2:
            # Weights depend on products alone, and all targets lie in the plane of target and pattern.
            plane = np.vstack([self._donors, self._target, self._pattern])
            self._basis = np.asarray(np.linalg.qr(plane.T)[0], dtype=np.float64)
            self._short_donors = np.ascontiguousarray(self._donors @ self._basis)

    def residuals(self, thetas: Floats) -> Floats:
        """Residuals of the treated mean on all days, [n_thetas, t]."""
        targets = self._target - thetas[:, None] * self._pattern
        return targets - self.weights(thetas) @ self._donors

    def weights(self, thetas: Floats) -> Floats:
        """Weights on the control geos under each hypothesis, [n_thetas, n_donors]."""
        targets = self._target - thetas[:, None] * self._pattern
        if self._basis is None:
            return self._weigher(self._donors, targets)
        return self._weigher(self._short_donors, targets @ self._basis)


def _synthetic_did(outcome: Floats, masks: Bools, n_pre: int, max_iterations: int | None) -> Contrasts:
    weights = np.empty(masks.shape)
    baseline = np.empty(len(masks))
    for i, mask in enumerate(masks):
        controls, target = outcome[~mask], outcome[mask].mean(axis=0)
        zeta = synthetic_did.penalties(controls, int(mask.sum()), n_pre)
        weights[i, mask] = 1.0 / int(mask.sum())
        weights[i, ~mask] = -synthetic_did.unit_weights(controls[:, :n_pre], target[:n_pre], zeta, max_iterations)
        days = synthetic_did.time_weights(controls, n_pre, zeta, max_iterations)
        baseline[i] = weights[i] @ (outcome[:, :n_pre] @ days)
    return Contrasts(weights, baseline)


def check_shapes(outcome: Floats, masks: Bools, n_pre: int) -> None:
    """BadInput or NotEnoughData where no comparison can be made."""
    if outcome.shape[0] < 2:
        raise NotEnoughData("One geo has nothing to be compared with.", "give at least two geos.")
    if masks.shape[1] != outcome.shape[0]:
        raise BadInput(
            f"Assignments name {masks.shape[1]} geos, the panel has {outcome.shape[0]}.", "use one column a geo."
        )
    sizes = masks.sum(axis=1)
    if (sizes == 0).any() or (sizes == masks.shape[1]).any():
        raise BadInput("An assignment leaves one arm without geos.", "treat at least one geo and keep one as control.")
    if n_pre < 2:
        raise NotEnoughData(f"There are {n_pre} days before the test.", "give at least two, better several months.")
    if not np.isfinite(outcome).all():
        raise BadInput("The panel has missing or infinite outcomes.", "fill or leave out those geos and days first.")
