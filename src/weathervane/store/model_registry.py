"""Model registry: every fit with its report, record and artefacts, and which one is in use and why."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.fit import FitRecord, FitReport
from weathervane.contracts.model_entry import Artefact, ModelEntry
from weathervane.contracts.response import ResponseCurves
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.paths import Store
from weathervane.store.promotion import judge
from weathervane.store.results import from_json, to_json

SCHEMA_VERSION = 2
_ARRAYS = ("budget", "outcome", "outcome_per_z", "spend_recent", "spend_max")
_OPTIONAL = ("carry_over", "outcome_per_wet")
_REMEDY = "restore it from a backup, or run `weathervane train`."


def register(
    store: Store, report: FitReport, curves: ResponseCurves, record: FitRecord, posterior: bytes
) -> ModelEntry:
    """Stores a fit and puts it into use if promotion.py says so; the same fit again replaces itself.

    `posterior` is the bytes of its NetCDF file. Raises BadInput where report and curves belong to different models or
    another tenant.
    """
    if report.tenant_id != store.tenant_id or curves.model_id != report.model_id:
        raise BadInput(
            f"The report is of {report.tenant_id}/{report.model_id}, not of {store.tenant_id}/{curves.model_id}.",
            "register them together.",
        )
    made = ModelEntry(
        model_id=report.model_id,
        status="candidate",
        reason="",
        decided_at=report.created_at,
        report=report,
        record=record,
        curves=_keep(store, f"{report.model_id}", "npz", _pack(curves)),
        posterior=_keep(store, f"{report.model_id}", "nc", posterior),
    )
    with locked(_lock(store)):
        known = entries(store)
        before = next((each for each in known if each.model_id == made.model_id), None)
        champion = next((each for each in known if each.status == "champion"), None)
        if before is not None and before.status == "champion":
            made = replace(made, status="champion", reason=before.reason, decided_at=before.decided_at)
        else:
            verdict = judge(record, champion.record if champion else None)
            made = replace(made, status="champion" if verdict.promote else "candidate", reason=verdict.reason)
        others = [each for each in known if each.model_id != made.model_id]
        if made.status == "champion":
            others = [_retired(each, made.model_id, made.decided_at) for each in others]
        _write(store, [*others, made])
    return made


def promote(store: Store, model_id: str, reason: str, at: str) -> ModelEntry:
    """Puts a stored fit into use by hand, at the instant `at` (UTC, Z); the champion so far is retired.

    Promoting that one takes it back. Raises NotFound for an unknown fit, BadInput without a reason, StateUnusable where
    its curves are gone.
    """
    if not reason.strip():
        raise BadInput("A promotion by hand needs a reason.", "say why with --reason.")
    with locked(_lock(store)):
        known = entries(store)
        chosen = _one(store, known, model_id)
        _unpack(store.root, chosen.curves)  # what cannot be used is not put into use
        made = replace(chosen, status="champion", reason=f"By hand: {reason.strip()}", decided_at=at)
        _write(
            store,
            [made if each.model_id == model_id else _retired(each, model_id, at) for each in known],
        )
    return made


def entries(store: Store) -> list[ModelEntry]:
    """Every fit of the tenant in the order they were first or last registered, newest last; empty before the first."""
    mine = _read(store.models_registry)["tenants"].get(store.tenant_id, {"models": []})
    return [from_json(ModelEntry, json.dumps(each)) for each in mine["models"]]


def entry(store: Store, model_id: str) -> ModelEntry:
    """That fit of the tenant; NotFound if there is none."""
    return _one(store, entries(store), model_id)


def champion(store: Store) -> tuple[FitReport, ResponseCurves]:
    """The fit in use; NotFound before the first one, StateUnusable if its curves are not what was registered."""
    known = entries(store)
    chosen = next((each for each in known if each.status == "champion"), None)
    if chosen is None and known:
        raise NotFound(
            f"No model of {store.tenant_id!r} is in use; the last one is a candidate: {known[-1].reason}",
            "look at `weathervane models`, and promote one by hand or train again.",
        )
    if chosen is None:
        raise NotFound(f"No model is trained for {store.tenant_id!r} yet.", "run `weathervane train`.")
    return chosen.report, _unpack(store.root, chosen.curves)


def posterior_bytes(store: Store, chosen: ModelEntry) -> bytes | None:
    """The posterior file of that fit, as it was registered; None for fits from before there was one."""
    return None if chosen.posterior is None else _intact(store.root, chosen.posterior, "posterior")


def _one(store: Store, known: list[ModelEntry], model_id: str) -> ModelEntry:
    found = next((each for each in known if each.model_id == model_id), None)
    if found is None:
        raise NotFound(f"{store.tenant_id!r} has no model {model_id!r}.", "take an id out of `weathervane models`.")
    return found


def _retired(each: ModelEntry, by: str, at: str) -> ModelEntry:
    if each.status != "champion":
        return each
    return replace(each, status="retired", reason=f"Replaced by {by}.", decided_at=at)


def _lock(store: Store) -> Path:
    return store.root / ".models_registry.lock"


def _keep(store: Store, name: str, kind: str, data: bytes) -> Artefact:
    digest = hashlib.sha256(data).hexdigest()
    path = store.models / f"{name}-{digest[:12]}.{kind}"
    write_atomically(path, data)
    return Artefact(path.relative_to(store.root).as_posix(), digest)


def _write(store: Store, known: list[ModelEntry]) -> None:
    registry = _read(store.models_registry)
    # `champion` repeats a status for those who read the file by eye or with an older version.
    chosen = next((each.model_id for each in known if each.status == "champion"), None)
    models = [json.loads(to_json(each)) for each in known]
    registry["tenants"][store.tenant_id] = {"champion": chosen, "models": models}
    text = json.dumps(registry, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    write_atomically(store.models_registry, text.encode())


def _read(path: Path) -> dict[str, Any]:
    """The file as this version has it; StateUnusable where it is damaged or of a newer one."""
    try:
        registry: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {"schema_version": SCHEMA_VERSION, "tenants": {}}
    except OSError as error:
        raise unusable(path, error) from error
    except ValueError as error:
        raise StateUnusable(f"{path} is damaged.", "restore it from a backup, or delete it and train again.") from error
    version = registry["schema_version"]
    if version > SCHEMA_VERSION:
        raise StateUnusable(
            f"{path} is of version {version}; this program reads up to {SCHEMA_VERSION}.", "update WeatherVane."
        )
    return _from_first_version(registry) if version == 1 else registry


def _from_first_version(registry: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had report and curves alone, and every fit went into use."""
    tenants = {
        tenant: {
            "champion": mine["champion"],
            "models": [_from_first_entry(each, mine["champion"]) for each in mine["models"]],
        }
        for tenant, mine in registry["tenants"].items()
    }
    return {"schema_version": SCHEMA_VERSION, "tenants": tenants}


