"""Push the plan: files that change the ad platforms and take it back, and whether anything may write there itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from weathervane.contracts.change_set import ChangeSet, Preflight, Push
from weathervane.contracts.event import Event
from weathervane.contracts.tested_line import TestedLine
from weathervane.experiments.lines_of_tests import lines_of_tests
from weathervane.exports.change_files import change_files
from weathervane.planning.change_set import change_set
from weathervane.planning.preflight import lines_under_test, preflight
from weathervane.planning.wording import changed_under_test
from weathervane.store import automation, experiments, results
from weathervane.store.atomic import write_folder_atomically
from weathervane.store.event_log import events, record
from weathervane.store.paths import Store

# What an ad platform's connector will record once one can write; counted against the daily cap.
PUSHED = "plan.pushed"


def push_plan(store: Store, plan_id: str | None = None, *, now: datetime, run_id: str) -> Push:
    """The change set of a plan (the newest, if None) as files, and what keeps it from being written to a platform.

    Nothing is ever written to a platform: no connector can. The same plan under the same settings makes one change
    set, whenever it is pushed. A plan that would change a line under test is refused and makes no files. Raises
    NotFound where there is no such plan.
    """
    plan = results.latest_plan(store) if plan_id is None else results.plan(store, plan_id)
    settings = automation.settings(store).settings
    changes = change_set(plan, results.plan_sha256(plan), settings)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    today = sum(one.kind == PUSHED and one.at[:10] == at[:10] for one in events(store, store.tenant_id))
    tests = lines_of_tests(experiments.designs(store))
    approval = automation.approval_of(store, plan)
    checked = preflight(plan, changes, settings, approval, now=now, pushes_today=today, tests=tests)
    broken = lines_under_test(plan, tests)
    folder, files, made = None, dict[str, str](), False
    if changes.changes and not broken:
        contents = change_files(changes, checked)
        files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        contents["manifest.json"] = (json.dumps({"files": files}, indent=2, sort_keys=True) + "\n").encode()
        # Named by its bytes: what breaks a guardrail today is not filed under what held yesterday.
        name = hashlib.sha256(contents["manifest.json"]).hexdigest()[:8]
        folder = store.change_set(plan.plan_id, f"{changes.change_set_id}-{name}")
        made = write_folder_atomically(folder, contents)
    push = Push(
        change_set=changes,
        preflight=checked,
        written=False,
        made_before=folder is not None and not made,
        folder=None if folder is None else str(folder),
        files=files,
        sentence=_refused(broken) if broken else _sentence(changes, checked),
    )
    _audit(store, push, at, run_id)
    return push


def _refused(broken: Sequence[TestedLine]) -> str:
    return f"Refused. {changed_under_test(broken)} Run `weathervane plan` again: the new plan leaves them as they are."


def _sentence(changes: ChangeSet, checked: Preflight) -> str:
    if not changes.changes:
        return "The plan leaves every budget a day as it is: there is nothing to push."
    cells = f"{len(changes.changes)} {'budgets' if len(changes.changes) > 1 else 'budget'}"
    if checked.may_write:
        return (
            f"All five gates are open and every guardrail holds, but no ad platform was changed: this version has no "
            f"connector with write access. Load the change files of {cells} by hand."
        )
    closed = [gate.name for gate in checked.gates if not gate.open]
    critical = sorted({one.guardrail for one in checked.breaches if one.severity == "critical"})
    because = [
        *([f"closed gates: {', '.join(closed)}"] if closed else []),
        *([f"broken guardrails: {', '.join(critical)}"] if critical else []),
    ]
    return f"No ad platform was changed ({'; '.join(because)}). The change files of {cells} are for a person to load."


def _audit(store: Store, push: Push, at: str, run_id: str) -> None:
    detail: dict[str, str | int | float | bool | None] = {
        "plan_id": push.change_set.plan_id,
        "change_set_id": push.change_set.change_set_id,
        "changes": len(push.change_set.changes),
        "made_before": push.made_before,
        "written": push.written,
        "closed_gates": ", ".join(gate.name for gate in push.preflight.gates if not gate.open),
        "breaches": ", ".join(sorted({one.guardrail for one in push.preflight.breaches})),
    }
    record(store, Event("plan.push_checked", store.tenant_id, at, run_id, detail=detail))
