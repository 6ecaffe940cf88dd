"""Check what is due: whether a tenant's model, forecast, its record or the plan has fallen behind what is known."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

import polars as pl

from weathervane.contracts.errors import NotFound
from weathervane.contracts.fit import FitReport
from weathervane.contracts.tables import TABLES
from weathervane.store import model_registry, results
from weathervane.store.calibration import latest_calibration
from weathervane.store.coverage import coverage
from weathervane.store.paths import Store
from weathervane.store.tables import data_hash, read

Result = Literal["train", "forecast", "calibrate", "plan"]

REFIT_AFTER_DAYS = 7
# What a fit learns from. Recent days are restated all the time, and the next week's fit takes them in.
_LEARNT_FROM = ("sales", "spend", "promotions", "prices", "inventory")


def check_due(store: Store, result: Result, at: datetime) -> str:
    """Why the result should be made again from what is known at `at`; empty where it stands.

    The rules are in operate.md, "Nightly".
    """
    try:
        return {"train": _train, "forecast": _forecast, "calibrate": _calibrate, "plan": _plan}[result](store, at)
    except NotFound as missing:
        return missing.problem


def _train(store: Store, at: datetime) -> str:
    fits = model_registry.entries(store)
    if not fits:
        raise NotFound(f"No model is trained for {store.tenant_id!r} yet.", "run `weathervane train`.")
    # The newest, in use or not: a candidate that was held back would only be fitted again from the same data.
    fit = max((each.report for each in fits), key=lambda report: report.created_at)
    sold = coverage("sales", read(store, "sales", at)).span
    newer = 0 if sold is None else (sold.end - fit.summary.fitted_through).days
    if newer >= REFIT_AFTER_DAYS:
        return f"There are {newer} days of sales that the model has not seen."
    changed = _restated(store, fit, at)
    return f"{changed:,} rows of older days have changed since the fit." if changed else ""


def _restated(store: Store, fit: FitReport, at: datetime) -> int:
    """Rows of days more than a week before the end of the fit that became known after it."""
    settled: date = fit.summary.fitted_through - timedelta(days=REFIT_AFTER_DAYS)
    then = datetime.fromisoformat(fit.created_at)
    return sum(
        read(store, table, at).filter((pl.col("date") <= settled) & (pl.col("known_at") > then)).height
        for table in _LEARNT_FROM
    )


def _forecast(store: Store, at: datetime) -> str:
    issued = datetime.fromisoformat(results.latest_forecast(store)[0].issued_at)
    fresh = [table for table in TABLES if data_hash(store, table, issued) != data_hash(store, table, at)]
    return f"There is news in {', '.join(fresh)} since the last forecast." if fresh else ""


def _calibrate(store: Store, _: datetime) -> str:
    scored = latest_calibration(store)[0].forecast_id
    return "" if scored == results.latest_forecast(store)[0].forecast_id else "The forecast is newer than its record."


def _plan(store: Store, _: datetime) -> str:
    plan = results.latest_plan(store)
    if plan.model.model_id != model_registry.champion(store)[0].model_id:
        return "The model is newer than the plan."
    if datetime.fromisoformat(plan.generated_at) < datetime.fromisoformat(results.latest_forecast(store)[0].issued_at):
        return "The forecast is newer than the plan."
    return ""
