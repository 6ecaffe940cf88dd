"""Preflight: whether a change set may be written to ad platforms: five gates, and every guardrail it breaks by name.

The rules are in docs/modeling/planning.md, "Preflight".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from weathervane.contracts.automation import CONSENT_VERSION, Approval, AutomationSettings
from weathervane.contracts.change_set import Breach, BudgetChange, ChangeSet, Gate, Preflight
from weathervane.contracts.errors import BadInput
from weathervane.contracts.figures import ratio, share
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, PlanLine
from weathervane.contracts.tested_line import TestedLine
from weathervane.planning.wording import changed_under_test


def preflight(
    plan: BudgetPlan,
    changes: ChangeSet,
    settings: AutomationSettings,
    approval: Approval | None,
    *,
    now: datetime,
    pushes_today: int,
    tests: Sequence[TestedLine] = (),
) -> Preflight:
    """What stands between this change set and a platform at the UTC instant `now`. BadInput for another currency.

    `tests` are the lines of every geo test as it stands now, whenever the plan was made.
    """
    found = (*_breaches(plan, changes, settings, now), *_of_tests(plan, tests))
    within = all(one.severity != "critical" for one in found)
    gates = (
        _mode(settings),
        _consent(settings),
        _window(settings, now),
        _cap(settings, pushes_today),
        _approval(settings, changes, approval, within=within),
    )
    return Preflight(gates, found)


def lines_under_test(plan: BudgetPlan, tests: Sequence[TestedLine]) -> list[TestedLine]:
    """The lines of a geo test whose budget the plan would change, and does not hold as the test says."""
    moved = {(line.geo, line.channel) for line in plan.lines if line.change.minor and line.under_test_until is None}
    return [test for test in tests if test.holds(plan.period) and (test.geo, test.channel) in moved]


def _of_tests(plan: BudgetPlan, tests: Sequence[TestedLine]) -> Iterator[Breach]:
    for test in lines_under_test(plan, tests):
        yield Breach("under_test", "critical", changed_under_test([test]), test.geo, test.channel)


def _mode(settings: AutomationSettings) -> Gate:
    if settings.mode == "manual":
        return Gate("mode", False, "The mode is manual: a person loads the change file.")
    return Gate("mode", True, f"The mode is {settings.mode}.")


def _consent(settings: AutomationSettings) -> Gate:
    consent = settings.consent
    if consent.status != "granted":
        return Gate("consent", False, f"Consent to write to ad platforms is {consent.status}.")
    if consent.version != CONSENT_VERSION:
        asked = f"Consent was given to wording {consent.version}; the wording is now {CONSENT_VERSION}."
        return Gate("consent", False, asked)
    return Gate("consent", True, f"{consent.actor} consented on {consent.granted_at}.")


def _window(settings: AutomationSettings, now: datetime) -> Gate:
    windows = settings.guardrails.change_windows
    if not windows:
        return Gate("window", False, "No change window is set.")
    listed = "; ".join(window.text for window in windows)
    if not any(window.holds(now) for window in windows):
        return Gate("window", False, f"It is {now:%a %H:%M} UTC, outside the change windows ({listed}).")
    return Gate("window", True, f"A change window is open ({listed}).")


def _cap(settings: AutomationSettings, pushes_today: int) -> Gate:
    cap = settings.guardrails.daily_push_cap
    said = f"{pushes_today} of {cap} {'pushes' if cap > 1 else 'push'} a day {'are' if cap > 1 else 'is'} used."
    return Gate("cap", pushes_today < cap, said)


def _approval(settings: AutomationSettings, changes: ChangeSet, approval: Approval | None, *, within: bool) -> Gate:
    if approval is not None and approval.plan_sha256 == changes.plan_sha256:
        return Gate("approval", True, f"{approval.by} approved this plan on {approval.at}.")
    if approval is not None:
        changed = f"{approval.by} approved another version of {approval.plan_id}; it has changed since."
        return Gate("approval", False, changed)
    if settings.mode == "autopilot" and within:
        return Gate("approval", True, "On autopilot a plan within every guardrail needs no approval.")
    return Gate("approval", False, f"Nobody has approved {changes.plan_id}.")


def _breaches(plan: BudgetPlan, changes: ChangeSet, settings: AutomationSettings, now: datetime) -> Iterator[Breach]:
    floor = settings.guardrails.min_daily_spend
    if floor is not None and floor.currency != plan.currency:
        raise BadInput(
            f"The smallest daily spend is in {floor.currency} and the plan in {plan.currency}.",
            f"write it in {plan.currency}.",
        )
    if plan.demo:
        yield Breach("demo", "critical", "This is a demo plan: every number in it is generated.")
    if now.date() > plan.valid_until:
        yield Breach("valid_until", "critical", f"The plan was valid until {plan.valid_until}.")
    # What a reader should know becomes what stops a machine.
    weight = "critical" if settings.mode == "autopilot" else "warning"
    for ribbon in plan.ribbons:
        if ribbon != "demo":
            yield Breach("caveat", weight, f"The plan carries the remark {ribbon.replace('_', ' ')}.")
    lines = {(line.geo, line.channel): line for line in plan.lines}
    for change in changes.changes:
        yield from _of_cell(plan, change, lines[change.geo, change.channel], settings)


def _of_cell(plan: BudgetPlan, change: BudgetChange, line: PlanLine, settings: AutomationSettings) -> Iterator[Breach]:
    rails, cell = settings.guardrails, (change.geo, change.channel)
    name, after = f"{change.channel} in {change.geo}", _money(change.after)
    # A decimal as typed: 0.15 is exactly 15 %. Rounding down to a day's budget costs either side up to one minor unit.
    allowed = Fraction(repr(rails.max_daily_change_rel)) * (change.before.minor + 1) + 1
    if abs(change.after.minor - change.before.minor) > allowed:
        moved = f"{name} would go from {_money(change.before)} to {after} a day"
        most = f"more than {share(rails.max_daily_change_rel)}"
        yield Breach("max_daily_change_rel", "critical", f"{moved}, {most}.", *cell)
    if rails.min_daily_spend is not None and change.after.minor < rails.min_daily_spend.minor:
        under = f"{name} would get {after} a day, under the least of {_money(rails.min_daily_spend)}."
        yield Breach("min_daily_spend", "critical", under, *cell)
    budget, outcome = line.recommended.major, line.outcome.p50
    if rails.roas_floor is not None and plan.outcome_is_money and budget > 0 and outcome < rails.roas_floor * budget:
        brings = f"{name} is expected to bring {ratio(outcome / budget)} for each 1"
        yield Breach("roas_floor", "critical", f"{brings}, under the floor of {ratio(rails.roas_floor)}.", *cell)
    if rails.cpa_ceiling is not None and not plan.outcome_is_money and budget > rails.cpa_ceiling * outcome:
        costs = f"{budget / outcome:,.2f}" if outcome > 0 else "more than can be told"
        said = f"{name} is expected to cost {costs} a unit of {plan.outcome}, over {rails.cpa_ceiling:,.2f}."
        yield Breach("cpa_ceiling", "critical", said, *cell)


def _money(money: Money) -> str:
    return f"{money.currency} {money.major:,.2f}"
