"""The read-out of a trigger experiment: treated against untreated episodes, by the schedule's own randomisation test.

experiments.md, "Trigger read-out".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import EffectDay, Fit, LiftResult, Placebo, ReadOut, View
from weathervane.contracts.experiment_design import ExperimentDesign, TriggerPlan, sign_of
from weathervane.experiments.inference import Inference, randomisation
from weathervane.experiments.lift import Returns, amounts, bound, day_bounds, returns
from weathervane.experiments.panel import Bools, Floats, Panel, named
from weathervane.experiments.placebos import placebo_pass
from weathervane.experiments.trigger import schedule_set
from weathervane.experiments.trigger_effect import (
    Episodes,
    by_episode,
    contrast,
    episodes_of,
    levels,
    need_both_arms,
    pattern_of,
    unexplained,
)
from weathervane.experiments.weather_adjustment import adjust_for_weather
from weathervane.experiments.wording import sentence, trigger_caveats

_MAX_PLACEBOS = 3
_MIN_PAST = 2  # windows of history before one that is tested as a placebo


@dataclass(frozen=True)
class TriggerData:
    """Days before the test and in it: `panel` has the geos of the design, `trigger`, `spend` and `weather` [k, ..] its
    geos and days; the first `n_pre` days are the past, the next `n_test` the window, any others its washout."""

    panel: Panel
    trigger: Bools
    n_pre: int
    n_test: int
    spend: Floats | None = None
    weather: Floats | None = None


@dataclass(frozen=True)
class _Read:
    """One reading: theta, the schedules [n, e], and the residuals and patterns [e, t] in units of each geo's level.

    `left` [n_geos, t] was not explained; `level` is [n_geos, 1], and `per_unit` [e] one over that of its geo.
    """

    inference: Inference
    each: Episodes
    residuals: Floats
    pattern: Floats
    schedules: Bools
    left: Floats
    level: Floats
    per_unit: Floats

    @property
    def total(self) -> float:
        """What theta = 1 would have added, in units of the outcome."""
        return float((self.pattern.sum(axis=1) / self.per_unit).sum())

    @property
    def scale(self) -> float:
        """From units of the geos' levels to those of the outcome."""
        return self.total / float(self.pattern.sum())


def read_triggers(design: ExperimentDesign, data: TriggerData, kpi_unit: str) -> ReadOut:
    """The plain read-out and, with weather, the one with each geo's weather taken out.

    Raises NotEnoughData where a geo lacks days, or no episode of an arm came; BadInput where a geo never sold.
    """
    plan, raw = _plan(design), data.panel.outcome
    holes = data.panel.missing(data.panel.geos, data.panel.days[0], data.panel.days[-1])
    if holes:
        raise NotEnoughData(
            f"Sales are missing on some days of {named(holes)}.", "import those days, then read it again."
        )
    empty = [g for g, values in zip(data.panel.geos, raw[:, : data.n_pre], strict=True) if not values.any()]
    if empty:
        raise BadInput(f"The outcome is zero on every day before the test: {named(empty)}.", "leave these places out.")
    plain = _view(design, plan, data, raw, kpi_unit)
    if data.weather is None:
        return ReadOut(plain, None, None)
    adjustment = adjust_for_weather(raw, data.weather, data.n_pre)
    if adjustment.shrinkage == 0.0:
        return ReadOut(plain, plain, 0.0)
    adjusted = _view(design, plan, data, adjustment.outcome, kpi_unit)
    return ReadOut(plain, adjusted, adjustment.noise_removed_rel)


def _plan(design: ExperimentDesign) -> TriggerPlan:
    if design.trigger is None or design.seed is None:
        raise BadInput(f"{design.experiment_id} is not a trigger experiment.", "read it by its arms.")
    return design.trigger


def _read(
    design: ExperimentDesign, plan: TriggerPlan, data: TriggerData, outcome: Floats, seed: int, n_pre: int
) -> _Read:
    """Theta of the window that starts after `n_pre` days of `outcome`; `data` tells the days and the raw outcome."""
    days = n_pre + data.panel.outcome.shape[1] - data.n_pre
    geos, raw = data.panel.geos, data.panel.outcome[:, :days]
    each = episodes_of(geos, data.panel.days[:days], data.trigger[:, :days], plan.washout_days, n_pre, data.n_test)
    schedules = schedule_set(seed, each.found)
    need_both_arms(schedules[0])
    left, level = unexplained(outcome[:, :days], each, n_pre), levels(outcome, n_pre)
    per_unit = 1.0 / level[each.row, 0]
    pattern = pattern_of(raw, each, absolute=_has_negatives(data)) * schedules[0][:, None] * per_unit[:, None]
    residuals = by_episode(left, each)
    effects, responses = (contrast(schedules, one.sum(axis=1)) for one in (residuals, pattern))
    inference = randomisation(effects, responses, design.alpha)
    return _Read(inference, each, residuals, pattern, schedules, left, level, per_unit)


def _has_negatives(data: TriggerData) -> bool:
    return bool((data.panel.outcome < 0.0).any())


def _view(design: ExperimentDesign, plan: TriggerPlan, data: TriggerData, outcome: Floats, kpi_unit: str) -> View:
    seed = design.seed or 0
    found = _read(design, plan, data, outcome, seed, data.n_pre)
    placebos = _placebos(data, lambda n_pre: _read(design, plan, data, outcome, seed, n_pre))
    fit = _fit(data, found)
    result = _result(design, plan, data, found, placebo_pass(placebos, design.alpha), kpi_unit)
    return View(result, _days(design, data, found), (), fit, placebos)


