"""Guardrails: what each cell may get, which limits clash, and an independent check of the finished plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from weathervane.contracts.errors import BadInput, ModelFailed, PlanImpossible
from weathervane.contracts.figures import share, whole_money
from weathervane.contracts.money import Money, minor_digits
from weathervane.contracts.plan import Certificate, PlanLimits
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.responses import Cell


@dataclass(frozen=True)
class Band:
    """What one cell may get over the period, in minor units. `above_observed`: it already gets more than ever seen."""

    lo: int
    hi: int
    above_observed: bool = False


def bands(
    current: Mapping[Cell, int], observed_max: Mapping[Cell, int], limits: PlanLimits, currency: str
) -> dict[Cell, Band]:
    """The band of every cell. PlanImpossible, naming the two limits with their figures, where a band is empty.

    A cell without current budget stays at zero: there is nothing measured to spend it by. A cell whose current budget
    is above anything observed may stay there and not rise, unless extrapolation is allowed.
    """
    _check_currency(limits, currency)
    return {
        cell: _band(cell, current[cell], observed_max[cell], limits, currency) if current[cell] > 0 else Band(0, 0)
        for cell in sorted(current)
    }


def total_to_spend(current: Mapping[Cell, int], allowed: Mapping[Cell, Band], limits: PlanLimits, currency: str) -> int:
    """The total in minor units; PlanImpossible with the figures where the bands cannot hold it."""
    total = limits.total.minor if limits.total is not None else sum(current.values())
    lowest, highest = sum(band.lo for band in allowed.values()), sum(band.hi for band in allowed.values())
    name = "The total asked for" if limits.total is not None else "The current total"
    money = whole_money(Money(total, currency))
    if total > highest:
        raise PlanImpossible(
            f"{name}, {money}, is more than the cells may hold together, {whole_money(Money(highest, currency))}, "
            f"under {_in_words(limits)}.",
            "lower the total, or widen the limit on change, the largest cell or the cap at observed spend.",
        )
    if total < lowest:
        raise PlanImpossible(
            f"{name}, {money}, is less than the cells must hold together, {whole_money(Money(lowest, currency))}, "
            f"under {_in_words(limits)}.",
            "raise the total, or widen the limit on change or the smallest cell.",
        )
    return total


def _band(cell: Cell, current: int, observed_max: int, limits: PlanLimits, currency: str) -> Band:
    # A decimal as typed: 0.15 is exactly 15 %, so the band never leaks a minor unit.
    change = Fraction(repr(limits.max_change_rel))
    lo, hi = math.ceil(current * (1 - change)), math.floor(current * (1 + change))
    why_hi = f"a change of at most {share(limits.max_change_rel)}"
    cap = max(observed_max, current)
    if not limits.allow_extrapolation and cap < hi:
        hi, why_hi = cap, "the cap at the largest spend ever observed"
    geo, channel = cell
    now = whole_money(Money(current, currency))
    if limits.max_cell is not None and limits.max_cell.minor < lo:
        raise PlanImpossible(
            f"{channel} in {geo} has {now}; a change of at most {share(limits.max_change_rel)} leaves it at least "
            f"{whole_money(Money(lo, currency))}, and the largest cell allowed is {whole_money(limits.max_cell)}.",
            "raise the largest cell or the allowed change.",
        )
    if limits.min_cell is not None and limits.min_cell.minor > hi:
        raise PlanImpossible(
            f"{channel} in {geo} has {now}; {why_hi} lets it reach {whole_money(Money(hi, currency))}, and the "
            f"smallest cell allowed is {whole_money(limits.min_cell)}.",
            "lower the smallest cell or raise the allowed change.",
        )
    lo = lo if limits.min_cell is None else max(lo, limits.min_cell.minor)
    hi = hi if limits.max_cell is None else min(hi, limits.max_cell.minor)
    if lo > hi:
        raise PlanImpossible(
            f"{channel} in {geo} would need at least {whole_money(Money(lo, currency))} and at most "
            f"{whole_money(Money(hi, currency))}.",
            "make the smallest cell no larger than the largest.",
        )
    return Band(lo, hi, above_observed=current > observed_max)


def _check_currency(limits: PlanLimits, currency: str) -> None:
    for money in (limits.total, limits.min_cell, limits.max_cell):
        if money is not None and money.currency != currency:
            raise BadInput(
                f"A limit is in {money.currency} and the budgets are in {currency}.", f"write the limits in {currency}."
            )


def _in_words(limits: PlanLimits) -> str:
    parts = [f"a change of at most {share(limits.max_change_rel)} a cell"]
    if limits.min_cell is not None:
        parts.append(f"at least {whole_money(limits.min_cell)} a cell")
    if limits.max_cell is not None:
        parts.append(f"at most {whole_money(limits.max_cell)} a cell")
    if not limits.allow_extrapolation:
        parts.append("no cell above its largest observed spend")
    return ", ".join(parts)


def verify(
    budgets: Mapping[Cell, int],
    current: Mapping[Cell, int],
    limits: PlanLimits,
    curves: ResponseCurves,
    anomaly_z: Mapping[str, float],
    weeks: int,
    currency: str,
    certificate: Certificate,
) -> None:
    """Recomputes every limit and the objective from the raw inputs; ModelFailed names what does not hold.

    Shares no code with the allocator: a mistake there shows here, and a plan that fails is never shown. The objective
    is the mean over the draws that chose (every second one, from the first).
    """
    minor = 10 ** minor_digits(currency)
    broken: list[str] = []
    if budgets.keys() != current.keys():
        broken.append("the cells of the plan are not the cells of the current budget")
    total = limits.total.minor if limits.total is not None else sum(current.values())
    if sum(budgets.values()) != total:
        broken.append(f"the total is {sum(budgets.values())} minor units, not {total}")
    worth: list[float] = []
    for (geo, channel), budget in budgets.items():
        g, c = curves.geos.index(geo), curves.channels.index(channel)
        now, name = current[geo, channel], f"{channel} in {geo}"
        # One part in 10^9 for the rounding of a product of decimals; far below one minor unit at any real budget.
        if abs(budget - now) > limits.max_change_rel * now * (1 + 1e-9) + 1e-6:
            broken.append(f"{name} changes by more than {share(limits.max_change_rel)}")
        if now > 0 and limits.min_cell is not None and budget < limits.min_cell.minor:
            broken.append(f"{name} is under the smallest cell")
        if now > 0 and limits.max_cell is not None and budget > limits.max_cell.minor:
            broken.append(f"{name} is over the largest cell")
        seen = float(curves.spend_max[g, c]) * weeks * minor
        if not limits.allow_extrapolation and budget > max(now, seen + 1e-6):
            broken.append(f"{name} is above its largest observed spend")
        mean_curve = (curves.outcome[g, c] + anomaly_z.get(geo, 0.0) * curves.outcome_per_z[g, c])[:, ::2].mean(axis=1)
        worth.append(weeks * _read_off(curves.budget[g, c].tolist(), mean_curve.tolist(), budget / minor / weeks))
    objective = math.fsum(worth)
    size = max(1.0, math.fsum(abs(each) for each in worth))
    if abs(objective - certificate.objective) > 1e-6 * size:
        broken.append(f"the expected outcome is {objective:.6g}, the plan says {certificate.objective:.6g}")
    if certificate.upper_bound < objective - 1e-6 * size:
        broken.append("the proven upper bound lies under the expected outcome")
    if broken:
        raise ModelFailed(
            f"The finished plan does not hold what it promises: {'; '.join(broken)}.",
            "keep the current budget and report this with the plan's inputs.",
        )


def _read_off(grid: list[float], values: list[float], budget: float) -> float:
    if budget <= grid[-1]:
        return float(np.interp(budget, grid, values))
    slope = (values[-1] - values[-2]) / (grid[-1] - grid[-2])
    return values[-1] + slope * (budget - grid[-1])
