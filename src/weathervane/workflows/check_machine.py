"""Check the machine: can this computer run WeatherVane, and what to do where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from weathervane.connectors import machine
from weathervane.contracts.machine import MachineReport


def check_machine(
    state: Path,
    now: datetime,
    database_url: str | None = None,
    web: Path | None = None,
    libraries: Sequence[machine.Probe] = machine.PROBES,
) -> MachineReport:
    """Every check. `web` is the folder of the built page; a PostgreSQL URL makes its driver required."""
    postgres = (database_url or "").startswith("postgres")
    driver = replace(machine.POSTGRES, required=postgres)
    return MachineReport(
        (
            machine.look_at_python(),
            machine.look_at_cores(),
            machine.look_at_memory(),
            *machine.look_at_state(state),
            machine.look_at_clock(now),
            *machine.try_libraries((*libraries, driver)),
            *machine.look_at_extras(web),
        )
    )
