"""Upkeep: what one night does about a tenant's experiments: keep, start, complete, read out, or draft a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from weathervane.contracts.errors import NotEnoughData, WeatherVaneError
from weathervane.contracts.event import Level
from weathervane.contracts.experiment_design import LIVE, ExperimentDesign, HoldoutRun, RunEvent, State
from weathervane.contracts.period import Period

Todo = Literal["keep", "read_out", "draft", "nothing"]
PATIENCE_DAYS = 14  # after its end in which a test that cannot be read is tried again each night


@dataclass(frozen=True)
class Standing:
    """An experiment and where it stands: its state now, the run that put it there and when, whether it was read."""

    design: ExperimentDesign
    state: State
    by_run_id: str
    has_result: bool = False
    since: date | None = None


@dataclass(frozen=True)
class Move:
    """A state that an experiment enters tonight, and why."""

    experiment_id: str
    state: State
    reason: str


@dataclass(frozen=True)
class Decision:
    """What tonight does: states to enter first, then `todo`; `event` is how the night is logged if that succeeds.

    `experiment_id` is the experiment kept or read out; None for a draft or nothing. `reason` says what is missing
    where nothing is done. `last_try` says that a test which cannot be read tonight has failed.
    """

    todo: Todo
    event: RunEvent
    moves: tuple[Move, ...]
    experiment_id: str | None
    reason: str
    last_try: bool = False


def decide(
    standings: Sequence[Standing], *, run_id: str, today: date, data_until: date | None, wanted: bool
) -> Decision:
    """What to do tonight, given where each experiment stands and the last day of data (None: no data).

    A live experiment is never drawn again, and neither is a draft whose window is still ahead: it waits for a person;
    one whose window has begun is superseded. One that this very run drafted is logged again as it was, so that a run
    repeated after a kill says the same. `wanted` is whether the tenant asked for experiments at all.
    """
    live = sorted((one for one in standings if one.state in LIVE), key=lambda one: one.design.experiment_id)
    if live:
        return _keep(live[0], run_id, today, data_until)
    unread = sorted(
        (one for one in standings if one.state == "completed" and not one.has_result),
        key=lambda one: one.design.experiment_id,
    )
    if unread:
        name = unread[0].design.experiment_id
        event: RunEvent = "holdout_completed" if unread[0].by_run_id == run_id else "holdout_estimated"
        tried = today - unread[0].since if unread[0].since is not None else timedelta(0)
        return Decision("read_out", event, (), name, f"{name} has ended.", last_try=tried.days >= PATIENCE_DAYS)
    done = [one for one in standings if one.by_run_id == run_id and one.state == "completed"]
    if done:
        return Decision("nothing", "holdout_completed", (), done[0].design.experiment_id, "This run has completed it.")
    if not wanted:
        return Decision("nothing", "holdout_skipped", (), None, "No experiment is asked for.")
    if data_until is None:
        return Decision("nothing", "holdout_skipped", (), None, "There are no orders yet (no_orders).")
    drafts = sorted((one.design for one in standings if one.state == "draft"), key=lambda one: one.experiment_id)
    waiting = [one for one in drafts if one.test_window.start > today]
    late = tuple(
        Move(one.experiment_id, "superseded", f"Nobody approved it before {one.test_window.start}.")
        for one in drafts
        if one not in waiting
    )
    if waiting:
        name = waiting[-1].experiment_id
        return Decision("keep", "holdout_skipped", late, name, proposal(name))
    return Decision("draft", "holdout_assigned", late, None, "No experiment is live.")


def proposal(experiment_id: str) -> str:
    """What a night says of a test that waits for a person."""
    return f"{experiment_id} is proposed; it starts only after `weathervane experiment approve {experiment_id}`."


def log_line(
    decision: Decision,
    *,
    tenant_id: str,
    run_id: str,
    at: str,
    duration_ms: int,
    input_rows: int,
    design: ExperimentDesign | None = None,
    assignment_path: str | None = None,
    error: WeatherVaneError | None = None,
) -> HoldoutRun:
    """The night's one line: what was decided, or what kept it from being done. `design` is the one it speaks of."""
    event: RunEvent = decision.event
    level: Level = "info"
    reason = decision.reason
    if design is not None and decision.todo == "draft" and design.lifecycle == "draft":
        event, reason = "holdout_skipped", proposal(design.experiment_id)
    if isinstance(error, NotEnoughData):
        event, level = "holdout_insufficient_geo", "warning"
    elif error is not None:
        event, level = "holdout_error", "error"
    return HoldoutRun(
        tenant_id=tenant_id,
        timestamp=at,
        event=event,
        run_id=run_id,
        level=level,
        duration_ms=duration_ms,
        input_rows=input_rows,
        experiment_id=design.experiment_id if design else decision.experiment_id,
        geo_count=design.geo_count if design else None,
        holdout_count=design.holdout_count if design else None,
        control_share=design.control_share if design else None,
        assignment_path=assignment_path,
        seed=design.seed if design else None,
        reason=f"{error.problem} {error.remedy}" if error else reason,
        error=error.problem if event == "holdout_error" and error else None,
    )


def experiment_id(tenant_id: str, at: datetime) -> str:
    """The id of an experiment drafted at this UTC instant: `acme_20260601_060000`."""
    return f"{tenant_id}_{at:%Y%m%d_%H%M%S}"


def last_day(design: ExperimentDesign) -> date:
    """The last day an experiment needs data of: the end of its cool-down."""
    return design.test_window.end + timedelta(days=design.cooldown_days)


def next_windows(data_until: date, first: date, *, today: date, n_weeks: int = 4) -> tuple[Period, Period]:
    """A pre-period of the history (a year of it where there is one) and a test window of whole weeks.

    The test starts on a Monday at least a week ahead, so that there is time to set it up.
    """
    soonest = max(today, data_until + timedelta(days=1)) + timedelta(days=7)
    start = soonest + timedelta(days=-soonest.weekday() % 7)
    pre = Period(max(first, data_until - timedelta(days=364)), data_until)
    return pre, Period(start, start + timedelta(days=7 * n_weeks - 1))


def _keep(live: Standing, run_id: str, today: date, data_until: date | None) -> Decision:
    design, name = live.design, live.design.experiment_id
    moves: list[Move] = []
    state = live.state
    if state == "assigned" and today >= design.test_window.start:
        moves.append(Move(name, "running", f"Its window began on {design.test_window.start}."))
        state = "running"
    if state == "running" and data_until is not None and data_until >= last_day(design):
        moves.append(Move(name, "completed", f"There are data up to {data_until}."))
        return Decision("read_out", "holdout_completed", tuple(moves), name, f"{name} has ended.")
    if design.created_by_run_id == run_id and not moves:
        return Decision("keep", "holdout_assigned", (), name, "Drawn by this run.")
    needs = f"{name} is {state}; it is read when there are data up to {last_day(design)}."
    return Decision("keep", "holdout_kept", tuple(moves), name, needs)
