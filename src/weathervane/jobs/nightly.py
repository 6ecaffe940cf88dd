"""The nightly job: refresh, tests, quality, train when due, forecast, score, plan, for every tenant; safe to repeat.

Every step looks at what is stored and does only what is missing or behind, so a second run changes nothing and a run
after a kill does the rest (operate.md, "Nightly").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from weathervane.connectors.files.mapping import read_mapping
from weathervane.connectors.machine import memory_bytes
from weathervane.contracts.errors import NotEnoughData, NotFound, WeatherVaneError
from weathervane.contracts.event import Event, Level
from weathervane.store import model_registry, results
from weathervane.store.atomic import locked
from weathervane.store.coverage import coverage
from weathervane.store.event_log import record, write_context
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import read
from weathervane.workflows.calibrate_forecast import calibrate_forecast
from weathervane.workflows.check_due import Result, check_due
from weathervane.workflows.check_readiness import check_readiness
from weathervane.workflows.design_experiment import Wish
from weathervane.workflows.forecast_demand import forecast_demand
from weathervane.workflows.keep_experiments import keep_experiments
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.refresh_data import refresh_data
from weathervane.workflows.train_model import train_model

StepName = Literal["refresh", "experiments", "quality", "train", "forecast", "calibrate", "plan"]
Detail = dict[str, str | int | float | bool | None]

_SEED = 1
_MORNING = timedelta(hours=6)
_MEND_TEST = "look at it with `weathervane experiment status`, then read it by hand."


@dataclass(frozen=True)
class Step:
    """One step of one tenant's night: what came of it, and the exit code it stands for."""

    tenant_id: str
    name: StepName
    level: Level
    detail: Detail
    exit_code: int = 0


@dataclass(frozen=True)
class _Night:
    store: Store
    at: datetime  # what is known: now, or for a demo the morning after its own last day
    run_id: str
    mapping: Path | None


def now_utc() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  a door may read the clock


def run_nightly(
    state: Path,
    database_url: str | None,
    *,
    tenant_id: str | None = None,
    mapping: Path | None = None,
    clock: Callable[[], datetime] = now_utc,
    on_step: Callable[[Step], None] = lambda _: None,
) -> tuple[Step, ...]:
    """The night of one tenant, or of all; `mapping` is imported again for the tenant it names.

    A tenant that fails is recorded, with what to do, and does not stop the others. One job runs at a time: a second
    one waits. Raises NotFound where there is no such tenant, BadInput for a mapping that cannot be read.
    """
    mapped = read_mapping(mapping).tenant.id if mapping is not None else None
    names = _tenants(state, database_url, tenant_id, mapped)
    done: list[Step] = []
    with locked(state.expanduser().absolute() / ".nightly.lock"):
        now = clock().replace(microsecond=0)
        stores = [open_store(state, name, database_url) for name in names]
        for store in stores:
            done += _night(store, now, mapping if store.tenant_id == mapped else None, clock, on_step)
        write_context(stores[0], _instant(clock()))
    return tuple(done)


def _tenants(state: Path, database_url: str | None, tenant_id: str | None, mapped: str | None) -> Sequence[str]:
    known = {one.tenant_id for one in results.tenants(state, database_url)} | ({mapped} if mapped else set())
    if tenant_id is not None and tenant_id not in known:
        raise NotFound(f"There is no tenant {tenant_id!r}.", "run `weathervane status`, or `weathervane import` first.")
    if not known:
        raise NotFound(f"There is no data in {state} yet.", "run `weathervane import MAPPING.yaml` first.")
    return sorted(known) if tenant_id is None else [tenant_id]


def _night(
    store: Store, now: datetime, mapping: Path | None, clock: Callable[[], datetime], on_step: Callable[[Step], None]
) -> list[Step]:
    """The steps in order, each recorded as it ends; the first failure ends the tenant's night."""
    run_id = f"nightly-{now:%Y%m%dT%H%M%S}"
    done: list[Step] = []
    for name, function in _STEPS.items():
        step = _take(name, function, _Night(store, _known_at(store, now), run_id, mapping))
        record(store, Event(f"nightly.{name}", store.tenant_id, _instant(clock()), run_id, step.level, step.detail))
        on_step(step)
        done.append(step)
        if step.exit_code:
            break
    return done


def _take(name: StepName, function: Callable[[_Night], tuple[Level, Detail]], night: _Night) -> Step:
    started = time.monotonic()
    level, detail, code = "error", Detail(), 0
    try:
        level, detail = function(night)
    except WeatherVaneError as error:
        detail, code = Detail(problem=error.problem, remedy=error.remedy), error.exit_code
    except Exception as error:  # noqa: BLE001  the door: whatever one tenant meets, the others get their night
        detail, code = _defect(error), 1
    detail["seconds"] = round(time.monotonic() - started, 1)
    return Step(night.store.tenant_id, name, level, detail, code)


