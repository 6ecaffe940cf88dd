"""The command line as a user meets it, run in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from weathervane.cli.main import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Answer]:
    """Runs one command line on a state folder of the test's own."""
    for name in ("WEATHERVANE_STATE", "WEATHERVANE_TENANT"):
        monkeypatch.setenv(name, "")  # so that what a command line sets is undone after the test
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def run(*args: str | Path) -> Answer:
        monkeypatch.setenv("WEATHERVANE_STATE", str(tmp_path / "state"))
        monkeypatch.delenv("WEATHERVANE_TENANT", raising=False)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["weathervane", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    return run
