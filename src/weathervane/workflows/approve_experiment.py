"""Approve an experiment: a person lets a proposed test start, or stops one."""

from __future__ import annotations

from datetime import datetime

from weathervane.contracts.errors import BadInput
from weathervane.contracts.event import Event
from weathervane.contracts.experiment_design import State, Transition
from weathervane.store import experiments
from weathervane.store.event_log import record
from weathervane.store.paths import Store


def approve_experiment(store: Store, experiment_id: str, *, now: datetime, run_id: str) -> State:
    """A draft becomes assigned: it is frozen, and starts on its first day. Returns the state.

    Raises BadInput where its window has begun, another test is live, or it is no draft; NotFound without it.
    """
    with experiments.one_at_a_time(store):
        design = experiments.design(store, experiment_id)
        state = experiments.state_of(store, experiment_id)
        if state == "draft" and design.test_window.start <= now.date():
            raise BadInput(
                f"{experiment_id} was to start on {design.test_window.start}.", "design it again for a later start."
            )
        live = experiments.live_design(store)
        if live is not None and live[0].experiment_id != experiment_id:
            raise BadInput(f"{live[0].experiment_id} is {live[1]}.", "approve this one when that has ended.")
        return _enter(store, experiment_id, "assigned", "A person approved it.", now, run_id)


def stop_experiment(store: Store, experiment_id: str, reason: str, *, now: datetime, run_id: str) -> State:
    """A draft is dropped (superseded), a live test stops and is never read. Returns the state.

    Raises BadInput for a test that has ended, NotFound without it.
    """
    with experiments.one_at_a_time(store):
        dropped = experiments.state_of(store, experiment_id) == "draft"
        return _enter(store, experiment_id, "superseded" if dropped else "stopped", reason, now, run_id)


def _enter(store: Store, experiment_id: str, state: State, reason: str, now: datetime, run_id: str) -> State:
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    entered = experiments.enter(store, Transition(experiment_id, state, at, run_id, reason))
    detail = {"experiment_id": experiment_id, "state": state, "reason": reason}
    record(store, Event("experiment.decided", store.tenant_id, at, run_id, detail=detail))
    return entered
