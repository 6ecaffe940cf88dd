"""The allocator: the best there is on cases small enough to try, a true bound, limits held, and the laws of money."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.questions import CAUTIOUS, PROFIT, STEP, bent, by_trying, made, up_to, with_carry_over
from weathervane.planning.allocate import best
from weathervane.planning.layout import layout
from weathervane.planning.outcome import evaluate
from weathervane.planning.problem import Bound, Limit, Modulation, Problem, Risk, total
from weathervane.planning.program import Program, _sift, _simplex
from weathervane.planning.reach import holds, objective

EXACT = 1e-5


def found(problem: Problem) -> float:
    """The objective of the best, after what must hold for any."""
    made = best(problem, tolerance=0.0)
    proof = made.certificate
    plan = layout(problem)
    assert holds(plan, made.budgets)
    assert proof.upper_bound >= proof.objective
    if problem.risk.name == "expected":
        assert proof.objective == pytest.approx(objective(plan, made.budgets), abs=1e-9)
    return proof.objective


def a_cent_each(problem: Problem) -> float:
    """What one minor unit in every cell can be worth: a program over fractions of one may lose that by rounding."""
    steepest = (np.diff(problem.outcome, axis=2) / np.diff(problem.grid, axis=2)[..., None]).max()
    return float(steepest) / 100 * problem.current.size


def as_good_as_trying(problem: Problem, rounding: float = 0.0) -> None:
    tried, proof = by_trying(problem), best(problem, tolerance=0.0).certificate
    assert proof.upper_bound >= tried - 1e-9
    # Brute force tries whole steps, the allocator every minor unit: it may do better, never worse.
    assert found(problem) >= tried - EXACT * (1 + abs(tried)) - rounding
    assert proof.upper_bound - proof.objective <= EXACT * (1 + abs(tried)) + rounding


@settings(max_examples=60, deadline=None)
@given(bent())
def test_bent_curves_as_good_as_trying_everything(problem: Problem) -> None:
    as_good_as_trying(problem)


@settings(max_examples=40, deadline=None)
@given(bent(), st.sampled_from([PROFIT, None]), st.integers(1, 2))
def test_switching_off_and_profit_as_good_as_trying_everything(problem, goal, least) -> None:
    low = np.minimum(least * STEP, problem.hi)
    problem = replace(
        problem, bounds=(*problem.bounds, Bound("smallest", low, problem.hi)), pause=np.ones(problem.shape, np.bool_)
    )
    as_good_as_trying(replace(problem, goal=goal or problem.goal))


@settings(max_examples=12, deadline=None)
@given(bent(series=1, periods=3, draws=4), st.booleans())
def test_three_periods_with_carry_over_as_good_as_trying_everything(problem: Problem, pause: bool) -> None:
    problem = with_carry_over(problem)
    if pause:
        bound = Bound("smallest", np.minimum(STEP, problem.hi), problem.hi)
        problem = replace(problem, bounds=(*problem.bounds, bound), pause=np.ones(problem.shape, np.bool_))
    as_good_as_trying(problem, a_cent_each(problem))


@settings(max_examples=15, deadline=None)
@given(bent(series=2, draws=5))
def test_the_lowest_tail_as_good_as_trying_everything(problem: Problem) -> None:
    as_good_as_trying(replace(problem, risk=CAUTIOUS), a_cent_each(problem))


@settings(max_examples=40, deadline=None)
@given(bent(), st.integers(0, 4))
def test_more_money_never_brings_less(problem: Problem, more: int) -> None:
    most = problem.limits[0].high + more * STEP
    assert found(up_to(problem, most)) >= found(problem) - EXACT


@settings(max_examples=40, deadline=None)
@given(bent(), st.integers(0, 6), st.integers(0, 6))
def test_a_tighter_limit_never_brings_more(problem: Problem, most: int, tighter: int) -> None:
    weight = np.zeros(problem.shape)
    weight[:, 0] = 1.0

    def under(high: int) -> float:
        return found(replace(problem, limits=(*problem.limits, Limit("channel0", 0.0, high * STEP, weight))))

    assert under(min(most, tighter)) <= under(most) + EXACT


@settings(max_examples=40, deadline=None)
@given(bent(concave=True))
def test_twice_the_money_brings_less_than_twice(problem: Problem) -> None:
    once = found(problem)
    assert found(up_to(problem, 2 * problem.limits[0].high)) <= 2 * once + EXACT


@settings(max_examples=20, deadline=None)
@given(bent(series=2, draws=5))
def test_caution_raises_the_lowest_tail_and_costs_on_average(problem: Problem) -> None:
    def tail(budgets) -> float:
        return float(np.sort(evaluate(problem, budgets).caused)[:2].mean())

    bold, careful = best(problem).budgets, best(replace(problem, risk=CAUTIOUS)).budgets
    size = 1 + abs(tail(bold))
    assert tail(careful) >= tail(bold) - 2e-3 * size
    plan = layout(problem)
    assert objective(plan, careful) <= objective(plan, bold) + 2e-3 * size


def test_p10_is_steered_by_the_lowest_fifth_and_says_so() -> None:
    rng = np.random.default_rng(4)
    grid = np.tile(np.linspace(0.0, 10.0, 6), (1, 3, 1))
    outcome = np.sqrt(grid)[..., None] * rng.lognormal(0.0, [[0.1], [0.5], [1.0]], (3, 60))[None, :, None]
    problem = up_to(made(grid, outcome), 1200)
    careful = best(replace(problem, risk=Risk("p10")))
    assert careful.certificate.of == "the mean of the lowest 20% of outcomes"
    low = {name: np.quantile(evaluate(problem, each.budgets).caused, 0.1) for name, each in
           (("bold", best(problem)), ("careful", careful))}  # fmt: skip
    assert low["careful"] >= low["bold"]


def many(seed: int, columns: int = 5000, rows: int = 12) -> Program:
    from scipy import sparse

    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 1.5, columns)
    group = rng.integers(1, rows, columns)
    at = (np.concatenate([np.zeros(columns, int), group]), np.tile(np.arange(columns), 2))
    matrix = sparse.csr_array((np.tile(weight, 2), at), (rows, columns))
    full = np.asarray(matrix.sum(axis=1)).ravel()
    return Program(
        rng.normal(1, 1, columns),
        matrix,
        full * 0.2,
        full * rng.uniform(0.25, 0.6, rows),
        np.zeros(columns),
        np.ones(columns),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sifting_reaches_what_the_whole_program_reaches(seed: int) -> None:
    program = many(seed)
    whole, sifted = _simplex(program), _sift(program)
    assert whole is not None
    assert sifted is not None
    assert program.value @ sifted.columns == pytest.approx(program.value @ whole.columns, rel=2e-5)
    reached = program.rows @ sifted.columns
    assert (reached <= program.high + 1e-6).all()
    assert (reached >= program.low - 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(bent(), st.booleans())
def test_one_total_is_solved_by_sorting_as_by_the_simplex(problem: Problem, exact: bool) -> None:
    from weathervane.planning.allocate import relaxed

    problem = up_to(problem, problem.limits[0].high, exact=exact)
    twice = replace(problem, limits=(*problem.limits, replace(problem.limits[0], name="again")))
    assert relaxed(layout(problem))[1] == pytest.approx(relaxed(layout(twice))[1], abs=1e-6)


def test_shadow_prices_are_what_one_more_unit_brings() -> None:
    grid = np.tile(np.linspace(0.0, 1000.0, 41), (2, 2, 1))
    outcome = np.sqrt(grid) * np.array([[1.0, 2.0], [3.0, 4.0]])[..., None]
    problem = up_to(made(grid, outcome), 40_000)
    one, more = best(problem), best(up_to(problem, 41_000))
    price = {each.limit: each.worth for each in one.certificate.binding}["the total"]
    assert price == pytest.approx((more.certificate.objective - one.certificate.objective) / 10, rel=0.15)


def test_a_problem_of_thousands_of_bent_cells_is_solved_within_a_tenth_of_a_percent() -> None:
    rng = np.random.default_rng(3)
    shape = (20, 5)
    spent = rng.lognormal(8, 1, shape)
    grid = spent[..., None] * np.linspace(0, 2.5, 20)
    bend, half = rng.uniform(1, 3, (*shape, 1)), spent[..., None] * rng.uniform(0.5, 2, (*shape, 1))
    outcome = spent[..., None] * 2 * grid**bend / (grid**bend + half**bend)
    current = np.repeat(np.round(100 * spent).astype(np.int64)[..., None], 15, axis=2)
    problem = made(grid, outcome, periods=15, current=current)
    weather = Modulation("temperature", 0.1 * problem.outcome, rng.normal(size=(20, 15, 1)))
    problem = replace(problem, modulations=(weather,))
    low = np.ceil(0.4 * current).astype(np.int64)
    groups = []
    for c in range(5):
        weight = np.zeros(problem.shape)
        weight[:, c] = 1.0
        groups.append(Limit(f"channel{c}", 0.7 * current[:, c].sum(), 1.1 * current[:, c].sum(), weight))
    problem = replace(
        problem,
        bounds=(Bound("smallest", low, 2 * current),),
        pause=np.ones(problem.shape, np.bool_),
        limits=(total(0, int(0.9 * current.sum()), problem.shape), *groups),
    )
    solved = best(problem)
    assert holds(layout(problem), solved.budgets)
    assert solved.certificate.gap_rel <= 1e-3
    assert 0 < (solved.budgets == 0).mean() < 1
