"""The Markdown: every number in it is a value of the plan, formatted; another plan's page does not pass for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date

import pytest

from exports.plans import changing, hostile, keeping
from weathervane.contracts.figures import amount, chance, ratio, share, short_day, spread, whole_money
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan
from weathervane.exports.report import RecoveryRow, plan_evidence, plan_summary, recovery_table

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# What the page says of its own method: 8 in 10, the 80 and 90 % intervals, sha256, the next $1.
_METHOD = {"8", "10", "80", "90", "256", "1"}


def leaves(value: object) -> Iterator[object]:
    """Every value in the plan, Money and Quantiles whole."""
    if isinstance(value, Money | Quantiles):
        yield value
    if isinstance(value, Money):
        return
    if is_dataclass(value):
        for each in fields(value):
            yield from leaves(getattr(value, each.name))
    elif isinstance(value, dict):
        for pair in value.items():
            yield from leaves(pair)
    elif isinstance(value, tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def written(value: object, unit: str) -> list[str]:
    """Every way the page may write one value."""
    if isinstance(value, Money):
        return [whole_money(value)]
    if isinstance(value, Quantiles):
        return [spread(value, unit)] if value.p90 > value.p10 else []
    if isinstance(value, date):
        return [value.isoformat(), short_day(value)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        own = 10.0 ** max(0, len(str(int(abs(value)))) - 4)
        decimals = [f"{abs(value):.1f}", f"{value:.3f}", f"{value:,.0f}"]
        return [ratio(value), share(value), chance(value), amount(value, unit, own), *decimals]
    return [value] if isinstance(value, str) else []


def numbers_of(plan: BudgetPlan) -> set[str]:
    texts = (text for value in leaves(plan) for text in written(value, plan.currency))
    return {number.rstrip(",") for text in texts for number in _NUMBER.findall(text)}


def page_numbers(page: str) -> set[str]:
    return {number.rstrip(",") for number in _NUMBER.findall(page)}


@pytest.mark.parametrize("plan", [changing(), keeping(), hostile()], ids=["change", "keep", "hostile"])
def test_every_number_on_the_page_is_in_the_plan(plan: BudgetPlan) -> None:
    page = plan_evidence(plan, command="make demo", files={})
    assert len(page_numbers(page)) > 40
    assert page_numbers(page) - numbers_of(plan) - _METHOD == set()


def test_the_walk_notices_another_plans_numbers() -> None:
    plan, other = changing(), changing(seed=2)
    page = plan_evidence(plan, command="make demo", files={})
    assert len(page_numbers(page) - numbers_of(other) - _METHOD) > 10
    damaged = replace(plan, model=replace(plan.model, rhat_max=1.173))
    page = plan_evidence(damaged, command="make demo", files={})
    assert page_numbers(page) - numbers_of(plan) - _METHOD == {"1.173"}


@pytest.mark.parametrize("plan", [changing(), keeping(), hostile()], ids=["change", "keep", "hostile"])
def test_the_summary_is_one_screen_of_the_plans_own_numbers(plan: BudgetPlan) -> None:
    page = plan_summary(plan)
    assert page_numbers(page) - numbers_of(plan) - _METHOD == set()
    assert len(page.splitlines()) <= 40
    assert plan.sentence in page
    assert page.startswith("# Weather & Sons: plan\n\n> **DEMO")
    moved = [line for line in plan.lines if line.change.minor]
    assert page.count(" brings ") >= len(moved)
    assert all(line.confidence in page for line in moved)


def test_the_page_holds_what_a_reader_needs() -> None:
    plan = changing()
    page = plan_evidence(plan, command="weathervane demo run --seed 7", files={"plan.json": "0a" * 32})
    assert page.startswith("# Weather & Sons: what the plan rests on\n\n> **DEMO")
    for wanted in (
        plan.sentence,
        plan.reason,
        "| seasonal naive | 13 % |",
        "| recent mean |",
        plan.forecast_quality.sentence,
        plan.grain.reason,
        "R-hat at most 1.004",
        "weathervane demo run --seed 7",
        "0a" * 32,
        *plan.caveats,
        *plan.data_hashes.values(),
    ):
        assert wanted in page
    assert page == plan_evidence(plan, command="weathervane demo run --seed 7", files={"plan.json": "0a" * 32})


def test_names_cannot_break_a_table() -> None:
    plan = hostile()
    page = plan_evidence(
        replace(plan, lines=(replace(plan.lines[0], geo="a|b\nc"), *plan.lines[1:])), command="", files={}
    )
    assert "| a\\|b c |" in page


def test_recovery_tells_what_is_held_and_what_is_not() -> None:
    table = recovery_table(
        [
            RecoveryRow("Return by channel", "search", "$ per $", 0.6, 0.4, 0.55, 0.8),
            RecoveryRow("Return by channel", "social", "$ per $", 1.8, 0.4, 0.55, 0.8),
            RecoveryRow("Weather", "total, warm", "per spread", 0.03, 0.01, 0.028, 0.05),
        ]
    )
    assert "| search | $ per $ | 0.600 | 0.400 | 0.550 | 0.800 | yes |" in table
    assert "| social | $ per $ | 1.800 | 0.400 | 0.550 | 0.800 | no |" in table
    assert "holds the truth in 1 of 2." in table
    assert table.count("###") == 2
