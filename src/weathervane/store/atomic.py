"""Atomic: a file is replaced whole or not at all, and one writer at a time touches a folder."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from weathervane.contracts.errors import StateUnusable

_ASIDE = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")
"""The name of a file or folder that is still being written."""


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces `path` by `data`: written aside in the same folder, synced, renamed; folders are made as needed.

    A crash leaves the old file or the new one, and what a killed writer left aside is cleared by the next one in that
    folder. Raises StateUnusable if the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(path.parent)
        with _aside(path) as (aside, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            aside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise unusable(path, error) from error


@contextmanager
def _aside(path: Path) -> Generator[tuple[Path, BinaryIO]]:
    """A new file beside `path`, locked for as long as its writer lives and gone when the block ends."""
    while True:
        aside = _name_aside(path)
        with aside.open("xb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                # Another writer may have cleared it between these two lines, when nobody held it.
                if aside.exists():
                    yield aside, file
                    return
            finally:
                aside.unlink(missing_ok=True)


def _name_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def _abandoned(folder: Path) -> list[Path]:
    """What writers put aside in `folder` and have not renamed, or not yet."""
    return [path for path in folder.glob(".*.tmp") if _ASIDE.fullmatch(path.name)]


def _clear_abandoned(folder: Path) -> None:
    """Removes the files in `folder` whose writers were killed before the rename: those that nobody has locked."""
    for path in _abandoned(folder):
        # Its writer has finished, or is at work; it is a folder; it belongs to somebody else.
        with suppress(FileNotFoundError, BlockingIOError, IsADirectoryError, PermissionError), path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)


def write_folder_atomically(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Makes `folder` with exactly these files, all of them or none; a folder that is there already is left alone.

    Returns whether it was made now. Raises StateUnusable if the place cannot be written.
    """
    aside = _name_aside(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f".{folder.name}.lock"):
            for left in _abandoned(folder.parent):
                if left.name.startswith(f".{folder.name}.") and left.is_dir():
                    shutil.rmtree(left)
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
