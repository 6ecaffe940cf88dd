"""Train the model: what the store knows becomes a registered fit with its response curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from weathervane.contracts.event import Event
from weathervane.contracts.fit import FitReport
from weathervane.contracts.tables import TABLES
from weathervane.model.mmm.priors import Priors, parse_priors
from weathervane.model.pipeline import train
from weathervane.store import model_registry, results
from weathervane.store.event_log import record
from weathervane.store.import_notes import import_notes
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
    # What was guessed or missing on the way in stays with every figure that rests on it.
    doubts = tuple(f"Imported {n.table}: {n.why}" for n in import_notes(store) if n.what in {"warning", "changed"})
    report = replace(trained.report, caveats=(*trained.report.caveats, *doubts))
    model_registry.register(store, report, trained.curves)
    summary = report.summary
    detail = {"model_id": report.model_id, "rhat_max": summary.rhat_max, "ess_min": summary.ess_min}
    record(store, Event("model.trained", store.tenant_id, report.created_at, run_id, detail=detail))
    return report
