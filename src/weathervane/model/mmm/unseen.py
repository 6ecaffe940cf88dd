"""How well a model foretells weeks it has not seen, beside the floors: a refit with the last quarter hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.forecast import BacktestScore
from weathervane.model.features.build import Panel
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.decomposition import joint_draws, predict
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.hierarchical import ENGINE, fit_media_mix
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]

HIDDEN_WEEKS = 13
LEAST_WEEKS = 52  # of history to fit to
_DRAWS = 100


def unseen_weeks(
    panel: Panel,
    priors: Priors,
    seed: int,
    progress: Callable[[str], None],
    *,
    experiments: tuple[LiftResult, ...] = (),
    start: Floats | None = None,
    likelihood: Likelihood = "normal",
    checkpoint: Checkpoint | None = None,
) -> tuple[BacktestScore, ...]:
    """WAPE of the total of the last 13 weeks, hidden from a refit that knows their spend, weather and prices; then of
    seasonal naive and of the mean of the 13 weeks before (mmm.md, "Unseen weeks").

    Experiments that reach into the hidden weeks stay out. Empty below 65 weeks of history, or where a hidden week has
    no outcome. Raises what a fit raises.
    """
    if not can_be_tested(panel):
        return ()
    per_week = 7 // panel.step_days
    hidden, n = HIDDEN_WEEKS * per_week, panel.n_past
    whole = panel.outcome[0, :, :n].sum(axis=0)
    progress(f"foretelling the last {HIDDEN_WEEKS} weeks without having seen them")
    outcome = panel.outcome.copy()
    outcome[:, :, n - hidden : n] = np.nan
    first = panel.starts[n - hidden]
    known = tuple(each for each in experiments if each.window.end < first)
    without = replace(panel, outcome=outcome)
    fit = fit_media_mix(
        without, priors, seed, experiments=known, start=start, likelihood=likelihood, checkpoint=checkpoint
    )
    expected = np.mean(list(predict(fit, joint_draws(fit, seed, _DRAWS))), axis=0).sum(axis=0)
    weeks = by_week(whole, per_week)
    actual = weeks[-HIDDEN_WEEKS:]
    guesses = {
        ENGINE: by_week(expected, per_week)[-HIDDEN_WEEKS:],
        "seasonal naive": weeks[-HIDDEN_WEEKS - 52 : -52],
        "recent mean": np.full(HIDDEN_WEEKS, np.nanmean(weeks[-2 * HIDDEN_WEEKS : -HIDDEN_WEEKS])),
    }
    return tuple(
        BacktestScore(name, float(np.abs(actual - guess).sum() / np.abs(actual).sum()), HIDDEN_WEEKS)
        for name, guess in guesses.items()
        if np.isfinite(guess).all()
    )


def can_be_tested(panel: Panel) -> bool:
    """Whether there is enough history, and an outcome in every week that would be hidden."""
    per_week, n = 7 // panel.step_days, panel.n_past
    hidden = panel.outcome[0, :, n - HIDDEN_WEEKS * per_week : n]
    return n >= (HIDDEN_WEEKS + LEAST_WEEKS) * per_week and bool(np.isfinite(hidden).all())


def by_week(values: Floats, per_week: int) -> Floats:
    """[t // per_week]: sums of whole weeks, counted back from the last."""
    n = len(values) // per_week * per_week
    return values[len(values) - n :].reshape(-1, per_week).sum(axis=1)
