"""Train the model: what the store knows becomes a registered fit with its response curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from weathervane.contracts.errors import ModelFailed, NotEnoughData
from weathervane.contracts.event import Event
from weathervane.contracts.fit import FitReport
from weathervane.contracts.tables import TABLES
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.engine import EngineName, LightweightModel, MediaMixSpec, Step
from weathervane.model.mmm.posterior_file import Posterior, read_posterior
from weathervane.model.mmm.priors import Priors, parse_priors
from weathervane.model.pipeline import train
from weathervane.store import model_registry, results
from weathervane.store.checkpoints import Checkpoints
from weathervane.store.event_log import record
from weathervane.store.experiments import lift_results
from weathervane.store.import_notes import import_notes
from weathervane.store.paths import Store
from weathervane.store.tables import data_hash, read
from weathervane.workflows.check_readiness import check_readiness


def train_model(
    store: Store,
    *,
    as_of: datetime,
    seed: int,
    run_id: str,
    priors_file: Path | None = None,
    engine: EngineName = "hierarchical",
    lightweight_model: LightweightModel = "hill_adstock",
    likelihood: Likelihood = "normal",
    step: Step = "week",
    by_category: bool = False,
    memory_bytes: float | None = None,
    anyway: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> FitReport:
    """Fits to what was known at `as_of` and registers the fit, as champion where the rules of promotion are met.

    `by_category` fits a model of each category beside the total's. `priors_file` None takes the built-in priors;
    `memory_bytes` is what the machine has, where that is known. Raises NotEnoughData, BadInput for what the engine
    cannot use, or ModelFailed where the fit could not run or did not converge: then the previous champion stays. It
    stays too where this is killed at any moment, and the same call goes on from the last finished block of draws.
    Data that are not ready are refused with NotEnoughData unless `anyway`.
    """
    priors = parse_priors(priors_file.read_text("utf-8"), str(priors_file)) if priors_file else Priors()
    # Only the hierarchical engine can learn from geo tests; the lightweight one would refuse them.
    experiments = lift_results(store) if engine == "hierarchical" else ()
    spec = MediaMixSpec(engine, priors, experiments, lightweight_model, likelihood, step, by_category)
    readiness = check_readiness(store, as_of.date(), as_of)
    if not (readiness.ready or anyway):
        raise NotEnoughData(readiness.sentence, f"{readiness.remedies[0]} Or train all the same with `--anyway`.")
    tenant = results.tenant(store)
    tables = {name: read(store, name, as_of) for name in TABLES}
    hashes = {name: data_hash(store, name, as_of) for name, frame in tables.items() if not frame.is_empty()}
    checkpoints = Checkpoints(store)
    try:
        trained = train(
            tables,
            tenant,
            spec,
            as_of=as_of,
            seed=seed,
            data_hashes=hashes,
            earlier=_last_before(store, as_of, spec),
            checkpoint=checkpoints,
            memory_bytes=memory_bytes,
            progress=progress,
        )
    except ModelFailed:
        # Kept for the same training again; or each night that fails would leave its draws for ever.
        checkpoints.clear_others()
        raise
    except np.linalg.LinAlgError as error:
        checkpoints.clear_others()
        raise ModelFailed(
            f"The equations of the fit have no solution ({error}): too few weeks tell the channels and places apart.",
            "look at `weathervane status` for weeks and places with gaps, or leave out a channel that hardly ran.",
        ) from error
    # What was guessed or missing on the way in stays with every figure that rests on it.
    doubts = tuple(f"Imported {n.table}: {n.why}" for n in import_notes(store) if n.what in {"warning", "changed"})
    report = replace(trained.report, caveats=(*trained.report.caveats, *doubts))
    entry = model_registry.register(store, report, trained.curves, trained.record, trained.posterior)
    checkpoints.clear()
    summary = report.summary
    detail: dict[str, str | int | float | bool | None] = {
        "model_id": report.model_id,
        "engine": summary.engine,
        "status": entry.status,
        "reason": entry.reason,
        "rhat_max": summary.rhat_max,
        "ess_min": summary.ess_min,
    }
    in_use = entry.status == "champion"
    if not in_use:
        detail["remedy"] = f"look at {report.model_id} in `weathervane models`; it is not in use."
    level = "info" if in_use else "warning"
    record(store, Event("model.trained", store.tenant_id, report.created_at, run_id, level, detail=detail))
    return report


def _last_before(store: Store, as_of: datetime, spec: MediaMixSpec) -> Posterior | None:
    """The posterior of the last fit of this engine made before `as_of`; one made at the very time has no say.

    So a run that is repeated starts where it started, and gives the same bytes.
    """
    earlier = [
        each
        for each in model_registry.entries(store)
        if datetime.fromisoformat(each.report.created_at) < as_of.replace(microsecond=0)
        and each.report.summary.engine == spec.name
        and each.posterior is not None
    ]
    if not earlier:
        return None
    last = max(earlier, key=lambda each: (each.report.created_at, each.model_id))
    data = model_registry.posterior_bytes(store, last)
    return None if data is None else read_posterior(data)
