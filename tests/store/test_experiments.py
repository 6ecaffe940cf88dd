"""A frozen design never changes, states only go forward, and a killed night leaves one assignment and one line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.experiments.designs import made_panel, request, stamp

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.experiment_design import ExperimentDesign, Transition
from weathervane.experiments.assign import assignment_set
from weathervane.experiments.draft import draft_design
from weathervane.experiments.upkeep import Standing, decide, log_line
from weathervane.store import experiments
from weathervane.store.paths import Store, open_store

PANEL = made_panel(12)
DRAFT = draft_design(PANEL, request(PANEL), stamp())[0]
DESIGN = replace(DRAFT, lifecycle="assigned")
AT = "2026-06-01T06:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path, "acme")


def test_a_design_comes_back_as_it_was_and_can_be_drawn_again(store: Store) -> None:
    path = experiments.keep_design(store, DESIGN)
    assert path == store.root / "analytics/experiments/geo_holdouts/acme_20260601_060000.json"
    found = experiments.design(store, DESIGN.experiment_id)
    assert found == DESIGN
    assert (assignment_set(found) == assignment_set(DESIGN)).all()
    fields = json.loads(path.read_text())
    known = "tenant_id generated_at status geo_count holdout_count holdout_ratio control_share geo_column assignment"
    assert set(known.split()) <= set(fields)
    assert {"geo", "group", "weight"} <= set(fields["assignment"][0])
    assert set(fields["pre_period"]) == set(fields["test_window"]) == {"start", "end"}


def test_a_frozen_design_never_changes(store: Store) -> None:
    path = experiments.keep_design(store, DESIGN)
    before = path.read_bytes()
    experiments.keep_design(store, DESIGN)
    with pytest.raises(BadInput, match="is frozen"):
        experiments.keep_design(store, replace(DESIGN, alpha=0.1))
    assert path.read_bytes() == before
    with pytest.raises(BadInput, match="other's"):
        experiments.keep_design(store, replace(DESIGN, tenant_id="other"))


def test_a_draft_may_change_until_it_is_assigned(store: Store) -> None:
    experiments.keep_design(store, DRAFT)
    experiments.keep_design(store, replace(DRAFT, alpha=0.1))
    assert experiments.design(store, DRAFT.experiment_id).alpha == 0.1
    experiments.enter(store, Transition(DRAFT.experiment_id, "assigned", AT, "n"))
    with pytest.raises(BadInput, match="is frozen"):
        experiments.keep_design(store, DRAFT)


def test_states_go_forward_and_are_kept_beside_the_file(store: Store) -> None:
    experiments.keep_design(store, DESIGN)
    name = DESIGN.experiment_id
    with pytest.raises(BadInput, match="cannot become completed"):
        experiments.enter(store, Transition(name, "completed", AT, "n"))
    assert experiments.live_design(store) == (DESIGN, "assigned")
    experiments.enter(store, Transition(name, "running", AT, "n-1"))
    experiments.enter(store, Transition(name, "running", AT, "n-2"))
    experiments.enter(store, Transition(name, "stopped", AT, "n-3", "Out of stock."))
    assert [step.run_id for step in experiments.transitions(store, name)] == ["n-1", "n-3"]
    assert experiments.state_of(store, name) == "stopped"
    assert experiments.live_design(store) is None
    with pytest.raises(NotFound):
        experiments.enter(store, Transition("unknown", "running", AT, "n"))


def test_tenants_see_their_own_designs(store: Store) -> None:
    experiments.keep_design(store, DESIGN)
    other = open_store(store.root, "acme_20260601")
    assert experiments.designs(other) == []
    with pytest.raises(NotFound):
        experiments.design(other, DESIGN.experiment_id)


def test_a_damaged_design_is_named(store: Store) -> None:
    path = experiments.keep_design(store, DESIGN)
    path.write_text(path.read_text().replace('"holdout_count": 10', '"holdout_count": 9'))
    with pytest.raises(StateUnusable, match="is damaged"):
        experiments.designs(store)


class _Killed(BaseException):
    """Power is cut: nothing after this line happens, nothing catches it."""


def _night(store: Store, run_id: str, today: date, until: date, killed_after: int = 99) -> None:
    """What the nightly step will do, with the power cut after so many of its writes."""
    writes = 0

    def wrote() -> None:
        nonlocal writes
        writes += 1
        if writes > killed_after:
            raise _Killed

    with experiments.one_at_a_time(store):
        standings = [
            Standing(one, step.state, step.run_id, has_result=False) for one, step in experiments.designs(store)
        ]
        made: ExperimentDesign | None = None
        decision = decide(standings, run_id=run_id, today=today, data_until=until, wanted=True)
        for move in decision.moves:
            wrote()
            experiments.enter(store, Transition(move.experiment_id, move.state, AT, run_id, move.reason))
        if decision.todo == "draft":
            made = replace(draft_design(PANEL, request(PANEL), stamp(run_id=run_id))[0], lifecycle="assigned")
            wrote()
            experiments.keep_design(store, made)
        elif decision.experiment_id is not None:
            made = experiments.design(store, decision.experiment_id)
        wrote()
        experiments.log_run(
            store,
            log_line(decision, tenant_id="acme", run_id=run_id, at=AT, duration_ms=1, input_rows=1, design=made),
        )
        wrote()


@pytest.mark.parametrize("killed_after", [0, 1, 2, 3])
def test_a_night_killed_anywhere_and_run_again_leaves_one_assignment_and_one_line(
    store: Store, killed_after: int
) -> None:
    today = PANEL.days[-1]
    for after in (killed_after, 99, 99):
        try:
            _night(store, "nightly-1", today, today, after)
        except _Killed:
            assert killed_after < 3
    assert len(experiments.designs(store)) == 1
    assert [(line.run_id, line.event) for line in experiments.runs(store)] == [("nightly-1", "holdout_assigned")]
    _night(store, "nightly-2", today, today)
    assert [line.event for line in experiments.runs(store)] == ["holdout_assigned", "holdout_kept"]
    assert len(experiments.designs(store)) == 1


@pytest.mark.parametrize("killed_after", [0, 1, 2, 3])
def test_a_test_that_ends_is_completed_once(store: Store, killed_after: int) -> None:
    experiments.keep_design(store, DESIGN)
    experiments.enter(store, Transition(DESIGN.experiment_id, "running", AT, "nightly-1"))
    end = date(2026, 12, 1)
    for after in (killed_after, 99, 99):
        try:
            _night(store, "nightly-5", end, end, after)
        except _Killed:
            assert killed_after < 3
    assert experiments.state_of(store, DESIGN.experiment_id) == "completed"
    assert [(line.run_id, line.event) for line in experiments.runs(store)] == [("nightly-5", "holdout_completed")]
    _night(store, "nightly-6", end, end)
    assert experiments.runs(store)[-1].event == "holdout_estimated"


def test_a_torn_line_is_mended_and_lines_hold_every_known_field(store: Store) -> None:
    _night(store, "nightly-1", PANEL.days[-1], PANEL.days[-1])
    with store.geo_holdout_runs.open("ab") as file:
        file.write(b'{"run_id": "nightly-2"')
    assert len(experiments.runs(store)) == 1
    _night(store, "nightly-2", PANEL.days[-1], PANEL.days[-1])
    lines = [json.loads(line) for line in store.geo_holdout_runs.read_text().splitlines()]
    assert [line["run_id"] for line in lines] == ["nightly-1", "nightly-2"]
    known = "tenant_id timestamp event run_id experiment_id duration_ms input_rows seed schema_version level geo_count"
    assert set(known.split()) <= set(lines[0])
