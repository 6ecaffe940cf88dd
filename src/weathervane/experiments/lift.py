"""The lift in a reader's units: from theta to shares, amounts, returns and days, with the sign turned once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import EffectDay, EstimatorName, Fit, LiftResult
from weathervane.experiments.counterfactual import Counterfactual, contrasts
from weathervane.experiments.estimate import Estimate
from weathervane.experiments.inference import Inference, randomisation
from weathervane.experiments.panel import Floats, Panel
from weathervane.experiments.question import Arms, Question
from weathervane.experiments.wording import caveats, chosen_by_model, disagreement, sentence

Triple = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Amounts:
    """The lift fields of a `LiftResult`, by their names there."""

    lift_rel: float
    lift_rel_low: float | None
    lift_rel_high: float | None
    lift_abs: float
    lift_abs_low: float | None
    lift_abs_high: float | None


@dataclass(frozen=True)
class Returns:
    """The return fields of a `LiftResult`, by their names there."""

    spend_change_abs: float | None
    iroas: float | None = None
    iroas_low: float | None = None
    iroas_high: float | None = None
    cpic: float | None = None
    cpic_low: float | None = None
    cpic_high: float | None = None


def amounts(inference: Inference, total: float, observed: float, sign: int) -> Amounts:
    """What ads added where theta = 1 adds `total`, `observed` is what was sold and `sign` -1 where ads were taken away.

    Raises BadInput where nothing would be left without ads.
    """
    raw = inference.estimate * total
    ends = inference.low * total, inference.high * total
    lift_abs, low, high = (raw, *ends) if sign > 0 else (-raw, -ends[1], -ends[0])

    def relative(lift: float) -> float | None:
        without_ads = observed - lift if sign > 0 else observed
        return lift / without_ads if np.isfinite(lift) and without_ads > 0.0 else None

    middle = relative(lift_abs)
    if middle is None:
        raise BadInput(
            "The outcome without ads would be zero or less, so a relative lift means nothing.",
            "read a KPI that does not go below zero, such as orders or gross revenue.",
        )
    return Amounts(middle, relative(low), relative(high), lift_abs, bound(low), bound(high))


def returns(change: float | None, per_unit: Triple, *, money: bool) -> Returns:
    """An outcome per unit of spend in money is an iROAS; one in units is told as its reciprocal, the cost of one."""
    return Returns(change, *per_unit) if money else Returns(change, None, None, None, *_cost(per_unit))


def lift_result(
    question: Question, arms: Arms, found: Estimate, fit: Fit, passed: bool | None, notes: tuple[str, ...]
) -> LiftResult:
    """All of the result, its caveats and its sentence."""
    inference = found.inference
    observed = float(arms.raw[arms.treated, arms.n_pre :].sum())
    lift = amounts(inference, float(arms.pattern().sum()), observed, question.sign)
    change, per_unit = _return(question, arms, lift)
    result = LiftResult(
        experiment_id=question.experiment_id,
        channel=question.channel,
        cell=question.cell,
        kpi_unit=question.kpi_unit,
        estimator=question.estimator,
        test=inference.test,
        alpha=question.alpha,
        treated_geos=tuple(sorted(question.treated_geos)),
        control_geos=tuple(geo for geo, mask in zip(arms.geos, arms.treated, strict=True) if not mask),
        window=question.window,
        cooldown_days=question.cooldown_days,
        n_geos_treatment=int(arms.treated.sum()),
        n_geos_control=int((~arms.treated).sum()),
        n_days=arms.raw.shape[1] - arms.n_pre,
        **asdict(lift),
        p_value=inference.p_value,
        p_floor=inference.p_floor,
        **asdict(returns(change, per_unit, money=question.kpi_unit != "units")),
        placebo_pass=passed,
        caveats=(),
        sentence="",
        false_alarm_share=question.false_alarm_share,
        false_alarm_windows=question.false_alarm_windows,
    )
    if inference.fit is not None:
        fitted = amounts(
            replace(inference, estimate=inference.fit), float(arms.pattern().sum()), observed, question.sign
        )
        notes = (*notes, disagreement(fitted.lift_rel))
    if question.choices:
        notes = (*notes, chosen_by_model(len(question.choices)))
    told = (*notes, *caveats(result, fit, n_pre=arms.n_pre, negatives=arms.has_negatives))
    return replace(result, caveats=told, sentence=sentence(result))


def fit_of(arms: Arms, found: Counterfactual) -> Fit:
    """How well the counterfactual follows the days before the test."""
    past = found.effect[: arms.n_pre] - found.effect[: arms.n_pre].mean()
    variance = float(past @ past)
    level = abs(float(arms.raw[arms.treated, : arms.n_pre].mean())) or 1.0
    return Fit(
        found.imbalance,
        found.imbalance_scaled,
        float(np.sqrt((found.effect[: arms.n_pre] ** 2).mean())) / level,
        float(past[1:] @ past[:-1]) / variance if variance > 0.0 else 0.0,
    )


def effect_days(panel: Panel, question: Question, arms: Arms, found: Estimate) -> tuple[EffectDay, ...]:
    """Every day of the panel up to the end of the test, totals over the treated geos."""
    n_treated, n_pre = int(arms.treated.sum()), arms.n_pre
    effect = found.counterfactual.effect * n_treated
    actual = arms.raw[arms.treated].sum(axis=0)
    tested = day_bounds(
        effect[n_pre:], (found.day_low, found.day_high), (found.cumulative_low, found.cumulative_high), question.sign
    )
    before: tuple[None, ...] = (None,) * 6
    return tuple(
        EffectDay(day, float(actual[i]), float(actual[i] - effect[i]), *(before if i < n_pre else tested[i - n_pre]))
        for i, day in enumerate(panel.days[: len(actual)])
    )


def day_bounds(
    effect: Floats, daily: tuple[Floats, Floats], summed: tuple[Floats, Floats], sign: int
) -> list[tuple[float | None, ...]]:
    """The six effect fields of each `EffectDay` of the test, from effects and bounds [n_days] before the sign turns."""
    (low, high), (sum_low, sum_high) = (daily, summed) if sign > 0 else (_turned(daily), _turned(summed))
    columns = (sign * effect, low, high, sign * effect.cumsum(), sum_low, sum_high)
    return [tuple(bound(float(value)) for value in row) for row in np.stack(columns, axis=1)]


def bound(value: float) -> float | None:
    """None where there is no bound."""
    return value if np.isfinite(value) else None


def _turned(ends: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return -ends[1], -ends[0]


def _return(question: Question, arms: Arms, lift: Amounts) -> tuple[float | None, Triple]:
    """The change of spend, and outcome per unit of it with its interval. experiments.md, "Return on spend"."""
    change = question.spend_change_abs
    effects = spent = None
    if arms.spend is not None:
        name: EstimatorName = (
            "difference_in_differences" if question.estimator == "trimmed_match" else question.estimator
        )
        masks = arms.treated[None] if arms.assignments is None else arms.assignments
        found = contrasts(name, arms.outcome, masks, arms.n_pre)
        effects = found.mean_effects(arms.outcome[:, arms.n_pre :].mean(axis=1))
        # The outcome's own weights, so that outcome less theta x spend is one series under every theta.
        spent = found.responses(arms.spend[:, arms.n_pre :].mean(axis=1) - arms.spend[:, : arms.n_pre].mean(axis=1))
        change = float(spent[0]) * int(arms.treated.sum()) * (arms.raw.shape[1] - arms.n_pre)
    if change is None or change * question.sign <= 0.0:
        return change, (None, None, None)
    if effects is not None and spent is not None and arms.assignments is not None:
        per_unit = randomisation(effects, spent, question.alpha)
        return change, (per_unit.estimate, bound(per_unit.low), bound(per_unit.high))
    size = abs(change)
    low, high = (None if end is None else end / size for end in (lift.lift_abs_low, lift.lift_abs_high))
    return change, (lift.lift_abs / size, low, high)


def _cost(iroas: Triple) -> Triple:
    """Spend per unit of outcome: the reciprocal, unbounded above where the outcome may be nothing."""
    at, low, high = iroas
    if at is None or at <= 0.0:
        return None, None, None
    return 1.0 / at, None if high is None else 1.0 / high, 1.0 / low if low is not None and low > 0.0 else None
