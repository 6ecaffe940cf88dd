"""Run a demo's geo tests: one that is over and one that runs, drawn by our own design and really carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from weathervane.connectors.synthetic.media import SpendCut
from weathervane.connectors.synthetic.world import World
from weathervane.contracts.errors import NotEnoughData, PlanImpossible, WeatherVaneError
from weathervane.contracts.experiment import StoredResult
from weathervane.contracts.experiment_design import ExperimentDesign, State, Transition
from weathervane.contracts.period import Period
from weathervane.experiments.upkeep import last_day
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.design_experiment import Wish, design_experiment
from weathervane.workflows.read_experiment import read_experiment

_WEEKS = 4
_SETTING_UP = timedelta(days=7)
_FINISHED = timedelta(days=76)  # the first day of the test that is over, before the last day of data
_RUNNING = timedelta(days=13)  # two weeks into the test that runs
_MORNING = timedelta(hours=6)


@dataclass(frozen=True)
class DemoTests:
    """The world with both tests in it, their designs and the finished one's result, or why there is none."""

    world: World
    finished: ExperimentDesign | None
    running: ExperimentDesign | None
    result: StoredResult | None
    why_not: str


def run_demo_tests(
    store: Store,
    make: Callable[[Sequence[SpendCut]], World],
    keep: Callable[[World, date, date], None],
    *,
    last: date,
    seed: int,
    run_id: str,
) -> DemoTests:
    """Draws each test from the days before it alone, cuts the spend it says from there on, and reads what is over.

    `make` gives the world with those cuts; `keep` stores its days from one date to before another. Where the data
    cannot carry a test the world is as it would be without, and the reason is told.
    """
    cuts: list[SpendCut] = []
    drawn: list[ExperimentDesign] = []
    stored, why_not = date.min, ""
    world = make(cuts)
    for back in (_FINISHED, _RUNNING):
        start = last - back
        keep(world, stored, start)
        stored, now = start, _morning(start - _SETTING_UP)
        window = Period(start, start + timedelta(days=7 * _WEEKS - 1))
        wish = Wish(window=window)
        try:
            design, _ = design_experiment(
                store, wish, now=now, run_id=run_id, seed=seed, lifecycle="assigned", as_of=now
            )
        except (NotEnoughData, PlanImpossible) as error:
            why_not = f"{error.problem} {error.remedy[0].upper()}{error.remedy[1:]}"
            break
        _enter(store, design, "running", start, run_id)
        if not drawn:
            _enter(store, design, "completed", last_day(design) + timedelta(days=1), run_id)
        drawn.append(design)
        cuts.append(SpendCut(design.channel, design.treated_geos, window.start, window.end))
        world = make(cuts)
    keep(world, stored, date.max)
    return DemoTests(world, *_two(drawn), _read(store, drawn, last, run_id), why_not)


def _read(store: Store, drawn: Sequence[ExperimentDesign], last: date, run_id: str) -> StoredResult | None:
    if not drawn:
        return None
    try:
        return read_experiment(store, drawn[0].experiment_id, now=_morning(last + timedelta(days=1)), run_id=run_id)
    except WeatherVaneError:
        return None


def _two(drawn: Sequence[ExperimentDesign]) -> tuple[ExperimentDesign | None, ExperimentDesign | None]:
    return (drawn[0] if drawn else None), (drawn[1] if len(drawn) > 1 else None)


def _enter(store: Store, design: ExperimentDesign, state: State, day: date, run_id: str) -> None:
    at = _morning(day).strftime("%Y-%m-%dT%H:%M:%SZ")
    experiments.enter(store, Transition(design.experiment_id, state, at, run_id))


def _morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + _MORNING
