"""Bad input at the commands people use: a clear refusal or a named caveat, never a number that cannot be defended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.workflows.tested_tenant import FIRST, LAST, N_DAYS, NOW, keep, outcomes

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExperimentDesign
from weathervane.contracts.period import Period
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.store.tables import upsert
from weathervane.workflows.design_experiment import Wish, design_experiment

Command = Callable[..., tuple[int, str]]
WINDOW = Period(LAST - timedelta(days=34), LAST - timedelta(days=7))


def over(store: Store) -> ExperimentDesign:
    """A test drawn from the days before its window, all of whose days are stored by now."""
    before = outcomes()[:, : N_DAYS - 35]
    planned = keep(store.root.parent / "planned", before)
    at = NOW - timedelta(days=42)
    wish = Wish(window=WINDOW, treated_share=0.4, with_power=False)
    made, _ = design_experiment(planned, wish, now=at, run_id="r", seed=1, lifecycle="assigned")
    experiments.keep_design(store, made)
    return made


def test_one_geo(tmp_path: Path, command: Command) -> None:
    code, said = command(keep(tmp_path, outcomes(1)), "design")
    assert (code != 0, "needs 8" in said) == (True, True)


def test_an_all_zero_geo_takes_no_part_and_is_named(tmp_path: Path, command: Command) -> None:
    sales = outcomes()
    sales[3] = 0.0
    code, said = command(keep(tmp_path, sales), "design", "--weeks", "3")
    assert code == 0
    assert "geo-03 takes no part" in said


def test_a_window_longer_than_the_history(tmp_path: Path, command: Command) -> None:
    store = keep(tmp_path, outcomes())
    code, said = command(store, "design", "--weeks", "26")
    assert (code != 0, "history at least as long" in said) == (True, True)
    assert experiments.designs(store) == []


def test_overlapping_tests(tmp_path: Path, command: Command) -> None:
    store = keep(tmp_path, outcomes())
    assert command(store, "design", "--weeks", "3", "--assign")[0] == 0
    code, said = command(store, "design", "--weeks", "3", "--assign")
    assert (code != 0, "overlap" in said) == (True, True)
    assert len(experiments.designs(store)) == 1


def test_a_treated_geo_missing_during_the_test(tmp_path: Path, command: Command) -> None:
    made = over(keep(tmp_path / "full", outcomes()))
    treated = int(made.treated_geos[0][4:])
    store = keep(tmp_path / "state", outcomes(), gone=((treated, N_DAYS - 20),))
    experiments.keep_design(store, made)
    code, said = command(store, "read")
    assert code != 0
    place, day = made.treated_geos[0], FIRST + timedelta(days=N_DAYS - 20)
    assert f"Sales are missing for {place} on {day} (1 day)" in said
    assert experiments.result(store, made.experiment_id) is None
    assert f"read {made.experiment_id} --without {place}" in said
    code, said = command(store, "read", "--without", place)
    assert (code, f"Left out on request: {place}" in said) == (0, True), said
    assert experiments.result(store, made.experiment_id) is not None
    code, said = command(store, "read", "--without", "atlantis")
    assert (code, "atlantis takes no part" in said) == (2, True)


def test_days_given_twice_with_different_sales_are_refused_and_equal_ones_count_once(tmp_path: Path) -> None:
    store = keep(tmp_path, outcomes())
    row = {"geo": ["geo-01"] * 2, "date": [FIRST] * 2, "category": ["total"] * 2}
    with pytest.raises(BadInput, match="geo-01"):
        upsert(store, "sales", pl.DataFrame({**row, "net_revenue": [1.0, 2.0]}), NOW, "export")
    report = upsert(store, "sales", pl.DataFrame({**row, "net_revenue": [1.0, 1.0]}), NOW, "export")
    assert (report.duplicates, report.restated) == (1, 1)


def test_a_kpi_below_zero_is_read_with_a_caveat(tmp_path: Path, command: Command) -> None:
    store = keep(tmp_path / "state", outcomes())
    made = over(store)
    day = pl.DataFrame({"geo": [made.control_geos[0]], "date": [WINDOW.start], "category": ["total"]})
    upsert(store, "sales", day.with_columns(net_revenue=-50.0), NOW, "export")
    code, said = command(store, "read", "--picture", str(tmp_path / "p.png"))
    assert code == 0, said
    assert "goes below zero" in said
    stored = experiments.result(store, made.experiment_id)
    assert stored is not None
    for lift in stored.lifts:
        assert np.isfinite(lift.lift_abs)


def test_an_outcome_below_nothing_has_no_relative_lift(tmp_path: Path, command: Command) -> None:
    store = keep(tmp_path / "state", outcomes())
    made = over(store)
    rows = [(geo, day) for geo in made.treated_geos for day in Period(WINDOW.start, LAST).days()]
    frame = pl.DataFrame(rows, schema=["geo", "date"], orient="row").with_columns(category=pl.lit("total"))
    upsert(store, "sales", frame.with_columns(net_revenue=-50.0), NOW, "export")
    code, said = command(store, "read")
    assert code != 0
    assert "relative lift means nothing" in said or "no outcome during the test" in said
    assert experiments.result(store, replace(made).experiment_id) is None
