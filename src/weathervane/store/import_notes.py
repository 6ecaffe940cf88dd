"""Import notes: what the last import of each table kept, dropped and changed, for plans to repeat as caveats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weathervane.contracts.imports import ImportNote
from weathervane.store.atomic import unusable, write_atomically
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json


@dataclass(frozen=True)
class _Notes:
    notes: tuple[ImportNote, ...]


def keep_import_notes(store: Store, notes: Sequence[ImportNote]) -> None:
    """Stores the notes of an import in place of older ones about the same tables."""
    told = {note.table for note in notes}
    older = [note for note in import_notes(store) if note.table not in told]
    write_atomically(_path(store), to_json(_Notes((*older, *notes))).encode())


def import_notes(store: Store) -> list[ImportNote]:
    """The notes of the last import of each table; none if nothing was imported."""
    path = _path(store)
    try:
        return list(from_json(_Notes, path.read_text(encoding="utf-8")).notes)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unusable(path, error) from error


def _path(store: Store) -> Path:
    return store.ingestion_log.parent / f"{store.tenant_id}.json"
