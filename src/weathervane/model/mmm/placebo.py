"""Is there a media signal at all? The real spend against the same spend at the wrong time (mmm.md, "Placebo test")."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.optimize import minimize

from weathervane.contracts.plan import MediaSignal
from weathervane.model.mmm import sampler
from weathervane.model.mmm.design import Design, with_run_up
from weathervane.model.mmm.likelihood import Data, Form, log_density_of, n_coordinates

Floats = NDArray[np.float64]

LEVEL = 0.05
_MAX_PLACEBOS = 99
_NEAREST_WEEKS = 4  # a smaller shift is nearly the real thing
_ITERATIONS = 12


def media_signal(design: Design, data: Data, form: Form) -> MediaSignal:
    """Whether spend explains the outcome better than itself shifted in time, all places and channels together.

    Only weeks that were measured change places: where nothing is known, or nothing was spent and sold anywhere, spend
    stays as it is. Moved into such weeks it could explain nothing, and any real timing would look better. The p-value
    is the rank of the real alignment among at most 99 circular shifts, each given its own best shape; it cannot be
    below 1 / (placebos + 1). A shift keeps what spend looks like and breaks only its link to the outcome.
    """
    exposure = design.exposure[:, :, design.run_up :]
    measured = _measured(design, form)
    n = len(measured)
    shifts = np.arange(_NEAREST_WEEKS, n - _NEAREST_WEEKS + 1)
    if len(shifts) > _MAX_PLACEBOS:
        shifts = shifts[np.linspace(0, len(shifts) - 1, _MAX_PLACEBOS).round().astype(int)]
    real = _best(data, form)
    frequency = design.frequency[:, :, design.run_up :]

    def at_wrong_time(rows: Floats, shift: int) -> Array:
        moved = rows.copy()
        moved[..., measured] = np.roll(rows[..., measured], shift, axis=-1)
        return jnp.asarray(with_run_up(moved, design.step_days))

    placebos = [
        _best(data._replace(exposure=at_wrong_time(exposure, n), frequency=at_wrong_time(frequency, n)), form)
        for n in map(int, shifts)
    ]
    # Said so that a density which could not be evaluated counts against a signal.
    n_better = sum(not placebo < real for placebo in placebos)
    p_value = (1 + n_better) / (1 + len(placebos))
    told = p_value <= LEVEL
    n_worse = len(placebos) - n_better
    sentence = (
        f"Ads leave a mark on sales: they follow the real dates of spend more closely than dates shifted in time, in "
        f"{n_worse} of {len(placebos)} comparisons."
        if told
        else "The effect of ads cannot be told from none: sales follow the real dates of spend more closely than dates "
        f"shifted in time in only {n_worse} of {len(placebos)} comparisons."
    )
    return MediaSignal(told, p_value, len(placebos), sentence)


def _measured(design: Design, form: Form) -> NDArray[np.int64]:
    """Positions of the periods in which an outcome counts in some place, and something was sold or spent."""
    sold = design.observed > 0
    if form.link == "identity":
        sold = sold & (design.relative != 0)
    spent = (design.paid > 0).any(axis=0) & (design.observed > 0)
    return np.flatnonzero((sold | spent).any(axis=0))


def _best(data: Data, form: Form) -> float:
    """The highest log density found in a dozen steps from the prior's centre; the same effort for real and placebo."""
    density: sampler.Density = log_density_of(data, form)

    def negative(x: Floats) -> tuple[float, Floats]:
        value, gradient = density(x)
        return -value, -gradient

    start = np.zeros(n_coordinates(len(data.spend_share)))
    found = minimize(negative, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    return -float(found.fun)
