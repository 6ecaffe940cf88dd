"""The command line itself: quick to start, its exit codes, and what a user reads when something breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from weathervane.cli import doctor as doctor_command
from weathervane.cli import main as main_module
from weathervane.connectors.machine import Probe, try_libraries
from weathervane.contracts.machine import MachineCheck, MachineReport
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.paths import open_store
from weathervane.workflows import check_machine

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest
HEAVY = ("jax", "numpyro", "polars", "duckdb", "pandera", "sqlalchemy", "fastapi", "matplotlib", "numpy")


def heavy_after(code: str) -> list[str]:
    """Which heavy libraries a fresh interpreter has loaded once it has run `code`."""
    show = f"\nimport sys; print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + show], capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1].replace("'", '"'))


def test_help_loads_nothing_heavy() -> None:
    ask = "import sys; sys.argv = ['weathervane', '--help']\nfrom weathervane.cli.main import main\n"
    assert heavy_after(ask + "try:\n    main()\nexcept SystemExit:\n    pass") == []


def test_import_loads_nothing_heavy() -> None:
    assert heavy_after("import weathervane") == []


def test_help_lists_every_verb_in_one_line(cli: Cli) -> None:
    answer = cli("--help")
    assert answer.code == 0
    for verb in ("import", "status", "doctor"):
        assert f" {verb} " in answer.out


def test_a_wrong_verb_is_bad_input(cli: Cli) -> None:
    assert cli("imprt").code == 2


def test_globals_stand_before_or_after_the_verb(cli: Cli, tmp_path: Path) -> None:
    for state in ("one", "two"):
        results.keep_tenant(open_store(tmp_path / state, "acme"), Tenant("acme", "Acme", "USD", demo=False))
    for args in (
        ("--state", tmp_path / "one", "status", "--json"),
        ("status", "--json", "--state", tmp_path / "one"),
        ("status", f"--state={tmp_path / 'two'}", "--tenant", "acme", "--json"),
    ):
        answer = cli(*args)
        assert json.loads(answer.out)["tenant_id"] == "acme"
    assert cli("status").code == 4


def test_the_only_tenant_is_chosen_and_several_are_listed(cli: Cli, tmp_path: Path) -> None:
    state = tmp_path / "state"
    nothing = cli("status")
    assert (nothing.code, "weathervane import" in nothing.err, state.exists()) == (4, True, False)
    results.keep_tenant(open_store(state, "acme"), Tenant("acme", "Acme", "USD", demo=False))
    status = cli("status")
    assert status.code == 0
    assert "Not ready: there are no sales." in status.out
    results.keep_tenant(open_store(state, "other"), Tenant("other", "Other", "USD", demo=False))
    several = cli("status")
    assert (several.code, "acme, other" in several.err) == (2, True)
    assert cli("status", "--tenant", "other").code == 0
    assert cli("status", "--tenant", "third").code == 4


def test_a_defect_is_one_sentence_and_a_trace_in_a_file(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(main_module, "app", broken)
    answer = cli("status")
    assert answer.code == 1
    first, second = answer.err.splitlines()
    assert first == "✗ This is a defect in WeatherVane: RuntimeError: two lines."
    (log,) = (tmp_path / "state" / "telemetry" / "crashes").iterdir()
    assert str(log) in second
    assert "Traceback" in log.read_text()


def test_an_interrupt_is_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module, "app", interrupted)
    assert cli("status").code == 130


def test_a_library_that_crashes_hangs_or_is_missing_becomes_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weathervane.connectors.machine._TIMEOUT_S", 1.5)
    probes = (
        Probe("segfault", "import ctypes; ctypes.string_at(0)"),
        Probe("illegal", "import os, signal; os.kill(os.getpid(), signal.SIGILL)"),
        Probe("missing", "import no_such_library"),
        Probe("fine", "print('1.2')"),
        Probe("hang", "import time; time.sleep(60)"),
    )
    found = {check.name: check for check in try_libraries(probes)}
    assert found["segfault"].found == "crashed with SIGSEGV (it touched memory that is not its own)"
    assert "SIGILL" in found["illegal"].found
    assert "no_such_library" in found["missing"].found
    assert "no answer" in found["hang"].found
    assert (found["fine"].ok, found["fine"].found) == (True, "1.2")
    assert [check.ok for check in found.values()] == [False, False, False, True, False]


def test_the_doctor_fails_only_for_what_is_required(tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    fine = (Probe("fine", "print(1)"), Probe("extra", "raise SystemExit(1)", required=False))
    assert check_machine.check_machine(tmp_path / "state", now, libraries=fine).ok
    broken = check_machine.check_machine(
        tmp_path / "state", now, libraries=(Probe("x", "import ctypes; ctypes.string_at(0)"),)
    )
    assert not broken.ok
    early = check_machine.check_machine(tmp_path, datetime(1980, 1, 1, tzinfo=UTC), libraries=())
    assert [check.name for check in early.checks if not check.ok and check.required] == ["clock"]
    nowhere = check_machine.check_machine(Path("/proc/state"), now, libraries=())
    assert [check.name for check in nowhere.checks if not check.ok and check.required] == ["state folder"]
    assert not (tmp_path / "state").exists()


def test_the_doctors_answer_and_exit_code(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    check = MachineCheck("jax", ok=False, required=True, found="crashed [with] SIGILL", remedy="reinstall it.")
    monkeypatch.setattr(check_machine, "check_machine", lambda *_: MachineReport((check,)))
    shown = cli("doctor")
    assert (shown.code, "crashed [with] SIGILL" in shown.out, "reinstall it." in shown.out) == (1, True, True)
    as_json = cli("doctor", "--json")
    assert (as_json.code, json.loads(as_json.out)["ok"]) == (1, False)
    assert doctor_command.web_folder().parts[-3:] == ("apps", "web", "dist")


@pytest.mark.slow
def test_this_machine_is_well(cli: Cli) -> None:
    answer = cli("doctor", "--json")
    report = json.loads(answer.out)
    assert answer.code == 0, report
    assert {"jax", "polars", "duckdb", "sqlalchemy"} <= {check["name"] for check in report["checks"] if check["ok"]}
