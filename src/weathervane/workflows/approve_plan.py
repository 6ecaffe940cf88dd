"""Approve a plan: a person's name on exactly what the plan says."""

from __future__ import annotations

from datetime import datetime

from weathervane.contracts.automation import Approval
from weathervane.contracts.errors import BadInput
from weathervane.contracts.event import Event
from weathervane.experiments.lines_of_tests import lines_of_tests
from weathervane.planning.preflight import lines_under_test
from weathervane.planning.wording import changed_under_test
from weathervane.store import automation, experiments, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store


def approve_plan(store: Store, plan_id: str, *, by: str, now: datetime, run_id: str) -> Approval:
    """The approval, stored; approving the same plan again returns the first.

    NotFound where there is no such plan, BadInput for one that would change a line under test.
    """
    if not by.strip():
        raise BadInput("A plan is approved by someone.", "say who, with --by.")
    plan = results.plan(store, plan_id)
    broken = lines_under_test(plan, lines_of_tests(experiments.designs(store)))
    if broken:
        raise BadInput(
            changed_under_test(broken), "run `weathervane plan` again: the new plan leaves them as they are."
        )
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = Approval(store.tenant_id, plan_id, results.plan_sha256(plan), by, at)
    approval = automation.keep_approval(store, asked)
    detail = {"plan_id": plan_id, "plan_sha256": approval.plan_sha256, "by": by, "first": approval == asked}
    record(store, Event("plan.approved", store.tenant_id, at, run_id, detail=detail))
    return approval
