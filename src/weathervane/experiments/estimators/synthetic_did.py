"""Synthetic difference in differences: weights on control geos and on days before the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.panel import Floats

_FIRST_ITERATIONS = 100
_MIN_DECREASE = 1e-5
_TIME_PENALTY = 1e-6


@dataclass(frozen=True)
class Penalties:
    """zeta of the unit and of the time weights, and the least gain (in outcome units) that keeps Frank-Wolfe going."""

    unit: float
    time: float
    min_decrease: float


def penalties(controls: Floats, n_treated: int, n_pre: int) -> Penalties:
    """The published choice, from `controls` [n_controls, t]."""
    noise = float(np.diff(controls[:, :n_pre], axis=1).std(ddof=1))
    n_post = controls.shape[1] - n_pre
    return Penalties((n_treated * n_post) ** 0.25 * noise, _TIME_PENALTY * noise, _MIN_DECREASE * noise)


def time_weights(controls: Floats, n_pre: int, zeta: Penalties, max_iterations: int | None) -> Floats:
    """Weights [n_pre] of the days before that foretell the controls' mean in the test. `controls` [n_controls, t]."""
    return _mix(controls[:, :n_pre].T, controls[:, n_pre:].mean(axis=1), zeta.time, zeta, max_iterations)


def unit_weights(
    controls: Floats, target: Floats, zeta: Penalties, max_iterations: int | None, *, intercept: bool = True
) -> Floats:
    """Weights [n_controls]; `controls` [n_controls, n_pre], `target` [n_pre].

    Without an intercept and with `zeta.unit` near 0 this is plain synthetic control as the SDID paper runs it.
    """
    return _mix(controls, target, zeta.unit, zeta, max_iterations, intercept=intercept)


def _mix(
    columns: Floats,
    target: Floats,
    zeta: float,
    every: Penalties,
    max_iterations: int | None,
    *,
    intercept: bool = True,
) -> Floats:
    """experiments.md, "Synthetic difference in differences". `columns` [n, rows], `target` [rows]."""
    if intercept:
        columns, target = columns - columns.mean(axis=1, keepdims=True), target - target.mean()
    n_rows = len(target)
    penalty = n_rows * zeta**2
    if max_iterations is None:
        return simplex_weights(columns, target, penalty)
    least = n_rows * every.min_decrease**2
    rough = _frank_wolfe(columns, target, penalty, np.full(len(columns), 1.0 / len(columns)), least, _FIRST_ITERATIONS)
    sparse = np.where(rough <= rough.max() / 4.0, 0.0, rough)
    return _frank_wolfe(columns, target, penalty, sparse / sparse.sum(), least, max_iterations)


def _frank_wolfe(
    columns: Floats, target: Floats, penalty: float, start: Floats, least: float, max_iterations: int
) -> Floats:
    """Stops, as the published code does, at the first step after the second that gains less than `least`.

    The estimates in print are those of this rule, not of the optimum that it stops short of.
    """
    kernel = columns @ columns.T
    np.fill_diagonal(kernel, kernel.diagonal() + penalty)
    diagonal = kernel.diagonal().copy()
    pull = columns @ target
    shifted = kernel - pull
    x = start
    gradient = kernel @ x - pull
    for iteration in range(max_iterations):
        i = int(gradient.argmin())
        along = float(gradient @ x)
        slope = float(gradient[i]) - along
        if slope >= 0.0:
            break
        moved = gradient + pull
        curvature = float(diagonal[i]) - 2.0 * float(moved[i]) + along + float(pull @ x)
        step = min(1.0, -slope / curvature) if curvature > 0.0 else 1.0
        gain = -2.0 * step * slope - step**2 * curvature
        x = (1.0 - step) * x
        x[i] += step
        gradient = (1.0 - step) * gradient + step * shifted[i]
        if iteration >= 1 and gain <= least:
            break
    return x
