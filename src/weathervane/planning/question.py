"""Question: a fit's curves, a horizon and the weather coming, as a problem without limits yet.

Formulas in docs/modeling/planning.md, "The problem" and "Weather".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from weathervane.contracts.forecast import WeatherOutlook
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.problem import Floats, Ints, Problem, carry_over


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
    )
    return Series(ordered.geos, ordered.channels, ordered, ordered.spend_recent, ordered.spend_max)


def problem_of(
    curves: ResponseCurves, current: Ints, n_periods: int, period_days: int, currency: str, weather: Floats
) -> Problem:
    """What may be asked of these curves (sorted): `current` budgets [g, c, t] in minor units, `weather` [g, t, d]."""
    by_lag = curves.carry_over
    return Problem(
        geos=curves.geos,
        channels=curves.channels,
        n_periods=n_periods,
        period_days=period_days,
        currency=currency,
        grid=curves.budget,
        outcome=curves.outcome,
        outcome_per_z=curves.outcome_per_z if curves.outcome_per_z.any() else None,
        z=weather,
        spent=curves.spend_recent,
        current=current,
        carry=None if by_lag is None or by_lag.shape[1] < 2 else carry_over(by_lag, n_periods, period_days),
    )


def weather_draws(
    outlook: Mapping[str, WeatherOutlook],
    given: Mapping[str, Floats] | None,
    geos: tuple[str, ...],
    shape: tuple[int, int],
) -> Floats:
    """Temperature anomaly [g, t, d] over local spread, of `shape` (periods, draws): the weather a plan is made over.

    `given` holds members [t, m] by geo, already faded to normal with the lead; they are taken in turn. Where there are
    none, the outlook's mean stands in every draw; where there is no outlook, normal weather.
    """
    n_periods, n_draws = shape
    result = np.zeros((len(geos), n_periods, n_draws))
    for g, geo in enumerate(geos):
        members = (given or {}).get(geo)
        mean = outlook[geo].temp_anomaly_z if geo in outlook else None
        if members is not None:
            result[g] = members[:, np.arange(n_draws) % members.shape[1]]
        elif mean is not None:
            result[g] = mean
    return result
