"""The experiment commands, run to their end in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from tests.workflows.tested_tenant import NOW

from weathervane.cli import experiment as door
from weathervane.cli.main import main
from weathervane.store.paths import Store


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs `weathervane experiment …` at NOW; gives the exit code and what it said."""
    for name in ("WEATHERVANE_STATE", "WEATHERVANE_TENANT"):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(door, "now", lambda: NOW)

    def run(store: Store, *words: str) -> tuple[int, str]:
        monkeypatch.setattr(
            sys, "argv", ["weathervane", "--state", str(store.root), "--tenant", "acme", "experiment", *words]
        )
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), " ".join((said.out + said.err).split())

    return run
