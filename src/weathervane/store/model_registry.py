"""Model registry: every fit with its report, the hash of its response curves, and which one is in use."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.fit import FitReport
from weathervane.contracts.response import ResponseCurves
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json

_ARRAYS = ("budget", "outcome", "outcome_per_z", "spend_recent", "spend_max")


def register(store: Store, report: FitReport, curves: ResponseCurves) -> None:
    """Stores a fit and makes it the tenant's champion; the same fit again replaces itself.

    Raises BadInput where report and curves belong to different models or another tenant.
    """
    if report.tenant_id != store.tenant_id or curves.model_id != report.model_id:
        raise BadInput(
            f"The report is of {report.tenant_id}/{report.model_id}, not of {store.tenant_id}/{curves.model_id}.",
            "register them together.",
        )
    data = _pack(curves)
    digest = hashlib.sha256(data).hexdigest()
    path = store.models / f"{report.model_id}-{digest[:12]}.npz"
    write_atomically(path, data)
    artefact = {"path": path.relative_to(store.root).as_posix(), "sha256": digest}
    entry = {"model_id": report.model_id, "report": json.loads(to_json(report)), "curves": artefact}
    with locked(store.root / ".models_registry.lock"):
        registry = _read(store.models_registry)
        mine = registry["tenants"].setdefault(store.tenant_id, {"champion": None, "models": []})
        mine["models"] = [m for m in mine["models"] if m["model_id"] != report.model_id] + [entry]
        mine["champion"] = report.model_id
        write_atomically(
            store.models_registry,
            (json.dumps(registry, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode(),
        )


def champion(store: Store) -> tuple[FitReport, ResponseCurves]:
    """The fit in use; NotFound before the first one, StateUnusable if its curves are not what was registered."""
    mine = _read(store.models_registry)["tenants"].get(store.tenant_id)
    if mine is None or mine["champion"] is None:
        raise NotFound(f"No model is trained for {store.tenant_id!r} yet.", "run `weathervane train`.")
    entry = next(m for m in mine["models"] if m["model_id"] == mine["champion"])
    return from_json(FitReport, json.dumps(entry["report"])), _unpack(store.root, entry["curves"])


def _read(path: Path) -> dict[str, Any]:
    try:
        registry: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {"schema_version": 1, "tenants": {}}
    except OSError as error:
        raise unusable(path, error) from error
    except ValueError as error:
        raise StateUnusable(f"{path} is damaged.", "restore it from a backup, or delete it and train again.") from error
    return registry


def _pack(curves: ResponseCurves) -> bytes:
    buffer = io.BytesIO()
    names = {"model_id": [curves.model_id], "geos": list(curves.geos), "channels": list(curves.channels)}
    texts = {name: np.array(values, dtype=np.str_) for name, values in names.items()}
    np.savez_compressed(buffer, **texts, **{name: getattr(curves, name) for name in _ARRAYS})
    return buffer.getvalue()


def _unpack(root: Path, artefact: dict[str, str]) -> ResponseCurves:
    path = root / artefact["path"]
    remedy = "restore it from a backup, or run `weathervane train`."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StateUnusable(f"The response curves {path} cannot be read: {error.strerror}.", remedy) from error
    if hashlib.sha256(data).hexdigest() != artefact["sha256"]:
        raise StateUnusable(f"The response curves {path} are not what was registered.", remedy)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return ResponseCurves(
                model_id=str(arrays["model_id"][0]),
                geos=tuple(str(geo) for geo in arrays["geos"]),
                channels=tuple(str(channel) for channel in arrays["channels"]),
                **{name: arrays[name] for name in _ARRAYS},
            )
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StateUnusable(f"The response curves {path} were made by another version.", remedy) from error
