"""What the data added to the belief on each return: its posterior beside its prior (mmm.md, "Posterior and prior")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.prior_predictive import prior_draws

Floats = NDArray[np.float64]

_LEFT = 0.8  # of the prior's spread: a posterior as wide as that, in the same place, is the prior
_SAME_PLACE = 0.5  # sd of the prior
_BEYOND = 1.96  # sd of the prior: 19 in 20 of it lie nearer
_HELD = 2.0  # sd of the posterior between it and what the data alone point to
_PRIOR_DRAWS = 200


@dataclass(frozen=True)
class Learnt:
    """Mean and standard deviation of one channel's return before the data and after; NaN for one that costs nothing."""

    prior_mean: float
    prior_sd: float
    mean: float
    sd: float

    @property
    def measured(self) -> bool:
        """Whether the data say anything of the return: a posterior that is its prior measures nothing."""
        return not (
            self.sd >= _LEFT * self.prior_sd and abs(self.mean - self.prior_mean) <= _SAME_PLACE * self.prior_sd
        )

    @property
    def beyond(self) -> bool:
        """Whether the return lies where the prior hardly allowed it."""
        return abs(self.mean - self.prior_mean) > _BEYOND * self.prior_sd

    @property
    def data_alone(self) -> float | None:
        """The return that the data alone point to, both taken as normal; None where they say next to nothing."""
        kept = (self.sd / self.prior_sd) ** 2
        return None if kept >= _LEFT**2 else (self.mean - kept * self.prior_mean) / (1 - kept)

    @property
    def held(self) -> bool:
        """Whether the prior holds the return far, against its own doubt, from what the data alone point to."""
        alone = self.data_alone
        return alone is not None and abs(alone - self.mean) > _HELD * self.sd


def learnt(fit: MediaMixFit, seed: int) -> tuple[Learnt, ...]:
    """Of every channel, from the draws of the fit and its priors."""
    mean, sd = _prior(fit, seed)
    return tuple(
        Learnt(float(mean[c]), float(sd[c]), float(fit.roi[:, c].mean()), float(fit.roi[:, c].std()))
        for c in range(len(fit.channels))
    )


def _prior(fit: MediaMixFit, seed: int) -> tuple[Floats, Floats]:
    """Mean and sd [c] of the prior of every return; drawn where it is not stated of the return itself."""
    data, form, c = fit.data, fit.form, len(fit.channels)
    q = c + len(form.modulated)
    if set(form.effect) == {"roi"} and not np.isfinite(float(data.total_share[1])):
        return np.asarray(data.prior_mean)[-q:][:c], np.asarray(data.prior_sd)[-q:][:c]
    spent = np.where(fit.design.spend_share > 0, fit.design.spend_share, np.nan)
    drawn = prior_draws(data, form, seed, _PRIOR_DRAWS).share * fit.design.z.shape[1] / spent
    return drawn.mean(axis=0), drawn.std(axis=0)
