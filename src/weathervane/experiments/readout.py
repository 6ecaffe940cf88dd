"""The read-out of a geo test: lift, interval, p-value, return, days, placebos and caveats, plain and without weather.

experiments.md, "Read-out".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import (
    EffectDay,
    EstimatorName,
    Fit,
    GeoWeight,
    LiftResult,
    ReadOut,
    TestName,
    View,
)
from weathervane.contracts.period import Period
from weathervane.experiments.counterfactual import Counterfactual, Refit, contrasts, counterfactual
from weathervane.experiments.estimators.time_based_regression import posterior
from weathervane.experiments.estimators.trimmed_match import trimmed_match
from weathervane.experiments.inference import (
    Inference,
    block_conformal,
    distinct_assignments,
    iid_p_values,
    placebo_normal,
    randomisation,
    search,
    student_t,
    window_draws,
)
from weathervane.experiments.panel import Bools, Floats, Panel, named
from weathervane.experiments.placebos import placebo_pass, placebos_in_space, placebos_in_time
from weathervane.experiments.weather_adjustment import adjust_for_weather
from weathervane.experiments.wording import caveats, sentence

_N_IID_DRAWS = 999
_N_PLACEBO_DRAWS = 200


@dataclass(frozen=True)
class Question:
    """What is to be read, as the frozen plan says. `sign` is +1 where treated geos had more ads, -1 where fewer.

    `test` None takes the randomisation test where the assignment set is known and the estimator's own otherwise.
    `spend_change_abs`, where the spend is not given day by day, is the whole change, signed. `pairs` (treated, control)
    are for trimmed match. `seed` feeds placebo draws and single-day permutations only.
    """

    experiment_id: str
    channel: str
    kpi_unit: str
    treated_geos: tuple[str, ...]
    control_geos: tuple[str, ...]
    window: Period
    estimator: EstimatorName = "synthetic_control"
    test: TestName | None = None
    alpha: float = 0.1
    sign: Literal[1, -1] = 1
    cell: str = ""
    cooldown_days: int = 0
    spend_change_abs: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 1.0:
            raise BadInput(f"alpha is {self.alpha}; it must lie between 0 and 1.", "write 0.1 for a 90 % interval.")
        for arm, geos in (("treated", self.treated_geos), ("control", self.control_geos)):
            if not geos:
                raise NotEnoughData(f"The test has no {arm} geos.", f"name at least one {arm} geo.")
            if len(set(geos)) < len(geos):
                raise BadInput(f"A {arm} geo is named twice.", "name each geo once.")
        both = sorted(set(self.treated_geos) & set(self.control_geos))
        if both:
            raise BadInput(f"{named(both)} would be treated and control at once.", "put each geo into one arm.")
        if self.estimator == "trimmed_match" and not self.pairs:
            raise BadInput("Trimmed match needs pairs of a treated and a control geo.", "give the design's pairs.")


@dataclass(frozen=True)
class Arms:
    """Arrays of a test: `outcome` and `raw` [n_geos, t] (the same without weather taken out), `treated` [n_geos].

    `assignments` [n, n_geos] holds the observed one first, None if not randomised; `pairs` [n_pairs, 2] are
    row numbers; `spend` [n_geos, t] or None.
    """

    geos: tuple[str, ...]
    outcome: Floats
    raw: Floats
    treated: Bools
    n_pre: int
    assignments: Bools | None
    pairs: np.ndarray
    spend: Floats | None

    @property
    def has_negatives(self) -> bool:
        """A KPI that goes below zero has no constant relative effect; an absolute one is looked for instead."""
        return bool((self.raw < 0.0).any())

    def pattern(self) -> Floats:
        """What theta = 1 would have added, [n_geos, t]: the treated outcome in the window or one a day; 0 elsewhere."""
        shape = np.zeros_like(self.raw)
        window = np.ones_like(self.raw) if self.has_negatives else self.raw
        shape[self.treated, self.n_pre :] = window[self.treated, self.n_pre :]
        return shape

    def until(self, last: int, n_pre: int) -> Arms:
        """The same arms as if the test had run from day `n_pre` to just before day `last`."""
        return replace(self, outcome=self.outcome[:, :last], raw=self.raw[:, :last], n_pre=n_pre, spend=None)


@dataclass(frozen=True)
class Estimate:
    """The counterfactual, the inference on theta, and bounds of the days [n_post], totals over treated geos."""

    counterfactual: Counterfactual
    inference: Inference
    day_low: Floats
    day_high: Floats
    cumulative_low: Floats
    cumulative_high: Floats


def read_out(
    panel: Panel,
    question: Question,
    *,
    assignments: Bools | None = None,
    spend: Panel | None = None,
    weather: Floats | None = None,
) -> ReadOut:
    """Reads the test from the panel's days before it, and its window with cool-down; later days are not looked at.

    `assignments` [n, n_arm_geos] is the design's own set over the sorted geos of both arms (True is treated), for a
    randomised test. `spend` has the geos and days of `panel`. `weather` [k, n_panel_geos, n_panel_days] holds residuals
    from normal. Raises BadInput or NotEnoughData where no number could be defended.
    """
    arms, notes, rows = _arms(panel, question, assignments, spend)
    plain = _view(panel, question, arms, notes)
    if weather is None:
        return ReadOut(plain, None, None)
    if weather.ndim != 3 or weather.shape[1:] != panel.outcome.shape:
        raise BadInput(f"Weather of shape {weather.shape} does not fit the panel.", "align it with geos and days.")
    adjustment = adjust_for_weather(arms.raw, weather[:, rows, : arms.raw.shape[1]], arms.n_pre)
    if adjustment.shrinkage == 0.0:
        return ReadOut(plain, plain, 0.0)
    adjusted = _view(panel, question, replace(arms, outcome=adjustment.outcome), notes)
    return ReadOut(plain, adjusted, adjustment.noise_removed_rel)


def _arms(
    panel: Panel, question: Question, assignments: Bools | None, spend: Panel | None
) -> tuple[Arms, tuple[str, ...], np.ndarray]:
    n_pre, n_days = _days(panel, question)
    last = panel.days[n_days - 1]
    holes = panel.missing(question.treated_geos, panel.days[0], last)
    if holes:
        raise NotEnoughData(f"Treated geos lack outcomes on some days: {named(holes)}.", "complete their data first.")
    lost = panel.missing(question.control_geos, panel.days[0], last)
    if lost and (assignments is not None or len(lost) == len(question.control_geos)):
        raise NotEnoughData(f"Control geos lack outcomes on some days: {named(lost)}.", "complete their data first.")
    notes = (f"Left out for missing days: {named(lost)}.",) if lost else ()
    geos = tuple(sorted({*question.treated_geos, *question.control_geos} - set(lost)))
    rows = panel.rows(geos)
    outcome = panel.outcome[rows, :n_days]
    empty = [geo for geo, values in zip(geos, outcome, strict=True) if not values[:n_pre].any()]
    if empty:
        raise BadInput(f"The outcome is zero on every day before the test: {named(empty)}.", "leave these geos out.")
    treated = np.array([geo in set(question.treated_geos) for geo in geos])
    at = {geo: i for i, geo in enumerate(geos)}
    if spend is not None and (spend.geos != panel.geos or spend.days != panel.days):
        raise BadInput("The spend has other geos or days than the outcome.", "align the two panels.")
    spent = None if spend is None else spend.outcome[rows, :n_days]
    if spent is not None and not np.isfinite(spent).all():
        notes, spent = (*notes, "Spend has missing days, so no return is stated."), None
    return (
        Arms(
            geos,
            outcome,
            outcome,
            treated,
            n_pre,
            None if assignments is None else distinct_assignments(treated, assignments),
            np.array([[at[one], at[other]] for one, other in question.pairs], dtype=np.intp).reshape(-1, 2),
            spent,
        ),
        notes,
        rows,
    )


def _days(panel: Panel, question: Question) -> tuple[int, int]:
    """Number of days before the test, and until the end of its cool-down."""
    last = question.window.end.toordinal() + question.cooldown_days
    n_pre = sum(day < question.window.start for day in panel.days)
    n_days = sum(day.toordinal() <= last for day in panel.days)
    if panel.days[-1] < question.window.end or n_days == n_pre:
        raise NotEnoughData(f"The data end on {panel.days[-1]}, before the test does.", "read it when it is over.")
    if panel.days[-1].toordinal() < last and (panel.days[-1] - panel.days[0]).days < len(panel.days):
        raise NotEnoughData(f"The data end on {panel.days[-1]}, before the cool-down does.", "read it when it is over.")
    if n_pre < n_days - n_pre:
        raise NotEnoughData(
            f"The test is longer ({n_days - n_pre} days) than the history before it ({n_pre}).",
            "give at least as many days before the test as in it.",
        )
    return n_pre, n_days


def estimate_effect(arms: Arms, question: Question) -> Estimate:
    """Theta, its interval and its days by the question's estimator and test."""
    test = question.test or default_test(question.estimator, randomised=arms.assignments is not None)
    pattern = arms.pattern()
    if test == "randomisation":
        return _randomised(arms, question, pattern)
    on_treated = pattern[arms.treated].mean(axis=0)
    if question.estimator == "trimmed_match":
        found, inference = _trimmed(arms, question, pattern)
    else:
        found = counterfactual(question.estimator, arms.outcome, arms.treated, arms.n_pre)
        theta = float(found.effect[arms.n_pre :].sum()) / _total(on_treated)
        inference = _tested(test, arms, question, on_treated, theta)
    return _with_days(arms, found, inference, on_treated)


