"""Problem: one question to the allocator, as pure data: curves, horizon, weather, limits, goal and risk.

Formulas in docs/modeling/planning.md, "The problem". Axes: geo g, channel c, period t, point p, grid point k, draw d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import minor_digits
from weathervane.contracts.plan import RiskName

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# The indices of weather that returns may change with (mmm.md, "Model").
Index = Literal["temperature", "wetness"]


@dataclass(frozen=True)
class Goal:
    """What is maximised: `per_outcome` × outcome − `per_spend` × spend, both in major units; `name` says it in words.

    Most outcome is (1, 0), most profit (margin, 1), least cost (0, 1) with the target among the limits.
    """

    name: str = "most outcome"
    per_outcome: float = 1.0
    per_spend: float = 0.0


@dataclass(frozen=True)
class Risk:
    """Which figure of the outcome counts: its mean, its p10, or the mean of its lowest `tail` of draws (CVaR)."""

    name: RiskName = "expected"
    tail: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.tail <= 1.0:
            raise BadInput(
                f"The tail of a risk is {self.tail}; it must lie above 0, up to 1.", "write 0.1 for a tenth."
            )


@dataclass(frozen=True)
class Bound:
    """What one rule lets every cell have, in minor units [g, c, t]. `name` is the rule in words."""

    name: str
    lo: Ints
    hi: Ints


@dataclass(frozen=True)
class Limit:
    """low ≤ Σ budget_weight · budget (minor units) + Σ outcome_weight · outcome (major units) ≤ high.

    Weights are [g, c, t], None is all zero. The outcome of a cell is its mean over draws, within the horizon and by
    this horizon's budgets; with `carried_out`, every cell's weight also counts what comes after the horizon.
    """

    name: str
    low: float
    high: float
    budget_weight: Floats | None = None
    outcome_weight: Floats | None = None
    carried_out: bool = False


@dataclass(frozen=True)
class CarryOver:
    """Where the pressure at each point comes from, as shares that add up to one (docs "Carry-over").

    Points are the periods of the horizon, then weeks after it until nothing is left. `within` [c, p, t, d] is the share
    of period t, `before` and `after` [c, p, d] those of spend before and after the horizon.
    """

    within: Floats
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Modulation:
    """What one index of the weather does to returns: `per_unit` [g, c, k, d] a week for each unit of `anomaly`
    [g, t, d]."""

    index: Index
    per_unit: Floats
    anomaly: Floats


@dataclass(frozen=True)
class Problem:
    """One allocation problem. Build it with sorted names; `best` and `evaluate` read nothing else.

    Curves are per week in major units, as in ResponseCurves; `modulations` are empty where weather changes no return.
    Budgets are per period in minor units of `currency`. `spent` [g, c] is the weekly spend held
    before and after the horizon. `pause` cells may also get exactly zero, whatever their bounds say. `ramp_rel` bounds
    the change from one period to the next, but of cells that are `held` at a budget of their own.
    """

    geos: tuple[str, ...]
    channels: tuple[str, ...]
    n_periods: int
    period_days: int
    currency: str
    grid: Floats  # [g, c, k]
    outcome: Floats  # [g, c, k, d]
    spent: Floats  # [g, c]
    current: Ints  # [g, c, t]
    modulations: tuple[Modulation, ...] = ()
    bounds: tuple[Bound, ...] = ()
    limits: tuple[Limit, ...] = ()
    pause: Bools | None = None
    ramp_rel: float | None = None
    held: Bools | None = None
    goal: Goal = Goal()
    risk: Risk = Risk()
    carry: CarryOver | None = None

    def __post_init__(self) -> None:
        if list(self.geos) != sorted(set(self.geos)) or list(self.channels) != sorted(set(self.channels)):
            raise BadInput("A problem names its geos and channels sorted, each once.", "sort them.")
        for array in (self.current, *(each.lo for each in self.bounds), *(each.hi for each in self.bounds)):
            if array.shape != self.shape:
                raise BadInput(f"Budgets have shape {array.shape}, not {self.shape}.", "give one a cell.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(geos, channels, periods)."""
        return len(self.geos), len(self.channels), self.n_periods

    @property
    def n_draws(self) -> int:
        """Number of posterior draws."""
        return self.outcome.shape[-1]

    @property
    def n_points(self) -> int:
        """Number of points per series at which pressure becomes outcome: the periods, and weeks after the horizon."""
        return self.n_periods if self.carry is None else self.carry.within.shape[1]

    @property
    def point_days(self) -> Floats:
        """Days of each point [p]."""
        after = self.n_points - self.n_periods
        return np.array([self.period_days] * self.n_periods + [7] * after, dtype=np.float64)

    @property
    def minor(self) -> int:
        """Minor units in a major one."""
        return 10 ** minor_digits(self.currency)

    @property
    def per_week(self) -> float:
        """Weekly major units that one minor unit a period amounts to."""
        return 7 / (self.period_days * self.minor)

    @cached_property
    def lo(self) -> Ints:
        """The least each cell may have, over all bounds; at least zero."""
        return np.max([np.zeros(self.shape, np.int64), *(each.lo for each in self.bounds)], axis=0)

    @cached_property
    def hi(self) -> Ints:
        """The most each cell may have, over all bounds; without one, the end of its curve."""
        top = np.floor(self.grid[:, :, -1:] / self.per_week + 1e-6).astype(np.int64)
        return np.min(
            [*(each.hi for each in self.bounds)] or [np.broadcast_to(np.maximum(top, self.lo), self.shape)], axis=0
        )

    @property
    def may_pause(self) -> Bools:
        """Which cells may be switched off [g, c, t]."""
        return np.zeros(self.shape, np.bool_) if self.pause is None else self.pause

    @property
    def is_held(self) -> Bools:
        """Which cells have a budget of their own [g, c, t]."""
        return np.zeros(self.shape, np.bool_) if self.held is None else self.held

    def with_draws(self, chosen: slice | Ints) -> Problem:
        """The same problem seen by some of the draws."""
        carry = self.carry
        return replace(
            self,
            outcome=np.ascontiguousarray(self.outcome[..., chosen]),
            modulations=tuple(
                replace(
                    each,
                    per_unit=np.ascontiguousarray(each.per_unit[..., chosen]),
                    anomaly=np.ascontiguousarray(each.anomaly[..., chosen]),
                )
                for each in self.modulations
            ),
            carry=carry and CarryOver(carry.within[..., chosen], carry.before[..., chosen], carry.after[..., chosen]),
        )


