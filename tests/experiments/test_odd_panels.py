"""Panels of others: yearly, one treated unit, few periods, units of every size, labels with gaps."""

from __future__ import annotations

from datetime import date
from typing import get_args

import numpy as np
import pytest

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import EstimatorName
from weathervane.contracts.period import Period
from weathervane.experiments.panel import panel_from_rows
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_out

ESTIMATORS = [name for name in get_args(EstimatorName) if name not in {"trimmed_match", "episode_differences"}]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("n_units", "years"),
    [
        (17, [*range(1960, 1990), *range(1990, 2004)]),  # a country against sixteen
        (60, [*range(2001, 2013)]),  # more donors than years
        (9, [1990, 1992, 1994, 1996, 1998, 2000, 2003, 2006]),  # a survey with gaps
        (3, [*range(1990, 1998)]),
    ],
)
def test_one_treated_unit_by_year(estimator: EstimatorName, n_units: int, years: list[int]) -> None:
    rng = np.random.default_rng(n_units)
    n_post = max(len(years) // 4, 1)
    common = 0.05 * rng.standard_normal(len(years)).cumsum()
    size = 10.0 ** rng.uniform(0.0, 6.0, (n_units, 1))
    outcome = size * (2.0 + common + 0.02 * rng.standard_normal((n_units, len(years))))
    size[0] = 1000.0
    names = [f"{3 * u + 1:d}" for u in range(n_units)]  # codes that sort as text, with gaps
    cells = [(names[u], date(year, 1, 1), outcome[u, t]) for u in range(n_units) for t, year in enumerate(years)]
    panel = panel_from_rows(*(list(column) for column in zip(*cells, strict=True)))  # type: ignore[arg-type]
    assert len(panel.days) == len(years)
    window = Period(date(years[-n_post], 1, 1), date(years[-1], 1, 1))
    question = Question("odd", "policy", "units", (names[0],), tuple(names[1:]), window, estimator=estimator, alpha=0.2)
    if estimator == "difference_in_differences" and n_units == 17:
        # A plain average of units a thousand times as large leaves nothing without the policy.
        with pytest.raises(BadInput, match="relative lift means nothing"):
            read_out(panel, question)
        return
    view = read_out(panel, question).plain
    result = view.result
    assert result.n_days == n_post
    assert np.isfinite(result.lift_rel)
    if any("already misses" in text for text in result.caveats):  # plain averages of units a thousand times as large
        assert estimator in {"difference_in_differences", "synthetic_did"}
    else:
        assert abs(result.lift_rel) < 0.5
    assert sum(day.effect or 0.0 for day in view.days) == pytest.approx(result.lift_abs, rel=1e-6)
