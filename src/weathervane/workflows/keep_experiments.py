"""Keep experiments: what one night does about a tenant's tests: keep, start, complete, read out, or draft a new one."""

from __future__ import annotations

import time
from datetime import datetime

from weathervane.contracts.errors import WeatherVaneError
from weathervane.contracts.experiment_design import ExperimentDesign, HoldoutRun, State, Transition
from weathervane.experiments.upkeep import PATIENCE_DAYS, Decision, Standing, decide, log_line
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.store.tables import read
from weathervane.workflows.design_experiment import Wish, design_experiment
from weathervane.workflows.read_experiment import read_experiment


def keep_experiments(store: Store, *, now: datetime, run_id: str, wish: Wish | None, start: bool = False) -> HoldoutRun:
    """The night's one line, appended to the log unless this run has written it; `wish` None asks for no new test.

    A new test is only proposed, unless the tenant lets a night `start` one: a proposal waits for approve_experiment.
    A test that cannot be read within two weeks of its end has failed, with the reason.

    A live assignment is never drawn again. What goes wrong is the line's `error` or `reason` and is not raised. Safe to
    kill anywhere and to repeat: each write is whole, and the next run does what is missing.
    """
    started = time.monotonic()
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    with experiments.one_at_a_time(store):
        sales = read(store, "sales")
        until = max(sales["date"].to_list(), default=None)
        standings = [
            Standing(
                one,
                step.state,
                step.run_id,
                experiments.result(store, one.experiment_id) is not None,
                datetime.fromisoformat(step.at).date(),
            )
            for one, step in experiments.designs(store)
        ]
        decision = decide(standings, run_id=run_id, today=now.date(), data_until=until, wanted=wish is not None)
        error: WeatherVaneError | None = None
        made: ExperimentDesign | None = None
        try:
            made = _do(store, decision, wish, now, at, run_id, "assigned" if start else "draft")
        except WeatherVaneError as caught:
            error = caught
            if decision.last_try and decision.experiment_id is not None:
                why = f"It could not be read in {PATIENCE_DAYS} days: {caught.problem}"
                experiments.enter(store, Transition(decision.experiment_id, "failed", at, run_id, why))
        line = log_line(
            decision,
            tenant_id=store.tenant_id,
            run_id=run_id,
            at=at,
            duration_ms=round(1000 * (time.monotonic() - started)),
            input_rows=sales.height,
            design=made,
            assignment_path=None
            if made is None
            else str(store.geo_holdout(made.experiment_id).relative_to(store.root)),
            error=error,
        )
        experiments.log_run(store, line)
    return line


def _do(
    store: Store, decision: Decision, wish: Wish | None, now: datetime, at: str, run_id: str, lifecycle: State
) -> ExperimentDesign | None:
    """Carries the decision out; the design that the night's line speaks of."""
    for move in decision.moves:
        experiments.enter(store, Transition(move.experiment_id, move.state, at, run_id, move.reason))
    if decision.todo == "draft" and wish is not None:
        seed = int(now.timestamp())
        return design_experiment(store, wish, now=now, run_id=run_id, seed=seed, lifecycle=lifecycle)[0]
    if decision.experiment_id is None:
        return None
    if decision.todo == "read_out":
        read_experiment(store, decision.experiment_id, now=now, run_id=run_id)
    return experiments.design(store, decision.experiment_id)
