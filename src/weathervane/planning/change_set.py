"""Change set: a plan's lines as day budgets before and after, in whole minor units."""

from __future__ import annotations

import hashlib

from weathervane.contracts.automation import AutomationSettings
from weathervane.contracts.change_set import BudgetChange, ChangeSet
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan


def change_set(plan: BudgetPlan, plan_sha256: str, settings: AutomationSettings) -> ChangeSet:
    """The cells whose budget a day changes, by geo and channel.

    A day's budget is the period's over its days, rounded down to a minor unit, so that the days never add up to more
    than the plan; less than one minor unit a day stays unspent.
    """
    days = plan.period.n_days
    drawn = [
        BudgetChange(
            line.geo,
            line.channel,
            settings.platform(line.channel),
            Money(line.current.minor // days, plan.currency),
            Money(line.recommended.minor // days, plan.currency),
        )
        for line in sorted(plan.lines, key=lambda line: (line.geo, line.channel))
    ]
    changes = tuple(one for one in drawn if one.before != one.after)
    name = hashlib.sha256(repr((plan.tenant_id, plan_sha256, changes)).encode()).hexdigest()[:12]
    return ChangeSet(f"change-{name}", plan.tenant_id, plan.plan_id, plan_sha256, plan.period, plan.currency, changes)
