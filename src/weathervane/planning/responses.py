"""Responses: what a cell's budget for the plan period brings, as draws, at the weather its geo expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.money import minor_digits
from weathervane.contracts.response import ResponseCurves

Floats = NDArray[np.float64]
Cell = tuple[str, str]  # (geo, channel)


@dataclass(frozen=True)
class CellResponse:
    """One cell's curve over the whole plan period: budgets in minor units [k], outcome draws [k, d].

    `observed_max` is the budget in minor units at which the largest weekly spend ever seen would be held steady.
    """

    cell: Cell
    budget: Floats
    outcome: Floats
    observed_max: int

    def at(self, budget: float) -> Floats:
        """Draws [d] of the outcome at one budget, linear between grid points as the curves' contract says."""
        right = int(np.clip(np.searchsorted(self.budget, budget, side="right"), 1, len(self.budget) - 1))
        left = right - 1
        weight = (budget - self.budget[left]) / (self.budget[right] - self.budget[left])
        return (1 - weight) * self.outcome[left] + weight * self.outcome[right]

    def marginal(self, budget: int) -> Floats:
        """Draws [d] of the outcome that one more minor unit brings, averaged over 5 % either side of `budget`."""
        low, high = (0.95 * budget, 1.05 * budget) if budget > 0 else (0.0, float(self.budget[1]))
        return (self.at(high) - self.at(low)) / (high - low)

    def half(self, which: int) -> CellResponse:
        """Every second draw, starting at 0 or 1: one half chooses, the other scores."""
        return replace(self, outcome=np.ascontiguousarray(self.outcome[:, which::2]))


def cell_responses(
    curves: ResponseCurves, anomaly_z: Mapping[str, float], weeks: int, currency: str
) -> dict[Cell, CellResponse]:
    """Every cell's response over `weeks` at its geo's temperature anomaly, in order of (geo, channel) names.

    A geo absent from `anomaly_z` is planned at normal weather.
    """
    minor = 10 ** minor_digits(currency)
    result: dict[Cell, CellResponse] = {}
    for geo in sorted(curves.geos):
        g, z = curves.geos.index(geo), anomaly_z.get(geo, 0.0)
        for channel in sorted(curves.channels):
            c = curves.channels.index(channel)
            # Copied to one memory layout, so that sums round alike whatever order the cells came in.
            outcome = np.ascontiguousarray(curves.outcome[g, c] + z * curves.outcome_per_z[g, c]) * weeks
            result[geo, channel] = CellResponse(
                (geo, channel),
                np.ascontiguousarray(curves.budget[g, c]) * weeks * minor,
                outcome,
                int(np.floor(curves.spend_max[g, c] * weeks * minor + 1e-6)),
            )
    return result
