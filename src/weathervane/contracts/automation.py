"""Automation: how far a tenant lets the product act by itself, within which guardrails, and with whose consent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money

Mode = Literal["manual", "assist", "autopilot"]
ConsentStatus = Literal["pending", "granted", "revoked"]

# The wording a person agrees to; a new wording needs a new consent.
CONSENT_VERSION = 1
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class ChangeWindow:
    """When budgets may change: from `start_utc` up to, not including, `end_utc`, on these weekdays (0 is Monday)."""

    start_utc: time
    end_utc: time
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        if self.end_utc <= self.start_utc:
            raise BadInput(
                f"A change window ends at {self.end_utc:%H:%M}, not after its start at {self.start_utc:%H:%M}.",
                "give an end later the same day; write two windows for a night.",
            )
        if not self.weekdays or not set(self.weekdays) <= set(range(7)):
            raise BadInput(f"A change window has the weekdays {self.weekdays}.", "name days from 0 (Monday) to 6.")

    def holds(self, at: datetime) -> bool:
        """Whether the window is open at this UTC instant."""
        return at.weekday() in self.weekdays and self.start_utc <= at.time() < self.end_utc

    @property
    def text(self) -> str:
        """`Mon Tue 09:00–17:00 UTC`."""
        days = " ".join(_WEEKDAYS[day] for day in sorted(self.weekdays))
        return f"{days} {self.start_utc:%H:%M}–{self.end_utc:%H:%M} UTC"


@dataclass(frozen=True)
class Guardrails:
    """What no push may do. Spend and budgets are a day and cell (geo × channel); None means no such guardrail.

    `roas_floor` is the least expected outcome per unit of budget, where the outcome is money; `cpa_ceiling` the most
    budget, in major units, per unit of outcome, where it is not. Without a change window no window is ever open.
    """

    max_daily_change_rel: float = 0.15
    min_daily_spend: Money | None = None
    roas_floor: float | None = None
    cpa_ceiling: float | None = None
    daily_push_cap: int = 1
    change_windows: tuple[ChangeWindow, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 < self.max_daily_change_rel <= 1.0:
            raise BadInput(
                f"The largest daily change is {self.max_daily_change_rel}; it must lie above 0 and at most 1.",
                "write 0.15 for 15 %.",
            )
        if self.min_daily_spend is not None and self.min_daily_spend.minor < 0:
            raise BadInput("The smallest daily spend is negative.", "write 0 or more.")
        for name, value in (("return floor", self.roas_floor), ("cost ceiling", self.cpa_ceiling)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise BadInput(f"The {name} is {value}; it must be above 0.", "leave it out to have none.")
        if self.daily_push_cap < 1:
            raise BadInput(
                f"The daily push cap is {self.daily_push_cap}; it must be at least 1.",
                "set the mode to manual to allow no push at all.",
            )


@dataclass(frozen=True)
class Consent:
    """Whether a person allowed writing to ad platforms: who, when, and to which wording. Instants are UTC with Z."""

    status: ConsentStatus = "pending"
    version: int = CONSENT_VERSION
    granted_at: str | None = None
    revoked_at: str | None = None
    actor: str | None = None

    def __post_init__(self) -> None:
        if self.status != "pending" and not (self.actor and self.granted_at):
            raise BadInput(f"A consent that is {self.status} needs who gave it and when.", "name the person.")
        if (self.status == "revoked") != (self.revoked_at is not None):
            raise BadInput("A consent has a time of revocation if, and only if, it was revoked.", "mend the record.")

    def granted(self, at: str, actor: str) -> Consent:
        """The consent as this person gives it, to the wording of now."""
        return Consent("granted", CONSENT_VERSION, at, None, actor)

    def revoked(self, at: str, actor: str) -> Consent:
        """The consent as this person takes it back; BadInput where none was given."""
        if self.status != "granted":
            raise BadInput(f"There is no consent to revoke: it is {self.status}.", "nothing needs to be done.")
        return replace(self, status="revoked", revoked_at=at, actor=actor)


@dataclass(frozen=True)
class AutomationSettings:
    """A tenant's choice. By default nothing is ever written.

    `platforms` names the ad platform of a channel; a channel it does not name is a platform of its own.
    """

    mode: Mode = "manual"
    guardrails: Guardrails = field(default_factory=Guardrails)
    consent: Consent = field(default_factory=Consent)
    platforms: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: str = ""

    def platform(self, channel: str) -> str:
        """The platform where a channel's budget is set."""
        return self.platforms.get(channel, channel)


@dataclass(frozen=True)
class SettingsVersion:
    """The settings as they stood from `updated_at` on. Version 0, with no time and no person, is the default."""

    tenant_id: str
    version: int
    updated_at: str | None
    updated_by: str | None
    settings: AutomationSettings


@dataclass(frozen=True)
class Approval:
    """A person approved exactly this plan, by the hash of its content; never changed. `at` is UTC with Z."""

    tenant_id: str
    plan_id: str
    plan_sha256: str
    by: str
    at: str

    def __post_init__(self) -> None:
        if not self.by.strip():
            raise BadInput("An approval needs the name of a person.", "say who with --by NAME.")
