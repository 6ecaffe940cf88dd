"""Planning: speed and proof of the allocator, beside SLSQP, and what its plans earn in worlds of known truth.

`python -m benchmarks.planning [--small]`. Times are CPU seconds of one process, the best of three runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from benchmarks.figure import Figure, print_figures
from weathervane.planning.allocate import best
from weathervane.planning.decision import decide
from weathervane.planning.nearest import nearest
from weathervane.planning.outcome import caused_mean, evaluate
from weathervane.planning.problem import Bound, Floats, Ints, Limit, Problem, carry_over, total

GRID = 25
BAND = 0.15


def hill(
    shape: tuple[int, int, int],
    *,
    days: int = 7,
    draws: int = 200,
    seed: int = 0,
    bend: float = 1.0,
    band: float = BAND,
) -> Problem:
    """Hill curves of random size, half-saturation and bend (1 to `bend`), with posterior draws; the total stays."""
    g, c, t = shape
    rng = np.random.default_rng(seed)
    spent = rng.lognormal(9, 1, (g, c))
    grid = 2.5 * spent[..., None] * np.linspace(0, 1, GRID) ** 1.5
    power, half = rng.uniform(1, bend, (g, c, 1, 1)), spent[..., None, None] * rng.uniform(0.3, 2.0, (g, c, 1, 1))
    size = (
        spent[..., None, None] * rng.lognormal(0.5, 0.5, (g, c, 1, 1)) * np.exp(0.3 * rng.normal(size=(g, c, 1, draws)))
    )
    x = grid[..., None] ** power
    current = np.repeat(np.round(spent * 100 * days / 7).astype(np.int64)[..., None], t, axis=2)
    bound = Bound("change", np.ceil(current * (1 - band)).astype(int), np.floor(current * (1 + band)).astype(int))
    return Problem(
        tuple(f"geo{i:05d}" for i in range(g)), tuple(f"channel{i:03d}" for i in range(c)), t, days, "USD", grid,
        size * x / (x + half**power), None, np.zeros((g, t, draws)), spent, current, bounds=(bound,),
        limits=(total(int(current.sum()), int(current.sum()), shape),),
    )  # fmt: skip


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
    weather = np.random.default_rng([seed, 1]).normal(size=problem.z.shape)
    most = int(now.sum())
    return replace(
        with_groups(problem, 0.6, 1.25),
        outcome_per_z=0.1 * problem.outcome,
        z=weather,
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


def slsqp(problem: Problem, starts: int, seed: int = 0) -> Floats:
    """The best budgets that SLSQP finds from several starts, on the same mean curves, total and bounds."""
    rng = np.random.default_rng(seed)
    lo, hi = problem.lo.ravel().astype(float), problem.hi.ravel().astype(float)
    asked, scale = problem.limits[0].high, float(problem.current.max())
    unit = abs(float(caused_mean(problem, problem.current).sum())) or 1.0

    def outcome(x: Floats) -> float:
        return -float(caused_mean(problem, x.reshape(problem.shape) * scale).sum()) / unit

    def slope(x: Floats) -> Floats:
        step = 1e-4
        up, down = ((x + sign * step).reshape(problem.shape) * scale for sign in (1, -1))
        rise = caused_mean(problem, up) - caused_mean(problem, down)
        return -rise.ravel() / (2 * step * unit)

    found, least = problem.current.ravel() / scale, np.inf
    for turn in range(starts):
        start = problem.current.ravel() / scale if turn == 0 else rng.uniform(lo, hi) / scale
        result = optimize.minimize(
            outcome, start, jac=slope, method="SLSQP", bounds=list(zip(lo / scale, hi / scale, strict=True)),
            constraints={"type": "eq", "fun": lambda x: x.sum() - asked / scale, "jac": np.ones_like},
            options={"maxiter": 300},
        )  # fmt: skip
        if abs(result.x.sum() - asked / scale) < 1e-6 and result.fun < least:
            found, least = result.x, result.fun
    return found.reshape(problem.shape) * scale


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


# --- worlds of known truth -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A kind of world: returns by channel and by line, each normal around its mean with these spreads."""

    name: str
    level: float
    channels: float
    lines: float
    error: float
    pooled: bool


