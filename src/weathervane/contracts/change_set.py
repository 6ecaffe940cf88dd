"""Change set: what a plan changes at the ad platforms, day by day, and whether it may be written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period

GateName = Literal["mode", "consent", "window", "cap", "approval"]
GuardrailName = Literal[
    "max_daily_change_rel",
    "min_daily_spend",
    "roas_floor",
    "cpa_ceiling",
    "valid_until",
    "demo",
    "caveat",
    "under_test",
]


@dataclass(frozen=True)
class BudgetChange:
    """One cell's budget a day, before and after. A rollback is the same with the two swapped."""

    geo: str
    channel: str
    platform: str
    before: Money
    after: Money


@dataclass(frozen=True)
class ChangeSet:
    """Every cell whose day budget a plan changes. The id comes from the content: same plan, same change set."""

    change_set_id: str
    tenant_id: str
    plan_id: str
    plan_sha256: str
    period: Period
    currency: str
    changes: tuple[BudgetChange, ...]

    @property
    def inverse(self) -> ChangeSet:
        """The change set that takes this one back, exactly."""
        back = tuple(replace(one, before=one.after, after=one.before) for one in self.changes)
        return replace(self, change_set_id=f"{self.change_set_id}-rollback", changes=back)

    def apply(self, budgets: Mapping[tuple[str, str], Money]) -> dict[tuple[str, str], Money]:
        """The day budgets by (geo, channel) after this change; BadInput where one is not what it was when drawn up."""
        result = dict(budgets)
        for one in self.changes:
            now = result.get((one.geo, one.channel))
            if now != one.before:
                raise BadInput(
                    f"{one.channel} in {one.geo} stands at {now and now.major}, not at {one.before.major}.",
                    "someone changed it since: draw up a new plan.",
                )
            result[one.geo, one.channel] = one.after
        return result


@dataclass(frozen=True)
class Gate:
    """One of the five things that must agree before anything is written to a platform, and why it does or does not."""

    name: GateName
    open: bool
    reason: str


@dataclass(frozen=True)
class Breach:
    """A guardrail that a change breaks. A critical one blocks writing; a warning is for the person who reads."""

    guardrail: GuardrailName
    severity: Literal["warning", "critical"]
    sentence: str
    geo: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class Preflight:
    """All five gates, in the order of GateName, and every breach."""

    gates: tuple[Gate, ...]
    breaches: tuple[Breach, ...]

    @property
    def may_write(self) -> bool:
        """Whether every gate is open and no breach is critical."""
        return all(gate.open for gate in self.gates) and all(one.severity != "critical" for one in self.breaches)


@dataclass(frozen=True)
class Push:
    """What pushing a plan came to. `files` holds the sha256 of each file in `folder`; no folder where nothing changes.

    `written` says whether an ad platform was changed, `made_before` whether the files were there already.
    """

    change_set: ChangeSet
    preflight: Preflight
    written: bool
    made_before: bool
    folder: str | None
    files: dict[str, str]
    sentence: str