def default_test(estimator: EstimatorName, *, randomised: bool) -> TestName:
    """The test that goes with an estimator where none is asked for."""
    if estimator == "trimmed_match":
        return "trimmed_t"
    if randomised:
        return "randomisation"
    return "placebo_normal" if estimator == "synthetic_did" else "block_conformal"


def _tested(test: TestName, arms: Arms, question: Question, on_treated: Floats, theta: float) -> Inference:
    estimator, alpha, total = question.estimator, question.alpha, _total(on_treated)
    if test == "block_conformal":
        return block_conformal(estimator, arms.outcome, arms.treated, on_treated, arms.n_pre, alpha, theta)
    if test == "iid_conformal":
        n_days = arms.outcome.shape[1]
        draws = window_draws(n_days, n_days - arms.n_pre, _N_IID_DRAWS, question.seed)
        refit = Refit(estimator, arms.outcome, arms.treated, on_treated)

        def p_values(thetas: Floats) -> Floats:
            return iid_p_values(refit.residuals(thetas), arms.n_pre, draws)

        return search(test, p_values, theta, max(abs(theta), 1e-3), alpha, 1.0 / (_N_IID_DRAWS + 1))
    if test == "posterior_t" and estimator == "time_based_regression":
        means = arms.outcome[arms.treated].mean(axis=0), arms.outcome[~arms.treated].mean(axis=0)
        found = posterior(*means, arms.n_pre)
        return student_t(float(found.location[-1]) / total, float(found.scale[-1]) / total, found.df, alpha)
    if test == "placebo_normal":
        effects = placebo_effects(estimator, arms.outcome, arms.treated, arms.n_pre, question.seed)
        return placebo_normal(theta, effects * (len(on_treated) - arms.n_pre) / total, alpha)
    raise BadInput(f"The test {test} does not go with {estimator}.", "leave the test out to get the one that does.")


