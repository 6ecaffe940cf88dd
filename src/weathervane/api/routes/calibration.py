"""GET /v1/calibration/{tenant} and its /history: how a tenant's forecasts have done, as last measured and before."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from weathervane.api.errors import Problem
from weathervane.contracts.calibration import CalibrationRun, HistoryLine
from weathervane.store.calibration import history, latest_calibration
from weathervane.store.paths import look_at_store


def calibration_router(state: Path, database_url: str | None) -> APIRouter:
    """Routes that read stored calibration runs of `state`; they compute nothing and make no file."""
    router = APIRouter(prefix="/v1/calibration")

    @router.get(
        "/{tenant}",
        operation_id="getCalibration",
        summary="The newest calibration run of one tenant",
        responses={status: {"model": Problem} for status in (404, 422, 503)},
    )
    def get_calibration(tenant: str) -> CalibrationRun:
        return latest_calibration(look_at_store(state, tenant, database_url))[0]

    @router.get(
        "/{tenant}/history",
        operation_id="listCalibrations",
        summary="Every calibration run of one tenant in one line, oldest first; empty before the first",
        responses={status: {"model": Problem} for status in (422, 503)},
    )
    def list_calibrations(tenant: str) -> list[HistoryLine]:
        return history(look_at_store(state, tenant, database_url))

    return router
