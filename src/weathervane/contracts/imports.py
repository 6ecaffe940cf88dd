"""Imports: what was kept, dropped, changed or added on the way in, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ImportNote:
    """One decision about one table, in rows; `why` is a sentence a person reads before anything is fitted."""

    table: str
    what: Literal["kept", "dropped", "changed", "warning", "added"]
    rows: int
    why: str
