"""Market selection: the second way to a design, by model; choosing the best of many is repeated inside the placebo.

experiments.md, "Market selection".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from scipy.stats import rankdata

from weathervane.contracts.errors import NotEnoughData, PlanImpossible
from weathervane.contracts.experiment import EstimatorName
from weathervane.experiments.counterfactual import Refit, counterfactual
from weathervane.experiments.inference import block_p_values, iid_p_values, window_draws
from weathervane.experiments.panel import Floats, Panel
from weathervane.experiments.power import taken_out

_N_DRAWS = 10_000
_ENOUGH_POWER = 0.8
_MIN_PAST = 2  # windows of history before one that is looked at
_MAX_WINDOWS = 60
_draws = lru_cache(maxsize=8)(window_draws)  # every candidate is tested under the same permutations

Markets = tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """What is searched: set sizes, test lengths and effects (signed, relative).

    `cost_per_unit` is spend per unit of outcome, which prices a test at the effect it can find; `budget` is its limit.
    """

    sizes: tuple[int, ...]
    lengths: tuple[int, ...]
    effects: tuple[float, ...]
    must_treat: Markets = ()
    must_not_treat: Markets = ()
    n_windows: int = 1
    alpha: float = 0.1
    cost_per_unit: float = 1.0
    budget: float | None = None
    estimator: EstimatorName = "synthetic_control"
    seed: int = 0


@dataclass(frozen=True)
class Candidate:
    """A set of markets and a length of test, at the smallest effect found with a power over 0.8; 1 is the best rank.

    `mean_effect` is outcome a market and day; `bias_rel` is how far the estimated lift lies from the one put in, to
    three decimals; `correlation` that of the set's total with all others'.
    """

    rank: int
    markets: Markets
    n_days: int
    effect_rel: float
    power: float
    mean_lift_rel: float
    mean_effect: float
    imbalance_scaled: float
    investment: float
    bias_rel: float
    correlation: float


@dataclass(frozen=True)
class Curve:
    """Of one set of markets: power and mean estimated lift at each effect, over windows of the history."""

    effects: Floats
    power: Floats
    mean_lift_rel: Floats
    mean_effect: Floats
    imbalance_scaled: float
    outcome: float  # mean over windows of the set's total in a window
    n_windows: int


@dataclass(frozen=True)
class Placebos:
    """Windows before the test: the p-values [n_windows, n_put_in] that the set chosen from the days before each got."""

    p_values: Floats
    chosen: tuple[Markets, ...] = field(repr=False)

    def size(self, alpha: float) -> float:
        """How often the set chosen beforehand rejects where nothing was put in (the first column)."""
        return float((self.p_values[:, 0] <= alpha).mean())


def candidate_sets(panel: Panel, search: Search) -> tuple[Markets, ...]:
    """Each market with those that move most like it, in every size asked for, as GeoLift proposes them.

    Markets that must not be treated stay in the control. Raises PlanImpossible where no set holds what must be treated.
    """
    panel.rows((*search.must_treat, *search.must_not_treat))
    geos = tuple(geo for geo in panel.geos if geo not in search.must_not_treat)
    alike = np.corrcoef(panel.only(geos).outcome)
    order = np.argsort(-alike, axis=1, kind="stable")
    must = set(search.must_treat)
    found: dict[Markets, None] = {}
    for size in search.sizes:
        for row in order:
            markets = tuple(sorted(geos[i] for i in row[:size]))
            if must <= set(markets) and size < len(panel.geos):
                found[markets] = None
    if not found:
        raise PlanImpossible(
            f"No set of markets that move alike holds {', '.join(search.must_treat)}.", "ask for larger sets."
        )
    return tuple(found)


def power_curve(panel: Panel, markets: Markets, n_days: int, search: Search) -> Curve:
    """Power of a test over time of these markets, with GeoLift's statistic, in the last windows of the panel.

    NotEnoughData where the panel is shorter than two such tests.
    """
    treated = np.isin(np.array(panel.geos), markets)
    effects = np.asarray(search.effects, dtype=np.float64)
    p_values: list[Floats] = []
    lifts: list[Floats] = []
    means: list[Floats] = []
    misses: list[float] = []
    totals: list[float] = []
    for shift in range(search.n_windows):
        outcome = panel.outcome[:, : panel.outcome.shape[1] - shift]
        n_pre = outcome.shape[1] - n_days
        if n_pre < n_days:
            raise NotEnoughData(
                f"The history of {panel.outcome.shape[1]} days is too short for tests of {n_days}.", "bring more days."
            )
        draws = _draws(outcome.shape[1], n_days, _N_DRAWS, search.seed)
        found = counterfactual(search.estimator, outcome, treated, n_pre)
        target = outcome[treated].mean(axis=0)
        pattern = np.where(np.arange(outcome.shape[1]) >= n_pre, target, 0.0)
        residuals = Refit(search.estimator, outcome, treated, pattern).residuals(-effects)
        p_values.append(iid_p_values(residuals, n_pre, draws, "absolute"))
        means.append(found.effect[n_pre:].mean() + effects * target[n_pre:].mean())
        lifts.append(means[-1] / abs(float(found.mean[n_pre:].mean())))
        misses.append(found.imbalance_scaled)
        totals.append(float(outcome[treated, n_pre:].sum()))
    return Curve(
        effects,
        (np.array(p_values) <= search.alpha).mean(axis=0),
        np.mean(lifts, axis=0),
        np.mean(means, axis=0),
        float(np.mean(misses)),
        float(np.mean(totals)),
        search.n_windows,
    )


def select_markets(panel: Panel, search: Search) -> tuple[Candidate, ...]:
    """Candidates by rank: mean of the ranks of their smallest effect, their power and the bias of their estimate.

    Those that cannot find any effect of the search, or cost more than its budget, are not listed.
    """
    found = [
        one
        for markets in candidate_sets(panel, search)
        for n_days in search.lengths
        if (one := _candidate(panel, markets, n_days, search)) is not None
    ]
    if not found:
        return ()
    # As published, sets are ranked before those over budget go; the others then keep their order.
    ranks = [
        rankdata([abs(one.effect_rel) for one in found], "dense"),
        rankdata([1.0 - one.power for one in found], "dense"),
        rankdata([one.bias_rel for one in found], "dense"),
    ]
    kept = [i for i, one in enumerate(found) if search.budget is None or abs(one.investment) <= search.budget]
    overall = rankdata(np.sum(ranks, axis=0)[kept], "min")
    ranked = [replace(found[i], rank=int(rank)) for i, rank in zip(kept, overall, strict=True)]
    return tuple(sorted(ranked, key=lambda one: (one.rank, abs(one.effect_rel), one.imbalance_scaled)))


def placebos_of_selection(
    panel: Panel, n_days: int, search: Search, put_in: Floats | None = None, weather: Floats | None = None
) -> Placebos:
    """Chooses a set anew before each of many past windows and tests it there by block permutation.

    `search.lengths` is not looked at; `put_in` are shares that the treated outcome gains (none alone, if not given);
    with `weather` [k, n_geos, t] it is taken out before the test. What a set chosen the same way gets in its own window
    is to be held against these (`paid_for`). NotEnoughData with fewer than three such windows.
    """
    put_in = np.zeros(1) if put_in is None else put_in
    n_all = panel.outcome.shape[1]
    first = (_MIN_PAST + 1) * n_days
    starts = np.arange(first, n_all - n_days + 1)
    if len(starts) < 3:
        raise NotEnoughData(
            f"{n_all} days hold too few windows of {n_days} to repeat the selection in.", "bring a longer history."
        )
    starts = np.unique(np.linspace(starts[0], starts[-1], min(len(starts), _MAX_WINDOWS)).astype(np.intp))
    p_values: list[Floats] = []
    chosen: list[Markets] = []
    for start in starts.tolist():
        past = Panel(panel.geos, panel.days[:start], panel.outcome[:, :start])
        best = closest(past, n_days, search)
        treated = np.isin(np.array(panel.geos), best)
        sold = panel.outcome[treated, : start + n_days].mean(axis=0)
        pattern = np.where(np.arange(start + n_days) >= start, sold, 0.0)
        read = taken_out(panel.outcome, weather, start, n_days)
        p_values.append(block_p_values(Refit(search.estimator, read, treated, pattern).residuals(-put_in), start))
        chosen.append(best)
    return Placebos(np.array(p_values), tuple(chosen))


def closest(past: Panel, n_days: int, search: Search) -> Markets:
    """The set whose counterfactual, fitted before the last window of `past`, foretold that window best for its size."""
    n_pre = past.outcome.shape[1] - n_days
    geos = np.array(past.geos)
    misses: dict[Markets, float] = {}
    for markets in candidate_sets(past, search):
        treated = np.isin(geos, markets)
        found = counterfactual(search.estimator, past.outcome, treated, n_pre)
        misses[markets] = abs(float(found.effect[n_pre:].sum())) / max(abs(float(found.mean[n_pre:].sum())), 1e-12)
    return min(misses, key=lambda markets: (misses[markets], markets))


def _candidate(panel: Panel, markets: Markets, n_days: int, search: Search) -> Candidate | None:
    curve = power_curve(panel, markets, n_days, search)
    enough = [i for i in range(len(curve.effects)) if curve.power[i] > _ENOUGH_POWER and curve.effects[i] != 0.0]
    if not enough:
        return None
    at = min(enough, key=lambda i: abs(float(curve.effects[i])))
    effect = float(curve.effects[at])
    rows = np.isin(np.array(panel.geos), markets)
    together = np.corrcoef(panel.outcome[rows].sum(axis=0), panel.outcome[~rows].sum(axis=0))[0, 1]
    return Candidate(
        rank=0,
        markets=markets,
        n_days=n_days,
        effect_rel=effect,
        power=float(curve.power[at]),
        mean_lift_rel=float(curve.mean_lift_rel[at]),
        mean_effect=float(curve.mean_effect[at]),
        imbalance_scaled=curve.imbalance_scaled,
        investment=search.cost_per_unit * effect * curve.outcome,
        bias_rel=round(abs(float(curve.mean_lift_rel[at]) - effect), 3),
        correlation=float(together),
    )
