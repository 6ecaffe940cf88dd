"""Experiments: frozen designs, the states they went through, their results and the nightly log."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import polars as pl

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.experiment import ExperimentPayload, LiftResult, PayloadStatus, StoredResult
from weathervane.contracts.experiment_design import (
    LIVE,
    Cell,
    ExperimentDesign,
    HoldoutRun,
    State,
    Transition,
    check_experiment_id,
    check_transition,
)
from weathervane.contracts.money import Money
from weathervane.store import results
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.event_log import append_line
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json
from weathervane.store.tables import read

_RESULT = ".result.json"
_STATUS: dict[State, PayloadStatus] = {
    "assigned": "pending",
    "running": "running",
    "completed": "completed",
    "stopped": "failed",
    "failed": "failed",
}


@contextmanager
def one_at_a_time(store: Store) -> Generator[None]:
    """Holds the tenant's experiments, waiting for whoever has them, so that looking and then drafting is one step."""
    with locked(store.geo_holdouts / f".{store.tenant_id}.lock"):
        yield


def keep_design(store: Store, design: ExperimentDesign) -> Path:
    """Freezes a design; the same one again changes nothing. Returns its file.

    Raises BadInput for other content under an id that is no longer a draft, or for another tenant's design.
    """
    if design.tenant_id != store.tenant_id:
        raise BadInput(
            f"{design.experiment_id} is {design.tenant_id}'s, not {store.tenant_id}'s.", "open its own store."
        )
    path, text = store.geo_holdout(check_experiment_id(design.experiment_id)), to_json(design)
    with locked(store.geo_holdouts / f".{design.experiment_id}.lock"):
        before = _read(path)
        if before is None or _last_step(store, before).state == "draft":
            write_atomically(path, text.encode())
        elif to_json(before) != text:
            raise BadInput(
                f"{design.experiment_id} is frozen and would be changed.", "give the new design an id of its own."
            )
    return path


def design(store: Store, experiment_id: str) -> ExperimentDesign:
    """The tenant's design of that id; NotFound if there is none."""
    found = _read(store.geo_holdout(check_experiment_id(experiment_id)))
    if found is None or found.tenant_id != store.tenant_id:
        raise NotFound(f"{store.tenant_id!r} has no experiment {experiment_id!r}.", "check its id.")
    return found


def designs(store: Store) -> list[tuple[ExperimentDesign, Transition]]:
    """Every design of the tenant by experiment id, with the step that led to where it stands now."""
    names = sorted(path for path in store.geo_holdouts.glob("*.json") if not path.name.endswith(_RESULT))
    found = [_read(path) for path in names]
    return [(one, _last_step(store, one)) for one in found if one is not None and one.tenant_id == store.tenant_id]


def live_design(store: Store) -> tuple[ExperimentDesign, State] | None:
    """The tenant's assigned or running experiment, the first by id; None if there is none."""
    return next(((one, step.state) for one, step in designs(store) if step.state in LIVE), None)


def state_of(store: Store, experiment_id: str) -> State:
    """Where an experiment stands now; NotFound if there is none."""
    return _last_step(store, design(store, experiment_id)).state


def transitions(store: Store, experiment_id: str) -> list[Transition]:
    """The states an experiment entered after it was frozen, oldest first; a torn last line does not count."""
    path = store.geo_holdout_events(check_experiment_id(experiment_id))
    return [from_json(Transition, line) for line in _lines(path)]


def enter(store: Store, transition: Transition) -> State:
    """Records that an experiment enters a state; one it is in already changes nothing. Returns the state.

    Raises BadInput for a step its lifecycle does not have, NotFound for an unknown experiment.
    """
    name = transition.experiment_id
    with locked(store.geo_holdouts / f".{name}.lock"):
        now = state_of(store, name)
        if now != transition.state:
            check_transition(name, now, transition.state)
            append_line(store.geo_holdout_events(name), asdict(transition))
    return transition.state


def keep_result(store: Store, result: StoredResult) -> Path:
    """Stores what an experiment showed; read again on restated data, the newer result replaces the older.

    Raises NotFound for an unknown experiment.
    """
    name = design(store, result.experiment_id).experiment_id
    path = store.geo_holdout_result(name)
    with locked(store.geo_holdouts / f".{name}.lock"):
        write_atomically(path, to_json(result).encode())
    return path


