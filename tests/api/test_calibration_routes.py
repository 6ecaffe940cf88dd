"""The API answers with stored calibration runs, exactly, and says what to do when there are none."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.exports.calibrations import a_run, weather_value

from weathervane.api.app import create_app
from weathervane.contracts.calibration import history_line
from weathervane.store.calibration import keep_calibration
from weathervane.store.paths import open_store
from weathervane.store.results import to_json

BASE = "http://127.0.0.1:8787"


def test_the_newest_run_and_the_history_are_those_stored(tmp_path: Path) -> None:
    runs = [
        a_run(weather=weather_value(used=True), run_id=f"acme-{day}", generated_at=f"2025-08-{day}T06:00:00Z")
        for day in (30, 31)
    ]
    for run in runs:
        keep_calibration(open_store(tmp_path, "acme"), run)
    with TestClient(create_app(tmp_path, None, None), base_url=BASE) as client:
        assert client.get("/v1/calibration/acme").json() == json.loads(to_json(runs[1]))
        assert client.get("/v1/calibration/acme/history").json() == [asdict(history_line(run)) for run in runs]


def test_before_the_first_run_it_says_what_to_do_and_leaves_no_trace(tmp_path: Path) -> None:
    root = tmp_path / "nothing"
    with TestClient(create_app(root, None, None), base_url=BASE) as client:
        answer = client.get("/v1/calibration/acme")
        assert client.get("/v1/calibration/acme/history").json() == []
    assert answer.status_code == 404
    assert "weathervane forecast" in answer.json()["remedy"]
    assert not root.exists()


@pytest.mark.parametrize("tenant", ["ACME", "a%00b", "..%2fetc", "a" * 64])
def test_path_tricks_find_nothing(tmp_path: Path, tenant: str) -> None:
    with TestClient(create_app(tmp_path, None, None), base_url=BASE) as client:
        for path in (f"/v1/calibration/{tenant}", f"/v1/calibration/{tenant}/history"):
            assert client.get(path).status_code in {404, 422}
