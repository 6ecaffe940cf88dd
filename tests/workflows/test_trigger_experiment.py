"""A trigger experiment from the command line: designed with its power, told day by day, kept by the nights and read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.workflows.tested_tenant import FIRST, outcomes

from weathervane.cli import experiment as door
from weathervane.contracts.tenant import Tenant
from weathervane.experiments.trigger import treated_days
from weathervane.store import experiments, results
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows.keep_experiments import keep_experiments
from weathervane.workflows.read_geo_tables import read_trigger

Command = Callable[..., tuple[int, str]]
N_GEOS, N_PRE, N_TEST = 10, 250, 56
GEOS = [f"geo-{g:02d}" for g in range(N_GEOS)]
PLANNED = datetime(2026, 9, 12, 6, tzinfo=UTC)  # the morning after the first 250 days


def weather() -> np.ndarray:
    """Mean temperature [n_geos, t] in °C, in runs."""
    rng = np.random.default_rng(5)
    found = rng.standard_normal((N_GEOS, N_PRE + N_TEST + 30))
    for t in range(1, found.shape[1]):
        found[:, t] = 0.7 * found[:, t - 1] + 0.7 * found[:, t]
    return 10.0 + 4.0 * found


def keep(store: Store, sales: np.ndarray, paid: np.ndarray, first: int, last: int) -> None:
    rows = [(g, t) for g in range(N_GEOS) for t in range(first, last)]
    when = {"geo": [GEOS[g] for g, _ in rows], "date": [FIRST + timedelta(days=t) for _, t in rows]}
    at = PLANNED if last <= N_PRE else PLANNED + timedelta(days=last - N_PRE)
    sold = [float(sales[g, t]) for g, t in rows]
    upsert(store, "sales", pl.DataFrame({**when, "category": "total", "net_revenue": sold}), at, "export")
    spent = [float(paid[g, t]) for g, t in rows]
    upsert(store, "spend", pl.DataFrame({**when, "channel": "social", "spend": spent}), at, "export")


def test_from_design_to_result(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "now", lambda: PLANNED)
    store = open_store(tmp_path, "acme")
    results.keep_tenant(store, Tenant("acme", "Acme", "USD", demo=False))
    n_days = N_PRE + N_TEST + 30
    sales, paid = outcomes(N_GEOS, n_days), np.full((N_GEOS, n_days), 20.0)
    keep(store, sales, paid, 0, N_PRE)
    seen = weather()
    cells = [(GEOS[g], FIRST + timedelta(days=t), float(seen[g, t])) for g in range(N_GEOS) for t in range(n_days)]
    frame = pl.DataFrame(cells, schema=["geo", "date", "temp_mean_c"], orient="row").with_columns(
        pl.lit(1).alias("lead_days"), pl.lit(0).alias("member"), precip_mm=0.0,
        issued_at=(pl.col("date").cast(pl.Datetime("us")) - pl.duration(hours=18)).dt.replace_time_zone("UTC"),
    )  # fmt: skip
    upsert(store, "weather", frame, PLANNED, "forecasts")
    words = ("--channel", "social", "--kind", "heavy_up", "--trigger", "temperature<-1", "--washout", "2")
    code, said = command(store, "design", *words, "--weeks", "8", "--assign")
    assert code == 0, said
    assert "social ads are raised on days with temperature 1 standard deviations below usual" in said
    assert "times in 10" in said
    [(design, _)] = experiments.designs(store)
    assert design.trigger is not None
    assert design.power is not None
    assert design.power.mde_rel is not None
    assert (design.estimator, design.cooldown_days) == ("episode_differences", 2)
    start = (design.test_window.start - FIRST).days
    days = [FIRST + timedelta(days=t) for t in range(n_days)]
    fires = read_trigger(store, design.trigger.rule, design.pre_period, GEOS, days)
    window = slice(start, start + N_TEST)
    on = np.zeros_like(fires)
    on[:, window] = treated_days(GEOS, days[window], fires[:, window], design.seed or 0, 2)
    sold, cost = np.where(on, 1.4 * sales, sales), np.where(on, 60.0, paid)
    # Halfway: the door tells where ads answer tomorrow, as they then do.
    half = start + 28
    keep(store, sold, cost, N_PRE, half)
    line = keep_experiments(store, now=PLANNED + timedelta(days=half - N_PRE), run_id="n-1", wish=None)
    assert line.event == "holdout_kept"
    code, said = command(store, "status", "--json")
    assert code == 0, said
    [status] = json.loads(said)["experiments"]
    told = {one["date"]: one["geos"] for one in status["answers"]}
    for t in (half - 1, half):
        assert told[str(days[t])] == [geo for g, geo in enumerate(GEOS) if on[g, t]]
    assert status["alarms"] == []
    keep(store, sold, cost, half, start + N_TEST + 2)
    line = keep_experiments(store, now=PLANNED + timedelta(days=start + N_TEST), run_id="n-2", wish=None)
    assert line.event == "holdout_completed", line.reason
    stored = experiments.result(store, design.experiment_id)
    assert stored is not None
    assert stored.departures == ()
    [lift] = stored.lifts
    assert lift.triggered_geo_days == on.sum()
    assert lift.lift_rel_low is not None
    assert lift.lift_rel_high is not None
    assert 0.0 < lift.lift_rel_low <= 0.4 <= lift.lift_rel_high
    assert lift.iroas is not None
    assert experiments.lift_results(store) == ()  # a model would take it for the whole window
    code, said = command(store, "read", "--picture", str(tmp_path / "p.png"))
    assert code == 0, said
    assert "a treated trigger day of a place" in said
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    [listed] = experiments.payloads(store)
    assert (listed.treatment_geos, listed.control_geos, listed.lift) == (tuple(GEOS), tuple(GEOS), lift)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("cold", "is not a valid trigger"),
        ("temperature>-1", "is not a valid trigger"),
        ("temperature<-1", "too few forecasts"),
    ],
)
def test_a_trigger_that_cannot_be_known_is_refused(
    trigger: str,
    words: str,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "now", lambda: PLANNED)
    store = open_store(tmp_path, "acme")
    results.keep_tenant(store, Tenant("acme", "Acme", "USD", demo=False))
    keep(store, outcomes(N_GEOS, N_PRE), np.full((N_GEOS, N_PRE), 20.0), 0, N_PRE)
    code, said = command(store, "design", "--trigger", trigger)
    assert (code != 0, words in said) == (True, True)
    assert experiments.designs(store) == []
