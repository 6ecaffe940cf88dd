"""The read-out of a geo test: lift, interval, p-value, return, days, placebos and caveats, plain and without weather.

experiments.md, "Read-out".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from weathervane.contracts.errors import BadInput, WeatherVaneError
from weathervane.contracts.experiment import GeoWeight, ReadOut, View
from weathervane.experiments.estimate import estimate_effect
from weathervane.experiments.lift import effect_days, fit_of, lift_result
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.placebos import placebo_pass, placebos_in_space, placebos_in_time
from weathervane.experiments.question import Arms, Question, arms_of, test_days
from weathervane.experiments.unusual_days import UnusualDays, unusual_days
from weathervane.experiments.weather_adjustment import adjust_for_weather
from weathervane.experiments.wording import kept_in, left_out_for, on_request, sentence

_MOST_LEFT_OUT = 1 / 3  # of the places; where more were closed or far from usual, no remainder is a fair test


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


def read_screened(
    panel: Panel,
    question: Question,
    *,
    assignments: Bools | None = None,
    spend: Panel | None = None,
    weather: Floats | None = None,
    without: Sequence[str] = (),
) -> ReadOut:
    """As `read_out`, without places that were closed or sold far from usual in the test, and beside it with them.

    `without` are places that a person leaves out, such as one whose days are lost. Where too little would remain, all
    places stay and the result says so. experiments.md, "Unusual days".
    """
    asked = tuple(sorted(set(without)))
    if asked:
        question, assignments = reduced(question, assignments, asked)
    found = unusual_in_test(panel, question)
    unusual = tuple(sorted({one.geo for one in found if one.kind != "missing"}))
    everything = read_out(panel, question, assignments=assignments, spend=spend, weather=weather)
    notes = (on_request(asked),) if asked else ()
    if not unusual:
        return _noted(everything, notes, trusted=True)
    told = tuple(one.sentence for one in found if one.kind != "missing")
    fewer = fewer_places(question, assignments, unusual)
    if fewer is None:
        return _noted(everything, (*notes, *told, kept_in(unusual)), trusted=False)
    rest = read_out(panel, fewer[0], assignments=fewer[1], spend=spend, weather=weather)
    notes = (*notes, *told, left_out_for(unusual, everything.result))
    return replace(_noted(rest, notes, trusted=True), left_out=unusual, with_all_places=everything.result)


def unusual_in_test(panel: Panel, question: Question) -> tuple[UnusualDays, ...]:
    """What is unusual in either arm on the days of the test and its cool-down."""
    geos = tuple(sorted((*question.treated_geos, *question.control_geos)))
    n_pre, n_days = test_days(panel, question)
    mine = panel.only(geos)
    until = Panel(mine.geos, mine.days[:n_days], mine.outcome[:, :n_days])
    return unusual_days(until, np.isin(np.array(geos), question.treated_geos), n_pre)


def reduced(question: Question, assignments: Bools | None, left_out: Sequence[str]) -> tuple[Question, Bools | None]:
    """The question without some places, and of the assignment set what puts those where they were: still exact.

    A pair goes with either of its places. Raises NotEnoughData where an arm is left empty.
    """
    gone = set(left_out)
    gone |= {geo for pair in question.pairs if gone & set(pair) for geo in pair}
    geos = np.array(sorted((*question.treated_geos, *question.control_geos)))
    fewer = replace(
        question,
        treated_geos=tuple(geo for geo in question.treated_geos if geo not in gone),
        control_geos=tuple(geo for geo in question.control_geos if geo not in gone),
        pairs=tuple(pair for pair in question.pairs if not gone & set(pair)),
    )
    if assignments is None:
        return fewer, None
    out, treated = np.isin(geos, sorted(gone)), np.isin(geos, question.treated_geos)
    as_they_were = (assignments[:, out] == treated[out]).all(axis=1)
    return fewer, assignments[as_they_were][:, ~out]


def fewer_places(
    question: Question, assignments: Bools | None, left_out: Sequence[str]
) -> tuple[Question, Bools | None] | None:
    """The question and the assignment set without these places, or None where too little would remain for a test."""
    n_geos = len(question.treated_geos) + len(question.control_geos)
    treated, control = set(question.treated_geos) - set(left_out), set(question.control_geos) - set(left_out)
    if not treated or len(control) < 2 or len(left_out) > _MOST_LEFT_OUT * n_geos:
        return None
    try:
        fewer, drawn = reduced(question, assignments, left_out)
    except WeatherVaneError:
        return None
    room = drawn is None or len(drawn) * question.alpha >= 1.0
    return (fewer, drawn) if room else None


def _noted(found: ReadOut, notes: tuple[str, ...], *, trusted: bool) -> ReadOut:
    """The read-out with `notes` before its caveats; a result that is not `trusted` does not claim its coverage."""

    def noted(view: View) -> View:
        result = replace(view.result, caveats=(*notes, *view.result.caveats), trusted=trusted and view.result.trusted)
        return replace(view, result=replace(result, sentence=sentence(result)))

    adjusted = None if found.weather_adjusted is None else noted(found.weather_adjusted)
    return replace(found, plain=noted(found.plain), weather_adjusted=adjusted)


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
