"""Atomic: a file is replaced whole or not at all, and one writer at a time touches a folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from weathervane.contracts.errors import StateUnusable


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces `path` by `data`: written aside in the same folder, synced, renamed; folders are made as needed.

    A crash leaves the old file or the new one. Raises StateUnusable if the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with aside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise unusable(path, error) from error


def write_folder_atomically(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Makes `folder` with exactly these files, all of them or none; a folder that is there already is left alone.

    Returns whether it was made now. Raises StateUnusable if the place cannot be written.
    """
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f".{folder.name}.lock"):
            if folder.exists():
                return False
            try:
                for name, data in files.items():
                    write_atomically(aside / name, data)
                aside.rename(folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
            sync_folder(folder.parent)
    except OSError as error:
        raise unusable(folder, error) from error
    return True


def sync_folder(folder: Path) -> None:
    """Makes renames and removals inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Holds an exclusive lock on the file `path`, waiting for whoever has it; a killed holder loses it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def unusable(path: Path, error: OSError) -> StateUnusable:
    """The error for a place in the state folder that cannot be read or written."""
    reason = error.strerror or str(error)
    return StateUnusable(
        f"{path} cannot be used: {reason}.",
        "check the disk and its permissions, or choose another folder with --state.",
    )
