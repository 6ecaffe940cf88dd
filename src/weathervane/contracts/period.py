"""Period: a run of local calendar days, both ends included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from weathervane.contracts.errors import BadInput


@dataclass(frozen=True)
class Period:
    """Local calendar days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise BadInput(f"A period cannot end ({self.end}) before it starts ({self.start}).", "swap the two dates.")

    @property
    def n_days(self) -> int:
        """Number of days, at least one."""
        return (self.end - self.start).days + 1

    def days(self) -> Iterator[date]:
        """Every day in order."""
        return (self.start + timedelta(days=i) for i in range(self.n_days))
