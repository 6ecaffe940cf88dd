"""Run a demo: a generated world goes the way any tenant's data goes, and its truth is kept beside the estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import expm1
from pathlib import Path

import polars as pl

from weathervane.connectors.synthetic.media import SpendCut
from weathervane.connectors.synthetic.specs import world_spec
from weathervane.connectors.synthetic.truth import Truth
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.calibration import CalibrationRun
from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import DemandForecast, ForecastQuality
from weathervane.contracts.plan import BudgetPlan
from weathervane.contracts.readiness import Readiness
from weathervane.experiments.upkeep import last_day
from weathervane.exports.experiment_picture import experiment_picture
from weathervane.exports.experiment_report import test_section
from weathervane.exports.report import RecoveryRow, recovery_table
from weathervane.store import experiments, results
from weathervane.store.calibration import forget_calibration
from weathervane.store.paths import Store
from weathervane.store.tables import forget, upsert
from weathervane.workflows.calibrate_forecast import calibrate_forecast
from weathervane.workflows.check_readiness import check_readiness
from weathervane.workflows.export_plan import export_plan
from weathervane.workflows.forecast_demand import forecast_demand
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.run_demo_tests import DemoTests, run_demo_tests
from weathervane.workflows.set_up_tenant import set_up_tenant
from weathervane.workflows.train_model import train_model

# The demo lives on a day of its own, so that the same seed gives the same bytes whenever it is run.
LAST_DAY = date(2026, 5, 31)
MORNING_AFTER = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
_BY_DAY = ("sales", "spend")  # what a test changes: stored as far as each test's plan may look


@dataclass(frozen=True)
class DemoOptions:
    """What a demo is made of. `n_days` None takes the world's own length, `n_geos` None all its places."""

    world: str = "sensitive"
    seed: int = 7
    n_days: int | None = 730
    n_geos: int | None = None

    @property
    def run_id(self) -> str:
        """Names the run's folder: the same options, the same folder."""
        parts = (self.world, f"s{self.seed}", f"{self.n_days}d" if self.n_days else "", f"{self.n_geos or ''}")
        return "-".join(part.strip("-") for part in parts if part)


@dataclass(frozen=True)
class Demo:
    """What a demo leaves: its results, where they are, and how estimates compare with the truth."""

    readiness: Readiness
    fit: FitReport
    forecast: DemandForecast
    quality: ForecastQuality
    calibration: CalibrationRun
    plan: BudgetPlan
    recovery: tuple[RecoveryRow, ...]
    folder: Path
    files: dict[str, str]
    tests: DemoTests


def run_demo(
    store: Store,
    options: DemoOptions,
    *,
    kind: str,
    command: str,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    on_ready: Callable[[Readiness], None] = lambda _: None,
) -> Demo:
    """Generates the world, stores it, trains, forecasts, scores, plans and exports; replaces the tenant's earlier demo.

    `on_ready` hears what data there is before anything is fitted. Raises BadInput for an unknown world or a tenant that
    holds real data, and what training and planning raise.
    """
    progress("generating a world")
    run_id = f"demo-{kind}-{options.run_id}"

    def make(cuts: Sequence[SpendCut]) -> World:
        return make_world(
            options.world, seed=options.seed, n_days=options.n_days, end=LAST_DAY, tenant_id=store.tenant_id,
            n_geos=options.n_geos, cuts=cuts,
        )  # fmt: skip

    def keep(world: World, first: date, until: date) -> None:
        _store_world(store, world, first, until, progress)

    world_spec(options.world)  # an unknown world is refused before anything is forgotten
    results.forget_demo(store)
    experiments.forget_experiments(store)
    forget_calibration(store)
    tests = run_demo_tests(store, make, keep, last=LAST_DAY, seed=options.seed, run_id=run_id)
    world = tests.world
    readiness = check_readiness(store, LAST_DAY, MORNING_AFTER)
    on_ready(readiness)
    # A generated world may be short on purpose: what it lacks was just said.
    fit = train_model(store, as_of=MORNING_AFTER, seed=options.seed, run_id=run_id, anyway=True, progress=progress)
    forecast, quality = forecast_demand(store, as_of=MORNING_AFTER, run_id=run_id, progress=progress)
    calibration = calibrate_forecast(store, as_of=MORNING_AFTER, run_id=run_id, progress=progress)
    progress("planning")
    plan = make_plan(store, now=MORNING_AFTER, run_id=run_id)
    recovery = compare_with_truth(fit, world.truth) + _test_beside_truth(tests)
    folder = folder or store.demo_run(f"{kind}-{options.run_id}")
    progress("drawing and writing")
    run: dict[str, str | int] = {"kind": kind, "world": options.world, "seed": options.seed}
    run |= {"days": options.n_days or 0, "tenant": store.tenant_id}
    appendix = "## Estimates beside the truth\n\nThis world is generated, so its true effects are known.\n\n"
    appendix = test_section(tests.finished, tests.running, tests.result, tests.why_not) + "\n\n" + appendix
    more = {"calibration.json": results.to_json(calibration).encode()}
    if tests.result is not None:
        more["geo-test.png"] = experiment_picture(tests.result.read_outs[0], demo=True)
    files = export_plan(plan, folder, command=command, run=run, appendix=appendix + recovery_table(recovery), more=more)
    return Demo(readiness, fit, forecast, quality, calibration, plan, recovery, folder, files, tests)


def compare_with_truth(fit: FitReport, truth: Truth) -> tuple[RecoveryRow, ...]:
    """Every channel's ROI and every weather effect with its 90 % interval, beside what the world was made with."""
    roi = {each.channel: each.roi for each in truth.channels}
    rows = [
        RecoveryRow("Return per unit of spend", each.channel, "per 1 spent", roi.get(each.channel, 0.0), each.roi_p05,
                    each.roi.p50, each.roi_p95)
        for each in fit.channels
    ]  # fmt: skip
    effects = truth.weather_on_sales()
    for each in fit.weather.effects:
        true = expm1(effects.get((each.category, each.index), 0.0))
        name, unit = f"{each.category}, {each.index}", "relative"
        rows.append(RecoveryRow("Weather effect on sales", name, unit, true, each.rel_p05, each.rel_p50, each.rel_p95))
    return tuple(rows)


def _test_beside_truth(tests: DemoTests) -> tuple[RecoveryRow, ...]:
    """The finished test's lift beside the one that the cut really had."""
    if tests.result is None or tests.finished is None:
        return ()
    lift = tests.result.lifts[0]
    if lift.lift_rel_low is None or lift.lift_rel_high is None:
        return ()
    true = tests.world.truth.lift(lift.channel, lift.treated_geos, lift.window.start, last_day(tests.finished))[1]
    interval = (lift.lift_rel_low, lift.lift_rel, lift.lift_rel_high)
    return (RecoveryRow("Geo test", lift.channel, "relative", true, *interval),)


def _store_world(store: Store, world: World, first: date, until: date, progress: Callable[[str], None]) -> None:
    """Stores sales and spend from `first` to before `until`; with the first days, what was there and all the rest."""
    progress("storing it")
    begins = first == date.min
    if begins:
        forget(store)
        set_up_tenant(store, world.tenant)
    step_days = 7 if world.truth.step_days == 7 else 1
    for table, frame in world.tables.items():
        if table in _BY_DAY:
            frame = frame.filter((pl.col("date") >= first) & (pl.col("date") < until))
        elif not begins:
            continue
        upsert(store, table, frame, MORNING_AFTER, f"generated world {world.truth.world!r}", step_days)
