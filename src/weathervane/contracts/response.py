"""Response: what budget and weather do to the outcome, as posterior draws that planning reads with NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ResponseCurves:
    """Outcome caused per week by a weekly budget held steady, per geo and channel, thinned posterior draws.

    Arrays are indexed [geo g, channel c, grid point k, draw d]; budgets and outcomes are in major currency units (or
    outcome units a week). At a mean temperature anomaly z and an anomaly `wet` of the share of wet days the outcome is
    `outcome + z * outcome_per_z + wet * outcome_per_wet`; the last is None where rain is taken to change nothing.
    `spend_max` is the largest weekly spend ever observed: beyond it a curve is extrapolation. `carry_over` is the share
    of a day's pressure on its own day and each later one, which adds up to one; None where a fit does not say.
    """

    model_id: str
    geos: tuple[str, ...]
    channels: tuple[str, ...]
    budget: Floats  # [g, c, k], increasing in k, starts at 0
    outcome: Floats  # [g, c, k, d]
    outcome_per_z: Floats  # [g, c, k, d]
    spend_recent: Floats  # [g, c] mean weekly spend over the last four weeks
    spend_max: Floats  # [g, c]
    carry_over: Floats | None = None  # [c, lag, d], lags in days from 0
    outcome_per_wet: Floats | None = None  # [g, c, k, d]

    def __post_init__(self) -> None:
        g, c = len(self.geos), len(self.channels)
        k, d = self.budget.shape[-1], self.outcome.shape[-1]
        shapes = {
            "budget": (g, c, k),
            "outcome": (g, c, k, d),
            "outcome_per_z": (g, c, k, d),
            "spend_recent": (g, c),
            "spend_max": (g, c),
        }
        if self.outcome_per_wet is not None:
            shapes["outcome_per_wet"] = (g, c, k, d)
        for name, shape in shapes.items():
            array: Floats = getattr(self, name)
            if array.shape != shape:
                raise BadInput(f"Response curves: {name} has shape {array.shape}, not {shape}.", "rebuild them.")
            if not np.isfinite(array).all():
                raise BadInput(f"Response curves: {name} holds values that are not finite.", "refit the model.")
            array.setflags(write=False)
        if self.carry_over is not None:
            if self.carry_over.ndim != 3 or self.carry_over.shape[::2] != (c, d):
                raise BadInput(
                    f"Response curves: carry_over has shape {self.carry_over.shape}, not ({c}, lags, {d}).",
                    "rebuild them.",
                )
            if not (np.abs(self.carry_over.sum(axis=1) - 1) < 1e-6).all() or (self.carry_over < 0).any():
                raise BadInput("Response curves: carry_over is not a set of shares.", "refit the model.")
            self.carry_over.setflags(write=False)
        if len(set(self.geos)) != g or len(set(self.channels)) != c:
            raise BadInput("Response curves name a geo or channel twice.", "rebuild them.")

    def at(self, geo: str, channel: str, budgets: Floats, z: float = 0.0, wet: float = 0.0) -> Floats:
        """Draws [len(budgets), d] of the outcome a week at these weekly budgets, linear between grid points."""
        g, c = self.geos.index(geo), self.channels.index(channel)
        grid, draws = self.budget[g, c], self.outcome[g, c] + z * self.outcome_per_z[g, c]
        if self.outcome_per_wet is not None:
            draws = draws + wet * self.outcome_per_wet[g, c]
        right = np.clip(np.searchsorted(grid, budgets, side="right"), 1, len(grid) - 1)
        weight = ((budgets - grid[right - 1]) / (grid[right] - grid[right - 1]))[:, None]
        return (1 - weight) * draws[right - 1] + weight * draws[right]


@dataclass(frozen=True)
class WeatherEffect:
    """What one unit of a weather index does to demand, relative: quantiles of the total over its lags."""

    category: str
    index: str  # warm | cold | wet
    unit: str  # what one unit is, in words
    rel_p05: float
    rel_p50: float
    rel_p95: float

    @property
    def told_from_zero(self) -> bool:
        """Whether the 90 % interval excludes no effect."""
        return self.rel_p05 > 0 or self.rel_p95 < 0


@dataclass(frozen=True)
class PromotionEffect:
    """What promoting a category all week at its usual depth does to that week's demand, relative, pull-back counted."""

    category: str
    depth_share: float
    rel_p05: float
    rel_p50: float
    rel_p95: float


@dataclass(frozen=True)
class WeatherResponse:
    """Weather effects on demand per category; empty `effects` says weather was not modelled, and `note` why."""

    effects: tuple[WeatherEffect, ...]
    note: str

    def of(self, category: str) -> Sequence[WeatherEffect]:
        """The effects on one category."""
        return [effect for effect in self.effects if effect.category == category]