def placebo_effects(estimator: EstimatorName, outcome: Floats, treated: Bools, n_pre: int, seed: int) -> Floats:
    """Average effects [200] on as many control geos as were treated, drawn anew each time, the treated left out."""
    controls = outcome[~treated]
    size = int(treated.sum())
    if len(controls) <= size:
        raise NotEnoughData(
            f"{len(controls)} control geos cannot stand in for {size} treated ones.",
            "use a randomised design's own test.",
        )
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(len(controls)), (_N_PLACEBO_DRAWS, 1)), axis=1)
    return contrasts(estimator, controls, order < size, n_pre).mean_effects(controls[:, n_pre:].mean(axis=1))


def _randomised(arms: Arms, question: Question, pattern: Floats) -> Estimate:
    if arms.assignments is None:
        raise BadInput("The randomisation test needs the design's assignment set.", "give it, or ask for another test.")
    found = contrasts(question.estimator, arms.outcome, arms.assignments, arms.n_pre)
    cf = counterfactual(question.estimator, arms.outcome, arms.treated, arms.n_pre)
    if question.estimator == "synthetic_did":  # one solver for all assignments, or the observed one would stand apart
        effect = found.effects(arms.outcome)[0]
        cf = replace(cf, effect=effect, mean=arms.outcome[arms.treated].mean(axis=0) - effect)
    effects = found.effects(arms.outcome)[:, arms.n_pre :]
    responses = found.responses(pattern[:, arms.n_pre :].T).T
    size = pattern[arms.treated, arms.n_pre :].sum(axis=0)
    alpha = question.alpha
    inference = randomisation(effects.sum(axis=1), responses.sum(axis=1), alpha)
    daily = [randomisation(e, r, alpha) for e, r in zip(effects.T, responses.T, strict=True)]
    summed = zip(effects.cumsum(axis=1).T, responses.cumsum(axis=1).T, strict=True)
    running = [randomisation(e, r, alpha) for e, r in summed]
    total = size.cumsum()
    return Estimate(
        cf,
        inference,
        np.array([day.low for day in daily]) * size,
        np.array([day.high for day in daily]) * size,
        np.array([day.low for day in running]) * total,
        np.array([day.high for day in running]) * total,
    )


