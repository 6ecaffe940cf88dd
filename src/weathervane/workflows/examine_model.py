"""Examine the model: the champion is fitted again, questioned, and what it says is written with its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.examination import Examination
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.tables import TABLES
from weathervane.exports.examination import examination_report
from weathervane.exports.mmm_charts import mmm_charts
from weathervane.model.examination import examine
from weathervane.model.mmm.posterior_file import read_posterior
from weathervane.model.mmm.priors import Priors, parse_priors
from weathervane.store import model_registry, results
from weathervane.store.atomic import write_atomically
from weathervane.store.experiments import lift_results
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json
from weathervane.store.tables import read


@dataclass(frozen=True)
class Examined:
    """An examination, the folder it was written to and the names of its files."""

    examination: Examination
    folder: Path
    files: tuple[str, ...]


def examine_model(
    store: Store,
    *,
    deep: bool = False,
    priors_file: Path | None = None,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = lambda: 0.0,
) -> Examined:
    """Examines the champion and writes examination.json, EXAMINATION.md and its charts into `folder`.

    `folder` None is the run folder of that model. `clock` gives seconds, for the estimate of a deep examination. Raises
    NotFound before a model is trained, BadInput where the priors are not the champion's, and what training raises.
    """
    priors = parse_priors(priors_file.read_text("utf-8"), str(priors_file)) if priors_file else Priors()
    champion, _ = model_registry.champion(store)
    if priors.sha256 != champion.priors_sha256:
        raise BadInput(
            "The model in use was trained with other priors than these.",
            "name the same file with --priors, or train again.",
        )
    as_of = datetime.strptime(champion.created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    tables = {name: read(store, name, as_of) for name in TABLES}
    tenant = results.tenant(store)
    made = examine(
        tables,
        tenant,
        champion,
        priors,
        deep=deep,
        experiments=_experiments(store, champion.model_id),
        start=_start(store, champion.model_id),
        progress=progress,
        clock=clock,
    )
    folder = folder or store.run(f"examine-{champion.model_id}")
    progress("drawing and writing")
    folder.mkdir(parents=True, exist_ok=True)
    stored = folder / "examination.json"
    write_atomically(stored, to_json(made).encode())
    return Examined(made, folder, ("examination.json", *_write_report(stored)))


def _experiments(store: Store, model_id: str) -> tuple[LiftResult, ...]:
    """The experiments the champion's own fit has seen."""
    seen = {shift.experiment_id for shift in model_registry.entry(store, model_id).record.experiment_shifts}
    return tuple(result for result in lift_results(store) if result.experiment_id in seen)


def _start(store: Store, model_id: str) -> NDArray[np.float64] | None:
    """The peak the champion's own fit began at, if it began at an earlier fit's."""
    earlier = model_registry.entry(store, model_id).record.started_from
    if earlier is None:
        return None
    kept = model_registry.posterior_bytes(store, model_registry.entry(store, earlier))
    return None if kept is None else read_posterior(kept).peak


def _write_report(stored: Path) -> tuple[str, ...]:
    """The page and the pictures of a stored examination, beside it."""
    made = from_json(Examination, stored.read_text("utf-8"))
    files = {f"{name}.png": picture for name, picture in mmm_charts(made).items()}
    files["EXAMINATION.md"] = examination_report(made, tuple(files)).encode()
    for name, data in files.items():
        write_atomically(stored.parent / name, data)
    return tuple(sorted(files))
