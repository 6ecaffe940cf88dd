"""The demo: the same seed gives the same bytes, and a run killed in the middle leaves nothing a next one trips over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from weathervane.cli.main import main
from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.event_log import events
from weathervane.store.ledger import transaction
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import data_hash, read
from weathervane.workflows.run_demo import Demo, DemoOptions, run_demo

SMALL = DemoOptions("null", seed=7, n_days=210, n_geos=2)

RUN = """
import sys
from pathlib import Path
from weathervane.store.paths import open_store
from weathervane.workflows.run_demo import DemoOptions, run_demo
run_demo(open_store(Path(sys.argv[1]), "demo"), DemoOptions("null", seed=7, n_days=210, n_geos=2), kind="run",
         command="test", progress=lambda words: print(words, flush=True))
"""


def demo(root: Path, options: DemoOptions = SMALL) -> Demo:
    return run_demo(open_store(root, "demo"), options, kind="run", command="test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Demo]:
    root = tmp_path_factory.mktemp("demo")
    return open_store(root, "demo"), demo(root)


def rows_of(store: Store) -> dict[str, int]:
    with transaction(store.database_url) as session:
        ledger = {
            name: int(session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())
            for name in ("tenants", "plans", "forecasts")
        }
    models = json.loads(store.models_registry.read_text("utf-8"))["tenants"]["demo"]["models"]
    return {**ledger, "models": len(models), **{name: read(store, name).height for name in TABLES}}


@pytest.mark.slow
def test_killed_anywhere_the_next_run_gives_the_same_bytes(made: tuple[Store, Demo], tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", "demo")
    for moment in ("storing it", "placebo tests", "planning", "drawing and writing"):
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, str(store.root)], stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert run.stdout is not None
        assert any(moment in line for line in run.stdout), moment
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        run.stdout.close()
        events(store)  # every whole line of the log is valid
    first, again = made[1], demo(store.root)
    assert again.files == first.files
    assert (again.folder / "manifest.json").read_bytes() == (first.folder / "manifest.json").read_bytes()
    assert rows_of(store) == rows_of(made[0])
    assert {name: data_hash(store, name) for name in TABLES} == {name: data_hash(made[0], name) for name in TABLES}


@pytest.mark.slow
def test_another_seed_gives_other_numbers(made: tuple[Store, Demo], tmp_path: Path) -> None:
    other = demo(tmp_path, DemoOptions("null", seed=8, n_days=210, n_geos=2))
    assert other.files["plan.json"] != made[1].files["plan.json"]
    assert other.plan.data_hashes["sales"] != made[1].plan.data_hashes["sales"]


@pytest.mark.slow
def test_everything_is_labelled_demo(made: tuple[Store, Demo]) -> None:
    plan = made[1].plan
    assert plan.demo
    assert plan.ribbons[0] == "demo"
    assert "DEMO" in (made[1].folder / "SUMMARY.md").read_text("utf-8")


def test_a_tenant_with_real_data_is_left_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path, "demo")
    results.keep_tenant(store, Tenant("demo", "Real", "USD", demo=False))
    with pytest.raises(BadInput, match="real data"):
        demo(tmp_path)
    assert results.tenant(store).name == "Real"


@pytest.fixture
def no_machine_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor tries every library for seconds and has tests of its own."""
    from weathervane.contracts.machine import MachineReport
    from weathervane.workflows import check_machine

    monkeypatch.setattr(check_machine, "check_machine", lambda *_: MachineReport(()))


@pytest.mark.usefixtures("no_machine_check")
@pytest.mark.parametrize(
    ("state", "words", "code", "said"),
    [
        ("state", ["--world", "sunny"], 2, "sunny"),
        ("file/state", [], 7, "cannot be used"),
    ],
)
def test_a_mistake_is_one_sentence_and_what_to_do(
    state: str,
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WEATHERVANE_STATE", "")
    monkeypatch.setenv("WEATHERVANE_TENANT", "")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["weathervane", "--state", str(tmp_path / state), "demo", "run", *words])
    with pytest.raises(SystemExit) as end:
        main()
    lines = capsys.readouterr().err.strip().splitlines()
    assert end.value.code == code
    assert [line[0] for line in lines[-2:]] == ["✗", "→"]
    assert said in lines[-2]
    assert "Traceback" not in "".join(lines)
