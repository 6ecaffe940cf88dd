"""Caveats: everything a reader should hold against a plan, the largest first."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.figures import share
from weathervane.contracts.plan import PlanLine
from weathervane.planning import wording
from weathervane.planning.decision import Decision
from weathervane.planning.problem import Problem
from weathervane.planning.question import sorted_series
from weathervane.planning.request import PlanRequest

_WORTH_A_CAVEAT_GAP = 1e-3
_RHAT_LIMIT = 1.01


def caveats(
    request: PlanRequest,
    problem: Problem,
    names: wording.Names,
    decision: Decision,
    lines: tuple[PlanLine, ...],
    new_total: bool,
) -> tuple[str, ...]:
    """Everything a reader should hold against the plan, the largest first."""
    fit = request.fit
    at_zero = [line for line in lines if line.current.minor == 0 and line.under_test_until is None]
    seen = np.floor(sorted_series(request.curves).spend_max / problem.per_week + 1e-6)
    above = np.argwhere((problem.current > seen[:, :, None]).any(axis=2))
    beyond = [line for line in lines if line.extrapolates]
    said = [
        (not fit.media_signal.told_from_zero, fit.media_signal.sentence),
        (
            fit.summary.rhat_max > _RHAT_LIMIT or fit.summary.divergences > 0,
            "The model's simulations did not agree well with each other: read its figures as rough.",
        ),
        (
            bool(beyond),
            f"{_these(len(beyond), 'line')} planned above any spend seen there: what that brings is a guess.",
        ),
        (len(above) > 0, f"{_these(len(above), 'line')} already above any week's spend seen there, and may not rise."),
        (bool(request.under_test), wording.under_test(request.under_test, names.places)),
        *((True, caveat) for caveat in fit.caveats),
        (request.quality.verdict != "calibrated", request.quality.sentence),
        (not _foreseen(request), weather_sentence(request, names)),
        (
            new_total,
            "The total differs from the current one. Gains compare with the current split scaled to the new total, "
            "so they say nothing of what the change of the total itself brings.",
        ),
        (
            not new_total and bool((decision.start != problem.current).any()),
            "The limits themselves move some lines: the current split is outside them. Gains compare with the nearest "
            "split inside.",
        ),
        (
            bool(at_zero),
            f"{len(at_zero)} {'lines have' if len(at_zero) > 1 else 'line has'} no spend now and "
            f"{'stay' if len(at_zero) > 1 else 'stays'} at zero: without spend there is nothing to measure.",
        ),
        (
            decision.change and decision.certificate.gap_rel > _WORTH_A_CAVEAT_GAP,
            f"A better split may exist: it could bring up to {share(decision.certificate.gap_rel)} more.",
        ),
    ]
    return tuple(dict.fromkeys(text for holds, text in said if holds and text))


def weather_sentence(request: PlanRequest, names: wording.Names) -> str:
    """What weather the plan was made over."""
    said = _temperature_sentence(request, names)
    per_wet = request.curves.outcome_per_wet
    if per_wet is None or not per_wet.any():
        return said
    known = {each.geo for each in request.forecast.outlook if each.wet_anomaly}
    missing = sorted(set(request.curves.geos) - known)
    rain = "Rain is taken at what is expected of it, without what it may turn out otherwise"
    return f"{said} {rain}{f'; as normal in {_listed(missing, names)}' if missing else ''}."


def _temperature_sentence(request: PlanRequest, names: wording.Names) -> str:
    courses = request.forecast.courses
    if courses is not None:
        return courses.sentence if courses.geos else f"{courses.sentence} Planned at normal weather."
    if request.forecast.weather_source != "forecast":
        return "No weather forecast is stored: planned at normal weather."
    missing = _without_outlook(request)
    if missing:
        return f"No weather outlook for {_listed(missing, names)}: planned at normal weather."
    return (
        "The mean of the weather forecast, without what it may turn out otherwise: the forecast in use keeps no more."
    )


def _foreseen(request: PlanRequest) -> bool:
    """Whether every place's weather follows a forecast."""
    courses = request.forecast.courses
    if courses is not None:
        return set(request.curves.geos) <= set(courses.geos) and "climatology" not in courses.basis
    return request.forecast.weather_source == "forecast" and not _without_outlook(request)


def _without_outlook(request: PlanRequest) -> list[str]:
    known = {each.geo for each in request.forecast.outlook if each.temp_anomaly_z is not None}
    return sorted(set(request.curves.geos) - known)


def _these(count: int, noun: str) -> str:
    return f"{count} {noun}{'s are' if count > 1 else ' is'}"


def _listed(geos: list[str], names: wording.Names) -> str:
    told = ", ".join(names.place(geo) for geo in geos[:3])
    return told if len(geos) <= 3 else f"{told} and {len(geos) - 3} more"
