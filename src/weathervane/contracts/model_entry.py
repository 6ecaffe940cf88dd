"""Model entry: one fit as the registry holds it, whether it is in use, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from weathervane.contracts.fit import FitRecord, FitReport

ModelStatus = Literal["candidate", "champion", "retired"]


@dataclass(frozen=True)
class Artefact:
    """A file of the state folder, by its path there and the hash of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class ModelEntry:
    """A candidate was never in use, the champion is, a retired one was. `reason` says what decided, and when."""

    model_id: str
    status: ModelStatus
    reason: str
    decided_at: str
    report: FitReport
    record: FitRecord
    curves: Artefact
    posterior: Artefact | None  # None for fits from before there was such a file
