"""Trimmed match: an effect per unit of exposure from matched pairs, with the most surprising pairs left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from weathervane.contracts.errors import NotEnoughData
from weathervane.experiments.panel import Floats

_MAX_TRIM_SHARE = 0.25
_MIN_PAIRS = 5


@dataclass(frozen=True)
class TrimmedMatch:
    """Differences of pairs (treated minus control): `response` and `exposure` [n_pairs], `n_trimmed` at either end."""

    response: Floats
    exposure: Floats
    n_trimmed: int

    def statistics(self, thetas: Floats) -> Floats:
        """Studentised trimmed means of response - theta * exposure, one for each of `thetas` [n]."""
        rests = np.sort(self.response - thetas[:, None] * self.exposure, axis=1)
        m, n = self.n_trimmed, rests.shape[1]
        kept = rests[:, m : n - m]
        mean = kept.mean(axis=1)
        winsorised = np.concatenate([kept, np.repeat(kept[:, [0, -1]], m, axis=1)], axis=1)
        error = winsorised.std(axis=1, ddof=1) * np.sqrt(n) / (n - 2 * m)
        return mean / np.maximum(error, np.finfo(float).tiny)

    def p_values(self, thetas: Floats) -> Floats:
        """Two-sided p-values of `thetas` [n]."""
        df = len(self.response) - 2 * self.n_trimmed - 1
        return 2.0 * np.asarray(student.sf(np.abs(self.statistics(thetas)), df), dtype=np.float64)

    def estimate(self) -> float:
        """The theta at which the trimmed mean of response - theta * exposure is 0, next to the untrimmed ratio."""
        total = float(self.exposure.sum())
        theta = float(self.response.sum()) / total
        for _ in range(100):
            order = np.argsort(self.response - theta * self.exposure, kind="stable")
            kept = order[self.n_trimmed : len(order) - self.n_trimmed]
            renewed = float(self.response[kept].sum() / self.exposure[kept].sum())
            if renewed == theta:
                break
            theta = renewed
        return theta

    def kept(self) -> NDArray[np.intp]:
        """Pairs that the estimate rests on."""
        order = np.argsort(self.response - self.estimate() * self.exposure, kind="stable")
        return np.sort(order[self.n_trimmed : len(order) - self.n_trimmed])


def trimmed_match(response: Floats, exposure: Floats) -> TrimmedMatch:
    """The trim, of up to a quarter of the pairs at either end, that gives the smallest standard error of theta.

    experiments.md, "Trimmed match". NotEnoughData with fewer than five pairs or no exposure.
    """
    n = len(response)
    if n < _MIN_PAIRS:
        raise NotEnoughData(
            f"Trimmed match needs {_MIN_PAIRS} pairs of places, and there are {n}.",
            "use another estimator, or more places.",
        )
    if float(exposure.sum()) == 0.0:
        raise NotEnoughData("The pairs do not differ in exposure.", "use an estimator without exposure.")
    fits = [TrimmedMatch(response, exposure, m) for m in range(int(_MAX_TRIM_SHARE * n) + 1) if n - 2 * m >= 3]
    return min(fits, key=_standard_error)


def _standard_error(fit: TrimmedMatch) -> float:
    theta = fit.estimate()
    kept = fit.kept()
    rests = np.sort((fit.response - theta * fit.exposure)[kept])
    winsorised = np.concatenate([rests, np.repeat(rests[[0, -1]], fit.n_trimmed)])
    n = len(fit.response)
    spread = float(winsorised.std(ddof=1)) * np.sqrt(n) / (n - 2 * fit.n_trimmed)
    return spread / abs(float(fit.exposure[kept].mean()))
