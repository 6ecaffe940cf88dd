"""GET /v1/health: is the service there, and which version is it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter

router = APIRouter(prefix="/v1")


@dataclass(frozen=True)
class Health:
    """The service answers; `version` is the package's."""

    status: Literal["ok"]
    version: str


@router.get("/health", operation_id="getHealth", summary="Is the service there")
def get_health() -> Health:
    """Touches neither state nor database."""
    return Health("ok", version("weathervane"))
