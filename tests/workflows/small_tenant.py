"""A tenant with a hand-made model, forecast and plan in its store, ready for what is done with a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.planning.builders import curves_of, fit_of, request_of, same

from weathervane.contracts.fit import Diagnostics, FitRecord
from weathervane.contracts.plan import BudgetPlan
from weathervane.store import model_registry, results
from weathervane.store.paths import Store, open_store
from weathervane.workflows.make_plan import make_plan

NOW = datetime(2026, 11, 22, 6, 10, tzinfo=UTC)
SLOPES = {**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4}


def small_tenant(root: Path, tenant_id: str = "demo", *, per_z: float = 0.0) -> tuple[Store, BudgetPlan]:
    """The store and the plan that was made in it; `per_z` is how much more search brings by a spread of warmth."""
    curves = curves_of(SLOPES, per_z={cell: per_z for cell in SLOPES if cell[1] == "search"})
    request = request_of(curves)
    store = open_store(root, tenant_id)
    results.keep_tenant(store, replace(request.tenant, tenant_id=tenant_id, demo=False))
    register(store, per_z=per_z)
    results.keep_forecast(store, replace(request.forecast, tenant_id=tenant_id), request.quality)
    return store, make_plan(store, now=NOW, run_id="plan")


def register(store: Store, *, model_id: str = "model-1", per_z: float = 0.0) -> None:
    """A fit that converged, as the one in use."""
    curves = curves_of(SLOPES, per_z={cell: per_z for cell in SLOPES if cell[1] == "search"})
    curves = replace(curves, model_id=model_id)
    fit = replace(fit_of(curves), tenant_id=store.tenant_id)
    fit = replace(fit, summary=replace(fit.summary, model_id=model_id))
    said = Diagnostics("exact", 4, 200, 1.003, 700.0, 650.0, 0, 0.9)
    model_registry.register(store, fit, curves, FitRecord((), said, None), b"posterior")
