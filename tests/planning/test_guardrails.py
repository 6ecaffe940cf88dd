"""Guardrails: every limit does what it says, clashes are named, and a plan that breaks its word is caught."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from planning.builders import GEOS, curves_of, over, request_of, same
from weathervane.contracts.errors import BadInput, ModelFailed, PlanImpossible
from weathervane.contracts.money import Money
from weathervane.contracts.plan import (
    Certificate,
    ChannelMinimum,
    GroupBudget,
    OutcomeCap,
    PlanAim,
    PlanLimits,
    Scope,
)
from weathervane.planning.allocate import Allocation, best
from weathervane.planning.check import verify, verify_guardrails
from weathervane.planning.clash import clashing
from weathervane.planning.nearest import nearest
from weathervane.planning.outcome import caused_mean, evaluate
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.problem import Bound, Problem, total
from weathervane.planning.request import question

STRONG = same({"search": 0.6, "social": 1.8})
EXACT, FREE = PlanAim(), PlanAim("profit", margin=1.0)
TENTH, SEEN = "a change of at most 10 % a cell", "no cell above its largest observed spend"
SPEND = 1_000_000  # minor units of a cell now


def usd(amount: float) -> Money:
    return Money.from_major(amount, "USD")


def asked(limits: PlanLimits | None = None, aim: PlanAim | None = None, slopes=STRONG, **changes) -> Problem:
    request = request_of(curves_of(slopes, **changes), limits=limits or PlanLimits(), aim=aim or PlanAim())
    return question(request)


def solved(limits: PlanLimits | None = None, aim: PlanAim | None = None, **changes) -> tuple[Problem, Allocation]:
    problem = asked(limits, aim, **changes)
    found = best(problem)
    verify(problem, found.budgets, found.certificate)
    seen = np.full((3, 2), 15_000.0)
    verify_guardrails(problem, found.budgets, limits or PlanLimits(), aim or PlanAim(), seen)
    return problem, found


def spent(found: Allocation) -> dict[str, int]:
    return dict(zip(("search", "social"), found.budgets.sum(axis=(0, 2)).tolist(), strict=True))


def test_a_cell_stays_within_its_change_its_observed_spend_and_at_zero() -> None:
    problem = asked(PlanLimits(0.15))
    assert (problem.lo == 850_000).all()
    assert (problem.hi == 1_150_000).all()
    wide = asked(PlanLimits(0.9))
    assert (wide.hi == 1_500_000).all()  # the largest week seen
    assert (asked(PlanLimits(0.9, allow_extrapolation=True)).hi == 1_900_000).all()
    assert (asked(PlanLimits(0.9, min_cell=usd(5_000), max_cell=usd(12_000))).lo == 500_000).all()
    request = request_of(curves_of(STRONG), current={(g, c): usd(0) for g in GEOS for c in ("search", "social")})
    assert (question(request).hi == 0).all()


@pytest.mark.parametrize("amount", [0.1, 0.15, 0.3, 1.0])
def test_a_share_is_the_decimal_that_was_typed(amount: float) -> None:
    problem = asked(PlanLimits(amount, allow_extrapolation=True))
    assert (problem.lo == round(SPEND * (1 - amount))).all()
    assert (problem.hi == round(SPEND * (1 + amount))).all()


def test_group_budgets_bind_and_are_named() -> None:
    group = GroupBudget(Scope(channel="social"), maximum=usd(31_000))
    _, found = solved(PlanLimits(groups=(group,)))
    assert spent(found)["social"] == 3_100_000
    assert "social at most $31,000" in {each.limit for each in found.certificate.binding}
    both = GroupBudget(Scope("miami", "search"), minimum=usd(9_900))
    problem, found = solved(PlanLimits(groups=(both,)))
    assert found.budgets[problem.geos.index("miami"), 0, 0] >= 990_000


def test_what_is_not_to_be_touched_is_not_touched() -> None:
    problem, found = solved(PlanLimits(untouched=(Scope(geo="dallas"),)))
    assert (found.budgets[problem.geos.index("dallas")] == SPEND).all()
    assert (found.budgets != SPEND).any()


def test_a_platform_takes_its_minimum_or_nothing() -> None:
    least = (ChannelMinimum("search", usd(9_500)),)
    _, found = solved(PlanLimits(platform_minimums=least))
    assert (found.budgets[:, 0] == 950_000).all()
    poor = same({"search": 0.0, "social": 1.8})
    _, found = solved(PlanLimits(0.5, platform_minimums=least, may_pause=True), slopes=poor)
    assert set(found.budgets[:, 0].ravel().tolist()) & {0}
    assert all(each == 0 or each >= 950_000 for each in found.budgets[:, 0].ravel().tolist())


def test_a_floor_on_the_next_unit_takes_money_away_as_far_as_other_limits_allow() -> None:
    limits = PlanLimits(marginal_floor=1.0, total=usd(51_000 + 9_000))
    with pytest.raises(PlanImpossible, match="the next unit of money brings at least"):
        best(asked(replace(limits, total=usd(62_000)), slopes=same({"search": 0.6, "social": 1.1})))
    _, found = solved(limits)
    assert (found.budgets[:, 0] == 850_000).all()


def test_what_cannot_be_shipped_gets_no_budget() -> None:
    problem, free = solved()
    sold = caused_mean(problem, free.budgets).sum(axis=(1, 2))
    cap = float(sold[0]) * 0.95
    problem, found = solved(PlanLimits(inventory=(OutcomeCap("chicago", cap),)))
    assert caused_mean(problem, found.budgets).sum(axis=(1, 2))[0] <= cap * (1 + 1e-6)
    # What Chicago may not sell is worth more elsewhere, and what is worth nothing stays unspent.
    assert found.budgets.sum() <= free.budgets.sum()
    assert found.certificate.gap_rel <= 1e-3


def test_fair_shares_of_budget_and_outcome_reach_every_place() -> None:
    slopes = {(geo, channel): (0.2 if geo == "miami" else 2.0) for geo in GEOS for channel in ("search", "social")}
    loose = PlanLimits(0.6, fair_budget_share=0.30)
    problem, found = solved(loose, slopes=slopes)
    share = found.budgets.sum(axis=(1, 2)) / found.budgets.sum()
    assert share.min() >= 0.30 - 1e-6
    _, free = solved(PlanLimits(0.6), slopes=slopes)
    assert (free.budgets.sum(axis=(1, 2)) / free.budgets.sum()).min() < 0.25
    problem, found = solved(PlanLimits(0.6, fair_outcome_share=0.04), slopes=slopes)
    brought = caused_mean(problem, found.budgets).sum(axis=(1, 2))
    assert brought.min() / brought.sum() >= 0.04 - 1e-6


def test_underspent_places_get_their_share_to_explore() -> None:
    current = {
        (geo, channel): usd(1_000 if geo == "miami" else 10_000) for geo in GEOS for channel in ("search", "social")
    }
    poor = {(geo, channel): (0.1 if geo == "miami" else 2.0) for geo in GEOS for channel in ("search", "social")}
    request = request_of(curves_of(poor), current=current, limits=PlanLimits(0.5, exploration_share=0.05))
    problem = question(request)
    found = best(problem)
    assert found.budgets[problem.geos.index("miami")].sum() >= 0.05 * found.budgets.sum() - 7
    without = best(question(replace(request, limits=PlanLimits(0.5))))
    assert without.budgets[problem.geos.index("miami")].sum() < 0.05 * without.budgets.sum()


def test_from_one_period_to_the_next_no_more_than_the_step() -> None:
    curves = curves_of(same({"search": 1.0, "social": 1.0}), per_z={(geo, "social"): 0.8 for geo in GEOS})
    hot = {geo: np.array([[-1.0], [1.0], [-1.0], [1.0]]) for geo in GEOS}
    request = request_of(curves, weeks=4, step_days=7, limits=PlanLimits(0.15, max_step_rel=0.05))
    problem = question(over(request, hot))
    found = best(problem)
    verify(problem, found.budgets, found.certificate)
    steps = np.abs(np.diff(found.budgets, axis=2)) / found.budgets[:, :, :-1]
    assert 0.04 < steps.max() <= 0.05 + 1e-5
    jumping = found.budgets.copy()
    jumping[0, 0, 1] += 100_000
    with pytest.raises(ModelFailed, match="jumps by more than 5 %"):
        verify(problem, jumping, found.certificate)


def test_extra_money_is_placed_without_touching_the_rest() -> None:
    _, found = solved(aim=PlanAim("extra", extra=usd(1_000)))
    assert found.budgets.sum() == 6 * SPEND + 100_000
    assert (found.budgets >= SPEND).all()
    _, found = solved(aim=PlanAim("extra", extra=usd(-1_000)))
    assert found.budgets.sum() == 6 * SPEND - 100_000
    assert (found.budgets <= SPEND).all()
    assert spent(found)["social"] == 3 * SPEND  # what brings least goes first


def test_profit_a_return_floor_and_a_target_choose_their_own_total() -> None:
    _, thrifty = solved(PlanLimits(0.5, total=usd(60_000)), PlanAim("profit", margin=1.0))
    assert spent(thrifty)["search"] == 1_500_000  # 0.6 back per unit is a loss at any size here
    problem, floored = solved(PlanLimits(0.5, total=usd(90_000)), PlanAim("return_floor", return_floor=1.7))
    caused = float(caused_mean(problem, floored.budgets).sum())
    assert caused / (floored.budgets.sum() / 100) == pytest.approx(1.7, rel=1e-4)
    problem, cheapest = solved(PlanLimits(0.5), PlanAim("target", target=80_000.0))
    assert float(caused_mean(problem, cheapest.budgets).sum()) == pytest.approx(80_000.0, rel=1e-6)
    dearer = best(asked(PlanLimits(0.5), PlanAim("target", target=81_000.0)))
    assert cheapest.budgets.sum() < dearer.budgets.sum() < 6 * SPEND
    with pytest.raises(BadInput, match="needs a figure"):
        PlanAim("profit")


# --- clashes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "aim", "names"),
    [
        (PlanLimits(0.1, total=usd(90_000)), EXACT, [TENTH, "a total of $90,000"]),
        (PlanLimits(0.9, total=usd(100_000)), EXACT, [SEEN, "a total of $100,000"]),
        (PlanLimits(0.1, min_cell=usd(12_000), total=usd(90_000)), FREE, [TENTH, "at least $12,000 a cell"]),
        (
            PlanLimits(0.9, min_cell=usd(9_000), max_cell=usd(8_000)),
            FREE,
            ["at least $9,000 a cell", "at most $8,000 a cell"],
        ),
        (
            PlanLimits(0.9, groups=(
                GroupBudget(Scope(channel="search"), maximum=usd(20_000)),
                GroupBudget(Scope(channel="social"), maximum=usd(30_000)),
                GroupBudget(Scope(geo="miami"), minimum=usd(3_000)),
            )),
            EXACT,
            ["a total of $60,000", "search at most $20,000", "social at most $30,000"],
        ),
    ],
)  # fmt: skip
def test_the_smallest_set_of_limits_that_clash_is_named(limits: PlanLimits, aim: PlanAim, names: list[str]) -> None:
    problem = asked(limits, aim)
    assert clashing(problem) == names
    with pytest.raises(PlanImpossible) as raised:
        best(problem)
    assert all(name.removeprefix("a ") in raised.value.problem for name in names)
    with pytest.raises(PlanImpossible):
        make_budget_plan(request_of(curves_of(STRONG), limits=limits, aim=aim))


def test_every_named_limit_is_needed_for_the_clash() -> None:
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(30):
        problem = asked(PlanLimits(0.3))
        bounds = [
            Bound(
                f"bound {i}", rng.integers(0, SPEND, problem.shape), rng.integers(SPEND // 2, 2 * SPEND, problem.shape)
            )
            for i in range(3)
        ]
        sums = [total(low, low + 1e5, problem.shape, f"sum {i}") for i, low in enumerate(rng.uniform(3e6, 8e6, 2))]
        problem = replace(problem, bounds=tuple(bounds), limits=tuple(sums))
        names = clashing(problem)
        found += bool(names)
        for name in names:
            rest = [each for each in names if each != name]
            kept = replace(
                problem,
                bounds=tuple(each for each in problem.bounds if each.name in rest),
                limits=tuple(each for each in problem.limits if each.name in rest),
            )
            assert clashing(kept) == []
    assert found > 10


def test_limits_on_what_is_not_there_or_in_another_currency_are_refused() -> None:
    with pytest.raises(BadInput, match="EUR"):
        asked(PlanLimits(total=Money(5, "EUR")))
    with pytest.raises(BadInput, match="atlantis"):
        asked(PlanLimits(untouched=(Scope(geo="atlantis"),)))
    with pytest.raises(BadInput, match="between 0 and 1"):
        PlanLimits(max_step_rel=1.5)


# --- nearest ---------------------------------------------------------------------------------------------------------


def test_the_current_split_stays_where_it_may_and_moves_least_where_not() -> None:
    assert (nearest(asked()) == SPEND).all()
    more = nearest(asked(PlanLimits(total=usd(63_000))))
    assert (more == 1_050_000).all()
    limits = PlanLimits(groups=(GroupBudget(Scope(channel="search"), maximum=usd(28_000)),))
    moved = nearest(asked(limits))
    assert moved.sum() == 6 * SPEND
    assert moved[:, 0].sum() == 2_800_000


# --- the check -------------------------------------------------------------------------------------------------------


def test_a_sound_plan_passes_and_every_kind_of_damage_is_found() -> None:
    group = GroupBudget(Scope(channel="search"), minimum=usd(26_000))
    limits, aim, seen = PlanLimits(0.15, groups=(group,)), PlanAim(), np.full((3, 2), 15_000.0)
    problem = asked(limits)
    found = best(problem)
    budgets, proof = found.budgets, found.certificate

    def both(budgets=budgets, limits=limits, proof=proof, problem=problem, seen=seen) -> None:
        verify(problem, budgets, proof)
        verify_guardrails(problem, budgets, limits, aim, seen)

    both()
    more, moved, far = budgets.copy(), budgets.copy(), budgets.copy()
    more[0, 0, 0] += 1
    moved[0, 0, 0] -= 400_000
    moved[0, 1, 0] += 400_000
    far[:, 0], far[:, 1] = 860_000, 1_140_000
    damaged = [
        ({"budgets": more}, "total"),
        ({"budgets": moved}, "a change of at most 15 %"),
        ({"budgets": far}, "search at least"),
        ({"budgets": budgets[:2]}, "cells"),
        ({"limits": replace(limits, max_cell=usd(11_000))}, "over the largest"),
        ({"limits": replace(limits, min_cell=usd(9_900))}, "under the smallest"),
        ({"limits": replace(limits, untouched=(Scope(),))}, "not to be touched"),
        ({"limits": replace(limits, groups=(replace(group, maximum=usd(1)),))}, "outside its budget"),
        ({"proof": replace(proof, objective=proof.objective * 1.001)}, "objective"),
        ({"proof": Certificate(proof.objective, 1.0, 0.0)}, "upper bound"),
        ({"seen": seen * 0.5, "limits": replace(limits, max_change_rel=1.0)}, "largest observed"),
    ]
    for change, word in damaged:
        with pytest.raises(ModelFailed, match=word):
            both(**change)


def test_the_check_holds_for_carry_over_weather_and_caution() -> None:
    curves = curves_of(STRONG, per_z={(geo, "social"): 0.3 for geo in GEOS}, draws=60)
    by_lag = np.random.default_rng(1).dirichlet(np.ones(15), size=(2, 60)).transpose(0, 2, 1)
    curves = replace(curves, carry_over=by_lag)
    for risk in ("expected", "cvar"):
        problem = question(request_of(curves, weeks=2, step_days=7, aim=PlanAim(risk=risk)))
        found = best(problem)
        verify(problem, found.budgets, found.certificate)
        assert problem.carry is not None
        with pytest.raises(ModelFailed):
            verify(problem, found.budgets, replace(found.certificate, objective=found.certificate.objective * 1.0001))


# --- carry-over ------------------------------------------------------------------------------------------------------


def test_what_a_straight_curve_brings_is_the_same_whenever_it_comes() -> None:
    curves = curves_of(STRONG, half=math.inf, draws=50, error=0.3)
    assert np.allclose(np.diff(curves.outcome, n=2, axis=2), 0.0, atol=1e-6)
    by_lag = np.zeros((2, 21, 50))
    by_lag[:, [0, 7, 14]] = np.array([0.5, 0.3, 0.2])[None, :, None]
    at_once = question(request_of(curves, weeks=2, step_days=7))
    later = question(request_of(replace(curves, carry_over=by_lag), weeks=2, step_days=7))
    budgets = at_once.current + np.arange(12).reshape(3, 2, 2) * 10_000
    now, spread = evaluate(at_once, budgets), evaluate(later, budgets)
    assert spread.caused == pytest.approx(now.caused)
    # Of the last week half comes after it, of the first a fifth; what spend before brings is its own number.
    rate = evaluate(at_once, budgets).by_cell
    assert spread.carry_out == pytest.approx(0.5 * rate[:, :, 1] + 0.2 * rate[:, :, 0])
    steady = evaluate(at_once, at_once.current).by_cell
    assert spread.carry_in == pytest.approx(0.7 * steady[:, :, 0])