def _trimmed(arms: Arms, question: Question, pattern: Floats) -> tuple[Counterfactual, Inference]:
    one, other = arms.pairs.T
    effects = contrasts("difference_in_differences", arms.outcome, arms.treated, arms.n_pre)
    level = arms.outcome[:, : arms.n_pre].mean(axis=1)
    change = arms.outcome - level[:, None]
    gaps = change[one] - change[other]
    fit = trimmed_match(gaps[:, arms.n_pre :].sum(axis=1), pattern[one, arms.n_pre :].sum(axis=1))
    theta = fit.estimate()
    step = max(abs(theta), 1e-3)
    inference = search("trimmed_t", fit.p_values, theta, step, question.alpha, 0.0)
    kept = fit.kept()
    scale = float(pattern[arms.treated].mean(axis=0).sum()) / float(pattern[one[kept]].mean(axis=0).sum())
    effect = gaps[kept].mean(axis=0) * scale
    weights = np.zeros(len(arms.geos))
    np.add.at(weights, other[kept], 1.0 / len(kept))
    plain = float(np.linalg.norm(effects.effects(arms.outcome)[0, : arms.n_pre]))
    imbalance = float(np.linalg.norm(effect[: arms.n_pre]))
    target = arms.outcome[arms.treated].mean(axis=0)
    found = Counterfactual(target - effect, effect, weights, imbalance, imbalance / plain if plain > 0.0 else 0.0)
    return found, inference


def _with_days(arms: Arms, found: Counterfactual, inference: Inference, on_treated: Floats) -> Estimate:
    """Bounds of days: their shape is the spread of past sums of as many days, their size the test's interval."""
    n_treated, n_pre = int(arms.treated.sum()), arms.n_pre
    effect = found.effect[n_pre:] * n_treated
    size = on_treated[n_pre:] * n_treated
    past = found.effect[:n_pre] - found.effect[:n_pre].mean()
    running = np.concatenate([[0.0], np.concatenate([past, past]).cumsum()])
    spread = np.array(
        [np.sqrt(((running[n : n_pre + n] - running[:n_pre]) ** 2).mean()) for n in range(1, len(size) + 1)]
    )
    last = spread[-1] if spread[-1] > 0.0 else 1.0
    below = (inference.estimate - inference.low) * size.sum()
    above = (inference.high - inference.estimate) * size.sum()
    summed = effect.cumsum()
    return Estimate(
        found,
        inference,
        effect - below * spread[0] / last,
        effect + above * spread[0] / last,
        summed - below * spread / last,
        summed + above * spread / last,
    )


def _view(panel: Panel, question: Question, arms: Arms, notes: tuple[str, ...]) -> View:
    found = estimate_effect(arms, question)
    read = _reader(question, arms)
    labels: Callable[[int, int], str] = lambda first, last: f"{panel.days[first]} to {panel.days[last]}"  # noqa: E731
    in_time = placebos_in_time(arms.outcome, arms.n_pre, read, labels)
    in_space = (
        ()
        if question.estimator in ("trimmed_match", "augmented")
        else placebos_in_space(question.estimator, arms.outcome, arms.treated, arms.n_pre, arms.geos)
    )
    fit = _fit(arms, found.counterfactual)
    result = _result(question, arms, found, fit, placebo_pass(in_time, question.alpha), notes)
    weights = zip(arms.geos, found.counterfactual.weights, strict=True)
    return View(
        result,
        _effect_days(panel, question, arms, found),
        tuple(GeoWeight(geo, float(w)) for geo, w in weights if geo in set(question.control_geos)),
        fit,
        (*in_space, *in_time),
    )


def _reader(question: Question, arms: Arms) -> Callable[[Floats, int], tuple[Floats, Floats, float]]:
    def read(outcome: Floats, n_pre: int) -> tuple[Floats, Floats, float]:
        found = estimate_effect(arms.until(outcome.shape[1], n_pre), question)
        cf = found.counterfactual
        return cf.effect[n_pre:], cf.mean[n_pre:], found.inference.p_value

    return read


