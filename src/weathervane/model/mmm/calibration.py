"""What the model expected of an experiment before it saw it, beside what was measured (mmm.md, "Conflict")."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.stats import norm

from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.figures import channel_name
from weathervane.model.features.build import Panel
from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.likelihood import N_SHAPES, heard, saturated
from weathervane.model.mmm.prepare import experiment_rows
from weathervane.model.mmm.transforms import Shape

Floats = NDArray[np.float64]
CONFLICT = 0.05
_NINETY = 1.645  # standard deviations either side of a Gaussian's middle that hold nine tenths of it


@dataclass(frozen=True)
class ExperimentCheck:
    """A test beside the model's expectation of its lift, made without it; lifts in currency."""

    experiment_id: str
    channel: str
    expected: float
    expected_sd: float
    measured: float
    measured_sd: float
    p_value: float
    conflicts: bool
    sentence: str


def check_experiment(fit: MediaMixFit, panel: Panel, experiment: LiftResult) -> ExperimentCheck:
    """The expectation of a fit that has not seen `experiment`, and how unlikely the measured lift is under it."""
    lifts = expected_lift(fit, panel, experiment)
    _, _, (lift, sd) = experiment_rows(fit.design, panel, experiment)
    measured, measured_sd = float(lift * fit.design.level.sum()), float(sd * fit.design.level.sum())
    expected, expected_sd = float(lifts.mean()), float(lifts.std())
    distance = abs(measured - expected) / max(float(np.hypot(expected_sd, measured_sd)), 1e-12)
    p_value = 2 * float(norm.sf(distance))
    conflicts = p_value <= CONFLICT
    verdict = (
        "The two contradict each other: look for what differs"
        if conflicts
        else "Their ranges overlap, so they do not contradict each other"
    )
    return ExperimentCheck(
        experiment.experiment_id,
        experiment.channel,
        expected,
        expected_sd,
        measured,
        measured_sd,
        p_value,
        conflicts,
        f"The geo test of {channel_name(experiment.channel)} found that ads brought {_ranged(measured, measured_sd)}. "
        f"Without the test the model expected {_ranged(expected, expected_sd)}. {verdict}.",
    )


def _ranged(middle: float, sd: float) -> str:
    """`284,000 (9 in 10: from 151,000 to 418,000)`: a lift in units of the outcome, to three digits."""
    low, centre, high = (f"{float(f'{middle + times * sd:.3g}'):,.0f}" for times in (-_NINETY, 0.0, _NINETY))
    return f"{centre} (9 in 10: from {low} to {high})"


def expected_lift(fit: MediaMixFit, panel: Panel, experiment: LiftResult, n_draws: int = 200) -> Floats:
    """Draws [s] of the lift in currency that the fit expects of the experiment's places, days and change of spend."""
    without, weight, _ = experiment_rows(fit.design, panel, experiment)
    channel = fit.channels.index(experiment.channel)
    one = fit.form._replace(
        carry_over=fit.form.carry_over[channel : channel + 1], saturation=fit.form.saturation[channel : channel + 1]
    )
    chosen = np.linspace(0, len(fit.coordinates) - 1, n_draws).round().astype(int)
    center, spread = (np.asarray(each) for each in (fit.data.shape_center, fit.data.shape_spread))
    own = fit.coordinates[chosen][:, : N_SHAPES * len(fit.channels)].reshape(n_draws, N_SHAPES, -1)
    shapes = np.exp(center[:, channel] + spread[:, channel] * own[:, :, channel])
    factors = fit.factors(chosen)[:, channel]
    exposure = jnp.asarray(np.stack([fit.design.exposure[channel], without]))
    lifts = np.empty(n_draws)
    for i, row in enumerate(shapes):
        shape = Shape(*(jnp.full(1, value) for value in row))
        # One channel's own shape, so that its place among all does not matter.
        rows = [_heard(each, fit, channel, shape) for each in exposure]
        actual, other = (np.asarray(saturated(each[None], shape, one))[0] for each in rows)
        caused = weight * (actual - other) * factors[i]
        z = float((caused * fit.design.z).sum()) * fit.modulation[chosen[i], channel]
        wet = float((caused * fit.design.wet).sum()) * fit.wet_modulation[chosen[i], channel]
        lifts[i] = caused.sum(axis=1) @ fit.effect_by_geo[chosen[i], :, channel] + z + wet
    return lifts * fit.design.level.sum()


def _heard(exposure: Array, fit: MediaMixFit, channel: int, shape: Shape) -> Array:
    if channel not in fit.form.frequency:
        return exposure
    own = fit.data.frequency[fit.form.frequency.index(channel)]
    return heard(exposure, 0, shape, own[None], fit.form._replace(frequency=(0,)))
