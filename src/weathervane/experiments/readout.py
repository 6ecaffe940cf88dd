"""The read-out of a geo test: lift, interval, p-value, return, days, placebos and caveats, plain and without weather.

experiments.md, "Read-out".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import GeoWeight, ReadOut, View
from weathervane.experiments.estimate import estimate_effect
from weathervane.experiments.lift import effect_days, fit_of, lift_result
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.placebos import placebo_pass, placebos_in_space, placebos_in_time
from weathervane.experiments.question import Arms, Question, arms_of
from weathervane.experiments.weather_adjustment import adjust_for_weather


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
    arms, notes, rows = arms_of(panel, question, assignments, spend)
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
    fit = fit_of(arms, found.counterfactual)
    result = lift_result(question, arms, found, fit, placebo_pass(in_time, question.alpha), notes)
    weights = zip(arms.geos, found.counterfactual.weights, strict=True)
    return View(
        result,
        effect_days(panel, question, arms, found),
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
