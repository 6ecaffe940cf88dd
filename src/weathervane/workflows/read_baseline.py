"""Read the baseline: the newest plan with the curves and forecast it was made from, for scenarios to start at."""

from __future__ import annotations

from datetime import datetime

from weathervane.contracts.errors import NotEnoughData
from weathervane.planning.scenario import Baseline, baseline
from weathervane.store import results
from weathervane.store.paths import Store
from weathervane.workflows.make_plan import plan_request


def read_baseline(store: Store) -> Baseline:
    """The newest plan as scenarios start from it. NotFound where there is none, NotEnoughData where the model or the
    forecast has moved on since.
    """
    plan = results.latest_plan(store)
    made_at = datetime.fromisoformat(plan.generated_at)
    request = plan_request(store, now=made_at, limits=plan.limits, aim=plan.aim)
    if plan.model.model_id != request.fit.model_id or plan.period != request.period:
        moved = "model" if plan.model.model_id != request.fit.model_id else "forecast"
        raise NotEnoughData(f"The plan was made on another {moved} than is in use now.", "run `weathervane plan`.")
    return baseline(request, plan, results.plan_sha256(plan))
