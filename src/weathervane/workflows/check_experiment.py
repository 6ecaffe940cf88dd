"""Check an experiment: where each of a tenant's tests stands, and what is wrong while one runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from weathervane.contracts.experiment import StoredResult
from weathervane.contracts.experiment_design import ExperimentDesign, State
from weathervane.contracts.period import Period
from weathervane.experiments.tables import GeoTables
from weathervane.experiments.trigger import treated_days
from weathervane.experiments.watch import alarms
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.read_geo_tables import read_geo_tables, read_trigger, trigger_of

Answers = tuple[tuple[date, tuple[str, ...]], ...]


@dataclass(frozen=True)
class ExperimentStatus:
    """A test, its state, its result if it was read, and a sentence for whatever leaves its arms unequal.

    `answers` tells of a running trigger test where its ads answer on the last day of data and on those forecast.
    """

    design: ExperimentDesign
    state: State
    result: StoredResult | None
    alarms: tuple[str, ...] = ()
    answers: Answers = ()


def check_experiment(store: Store) -> tuple[ExperimentStatus, ...]:
    """Every experiment of the tenant by id; alarms and answers only of those that run."""
    found = experiments.designs(store)
    running = any(step.state == "running" for _, step in found)
    tables = read_geo_tables(store) if running else None
    told: list[ExperimentStatus] = []
    for one, step in found:
        result = experiments.result(store, one.experiment_id)
        if tables is None or step.state != "running":
            told.append(ExperimentStatus(one, step.state, result))
        else:
            wrong = alarms(one, tables, trigger_of(store, one, tables))
            told.append(ExperimentStatus(one, step.state, result, wrong, _answers(store, one, tables)))
    return tuple(told)


def _answers(store: Store, design: ExperimentDesign, tables: GeoTables) -> Answers:
    plan, last = design.trigger, tables.outcome.days[-1]
    if plan is None:
        return ()
    until = min(last + timedelta(days=plan.rule.lead_days), design.test_window.end)
    if until < design.test_window.start:
        return ()
    days = tuple(Period(design.pre_period.start, until).days())
    fires = read_trigger(store, plan.rule, design.pre_period, design.geos, days)
    tested = [i for i, day in enumerate(days) if day >= design.test_window.start]
    shown = [days[i] for i in tested]
    on = treated_days(design.geos, shown, fires[:, tested], design.seed or 0, plan.washout_days)
    return tuple(
        (day, tuple(geo for geo, answers in zip(design.geos, column, strict=True) if answers))
        for day, column in zip(shown, on.T, strict=True)
        if day >= last
    )
