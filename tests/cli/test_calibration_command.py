"""`weathervane calibration` as a user meets it: the verdict first, a report, a history, and what to do when empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.exports.calibrations import a_run, weather_value

from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.calibration import keep_calibration
from weathervane.store.paths import Store, open_store

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(tmp_path / "state", "acme")
    results.keep_tenant(made, Tenant("acme", "Acme", "EUR", demo=True))
    return made


def test_the_verdict_comes_first(cli: Cli, store: Store) -> None:
    run = keep_calibration(store, a_run(weather=weather_value(used=True)))
    answer = cli("calibration")
    assert answer.code == 0
    first, second = answer.out.splitlines()[:2]
    assert "DEMO" in first
    assert second == f"Calibrated. {run.sentence}"
    for words in (
        "80 %",
        "1–3 days",
        "The week from 2025-07-21 missed by −€800: weather −€1,200",
        "Weather makes the forecast better.",
    ):
        assert words in answer.out, words
    assert len(answer.out.splitlines()) <= 24
    assert json.loads(cli("calibration", "--json").out)["run_id"] == run.run_id


def test_without_a_record_it_says_what_to_do(cli: Cli, store: Store) -> None:
    answer = cli("calibration")
    assert (answer.code, answer.out) == (4, "")
    assert "has been scored yet" in answer.err
    assert "→ Run `weathervane forecast`" in answer.err
    assert cli("calibration", "history").out == "No forecast has been scored yet.\nNext: weathervane forecast\n"
    assert cli("calibration", "report", "--output", "r.md").code == 4


def test_the_history_is_newest_first(cli: Cli, store: Store) -> None:
    for day, status in (("30", "calibrated"), ("31", "too narrow")):
        at = f"2025-08-{day}T06:00:00Z"
        keep_calibration(store, a_run(run_id=f"acme-{day}", generated_at=at, status=status))
    lines = cli("calibration", "history").out.splitlines()
    assert ["too narrow" in lines[1], "calibrated" in lines[2]] == [True, True]
    runs = json.loads(cli("calibration", "history", "--json").out)["runs"]
    assert [run["run_id"] for run in runs] == ["acme-31", "acme-30"]


def test_the_report_is_written_with_its_json_and_charts(cli: Cli, store: Store, tmp_path: Path) -> None:
    keep_calibration(store, replace(a_run(), misses=()))
    answer = cli("calibration", "report", "--output", tmp_path / "out" / "report.md", "--json")
    names = sorted(Path(path).name for path in json.loads(answer.out)["files"])
    assert names == ["coverage.png", "pit.png", "reliability.png", "report.json", "report.md", "skill.png", "width.png"]
    assert (tmp_path / "out" / "report.md").read_text("utf-8").startswith("# Forecast calibration: Acme")
