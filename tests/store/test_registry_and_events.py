"""The model registry and the event log: what is written is what is read, and damage is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_documents import plan

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.event import Event
from weathervane.contracts.fit import Diagnostics, FitRecord, FitReport, ShapeInterval
from weathervane.contracts.forecast import BacktestScore, Quantiles
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.model_entry import ModelEntry
from weathervane.contracts.response import ResponseCurves, WeatherResponse
from weathervane.store import event_log, model_registry
from weathervane.store.import_notes import import_notes, keep_import_notes
from weathervane.store.paths import Store, open_store
from weathervane.store.promotion import judge


def curves(model_id: str = "m-1") -> ResponseCurves:
    rng = np.random.default_rng(1)
    budget = np.broadcast_to(np.array([0.0, 1.0, 2.0]), (1, 2, 3)).copy()
    draws = rng.normal(size=(1, 2, 3, 4))
    flat = np.ones((1, 2))
    return ResponseCurves(model_id, ("de-be",), ("tv", "search"), budget, draws, draws * 0.1, flat, flat * 2)


def report(model_id: str = "m-1", tenant_id: str = "acme") -> FitReport:
    one = plan()
    return FitReport(
        model_id=model_id,
        tenant_id=tenant_id,
        created_at="2024-06-01T06:00:00Z",
        seed=7,
        grain=one.grain,
        summary=one.model,
        channels=(),
        shapes=(),
        media_signal=one.media_signal,
        weather=WeatherResponse((), "none"),
        data_hashes={"sales": "0" * 64},
        priors_sha256="1" * 64,
        versions={"jax": "0.10"},
        caveats=(),
    )


def record(*, rhat_max: float = 1.003, wape: float | None = None, divergences: int = 0) -> FitRecord:
    said = Diagnostics("exact", 4, 200, rhat_max, 700.0, 650.0, divergences, 0.9)
    one = Quantiles(1.0, 2.5, 3.0)
    backtest = None if wape is None else BacktestScore("hierarchical", wape, 52)
    return FitRecord((ShapeInterval("tv", one, None, one),), said, backtest)


def register(store: Store, model_id: str = "m-1", **made: float) -> ModelEntry:
    return model_registry.register(store, report(model_id), curves(model_id), record(**made), b"posterior")  # pyright: ignore[reportArgumentType]


def statuses(store: Store) -> dict[str, str]:
    return {each.model_id: each.status for each in model_registry.entries(store)}


def test_the_champion_is_the_last_fit_that_passes_and_its_arrays_come_back(plain_store: Store) -> None:
    with pytest.raises(NotFound, match="weathervane train"):
        model_registry.champion(plain_store)
    assert model_registry.entries(plain_store) == []
    register(plain_store)
    register(plain_store, "m-2")
    kept, drawn = model_registry.champion(plain_store)
    assert kept == report("m-2")
    assert (drawn.geos, drawn.channels) == (("de-be",), ("tv", "search"))
    np.testing.assert_array_equal(drawn.outcome, curves().outcome)
    assert drawn.outcome_per_wet is None
    registry = json.loads(plain_store.models_registry.read_text())
    assert [m["model_id"] for m in registry["tenants"]["acme"]["models"]] == ["m-1", "m-2"]
    assert registry["tenants"]["acme"]["champion"] == "m-2"
    assert statuses(plain_store) == {"m-1": "retired", "m-2": "champion"}
    entry = model_registry.entry(plain_store, "m-1")
    assert entry.record == record()
    assert entry.reason == "Replaced by m-2."
    assert model_registry.posterior_bytes(plain_store, entry) == b"posterior"
    with pytest.raises(NotFound):
        model_registry.champion(open_store(plain_store.root, "other"))


def test_a_fit_in_doubt_stays_a_candidate_and_the_champion_stays(plain_store: Store) -> None:
    register(plain_store, "m-0", rhat_max=1.2)
    with pytest.raises(NotFound, match="is a candidate: Its draws are in doubt"):
        model_registry.champion(plain_store)
    register(plain_store, "m-1", wape=0.10)
    worse = register(plain_store, "m-2", wape=0.12)
    assert worse.status == "candidate"
    assert worse.reason == "It forecasts worse: its backtest is off by 12.0 %, the champion's by 10.0 %."
    assert model_registry.champion(plain_store)[0].model_id == "m-1"
    assert statuses(plain_store) == {"m-0": "candidate", "m-1": "champion", "m-2": "candidate"}


def test_a_person_may_promote_and_go_back(plain_store: Store) -> None:
    for model_id in ("m-1", "m-2"):
        register(plain_store, model_id)
    made = model_registry.promote(plain_store, "m-1", "the new one forgets radio", "2024-06-03T00:00:00Z")
    assert (made.status, made.reason) == ("champion", "By hand: the new one forgets radio")
    assert statuses(plain_store) == {"m-1": "champion", "m-2": "retired"}
    model_registry.promote(plain_store, "m-2", "radio is over", "2024-06-04T00:00:00Z")
    assert statuses(plain_store) == {"m-1": "retired", "m-2": "champion"}
    assert model_registry.champion(plain_store)[0].model_id == "m-2"
    with pytest.raises(NotFound, match="m-9"):
        model_registry.promote(plain_store, "m-9", "why not", "2024-06-04T00:00:00Z")
    with pytest.raises(BadInput, match="reason"):
        model_registry.promote(plain_store, "m-1", " ", "2024-06-04T00:00:00Z")


@pytest.mark.parametrize(
    ("fit", "champion", "promote", "says"),
    [
        (record(), None, True, "first"),
        (record(), record(), True, "no two backtests"),
        (record(wape=0.1), record(), True, "no two backtests"),
        (record(wape=0.1), record(wape=0.1), True, "10.0 %"),
        (record(wape=0.101), record(wape=0.1), True, "10.1 %"),
        (record(wape=0.103), record(wape=0.1), False, "worse"),
        (record(rhat_max=1.011), None, False, "R-hat is 1.011"),
        (record(rhat_max=float("nan")), None, False, "R-hat"),
        (record(divergences=1), record(), False, "1 of 800 draws diverged"),
        # NUTS on the lightweight models may lose one draw in a hundred.
        (
            replace(record(), diagnostics=replace(record().diagnostics, method="NUTS", divergences=8)),
            None,
            True,
            "first",
        ),
        (
            replace(record(), diagnostics=replace(record().diagnostics, method="NUTS", divergences=9)),
            None,
            False,
            "9 of",
        ),
        (
            replace(record(), diagnostics=replace(record().diagnostics, ess_tail_min=399.0)),
            None,
            False,
            "399 effective",
        ),
        (replace(record(), diagnostics=replace(record().diagnostics, ebfmi=0.1)), None, False, "E-BFMI"),
        (replace(record(), diagnostics=replace(record().diagnostics, ebfmi=None, draws=None)), None, True, "first"),
    ],
)
def test_the_rule_of_promotion(fit: FitRecord, champion: FitRecord | None, promote: bool, says: str) -> None:
    verdict = judge(fit, champion)
    assert verdict.promote is promote
    assert says in verdict.reason


def test_a_registry_of_the_first_version_loads_and_is_carried_over(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "registry_v1", tmp_path / "state")
    store = open_store(tmp_path / "state", "acme")
    kept, drawn = model_registry.champion(store)
    assert kept == report("m-2")
    np.testing.assert_array_equal(drawn.budget, curves().budget)
    assert statuses(store) == {"m-1": "retired", "m-2": "champion"}
    old = model_registry.entry(store, "m-1")
    assert (old.posterior, old.record.diagnostics.rhat_max) == (None, report().summary.rhat_max)
    assert model_registry.posterior_bytes(store, old) is None
    assert json.loads(store.models_registry.read_text())["schema_version"] == 1
    register(store, "m-3")
    assert json.loads(store.models_registry.read_text())["schema_version"] == 2
    assert statuses(store) == {"m-1": "retired", "m-2": "retired", "m-3": "champion"}


def test_a_registry_of_a_newer_version_is_refused(plain_store: Store) -> None:
    plain_store.models_registry.write_text('{"schema_version": 3, "tenants": {}}')
    with pytest.raises(StateUnusable, match="version 3"):
        register(plain_store)


def test_registering_again_changes_no_byte(plain_store: Store) -> None:
    register(plain_store)
    before = {p: p.read_bytes() for p in plain_store.root.rglob("*") if p.is_file()}
    register(plain_store)
    assert {p: p.read_bytes() for p in plain_store.root.rglob("*") if p.is_file()} == before


def test_artefacts_that_were_changed_are_not_used(plain_store: Store) -> None:
    register(plain_store)
    for pattern, read in (
        ("*.npz", lambda: model_registry.champion(plain_store)),
        ("*.npz", lambda: model_registry.promote(plain_store, "m-1", "why not", "2024-06-04T00:00:00Z")),
        ("*.nc", lambda: model_registry.posterior_bytes(plain_store, model_registry.entry(plain_store, "m-1"))),
    ):
        (path,) = plain_store.models.glob(pattern)
        whole = path.read_bytes()
        path.write_bytes(whole + b"x")
        with pytest.raises(StateUnusable, match="not what was registered"):
            read()
        path.unlink()
        with pytest.raises(StateUnusable, match="cannot be read"):
            read()
        path.write_bytes(whole)


def test_curves_that_rain_moves_come_back_as_they_were(plain_store: Store) -> None:
    rained = replace(curves(), outcome_per_wet=0.3 * curves().outcome)
    model_registry.register(plain_store, report(), rained, record(), b"posterior")
    _, drawn = model_registry.champion(plain_store)
    np.testing.assert_array_equal(drawn.outcome_per_wet, rained.outcome_per_wet)


def test_report_and_curves_must_belong_together(plain_store: Store) -> None:
    for one, other in ((report("m-2"), curves("m-1")), (report(tenant_id="other"), curves())):
        with pytest.raises(BadInput):
            model_registry.register(plain_store, one, other, record(), b"")


REGISTER = """
import sys
from pathlib import Path
from test_registry_and_events import register
from weathervane.store.paths import open_store
for i in range(5):
    register(open_store(Path(sys.argv[1]), "acme"), f"{sys.argv[2]}-{i}")