def _result(
    design: ExperimentDesign,
    plan: TriggerPlan,
    data: TriggerData,
    found: _Read,
    passed: bool | None,
    kpi_unit: str,
) -> LiftResult:
    treated = found.schedules[0]
    fired = found.each.fired[treated]
    observed = float((data.panel.outcome[found.each.row[treated]] * fired).sum())
    sign = sign_of(design.kind)
    lift = amounts(found.inference, found.total, observed, sign)
    result = LiftResult(
        experiment_id=design.experiment_id,
        channel=design.channel,
        cell="",
        kpi_unit=kpi_unit,
        estimator=design.estimator,
        test="randomisation",
        alpha=design.alpha,
        treated_geos=data.panel.geos,
        control_geos=data.panel.geos,
        window=design.test_window,
        cooldown_days=design.cooldown_days,
        n_geos_treatment=len({*found.each.row[treated].tolist()}),
        n_geos_control=len({*found.each.row[~treated].tolist()}),
        n_days=data.panel.outcome.shape[1] - data.n_pre,
        **asdict(lift),
        p_value=found.inference.p_value,
        p_floor=found.inference.p_floor,
        **asdict(_returns(design, data, found, sign, kpi_unit)),
        placebo_pass=passed,
        caveats=(),
        sentence="",
        triggered_geo_days=int(fired.sum()),
    )
    told = trigger_caveats(
        result,
        plan,
        n_episodes=(int(treated.sum()), int((~treated).sum())),
        fired_geo_days=int(found.each.fired.sum()),
        crowded_days=int((~found.each.free.any(axis=0)).sum()),
        negatives=_has_negatives(data),
    )
    return replace(result, caveats=told, sentence=sentence(result))


def _returns(design: ExperimentDesign, data: TriggerData, found: _Read, sign: int, kpi_unit: str) -> Returns:
    """The change of spend and the return, by inverting the same test in outcome less theta times spend."""
    if data.spend is None or not np.isfinite(data.spend).all():
        return Returns(None)
    paid = by_episode(_above_usual(data.spend, found.each), found.each).sum(axis=1) * found.per_unit
    spent = contrast(found.schedules, paid)
    change = float(spent[0]) * found.scale
    if change * sign <= 0.0:
        return Returns(change)
    per_unit = randomisation(contrast(found.schedules, found.residuals.sum(axis=1)), spent, design.alpha)
    ends = (per_unit.estimate, bound(per_unit.low), bound(per_unit.high))
    return returns(change, ends, money=kpi_unit != "units")


def _above_usual(spend: Floats, each: Episodes) -> Floats:
    """Spend less the geo's mean on days free of the trigger: episodes are compared, and a constant is noise in that."""
    weight = each.free.astype(np.float64)
    usual = (spend * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
    return spend - usual[:, None]


def _fit(data: TriggerData, found: _Read) -> Fit:
    """How far geo-days free of the trigger lie from what the others let expect."""
    left, free = found.left[:, : data.n_pre], found.each.free[:, : data.n_pre]
    miss = np.where(free, left, 0.0)
    both = free[:, 1:] & free[:, :-1]
    variance = float((miss**2).sum()) / max(int(free.sum()), 1)
    together = float((miss[:, 1:] * miss[:, :-1])[both].mean()) if both.any() else 0.0
    rmse = float(np.sqrt(variance))
    return Fit(float(np.linalg.norm(miss * found.level)), 0.0, rmse, together / variance if variance > 0.0 else 0.0)


def _days(design: ExperimentDesign, data: TriggerData, found: _Read) -> tuple[EffectDay, ...]:
    """Every day of the test, totals over the geos treated on it; sums have bounds, one day holds too few episodes."""
    treated, n_pre = found.schedules[0], data.n_pre
    span = found.each.span & treated[:, None]
    actual = (data.panel.outcome[found.each.row] * span).sum(axis=0)
    effect = contrast(found.schedules[:1], found.residuals)[0] * found.scale
    low, high = np.full(len(effect) - n_pre, -np.inf), np.full(len(effect) - n_pre, np.inf)
    sums, shape = found.residuals.cumsum(axis=1), found.pattern.cumsum(axis=1)
    for i in range(len(low)):
        total = float(shape[:, n_pre + i].sum()) * found.scale
        if total > 0.0:
            sold, brought = (contrast(found.schedules, one[:, n_pre + i]) for one in (sums, shape))
            until = randomisation(sold, brought, design.alpha)
            low[i], high[i] = until.low * total, until.high * total
    none = (np.full(len(low), -np.inf), np.full(len(low), np.inf))
    tested = day_bounds(effect[n_pre:], none, (low, high), sign_of(design.kind))
    days: tuple[date, ...] = data.panel.days
    return tuple(
        EffectDay(days[n_pre + i], float(actual[n_pre + i]), float(actual[n_pre + i] - effect[n_pre + i]), *values)
        for i, values in enumerate(tested)
    )


def _placebos(data: TriggerData, read: Callable[[int], _Read]) -> tuple[Placebo, ...]:
    """The same test, schedule and all, in up to three windows before it, one before the other."""
    length = data.panel.outcome.shape[1] - data.n_pre
    found: list[Placebo] = []
    for i in range(1, _MAX_PLACEBOS + 1):
        n_pre = data.n_pre - i * length
        if n_pre < _MIN_PAST * length:
            break
        try:
            one = read(n_pre)
        except NotEnoughData:
            continue
        first, last = data.panel.days[n_pre], data.panel.days[n_pre + length - 1]
        found.append(Placebo("time", f"{first} to {last}", one.inference.estimate, one.inference.p_value, ()))
    return tuple(found)
