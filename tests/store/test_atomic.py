"""Atomic writes: old or new and never half, whoever is killed, and nothing left behind for good."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from weathervane.contracts.errors import StateUnusable
from weathervane.store import atomic
from weathervane.store.atomic import write_atomically, write_folder_atomically

KILLED_BEFORE_THE_RENAME = """
import os, signal, sys
from pathlib import Path
from weathervane.store.atomic import write_atomically, write_folder_atomically
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
path = Path(sys.argv[2])
write_atomically(path, b"new") if sys.argv[1] == "file" else write_folder_atomically(path, {"one": b"new"})
"""


def kill_while_writing(what: str, path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED_BEFORE_THE_RENAME, what, str(path)], check=False)
    assert run.returncode == -9


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_killed_writer_leaves_the_old_file_and_the_next_write_clears_up(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    write_atomically(path, b"old")
    kill_while_writing("file", path)
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    write_atomically(tmp_path / "another.md", b"new")
    assert names(tmp_path) == ["another.md", "notes.md"]


def test_a_killed_push_is_made_whole_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "push"
    kill_while_writing("folder", folder)
    assert not folder.exists()
    write_atomically(tmp_path / "beside", b"")
    assert len(names(tmp_path)) == 2, "a push that may be at work is not for others to clear"
    assert write_folder_atomically(folder, {"one": b"new"})
    assert names(tmp_path) == ["beside", "push"]
    assert not write_folder_atomically(folder, {"one": b"newer"})
    assert (folder / "one").read_bytes() == b"new"


def test_a_writer_at_work_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writer is halfway while others come and go in the same folder."""
    halfway, go_on = threading.Event(), threading.Event()
    sync = atomic.os.fsync

    def wait_once(descriptor: int) -> None:
        if threading.current_thread() is slow and not halfway.is_set():
            halfway.set()
            assert go_on.wait(30)
        sync(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", wait_once)
    slow = threading.Thread(target=write_atomically, args=(tmp_path / "slow", b"slow"))
    slow.start()
    assert halfway.wait(30)
    write_atomically(tmp_path / "quick", b"quick")
    assert len(names(tmp_path)) == 2
    go_on.set()
    slow.join()
    assert names(tmp_path) == ["quick", "slow"]


def test_many_writers_of_one_file(tmp_path: Path) -> None:
    """Cleared between its making and its lock, a writer makes another: nobody fails and nothing stays."""
    wrong: list[StateUnusable] = []
    until = time.monotonic() + 1.0

    def write(text: bytes) -> None:
        while time.monotonic() < until and not wrong:
            try:
                write_atomically(tmp_path / "one", text * 100)
            except StateUnusable as error:
                wrong.append(error)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not wrong
    assert names(tmp_path) == ["one"]
    assert len(set((tmp_path / "one").read_bytes())) == 1


def test_files_of_others_are_not_ours_to_clear(tmp_path: Path) -> None:
    theirs = tmp_path / ".draft.tmp"
    theirs.write_bytes(b"theirs")
    write_atomically(tmp_path / "ours", b"")
    assert theirs.read_bytes() == b"theirs"


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateUnusable, match="cannot be used"):
        write_atomically(tmp_path / "file" / "below", b"")
