"""The estimate of a geo test: theta, its interval and its days, by the question's estimator and test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import EstimatorName, TestName
from weathervane.experiments.counterfactual import Counterfactual, Refit, contrasts, counterfactual
from weathervane.experiments.estimators.time_based_regression import posterior
from weathervane.experiments.estimators.trimmed_match import trimmed_match
from weathervane.experiments.inference import (
    Inference,
    best_effect,
    block_conformal,
    iid_p_values,
    placebo_normal,
    randomisation,
    search,
    student_t,
    window_draws,
)
from weathervane.experiments.panel import Bools, Floats
from weathervane.experiments.question import Arms, Question

_N_IID_DRAWS = 999
_N_PLACEBO_DRAWS = 200


@dataclass(frozen=True)
class Estimate:
    """The counterfactual, the inference on theta, and bounds of the days [n_post], totals over treated geos."""

    counterfactual: Counterfactual
    inference: Inference
    day_low: Floats
    day_high: Floats
    cumulative_low: Floats
    cumulative_high: Floats


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
        if inference.fit is not None:
            found = _refitted(arms, question.estimator, on_treated, inference.estimate)
    return _with_days(arms, found, inference, on_treated)


def default_test(estimator: EstimatorName, *, randomised: bool) -> TestName:
    """The test that goes with an estimator where none is asked for."""
    if estimator == "trimmed_match":
        return "trimmed_t"
    if randomised:
        return "randomisation"
    by_places: set[EstimatorName] = {"synthetic_did", "difference_in_differences"}
    return "placebo_normal" if estimator in by_places else "block_conformal"


def _tested(test: TestName, arms: Arms, question: Question, on_treated: Floats, theta: float) -> Inference:
    estimator, alpha, total = question.estimator, question.alpha, _total(on_treated)
    over_time = test in ("block_conformal", "iid_conformal")
    if over_time and estimator == "difference_in_differences" and not question.choices:
        raise BadInput(
            "Difference in differences cannot be tested over time: it takes places that drift apart for an effect of "
            "ads.",
            "use synthetic_control, or leave the test out to compare with placebo places.",
        )
    if test == "block_conformal":
        choices = np.array(question.choices) if question.choices else None
        return block_conformal(estimator, arms.outcome, arms.treated, on_treated, arms.n_pre, alpha, theta, choices)
    if test == "iid_conformal":
        n_days = arms.outcome.shape[1]
        draws = window_draws(n_days, n_days - arms.n_pre, _N_IID_DRAWS, question.seed)
        refit = Refit(estimator, arms.outcome, arms.treated, on_treated)

        def p_values(thetas: Floats) -> Floats:
            return iid_p_values(refit.residuals(thetas), arms.n_pre, draws)

        step, best = best_effect(refit, arms.n_pre, theta)
        return search(test, p_values, theta, step, alpha, 1.0 / (_N_IID_DRAWS + 1), best)
    if test == "posterior_t" and estimator == "time_based_regression":
        means = arms.outcome[arms.treated].mean(axis=0), arms.outcome[~arms.treated].mean(axis=0)
        found = posterior(*means, arms.n_pre)
        return student_t(float(found.location[-1]) / total, float(found.scale[-1]) / total, found.df, alpha)
    if test == "placebo_normal":
        effects = placebo_effects(estimator, arms.outcome, arms.treated, arms.n_pre, question.seed)
        return placebo_normal(theta, effects * (len(on_treated) - arms.n_pre) / total, alpha)
    raise BadInput(f"The test {test} does not go with {estimator}.", "leave the test out to get the one that does.")


def _refitted(arms: Arms, estimator: EstimatorName, on_treated: Floats, theta: float) -> Counterfactual:
    """The counterfactual of the refit over all days, with the effect `theta` taken out: what the test itself sees."""
    at = np.array([theta])
    refit = Refit(estimator, arms.outcome, arms.treated, on_treated)
    effect = refit.residuals(at)[0] + theta * on_treated
    weights = np.zeros(len(arms.geos))
    weights[~arms.treated] = refit.weights(at)[0]
    past = arms.outcome[:, : arms.n_pre]
    plain = past[arms.treated].mean(axis=0) - past[~arms.treated].mean(axis=0)
    imbalance, plainly = (float(np.linalg.norm(one)) for one in (effect[: arms.n_pre], plain - plain.mean()))
    target = arms.outcome[arms.treated].mean(axis=0)
    return Counterfactual(target - effect, effect, weights, imbalance, imbalance / plainly if plainly > 0.0 else 0.0)


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


def _total(on_treated: Floats) -> float:
    total = float(on_treated.sum())
    if total <= 0.0:
        raise BadInput("The treated geos have no outcome during the test.", "check the data of the test's days.")
    return total