WORLDS = (
    World("null: ads do nothing", 0.0, 0.0, 0.0, 0.5, pooled=False),
    World("no difference", 1.0, 0.0, 0.0, 0.5, pooled=False),
    World("channels differ", 1.2, 0.5, 0.0, 0.3, pooled=True),
    World("lines differ too", 1.2, 0.4, 0.3, 0.3, pooled=True),
    World("lines differ, unpooled", 1.2, 0.4, 0.3, 0.3, pooled=False),
)


def believed(world: World, seed: int, geos: int = 8, channels: int = 4, draws: int = 200) -> tuple[Problem, Problem]:
    """(what a fit believes, the truth): the same curves by lines of an estimated and of the true return."""
    rng = np.random.default_rng([seed, len(world.name)])
    by_channel = world.channels * rng.normal(size=(1, channels))
    truth = world.level + by_channel + world.lines * rng.normal(size=(geos, channels))
    estimate, spread = truth + world.error * rng.normal(size=truth.shape), world.error
    if world.pooled:
        # Shrunk to its channel's mean as far as the lines' own spread says.
        keep = max(world.lines**2, 1e-4) / (max(world.lines**2, 1e-4) + world.error**2)
        middle = estimate.mean(axis=0)
        spread = float(np.sqrt(keep * world.error**2 + (1 - keep) ** 2 * world.error**2 / geos))
        estimate = middle + keep * (estimate - middle)
    base = hill((geos, channels, 1), draws=1, seed=seed)
    x = base.grid[..., None] / base.spent[..., None, None]
    curve = base.spent[..., None, None] * x / (1 + x / 3) * (4 / 3) ** 2  # marginal return one at present spend
    drawn = estimate[..., None] + spread * rng.normal(size=(geos, channels, draws))
    fit = replace(base, outcome=curve * drawn[:, :, None, :], z=np.zeros((geos, 1, draws)))
    return fit, replace(base, outcome=curve * truth[..., None, None])


def worlds(*, small: bool) -> Iterator[Figure]:
    """Outcome realised by each way to set budgets, beside that of current spend, as a share of it."""
    for world in WORLDS:
        gains: dict[str, list[float]] = {"plan": [], "equal split": [], "SLSQP": [], "omniscient": []}
        changes, covered = 0, 0
        for seed in range(3 if small else 30):
            fit, truth = believed(world, seed)
            decision = decide(fit, media_signal=True)
            changes += decision.change
            ways: dict[str, Ints | Floats] = {
                "plan": decision.budgets,
                "equal split": nearest(replace(fit, current=np.full_like(fit.current, fit.current.mean()))),
                "SLSQP": slsqp(fit, 2, seed),
                "omniscient": best(truth).budgets,
            }
            now = float(caused_mean(truth, fit.current).sum())
            low, high = np.quantile(decision.gain, [0.05, 0.95])
            true = float(caused_mean(truth, decision.budgets).sum()) - now
            covered += decision.change and low <= true <= high
            size = float(fit.current.sum()) / 100
            for name, budgets in ways.items():
                gains[name].append((float(caused_mean(truth, budgets).sum()) - now) / size)
        n = len(gains["plan"])
        for name, values in gains.items():
            mean, error = float(np.mean(values)), float(np.std(values) / np.sqrt(n))
            judged = name == "plan" and world.level == 0
            note = f"{n} worlds, per unit of budget, standard error {error:.4f}"
            if name == "plan":
                note += f"; {changes} plans change something, the 90 % interval of {covered} holds the true gain"
            figure = f"gain over current spend, {world.name}, {name}"
            yield Figure(figure, mean, "share of budget", "≥ 0" * judged, mean >= -1e-12 if judged else None, note)
        regret = np.array(gains["omniscient"]) - np.array(gains["plan"])
        yield Figure(f"regret, {world.name}", float(regret.mean()), "share of budget", note="omniscient less plan")


def main() -> None:
    """Prints every figure."""
    small = "--small" in sys.argv

    def figures() -> Iterator[Figure]:
        yield from speed(small=small)
        yield from beside_slsqp(small=small)
        yield from worlds(small=small)

    print_figures(figures())


if __name__ == "__main__":
    main()