def total(low: float, high: float, shape: tuple[int, int, int], name: str = "the total") -> Limit:
    """The limit on the sum of all budgets, in minor units."""
    return Limit(name, low, high, budget_weight=np.ones(shape))


def carry_over(by_lag: Floats, n_periods: int, period_days: int, *, forget: float = 0.01) -> CarryOver:
    """Shares of pressure from carry-over weights by lag in days [c, lag, d] (docs "Carry-over").

    Spend is taken as even over the days of its period; weeks after the horizon are points as long as more than `forget`
    of some channel's mean effect is still to come.
    """
    n_lags, horizon = by_lag.shape[1], n_periods * period_days
    come = np.concatenate([np.zeros_like(by_lag[:, :1]), np.cumsum(by_lag, axis=1)], axis=1)  # [c, lags + 1, d]
    left = 1 - come.mean(axis=2).min(axis=0)
    weeks_after = int(np.ceil(np.flatnonzero(left <= forget)[0] / 7)) if n_lags > 1 else 0
    starts = [t * period_days for t in range(n_periods)] + [horizon + 7 * w for w in range(weeks_after)]
    ends = [*starts[1:n_periods], horizon, *(start + 7 for start in starts[n_periods:])]

    def share(day: int, first: int, end: int) -> Floats:
        """Share [c, d] of the pressure on `day` that comes from the days `first` to before `end`."""
        newest, oldest = min(max(day - end + 1, 0), n_lags), min(max(day - first + 1, 0), n_lags)
        return come[:, oldest] - come[:, newest]

    within = [
        [
            np.mean([share(day, t * period_days, (t + 1) * period_days) for day in range(start, end)], axis=0)
            for t in range(n_periods)
        ]
        for start, end in zip(starts, ends, strict=True)
    ]
    after = [
        np.mean([share(day, horizon, max(day + 1, horizon)) for day in range(start, end)], axis=0)
        for start, end in zip(starts, ends, strict=True)
    ]
    inside, later = np.array(within).transpose(2, 0, 1, 3), np.array(after).transpose(1, 0, 2)
    return CarryOver(inside, np.maximum(0.0, 1.0 - inside.sum(axis=2) - later), later)
