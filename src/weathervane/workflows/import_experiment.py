"""Import an experiment: a test that others drew, taken in from their file so that it is kept and read here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np

from weathervane.connectors.experiments.geox import read_geox_design
from weathervane.connectors.experiments.split_csv import read_split_csv
from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.event import Event
from weathervane.contracts.experiment_design import (
    Cell,
    DesignRequest,
    ExistingSplit,
    ExperimentDesign,
    Kind,
    Power,
    Transition,
)
from weathervane.contracts.period import Period
from weathervane.experiments import upkeep
from weathervane.experiments.draft import Stamp, refuse_overlap
from weathervane.experiments.grade import import_running
from weathervane.experiments.panel import Panel
from weathervane.experiments.power import power_of
from weathervane.experiments.tables import GeoTables, need_days
from weathervane.store import experiments
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.workflows.read_geo_tables import read_geo_tables

_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Taken:
    """What a person says of a test that others drew; None takes it from the file. `declared` is how it was drawn."""

    channel: str
    start: date
    end: date | None = None
    kind: Kind | None = None
    cooldown_days: int = 7
    alpha: float | None = None
    declared: str = ""


def read_split(path: Path) -> ExistingSplit:
    """The split of a GeoX design (JSON) or of a CSV with geo and group, one row a geo or many."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "name a GeoX design (JSON) or a CSV with geo and group.")
    return read_geox_design(path) if path.suffix == ".json" else read_split_csv(path)


def import_experiment(store: Store, split_file: Path, taken: Taken, *, now: datetime, run_id: str) -> ExperimentDesign:
    """The frozen design, marked as imported, and running where its window has begun. Nothing is stored on an error.

    Raises BadInput for a file that cannot be read, geos or a channel without data, or a test that overlaps another one;
    NotEnoughData where the history before it is shorter than the test.
    """
    split = read_split(split_file)
    tables = read_geo_tables(store)
    need_days(tables.outcome)
    if taken.channel not in tables.spend:
        known = ", ".join(sorted(tables.spend)) or "none at all"
        raise BadInput(
            f"There is no spend on {taken.channel!r}.", f"name the channel that was tested; there is {known}."
        )
    request = _request(split, taken, tables)
    pre = _pre_period(tables, request)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    name = upkeep.experiment_id(store.tenant_id, now)
    stamp = Stamp(store.tenant_id, name, at, run_id, 0, version("weathervane"))
    with experiments.one_at_a_time(store):
        others = [one for one, step in experiments.designs(store) if step.state in {"assigned", "running", "completed"}]
        made = import_running(pre, split, request, stamp, declared=taken.declared)
        refuse_overlap(
            made.geos,
            request,
            others,
            "if it is the same test, end the stored one first with `weathervane "
            "experiment stop {other}`; to leave a place out of its result, use `weathervane experiment read {other} "
            "--without PLACE`.",
        )
        made = replace(made, power=_power(tables, made))
        experiments.keep_design(store, made)
        if request.test_window.start <= now.date():
            experiments.enter(store, Transition(name, "running", at, run_id, "It ran when it was imported."))
    detail = {"experiment_id": name, "channel": taken.channel, "source": split.source}
    record(store, Event("experiment.imported", store.tenant_id, at, run_id, detail=detail))
    return made


def _request(split: ExistingSplit, taken: Taken, tables: GeoTables) -> DesignRequest:
    days = split.duration_days
    end = taken.end if taken.end is not None or days is None else taken.start + timedelta(days=days - 1)
    if end is None:
        raise BadInput(f"{split.source} does not say how long the test lasts.", "give its last day or its weeks.")
    window = Period(taken.start, end)
    n_geos = len(split.control) + sum(len(geos) for geos in split.treated.values())
    cells = tuple(
        Cell(name, taken.kind or split.kinds.get(name, "go_dark"), taken.channel, len(split.treated[name]) / n_geos)
        for name in sorted(split.treated)
    )
    first = max(tables.outcome.days[0], taken.start - _YEAR)
    last = min(tables.outcome.days[-1], taken.start - timedelta(days=1))
    if last < first or (last - first).days + 1 < window.n_days:
        raise NotEnoughData(
            f"The test lasts {window.n_days} days and has {max((last - first).days + 1, 0)} days of sales before it.",
            "import a history at least as long as the test.",
        )
    alpha = taken.alpha or split.alpha or 0.1
    return DesignRequest(cells, Period(first, last), window, cooldown_days=taken.cooldown_days, alpha=alpha)


def _pre_period(tables: GeoTables, request: DesignRequest) -> Panel:
    within = np.array([request.pre_period.start <= day <= request.pre_period.end for day in tables.outcome.days])
    days = tuple(day for day, inside in zip(tables.outcome.days, within, strict=True) if inside)
    return Panel(tables.outcome.geos, days, tables.outcome.outcome[:, within])


def _power(tables: GeoTables, design: ExperimentDesign) -> Power | None:
    try:
        return power_of(tables.outcome, design, weather=tables.weather_residuals, spend=tables.spend[design.channel])
    except NotEnoughData:  # too short a history to simulate in is no reason not to read the test
        return None