def _from_first_entry(each: dict[str, Any], champion: str | None) -> dict[str, Any]:
    in_use, summary = each["model_id"] == champion, each["report"]["summary"]
    diagnostics = {
        "method": summary["engine"],
        "chains": None,
        "draws": None,
        "rhat_max": summary["rhat_max"],
        "ess_min": summary["ess_min"],
        "ess_tail_min": None,
        "divergences": summary["divergences"],
        "ebfmi": None,
    }
    return {
        **each,
        "status": "champion" if in_use else "retired",
        "reason": "Fitted by a version that put every fit into use.",
        "decided_at": each["report"]["created_at"],
        "record": {"transforms": [], "diagnostics": diagnostics},
        "posterior": None,
    }


def _pack(curves: ResponseCurves) -> bytes:
    buffer = io.BytesIO()
    names = {"model_id": [curves.model_id], "geos": list(curves.geos), "channels": list(curves.channels)}
    texts = {name: np.array(values, dtype=np.str_) for name, values in names.items()}
    arrays = {name: getattr(curves, name) for name in _ARRAYS}
    arrays |= {name: array for name in _OPTIONAL if (array := getattr(curves, name)) is not None}
    np.savez_compressed(buffer, **texts, **arrays)
    return buffer.getvalue()


def _intact(root: Path, artefact: Artefact, what: str) -> bytes:
    path = root / artefact.path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StateUnusable(f"The {what} {path} cannot be read: {error.strerror}.", _REMEDY) from error
    if hashlib.sha256(data).hexdigest() != artefact.sha256:
        raise StateUnusable(f"The {what} {path} is not what was registered.", _REMEDY)
    return data


def _unpack(root: Path, artefact: Artefact) -> ResponseCurves:
    data = _intact(root, artefact, "response curves file")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return ResponseCurves(
                model_id=str(arrays["model_id"][0]),
                geos=tuple(str(geo) for geo in arrays["geos"]),
                channels=tuple(str(channel) for channel in arrays["channels"]),
                **{name: arrays[name] for name in _ARRAYS},
                **{name: arrays[name] for name in _OPTIONAL if name in arrays},
            )
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StateUnusable(
            f"The response curves {root / artefact.path} were made by another version.", _REMEDY
        ) from error
