"""Nothing is written unless mode, consent, window, cap and approval agree and no guardrail is broken: every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.small_plans import plan_of

from weathervane.contracts.automation import (
    CONSENT_VERSION,
    Approval,
    AutomationSettings,
    ChangeWindow,
    Consent,
    Guardrails,
    Mode,
)
from weathervane.contracts.change_set import Preflight
from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan
from weathervane.planning.change_set import change_set
from weathervane.planning.preflight import preflight

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WINDOW = ChangeWindow(time(9), time(17))
GRANTED = Consent("granted", CONSENT_VERSION, "2026-11-01T00:00:00Z", None, "Ada")
CONSENTS = {
    "pending": Consent(),
    "granted": GRANTED,
    "revoked": GRANTED.revoked("2026-11-02T00:00:00Z", "Ada"),
    "old wording": replace(GRANTED, version=CONSENT_VERSION - 1),
}
PLAN = plan_of({("austin", "search"): (700_00, 770_00), ("boston", "search"): (700_00, 630_00)})
OPEN = AutomationSettings("assist", Guardrails(change_windows=(WINDOW,)), GRANTED)


def check(
    settings: AutomationSettings,
    plan: BudgetPlan = PLAN,
    *,
    approval: Approval | None = None,
    now: datetime = MONDAY_NOON,
    pushes: int = 0,
) -> Preflight:
    return preflight(plan, change_set(plan, "a" * 64, settings), settings, approval, now=now, pushes_today=pushes)


def approved(sha256: str = "a" * 64) -> Approval:
    return Approval("acme", "plan-1", sha256, "Ada", "2026-11-22T08:00:00Z")


@given(
    mode=st.sampled_from(["manual", "assist", "autopilot"]),
    consent=st.sampled_from(sorted(CONSENTS)),
    hour=st.integers(0, 23),
    weekday=st.integers(0, 6),
    windows=st.booleans(),
    pushes=st.integers(0, 3),
    cap=st.integers(1, 3),
    approval=st.sampled_from(["none", "this plan", "another content"]),
    broken=st.booleans(),
)
def test_the_whole_truth_table(
    mode: Mode,
    consent: str,
    hour: int,
    weekday: int,
    windows: bool,
    pushes: int,
    cap: int,
    approval: str,
    broken: bool,
) -> None:
    rails = Guardrails(
        max_daily_change_rel=0.05 if broken else 0.15,
        change_windows=(WINDOW,) if windows else (),
        daily_push_cap=cap,
    )
    settings = AutomationSettings(mode, rails, CONSENTS[consent])
    given_approval = {"none": None, "this plan": approved(), "another content": approved("b" * 64)}[approval]
    now = datetime(2026, 11, 23 + weekday, hour, 30, tzinfo=UTC)
    found = check(settings, approval=given_approval, now=now, pushes=pushes)
    expected = {
        "mode": mode != "manual",
        "consent": consent == "granted",
        "window": windows and weekday < 5 and 9 <= hour < 17,
        "cap": pushes < cap,
        "approval": approval == "this plan" or (mode == "autopilot" and approval == "none" and not broken),
    }
    assert {gate.name: gate.open for gate in found.gates} == expected
    assert [gate.name for gate in found.gates] == ["mode", "consent", "window", "cap", "approval"]
    assert all(gate.reason.endswith(".") for gate in found.gates)
    assert any(one.severity == "critical" for one in found.breaches) == broken
    assert found.may_write == (all(expected.values()) and not broken)


def test_every_gate_can_be_open_and_then_all_is_well() -> None:
    assert check(OPEN, approval=approved()).may_write
    assert not check(AutomationSettings()).may_write
    assert [gate.open for gate in check(AutomationSettings()).gates] == [False, False, False, True, False]


def test_a_window_ends_before_its_end_and_not_after() -> None:
    for at, is_open in ((time(8, 59, 59), False), (time(9), True), (time(16, 59, 59), True), (time(17), False)):
        gates = check(OPEN, now=datetime.combine(MONDAY_NOON.date(), at, UTC)).gates
        assert gates[2].open is is_open


def breaches(plan: BudgetPlan, **rails: object) -> list[tuple[str, str | None]]:
    settings = replace(OPEN, guardrails=replace(Guardrails(), **rails))  # type: ignore[arg-type]
    return [(one.guardrail, one.geo) for one in check(settings, plan, approval=approved()).breaches]


def test_each_guardrail_is_named_with_its_cell() -> None:
    assert breaches(PLAN, max_daily_change_rel=0.10) == []
    assert breaches(PLAN, max_daily_change_rel=0.09) == [
        ("max_daily_change_rel", "austin"),
        ("max_daily_change_rel", "boston"),
    ]
    assert breaches(PLAN, min_daily_spend=Money(90_00, "USD")) == []
    assert breaches(PLAN, min_daily_spend=Money(90_01, "USD")) == [("min_daily_spend", "boston")]
    assert breaches(PLAN, roas_floor=2.0) == []
    assert {name for name, _ in breaches(PLAN, roas_floor=2.01)} == {"roas_floor"}
    assert breaches(PLAN, cpa_ceiling=0.1) == [], "an outcome in money has no cost a unit"
    orders = replace(PLAN, outcome_is_money=False, outcome="orders")
    assert breaches(orders, cpa_ceiling=0.5) == []
    assert {name for name, _ in breaches(orders, cpa_ceiling=0.49)} == {"cpa_ceiling"}
    assert breaches(replace(PLAN, demo=True)) == [("demo", None)]
    assert breaches(replace(PLAN, valid_until=date(2026, 11, 22))) == [("valid_until", None)]
    with pytest.raises(BadInput, match="EUR"):
        breaches(PLAN, min_daily_spend=Money(1, "EUR"))


def test_a_remark_on_the_plan_warns_a_person_and_stops_the_autopilot() -> None:
    plan = replace(PLAN, ribbons=("not_calibrated",))
    assert check(OPEN, plan, approval=approved()).may_write
    assert [one.severity for one in check(OPEN, plan).breaches] == ["warning"]
    assert not check(replace(OPEN, mode="autopilot"), plan, approval=approved()).may_write


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"])),
        st.tuples(st.integers(0, 10_000_00), st.integers(0, 10_000_00)),
        min_size=1,
    )
)
def test_a_rollback_is_the_exact_inverse(budgets: dict[tuple[str, str], tuple[int, int]]) -> None:
    changes = change_set(plan_of(budgets), "a" * 64, AutomationSettings())
    before = {cell: Money(now // 7, "USD") for cell, (now, _) in budgets.items()}
    after = changes.apply(before)
    assert changes.inverse.apply(after) == before
    assert after == {cell: Money(then // 7, "USD") for cell, (_, then) in budgets.items()}
    assert sum(one.minor for one in after.values()) * 7 <= sum(then for _, then in budgets.values())
    if changes.changes:
        with pytest.raises(BadInput, match="someone changed it"):
            changes.apply(after)


@given(st.integers(0, 10_000_00), st.floats(0.01, 1.0), st.booleans())
def test_a_plan_within_the_limit_never_breaks_it_by_rounding(current: int, limit: float, up: bool) -> None:
    limit = round(limit, 2)
    moved = int(current * limit)
    plan = plan_of({("a", "x"): (current, current + moved if up else current - moved)})
    assert breaches(plan, max_daily_change_rel=limit) == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ChangeWindow(time(17), time(9)), "not after its start"),
        (lambda: ChangeWindow(time(9), time(9)), "not after its start"),
        (lambda: ChangeWindow(time(9), time(17), (7,)), "weekdays"),
        (lambda: ChangeWindow(time(9), time(17), ()), "weekdays"),
        (lambda: Guardrails(max_daily_change_rel=0.0), "largest daily change"),
        (lambda: Guardrails(daily_push_cap=0), "push cap"),
        (lambda: Guardrails(roas_floor=0.0), "return floor"),
        (lambda: Guardrails(cpa_ceiling=float("inf")), "cost ceiling"),
        (lambda: Guardrails(min_daily_spend=Money(-1, "USD")), "negative"),
        (lambda: Consent("granted"), "who gave it"),
        (lambda: Consent("revoked", 1, "2026-11-01T00:00:00Z", None, "Ada"), "revocation"),
        (lambda: Consent().revoked("2026-11-01T00:00:00Z", "Ada"), "no consent to revoke"),
        (lambda: Approval("acme", "plan-1", "a" * 64, "  ", "2026-11-01T00:00:00Z"), "name of a person"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(BadInput, match=says):
        make()
