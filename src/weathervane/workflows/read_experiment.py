"""Read an experiment: its frozen design and the tenant's data since become a stored result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from weathervane.contracts.event import Event
from weathervane.contracts.experiment import StoredResult
from weathervane.experiments.analysis import read_design
from weathervane.experiments.watch import not_carried_out
from weathervane.store import experiments, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.workflows.read_geo_tables import outcome_then, read_geo_tables, trigger_of


def read_experiment(
    store: Store,
    experiment_id: str,
    *,
    now: datetime,
    run_id: str,
    as_of: datetime | None = None,
    without: Sequence[str] = (),
) -> StoredResult:
    """The result of a test that is over, stored beside its design, with every departure from the plan.

    `without` are places that a person leaves out, such as one whose days are lost.

    Raises NotFound without such an experiment, NotEnoughData before its cool-down ends, BadInput where the data cannot
    carry a number.
    """
    design = experiments.design(store, experiment_id)
    tenant = results.tenant(store)
    unit = tenant.currency if tenant.outcome_is_money else "units"
    tables = read_geo_tables(store, as_of=as_of)
    trigger = trigger_of(store, design, tables, as_of=as_of)
    then = outcome_then(store, datetime.fromisoformat(design.generated_at))
    read_outs, departures = read_design(design, tables, unit, trigger, then=then, without=without)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    missed = not_carried_out(design, tables, trigger)
    found = StoredResult(experiment_id, at, run_id, (*departures, *missed), read_outs, not_carried_out=missed)
    experiments.keep_result(store, found)
    lift = found.lifts[0]
    detail = {"experiment_id": experiment_id, "lift_rel": lift.lift_rel, "p_value": lift.p_value}
    record(store, Event("experiment.read", store.tenant_id, at, run_id, detail=detail))
    return found
