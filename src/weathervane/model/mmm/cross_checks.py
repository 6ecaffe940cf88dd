"""What else must be said of a fit: spend that follows the weather, and experiments beside what was expected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.figures import channel_name, ratio
from weathervane.contracts.fit import ExperimentShift
from weathervane.contracts.forecast import Quantiles
from weathervane.model.features.build import Panel
from weathervane.model.mmm.calibration import check_experiment
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.prepare import prepare, without_tested
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.weather_reaction import weather_reactions, without_weather

Floats = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class CrossChecks:
    """Sentences for whoever reads the fit, and what each experiment did to the return of its channel."""

    caveats: tuple[str, ...]
    shifts: tuple[ExperimentShift, ...] = ()


def usable_experiments(
    panel: Panel, priors: Priors, experiments: tuple[LiftResult, ...], likelihood: Likelihood = "normal"
) -> tuple[tuple[LiftResult, ...], tuple[str, ...]]:
    """The experiments this panel can take into account, and a sentence for each that it cannot."""
    usable, left_out = [], []
    for experiment in experiments:
        try:
            prepare(panel, priors, (experiment,), likelihood)
        except BadInput as refused:
            left_out.append(f"Left out of the model: {refused.problem}")
        else:
            usable.append(experiment)
    return tuple(usable), tuple(left_out)


def against_the_weather(
    panel: Panel,
    priors: Priors,
    roi: Floats,
    seed: int,
    progress: Progress,
    likelihood: Likelihood = "normal",
    checkpoint: Checkpoint | None = None,
) -> CrossChecks:
    """Which spend reacts to the weather, with its return adjusted `roi` [s, c] beside what a blind model would say."""
    reacting = [(c, each) for c, each in enumerate(weather_reactions(panel)) if each.reacts]
    if not reacting:
        return CrossChecks(())
    progress("measuring returns as a model without weather would")
    blind = fit_media_mix(without_weather(panel), priors, seed, likelihood=likelihood, checkpoint=checkpoint).roi
    return CrossChecks(
        tuple(
            f"{each.sentence} {channel_name(each.channel)} returns {_range(roi[:, c])}, 9 in 10, with the weather "
            f"taken into account; a model without weather would say {_range(blind[:, c])}."
            for c, each in reacting
        )
    )


def against_experiments(
    panel: Panel,
    priors: Priors,
    experiments: tuple[LiftResult, ...],
    roi: Floats,
    seed: int,
    progress: Progress,
    likelihood: Likelihood = "normal",
    checkpoint: Checkpoint | None = None,
) -> CrossChecks:
    """Each experiment beside what a fit without it expects, and the shift to `roi` [s, c], which has seen them all."""
    if not experiments:
        return CrossChecks(())
    progress("fitting without the experiments, to compare")
    hidden = without_tested(panel, experiments)
    without = fit_media_mix(hidden, priors, seed, likelihood=likelihood, checkpoint=checkpoint)
    checks = [check_experiment(without, panel, experiment) for experiment in experiments]
    tested = [panel.channels.index(experiment.channel) for experiment in experiments]
    shifts = [
        ExperimentShift(each.experiment_id, each.channel, _quantiles(without.roi[:, c]), _quantiles(roi[:, c]))
        for each, c in zip(checks, tested, strict=True)
    ]
    return CrossChecks(tuple(each.sentence for each in checks), tuple(shifts))


def _quantiles(draws: Floats) -> Quantiles:
    return Quantiles(*(float(value) for value in np.quantile(draws, [0.1, 0.5, 0.9])))


def _range(draws: Floats) -> str:
    low, mid, high = (ratio(float(value)) for value in np.quantile(draws, [0.05, 0.5, 0.95]))
    return f"{mid} for each 1 spent (from {low} to {high})"
