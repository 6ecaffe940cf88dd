"""The clock of the service: the one place here that reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  a door may read the clock


def run_id(at: datetime) -> str:
    """A name for what one request does."""
    return f"api-{at:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