def result(store: Store, experiment_id: str) -> StoredResult | None:
    """What an experiment showed, one read-out a cell; None if it was not read yet. NotFound if there is none."""
    path = store.geo_holdout_result(design(store, experiment_id).experiment_id)
    try:
        return from_json(StoredResult, path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error
    except (UnicodeDecodeError, StateUnusable, BadInput) as error:
        raise StateUnusable(f"{path} is damaged: it holds no result.", "delete it and read the test again.") from error


def lift_results(store: Store) -> tuple[LiftResult, ...]:
    """The results that a model may learn from, one a cell of each completed experiment; weather taken out where known.

    A test whose spend was not what its plan asked for measured something else and is left out, and so is a trigger
    test: it speaks of some days of its window only.
    """
    found: list[LiftResult] = []
    for one, step in designs(store):
        stored = result(store, one.experiment_id) if step.state == "completed" and one.trigger is None else None
        found += stored.lifts if stored is not None and not stored.not_carried_out else ()
    return tuple(found)


def payloads(store: Store) -> tuple[ExperimentPayload, ...]:
    """The tenant's experiments as its plan lists them, by id and then by cell; drafts and superseded ones are not told.

    NotFound without the tenant, where there is an experiment.
    """
    told: list[tuple[ExperimentDesign, PayloadStatus]] = [
        (one, _STATUS[step.state]) for one, step in designs(store) if step.state in _STATUS
    ]
    if not told:
        return ()
    spend, currency = read(store, "spend"), results.tenant(store).currency
    found: list[ExperimentPayload] = []
    for one, status in told:
        stored = result(store, one.experiment_id) if status == "completed" else None
        undone = stored is not None and bool(stored.not_carried_out)
        for i, cell in enumerate(one.cells):
            treated, control = one.arms_of(cell.name)
            spent = _spent(spend, one, cell)
            found.append(
                ExperimentPayload(
                    experiment_id=one.experiment_id,
                    status="failed" if undone else status,
                    start_date=one.test_window.start,
                    end_date=one.test_window.end,
                    treatment_geos=treated,
                    control_geos=control,
                    treatment_spend=None if spent is None else _sum_of(spent, treated, currency),
                    control_spend=None if spent is None else _sum_of(spent, control, currency),
                    metric_name=one.metric,
                    lift=None if stored is None or undone else stored.lifts[i],
                )
            )
    return tuple(found)


def _spent(spend: pl.DataFrame, design: ExperimentDesign, cell: Cell) -> pl.DataFrame | None:
    """The cell's channel in its geos and the test window; None where there is none."""
    window = pl.col("date").is_between(design.test_window.start, design.test_window.end)
    paid = spend.filter(window & (pl.col("channel") == cell.channel) & pl.col("geo").is_in(list(design.geos)))
    return None if paid.is_empty() else paid


def _sum_of(spent: pl.DataFrame, geos: Sequence[str], currency: str) -> Money:
    return Money.from_major(float(spent.filter(pl.col("geo").is_in(list(geos)))["spend"].sum()), currency)


def forget_experiments(store: Store) -> None:
    """Removes the tenant's designs, states and results, for a demo that starts anew; the nightly log stays."""
    for one, _ in designs(store):
        name = one.experiment_id
        for path in (store.geo_holdout_result(name), store.geo_holdout_events(name), store.geo_holdout(name)):
            path.unlink(missing_ok=True)


def log_run(store: Store, run: HoldoutRun) -> bool:
    """Appends a nightly run's line, unless this run of this tenant has one; whether it was appended."""
    with locked(store.geo_holdout_runs.with_name(f".{store.geo_holdout_runs.name}.once.lock")):
        if any((one.tenant_id, one.run_id) == (run.tenant_id, run.run_id) for one in _runs(store)):
            return False
        append_line(store.geo_holdout_runs, asdict(run))
    return True


def runs(store: Store) -> list[HoldoutRun]:
    """The tenant's nightly runs, oldest first; a torn last line does not count."""
    return [one for one in _runs(store) if one.tenant_id == store.tenant_id]


def _runs(store: Store) -> list[HoldoutRun]:
    return [from_json(HoldoutRun, line) for line in _lines(store.geo_holdout_runs)]


def _last_step(store: Store, one: ExperimentDesign) -> Transition:
    frozen = Transition(one.experiment_id, one.lifecycle, one.generated_at, one.created_by_run_id, "It was frozen.")
    return (transitions(store, one.experiment_id) or [frozen])[-1]


def _read(path: Path) -> ExperimentDesign | None:
    try:
        return from_json(ExperimentDesign, path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error
    except (UnicodeDecodeError, StateUnusable, BadInput) as error:
        raise StateUnusable(f"{path} is damaged: it holds no design.", "restore it from a backup.") from error


def _lines(path: Path) -> list[str]:
    try:
        return [line.decode() for line in path.read_bytes().split(b"\n")[:-1]]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StateUnusable(f"{path} cannot be read.", "restore it from a backup.") from error
