"""Tested lines: which place × channel the tenant's tests hold, and on which days their spend was the test's.

A line is held from the day its test is approved to the end of its cool-down. The tested channel is held in every place
that takes part, treated or control; places left out of the test, and other channels, are free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from weathervane.contracts.experiment_design import AssignedGeo, Cell, ExperimentDesign, Transition
from weathervane.contracts.period import Period
from weathervane.contracts.tested_line import TestedLine
from weathervane.experiments.upkeep import last_day


def lines_of_tests(designs: Iterable[tuple[ExperimentDesign, Transition]]) -> tuple[TestedLine, ...]:
    """The lines of every test that was approved, whatever became of it."""
    return tuple(line for design, step in designs for line in _lines(design, step))


def _lines(design: ExperimentDesign, step: Transition) -> Iterator[TestedLine]:
    if step.state in ("draft", "superseded"):
        return
    live, window = step.state in ("assigned", "running", "completed"), design.test_window
    until = last_day(design)
    if not live:  # stopped or failed: what it changed, it changed until then
        ended = min(date.fromisoformat(step.at[:10]), window.end)
        if ended < window.start:
            return
        window, until = Period(window.start, ended), ended
    for channel in dict.fromkeys(cell.channel for cell in design.cells):
        cells = [cell for cell in design.cells if cell.channel == channel]
        for geo in design.assignment:
            yield TestedLine(design.experiment_id, geo.geo, channel, _factor(geo, cells), window, until, live)


def _factor(geo: AssignedGeo, cells: list[Cell]) -> float | None:
    """What becomes of the channel's usual budget in this place, `cells` being those that test the channel.

    Places that take turns keep their usual budget: what a trigger changes on single days comes on top of it.
    """
    own = next((cell for cell in cells if cell.name == geo.cell), None)
    if geo.group == "alternating":
        return 1.0
    if own is None:  # the control, and places in which another channel is tested
        return 0.0 if cells[0].kind == "holdback" else 1.0
    return {"holdback": 1.0, "go_dark": 0.0, "heavy_up": None}[own.kind]
