"""What a plan says of its total and of "now": the average next unit less costs, and last week beside the usual one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.planning.builders import CHANNELS, GEOS, curves_of, request_of, same

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, PlanAim
from weathervane.planning import wording
from weathervane.planning.plan import make_budget_plan

NAMES = wording.Names("USD", "USD", "net revenue", {})
CURVES = curves_of({**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4})


def said(low: float, mid: float, high: float, margin: float | None, *, money: bool = True) -> str:
    return wording.total(Quantiles(low, mid, high), margin, NAMES, money=money)


@pytest.mark.parametrize(
    ("margin", "wanted"),
    [(None, "before the cost of the goods. Whether the total is too high or too low depends on your margin"),
     (0.2, ": the total looks too high"), (0.95, ": the total looks too low"), (0.6, "the data do not show")],
)  # fmt: skip
def test_a_total_is_judged_by_the_margin_and_without_one_it_is_asked_for(margin: float | None, wanted: str) -> None:
    text = said(1.2, 1.6, 2.2, margin)
    assert wanted in text
    assert "$1.60" in text


def test_below_its_cost_before_any_margin_a_total_is_too_high_and_units_are_not_priced() -> None:
    assert "too high" in said(0.4, 0.5, 0.9, None)
    assert "too " not in said(0.4, 0.5, 0.9, None, money=False)


def test_now_stands_beside_last_week() -> None:
    assert wording.now(345_000_00, 415_000_00, NAMES).endswith("last week it was $415,000, 20 % more.")
    assert wording.now(345_000_00, 300_000_00, NAMES).endswith("last week it was $300,000, 13 % less.")
    assert wording.now(345_000_00, 346_000_00, NAMES).endswith("last week it was $346,000.")
    assert wording.now(345_000_00, None, NAMES).endswith("$345,000.")


def with_last_week(**changes: object) -> BudgetPlan:
    weeks = {(geo, channel): Money(12_000_00, "USD") for geo in GEOS for channel in CHANNELS}
    return make_budget_plan(replace(request_of(CURVES, last_week=weeks), **changes))  # type: ignore[arg-type]


def test_a_plan_says_all_three_and_what_its_chance_is_of() -> None:
    plan = with_last_week(margin=0.4)
    assert "last week it was $72,000, 20 % more" in plan.now_sentence
    assert {line.last_week for line in plan.lines} == {Money(12_000_00, "USD")}
    assert plan.average_return is not None
    assert 0.9 < plan.average_return.p50 < 1.6
    assert "at a margin of 40 %" in plan.total_sentence
    assert "too high" in plan.total_sentence
    assert "that this brings more net revenue than today's split" in plan.sentence
    profit = with_last_week(aim=PlanAim("profit", margin=0.9))
    assert "that this brings more profit than today's split" in profit.sentence


@pytest.mark.parametrize("margin", [0.0, -1.0, 5.0, float("inf"), float("nan")])
def test_a_margin_that_cannot_be_is_refused(margin: float) -> None:
    with pytest.raises(BadInput, match="The margin is"):
        with_last_week(margin=margin)
