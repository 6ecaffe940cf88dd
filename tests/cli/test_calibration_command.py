"""`weathervane calibration` as a user meets it: the verdict first, a report, a history, and what to do when empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.exports.calibrations import a_run, weather_value
from tests.workflows.small_tenant import NOW, small_tenant

from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.calibration import keep_calibration
from weathervane.store.paths import Store, open_store
from weathervane.workflows.make_plan import make_plan

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


@pytest.mark.parametrize("status", ["calibrated", "too narrow", "not enough data"])
def test_every_command_and_file_gives_the_verdict_of_calibration(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """One verdict in one sentence: on the forecast, its JSON, the plan and its files, calibration, report, history.

    The quality that the forecast was issued with says something else: it is never shown.
    """
    store, _ = small_tenant(tmp_path / "state")
    made, quality = results.latest_forecast(store)
    sentence = f"What calibration says of the range: {status}."
    run = a_run(tenant="demo", forecast_id=made.forecast_id, run_id="demo-1", status=status, sentence=sentence)
    keep_calibration(store, run)
    monkeypatch.setattr("weathervane.workflows.forecast_demand.forecast_demand", lambda *_, **__: (made, quality))
    monkeypatch.setattr("weathervane.workflows.calibrate_forecast.calibrate_forecast", lambda *_, **__: run)
    plan = make_plan(store, now=NOW, run_id="again")
    files = tmp_path / "files"
    said = {
        name: cli(*name.split())
        for name in ("forecast", "forecast --json", "plan", "calibration", "calibration history")
    }
    cli("report", "--output", files)
    pages = {name: answer.out for name, answer in said.items()}
    pages |= {path.name: path.read_text("utf-8") for path in files.glob("*.md")}
    stated = {name: text for name, text in pages.items() if name != "SUMMARY.md" and "history" not in name}
    for name, text in stated.items():
        assert sentence in " ".join(text.split()), name
    shown = json.loads(said["forecast --json"].out)["calibration"]
    assert (shown["status"], shown["sentence"]) == (status, sentence)
    # What the page's panel "How sure" is given.
    assert (plan.forecast_quality.verdict, plan.forecast_quality.sentence) == (status, sentence)
    assert plan.forecast_quality.coverage_80 == run.coverage_p10_p90
    for name, text in pages.items():
        assert quality.sentence not in " ".join(text.split()), name
    assert status in pages["calibration history"]
