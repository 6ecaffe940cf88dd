"""Training that is stopped or killed changes nothing, and goes on from its last block to the very same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.errors import ModelFailed
from weathervane.store import model_registry
from weathervane.store.atomic import write_atomically
from weathervane.store.checkpoints import Checkpoints
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows.set_up_tenant import set_up_tenant
from weathervane.workflows.train_model import train_model

END = date(2025, 6, 1)
MORNING_AFTER = datetime(2025, 6, 2, 6, tzinfo=UTC)
# The real command in a process of its own, that sends itself a signal when it has kept so many blocks.
COMMAND = """
import os, signal, sys
from datetime import UTC, datetime
from weathervane.cli import main, plan
from weathervane.model.mmm import hierarchical
from weathervane.store.checkpoints import Checkpoints

number, left = int(sys.argv[1]), int(sys.argv[2])
sys.argv = ["weathervane", "train", "--tenant", "demo", "--state", sys.argv[3]]
hierarchical.DRAWS = 30  # so few a block never suffice at once
plan.now = lambda: datetime(2025, 6, 2, 6, tzinfo=UTC)
save, blocks = Checkpoints.save, []

def saved(self, name, data):
    save(self, name, data)
    if not name.endswith("peak"):
        blocks.append(name)
        print("kept block", len(blocks), flush=True)
        if len(blocks) == left:
            os.kill(os.getpid(), number)

Checkpoints.save = saved
main.main()
"""


def tenant(root: Path) -> Store:
    world = make_world("national-weekly", seed=4, n_days=7 * 60, end=END)
    store = open_store(root, "demo")
    set_up_tenant(store, world.tenant)
    for table, frame in world.tables.items():
        upsert(store, table, frame, MORNING_AFTER, "generated", 7)
    return store


def train(store: Store, number: int = 0, after: int = 0) -> subprocess.CompletedProcess[str]:
    cache = {"JAX_COMPILATION_CACHE_DIR": str(store.root.parent / "compiled")}
    cache["JAX_PERSISTENT_COMPILATION_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    return subprocess.run(
        [sys.executable, "-c", COMMAND, str(int(number)), str(after), str(store.root)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **cache, "COLUMNS": "200"},
    )


def registered(store: Store) -> dict[str, bytes]:
    """The registry, and every artefact, by its path."""
    files = [store.models_registry, *store.models.rglob("*")]
    return {path.relative_to(store.root).as_posix(): path.read_bytes() for path in files if path.is_file()}


def half_written(store: Store) -> list[Path]:
    return list(store.root.rglob("*.tmp"))


@pytest.mark.slow
def test_training_goes_on_where_it_was_stopped_and_where_it_was_killed(tmp_path: Path) -> None:
    store = tenant(tmp_path / "stopped")
    write_atomically(store.models_registry, b'{"schema_version": 2, "tenants": {}}')
    before = registered(store)

    stopped = train(store, signal.SIGTERM, 1)
    assert stopped.returncode == 130, stopped.stderr
    assert "Stopped: nothing half done is left, and the model in use stays in use." in stopped.stderr
    assert "goes on from what was drawn, which is kept" in stopped.stderr
    assert (registered(store), half_written(store)) == (before, [])

    killed = train(store, signal.SIGKILL, 2)
    assert killed.returncode == -signal.SIGKILL
    assert "Going on after block 1, which was kept." in killed.stderr
    assert (registered(store), half_written(store)) == (before, [])

    ended = train(store)
    assert ended.returncode == 0, ended.stderr
    assert "Going on after block 3, which was kept." in ended.stderr
    assert not store.checkpoints.exists()

    # What it was expected to take was said first, and is kept.
    assert "This takes about 10 CPU seconds and 0.6 GB: 1 place × 60 weeks × 4 channels." in stopped.stderr
    (entry,) = model_registry.entries(store)
    assert entry.report.expected is not None
    assert entry.report.expected.n_channels == 4

    whole = tenant(tmp_path / "whole")
    assert "Going on" not in train(whole).stderr
    assert registered(store) == registered(whole)
    assert len(registered(whole)) == 3


def test_what_the_machine_cannot_hold_is_refused_before_it_begins(tmp_path: Path) -> None:
    store, heard = tenant(tmp_path), list[str]()
    with pytest.raises(ModelFailed, match=r"needs about 0\.6 GB of memory, and this machine has 0\.1 GB") as refused:
        train_model(store, as_of=MORNING_AFTER, seed=1, run_id="r", memory_bytes=1e8, progress=heard.append)
    assert "a machine with more memory" in refused.value.remedy
    assert heard[-1].startswith("This takes about")
    assert not store.models_registry.exists()


def test_what_was_kept_comes_back_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path, "acme")
    kept = Checkpoints(store)
    assert (kept.load("fit"), kept.n_kept) == (None, 0)
    kept.clear()
    kept.save("fit", b"drawn")
    Checkpoints(open_store(tmp_path, "other")).save("fit", b"theirs")
    assert (kept.load("fit"), kept.n_kept) == (b"drawn", 1)
    # Other code draws otherwise.
    monkeypatch.setattr("weathervane.store.checkpoints._code", lambda: "other")
    assert (kept.load("fit"), kept.n_kept) == (None, 0)
    monkeypatch.undo()
    (path,) = store.checkpoints.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert kept.load("fit") is None
    # Of a training that failed, what it asked for stays; what is of other data or code goes.
    kept.save("new", b"drawn")
    later = Checkpoints(store)
    later.clear_others()
    assert later.n_kept == 2
    assert later.load("new") == b"drawn"
    later.save("newer", b"drawn")
    later.clear_others()
    assert [Checkpoints(store).load(name) for name in ("fit", "new", "newer")] == [None, b"drawn", b"drawn"]
    kept.clear()
    assert not store.checkpoints.exists()
    assert Checkpoints(open_store(tmp_path, "other")).load("fit") == b"theirs"