def _known_at(store: Store, now: datetime) -> datetime:
    """Now; for a demo tenant, whose data ends on a day of its own, the morning after that day."""
    known = results.find_tenant(store)
    sold = coverage("sales", read(store, "sales")).span if known is not None and known.demo else None
    if sold is None:
        return now
    return datetime.combine(sold.end + timedelta(days=1), datetime.min.time(), UTC) + _MORNING


def _refresh(night: _Night) -> tuple[Level, Detail]:
    reports = refresh_data(night.store, now=night.at, mapping=night.mapping)
    changed: Detail = {report.table: report.added + report.restated for report in reports}
    return "info", {"did": "done" if any(changed.values()) else "nothing new", **changed}


def _experiments(night: _Night) -> tuple[Level, Detail]:
    """What goes wrong with a test is said, and does not keep the tenant from its plan."""
    tenant = results.find_tenant(night.store)
    allowed = tenant.geo_tests if tenant is not None else "off"
    wish = None if allowed == "off" else Wish()
    line = keep_experiments(night.store, now=night.at, run_id=night.run_id, wish=wish, start=allowed == "start")
    detail: Detail = {"did": line.event.removeprefix("holdout_").replace("_", " "), "experiment_id": line.experiment_id}
    if line.level == "info":
        return "info", {**detail, "why": line.reason}
    remedy = "bring more places, or a longer history." if line.level == "warning" else _MEND_TEST
    return line.level, {**detail, "problem": line.reason, "remedy": remedy}


def _quality(night: _Night) -> tuple[Level, Detail]:
    readiness = check_readiness(night.store, night.at.date(), night.at)
    if not readiness.ready:
        raise NotEnoughData(readiness.sentence, readiness.remedies[0])
    unmet = [one for one in readiness.requirements if not one.met]
    if not unmet:
        return "info", {"did": "done", "why": readiness.sentence}
    problem = " ".join(f"{one.purpose.capitalize()}: {one.sentence}" for one in unmet)
    return "warning", {"did": "done", "problem": problem, "remedy": " ".join(_capital(one.remedy) for one in unmet)}


def _train(night: _Night) -> tuple[Level, Detail]:
    def work() -> Detail:
        fit = train_model(night.store, as_of=night.at, seed=_SEED, run_id=night.run_id, memory_bytes=memory_bytes())
        entry = model_registry.entry(night.store, fit.model_id)
        return {
            "model_id": fit.model_id,
            "status": entry.status,
            "reason": entry.reason,
            "media_signal": fit.media_signal.told_from_zero,
        }

    return _when_due(night, "train", work)


def _forecast(night: _Night) -> tuple[Level, Detail]:
    def work() -> Detail:
        made, _ = forecast_demand(night.store, as_of=night.at, run_id=night.run_id)
        return {"forecast_id": made.forecast_id}

    return _when_due(night, "forecast", work)


def _calibrate(night: _Night) -> tuple[Level, Detail]:
    def work() -> Detail:
        made = calibrate_forecast(night.store, as_of=night.at, run_id=night.run_id)
        return {"calibration": made.run_id, "status": made.status, "sentence": made.sentence}

    return _when_due(night, "calibrate", work)


def _plan(night: _Night) -> tuple[Level, Detail]:
    def work() -> Detail:
        made = make_plan(night.store, now=night.at, run_id=night.run_id)
        return {"plan_id": made.plan_id, "verdict": made.verdict, "sentence": made.sentence}

    return _when_due(night, "plan", work)


def _when_due(night: _Night, result: Result, work: Callable[[], Detail]) -> tuple[Level, Detail]:
    why = check_due(night.store, result, night.at)
    return "info", {"did": "done", "why": why, **work()} if why else {"did": "not due"}


def _defect(error: Exception) -> Detail:
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else "?"
    return {
        "problem": f"This is a defect in WeatherVane: {words} ({where}).",
        "remedy": "run the step by hand (`weathervane train`, `forecast` or `plan`) and report the crash log it names.",
    }


_STEPS: dict[StepName, Callable[[_Night], tuple[Level, Detail]]] = {
    "refresh": _refresh,
    "experiments": _experiments,
    "quality": _quality,
    "train": _train,
    "forecast": _forecast,
    "calibrate": _calibrate,
    "plan": _plan,
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
