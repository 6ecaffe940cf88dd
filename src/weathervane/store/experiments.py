"""Experiments: frozen designs, the states they went through, and the nightly log; nothing is rewritten."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.experiment_design import (
    LIVE,
    ExperimentDesign,
    HoldoutRun,
    State,
    Transition,
    check_experiment_id,
    check_transition,
)
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.event_log import append_line
from weathervane.store.paths import Store
from weathervane.store.results import from_json, to_json


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
    found = [_read(path) for path in sorted(store.geo_holdouts.glob("*.json"))]
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
