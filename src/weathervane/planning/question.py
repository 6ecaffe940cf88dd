"""Question: a fit's curves, a horizon and the weather coming, as a problem without limits yet.

Formulas in docs/modeling/planning.md, "The problem" and "Weather".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from weathervane.contracts.forecast import DemandForecast
from weathervane.contracts.period import Period
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.problem import Floats, Index, Ints, Modulation, Problem, carry_over

Weather = Mapping[Index, Floats]  # the anomaly [g, t, d] of each index


@dataclass(frozen=True)
class Series:
    """A fit's curves with geos and channels sorted by name; weekly spends [g, c] in major units."""

    geos: tuple[str, ...]
    channels: tuple[str, ...]
    curves: ResponseCurves
    spend_recent: Floats
    spend_max: Floats


def sorted_series(curves: ResponseCurves) -> Series:
    """The curves in order of names, in one memory layout, so that sums round alike in whatever order they came."""
    at = np.ix_(np.argsort(curves.geos), np.argsort(curves.channels))
    c = at[1].ravel()
    ordered = ResponseCurves(
        curves.model_id,
        tuple(sorted(curves.geos)),
        tuple(sorted(curves.channels)),
        np.ascontiguousarray(curves.budget[at]),
        np.ascontiguousarray(curves.outcome[at]),
        np.ascontiguousarray(curves.outcome_per_z[at]),
        np.ascontiguousarray(curves.spend_recent[at]),
        np.ascontiguousarray(curves.spend_max[at]),
        None if curves.carry_over is None else np.ascontiguousarray(curves.carry_over[c]),
        None if curves.outcome_per_wet is None else np.ascontiguousarray(curves.outcome_per_wet[at]),
    )
    return Series(ordered.geos, ordered.channels, ordered, ordered.spend_recent, ordered.spend_max)


def problem_of(
    curves: ResponseCurves, current: Ints, n_periods: int, period_days: int, currency: str, weather: Weather
) -> Problem:
    """What may be asked of these curves (sorted): `current` budgets [g, c, t] in minor units, by this weather."""
    by_index: dict[Index, Floats | None] = {"temperature": curves.outcome_per_z, "wetness": curves.outcome_per_wet}
    by_lag = curves.carry_over
    return Problem(
        geos=curves.geos,
        channels=curves.channels,
        n_periods=n_periods,
        period_days=period_days,
        currency=currency,
        grid=curves.budget,
        outcome=curves.outcome,
        spent=curves.spend_recent,
        current=current,
        modulations=tuple(
            Modulation(index, per_unit, weather[index])
            for index, per_unit in by_index.items()
            if per_unit is not None and per_unit.any()
        ),
        carry=None if by_lag is None or by_lag.shape[1] < 2 else carry_over(by_lag, n_periods, period_days),
    )


def weather_draws(forecast: DemandForecast, geos: tuple[str, ...], steps: Sequence[Period], n_draws: int) -> Weather:
    """The weather of a plan in these steps: courses of the temperature, and the wetness that is expected."""
    temperature = _temperature(forecast, geos, [step.start for step in steps], n_draws)
    wetness = np.repeat(_wetness(forecast, geos, steps)[..., None], n_draws, axis=2)
    return {"temperature": temperature, "wetness": wetness}


def _wetness(forecast: DemandForecast, geos: tuple[str, ...], steps: Sequence[Period]) -> Floats:
    """[g, t]: the expected anomaly of the share of wet days; normal, zero, where the forecast has none."""
    first = min((point.date for point in forecast.total), default=steps[0].start)
    known = {each.geo: np.array(each.wet_anomaly) for each in forecast.outlook}
    found = np.zeros((len(geos), len(steps)))
    for g, geo in enumerate(geos):
        for t, step in enumerate(steps):
            days = np.arange((step.start - first).days, (step.end - first).days + 1) // forecast.step_days
            values = known.get(geo, np.zeros(0))
            inside = days[(days >= 0) & (days < len(values))]
            found[g, t] = values[inside].sum() / len(days)
    return found


def _temperature(forecast: DemandForecast, geos: tuple[str, ...], starts: Sequence[date], n_draws: int) -> Floats:
    """Its anomaly [g, t, d] over local spread in the periods that begin on `starts`.

    The forecast's courses are taken in turn, each for two draws, so that both halves of the draws see all of them;
    their mean stays what it is over all courses. A forecast without courses stands in every draw with its mean; a
    place that neither names has normal weather.
    """
    result = np.zeros((len(geos), len(starts), n_draws))
    courses, means = forecast.courses, {each.geo: each.temp_anomaly_z for each in forecast.outlook}
    turn = np.arange(n_draws) // 2
    for g, geo in enumerate(geos):
        if courses is not None:
            if geo in courses.geos:
                by_step = np.array(courses.anomaly_z[courses.geos.index(geo)])
                rows = by_step[[(start - courses.start).days // courses.step_days for start in starts]]
                drawn = rows[:, turn % rows.shape[1]]
                result[g] = drawn + (rows.mean(axis=1) - drawn.mean(axis=1))[:, None]
        elif (mean := means.get(geo)) is not None:
            result[g] = mean
    return result
