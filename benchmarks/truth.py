"""Truth: what plans and estimates claim on generated worlds, against what those worlds were made with.

    python -m benchmarks.truth [--small] [--seeds N] [--first SEED]

On `null` a plan must keep the budget; on `sensitive` returns must lie in their intervals, weather must have the right
sign, and the gain a plan claims must be what the world would have paid. Each seed is a whole fit, half a minute of CPU.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import log1p

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.figure import Figure, print_figures
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.fit import FitReport
from weathervane.contracts.plan import BudgetPlan
from weathervane.model.mmm.engine import MediaMixSpec
from weathervane.model.pipeline import forecast, known_at, train
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import PlanRequest, plan_period

LAST_DAY = date(2026, 5, 31)
AS_OF = datetime(2026, 6, 1, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """One world, what was made of it, and the CPU seconds that took."""

    world: World
    fit: FitReport
    plan: BudgetPlan
    cpu_s: float


def look(name: str, seed: int, n_days: int | None = None, n_geos: int | None = None) -> Seen:
    started = time.process_time()
    world = make_world(name, seed=seed, end=LAST_DAY, n_days=n_days, n_geos=n_geos)
    tables = known_at(world.tables, AS_OF)
    trained = train(
        tables, world.tenant, MediaMixSpec(), as_of=AS_OF, seed=seed, data_hashes={"world": f"{name}/{seed}"}
    )
    issued = forecast(lambda instant: known_at(world.tables, instant), world.tenant.tenant_id, as_of=AS_OF)
    made, quality = issued.forecast, issued.quality
    plan = make_budget_plan(
        PlanRequest(
            tenant=world.tenant,
            generated_at=AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ"),
            period=plan_period(made),
            fit=trained.report,
            curves=trained.curves,
            forecast=made,
            quality=quality,
        )
    )
    return Seen(world, trained.report, plan, time.process_time() - started)


def true_gain(seen: Seen) -> float:
    """What the world would pay for the plan over the current budget, at the weather the plan was made for."""
    z = {geo.geo: geo.temp_anomaly_z or 0.0 for geo in seen.plan.geos}
    weeks = seen.plan.period.n_days / 7
    gain = 0.0
    for line in seen.plan.lines:
        budgets = np.array([line.current.major, line.recommended.major]) / weeks
        outcome = seen.world.truth.steady_outcome(line.geo, line.channel, budgets, z[line.geo])
        gain += float(outcome[1] - outcome[0]) * weeks
    return gain


def right_signs(seen: Seen) -> bool:
    """Whether every category's effects that are not zero have the sign they should."""
    estimates = {(e.category, e.index): e.rel_p50 for e in seen.fit.weather.effects}
    true = seen.world.truth.weather_effects.iter_rows()
    return all(log1p(estimates[category, index]) * effect > 0 for category, index, effect in true if effect != 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="two seeds of each world")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1000)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + (2 if chosen.small else chosen.seeds))

    null = [look("null", seed) for seed in seeds]
    sensitive = [look("sensitive", seed) for seed in seeds]
    cpu = float(np.median([seen.cpu_s for seen in (*null, *sensitive)]))
    cost = Figure("train, forecast and plan, 24 places, two years", cpu, "CPU s", note="median of a world")
    print_figures([*of_null(null), *of_estimates(sensitive), *of_gains(sensitive), cost])


def of_null(worlds: list[Seen]) -> list[Figure]:
    kept = sum(seen.plan.verdict == "keep" for seen in worlds)
    low = sum(seen.fit.media_signal.p_value <= 0.05 for seen in worlds)
    why = all(seen.plan.reason for seen in worlds)
    share = kept / len(worlds)
    return [
        Figure("null: keep the budget", share, "share", ">= 0.9", share >= 0.9 and why, f"{kept} of {len(worlds)}"),
        Figure("null: placebo p at or below 0.05", low / len(worlds), "share", note=f"{low}; one in twenty is right"),
    ]


def of_estimates(worlds: list[Seen]) -> list[Figure]:
    inside: list[bool] = []
    for seen in worlds:
        roi = {truth.channel: truth.roi for truth in seen.world.truth.channels}
        inside += [each.roi_p05 <= roi[each.channel] <= each.roi_p95 for each in seen.fit.channels]
    share, n = float(np.mean(inside)), len(inside)
    signs = sum(right_signs(seen) for seen in worlds)
    name = "sensitive: true return inside its 90 % interval"
    return [
        Figure(name, share, "share", ">= 0.8", share >= 0.8, f"{sum(inside)} of {n} channels"),
        Figure("sensitive: every weather sign right", signs / len(worlds), "share", "1", signs == len(worlds)),
    ]


def of_gains(worlds: list[Seen]) -> list[Figure]:
    gains = [(seen.plan.gain, true_gain(seen)) for seen in worlds if seen.plan.verdict == "change"]
    figures = [Figure("sensitive: plans that change", len(gains) / len(worlds), "share", note=f"of {len(worlds)}")]
    if not gains:
        return figures
    paid = float(np.mean([true > 0 for _, true in gains]))
    held = float(np.mean([claimed.p10 <= true <= claimed.p90 for claimed, true in gains]))
    ratio = float(np.median([true / claimed.p50 for claimed, true in gains]))
    return [
        *figures,
        Figure("sensitive: changes that pay in truth", paid, "share", ">= 0.9", paid >= 0.9, f"of {len(gains)}"),
        Figure("sensitive: true gain from p10 to p90", held, "share", "0.8", note="too few is overconfidence"),
        Figure("sensitive: true over claimed gain, median", ratio, "ratio", "1", note="below 1 overclaims"),
    ]


if __name__ == "__main__":
    main()
