"""What a tenant's geo tests hold: its plan, its scenarios, its approval and its push all respect the same lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.experiments.designs import drafted, made_panel
from tests.planning.builders import START
from tests.workflows.small_tenant import NOW, small_tenant

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import AssignedGeo, Cell, Transition
from weathervane.contracts.period import Period
from weathervane.contracts.scenario import Scenario
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.approve_plan import approve_plan
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.push_plan import push_plan
from weathervane.workflows.run_scenario import run_scenario


def go_dark(store: Store) -> None:
    """An approved test that switches search off in Chicago, beside Miami; Dallas takes no part."""
    cells = (Cell("cell_1", "go_dark", "search", 0.5),)
    geos = (AssignedGeo("chicago", "treatment", 0.5, "cell_1"), AssignedGeo("miami", "control", 0.5))
    design = replace(
        drafted(made_panel(10), cells), tenant_id=store.tenant_id, experiment_id="dark-1", assignment=geos, geo_count=2,
        holdout_count=1, pre_period=Period(START - timedelta(days=90), START - timedelta(days=15)),
        test_window=Period(START - timedelta(days=7), START + timedelta(days=20)), excluded_geos=(),
    )  # fmt: skip
    experiments.keep_design(store, design)
    if design.lifecycle == "draft":
        experiments.enter(store, Transition("dark-1", "assigned", "2026-11-10T06:00:00Z", "r"))


def test_the_plan_its_scenarios_approval_and_push_leave_a_test_alone(tmp_path: Path) -> None:
    store, before = small_tenant(tmp_path)
    moved = {(line.geo, line.channel) for line in before.lines if line.change.minor}
    assert {("chicago", "search"), ("miami", "search")} & moved
    go_dark(store)
    # A plan from before the test is neither approved nor pushed.
    with pytest.raises(BadInput, match=r"search in .* dark-1 has under test until Sun 13 Dec") as refused:
        approve_plan(store, before.plan_id, by="Ada", now=NOW, run_id="r")
    assert "weathervane plan" in refused.value.remedy
    push = push_plan(store, before.plan_id, now=NOW, run_id="r")
    assert (push.folder, push.files) == (None, {})
    assert push.sentence.startswith("Refused. The plan would change search in ")
    assert {"under_test"} <= {one.guardrail for one in push.preflight.breaches if one.severity == "critical"}
    # The new one holds the lines, and so can be.
    plan = make_plan(store, now=NOW, run_id="again")
    lines = {(line.geo, line.channel): line for line in plan.lines}
    assert {cell for cell, line in lines.items() if line.under_test_until} == {
        ("chicago", "search"), ("miami", "search")
    }  # fmt: skip
    assert lines["chicago", "search"].recommended.minor == 0
    assert not [line for line in plan.lines if line.under_test_until and line.change.minor]
    assert lines["dallas", "search"].change.minor, "places left out of the test are free"
    result = run_scenario(store, Scenario(channel_multipliers={"search": 1.1}))
    changed = {(cell.geo, cell.channel) for cell in result.cells if cell.budget != cell.planned}
    assert changed == {("dallas", "search")}
    approve_plan(store, plan.plan_id, by="Ada", now=NOW, run_id="r")
    again = push_plan(store, plan.plan_id, now=NOW, run_id="r")
    assert again.folder is not None
    assert not [one for one in again.preflight.breaches if one.guardrail == "under_test"]
