"""Placebos: effects looked for where there are none, on each control geo and in windows before the test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from weathervane.contracts.experiment import EstimatorName, Placebo
from weathervane.experiments.counterfactual import contrasts
from weathervane.experiments.panel import Bools, Floats

_MAX_WINDOWS = 3
_MIN_PAST = 2  # windows of history that a placebo window must have before it
_PASS_LEVEL = 0.05


def placebos_in_space(
    estimator: EstimatorName, outcome: Floats, treated: Bools, n_pre: int, names: tuple[str, ...]
) -> tuple[Placebo, ...]:
    """Each control geo as if it had been treated, against the other controls; the treated ones take no part."""
    controls = outcome[~treated]
    kept = [name for name, mask in zip(names, treated, strict=True) if not mask]
    if len(controls) < 3:
        return ()
    masks = np.eye(len(controls), dtype=np.bool_)
    paths = contrasts(estimator, controls, masks, n_pre).effects(controls)[:, n_pre:]
    expected = controls[:, n_pre:] - paths
    return tuple(
        Placebo("space", name, _ratio(path.sum(), base.sum()), None, tuple(float(v) for v in path / _level(base)))
        for name, path, base in zip(kept, paths, expected, strict=True)
    )


def placebos_in_time(
    outcome: Floats,
    n_pre: int,
    read: Callable[[Floats, int], tuple[Floats, Floats, float]],
    labels: Callable[[int, int], str],
) -> tuple[Placebo, ...]:
    """Up to three windows as long as the test, one before the other, right before it.

    `read(outcome, n_pre)` gives the daily effect, the daily counterfactual and the p-value of a window that ends
    with `outcome`.
    """
    length = outcome.shape[1] - n_pre
    found: list[Placebo] = []
    for i in range(1, _MAX_WINDOWS + 1):
        start = n_pre - i * length
        if start < _MIN_PAST * length:
            break
        effect, expected, p_value = read(outcome[:, : start + length], start)
        found.append(
            Placebo(
                "time",
                labels(start, start + length - 1),
                _ratio(float(effect.sum()), float(expected.sum())),
                p_value,
                tuple(float(v) for v in effect / _level(expected)),
            )
        )
    return tuple(found)


def placebo_pass(placebos: tuple[Placebo, ...], alpha: float) -> bool | None:
    """False if more windows reject than chance allows (less than 1 in 20); None with fewer than two windows."""
    p_values = [placebo.p_value for placebo in placebos if placebo.p_value is not None]
    if len(p_values) < 2:
        return None
    rejected = sum(p <= alpha for p in p_values)
    return bool(binom.sf(rejected - 1, len(p_values), alpha) >= _PASS_LEVEL)


def _ratio(effect: float, expected: float) -> float:
    return effect / expected if expected != 0.0 else 0.0


def _level(expected: Floats) -> float:
    return float(np.abs(expected).mean()) or 1.0
