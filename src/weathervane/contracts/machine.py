"""Machine: what a check of this computer found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MachineCheck:
    """One thing looked at. `remedy` is empty where it is fine; only a failed required check stops a demo."""

    name: str
    ok: bool
    required: bool
    found: str
    remedy: str


@dataclass(frozen=True)
class MachineReport:
    """Every check, and whether nothing required failed."""

    checks: tuple[MachineCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether this machine can run WeatherVane."""
        return all(check.ok for check in self.checks if check.required)
