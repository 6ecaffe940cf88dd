"""Event: one line of what the automation did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Event:
    """Something that happened. `at` is a UTC instant ending in Z; `detail` holds JSON values and never a secret."""

    kind: str
    tenant_id: str
    at: str
    run_id: str
    level: Level = "info"
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
