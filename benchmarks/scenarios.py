"""Scenarios: how fast a plan is run again with levers changed: `python -m benchmarks.scenarios [--small]`.

CPU seconds of one process, the best of seven runs, from a baseline that is already read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from tests.planning.builders import curves_of, request_of

from benchmarks.figure import Figure, print_figures
from weathervane.contracts.plan import PlanLimits
from weathervane.contracts.scenario import Scenario
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.scenario import Baseline, baseline, run_scenario

BAR_S = 0.05
DRAWS = 400  # half of them score
LAGS = 63


def made(geos: int, *, carries: bool) -> Baseline:
    """A daily plan of one week for so many geos and five channels, returns depending on weather."""
    cells = {(f"geo-{i:02d}", channel): 1.0 + 0.02 * i for i in range(geos) for channel in "abcde"}
    curves = curves_of(cells, draws=DRAWS, per_z={cell: 0.1 for cell in cells if cell[1] == "a"})
    if carries:
        by_lag = 0.5 ** (np.arange(LAGS) / 6)
        curves = replace(curves, carry_over=np.tile((by_lag / by_lag.sum())[None, :, None], (5, 1, DRAWS)))
    request = request_of(curves, media_signal=False, step_days=1, limits=PlanLimits(max_change_rel=0.0))
    return baseline(request, make_budget_plan(request), "a" * 64)


def seconds(base: Baseline, scenario: Scenario) -> float:
    """CPU seconds of one run, the best of seven: what else runs on the machine only ever adds."""
    times: list[float] = []
    for _ in range(7):
        begun = time.process_time()
        run_scenario(base, scenario)
        times.append(time.process_time() - begun)
    return min(times)


def figures(*, small: bool) -> Iterator[Figure]:
    """Budgets changed, and budgets and weather changed, without and with carry-over."""
    geos = 10 if small else 40
    levers = {
        "budgets": Scenario(channel_multipliers={"a": 1.1}, geo_tilt={"geo-03": 1.2}),
        "budgets and weather": Scenario(channel_multipliers={"a": 1.1}, weather="normal"),
    }
    for carries in (False, True):
        base = made(geos, carries=carries)
        for name, scenario in levers.items():
            took = seconds(base, scenario)
            what = f"{geos} geos × 5 channels × 7 days, {DRAWS // 2} draws{', carry-over' if carries else ''}"
            yield Figure(f"scenario again, {name}: {what}", took, "s", f"≤ {BAR_S}", took <= BAR_S)


if __name__ == "__main__":
    print_figures(figures(small="--small" in sys.argv))
