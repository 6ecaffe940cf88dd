"""Trigger: a rule that changes a channel's budget with the weather, and what is known of it before it ever runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period

Variable = Literal[
    "temp_mean_c", "temp_max_c", "temp_min_c", "precip_mm", "snow_cm", "temp_anomaly_c", "temp_anomaly_z"
]
Operator = Literal[">", ">=", "<", "<="]


@dataclass(frozen=True)
class Condition:
    """One comparison of a day's weather: `temp_anomaly_c > 5`."""

    variable: Variable
    operator: Operator
    threshold: float

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.variable} {self.operator} {self.threshold:g}"


@dataclass(frozen=True)
class Junction:
    """Conditions of which all (`and`) or any (`or`) must hold."""

    word: Literal["and", "or"]
    parts: tuple[Condition | Junction, ...]

    @property
    def text(self) -> str:
        """As it is written, with brackets where they are needed."""
        return f" {self.word} ".join(f"({p.text})" if isinstance(p, Junction) else p.text for p in self.parts)


@dataclass(frozen=True)
class TriggerRule:
    """The campaign runs on a day when the condition held on it and the `hold_days` − 1 days before, and then stays on
    for `keep_days` more.
    """

    condition: Condition | Junction
    hold_days: int = 1
    keep_days: int = 0

    @property
    def text(self) -> str:
        """As it is written: `temp_anomaly_c > 5 for 2 days keep 1 day`."""
        held = f" for {_days(self.hold_days)}" if self.hold_days > 1 else ""
        return f"{self.condition.text}{held}{f' keep {_days(self.keep_days)}' if self.keep_days else ''}"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the rule looks at, sorted."""
        return tuple(sorted(_variables(self.condition)))


@dataclass(frozen=True)
class TriggerCampaign:
    """What a rule does: in each of `geos`, each day it runs, the channel's day budget is multiplied or gets more.

    Exactly one of `multiplier` (0 to 3) and `amount`, a geo and day, is given.
    """

    rule: TriggerRule
    channel: str
    geos: tuple[str, ...]
    multiplier: float | None = None
    amount: Money | None = None

    def __post_init__(self) -> None:
        if (self.multiplier is None) == (self.amount is None):
            raise BadInput("A trigger needs a multiplier or an amount, one of them.", "give --multiplier or --amount.")
        if self.multiplier is not None and not (math.isfinite(self.multiplier) and 0.0 <= self.multiplier <= 3.0):
            raise BadInput(f"The multiplier is {self.multiplier}.", "give one from 0 (off) to 3.")
        if self.multiplier == 1.0:
            raise BadInput("A multiplier of 1 changes nothing.", "give one below 1 to cut ads, above 1 to raise them.")
        if self.amount is not None and self.amount.minor <= 0:
            raise BadInput("The amount a day is not above zero.", "give what each place gets more a day.")
        if not self.geos or len(set(self.geos)) != len(self.geos):
            raise BadInput("A trigger needs places, each once.", "name them with --geo, or leave it out for all.")


@dataclass(frozen=True)
class TriggerYear:
    """How the rule would have done in one past year: geo-days it runs, of those whose weather is known."""

    year: int
    geo_days: int
    geo_days_known: int
    complete: bool  # at least nine tenths of the year's geo-days are known
    cost: Money | None


@dataclass(frozen=True)
class TriggerDay:
    """The chance that the rule runs in a geo on a coming day."""

    geo: str
    date: date
    probability: float


@dataclass(frozen=True)
class TriggerLift:
    """What the campaign is expected to add over the coming days, in outcome units, and what it nets if that is money.

    `from_weather` is the part owed to ads working differently in this weather; None where the model does not show it.
    """

    lift: Quantiles
    chance_positive: float
    net: Quantiles | None
    chance_pays: float | None
    from_weather: Quantiles | None
    extrapolated_geos: tuple[str, ...]


@dataclass(frozen=True)
class TriggerHoldout:
    """The experiment that would measure it: whole weather episodes of each place run or not, by chance."""

    definition: str  # the rule in words
    washout_days: int
    expected_episodes: float
    expected_geo_days: float
    test_window: Period
    geos: tuple[str, ...]
    p_floor: float
    treatment_definition: str


@dataclass(frozen=True)
class TriggerEstimate:
    """Everything known of a trigger campaign before it runs.

    `past` is the distribution of geo-days over complete past years; `ahead` that of the coming days, over paths of
    weather. What is None has its reason in `notes`.
    """

    rule: str
    channel: str
    geos: tuple[str, ...]
    currency: str
    cost_per_geo_day: Money | None
    years: tuple[TriggerYear, ...]
    past: Quantiles | None
    coming: Period
    days: tuple[TriggerDay, ...]
    ahead: Quantiles
    expected_geo_days: float
    cost: Quantiles | None
    lift: TriggerLift | None
    holdout: TriggerHoldout | None
    notes: tuple[str, ...]


def _variables(condition: Condition | Junction) -> set[Variable]:
    if isinstance(condition, Condition):
        return {condition.variable}
    return {name for part in condition.parts for name in _variables(part)}


def _days(count: int) -> str:
    return f"{count} {'days' if count != 1 else 'day'}"
