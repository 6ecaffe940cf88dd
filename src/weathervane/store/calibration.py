"""Calibration runs: one file a run, never changed, and one line a run in the history."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

from weathervane.contracts.calibration import CalibrationRun, HistoryLine, history_line
from weathervane.contracts.errors import NotFound
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.event_log import append_line
from weathervane.store.ledger import sha256
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json

_HISTORY = "history.jsonl"


def keep_calibration(store: Store, run: CalibrationRun) -> CalibrationRun:
    """Stores a run and its line; the same run again changes nothing, and a line that a kill lost is added.

    Returns the run as stored.
    """
    with _one_at_a_time(store):
        path = store.calibration / f"{run.run_id}.json"
        if not path.exists():
            write_atomically(path, to_json(run).encode())
        stored = from_json(CalibrationRun, _text(path))
        if stored.run_id not in {line.run_id for line in _lines(store)}:
            append_line(store.calibration / _HISTORY, asdict(history_line(stored)))
    return stored


def latest_calibration(store: Store) -> tuple[CalibrationRun, str]:
    """The tenant's newest run and the sha256 of its file; NotFound before the first."""
    lines = history(store)
    if not lines:
        remedy = "run `weathervane forecast`: it tests itself on the past."
        raise NotFound(f"No forecast of {store.tenant_id!r} has been scored yet.", remedy)
    text = _text(store.calibration / f"{lines[-1].run_id}.json")
    return from_json(CalibrationRun, text), sha256(text)


def history(store: Store) -> list[HistoryLine]:
    """The tenant's runs, oldest first."""
    return [line for line in _lines(store) if line.tenant == store.tenant_id]


def forget_calibration(store: Store) -> None:
    """Removes the tenant's runs and their lines."""
    if not (store.calibration / _HISTORY).exists():
        return
    with _one_at_a_time(store):
        lines = _lines(store)
        kept = [json.dumps(asdict(line), sort_keys=True, ensure_ascii=False) + "\n" for line in lines]
        others = [text for text, line in zip(kept, lines, strict=True) if line.tenant != store.tenant_id]
        write_atomically(store.calibration / _HISTORY, "".join(others).encode())
        for line in lines:
            if line.tenant == store.tenant_id:
                (store.calibration / f"{line.run_id}.json").unlink(missing_ok=True)


def _one_at_a_time(store: Store) -> AbstractContextManager[None]:
    return locked(store.calibration / ".calibration.lock")


def _lines(store: Store) -> list[HistoryLine]:
    """Every tenant's lines; one torn by a kill does not count."""
    path = store.calibration / _HISTORY
    if not path.exists():
        return []
    return [from_json(HistoryLine, line) for line in _text(path).split("\n")[:-1]]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise unusable(path, error) from error
