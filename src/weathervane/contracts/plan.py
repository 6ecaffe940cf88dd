"""Plan: next week's budget, line by line, with the chance it is right and what would change our mind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import ExperimentPayload
from weathervane.contracts.forecast import BacktestScore, ForecastQuality, Quantiles, WeatherBasis
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.response import WeatherEffect

Verdict = Literal["change", "keep"]
Direction = Literal["clearly_up", "unclear", "clearly_down", "keep"]
Ribbon = Literal["demo", "not_calibrated", "no_media_signal", "no_weather_forecast", "extrapolates"]


GoalName = Literal["outcome", "profit", "return_floor", "target", "extra"]
RiskName = Literal["expected", "p10", "cvar"]
Standing = Literal["measured", "only_together", "not_measured"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Scope:
    """Some cells: those of one geo, of one channel, of both at once, or (None, None) all."""

    geo: str | None = None
    channel: str | None = None

    def holds(self, geo: str, channel: str) -> bool:
        """Whether a cell is among them."""
        return self.geo in (None, geo) and self.channel in (None, channel)


@dataclass(frozen=True)
class GroupBudget:
    """Least and most that some cells may have together over the whole plan period; None sets no end."""

    scope: Scope
    minimum: Money | None = None
    maximum: Money | None = None


@dataclass(frozen=True)
class ChannelMinimum:
    """The least that a platform takes of a channel in one cell and period."""

    channel: str
    minimum: Money


@dataclass(frozen=True)
class OutcomeCap:
    """The most that media may bring to a geo over the plan period, in major units: more could not be shipped."""

    geo: str
    maximum: float


@dataclass(frozen=True)
class PlanLimits:
    """Guardrails of a plan. `total` None keeps the current total; a cell is one geo × channel × period.

    `max_change_rel` is against the current budget, `max_step_rel` from one period to the next. `marginal_floor` is the
    least that the next unit of money must bring on average: a cell under it gets no more than its other limits force
    on it; a ceiling on cost per outcome is its inverse. `may_pause` lets a cell be switched off altogether, else
    it holds its own least. Of the current total the geos that have less than half of the budget that
    their demand would give them get `exploration_share`. `fair_*_share` go to every geo.
    """

    max_change_rel: float = 0.15
    total: Money | None = None
    min_cell: Money | None = None
    max_cell: Money | None = None
    allow_extrapolation: bool = False
    max_step_rel: float | None = 0.15
    groups: tuple[GroupBudget, ...] = ()
    platform_minimums: tuple[ChannelMinimum, ...] = ()
    may_pause: bool = False
    marginal_floor: float | None = None
    inventory: tuple[OutcomeCap, ...] = ()
    untouched: tuple[Scope, ...] = ()
    exploration_share: float = 0.0
    fair_budget_share: float = 0.0
    fair_outcome_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_change_rel <= 1.0:
            raise BadInput(
                f"max_change_rel is {self.max_change_rel}; it must lie between 0 and 1.", "write 0.15 for 15 %."
            )
        for name in ("max_step_rel", "exploration_share", "fair_budget_share", "fair_outcome_share"):
            value: float | None = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise BadInput(f"{name} is {value}; it must lie between 0 and 1.", "write 0.15 for 15 %.")


@dataclass(frozen=True)
class PlanAim:
    """What a plan is for. Most outcome of the total; most profit at `margin` per unit of outcome, up to the total; most
    outcome up to the total while all money returns `return_floor`; `target` outcome for the least money; or `extra`
    money placed (taken, if negative) without touching the rest. `tail` belongs to the risk "cvar".
    """

    goal: GoalName = "outcome"
    risk: RiskName = "expected"
    margin: float | None = None
    return_floor: float | None = None
    target: float | None = None
    extra: Money | None = None
    tail: float = 0.1

    def __post_init__(self) -> None:
        needs = {"profit": "margin", "return_floor": "return_floor", "target": "target", "extra": "extra"}
        needed = needs.get(self.goal)
        if needed is not None and getattr(self, needed) is None:
            raise BadInput(f"The goal {self.goal!r} needs a figure.", f"give {needed}.")
        for name in ("margin", "return_floor", "target"):
            value: float | None = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise BadInput(f"The {name.replace('_', ' ')} is {value:g}.", "give a number above zero.")


def check_margin(margin: float, *, outcome_is_money: bool = False) -> float:
    """The margin itself; BadInput where it is not above zero, or above all that was sold where that is money."""
    if not (math.isfinite(margin) and margin > 0) or (outcome_is_money and margin > 1):
        raise BadInput(
            f"The margin is {margin:g}.",
            "give what is left of 1 of sales after the cost of what is sold, like 0.4 for 40 %."
            if outcome_is_money
            else "give what is left of a unit of outcome after its own costs, like 0.4.",
        )
    return margin


@dataclass(frozen=True)
class ChannelEvidence:
    """What the data says of one channel: outcome caused per unit of spend, on average over all that was spent, and its
    share of the outcome.

    Where channels are known `only_together`, each has the return of all of them and its part of their share by spend.
    Of one `not_measured` the figures are what was believed before the data, and no surface shows them as found.
    """

    channel: str
    roi: Quantiles
    roi_p05: float
    roi_p95: float
    contribution_share: Quantiles
    weekly_spend: Money
    told_from_zero: bool
    sentence: str
    standing: Standing = "measured"


@dataclass(frozen=True)
class MediaSignal:
    """Does spend explain the outcome better than the same spend at the wrong time? A placebo test."""

    told_from_zero: bool
    p_value: float
    n_placebos: int
    sentence: str


@dataclass(frozen=True)
class PeriodBudget:
    """One line in one period of the plan."""

    period: Period
    current: Money
    recommended: Money


@dataclass(frozen=True)
class PlanLine:
    """One geo × channel. Gain, outcome and return are over the whole plan period, in major currency units.

    `outcome` is all that the budget causes, `carry_out` the part of it that comes after the period; `roas` is outcome
    per unit of budget, None without budget. `chance_gain` is None where nothing moves. Lines of one `rank` (1 is best)
    cannot be told apart by what their next unit of money brings. `periods` splits the line, empty where the plan has
    one period. A line with `under_test_until` is held by a geo test to the end of that day, cool-down and all.
    `current` is a mean of weeks; `last_week` is what the last stored week cost, None where it is not known.
    """

    geo: str
    channel: str
    current: Money
    recommended: Money
    change: Money
    change_rel: float
    direction: Direction
    gain: Quantiles
    chance_gain: float | None
    outcome: Quantiles
    marginal_return: Quantiles
    extrapolates: bool
    reason: str
    would_change_our_mind: str
    roas: Quantiles | None = None
    carry_out: Quantiles | None = None
    rank: int = 0
    confidence: Confidence = "low"
    confidence_score: float = 0.0
    primary_driver: str = ""
    supporting_factors: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    periods: tuple[PeriodBudget, ...] = ()
    under_test_until: date | None = None
    last_week: Money | None = None


@dataclass(frozen=True)
class GeoOutlook:
    """A place in the plan period: the weather that is coming against normal, and what it does to demand.

    `weather_basis` says what the plan took its weather from; None is its forecast's mean, or normal weather.
    """

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
    weather_basis: WeatherBasis | None = None


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
    """The fit behind the plan, whether it converged, and how far it was off in weeks hidden from it.

    `unseen` has the model first, then simple forecasts of the same weeks; empty where it could not be tested, and
    `unseen_sentence` says either.
    """

    model_id: str
    engine: str
    fitted_through: date
    rhat_max: float
    ess_min: float
    divergences: int
    unseen: tuple[BacktestScore, ...] = ()
    unseen_sentence: str = ""


@dataclass(frozen=True)
class LeadCoverage:
    """How often the 80 % interval held the truth so many forecast periods ahead, with the 95 % interval of that."""

    first_lead: int
    last_lead: int
    coverage: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class WeatherWorth:
    """What knowing the weather is worth in the plan period: the outcome of the best budgets for the outlook, less that
    of the best for normal weather, both under the outlook; in major units.
    """

    gain: Quantiles
    moved: Money
    sentence: str


@dataclass(frozen=True)
class BudgetPlan:
    """A plan: one sentence, the lines behind it, the evidence behind them. Money totals are exact sums of the lines.

    `carry_in` is what spend before the period still brings in it, `carry_out` what its budgets bring after it; None
    where the fit does not say how long ads last. `chance_gain` is None where the plan keeps what is. `weather_sentence`
    says what weather it was made over, `now_sentence` what "now" is beside last week, `total_sentence` whether the
    total looks right: `average_return` is what the average next unit of money brings, before the cost of what is sold,
    and `margin` what is left of a unit of outcome after that cost. Without `coverage_by_lead` the forecasts have not
    been scored yet.
    """

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
    chance_gain: float | None
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
    aim: PlanAim = PlanAim()
    carry_in: Quantiles | None = None
    carry_out: Quantiles | None = None
    weather_worth: WeatherWorth | None = None
    experiments: tuple[ExperimentPayload, ...] = ()
    coverage_by_lead: tuple[LeadCoverage, ...] = ()
    weather_sentence: str = ""
    now_sentence: str = ""
    total_sentence: str = ""
    average_return: Quantiles | None = None
    margin: float | None = None

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
