"""Together: channels that a fit knows only together move only together, and what it has not measured stays as it is.

Rules in docs/modeling/planning.md, "What the fit does not know".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.figures import channel_name
from weathervane.contracts.fit import FitReport
from weathervane.planning.problem import Bound, Limit, Problem


def as_measured(problem: Problem, fit: FitReport, asked: int) -> Problem:
    """The guarded problem under what the fit knows: of some channels only the sum, of others nothing.

    `asked` is the total in minor units that the plan is for: where it is not the current one, what is not measured
    grows or shrinks with it.
    """
    at = {channel: c for c, channel in enumerate(problem.channels)}
    groups = tuple(tuple(at[each] for each in joint.channels if each in at) for joint in fit.joint)
    groups = tuple(group for group in groups if len(group) > 1)
    blind = sorted(at[each.channel] for each in fit.channels if each.standing == "not_measured" and each.channel in at)
    if blind:
        problem = replace(problem, bounds=(*problem.bounds, _stay(problem, blind, asked)))
    limits = (row for group in groups for row in _keep_ratio(problem, group))
    return replace(problem, limits=(*problem.limits, *limits))


def _stay(problem: Problem, channels: list[int], asked: int) -> Bound:
    names = ", ".join(channel_name(problem.channels[c]) for c in channels)
    factor = asked / max(int(problem.current.sum()), 1)
    lo, hi = np.zeros(problem.shape, np.int64), np.full(problem.shape, 2**53, np.int64)
    kept = np.clip(np.rint(factor * problem.current).astype(np.int64), problem.lo, np.maximum(problem.hi, problem.lo))
    if len(channels) == len(problem.channels):
        # Nothing else takes up what rounding leaves of the total.
        kept[np.unravel_index(int(kept.argmax()), kept.shape)] += round(factor * problem.current.sum()) - kept.sum()
    lo[:, channels] = hi[:, channels] = kept[:, channels]
    return Bound(f"{names} not measured, so left as it is", lo, hi)


def _keep_ratio(problem: Problem, group: tuple[int, ...]) -> list[Limit]:
    """Rows that hold each channel's budget to its present part of the group's largest, in every place and period."""
    names = " and ".join(channel_name(problem.channels[c]) for c in group)
    rows = list[Limit]()
    n_geos, _, n_periods = problem.shape
    for g in range(n_geos):
        for t in range(n_periods):
            now = problem.current[g, list(group), t]
            if not now.any():
                continue
            largest = int(np.argmax(now))
            for i, c in enumerate(group):
                if i == largest:
                    continue
                weight = np.zeros(problem.shape)
                weight[g, c, t], weight[g, group[largest], t] = 1.0, -now[i] / now[largest]
                rows.append(Limit(f"{names} change in step", 0.0, 0.0, budget_weight=weight))
    return rows
