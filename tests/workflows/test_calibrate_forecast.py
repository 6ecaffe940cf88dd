"""Calibrating: issued forecasts and the backtest become one run, stored once however often it is made or killed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from tests.model.forecast_records import cells

from weathervane.contracts.calibration import WeatherValue
from weathervane.contracts.errors import NotFound, StateUnusable
from weathervane.contracts.forecast import LEVELS, DemandForecast, DemandPoint, ForecastQuality, Quantiles
from weathervane.contracts.tenant import Tenant
from weathervane.store import calibration, results
from weathervane.store.calibration import forget_calibration, history, latest_calibration
from weathervane.store.event_log import events
from weathervane.store.forecast_ledger import inputs_of, keep_backtest, with_inputs
from weathervane.store.paths import Store, open_store
from weathervane.store.results import to_json
from weathervane.store.tables import upsert
from weathervane.workflows.calibrate_forecast import calibrate_forecast
from weathervane.workflows.check_due import check_due
from weathervane.workflows.export_calibration import export_calibration

FIRST, N = date(2025, 1, 6), 150  # a Monday
HORIZON = 7
GEOS = ("a", "b", "c")
QUALITY = ForecastQuality("m", (), (), 0.8, 0.7, 0.9, 30, "calibrated", "It holds.")
Z = norm.ppf(LEVELS)


def morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=6)


NOW = morning(FIRST + timedelta(days=N))


def sales(seed: int = 4) -> pl.DataFrame:
    """Each place sells 100 a day, give or take 10."""
    rng = np.random.default_rng(seed)
    rows = [(geo, FIRST + timedelta(days=i), "hats", 100 + 10 * rng.normal()) for geo in GEOS for i in range(N)]
    return pl.DataFrame(rows, schema=["geo", "date", "category", "net_revenue"], orient="row")


def forecast(origin: date, width: float = 1.0) -> DemandForecast:
    fan = tuple(float(q) for q in 100 + 10 * width * Z)
    points = tuple(
        DemandPoint(geo, "hats", origin + timedelta(days=lead), lead, Quantiles(fan[1], fan[3], fan[5]), fan)
        for geo in GEOS
        for lead in range(1, HORIZON + 1)
    )
    issued_at = f"{morning(origin + timedelta(days=1)):%Y-%m-%dT%H:%M:%SZ}"
    return DemandForecast(f"f-{origin}", "acme", issued_at, "m", 1, points, (), "none", "")


def issue(store: Store, n_days: int, width: float = 1.0) -> DemandForecast:
    """A forecast a week for the last `n_days` days; the last one with its inputs and a backtest."""
    for ago in range(n_days, 0, -7):
        results.keep_forecast(store, forecast(FIRST + timedelta(days=N - 1 - ago), width), QUALITY)
    last = with_inputs(forecast(FIRST + timedelta(days=N - 1)), inputs_of(store, NOW, "1.2.3"))
    keep_backtest(store, last.forecast_id, cells(1), WeatherValue(0.1, 0.12, 0.02, 0.01, 0.03, True, "It helps."))
    results.keep_forecast(store, last, QUALITY)
    return last


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(tmp_path / "state", "acme")
    results.keep_tenant(made, Tenant("acme", "Acme", "EUR", demo=False))
    upsert(made, "sales", sales(), NOW, "export")
    return made


def test_issued_forecasts_are_scored_against_sales(store: Store) -> None:
    last = issue(store, 112)
    run = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    assert run.ledger is not None
    assert (run.source, run.n, run.ledger.n_origins) == ("ledger", 112 * 3, 16)
    # The range is right, and so is the verdict, as it is for nineteen seeds of twenty.
    assert run.status == "calibrated"
    told = sales().filter(pl.col("date") > FIRST + timedelta(days=N - 113))["net_revenue"]
    assert run.coverage_p10_p90 == told.is_between(100 + 10 * Z[1], 100 + 10 * Z[5]).mean()
    assert run.coverage_low < 0.8 < run.coverage_high
    assert (run.model_version, run.forecast_id, run.grain) == ("1.2.3", last.forecast_id, "geo × category × day")
    assert run.backtest is not None
    assert run.weather_value is not None
    assert run.restatement is not None
    assert run.restatement.restated == 0
    # Sixteen Mondays, each week's newest forecast issued the day before.
    assert len(run.misses) == 16
    assert run.misses_of == "ledger"
    assert all(miss.model == miss.error for miss in run.misses)
    line = json.loads((store.calibration / "history.jsonl").read_text("utf-8"))
    assert (line["tenant"], line["sample_size"], line["coverage_p10_p90"]) == ("acme", run.n, run.coverage_p10_p90)
    said = events(store)[-1]
    assert (said.kind, said.run_id, said.detail["status"]) == ("forecast.calibrated", "night-1", "calibrated")


def test_ranges_that_are_too_narrow_are_found_out(store: Store) -> None:
    issue(store, 112, width=0.5)
    assert calibrate_forecast(store, as_of=NOW, run_id="night-1").status == "too narrow"


def test_a_young_ledger_leaves_the_headline_to_the_backtest(store: Store) -> None:
    issue(store, 21)
    run = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    assert (run.source, run.misses_of) == ("backtest", "ledger")
    assert run.ledger is not None
    assert run.ledger.overall.of(0.8).verdict == "not enough data"


def test_before_any_forecast_there_is_nothing_to_score(store: Store) -> None:
    with pytest.raises(NotFound, match="no forecast"):
        calibrate_forecast(store, as_of=NOW, run_id="night-1")
    with pytest.raises(NotFound, match="has been scored yet"):
        latest_calibration(store)
    assert history(store) == []
    assert not store.calibration.exists()


def test_made_again_or_killed_in_between_it_is_one_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(store, 112)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(calibration, "append_line", killed)
        with pytest.raises(KeyboardInterrupt):
            calibrate_forecast(store, as_of=NOW, run_id="night-1")
    assert history(store) == []
    assert check_due(store, "calibrate", NOW)
    for night in range(3):
        calibrate_forecast(store, as_of=NOW + timedelta(hours=night), run_id=f"night-{night}")
    assert len(history(store)) == 1
    assert len(list(store.calibration.glob("*.json"))) == 1
    assert latest_calibration(store)[0].generated_at == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    assert check_due(store, "calibrate", NOW) == ""


def test_a_newer_forecast_or_restated_sales_make_a_new_run(store: Store) -> None:
    issue(store, 112)
    first = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    later = NOW + timedelta(days=1)
    changed = sales().filter(pl.col("date") == FIRST + timedelta(days=N - 10))
    upsert(store, "sales", changed.with_columns(pl.col("net_revenue") * 2), later, "export")
    second = calibrate_forecast(store, as_of=later, run_id="night-2")
    assert second.run_id != first.run_id
    assert second.restatement is not None
    assert second.restatement.restated == 3
    assert second.restatement.wape_first != second.restatement.wape_latest
    assert [line.run_id for line in history(store)] == [first.run_id, second.run_id]
    assert latest_calibration(store)[0] == second
    # As of the morning before, it is the first again, and no line is added.
    assert calibrate_forecast(store, as_of=NOW, run_id="night-3") == first
    assert len(history(store)) == 2


def test_a_tenants_runs_are_its_own_and_can_be_forgotten(store: Store) -> None:
    issue(store, 112)
    run = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    other = open_store(store.root, "other")
    assert history(other) == []
    forget_calibration(other)
    assert [line.run_id for line in history(store)] == [run.run_id]
    forget_calibration(store)
    assert history(store) == []
    assert list(store.calibration.glob("*.json")) == []


def test_a_damaged_run_is_said(store: Store) -> None:
    issue(store, 112)
    run = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    (store.calibration / f"{run.run_id}.json").write_text("{}")
    with pytest.raises(StateUnusable, match="cannot be read"):
        latest_calibration(store)


def test_the_report_carries_the_hash_of_the_json_beside_it(store: Store, tmp_path: Path) -> None:
    issue(store, 112)
    run = calibrate_forecast(store, as_of=NOW, run_id="night-1")
    output = tmp_path / "docs" / "report.md"
    files = export_calibration(store, output, tmp_path / "docs" / "pictures")
    assert output.with_suffix(".json").read_text("utf-8") == to_json(run)
    page = output.read_text("utf-8")
    assert latest_calibration(store)[1] in page
    assert "](pictures/reliability.png)" in page
    assert all(path.exists() for path in files)
    again = {path: path.read_bytes() for path in files}
    export_calibration(store, output, tmp_path / "docs" / "pictures")
    assert {path: path.read_bytes() for path in files} == again


def test_no_leak_nothing_known_later_changes_an_earlier_run(store: Store) -> None:
    issue(store, 112)
    before = calibrate_forecast(store, as_of=NOW - timedelta(days=30), run_id="early")
    upsert(store, "sales", sales(2), NOW, "export")
    forget_calibration(store)
    again = calibrate_forecast(store, as_of=NOW - timedelta(days=30), run_id="early")
    assert again == before
    assert replace(again, run_id="") != replace(calibrate_forecast(store, as_of=NOW, run_id="now"), run_id="")
