"""Planning: speed and proof of the allocator, beside SLSQP, and what its plans earn in worlds of known truth.

    python -m benchmarks.planning [--small] [--only speed|slsqp|worlds|lines] [--world NAME ...] [--kind NAME ...]
                                  [--worlds N] [--first SEED] [--write]

`lines` fits worlds for real, some ten CPU seconds each (100 of each kind unless --worlds says otherwise), and runs only
where it is asked for.

Times are CPU seconds of one process, the best of three runs. `--write` puts the rows of these worlds into
docs/modeling/planning.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks.figure import Figure, print_figures
from benchmarks.outside_worlds import KINDS
from benchmarks.planning_worlds import WORLDS, hill, measured, slsqp, write_rows
from weathervane.planning.allocate import best
from weathervane.planning.outcome import caused_mean, evaluate
from weathervane.planning.problem import Bound, Limit, Modulation, Problem, carry_over, total


def with_groups(problem: Problem, low: float, high: float) -> Problem:
    """Every channel and every geo between these shares of what it has now."""
    groups = list[Limit]()
    for axis, names in ((1, problem.channels), (0, problem.geos)):
        for i, name in enumerate(names):
            weight = np.zeros(problem.shape)
            weight[(slice(None),) * axis + (i,)] = 1.0
            now = float((weight * problem.current).sum())
            groups.append(Limit(name, round(low * now), round(high * now), weight))
    return replace(problem, limits=(*problem.limits, *groups))


def ten_thousand(seed: int) -> Problem:
    """40 geos × 5 channels × 50 periods: bent curves, weather that differs by period, groups, and on/off minimums."""
    problem = hill((40, 5, 50), draws=20, seed=seed, bend=3.0)
    now = problem.current
    weather = np.random.default_rng([seed, 1]).normal(size=(40, 50, 20))
    most = int(now.sum())
    return replace(
        with_groups(problem, 0.6, 1.25),
        modulations=(Modulation("temperature", 0.1 * problem.outcome, weather),),
        bounds=(Bound("smallest", np.ceil(0.4 * now).astype(int), np.floor(2.2 * now).astype(int)),),
        pause=np.ones(now.shape, np.bool_),
        limits=(total(round(0.9 * most), most, now.shape), *with_groups(problem, 0.6, 1.25).limits[1:]),
    )


def seconds(run: Callable[[], object]) -> float:
    """CPU seconds of the best of three runs."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return min(times)


def speed(*, small: bool) -> Iterator[Figure]:
    """The four speeds the product promises, on two cores; here measured on one."""
    national = hill((1, 5, 1))
    yield timed("allocate, 5 channels national", national, 0.020)
    weekly = replace(with_groups(hill((40, 5, 4)), 0.9, 1.1), ramp_rel=0.15)
    yield timed("allocate, 40 geos × 5 channels × 4 weeks, groups and steps", weekly, 0.5)
    by_lag = np.repeat((0.5 ** (np.arange(63) / 6))[None, :, None], 5, axis=0) * np.ones(200)
    lasting = replace(weekly, carry=carry_over(by_lag / by_lag.sum(axis=1, keepdims=True), 4, 7))
    yield timed("allocate, the same with carry-over", lasting, 0.5)
    for seed in range(1 if small else 3):
        yield from proven(f"allocate, 10,000 bent cells with groups and on/off, world {seed}", ten_thousand(seed), 3.0)
    daily = hill((40, 5, 7), days=1)
    budgets = np.round(1.05 * daily.current).astype(np.int64)
    took = seconds(lambda: evaluate(daily, budgets))
    yield Figure("evaluate, 40 × 5 × 7 days, 200 draws", took, "s", "≤ 0.05", took <= 0.05)
    daily_lasting = replace(daily, carry=carry_over(by_lag / by_lag.sum(axis=1, keepdims=True), 7, 1))
    took = seconds(lambda: evaluate(daily_lasting, budgets))
    yield Figure("evaluate, the same with carry-over", took, "s", "≤ 0.05", took <= 0.05)


def timed(name: str, problem: Problem, bar: float) -> Figure:
    took, proof = seconds(lambda: best(problem)), best(problem).certificate
    return Figure(name, took, "s", f"≤ {bar}", took <= bar and proof.gap_rel <= 1e-3, f"gap {proof.gap_rel:.1e}")


def proven(name: str, problem: Problem, bar: float) -> Iterator[Figure]:
    yield timed(name, problem, bar)
    gap = best(problem).certificate.gap_rel
    yield Figure(f"gap, {name}", gap, "share", "≤ 0.001", gap <= 1e-3)


# --- beside SLSQP ----------------------------------------------------------------------------------------------------


def beside_slsqp(*, small: bool) -> Iterator[Figure]:
    """How far SLSQP, from five starts, falls short of the allocator on the same curves; it must never lead."""
    for bend, word in ((1.0, "concave"), (3.0, "bent")):
        leads = list[float]()
        for seed in range(4 if small else 20):
            problem = hill((4, 3, 1), draws=50, seed=seed, bend=bend, band=0.9)
            ours = best(problem, tolerance=1e-5)
            theirs = float(caused_mean(problem, slsqp(problem, 5, seed)).sum())
            leads.append((ours.certificate.objective - theirs) / abs(theirs))
        note = f"{len(leads)} problems of 12 cells, ±90 %, SLSQP from 5 starts"
        # The solver's own feasibility tolerance may lend SLSQP a millionth of the total.
        yield Figure(f"smallest lead over SLSQP, {word}", min(leads), "share", "≥ -1e-6", min(leads) >= -1e-6, note)
        yield Figure(f"mean lead over SLSQP, {word}", float(np.mean(leads)), "share", note=note)


PARTS = ("speed", "slsqp", "worlds", "lines")
_QUICK = PARTS[:3]


def main() -> None:
    """Prints every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="fewer problems and worlds of each kind")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=_QUICK, help="these parts alone")
    parser.add_argument(
        "--world", choices=[each.name for each in WORLDS], nargs="+", help="these kinds of worlds alone"
    )
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=KINDS, help="of lines: these kinds of worlds alone")
    parser.add_argument("--first", type=int, default=0, help="seed of the first world")
    parser.add_argument("--worlds", type=int, help="how many worlds of each kind")
    parser.add_argument("--write", action="store_true", help="put the worlds' rows into the page")
    options = parser.parse_args()
    n_worlds: int = options.worlds or (3 if options.small else 200)
    n_lines: int = options.worlds or (2 if options.small else 100)
    chosen = [each for each in WORLDS if options.world is None or each.name in options.world]

    def figures() -> Iterator[Figure]:
        if "speed" in options.only:
            yield from speed(small=options.small)
        if "slsqp" in options.only:
            yield from beside_slsqp(small=options.small)
        for world in chosen if "worlds" in options.only else ():
            rows = [measured(world, goal, n_worlds, options.first) for goal in ("outcome", "profit")]
            if options.write:
                write_rows(rows)
            for row in rows:
                yield from row.figures()
        if "lines" in options.only:
            from benchmarks.planning_lines import of_lines  # loads JAX

            yield from of_lines(options.kind, range(options.first, options.first + n_lines))

    print_figures(figures())


if __name__ == "__main__":
    main()