def _fit(arms: Arms, found: Counterfactual) -> Fit:
    past = found.effect[: arms.n_pre] - found.effect[: arms.n_pre].mean()
    variance = float(past @ past)
    level = abs(float(arms.raw[arms.treated, : arms.n_pre].mean())) or 1.0
    return Fit(
        found.imbalance,
        found.imbalance_scaled,
        float(np.sqrt((found.effect[: arms.n_pre] ** 2).mean())) / level,
        float(past[1:] @ past[:-1]) / variance if variance > 0.0 else 0.0,
    )


def _result(
    question: Question, arms: Arms, found: Estimate, fit: Fit, passed: bool | None, notes: tuple[str, ...]
) -> LiftResult:
    total = float(arms.pattern().sum())
    observed = float(arms.raw[arms.treated, arms.n_pre :].sum())
    inference = found.inference
    raw = inference.estimate * total
    ends = inference.low * total, inference.high * total
    lift_abs, low, high = (raw, *ends) if question.sign > 0 else (-raw, -ends[1], -ends[0])
    without_ads = observed - lift_abs if question.sign > 0 else observed
    if without_ads <= 0.0:
        raise BadInput(
            "The outcome without ads would be zero or less, so a relative lift means nothing.",
            "read a KPI that does not go below zero, such as orders or gross revenue.",
        )

    def relative(lift: float) -> float | None:
        base = observed - lift if question.sign > 0 else observed
        return lift / base if np.isfinite(lift) and base > 0.0 else None

    spend_change, iroas = _return(question, arms, lift_abs, (low, high))
    money = question.kpi_unit != "units"
    cost = (None, None, None) if money else _cost(iroas)
    shown = iroas if money else (None, None, None)
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
        lift_rel=lift_abs / without_ads,
        lift_rel_low=relative(low),
        lift_rel_high=relative(high),
        lift_abs=lift_abs,
        lift_abs_low=_bound(low),
        lift_abs_high=_bound(high),
        p_value=inference.p_value,
        p_floor=inference.p_floor,
        spend_change_abs=spend_change,
        iroas=shown[0],
        iroas_low=shown[1],
        iroas_high=shown[2],
        cpic=cost[0],
        cpic_low=cost[1],
        cpic_high=cost[2],
        placebo_pass=passed,
        caveats=(),
        sentence="",
    )
    told = (*notes, *caveats(result, fit, n_pre=arms.n_pre, negatives=arms.has_negatives))
    return replace(result, caveats=told, sentence=sentence(result))


Triple = tuple[float | None, float | None, float | None]


def _return(question: Question, arms: Arms, lift_abs: float, ends: tuple[float, float]) -> tuple[float | None, Triple]:
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
        return change, (per_unit.estimate, _bound(per_unit.low), _bound(per_unit.high))
    size = abs(change)
    return change, (lift_abs / size, _bound(ends[0] / size), _bound(ends[1] / size))


def _cost(iroas: Triple) -> Triple:
    """Spend per unit of outcome: the reciprocal, unbounded above where the outcome may be nothing."""
    at, low, high = iroas
    if at is None or at <= 0.0:
        return None, None, None
    return 1.0 / at, None if high is None else 1.0 / high, 1.0 / low if low is not None and low > 0.0 else None


def _bound(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _effect_days(panel: Panel, question: Question, arms: Arms, found: Estimate) -> tuple[EffectDay, ...]:
    n_treated, n_pre = int(arms.treated.sum()), arms.n_pre
    effect = found.counterfactual.effect * n_treated
    actual = arms.raw[arms.treated].sum(axis=0)
    summed = effect[n_pre:].cumsum()
    up = question.sign > 0
    days: list[EffectDay] = []
    for i, day in enumerate(panel.days[: len(actual)]):
        if i < n_pre:
            values = (None,) * 6
        else:
            j = i - n_pre
            low, high = (found.day_low, found.day_high) if up else (-found.day_high, -found.day_low)
            sum_low, sum_high = (
                (found.cumulative_low, found.cumulative_high) if up else (-found.cumulative_high, -found.cumulative_low)
            )
            values = (
                question.sign * float(effect[i]),
                _bound(float(low[j])),
                _bound(float(high[j])),
                question.sign * float(summed[j]),
                _bound(float(sum_low[j])),
                _bound(float(sum_high[j])),
            )
        days.append(EffectDay(day, float(actual[i]), float(actual[i] - effect[i]), *values))
    return tuple(days)


def _total(on_treated: Floats) -> float:
    total = float(on_treated.sum())
    if total <= 0.0:
        raise BadInput("The treated geos have no outcome during the test.", "check the data of the test's days.")
    return total
