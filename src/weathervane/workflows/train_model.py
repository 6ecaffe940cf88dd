"""Train the model: what the store knows becomes a registered fit with its response curves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from weathervane.contracts.event import Event
from weathervane.contracts.fit import FitReport
from weathervane.contracts.tables import TABLES
from weathervane.model.mmm.priors import Priors, parse_priors
from weathervane.model.pipeline import train
from weathervane.store import model_registry, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.store.tables import data_hash, read


def train_model(
    store: Store,
    *,
    as_of: datetime,
    seed: int,
    run_id: str,
    priors_file: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> FitReport:
    """Fits to what was known at `as_of` and registers the fit as champion.

    `priors_file` None takes the built-in priors. Raises NotEnoughData, or ModelFailed where the fit did not converge:
    then the previous champion stays.
    """
    priors = parse_priors(priors_file.read_text("utf-8"), str(priors_file)) if priors_file else Priors()
    tenant = results.tenant(store)
    tables = {name: read(store, name, as_of) for name in TABLES}
    hashes = {name: data_hash(store, name, as_of) for name, frame in tables.items() if not frame.is_empty()}
    trained = train(tables, tenant, priors, as_of=as_of, seed=seed, data_hashes=hashes, progress=progress)
    model_registry.register(store, trained.report, trained.curves)
    summary = trained.report.summary
    detail = {"model_id": trained.report.model_id, "rhat_max": summary.rhat_max, "ess_min": summary.ess_min}
    record(store, Event("model.trained", store.tenant_id, trained.report.created_at, run_id, detail=detail))
    return trained.report
