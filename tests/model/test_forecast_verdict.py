"""The verdict of a run: which record is the headline, what it says, and under which names older readers find it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.exports.calibrations import a_miss, a_run, forecast, weather_value
from tests.model.forecast_records import cells

from weathervane.contracts.calibration import ForecastCells, Record, history_line
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.tenant import Tenant
from weathervane.model.forecast.scores import record_of
from weathervane.model.forecast.verdict import Evidence, calibration_run, restatement_of

NOTHING = Evidence(None, (), None, None)


def scored(made: ForecastCells) -> Record:
    found = record_of(made)
    assert found is not None
    return found


def run_of(backtest: Record | None, ledger: Record | None):
    return calibration_run(Tenant("acme", "Acme", "EUR", demo=False), forecast(), (backtest, ledger), NOTHING,
                           run_id="r", generated_at="2025-08-30T06:00:00Z", data_hashes={})  # fmt: skip


def test_the_ledger_is_the_headline_once_it_has_a_verdict() -> None:
    rehearsed = scored(cells(1))
    long, short = (scored(replace(cells(2, n_origins=n), source="ledger")) for n in (16, 3))
    assert run_of(rehearsed, long).source == "ledger"
    early = run_of(rehearsed, short)
    assert early.source == "backtest"
    missing = short.overall.of(0.8).more_days
    assert missing >= 5 * 14
    assert any(f"needs {missing} more days" in note for note in early.notes)
    only = run_of(None, short)
    assert (only.source, only.status) == ("ledger", "not enough data")
    assert f"{missing} more days" in only.sentence
    with pytest.raises(NotEnoughData, match="No day that was forecast has come"):
        run_of(None, None)


def test_the_top_of_a_run_is_the_overall_score_of_its_record() -> None:
    run = a_run()
    score = run.record.overall
    coverage = score.of(0.8)
    assert (run.n, run.rmse, run.mae, run.wape, run.bias) == (score.n, score.rmse, score.mae, score.wape, score.bias)
    assert (run.coverage_p10_p90, run.coverage_low, run.coverage_high) == (coverage.share, coverage.low, coverage.high)
    assert run.pinball == pytest.approx(np.mean(score.pinball))
    assert (run.status, run.grain, run.model_version) == ("calibrated", "geo × category × day", "0.1.0")
    line = history_line(run)
    assert (line.sample_size, line.coverage_p10_p90, line.timestamp) == (run.n, run.coverage_p10_p90, run.generated_at)
    held = run.metrics.overall_coverage
    assert held.inside + held.outside == held.total == run.n
    assert held.inside / held.total == pytest.approx(held.coverage)
    assert sorted(run.metrics.coverage_by_horizon) == list(range(1, 15))
    assert sum(each.total for each in run.metrics.coverage_by_horizon.values()) == run.n


def test_a_range_that_is_too_narrow_says_where_and_what_to_do() -> None:
    run = a_run(width=0.5)
    assert run.status == "too narrow"
    assert "read it as less sure" in run.sentence
    assert any("look for what has changed" in note for note in run.notes)
    assert any(note.startswith("1–3 days: too narrow") for note in run.notes)
    assert any("5 in 10 is too narrow" in note for note in run.notes)
    assert "wider than it need be" in a_run(width=2.0).sentence


def test_a_bias_and_the_value_of_weather_are_noted() -> None:
    off = cells(1, shift=-30.0)
    assert any("more was sold than forecast" in note for note in run_of(scored(off), None).notes)
    assert a_run(weather=weather_value(used=False)).notes[-1] == "The error is the same without it."


def test_restated_actuals_are_counted_and_scored_both_ways() -> None:
    first = cells(1)
    changed = first.actual.copy()
    changed[:10] += 50.0
    changed[-1] = np.nan
    found = restatement_of(first, replace(first, actual=changed))
    assert (found.n, found.restated) == (len(changed) - 1, 10)
    assert found.wape_first is not None
    assert found.wape_latest is not None
    assert found.wape_first < found.wape_latest


def test_the_parts_of_a_made_miss_add_up() -> None:
    miss = a_miss(2)
    assert miss.weather + miss.plan + miss.promotion + miss.model == miss.error
