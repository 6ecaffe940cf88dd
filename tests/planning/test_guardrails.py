"""Bands under the limits, clashes in words with figures, and the check that trusts nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.builders import curves_of, same
from weathervane.contracts.errors import BadInput, ModelFailed, PlanImpossible
from weathervane.contracts.money import Money
from weathervane.contracts.plan import Certificate, PlanLimits
from weathervane.planning.allocate import allocate, choice
from weathervane.planning.guardrails import Band, bands, total_to_spend, verify
from weathervane.planning.responses import cell_responses

A, B = ("dallas", "search"), ("dallas", "social")


def usd(amount: float) -> Money:
    return Money.from_major(amount, "USD")


@given(st.integers(1, 10**9), st.integers(0, 100).map(lambda percent: percent / 100))
def test_a_band_never_leaks_a_minor_unit(current: int, change: float) -> None:
    band = bands({A: current}, {A: 10**12}, PlanLimits(change), "USD")[A]
    percent = round(change * 100)
    assert band.lo * 100 >= current * (100 - percent) > (band.lo - 1) * 100
    assert band.hi * 100 <= current * (100 + percent) < (band.hi + 1) * 100


def test_zero_stays_zero_and_observed_spend_caps() -> None:
    current, seen = {A: 0, B: 1000}, {A: 5000, B: 1100}
    assert bands(current, seen, PlanLimits(0.5), "USD") == {A: Band(0, 0), B: Band(500, 1100)}
    assert bands(current, seen, PlanLimits(0.5, allow_extrapolation=True), "USD")[B] == Band(500, 1500)
    # Already above anything seen: may stay, may not rise, and is flagged.
    assert bands({B: 1000}, {B: 800}, PlanLimits(0.5), "USD")[B] == Band(500, 1000, above_observed=True)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            PlanLimits(0.1, max_cell=usd(50)),
            ("search in dallas has $100", "at least $90", "largest cell allowed is $50"),
        ),
        (PlanLimits(0.1, min_cell=usd(200)), ("at most 10 %", "reach $110", "smallest cell allowed is $200")),
        (PlanLimits(0.9, min_cell=usd(180)), ("largest spend ever observed", "reach $150", "$180")),
        (PlanLimits(0.1, min_cell=usd(105), max_cell=usd(101)), ("at least $105", "at most $101")),
    ],
)
def test_clashes_are_named_with_figures(limits: PlanLimits, words: tuple[str, ...]) -> None:
    with pytest.raises(PlanImpossible) as raised:
        bands({A: 10_000}, {A: 15_000}, limits, "USD")
    assert all(word in raised.value.problem for word in words), raised.value.problem


def test_a_total_that_cannot_be_spent_is_named_with_figures() -> None:
    limits = PlanLimits(0.1, total=usd(500))
    allowed = bands({A: 10_000}, {A: 15_000}, limits, "USD")
    with pytest.raises(
        PlanImpossible, match=r"asked for, \$500, is more than .* \$110, under a change of at most 10 %"
    ):
        total_to_spend({A: 10_000}, allowed, limits, "USD")
    with pytest.raises(PlanImpossible, match=r"\$20, is less than .* \$90"):
        total_to_spend({A: 10_000}, allowed, replace(limits, total=usd(20)), "USD")


def test_a_limit_in_another_currency_is_refused() -> None:
    with pytest.raises(BadInput, match="EUR"):
        bands({A: 1}, {A: 1}, PlanLimits(total=Money(5, "EUR")), "USD")


def finished():
    curves = curves_of(same({"search": 0.6, "social": 1.8}))
    z = {"chicago": 1.5}
    responses = cell_responses(curves, z, 4, "USD")
    current = dict.fromkeys(responses, 4_000_000)
    limits = PlanLimits(0.15)
    allowed = bands(current, {cell: each.observed_max for cell, each in responses.items()}, limits, "USD")
    choices = [choice(responses[cell].half(0), band.lo, band.hi) for cell, band in allowed.items()]
    return allocate(choices, sum(current.values())), current, limits, curves, z


def test_a_sound_plan_passes_and_every_kind_of_damage_is_found() -> None:
    plan, current, limits, curves, z = finished()

    def check(budgets=plan.budgets, limits=limits, z=z, certificate=plan.certificate) -> None:
        verify(budgets, current, limits, curves, z, 4, "USD", certificate)

    check()
    some, other = sorted(plan.budgets)[:2]
    damaged = [
        ({"budgets": plan.budgets | {some: plan.budgets[some] + 1}}, "total"),
        ({"budgets": {cell: b for cell, b in plan.budgets.items() if cell != some}}, "cells"),
        ({"budgets": plan.budgets | {some: plan.budgets[some] - 1, other: plan.budgets[other] + 1}}, "more than 15 %"),
        ({"limits": replace(limits, max_cell=usd(45_000))}, "over the largest"),
        ({"limits": replace(limits, min_cell=usd(35_000))}, "under the smallest"),
        ({"certificate": replace(plan.certificate, objective=plan.certificate.objective * 1.001)}, "expected outcome"),
        ({"certificate": Certificate(plan.certificate.objective, 1.0, 0.0)}, "upper bound"),
    ]
    for change, word in damaged:
        with pytest.raises(ModelFailed, match=word):
            check(**change)
    narrow = replace(curves, spend_max=curves.spend_recent * 1.1)
    with pytest.raises(ModelFailed, match="largest observed"):
        verify(plan.budgets, current, limits, narrow, z, 4, "USD", plan.certificate)
