"""Experiment: what a geo test showed, in one result that a table, a sentence and a picture are all made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period

EstimatorName = Literal[
    "difference_in_differences",
    "synthetic_control",
    "augmented",
    "synthetic_did",
    "time_based_regression",
    "trimmed_match",
    "episode_differences",
]
PayloadStatus = Literal["pending", "running", "completed", "failed"]
TestName = Literal["randomisation", "block_conformal", "iid_conformal", "posterior_t", "placebo_normal", "trimmed_t"]


@dataclass(frozen=True)
class LiftResult:
    """What ads added, whatever the sign of the spend change: positive means that ads add value.

    `lift_rel` is relative to the outcome without those ads, over the window and its cool-down; `lift_abs` is the total
    over all treated geos and `n_days`, in `kpi_unit` (a currency code, or "units"). `spend_change_abs` is signed: spend
    in the test minus what would have been spent. The interval at 1 - alpha is the inversion of the test that gave
    `p_value`; an end that is None is unbounded. `iroas` is outcome per unit of spend, `cpic` spend per unit of outcome;
    None means that it cannot be said.

    A trigger test counts `triggered_geo_days`, the trigger days of a geo on which ads answered; its `lift_rel` is
    relative to the outcome of those days without them, and its geos take turns, so they stand in both arms.

    `trusted` is False where the interval is known not to hold as often as it should: the caveats say why.
    `false_alarm_share` is how often this very test found something in its own past, where nothing had changed; None
    where that is as it should be or was not measured; it rests on `false_alarm_windows` that do not overlap.
    """

    experiment_id: str
    channel: str
    cell: str
    kpi_unit: str
    estimator: EstimatorName
    test: TestName
    alpha: float
    treated_geos: tuple[str, ...]
    control_geos: tuple[str, ...]
    window: Period
    cooldown_days: int
    n_geos_treatment: int
    n_geos_control: int
    n_days: int
    lift_rel: float
    lift_rel_low: float | None
    lift_rel_high: float | None
    lift_abs: float
    lift_abs_low: float | None
    lift_abs_high: float | None
    p_value: float
    p_floor: float
    spend_change_abs: float | None
    iroas: float | None
    iroas_low: float | None
    iroas_high: float | None
    cpic: float | None
    cpic_low: float | None
    cpic_high: float | None
    placebo_pass: bool | None
    caveats: tuple[str, ...]
    sentence: str
    triggered_geo_days: int | None = None
    trusted: bool = True
    false_alarm_share: float | None = None
    false_alarm_windows: int = 0

    @property
    def lift_abs_per_geo_day(self) -> float | None:
        """A trigger test's lift by treated trigger day of a geo; None for other tests."""
        return self.lift_abs / self.triggered_geo_days if self.triggered_geo_days else None

    def __post_init__(self) -> None:
        excludes_zero = (self.lift_abs_low is not None and self.lift_abs_low > 0.0) or (
            self.lift_abs_high is not None and self.lift_abs_high < 0.0
        )
        if excludes_zero != (self.p_value <= self.alpha):
            raise BadInput(
                f"The p-value {self.p_value:.4g} and the interval at alpha {self.alpha:g} contradict each other.",
                "take both from the same test.",
            )


@dataclass(frozen=True)
class EffectDay:
    """One day, totals over the treated geos. `actual` and `counterfactual` are the observed and the estimated outcome;
    `effect` and `cumulative` have the sign of `LiftResult`, None before the test; an end of None is unbounded."""

    date: date
    actual: float
    counterfactual: float
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    cumulative: float | None
    cumulative_low: float | None
    cumulative_high: float | None


@dataclass(frozen=True)
class Placebo:
    """An effect looked for where there is none: a control geo, or a window before the test.

    `effect_rel` lists one value a day of the pretended test, relative to the counterfactual's level; only
    windows have p-values.
    """

    kind: Literal["space", "time"]
    name: str
    lift_rel: float
    p_value: float | None
    effect_rel: tuple[float, ...]


@dataclass(frozen=True)
class GeoWeight:
    """How much one control geo counts in the counterfactual of the treated mean."""

    geo: str
    weight: float


@dataclass(frozen=True)
class Fit:
    """How well the counterfactual follows the treated mean before the test.

    `imbalance` is the root of the summed squares of its misses, `imbalance_scaled` relates that to plain averaging
    of all controls (0 perfect, 1 no better), `rmse_rel` is the typical daily miss relative to the treated mean.
    """

    imbalance: float
    imbalance_scaled: float
    rmse_rel: float
    autocorrelation: float


@dataclass(frozen=True)
class View:
    """One reading of the test: the result, its days and what the counterfactual was made of."""

    result: LiftResult
    days: tuple[EffectDay, ...]
    weights: tuple[GeoWeight, ...]
    fit: Fit
    placebos: tuple[Placebo, ...]


@dataclass(frozen=True)
class ReadOut:
    """The plain view, and beside it the one with each geo's weather taken out (None without weather).

    Places in `left_out` were closed or sold far from usual during the test; `with_all_places` is the result with them.
    """

    plain: View
    weather_adjusted: View | None
    weather_noise_removed_rel: float | None
    left_out: tuple[str, ...] = ()
    with_all_places: LiftResult | None = None

    @property
    def result(self) -> LiftResult:
        """The result that counts: the one with weather taken out where weather is known, as was planned beforehand."""
        return (self.weather_adjusted or self.plain).result


@dataclass(frozen=True)
class StoredResult:
    """What an experiment showed, one read-out a cell, and each way in which the analysis departed from the frozen plan.

    `read_at` is a UTC instant ending in Z. `not_carried_out` says where spend was not what the plan asked for: such a
    result measures something else, and no model learns from it.
    """

    experiment_id: str
    read_at: str
    run_id: str
    departures: tuple[str, ...]
    read_outs: tuple[ReadOut, ...]
    schema_version: int = 1
    not_carried_out: tuple[str, ...] = ()

    @property
    def lifts(self) -> tuple[LiftResult, ...]:
        """The result that counts of each cell."""
        return tuple(one.result for one in self.read_outs)


@dataclass(frozen=True)
class ExperimentPayload:
    """One cell of an experiment as a plan lists it: what is tested where and when, and what it showed.

    `pending` is frozen and not begun; `failed` was stopped, could not be read or was not carried out, and has no lift.
    Spend is what the tested channel cost in each arm in the test window so far; None before it, and where spend by
    place is not known. The geos of a trigger experiment take turns and stand in both arms. `lift` is the result that
    counts.
    """

    experiment_id: str
    status: PayloadStatus
    channel: str
    start_date: date
    end_date: date
    treatment_geos: tuple[str, ...]
    control_geos: tuple[str, ...]
    treatment_spend: Money | None
    control_spend: Money | None
    metric_name: str
    lift: LiftResult | None