"""


def test_two_registrations_at_once_lose_none(plain_store: Store) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    both = [
        subprocess.Popen([sys.executable, "-c", REGISTER, str(plain_store.root), name], env=environment)
        for name in "ab"
    ]
    assert [process.wait(120) for process in both] == [0, 0]
    assert sorted(statuses(plain_store)) == [f"{name}-{i}" for name in "ab" for i in range(5)]
    assert list(statuses(plain_store).values()).count("champion") == 1


EVENT = Event("import.done", "acme", "2024-06-01T06:00:00Z", "r-1", detail={"rows": 3})


def test_events_come_back_in_order_and_a_torn_line_is_mended(plain_store: Store) -> None:
    event_log.record(plain_store, EVENT)
    event_log.record(plain_store, replace(EVENT, tenant_id="other"))
    whole = plain_store.events.read_bytes()
    with plain_store.events.open("ab") as file:
        file.write(b'{"at": "2024-06-0')
    assert event_log.events(plain_store, "acme") == [EVENT]
    event_log.record(plain_store, replace(EVENT, run_id="r-2"))
    assert plain_store.events.read_bytes().startswith(whole)
    assert [event.run_id for event in event_log.events(plain_store)] == ["r-1", "r-1", "r-2"]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(EVENT, at="2024-06-01 06:00"),
        replace(EVENT, at="2024-06-01T06:00:00+02:00"),
        replace(EVENT, level="loud"),  # pyright: ignore[reportArgumentType]
        replace(EVENT, kind=""),
        replace(EVENT, tenant_id="No Tenant"),
        replace(EVENT, detail={"list": [1]}),  # pyright: ignore[reportArgumentType]
        replace(EVENT, detail={"x": float("nan")}),
    ],
)
def test_an_event_outside_the_schema_is_refused(plain_store: Store, wrong: Event) -> None:
    with pytest.raises(BadInput):
        event_log.record(plain_store, wrong)
    assert not plain_store.events.exists()


def test_a_damaged_line_in_the_middle_is_named(plain_store: Store) -> None:
    event_log.record(plain_store, EVENT)
    with plain_store.events.open("a") as file:
        file.write("nonsense\n")
    event_log.record(plain_store, EVENT)
    with pytest.raises(StateUnusable, match="line 2"):
        event_log.events(plain_store)


APPENDER = """
import sys
from pathlib import Path
from weathervane.store.event_log import append_line
for i in range(40):
    append_line(Path(sys.argv[1]), {"writer": sys.argv[2], "i": i, "padding": "x" * 500})
