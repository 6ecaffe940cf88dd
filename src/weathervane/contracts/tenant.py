"""Tenant: a brand using the product."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from weathervane.contracts.errors import BadInput

GeoTests = Literal["off", "propose", "start"]
_TENANT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Place:
    """A geo's name and position; latitude and longitude in degrees, where known."""

    geo: str
    name: str
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = "UTC"
    country: str = "US"
    subdivision: str | None = None


@dataclass(frozen=True)
class Tenant:
    """A brand: its currency, its outcome, its places. `demo` is true when every number is generated.

    `geo_tests` says what a night may do where no test runs: nothing, propose one that a person approves, or start one.
    """

    tenant_id: str
    name: str
    currency: str
    demo: bool
    outcome: str = "net_revenue"
    outcome_is_money: bool = True
    places: tuple[Place, ...] = field(default=())
    geo_tests: GeoTests = "propose"

    def __post_init__(self) -> None:
        check_tenant_id(self.tenant_id)


def check_tenant_id(tenant_id: str) -> str:
    """The id itself, if it can safely name a folder and stand in a URL."""
    if not _TENANT_ID.fullmatch(tenant_id):
        raise BadInput(
            f"{tenant_id!r} cannot be a tenant id.", "use lower-case letters, digits, - and _, at most 63 of them."
        )
    return tenant_id
