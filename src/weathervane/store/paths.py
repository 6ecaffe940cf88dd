"""Paths: the map of the state folder for one tenant."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import check_tenant_id
from weathervane.store.atomic import unusable

LEDGER_FILE = "weathervane.db"


@dataclass(frozen=True)
class Store:
    """Where everything of one tenant is kept. `database_url` is a SQLAlchemy URL; passwords in it are never printed."""

    root: Path
    tenant_id: str
    database_url: str

    def __repr__(self) -> str:
        return f"Store(root={str(self.root)!r}, tenant_id={self.tenant_id!r})"

    def table(self, name: str) -> Path:
        """The folder of one table's Parquet files; BadInput for a name that no contract has."""
        if name not in TABLES:
            raise BadInput(f"There is no table {name!r}.", f"use one of {', '.join(TABLES)}.")
        return self.root / "tables" / self.tenant_id / name

    @property
    def models_registry(self) -> Path:
        """Every fit of every tenant, and each tenant's champion."""
        return self.root / "models_registry.json"

    @property
    def models(self) -> Path:
        """The folder of this tenant's response curves and posteriors."""
        return self.root / "artifacts" / "models" / self.tenant_id

    @property
    def checkpoints(self) -> Path:
        """The folder of what an unfinished training of this tenant has drawn so far."""
        return self.root / "checkpoints" / self.tenant_id

    @property
    def events(self) -> Path:
        """What the automation did, one JSON object a line."""
        return self.root / "autopilot_events.jsonl"

    @property
    def context(self) -> Path:
        """The status page a person reads."""
        return self.root / "context.md"

    @property
    def ingestion_log(self) -> Path:
        """One line a source a run."""
        return self.root / "telemetry" / "ingestion" / "jobs.jsonl"

    @property
    def geo_holdouts(self) -> Path:
        """One immutable experiment design a file."""
        return self.root / "analytics" / "experiments" / "geo_holdouts"

    def geo_holdout(self, experiment_id: str) -> Path:
        """The frozen design of one experiment."""
        return self.geo_holdouts / f"{experiment_id}.json"

    def geo_holdout_events(self, experiment_id: str) -> Path:
        """The states one experiment entered after it was frozen, one JSON object a line."""
        return self.geo_holdouts / f"{experiment_id}.events.jsonl"

    def geo_holdout_result(self, experiment_id: str) -> Path:
        """The read-out of one experiment."""
        return self.geo_holdouts / f"{experiment_id}.result.json"

    @property
    def geo_holdout_runs(self) -> Path:
        """One line a nightly experiment run."""
        return self.root / "telemetry" / "experiments" / "geo_holdout_runs.jsonl"

    @property
    def calibration(self) -> Path:
        """One result a calibration run, and history.jsonl with one line each."""
        return self.root / "telemetry" / "calibration"

    @property
    def backtest(self) -> Path:
        """The cells of the last forecast's backtest."""
        return self.root / "artifacts" / "forecasts" / self.tenant_id / "backtest.npz"

    @property
    def integrity(self) -> Path:
        """What each gate said."""
        return self.root / "telemetry" / "integrity"

    def demo_run(self, run_id: str) -> Path:
        """The folder of one demo run's artefacts."""
        return self.root / "artifacts" / "demos" / self.tenant_id / run_id

    def run(self, run_id: str) -> Path:
        """The folder of one ordinary run's artefacts."""
        return self.root / "artifacts" / "runs" / self.tenant_id / run_id

    def change_set(self, plan_id: str, change_set_id: str) -> Path:
        """The folder of one change set: what to load into the ad platforms, and how to take it back."""
        return self.run(plan_id) / change_set_id


def open_store(root: Path, tenant_id: str, database_url: str | None = None) -> Store:
    """The store of one tenant under `root`, which is made if needed and must be writable.

    `database_url` None means SQLite inside `root`. Raises BadInput for a tenant id that cannot name a folder and
    StateUnusable where `root` cannot be written.
    """
    store = look_at_store(root, tenant_id, database_url)
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=store.root):
            pass
    except OSError as error:
        raise unusable(store.root, error) from error
    return store


def look_at_store(root: Path, tenant_id: str, database_url: str | None = None) -> Store:
    """The store of one tenant under `root`, which need not exist and is not touched."""
    root = root.expanduser().absolute()
    return Store(root, check_tenant_id(tenant_id), database_url or default_database_url(root))


def default_database_url(root: Path) -> str:
    """The SQLite database inside the state folder `root`."""
    return f"sqlite:///{root.expanduser().absolute() / LEDGER_FILE}"