"""


def test_two_writers_interleave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    both = [subprocess.Popen([sys.executable, "-c", APPENDER, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 80


def test_the_status_page_says_what_to_do_and_what_happened(plain_store: Store) -> None:
    failed = replace(EVENT, kind="train.failed", run_id="r-2", level="error", detail={"remedy": "import more weeks."})
    for event in (replace(EVENT, level="warning", detail={"remedy": "old advice."}), failed):
        event_log.record(plain_store, event)
    page = event_log.write_context(plain_store, "2024-06-02T00:00:00Z", ["Look at the plan."]).read_text()
    assert page == (
        "# WeatherVane status\n\nWritten 2024-06-02T00:00:00Z from the event log.\n\n"
        "## Next actions\n\n- Look at the plan.\n- acme: import more weeks.\n\n"
        "## Status\n\n- **acme**: last run r-2, 1 steps, 1 failed; last heard of 2024-06-01T06:00:00Z.\n\n"
        "## Recent updates\n\n"
        "- 2024-06-01T06:00:00Z acme: train.failed (error): remedy import more weeks.\n"
        "- 2024-06-01T06:00:00Z acme: import.done (warning): remedy old advice.\n"
    )
    assert "Nothing to do" in event_log.write_context(open_store(plain_store.root / "new", "acme"), "2024Z").read_text()


def test_import_notes_of_a_table_replace_older_ones(plain_store: Store) -> None:
    assert import_notes(plain_store) == []
    keep_import_notes(plain_store, [ImportNote("sales", "kept", 3, "a"), ImportNote("spend", "warning", 1, "priced")])
    keep_import_notes(plain_store, [ImportNote("sales", "kept", 4, "b")])
    assert [(note.table, note.rows) for note in import_notes(plain_store)] == [("spend", 1), ("sales", 4)]
