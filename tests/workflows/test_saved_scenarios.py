"""Scenarios of a stored plan: run, kept in versions, shown with what has changed since, compared, and no one else's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.workflows.small_tenant import NOW, register, small_tenant

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.errors import BadInput, NotEnoughData, NotFound
from weathervane.contracts.plan import BudgetPlan
from weathervane.contracts.scenario import SavedScenario, Scenario, check_scenario_id
from weathervane.store import results, scenarios
from weathervane.store.event_log import events
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows.delete_scenario import delete_scenario
from weathervane.workflows.recommend_scenarios import recommend_scenarios
from weathervane.workflows.run_scenario import run_scenario
from weathervane.workflows.save_scenario import save_scenario
from weathervane.workflows.show_scenarios import show_scenarios

MORE = Scenario(channel_multipliers={"search": 1.1})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, BudgetPlan]:
    return small_tenant(tmp_path_factory.mktemp("made") / "state")


@pytest.fixture
def tenant(made: tuple[Store, BudgetPlan], tmp_path: Path) -> tuple[Store, BudgetPlan]:
    return open_store(Path(shutil.copytree(made[0].root, tmp_path / "state")), "demo"), made[1]


def save(store: Store, name: str = "More search", minutes: int = 0, **changes: object) -> SavedScenario:
    fields: dict[str, object] = {"scenario": MORE, "by": "Ada", "now": NOW + timedelta(minutes=minutes), "run_id": "r"}
    return save_scenario(store, name=name, **(fields | changes))  # type: ignore[arg-type]


def test_a_stored_plan_unchanged_is_the_plan(tenant: tuple[Store, BudgetPlan]) -> None:
    store, plan = tenant
    found = run_scenario(store, Scenario())
    assert found.spend == plan.total_recommended
    assert [cell.budget for cell in found.cells] == [line.recommended for line in plan.lines]
    assert (found.plan_id, found.plan_sha256) == (plan.plan_id, results.plan_sha256(plan))
    by_channel = {
        channel: sum(x.outcome.p50 for x in plan.lines if x.channel == channel) for channel in ("search", "social")
    }
    for part in found.by_channel:
        assert part.outcome.p50 == pytest.approx(by_channel[part.name], rel=0.01)


def test_another_model_in_use_is_another_plan(tenant: tuple[Store, BudgetPlan]) -> None:
    register(tenant[0], model_id="model-2")
    with pytest.raises(NotEnoughData, match="another model"):
        run_scenario(tenant[0], Scenario())


def test_versions_are_kept_and_the_newest_is_shown(tenant: tuple[Store, BudgetPlan]) -> None:
    store, _ = tenant
    first = save(store)
    renamed = save(store, "Renamed", 1, scenario_id=first.scenario_id, scenario=None, tags=("q4",))
    changed = save(store, "Renamed", 2, scenario_id=first.scenario_id, scenario=Scenario(geo_tilt={"miami": 1.2}))
    assert [one.version for one in scenarios.versions(store, first.scenario_id)] == [1, 2, 3]
    assert renamed.result == first.result
    assert (changed.tags, changed.created_at, changed.scenario.geo_tilt) == (("q4",), first.created_at, {"miami": 1.2})
    assert scenarios.scenario(store, first.scenario_id) == changed
    assert scenarios.scenario(store, first.scenario_id, 1) == first
    with pytest.raises(NotFound, match="no version 4"):
        scenarios.scenario(store, first.scenario_id, 4)
    with pytest.raises(BadInput, match="is there already"):
        scenarios.keep_scenario(store, replace(first, name="Overwritten"))
    (shown,) = show_scenarios(store)
    assert (shown.saved, shown.baseline_changed) == (changed, None)


def test_a_changed_baseline_is_said(tenant: tuple[Store, BudgetPlan]) -> None:
    store, plan = tenant
    saved = save(store)
    results.keep_plan(store, replace(plan, generated_at="2026-11-22T09:00:00Z"))
    assert show_scenarios(store)[0].baseline_changed is None, "the same plan made again"
    results.keep_plan(store, replace(plan, reason="Changed under its id.", generated_at="2026-11-22T09:10:00Z"))
    assert show_scenarios(store)[0].baseline_changed is not None
    results.keep_plan(
        store, replace(plan, plan_id="plan-other", reason="Another.", generated_at="2026-11-22T09:30:00Z")
    )
    (shown,) = show_scenarios(store, [saved.scenario_id])
    assert shown.baseline_changed is not None
    assert plan.plan_id in shown.baseline_changed
    assert "plan-other" in shown.baseline_changed


def test_up_to_four_are_compared(tenant: tuple[Store, BudgetPlan]) -> None:
    store, _ = tenant
    ids = [
        save(store, f"Number {i}", i, scenario=Scenario(channel_multipliers={"search": 1 + i / 50})).scenario_id
        for i in range(5)
    ]
    assert [one.saved.name for one in show_scenarios(store, ids[:4])] == [f"Number {i}" for i in range(4)]
    assert [one.saved.name for one in show_scenarios(store)] == [f"Number {i}" for i in reversed(range(5))]
    for wrong, said in ((ids, "at most 4"), ([ids[0], ids[0]], "named twice")):
        with pytest.raises(BadInput, match=said):
            show_scenarios(store, wrong)


def test_a_deleted_scenario_is_gone_and_logged(tenant: tuple[Store, BudgetPlan]) -> None:
    store, _ = tenant
    saved = save(store)
    delete_scenario(store, saved.scenario_id, by="Ada", now=NOW, run_id="r")
    assert show_scenarios(store) == []
    with pytest.raises(NotFound):
        delete_scenario(store, saved.scenario_id, by="Ada", now=NOW, run_id="r")
    assert [one.kind for one in events(store, "demo")][-2:] == ["scenario.saved", "scenario.deleted"]


def test_no_tenant_reads_or_removes_anothers(tenant: tuple[Store, BudgetPlan], tmp_path: Path) -> None:
    store, _ = tenant
    other, _ = small_tenant(tmp_path / "state", "other")
    saved = save(store)
    assert show_scenarios(other) == []
    for act in (
        lambda: show_scenarios(other, [saved.scenario_id]),
        lambda: delete_scenario(other, saved.scenario_id, by="Eve", now=NOW, run_id="r"),
        lambda: save(other, "Stolen", scenario_id=saved.scenario_id),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(BadInput, match="store of 'other'"):
        scenarios.keep_scenario(other, saved)
    assert scenarios.scenario(store, saved.scenario_id) == saved


@pytest.mark.parametrize("odd", ["..", "../demo", "a/b", "", "A", "a" * 64, "%2e%2e", "a\0b"])
def test_path_tricks_are_no_ids(tenant: tuple[Store, BudgetPlan], odd: str) -> None:
    for act in (
        check_scenario_id,
        lambda name: scenarios.scenario(tenant[0], name),
        lambda name: save(tenant[0], scenario_id=name),
    ):
        with pytest.raises(BadInput, match="scenario id"):
            act(odd)


def test_a_scenario_needs_a_name_and_a_person(tenant: tuple[Store, BudgetPlan]) -> None:
    for changes, says in (
        ({"name": None}, "needs a name"),
        ({"name": " "}, "at most 120"),
        ({"by": " "}, "by someone"),
    ):
        with pytest.raises(BadInput, match=says):
            save_scenario(
                tenant[0], **({"name": "x", "scenario": MORE, "by": "Ada", "now": NOW, "run_id": "r"} | changes)
            )  # type: ignore[arg-type]


def test_a_past_week_is_replayed_where_returns_depend_on_weather(tmp_path: Path) -> None:
    store, _ = small_tenant(tmp_path / "state", per_z=0.4)
    silent = run_scenario(store, Scenario(weather="warm"))
    assert "not known anywhere" in silent.unanswered[0]
    weather = make_world("sensitive", seed=3, end=date(2026, 11, 22), n_days=800, n_geos=3).tables["weather"]
    names = dict(zip(sorted(weather["geo"].unique()), ("chicago", "dallas", "miami"), strict=True))
    upsert(
        store, "weather", weather.with_columns(weather["geo"].replace_strict(names)), NOW + timedelta(days=2), "made"
    )
    warm = run_scenario(store, Scenario(weather="warm"))
    assert warm.unanswered == ()
    assert warm.notes[0].startswith("The weather is that of the 7 days from")
    cold = run_scenario(store, Scenario(weather="normal"))
    assert warm.outcome.p50 > cold.outcome.p50
    one = run_scenario(store, Scenario(weather="replay", replay_start=date(2026, 1, 12)))
    assert "Mon 12 Jan 2026" in one.notes[0]


def test_recommended_scenarios_of_a_stored_plan(tenant: tuple[Store, BudgetPlan]) -> None:
    found = recommend_scenarios(tenant[0], margin=0.5)
    assert found.plan_id == tenant[1].plan_id
    assert len(found.scenarios) + len(found.reasons) == 3
