"""Did the chains agree? Rank-normalised split R-hat and effective sample size (mmm.md, "Convergence")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]

RHAT_MAX = 1.01
ESS_MIN = 400.0


def agree(rhat_max: float, ess_min: float) -> bool:
    """Whether a fit may be shown."""
    return rhat_max <= RHAT_MAX and ess_min >= ESS_MIN


def rhat(draws: Floats) -> float:
    """Rank-normalised split R-hat of draws [chain, draw], the larger of bulk and folded; 1 when constant."""
    folded = np.abs(draws - np.median(draws))
    return max(_split_rhat(_rank_normal(draws)), _split_rhat(_rank_normal(folded)))


def ess(draws: Floats) -> float:
    """Bulk effective sample size of draws [chain, draw]: rank-normalised, split, Geyer's monotone sequence."""
    x = _split(_rank_normal(draws))
    chains, n = x.shape
    centred = x - x.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n, axis=1)) ** 2
    autocovariance = np.fft.irfft(spectrum, axis=1)[:, :n] / n
    within = autocovariance[:, 0].mean() * n / (n - 1)
    pooled = within * (n - 1) / n + x.mean(axis=1).var(ddof=1)
    if pooled <= 0:
        return float(chains * n)
    rho = 1 - (within - autocovariance.mean(axis=0) * n / (n - 1)) / pooled
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0]] if len(negative) else pairs)
    time = max(2 * pairs.sum() - 1, 1 / np.log10(chains * n))
    return float(chains * n / time)


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _rank_normal(draws: Floats) -> Floats:
    ranks = rankdata(draws).reshape(draws.shape)
    return np.asarray(ndtri((ranks - 0.375) / (draws.size + 0.25)), dtype=np.float64)


def _split_rhat(draws: Floats) -> float:
    x = _split(draws)
    n = x.shape[1]
    within = x.var(axis=1, ddof=1).mean()
    between = n * x.mean(axis=1).var(ddof=1)
    return float(np.sqrt(((n - 1) / n * within + between / n) / within)) if within > 0 else 1.0
