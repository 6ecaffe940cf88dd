"""Tested line: one place × channel of a geo test, and what the test's design makes of its budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from weathervane.contracts.money import Money
from weathervane.contracts.period import Period


@dataclass(frozen=True)
class TestedLine:
    """A line of a test. `factor` is what the design makes of the usual budget on days in the `window`: 0 where ads are
    off, 1 where nothing changes, None where they are raised by an amount that the design does not name.

    `until` is the last day that counts for the test, cool-down and all. `live`: it is approved, running or cooling
    down; else it is over and only says which days were not usual.
    """

    __test__ = False  # pytest takes the name for a test

    experiment_id: str
    geo: str
    channel: str
    factor: float | None
    window: Period
    until: date
    live: bool

    def holds(self, period: Period) -> bool:
        """Whether the line is held in a plan of this period: from approval to the end of the cool-down."""
        return self.live and self.until >= period.start


@dataclass(frozen=True)
class HeldLine:
    """A line of a plan that a test holds: its budget in each period of the plan, to the cent."""

    geo: str
    channel: str
    experiment_id: str
    window: Period
    until: date
    budgets: tuple[Money, ...]
