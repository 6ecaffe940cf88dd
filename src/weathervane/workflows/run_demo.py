"""Run a demo: a generated world goes the way any tenant's data goes, and its truth is kept beside the estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import expm1
from pathlib import Path

from weathervane.connectors.synthetic.truth import Truth
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import DemandForecast, ForecastQuality
from weathervane.contracts.plan import BudgetPlan
from weathervane.contracts.readiness import Readiness
from weathervane.exports.report import RecoveryRow, recovery_table
from weathervane.store import results
from weathervane.store.paths import Store
from weathervane.store.tables import forget, upsert
from weathervane.workflows.check_readiness import check_readiness
from weathervane.workflows.export_plan import export_plan
from weathervane.workflows.forecast_demand import forecast_demand
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.set_up_tenant import set_up_tenant
from weathervane.workflows.train_model import train_model

# The demo lives on a day of its own, so that the same seed gives the same bytes whenever it is run.
LAST_DAY = date(2026, 5, 31)
MORNING_AFTER = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)


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
    plan: BudgetPlan
    recovery: tuple[RecoveryRow, ...]
    folder: Path
    files: dict[str, str]


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
    """Generates the world, stores it, trains, forecasts, plans and exports; replaces the tenant's earlier demo.

    `on_ready` hears what data there is before anything is fitted. Raises BadInput for an unknown world or a tenant that
    holds real data, and what training and planning raise.
    """
    progress("generating a world")
    world = make_world(
        options.world, seed=options.seed, n_days=options.n_days, end=LAST_DAY, tenant_id=store.tenant_id,
        n_geos=options.n_geos,
    )  # fmt: skip
    _store_world(store, world, progress)
    readiness = check_readiness(store, LAST_DAY, MORNING_AFTER)
    on_ready(readiness)
    run_id = f"demo-{kind}-{options.run_id}"
    fit = train_model(store, as_of=MORNING_AFTER, seed=options.seed, run_id=run_id, progress=progress)
    forecast, quality = forecast_demand(store, as_of=MORNING_AFTER, run_id=run_id, progress=progress)
    progress("planning")
    plan = make_plan(store, now=MORNING_AFTER, run_id=run_id)
    recovery = compare_with_truth(fit, world.truth)
    folder = folder or store.demo_run(f"{kind}-{options.run_id}")
    progress("drawing and writing")
    run: dict[str, str | int] = {"kind": kind, "world": options.world, "seed": options.seed}
    run |= {"days": options.n_days or 0, "tenant": store.tenant_id}
    appendix = "## Estimates beside the truth\n\nThis world is generated, so its true effects are known.\n\n"
    files = export_plan(plan, folder, command=command, run=run, appendix=appendix + recovery_table(recovery))
    return Demo(readiness, fit, forecast, quality, plan, recovery, folder, files)


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


def _store_world(store: Store, world: World, progress: Callable[[str], None]) -> None:
    progress("storing it")
    results.forget_demo(store)
    forget(store)
    set_up_tenant(store, world.tenant)
    step_days = 7 if world.truth.step_days == 7 else 1
    for table, frame in world.tables.items():
        upsert(store, table, frame, MORNING_AFTER, f"generated world {world.truth.world!r}", step_days)
