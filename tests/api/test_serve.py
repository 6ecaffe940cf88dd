"""`weathervane serve` says where it is, what is missing, and what to do about a taken port."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from weathervane.cli.serve import _listen
from weathervane.contracts.errors import BadInput

SERVE = [sys.executable, "-m", "weathervane.cli.main", "serve"]


def test_a_taken_port_says_how_to_choose_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BadInput, match="is taken") as caught:
            _listen(other.getsockname()[1])
    assert "--port" in caught.value.remedy


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(BadInput, match="not a valid port"):
        _listen(70_000)


def test_it_listens_on_the_loopback_address_alone() -> None:
    with _listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_it_says_where_it_is_and_that_there_is_no_plan(tmp_path: Path) -> None:
    environment = {**os.environ, "WEATHERVANE_STATE": str(tmp_path / "state")}
    environment.pop("DATABASE_URL", None)
    with subprocess.Popen([*SERVE, "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+/", first)
            assert url is not None, first
            with urllib.request.urlopen(url.group() + "v1/tenants", timeout=60) as answer:
                assert answer.read() == b"[]"
        finally:
            server.send_signal(signal.SIGINT)
        rest = server.stdout.read()
    assert "There is no plan yet. Next: make demo" in rest
