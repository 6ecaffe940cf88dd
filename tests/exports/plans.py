"""Finished plans to export: one that changes, one that keeps, one with names that a spreadsheet would run."""

from __future__ import annotations

from dataclasses import replace

from planning.builders import curves_of, request_of, same
from weathervane.contracts.plan import BudgetPlan
from weathervane.planning.plan import make_budget_plan


def changing(seed: int = 1) -> BudgetPlan:
    return make_budget_plan(request_of(curves_of(same({"search": 0.6, "social": 1.8}), seed=seed)))


def keeping() -> BudgetPlan:
    return make_budget_plan(request_of(curves_of(same({"search": 0.0, "social": 0.0}), error=0.5)))


def hostile() -> BudgetPlan:
    plan = changing()
    first = replace(
        plan.lines[0],
        geo="=HYPERLINK(1)",
        channel='@search, the\n"best"',
        reason="+1 for this",
        would_change_our_mind="-nothing",
    )
    return replace(plan, lines=(first, *plan.lines[1:]))
