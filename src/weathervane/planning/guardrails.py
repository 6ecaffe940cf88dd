"""Guardrails: the limits of a plan and what it is for, as the bounds, limits and goal of a problem.

What each means in docs/modeling/planning.md, "Guardrails".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.contracts.figures import amount, channel_name, ratio, share, whole_money
from weathervane.contracts.money import Money
from weathervane.contracts.plan import PlanAim, PlanLimits, Scope
from weathervane.planning import outcome
from weathervane.planning.problem import Bools, Bound, Floats, Goal, Limit, Problem, Risk, total


def guarded(
    problem: Problem, limits: PlanLimits, aim: PlanAim, observed_max: Floats, demand: Mapping[str, float]
) -> Problem:
    """The problem under these limits, for this aim.

    `observed_max` [g, c] is the largest weekly spend ever seen, in major units; `demand` the forecast outcome by geo,
    which says who is underspent. Raises BadInput for a limit in another currency or on something that is not there.
    """
    _check(problem, limits, aim)
    bounds = [*_change(problem, limits, aim), *_observed(problem, limits, observed_max), *_sizes(problem, limits)]
    bounded = replace(problem, bounds=tuple(bounds))
    if limits.marginal_floor is not None:
        bounded = replace(bounded, bounds=(*bounds, _worth_it(bounded, limits.marginal_floor)))
    spends = problem.current > 0
    return replace(
        bounded,
        limits=(*_totals(problem, limits, aim), *_groups(problem, limits), *_fair(problem, limits, demand)),
        pause=spends & ~_untouched(problem, limits) if limits.may_pause else None,
        ramp_rel=limits.max_step_rel,
        goal=_goal(aim),
        risk=Risk(aim.risk, aim.tail),
    )


def asked_total(problem: Problem, limits: PlanLimits, aim: PlanAim) -> int:
    """The total in minor units that the plan is asked for: the limit's, else the current one, and any extra."""
    now = limits.total.minor if limits.total is not None else int(problem.current.sum())
    return now + (aim.extra.minor if aim.extra is not None and aim.goal == "extra" else 0)


def _change(problem: Problem, limits: PlanLimits, aim: PlanAim) -> list[Bound]:
    # A decimal as typed: 0.15 is exactly 15 %, so that a bound never leaks a minor unit.
    change, now = Fraction(repr(limits.max_change_rel)), problem.current
    lo, hi = np.empty_like(now), np.empty_like(now)
    for cell, budget in np.ndenumerate(now):
        lo[cell], hi[cell] = math.ceil(int(budget) * (1 - change)), math.floor(int(budget) * (1 + change))
    rules = [Bound(f"a change of at most {share(limits.max_change_rel)} a cell", lo, hi)]
    if aim.goal == "extra" and aim.extra is not None:
        more = aim.extra.minor >= 0
        word = "no cell gives up money" if more else "no cell gets more money"
        rules.append(Bound(word, now if more else 0 * now, np.maximum(hi, now) if more else now))
    held = _untouched(problem, limits)
    if held.any():
        names = ", ".join(_scope(each) for each in limits.untouched)
        rules.append(Bound(f"{names} not touched", np.where(held, now, 0), np.where(held, now, np.maximum(hi, now))))
    return rules


def _observed(problem: Problem, limits: PlanLimits, observed_max: Floats) -> list[Bound]:
    if limits.allow_extrapolation:
        return []
    seen = np.floor(observed_max / problem.per_week + 1e-6).astype(np.int64)[:, :, None]
    hi = np.where(problem.current > 0, np.maximum(seen, problem.current), 0)
    return [Bound("no cell above its largest observed spend", np.zeros_like(hi), hi)]


def _sizes(problem: Problem, limits: PlanLimits) -> list[Bound]:
    spends, rules = problem.current > 0, list[Bound]()
    nothing = np.zeros_like(problem.current)
    top = np.full(problem.shape, 2**53, np.int64)
    if limits.min_cell is not None:
        least = np.where(spends, limits.min_cell.minor, 0)
        rules.append(Bound(f"at least {whole_money(limits.min_cell)} a cell", least, top))
    if limits.max_cell is not None:
        rules.append(
            Bound(f"at most {whole_money(limits.max_cell)} a cell", nothing, np.minimum(top, limits.max_cell.minor))
        )
    for each in limits.platform_minimums:
        here = spends & _cells(problem, Scope(channel=each.channel))
        name = f"{channel_name(each.channel)} takes at least {whole_money(each.minimum)} a cell"
        rules.append(Bound(name, np.where(here, each.minimum.minor, 0), top))
    return rules


def _worth_it(problem: Problem, floor: float) -> Bound:
    """Cells get no more than up to where the next unit brings `floor` on their mean curve, or their least."""
    grid, values = outcome.mean_curves(replace(problem, carry=None))
    slope = np.diff(values, axis=-1) / np.diff(grid, axis=-1)[:, :, None, :] * (7 / problem.period_days)
    # The last piece that still pays: on an S-shaped curve a slow start is no reason to stop.
    pays = slope >= floor
    last = slope.shape[-1] - np.argmax(pays[..., ::-1], axis=-1)
    reach = np.where(pays.any(axis=-1), np.take_along_axis(grid, last.reshape(*grid.shape[:2], -1), -1), 0.0)
    reach = np.where(last == slope.shape[-1], np.where(pays.any(axis=-1), np.inf, 0.0), reach)
    cap = np.floor(np.minimum(reach / problem.per_week, 2.0**53)).astype(np.int64)
    return Bound(
        f"the next unit of money brings at least {ratio(floor)}", np.zeros_like(cap), np.maximum(cap, problem.lo)
    )


