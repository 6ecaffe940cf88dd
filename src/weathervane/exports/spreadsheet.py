"""Spreadsheet: a plan's lines as one CSV table, safe to open and exact to read back."""

from __future__ import annotations

import csv
import io

from weathervane.contracts.grain import TOTAL
from weathervane.contracts.money import Money, minor_digits
from weathervane.contracts.plan import BudgetPlan, PlanLine

COLUMNS = (
    "plan_date",
    "geo_group_id",
    "category",
    "channel",
    "currency",
    "current_budget",
    "recommended_budget",
    "change",
    "change_rel",
    "direction",
    "gain_p10",
    "gain_p50",
    "gain_p90",
    "chance_gain",
    "expected_revenue_p10",
    "expected_revenue_p50",
    "expected_revenue_p90",
    "marginal_return_p10",
    "marginal_return_p50",
    "marginal_return_p90",
    "extrapolates",
    "reason",
    "would_change_our_mind",
)
# What spreadsheets take for the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def plan_csv(plan: BudgetPlan) -> bytes:
    """One header and one row a line, UTF-8 with a byte order mark (without it Excel garbles € and −).

    Budgets and outcomes are for the whole plan period in major units; `plan_date` is its first day. Numbers are
    written so that they read back as the very numbers of the plan. Text that a spreadsheet would run as a formula gets
    a leading apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(plan, line) for line in plan.lines)
    return out.getvalue().encode("utf-8-sig")


def _row(plan: BudgetPlan, line: PlanLine) -> list[str]:
    return [
        plan.period.start.isoformat(),
        safe_text(line.geo),
        TOTAL,
        safe_text(line.channel),
        plan.currency,
        exact(line.current),
        exact(line.recommended),
        exact(line.change),
        repr(line.change_rel),
        line.direction,
        *(repr(value) for value in (line.gain.p10, line.gain.p50, line.gain.p90)),
        "" if line.chance_gain is None else repr(line.chance_gain),
        *(repr(value) for value in (line.outcome.p10, line.outcome.p50, line.outcome.p90)),
        *(repr(value) for value in (line.marginal_return.p10, line.marginal_return.p50, line.marginal_return.p90)),
        "true" if line.extrapolates else "false",
        safe_text(line.reason),
        safe_text(line.would_change_our_mind),
    ]


def exact(money: Money) -> str:
    """Every minor unit, by whole-number arithmetic: `42310.05`."""
    digits = minor_digits(money.currency)
    whole, rest = divmod(abs(money.minor), 10**digits)
    sign = "-" if money.minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def safe_text(value: str) -> str:
    """The text, with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
