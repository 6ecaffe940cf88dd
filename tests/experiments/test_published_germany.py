"""German reunification: the published weights and effect, with our solver for weights on a simplex inside theirs.

Predictors are matched under importances V chosen on 1971 to 1990, as published. The product has no such estimator: it
matches outcomes. What is checked is the solver, on yearly data with one treated unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import minimize
from tests.experiments.published_panels import rows, treated, yearly

from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.panel import Floats

PUBLISHED = {"Austria": 0.4145, "USA": 0.2162, "Japan": 0.1632, "Switzerland": 0.1077, "Netherlands": 0.0984}
NAME = "german_reunification.csv"


def predictors(geos: Sequence[str], decade: range, schooling: tuple[int, int], invest: str) -> Floats:
    """[n_units, 6], each in standard deviations over all units."""
    table = rows(NAME)

    def mean(unit: str, column: str, years: Sequence[int]) -> float:
        return float(
            np.mean([float(r[column]) for r in table if r["country"] == unit and int(r["year"]) in years and r[column]])
        )

    columns = [("gdp", decade), ("trade", decade), ("infrate", decade), ("industry", decade)]
    found: list[list[float]] = []
    for unit in geos:
        averages = [mean(unit, name, years) for name, years in columns]
        found.append([*averages, mean(unit, "schooling", schooling), mean(unit, invest, [1980])])
    matrix = np.array(found)
    return matrix / matrix.std(axis=0, ddof=1)


def test_german_reunification() -> None:
    panel = yearly(NAME, "country", "year", "gdp")
    west = treated(panel, "West Germany")
    years = np.array([day.year for day in panel.days])
    controls, target = panel.outcome[~west], panel.outcome[west][0]

    def mix(matrix: Floats, importance: Floats) -> Floats:
        scaled = matrix * np.sqrt(importance)
        return simplex_weights(scaled[~west], scaled[west][0])

    training = predictors(panel.geos, range(1971, 1981), (1970, 1975), "invest70")
    later = (years >= 1981) & (years <= 1990)

    def loss(free: Floats) -> float:
        importance = np.abs(free) / np.abs(free).sum()
        return float(((target - mix(training, importance) @ controls)[later] ** 2).mean())

    best = minimize(loss, np.full(6, 1 / 6), method="Nelder-Mead", options={"maxiter": 1000})
    importance = np.abs(best.x) / np.abs(best.x).sum()
    weights = mix(predictors(panel.geos, range(1981, 1991), (1980, 1985), "invest80"), importance)
    found = dict(zip([geo for geo, mask in zip(panel.geos, west, strict=True) if not mask], weights, strict=True))
    for country, weight in found.items():
        assert weight == pytest.approx(PUBLISHED.get(country, 0.0), abs=0.025), country
    effect = (target - weights @ controls)[years >= 1990]
    assert effect.mean() == pytest.approx(-1555.13, rel=0.025)
