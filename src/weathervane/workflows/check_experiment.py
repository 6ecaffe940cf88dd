"""Check an experiment: where each of a tenant's tests stands, and what is wrong while one runs."""

from __future__ import annotations

from dataclasses import dataclass

from weathervane.contracts.experiment import StoredResult
from weathervane.contracts.experiment_design import ExperimentDesign, State
from weathervane.experiments.watch import alarms
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.read_geo_tables import read_geo_tables


@dataclass(frozen=True)
class ExperimentStatus:
    """A test, its state, its result if it was read, and a sentence for whatever leaves its arms unequal."""

    design: ExperimentDesign
    state: State
    result: StoredResult | None
    alarms: tuple[str, ...]


def check_experiment(store: Store) -> tuple[ExperimentStatus, ...]:
    """Every experiment of the tenant by id; alarms only of those that run."""
    found = experiments.designs(store)
    running = any(step.state == "running" for _, step in found)
    tables = read_geo_tables(store) if running else None
    return tuple(
        ExperimentStatus(
            one,
            step.state,
            experiments.result(store, one.experiment_id),
            alarms(one, tables) if tables is not None and step.state == "running" else (),
        )
        for one, step in found
    )
