"""Freeze: the hash of the data a design was made on, and what an analysis did otherwise than was frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weathervane.contracts.experiment_design import ExperimentDesign
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Panel, named


@dataclass(frozen=True)
class Analysed:
    """What an analysis really used. `input_snapshot_sha256` is panel_sha256 over the pre-period it used."""

    geos: tuple[str, ...]
    treated_geos: tuple[str, ...]
    pre_period: Period
    test_window: Period
    cooldown_days: int
    metric: str
    estimator: str
    test: str
    alpha: float
    input_snapshot_sha256: str


def panel_sha256(panel: Panel) -> str:
    """SHA-256 of a panel: its geos, its days and every outcome to the last bit."""
    values = panel.outcome.astype("<f8") + 0.0  # −0 is 0
    values[np.isnan(values)] = np.nan
    found = hashlib.sha256()
    for name in (*panel.geos, *(day.isoformat() for day in panel.days)):
        found.update(name.encode() + b"\0")
    found.update(values.tobytes())
    return found.hexdigest()


def departures(design: ExperimentDesign, analysed: Analysed) -> tuple[str, ...]:
    """Each way in which an analysis departs from the frozen plan, a sentence each; empty where it keeps to it."""
    pairs = (
        ("pre-period", _span(design.pre_period), _span(analysed.pre_period)),
        ("test window", _span(design.test_window), _span(analysed.test_window)),
        ("cool-down in days", str(design.cooldown_days), str(analysed.cooldown_days)),
        ("metric", design.metric, analysed.metric),
        ("estimator", design.estimator, analysed.estimator),
        ("test", design.test, analysed.test),
        ("alpha", f"{design.alpha:g}", f"{analysed.alpha:g}"),
    )
    found = [
        f"The plan fixed the {what} as {frozen}, and {used} was used." for what, frozen, used in pairs if frozen != used
    ]
    found += _geos("places taking part", design.geos, analysed.geos)
    found += _geos("treated places", design.treated_geos, analysed.treated_geos)
    if design.input_snapshot_sha256 != analysed.input_snapshot_sha256:
        found.append("The sales before the test are not those it was planned on: they were restated since.")
    return tuple(found)


def _span(period: Period) -> str:
    return f"{period.start} to {period.end}"


def _geos(what: str, frozen: Sequence[str], used: Sequence[str]) -> list[str]:
    without, added = sorted(set(frozen) - set(used)), sorted(set(used) - set(frozen))
    found = [f"Left out of the {what}: {named(without)}."] if without else []
    return found + ([f"Added to the {what}: {named(added)}."] if added else [])
