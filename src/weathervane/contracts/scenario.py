"""Scenario: a plan with one thing changed, what comes of it, and how it is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import Certificate, PlanAim

WeatherCase = Literal["forecast", "normal", "warm", "wet", "replay"]
Promotion = Literal["as_planned", "on", "off"]

MAX_MULTIPLIER = 3.0
MAX_COMPARED = 4
_SCENARIO_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Scenario:
    """What is changed against a plan; what is left out stays as planned.

    `total` is over the plan period. Channel multipliers (0 to 3) scale budgets; a geo tilt scales places against each
    other and leaves the total. With an `aim` or a `roas_floor` the allocator chooses the budgets anew within the plan's
    limits, and what the multipliers set is held. Weather "warm" and "wet" is the past period at this time of the year
    that was warmer, or wetter, than nine in ten; "replay" the one that began on `replay_start`.
    """

    total: Money | None = None
    channel_multipliers: Mapping[str, float] = field(default_factory=dict[str, float])
    geo_tilt: Mapping[str, float] = field(default_factory=dict[str, float])
    weather: WeatherCase = "forecast"
    replay_start: date | None = None
    promotion: Promotion = "as_planned"
    roas_floor: float | None = None
    aim: PlanAim | None = None

    def __post_init__(self) -> None:
        if self.total is not None and self.total.minor <= 0:
            raise BadInput("The total of a scenario is not above zero.", "give what may be spent over the period.")
        for kind, factors in (("channel", self.channel_multipliers), ("place", self.geo_tilt)):
            for name, factor in factors.items():
                if not (math.isfinite(factor) and 0.0 <= factor <= MAX_MULTIPLIER):
                    raise BadInput(
                        f"The {kind} {name!r} is multiplied by {factor}.",
                        f"give a factor from 0 to {MAX_MULTIPLIER:g}.",
                    )
        if (self.weather == "replay") != (self.replay_start is not None):
            raise BadInput(
                "A replay, and only a replay, needs the day it starts.", "give weather replay and its start."
            )
        if self.roas_floor is not None:
            if not (math.isfinite(self.roas_floor) and self.roas_floor > 0):
                raise BadInput(f"The return floor is {self.roas_floor}.", "give a number above 0.")
            if self.aim is not None and self.aim.goal != "outcome":
                raise BadInput(f"A return floor does not go with the goal {self.aim.goal!r}.", "use one of the two.")

    @property
    def optimised(self) -> bool:
        """Whether the allocator chooses the budgets, rather than the plan's being scaled."""
        return self.aim is not None or self.roas_floor is not None


@dataclass(frozen=True)
class ScenarioPart:
    """One channel or geo: its budgets over the period, what they cause, and that less the plan's, draw by draw."""

    name: str
    planned: Money
    budget: Money
    outcome: Quantiles
    outcome_diff: Quantiles
    roas: Quantiles | None


@dataclass(frozen=True)
class ScenarioCell:
    """One geo × channel's budget over the period; `extrapolates` where it is above any weekly spend ever seen."""

    geo: str
    channel: str
    planned: Money
    budget: Money
    extrapolates: bool


@dataclass(frozen=True)
class ScenarioResult:
    """What a scenario comes to. `_diff` is the scenario less the plan, in paired draws.

    Outcome is all that the budgets cause, within the period and after it. `breaches` are the plan's limits that it
    breaks, `unanswered` the levers that the model cannot answer, which then changed nothing. `chance_more` is None
    where the outcome is the plan's own; `profit_diff` is there where a margin is known. `certificate` belongs to an
    optimised scenario. `demand_diff` is what its weather and promotions do to demand whatever is spent; None where they
    are as planned, or their effect is not measured.
    """

    scenario: Scenario
    plan_id: str
    plan_sha256: str
    model_id: str
    currency: str
    outcome_is_money: bool
    spend: Money
    spend_diff: Money
    outcome: Quantiles
    outcome_diff: Quantiles
    chance_more: float | None
    roas: Quantiles | None
    roas_diff: Quantiles | None
    by_channel: tuple[ScenarioPart, ...]
    by_geo: tuple[ScenarioPart, ...]
    cells: tuple[ScenarioCell, ...]
    breaches: tuple[str, ...]
    unanswered: tuple[str, ...]
    notes: tuple[str, ...]
    certificate: Certificate | None
    demand_diff: Quantiles | None = None
    profit_diff: Quantiles | None = None


@dataclass(frozen=True)
class RecommendedScenario:
    """A scenario that the allocator found, under a name that says what it is for."""

    name: str
    description: str
    result: ScenarioResult


@dataclass(frozen=True)
class Recommendations:
    """The recommended scenarios of a plan; `reasons` says why there are not more."""

    plan_id: str
    scenarios: tuple[RecommendedScenario, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SavedScenario:
    """One version of a kept scenario with what it came to. Instants are UTC ending in Z."""

    scenario_id: str
    tenant_id: str
    version: int
    name: str
    description: str
    tags: tuple[str, ...]
    created_at: str
    created_by: str
    updated_at: str
    result: ScenarioResult

    def __post_init__(self) -> None:
        check_scenario_id(self.scenario_id)
        if not self.name.strip() or len(self.name) > 120:
            raise BadInput("A scenario needs a name of at most 120 characters.", "give it one.")

    @property
    def scenario(self) -> Scenario:
        """What was changed."""
        return self.result.scenario


@dataclass(frozen=True)
class ShownScenario:
    """A kept scenario as it is shown: `baseline_changed` says so where the newest plan is not the one it is about."""

    saved: SavedScenario
    baseline_changed: str | None


def check_scenario_id(scenario_id: str) -> str:
    """The id itself, if it can be one; BadInput otherwise."""
    if not _SCENARIO_ID.fullmatch(scenario_id):
        raise BadInput(f"{scenario_id!r} cannot be a scenario id.", "use lower-case letters, digits and -, at most 63.")
    return scenario_id
