"""Weather worth: what knowing the weather that is coming is worth to a plan (docs/modeling/planning.md, "Weather")."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.money import Money
from weathervane.contracts.plan import WeatherWorth
from weathervane.planning import wording
from weathervane.planning.allocate import best
from weathervane.planning.decision import difference, halves
from weathervane.planning.lines import quantiles
from weathervane.planning.problem import Problem


def weather_worth(problem: Problem, names: wording.Names) -> WeatherWorth | None:
    """The best budgets for the weather coming against the best for normal weather, both scored under what is coming.

    Normal weather is as uncertain, and normal on average. None where the curves do not depend on weather. One half of
    the draws chooses, the other scores.
    """
    if not problem.modulations:
        return None
    choosing, scoring = halves(problem)
    normal = tuple(
        replace(each, anomaly=each.anomaly - each.anomaly.mean(axis=2, keepdims=True)) for each in choosing.modulations
    )
    blind = best(replace(choosing, modulations=normal)).budgets
    seeing = best(choosing, start=blind).budgets
    gain = quantiles(difference(scoring, seeing, blind))
    moved = Money(int(np.abs(seeing - blind).sum()) // 2, problem.currency)
    return WeatherWorth(gain, moved, wording.weather_worth(gain, moved, names))
