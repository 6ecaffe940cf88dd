"""Channels that cannot be told apart, and the test that would separate them (mmm.md, "Separability")."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.examination import CorrelationChart, Pair, Range
from weathervane.contracts.figures import channel_name, ratio
from weathervane.model.mmm.decomposition import interval
from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.holdout import holdout_sd

Floats = NDArray[np.float64]

INSEPARABLE = -0.4  # at this correlation of what two channels caused, or below, their sum is known better than each
ALIKE = (
    0.95  # spend that correlates so within places leaves nothing to tell two channels apart by, whatever the draws say
)
_WEEKS = (4, 6, 8, 12)
_SETTLED = 0.5  # a test settles a channel when it measures its return twice as well as the fit


def correlations(fit: MediaMixFit) -> CorrelationChart:
    """Posterior correlations of what the channels caused."""
    matrix = np.atleast_2d(np.corrcoef(fit.contribution_share.T))
    return CorrelationChart(fit.channels, tuple(tuple(float(value) for value in row) for row in matrix))


def pairs(fit: MediaMixFit) -> tuple[Pair, ...]:
    """Every pair of channels, the least separable first.

    Two channels cannot be told apart when the correlation of what they caused is −0.4 or less: whatever one gains in a
    draw the other loses, so their sum is known better than either. Nor can they when their spend hardly differs.
    """
    rows = correlations(fit).rows
    found = [_pair(fit, a, b, rows[a][b]) for a, b in combinations(range(len(fit.channels)), 2)]
    return tuple(sorted(found, key=lambda pair: (pair.told_apart, pair.correlation)))


def _pair(fit: MediaMixFit, a: int, b: int, correlation: float) -> Pair:
    spend = fit.design.spend_share[[a, b]]
    joint: Range | None = None
    if spend.sum() > 0:
        level_periods = fit.design.z.shape[1]  # the outcome is its level in each of them
        joint = interval(fit.contribution_share[:, [a, b]].sum(axis=1) * level_periods / spend.sum())
    told = correlation > INSEPARABLE and _alike(fit, a, b) < ALIKE
    return Pair(
        first=fit.channels[a],
        second=fit.channels[b],
        correlation=correlation,
        told_apart=told,
        joint_roi=joint,
        sentence=_sentence(fit, a, b, told=told, joint=joint),
    )


def _alike(fit: MediaMixFit, a: int, b: int) -> float:
    """The correlation of two channels' exposure, each place's mean taken out."""
    exposure = fit.design.exposure[[a, b], :, fit.design.run_up :]
    varying = (exposure - exposure.mean(axis=2, keepdims=True)).reshape(2, -1)
    return float(varying[0] @ varying[1] / max(np.sqrt((varying**2).sum(axis=1).prod()), 1e-12))


def _sentence(fit: MediaMixFit, a: int, b: int, *, told: bool, joint: Range | None) -> str:
    first, second = channel_name(fit.channels[a]), channel_name(fit.channels[b])
    if told:
        return f"{first} and {second} can be told apart."
    together = (
        f" Together they return {ratio(joint.p50)} for each 1 spent (from {ratio(joint.p05)} to {ratio(joint.p95)}, "
        "9 in 10)."
        if joint
        else ""
    )
    return f"{first} and {second} cannot be told apart.{together} {_test(fit, a, b)}"


def _test(fit: MediaMixFit, a: int, b: int) -> str:
    """The shortest holdout of one of the two that measures it twice as well as the fit does."""
    sd = fit.roi[:, [a, b]].std(axis=0)
    candidates = [
        (weeks, float(holdout_sd(fit, weeks)[[a, b]][i]), (a, b)[i])
        for weeks in _WEEKS
        for i in (0, 1)
        if np.isfinite(sd[i]) and holdout_sd(fit, weeks)[[a, b]][i] <= _SETTLED * sd[i]
    ]
    place = "everywhere" if len(fit.geos) == 1 else "in half of the places"
    if not candidates:
        return f"A holdout of {_WEEKS[-1]} weeks {place} would not separate them: merge them, or vary one far more."
    weeks, error, channel = min(candidates)
    return (
        f"To separate them, stop {channel_name(fit.channels[channel])} {place} for {weeks} weeks: that measures its "
        f"return within ±{ratio(1.645 * error)} (9 in 10)."
    )
