"""Plan: next week's budget, line by line, with the chance it is right and what would change our mind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import ForecastQuality, Quantiles
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.response import WeatherEffect

Verdict = Literal["change", "keep"]
Direction = Literal["clearly_up", "unclear", "clearly_down", "keep"]
Ribbon = Literal["demo", "not_calibrated", "no_media_signal", "no_weather_forecast", "extrapolates"]


@dataclass(frozen=True)
class PlanLimits:
    """Guardrails of a plan. `total` None keeps the current total; a cell is one geo × channel."""

    max_change_rel: float = 0.15
    total: Money | None = None
    min_cell: Money | None = None
    max_cell: Money | None = None
    allow_extrapolation: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_change_rel <= 1.0:
            raise BadInput(
                f"max_change_rel is {self.max_change_rel}; it must lie between 0 and 1.", "write 0.15 for 15 %."
            )


@dataclass(frozen=True)
class ChannelEvidence:
    """What the data says of one channel: outcome caused per unit of spend, and its share of the outcome."""

    channel: str
    roi: Quantiles
    roi_p05: float
    roi_p95: float
    contribution_share: Quantiles
    weekly_spend: Money
    told_from_zero: bool
    sentence: str


@dataclass(frozen=True)
class MediaSignal:
    """Does spend explain the outcome better than the same spend at the wrong time? A placebo test."""

    told_from_zero: bool
    p_value: float
    n_placebos: int
    sentence: str


@dataclass(frozen=True)
class PlanLine:
    """One geo × channel. Gain, outcome and return are over the whole plan period, in major currency units."""

    geo: str
    channel: str
    current: Money
    recommended: Money
    change: Money
    change_rel: float
    direction: Direction
    gain: Quantiles
    chance_gain: float
    outcome: Quantiles
    marginal_return: Quantiles
    extrapolates: bool
    reason: str
    would_change_our_mind: str


@dataclass(frozen=True)
class GeoOutlook:
    """A place in the plan period: the weather that is coming against normal, and what it does to demand."""

    geo: str
    name: str
    latitude: float | None
    longitude: float | None
    temp_anomaly_c: float | None
    temp_anomaly_z: float | None
    wet_days: float | None
    demand: Quantiles
    demand_weather_rel: float | None
    current: Money
    recommended: Money


@dataclass(frozen=True)
class DemandDay:
    """Total demand of one period starting at `date`: what happened, or what is forecast; never both."""

    date: date
    actual: float | None
    forecast: Quantiles | None
    temp_anomaly_z: float | None


@dataclass(frozen=True)
class Binding:
    """A limit that the plan presses against, in `count` cells or rows.

    `worth` is what one major unit more of room would bring at most, in the objective's unit; None where room is not
    counted in money.
    """

    limit: str
    count: int
    worth: float | None


@dataclass(frozen=True)
class Certificate:
    """How good the allocation is: what is reached, a proven upper bound, and the relative gap between them.

    `of` says what was maximised; `binding` names the limits that keep it from more, the dearest first.
    """

    objective: float
    upper_bound: float
    gap_rel: float
    of: str = "expected outcome"
    binding: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class ModelSummary:
    """The fit behind the plan and whether it converged."""

    model_id: str
    engine: str
    fitted_through: date
    rhat_max: float
    ess_min: float
    divergences: int


@dataclass(frozen=True)
class BudgetPlan:
    """A plan: one sentence, the lines behind it, the evidence behind them. Money totals are exact sums of the lines."""

    schema_version: int
    plan_id: str
    tenant_id: str
    tenant_name: str
    demo: bool
    currency: str
    outcome: str
    as_of: date
    generated_at: str
    period: Period
    valid_until: date
    verdict: Verdict
    sentence: str
    reason: str
    would_change_our_mind: tuple[str, ...]
    total_current: Money
    total_recommended: Money
    gain: Quantiles
    chance_gain: float
    lines: tuple[PlanLine, ...]
    channels: tuple[ChannelEvidence, ...]
    media_signal: MediaSignal
    weather_effects: tuple[WeatherEffect, ...]
    geos: tuple[GeoOutlook, ...]
    demand: tuple[DemandDay, ...]
    forecast_quality: ForecastQuality
    grain: GrainSelection
    limits: PlanLimits
    certificate: Certificate
    model: ModelSummary
    data_hashes: dict[str, str]
    ribbons: tuple[Ribbon, ...]
    caveats: tuple[str, ...]
    outcome_is_money: bool = True

    def __post_init__(self) -> None:
        for name in ("current", "recommended"):
            total: Money = getattr(self, f"total_{name}")
            lines = sum(getattr(line, name).minor for line in self.lines)
            if lines != total.minor:
                raise BadInput(f"The lines' {name} sums to {lines}, the total says {total.minor}.", "rebuild the plan.")


@dataclass(frozen=True)
class TenantSummary:
    """A tenant as the list of tenants shows it."""

    tenant_id: str
    name: str
    demo: bool
    has_plan: bool
    plan_as_of: date | None
