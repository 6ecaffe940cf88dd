"""Pushing a plan: files in one piece, made once, refused in words, logged; approvals and settings that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from tests.planning.small_plans import plan_of

from weathervane.contracts.automation import AutomationSettings, ChangeWindow, Guardrails
from weathervane.contracts.errors import BadInput, NotFound
from weathervane.contracts.event import Event
from weathervane.contracts.money import Money
from weathervane.contracts.tenant import Tenant
from weathervane.store import automation, results
from weathervane.store.event_log import events, record
from weathervane.store.paths import Store, open_store
from weathervane.workflows.approve_plan import approve_plan
from weathervane.workflows.push_plan import PUSHED, push_plan
from weathervane.workflows.set_automation import set_automation

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLAN = plan_of({("austin", "search"): (700_00, 770_00), ("boston", "search"): (700_00, 630_00)})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    one = open_store(tmp_path / "state", "acme")
    results.keep_tenant(one, Tenant("acme", "Acme", "USD", demo=False))
    results.keep_plan(one, PLAN)
    return one


def choose(store: Store, **changes: object) -> None:
    before = automation.settings(store).settings
    set_automation(store, replace(before, **changes), by="Ada", now=MONDAY, run_id="r")  # type: ignore[arg-type]


def let_everything_agree(store: Store) -> None:
    consent = automation.settings(store).settings.consent.granted("2026-11-20T00:00:00Z", "Ada")
    window = ChangeWindow(time(9), time(17))
    choose(store, mode="assist", consent=consent, guardrails=Guardrails(change_windows=(window,)))
    approve_plan(store, "plan-1", by="Ada", now=MONDAY, run_id="r")


def test_by_default_a_push_is_files_and_five_reasons(store: Store) -> None:
    push = push_plan(store, now=MONDAY, run_id="r")
    assert (push.written, push.made_before, push.preflight.may_write) == (False, False, False)
    assert "closed gates: mode, consent, window, approval" in push.sentence
    assert push.folder is not None
    folder = Path(push.folder)
    assert folder.parent == store.run("plan-1")
    assert sorted(path.name for path in folder.iterdir()) == [
        "DIFF.md",
        "budgets-search.csv",
        "manifest.json",
        "rollback.json",
    ]
    assert json.loads((folder / "manifest.json").read_text())["files"] == push.files


def test_even_when_everything_agrees_nothing_is_written_and_that_is_said(store: Store) -> None:
    let_everything_agree(store)
    push = push_plan(store, now=MONDAY, run_id="r")
    assert push.preflight.may_write
    assert push.written is False
    assert "no connector with write access" in push.sentence


def test_pushing_twice_makes_one_change_set(store: Store) -> None:
    first = push_plan(store, now=MONDAY, run_id="r")
    stamps = {path: path.stat().st_mtime_ns for path in store.run("plan-1").rglob("*") if path.is_file()}
    second = push_plan(store, "plan-1", now=MONDAY, run_id="r2")
    assert (first.folder, first.files) == (second.folder, second.files)
    assert (first.made_before, second.made_before) == (False, True)
    assert {path: path.stat().st_mtime_ns for path in store.run("plan-1").rglob("*") if path.is_file()} == stamps
    assert sum(path.is_dir() for path in store.run("plan-1").iterdir()) == 1


def test_what_breaks_a_guardrail_is_not_filed_under_what_held(store: Store) -> None:
    held = push_plan(store, now=MONDAY, run_id="r")
    choose(store, guardrails=Guardrails(max_daily_change_rel=0.05))
    broken = push_plan(store, now=MONDAY, run_id="r")
    assert held.folder != broken.folder
    assert broken.folder is not None
    assert "max_daily_change_rel" in (Path(broken.folder) / "DIFF.md").read_text()
    assert "broken guardrails: max_daily_change_rel" in broken.sentence


def test_a_push_that_is_killed_leaves_nothing_half_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        push_plan(store, now=MONDAY, run_id="r")
    assert [path for path in store.run("plan-1").rglob("*") if path.suffix != ".lock"] == []
    monkeypatch.undo()
    assert not push_plan(store, now=MONDAY, run_id="r").made_before


def test_a_changed_plan_is_not_approved(store: Store) -> None:
    let_everything_agree(store)
    results.keep_plan(store, replace(PLAN, generated_at="2026-11-23T06:00:00Z"))
    assert push_plan(store, now=MONDAY, run_id="r").preflight.may_write, "the same plan made again is the same plan"
    results.keep_plan(store, replace(PLAN, reason="Something else."))
    push = push_plan(store, now=MONDAY, run_id="r")
    (gate,) = [gate for gate in push.preflight.gates if not gate.open]
    assert (gate.name, "has changed since" in gate.reason) == ("approval", True)


def test_an_approval_never_changes(store: Store) -> None:
    first = approve_plan(store, "plan-1", by="Ada", now=MONDAY, run_id="r")
    assert approve_plan(store, "plan-1", by="Bob", now=MONDAY, run_id="r") == first
    assert automation.approval_of(store, PLAN) == first
    with pytest.raises(NotFound):
        approve_plan(store, "../plan-1", by="Ada", now=MONDAY, run_id="r")
    with pytest.raises(BadInput, match="approved by someone"):
        approve_plan(store, "plan-1", by=" ", now=MONDAY, run_id="r")


def test_the_cap_counts_the_pushes_of_the_day(store: Store) -> None:
    let_everything_agree(store)
    record(store, Event(PUSHED, "acme", "2026-11-22T23:00:00Z", "r"))
    assert push_plan(store, now=MONDAY, run_id="r").preflight.may_write
    record(store, Event(PUSHED, "acme", "2026-11-23T01:00:00Z", "r"))
    push = push_plan(store, now=MONDAY, run_id="r")
    assert [gate.name for gate in push.preflight.gates if not gate.open] == ["cap"]


def test_a_plan_that_keeps_everything_makes_no_files(store: Store) -> None:
    results.keep_plan(store, plan_of({("austin", "search"): (700_00, 700_00)}, plan_id="plan-2"))
    push = push_plan(store, "plan-2", now=MONDAY, run_id="r")
    assert (push.folder, push.files) == (None, {})
    assert "nothing to push" in push.sentence
    assert not store.run("plan-2").exists()


def test_every_step_is_in_the_log(store: Store) -> None:
    let_everything_agree(store)
    push = push_plan(store, now=MONDAY, run_id="r")
    kinds = [(one.kind, one.detail) for one in events(store, "acme")]
    assert [kind for kind, _ in kinds] == ["automation.set", "plan.approved", "plan.push_checked"]
    assert kinds[-1][1]["change_set_id"] == push.change_set.change_set_id
    assert kinds[-1][1]["written"] is False


def test_settings_keep_their_history(store: Store) -> None:
    assert automation.settings(store).version == 0
    assert automation.settings(store).settings == AutomationSettings()
    choose(store, mode="assist")
    choose(store, mode="assist")
    choose(store, mode="manual", notes="for the holidays")
    assert [(one.version, one.settings.mode) for one in automation.history(store)] == [(1, "assist"), (2, "manual")]
    assert automation.settings(store) == automation.history(store)[-1]
    with pytest.raises(BadInput, match="USD"):
        choose(store, guardrails=Guardrails(min_daily_spend=Money(1, "EUR")))
    with pytest.raises(BadInput, match="name of a person"):
        set_automation(store, AutomationSettings(), by="", now=MONDAY, run_id="r")


def test_no_tenant_sees_anothers_settings_or_approvals(store: Store) -> None:
    let_everything_agree(store)
    other = open_store(store.root, "other")
    with pytest.raises(NotFound):
        automation.settings(other)
    results.keep_tenant(other, Tenant("other", "Other", "USD", demo=False))
    results.keep_plan(other, replace(PLAN, tenant_id="other"))
    assert automation.settings(other).version == 0
    assert automation.approval_of(other, replace(PLAN, tenant_id="other")) is None
