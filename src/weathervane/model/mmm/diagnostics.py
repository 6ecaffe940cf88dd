"""Did the chains agree, and was what they drew from close enough? (mmm.md, "Convergence")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]

RHAT_MAX = 1.01
ESS_MIN = 400.0
EBFMI_MIN = 0.2
# Of what is not reported as a return: with eight half-chains of a hundred draws, R-hat reaches 1.04 by chance.
INNER_RHAT_MAX, INNER_ESS_MIN = 1.05, 200.0


@dataclass(frozen=True)
class Block:
    """Parameters of a kind, and the worst of them; `channel` is None for one that belongs to no channel."""

    name: str
    parameter: str
    channel: str | None
    rhat: float
    ess: float
    ess_tail: float

    @property
    def agreed(self) -> bool:
        """Whether its chains agree."""
        return self.rhat <= INNER_RHAT_MAX and min(self.ess, self.ess_tail) >= INNER_ESS_MIN

    @property
    def doubt(self) -> str:
        """Which parameter is in doubt, of which channel, and by how much."""
        of = "" if self.channel is None else f" of {self.channel}"
        figures = f"R-hat {self.rhat:.3f}, {min(self.ess, self.ess_tail):.0f} effective draws"
        return f"of the {self.name}, {self.parameter}{of} is the least certain ({figures})"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.channel is None:
            return "import more history, or model fewer places"
        return f"narrow the prior of {self.parameter} of {self.channel}, of which its spend says little"


@dataclass(frozen=True)
class Convergence:
    """What the draws of every channel's effect say of themselves.

    `worst` is the position of the channel with the fewest effective draws; `gap_sd` is the standard deviation of the
    logarithm of the exact density over the one that was drawn from, zero when they are the same.
    """

    method: str
    rhat_max: float
    ess_min: float
    ess_tail_min: float
    worst: int
    divergences: int
    ebfmi: float
    gap_sd: float = 0.0
    blocks: tuple[Block, ...] = ()
    strict: bool = False  # no divergence is let pass, nor an energy that hardly moves, nor a block that disagrees

    @classmethod
    def nothing(cls, method: str) -> Convergence:
        """Before the first draw."""
        return cls(method, np.inf, 0.0, 0.0, 0, 0, 0.0)

    @property
    def agreed(self) -> bool:
        """Whether a fit may be shown."""
        returns = self.rhat_max <= RHAT_MAX and min(self.ess_min, self.ess_tail_min) >= ESS_MIN
        return returns and (not self.strict or self._sound)

    @property
    def _sound(self) -> bool:
        return self.divergences == 0 and self.ebfmi >= EBFMI_MIN and all(block.agreed for block in self.blocks)

    def doubts(self, channels: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """What does not pass: a clause with block, parameter and figures, and what to do about it."""
        found: list[tuple[str, str]] = []
        fewest = min(self.ess_min, self.ess_tail_min)
        if not (self.rhat_max <= RHAT_MAX and fewest >= ESS_MIN):
            worst = channels[self.worst]
            found.append(
                (
                    f"what {worst} caused is the least certain of the returns (R-hat {self.rhat_max:.3f}, "
                    f"{fewest:.0f} effective draws)",
                    f"look whether {worst} hardly varies or moves with another channel, and merge or drop one",
                )
            )
        if not self.strict:
            return tuple(found)
        found.extend((block.doubt, block.remedy) for block in self.blocks if not block.agreed)
        if self.divergences:
            found.append((f"{self.divergences} draws diverged", "narrow the priors of half-saturation and slope"))
        if not self.ebfmi >= EBFMI_MIN:
            found.append(
                (
                    f"the energy of the draws hardly moves (E-BFMI {self.ebfmi:.2f}, at least {EBFMI_MIN})",
                    "narrow the priors of the channel that varies least",
                )
            )
        return tuple(found)


def block_of(name: str, draws: Floats, labels: Sequence[tuple[str, str | None]]) -> Block | None:
    """The worst of parameters with draws [chain, draw, k] and a name and channel each; None where nothing varies."""
    varying = [i for i in range(draws.shape[2]) if np.ptp(draws[:, :, i]) > 0]
    if not varying:
        return None
    said = [(rhat(draws[:, :, i]), ess(draws[:, :, i]), tail_ess(draws[:, :, i])) for i in varying]
    # The one furthest from its bars, by whichever of them.
    badness = [max((r - 1) / (INNER_RHAT_MAX - 1), INNER_ESS_MIN / max(min(e, t), 1e-9)) for r, e, t in said]
    worst = int(np.argmax(badness))
    parameter, channel = labels[varying[worst]]
    return Block(name, parameter, channel, *said[worst])


def convergence(draws: Floats, divergences: int, ebfmi: float, method: str) -> Convergence:
    """Of draws [chain, draw, c]."""
    columns = range(draws.shape[2])
    bulk = [ess(draws[:, :, i]) for i in columns]
    return Convergence(
        method=method,
        rhat_max=max(rhat(draws[:, :, i]) for i in columns),
        ess_min=min(bulk),
        ess_tail_min=min(tail_ess(draws[:, :, i]) for i in columns),
        worst=int(np.argmin(bulk)),
        divergences=divergences,
        ebfmi=ebfmi,
    )


def smoothed_weights(log_weights: Floats) -> tuple[Floats, float]:
    """Pareto-smoothed importance weights, summing to one, and k-hat (Vehtari et al., JMLR 2024)."""
    n = len(log_weights)
    weights = np.exp(log_weights - log_weights.max())
    n_tail = int(min(0.2 * n, 3 * np.sqrt(n)))
    order = np.argsort(weights, kind="stable")
    tail = order[-n_tail:]
    cutoff = weights[order[-n_tail - 1]]
    excess = weights[tail] - cutoff
    if excess[-1] <= 1e-9 * max(cutoff, 1e-300):
        return weights / weights.sum(), -np.inf
    k, sigma = _generalised_pareto(np.maximum(excess, 1e-300))
    quantiles = (np.arange(n_tail) + 0.5) / n_tail
    smooth = sigma * np.expm1(-k * np.log1p(-quantiles)) / k if abs(k) > 1e-9 else -sigma * np.log1p(-quantiles)
    weights[tail] = np.minimum(cutoff + smooth, 1.0)
    return weights / weights.sum(), k


def _generalised_pareto(excess: Floats) -> tuple[float, float]:
    """Shape k and scale of sorted excesses: the posterior mean of Zhang and Stephens (Technometrics 2009)."""
    n = len(excess)
    grid = np.arange(1, 31 + int(np.sqrt(n)))
    m = len(grid)
    quarter = excess[int(n / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt(m / (grid - 0.5))) / (3 * quarter)
    k = np.mean(np.log1p(-theta[:, None] * excess), axis=1)
    fit = n * (np.log(-theta / k) - k - 1)
    weight = 1 / np.exp(fit - fit[:, None]).sum(axis=1)
    best = float(np.sum(theta * weight) / weight.sum())
    shape = float(np.mean(np.log1p(-best * excess)))
    # Shrunk a little towards 0.5, as few excesses say little.
    return (n * shape + 5.0) / (n + 10.0), -shape / best


def resampled(weights: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions drawn with these weights, systematically: each as often as its weight says, give or take one."""
    n = len(weights)
    points = (np.arange(n) + rng.uniform()) / n
    return np.searchsorted(np.cumsum(weights) / weights.sum(), points).clip(max=n - 1)


def tail_ess(draws: Floats) -> float:
    """The smaller effective sample size of the indicators of the lowest and highest twentieth."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return min(_ess_of(_split((draws <= low).astype(float))), _ess_of(_split((draws >= high).astype(float))))


def rhat(draws: Floats) -> float:
    """Rank-normalised split R-hat of draws [chain, draw], the larger of bulk and folded; 1 when constant."""
    folded = np.abs(draws - np.median(draws))
    return max(_split_rhat(_rank_normal(draws)), _split_rhat(_rank_normal(folded)))


def ess(draws: Floats) -> float:
    """Bulk effective sample size of draws [chain, draw]: rank-normalised, split, Geyer's monotone sequence."""
    return _ess_of(_split(_rank_normal(draws)))


def _ess_of(x: Floats) -> float:
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
