"""Experiment report: tests as Markdown: what runs, what was found, and what a reader should hold against it."""

from __future__ import annotations

from weathervane.contracts.experiment import LiftResult, StoredResult
from weathervane.contracts.experiment_design import ExperimentDesign


def test_section(
    finished: ExperimentDesign | None, running: ExperimentDesign | None, result: StoredResult | None, why_not: str
) -> str:
    """The section of a summary: a row a test, the finished one's sentence and caveats, or why there is no test."""
    if finished is None:
        return f"## Geo tests\n\nNone: {why_not}"
    lines = ["## Geo tests", ""]
    lines += [
        "| test | state | channel | from | to | treated | control | can find (8 in 10) | found |",
        "|" + "---|" * 9,
    ]
    lift = result.lifts[0] if result is not None else None
    lines.append(_row(finished, "completed", _found(lift)))
    if running is not None:
        lines.append(_row(running, "running", "not over yet"))
    if lift is not None:
        lines += ["", lift.sentence, "", "![The finished test](geo-test.png)", ""]
        lines += [f"- {text}" for text in (*lift.caveats, *(result.departures if result else ()))]
    return "\n".join(lines).rstrip()


def _row(design: ExperimentDesign, state: str, found: str) -> str:
    power = design.power
    mde = "–" if power is None or power.mde_rel is None else f"{power.mde_rel:.1%}"
    window = design.test_window
    arms = (len(design.treated_geos), len(design.control_geos))
    cells = (design.experiment_id, state, design.channel, window.start, window.end, *arms, mde, found)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _found(lift: LiftResult | None) -> str:
    if lift is None:
        return "could not be read"
    ends = ["unbounded" if end is None else f"{end:+.1%}" for end in (lift.lift_rel_low, lift.lift_rel_high)]
    return f"{lift.lift_rel:+.1%} ({ends[0]} to {ends[1]})"
