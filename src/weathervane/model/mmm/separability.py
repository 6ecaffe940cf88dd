"""Channels that cannot be told apart, and the test that would separate them (mmm.md, "Separability")."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.examination import CorrelationChart, Pair, Range
from weathervane.contracts.figures import channel_name, ratio, ratios
from weathervane.model.mmm.collinearity import collinear
from weathervane.model.mmm.decomposition import interval
from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.holdout import holdout_sd

Floats = NDArray[np.float64]

_WEEKS = (4, 6, 8, 12)
_SETTLED = 0.5  # a test settles a channel when it measures its return twice as well as the fit


def correlations(fit: MediaMixFit) -> CorrelationChart:
    """Posterior correlations of what the channels caused."""
    matrix = np.atleast_2d(np.corrcoef(fit.contribution_share.T))
    return CorrelationChart(fit.channels, tuple(tuple(float(value) for value in row) for row in matrix))


def pairs(fit: MediaMixFit) -> tuple[Pair, ...]:
    """Every pair of channels, those that cannot be told apart first: what training, plans and pages go by too."""
    rows, groups = correlations(fit).rows, collinear(fit.design, fit.data, fit.form)
    found = [
        (rows[a][b], _pair(fit, a, b, rows[a][b], told=not any(a in group and b in group for group in groups)))
        for a, b in combinations(range(len(fit.channels)), 2)
    ]
    return tuple(pair for _, pair in sorted(found, key=lambda each: (each[1].told_apart, each[0])))


def _pair(fit: MediaMixFit, a: int, b: int, correlation: float, *, told: bool) -> Pair:
    spend = fit.design.spend_share[[a, b]]
    joint: Range | None = None
    if spend.sum() > 0:
        level_periods = fit.design.z.shape[1]  # the outcome is its level in each of them
        joint = interval(fit.contribution_share[:, [a, b]].sum(axis=1) * level_periods / spend.sum())
    return Pair(
        first=fit.channels[a],
        second=fit.channels[b],
        correlation=correlation,
        told_apart=told,
        joint_roi=joint,
        sentence=_sentence(fit, a, b, told=told, joint=joint),
    )


def _sentence(fit: MediaMixFit, a: int, b: int, *, told: bool, joint: Range | None) -> str:
    first, second = channel_name(fit.channels[a]), channel_name(fit.channels[b])
    if told:
        return f"{first} and {second} can be told apart."
    middle, low, high = ratios(joint.p50, joint.p05, joint.p95) if joint else ("", "", "")
    together = f" Together they returned {middle} for each 1 spent (from {low} to {high}, 9 in 10)." if joint else ""
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
        f"return to within {ratio(1.645 * error)} either way (9 in 10)."
    )