def _totals(problem: Problem, limits: PlanLimits, aim: PlanAim) -> list[Limit]:
    asked = asked_total(problem, limits, aim)
    money = whole_money(Money(asked, problem.currency))
    whole = np.ones(problem.shape)
    # What cannot be shipped may stay unspent; profit, a floor and a target say themselves how much to spend.
    exact = aim.goal in ("outcome", "extra") and not limits.inventory
    result = list[Limit]()
    if aim.goal != "target" or limits.total is not None:
        result.append(
            total(asked if exact else 0, asked, problem.shape, f"a total of {'' if exact else 'up to '}{money}")
        )
    if aim.return_floor is not None and aim.goal == "return_floor":
        per = -aim.return_floor / problem.minor * whole
        name = f"a return of at least {ratio(aim.return_floor)}"
        result.append(Limit(name, 0.0, math.inf, per, whole, carried_out=True))
    if aim.target is not None and aim.goal == "target":
        name = f"an outcome of at least {amount(aim.target, '', 1)}"
        result.append(Limit(name, aim.target, math.inf, None, whole, carried_out=True))
    return result


def _groups(problem: Problem, limits: PlanLimits) -> list[Limit]:
    result = list[Limit]()
    for each in limits.groups:
        low = 0 if each.minimum is None else each.minimum.minor
        high = math.inf if each.maximum is None else each.maximum.minor
        ends = [
            f"{word} {whole_money(end)}" for word, end in (("at least", each.minimum), ("at most", each.maximum)) if end
        ]
        weight = _cells(problem, each.scope).astype(np.float64)
        result.append(Limit(f"{_scope(each.scope)} {' and '.join(ends)}", low, high, weight))
    return result


def _fair(problem: Problem, limits: PlanLimits, demand: Mapping[str, float]) -> list[Limit]:
    result = list[Limit]()
    for cap in limits.inventory:
        name = f"at most {amount(cap.maximum, '', 1)} of outcome in {cap.geo}, for more cannot be shipped"
        weight = _cells(problem, Scope(geo=cap.geo)).astype(np.float64)
        result.append(Limit(name, -math.inf, cap.maximum, None, weight))
    for geo in problem.geos:
        here = _cells(problem, Scope(geo=geo)).astype(np.float64)
        if limits.fair_budget_share > 0:
            name = f"every place has at least {share(limits.fair_budget_share)} of the budget"
            result.append(Limit(name, 0.0, math.inf, here - limits.fair_budget_share))
        if limits.fair_outcome_share > 0:
            name = f"every place brings at least {share(limits.fair_outcome_share)} of the outcome"
            result.append(Limit(name, 0.0, math.inf, None, here - limits.fair_outcome_share))
    if limits.exploration_share > 0:
        weight = underspent(problem, demand)[:, None, None] - limits.exploration_share
        name = f"{share(limits.exploration_share)} of the budget for underspent places"
        result.append(Limit(name, 0.0, math.inf, np.broadcast_to(weight, problem.shape).copy()))
    return result


def underspent(problem: Problem, demand: Mapping[str, float]) -> Floats:
    """1 for geos [g] with less than half of the budget that their share of demand would give them, else 0."""
    spent = problem.current.sum(axis=(1, 2)) / max(1, int(problem.current.sum()))
    wanted = np.array([demand.get(geo, 0.0) for geo in problem.geos])
    return (spent < 0.5 * wanted / max(wanted.sum(), 1e-12)).astype(np.float64)


def _goal(aim: PlanAim) -> Goal:
    if aim.goal == "profit" and aim.margin is not None:
        return Goal("most profit", aim.margin, 1.0)
    return Goal("least money", 0.0, 1.0) if aim.goal == "target" else Goal()


def _cells(problem: Problem, scope: Scope) -> Bools:
    """Which cells [g, c, t] a scope holds."""
    of = [[scope.holds(geo, channel) for channel in problem.channels] for geo in problem.geos]
    return np.broadcast_to(np.array(of, np.bool_)[:, :, None], problem.shape)


def _untouched(problem: Problem, limits: PlanLimits) -> Bools:
    held = [_cells(problem, each) for each in limits.untouched]
    return np.any(held, axis=0) if held else np.zeros(problem.shape, np.bool_)


def _scope(scope: Scope) -> str:
    if scope.channel is None:
        return scope.geo or "everything"
    return channel_name(scope.channel) + (f" in {scope.geo}" if scope.geo else "")


def _check(problem: Problem, limits: PlanLimits, aim: PlanAim) -> None:
    monies = [limits.total, limits.min_cell, limits.max_cell, aim.extra]
    monies += [end for each in limits.groups for end in (each.minimum, each.maximum)]
    monies += [each.minimum for each in limits.platform_minimums]
    for money in monies:
        if money is not None and money.currency != problem.currency:
            raise BadInput(
                f"A limit is in {money.currency} and the budgets are in {problem.currency}.",
                f"write the limits in {problem.currency}.",
            )
    scopes = [*(each.scope for each in limits.groups), *limits.untouched]
    scopes += [Scope(geo=cap.geo) for cap in limits.inventory]
    scopes += [Scope(channel=each.channel) for each in limits.platform_minimums]
    for scope in scopes:
        if not _cells(problem, scope).any():
            raise BadInput(f"A limit is about {_scope(scope)}, which is not in the plan.", "check its name.")
