"""The split: exact totals, bounds held, never worse than now, a true bound, and the best there is on small cases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from weathervane.contracts.errors import PlanImpossible
from weathervane.planning.allocate import Choice, allocate, expected, in_proportion, relax


def choice_of(name: str, lo: int, points: Sequence[tuple[int, float]]) -> Choice:
    budget = np.cumsum([lo, *(width for width, _ in points)]).astype(float)
    value = np.cumsum([0.0, *(width * slope for width, slope in points)])
    return Choice((name, "search"), lo, int(budget[-1]), budget, value)


@st.composite
def problems(draw: st.DrawFn, cells: int = 5, widest: int = 2000, between: float = 0.37) -> tuple[list[Choice], int]:
    """Curves of any shape, S-shaped, flat or falling, and a total the bands can hold."""
    piece = st.tuples(st.integers(1, widest), st.floats(-2, 5, allow_nan=False).map(lambda x: round(x, 3)))
    count = draw(st.integers(1, cells))
    choices = [
        choice_of(f"geo{i}", draw(st.integers(0, widest)), draw(st.lists(piece, min_size=0, max_size=4)))
        for i in range(count)
    ]
    for each in choices:
        each.budget[1:-1] += between  # grid points need not be whole minor units
    lowest, highest = sum(each.lo for each in choices), sum(each.hi for each in choices)
    return choices, draw(st.integers(lowest, highest))


def size_of(choices: Sequence[Choice]) -> float:
    return 1 + sum(float(np.abs(each.value).max()) for each in choices)


@settings(max_examples=80, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_total_exact_bounds_held_never_worse_than_now_and_order_changes_nothing(problem, random) -> None:
    choices, total = problem
    now = in_proportion({each.cell: (each.lo, each.hi) for each in choices}, {each.cell: 1 for each in choices}, total)
    found = allocate(choices, total, start=now)
    assert sum(found.budgets.values()) == total
    assert all(each.lo <= found.budgets[each.cell] <= each.hi for each in choices)
    assert found.certificate.objective >= expected(choices, now)
    assert found.certificate.upper_bound >= found.certificate.objective
    assert found.certificate.objective == expected(choices, found.budgets)
    shuffled = list(choices)
    random.shuffle(shuffled)
    assert allocate(shuffled, total, start=now) == found


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_relaxation_is_the_linear_program_of_the_lambda_formulation(problem) -> None:
    choices, total = problem
    cost = -np.concatenate([each.value for each in choices])
    money = np.concatenate([each.budget for each in choices])
    rows = np.zeros((len(choices) + 1, len(cost)))
    at = 0
    for row, each in enumerate(choices):
        rows[row, at : at + len(each.budget)] = 1
        at += len(each.budget)
    rows[-1] = money
    solved = optimize.linprog(
        cost, A_eq=rows, b_eq=[1.0] * len(choices) + [float(total)], bounds=(0, 1), method="highs"
    )
    assert relax(choices, total).upper_bound == pytest.approx(-solved.fun, abs=1e-5 * size_of(choices))


@settings(max_examples=60, deadline=None)
@given(problems(cells=3, widest=7, between=0.0))
def test_brute_force_agrees_on_small_cases(problem) -> None:
    choices, total = problem
    splits = itertools.product(*(range(each.lo, each.hi + 1) for each in choices))
    best = max(
        sum(each.at(x) for each, x in zip(choices, split, strict=True)) for split in splits if sum(split) == total
    )
    found = allocate(choices, total, tolerance=0.0)
    # The exact search is over fractions of a minor unit; between two grid points rounding may cost one unit a cell.
    assert found.certificate.upper_bound >= best - 1e-6 * size_of(choices)
    assert found.certificate.objective >= best - 5 * len(choices)
    if all(
        len(each.budget) <= 2 or np.all(np.diff(np.diff(each.value) / np.diff(each.budget)) <= 0) for each in choices
    ):
        assert found.certificate.objective == pytest.approx(best, abs=1e-6 * size_of(choices))


def test_an_s_shaped_curve_is_solved_exactly() -> None:
    # Nothing for the first 90, then 10 a unit: the relaxation would half-fill both; the best fills one.
    slow = [(90, 0.0), (10, 10.0)]
    choices = [choice_of("a", 0, slow), choice_of("b", 0, slow), choice_of("c", 0, [(100, 0.1)])]
    assert relax(choices, 150).upper_bound > 140
    found = allocate(choices, 150)
    assert found.certificate.objective == pytest.approx(105.0)
    assert found.certificate.gap_rel < 1e-3
    # Between equals, whichever came first in the list must not matter.
    assert allocate(choices[::-1], 150) == found


def test_a_total_the_bands_cannot_hold_is_refused() -> None:
    with pytest.raises(PlanImpossible):
        allocate([choice_of("a", 5, [(5, 1.0)])], 11)


def test_in_proportion_keeps_what_fits_and_scales_what_does_not() -> None:
    bands = {("a", "s"): (0, 1000), ("b", "s"): (0, 150)}
    shares = {("a", "s"): 300, ("b", "s"): 100}
    assert in_proportion(bands, shares, 400) == shares
    assert in_proportion(bands, shares, 440) == {("a", "s"): 330, ("b", "s"): 110}
    assert in_proportion(bands, shares, 800) == {("a", "s"): 650, ("b", "s"): 150}


def test_two_hundred_cells_stay_interactive() -> None:
    random = np.random.default_rng(3)
    choices = [
        choice_of(
            f"geo{i:03d}",
            5000,
            [
                (int(w), float(s))
                for w, s in zip(random.integers(50, 90, 25), np.sort(random.normal(1, 1, 25))[::-1], strict=True)
            ],
        )
        for i in range(200)
    ]
    total = sum(each.lo + each.hi for each in choices) // 2
    assert allocate(choices, total).certificate.gap_rel < 1e-5
