"""p-values, and intervals that are their inversion: over assignments, over time, or from a stated distribution.

A hypothesis theta says that theta x pattern is what ads added. Every test here gives a p-value for each theta; the
interval is the hull of the thetas it does not reject, and the p-value shown for theta = 0 is the largest of all thetas
on the far side of 0 from the estimate. So p <= alpha exactly if the interval excludes 0.
experiments.md, "One test, one interval".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import EstimatorName, TestName
from weathervane.experiments.counterfactual import Refit
from weathervane.experiments.panel import Bools, Floats

Statistic = Literal["average", "absolute"]

_TIE = 1e-9
_GRID = 8
_OUTWARD = np.array([2.0**i for i in range(24)])
_ROOT_ROUNDS = 8  # each splits into eighths: to 1e-7 of the first step
_SCANS, _SCANNED = 4, 201
_TOWARDS_ZERO = np.array([1.0 - i / _GRID for i in range(1, _GRID + 1)])


@dataclass(frozen=True)
class Inference:
    """`low` and `high` bound theta at 1 - alpha and are infinite where unbounded; `p_value` is that of theta = 0.

    `fit` is what the fit to the days before the test says, where the test rejects it and `estimate` is another.
    """

    test: TestName
    alpha: float
    estimate: float
    low: float
    high: float
    p_value: float
    p_floor: float
    fit: float | None = None


def distinct_assignments(observed: Bools, assignments: Bools) -> Bools:
    """The assignment set without repeats, the observed one first; [n, n_geos]. A repeat would count one draw twice."""
    if assignments.ndim != 2 or assignments.shape[1] != len(observed):
        raise BadInput(
            f"The assignment set has shape {assignments.shape}, the test {len(observed)} geos.", "use one column a geo."
        )
    packed = np.packbits(np.vstack([observed, assignments]), axis=1)
    _, first = np.unique(packed, axis=0, return_index=True)
    return np.vstack([observed, assignments])[np.sort(first)]


def randomisation(effects: Floats, responses: Floats, alpha: float) -> Inference:
    """The randomisation test, inverted exactly. experiments.md, "Randomisation test".

    `effects` [n] is each assignment's estimate, the observed one first; `responses` [n] what a unit of theta adds.
    The statistic of an assignment under theta is |effect - theta x response|.
    """
    regions = _Regions(effects, responses)
    n = len(effects)
    allowed = int(np.floor(alpha * n + _TIE))
    low, high = regions.hull(allowed)
    floor = int(regions.count(np.array([np.inf]))[0])
    return Inference(
        "randomisation",
        alpha,
        regions.centre,
        low,
        high,
        p_value=float(regions.beyond(np.zeros(1))[0]) / n,
        p_floor=floor / n,
    )


def randomisation_p_values(effects: Floats, responses: Floats, injected: Floats) -> Floats:
    """The p-values of `randomisation` after adding each of `injected` [e] x pattern to the outcome; any number at once.

    `effects` and `responses` [.., n] with the observed assignment first; returns [.., e]. One sort a window, whatever
    the number of injected effects: an injected effect only moves the point at which the same p-curve is read.
    """
    shape = effects.shape[:-1]
    flat_effects = effects.reshape(-1, effects.shape[-1])
    flat_responses = np.broadcast_to(responses, effects.shape).reshape(flat_effects.shape)
    found = np.empty((len(flat_effects), len(injected)))
    for row, effect, response in zip(found, flat_effects, flat_responses, strict=True):
        row[:] = _Regions(effect, response).beyond(-injected) / len(effect)
    return found.reshape(*shape, len(injected))


class _Regions:
    """Where each assignment's statistic is at least the observed one's, as closed intervals of theta."""

    def __init__(self, effects: Floats, responses: Floats) -> None:
        e, s = effects, responses
        self.centre = float(e[0] / s[0]) if s[0] != 0.0 else 0.0
        # |e_a - theta s_a| >= |e_0 - theta s_0|: a quadratic in theta with the roots (e_a -+ e_0) / (s_a -+ s_0).
        scale = max(float(np.abs(s).max()), np.finfo(float).tiny)
        size = max(float(np.abs(e).max()), np.finfo(float).tiny)
        with np.errstate(divide="ignore", invalid="ignore"):
            roots = np.stack([(e - e[0]) / (s - s[0]), (e + e[0]) / (s + s[0])])
        low, high = roots.min(axis=0), roots.max(axis=0)
        same = (np.abs(s - s[0]) <= _TIE * scale) & (np.abs(e - e[0]) <= _TIE * size)
        mirrored = (np.abs(s + s[0]) <= _TIE * scale) & (np.abs(e + e[0]) <= _TIE * size)
        whole = same | mirrored
        bend = np.abs(s) - abs(float(s[0]))
        flat = ~whole & (np.abs(bend) <= _TIE * scale)  # a half-line: one root is at infinity
        inner = ~whole & ~flat & (bend < 0.0)
        outer = ~whole & ~flat & (bend > 0.0)
        edge = np.where(np.abs(s - s[0]) <= _TIE * scale, roots[1], roots[0])[flat]
        rising = (e * s - e[0] * s[0])[flat] < 0.0
        everywhere, nowhere = np.full(int(whole.sum()), -np.inf), np.full(int(outer.sum()), -np.inf)
        self.starts = np.sort(
            np.concatenate([everywhere, low[inner], nowhere, high[outer], np.where(rising, edge, -np.inf)])
        )
        self.ends = np.sort(
            np.concatenate([-everywhere, high[inner], low[outer], -nowhere, np.where(rising, np.inf, edge)])
        )

    def count(self, at: Floats) -> Floats:
        """Number of assignments at least as extreme as the observed one under each theta of `at`."""
        inside = np.searchsorted(self.starts, at, "right") - np.searchsorted(self.ends, at, "left")
        return inside.astype(np.float64)

    def beyond(self, at: Floats) -> Floats:
        """The largest count over the thetas as far from the estimate as `at`, or farther on that side."""
        points = np.unique(np.concatenate([self.starts, self.ends]))
        counts = self.count(points)
        from_left = np.maximum.accumulate(counts)
        from_right = np.maximum.accumulate(counts[::-1])[::-1]
        left = np.searchsorted(points, at, "right") - 1
        right = np.minimum(np.searchsorted(points, at, "left"), len(points) - 1)
        aside = np.where(at <= self.centre, from_left[left], from_right[right])
        return np.maximum(aside, self.count(at))

    def hull(self, allowed: int) -> tuple[float, float]:
        """The outermost thetas with a count above `allowed`."""
        low = self.starts[self.count(self.starts) > allowed]
        high = self.ends[self.count(self.ends) > allowed]
        return float(low.min(initial=self.centre)), float(high.max(initial=self.centre))


def block_conformal(
    estimator: EstimatorName,
    outcome: Floats,
    treated: Bools,
    pattern: Floats,
    n_pre: int,
    alpha: float,
    estimate: float,
    choices: Floats | None = None,
) -> Inference:
    """Moving-block permutations over time, inverted by root search. experiments.md, "Block test over time".

    `outcome` [n_geos, t], `pattern` [t] on the treated mean, 0 before the test; `estimate` is where the search starts.
    `choices` are p-values that geos chosen the same way got where nothing happened: every p is held against them.
    """

    refit = Refit(estimator, outcome, treated, pattern)

    def p_values(thetas: Floats) -> Floats:
        found = block_p_values(refit.residuals(thetas), n_pre)
        return found if choices is None else paid_for(found, choices)

    n = outcome.shape[1] if choices is None else 1 + len(choices)
    step, best = best_effect(refit, n_pre, estimate)
    return search("block_conformal", p_values, estimate, step, alpha, 1.0 / n, best)


def best_effect(refit: Refit, n_pre: int, estimate: float) -> tuple[float, float]:
    """A step of the size of the noise for a search, and the theta of largest p: the one under which the days of the
    test miss nothing on average, so that no window is less extreme.

    Looked for outward from `estimate`, a fit to the days before the test alone, which the refit may well reject.
    """
    unit = float(np.abs(refit.pattern[n_pre:]).mean())
    noise = float(np.abs(refit.residuals(np.array([estimate]))).mean())
    step = max(noise / unit, abs(estimate) * 1e-3, 1e-9) if unit > 0.0 else 1.0

    def miss(thetas: Floats) -> Floats:
        return refit.residuals(thetas)[:, n_pre:].mean(axis=1)

    side = float(np.sign(miss(np.array([estimate]))[0]))
    thetas = estimate + side * step * _OUTWARD  # a larger theta leaves less of the test's days unexplained
    turned = np.flatnonzero(miss(thetas) * side <= 0.0)
    if side == 0.0 or not len(turned):
        return step, estimate
    beyond = float(thetas[turned[0]])
    at = estimate if turned[0] == 0 else float(thetas[turned[0] - 1])
    for _ in range(_ROOT_ROUNDS):
        between = np.linspace(at, beyond, _GRID + 1)
        first = int(np.flatnonzero(miss(between[1:]) * side <= 0.0)[0]) + 1
        at, beyond = float(between[first - 1]), float(between[first])
    return step, 0.5 * (at + beyond)


def paid_for(p_values: Floats, choices: Floats) -> Floats:
    """p-values [..] that pay for a choice of geos: the share of windows that look as extreme, this one among them.

    `choices` [n] are the p-values of windows without effect, before each of which geos were chosen the same way.
    """
    as_extreme = np.searchsorted(np.sort(choices), p_values, "right").astype(np.float64)
    return (1.0 + as_extreme) / (1.0 + len(choices))


def block_p_values(residuals: Floats, n_pre: int, statistic: Statistic = "average") -> Floats:
    """p-values [n] of `residuals` [n, t] refitted over all days: the share of the t circular shifts of the days whose
    window has a statistic at least that of the test's window, itself among them.

    The statistic is the size of the window's average, or, as GeoLift's p-value has it, the sum of absolute residuals.
    That one also rejects where days merely scatter more than before, so it may reject every constant effect and cannot
    be inverted to an interval of the average effect.
    """
    n_days = residuals.shape[1]
    length = n_days - n_pre
    size = np.abs(residuals) if statistic == "absolute" else residuals
    sums = np.concatenate(
        [np.zeros((len(size), 1)), np.cumsum(np.hstack([size, size[:, : length - 1]]), axis=1)], axis=1
    )
    windows = np.abs(sums[:, length:] - sums[:, :-length])
    observed = windows[:, n_pre : n_pre + 1]
    return (windows >= observed - _TIE * np.maximum(observed, 1e-300)).mean(axis=1)


def iid_p_values(residuals: Floats, n_pre: int, draws: Floats, statistic: Statistic = "average") -> Floats:
    """As `block_p_values`, over permutations of single days: right only if days are independent.

    `draws` [t, n_draws] is 1 on the days that a draw puts into the window (`window_draws`).
    """
    size = np.abs(residuals) if statistic == "absolute" else residuals
    observed = np.abs(size[:, n_pre:].sum(axis=1, keepdims=True))
    at_least = (np.abs(size @ draws) >= observed * (1.0 - _TIE)).sum(axis=1)
    return (1.0 + at_least) / (1.0 + draws.shape[1])


def window_draws(n_days: int, length: int, n_draws: int, seed: int) -> Floats:
    """Random windows of `length` single days, [n_days, n_draws], to be drawn once and used for many residuals."""
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(n_days), (n_draws, 1)), axis=1)
    return (order < length).astype(np.float64).T


def student_t(location: float, scale: float, df: int, alpha: float) -> Inference:
    """Two-sided t test of theta = 0 and the interval that is its inversion."""
    reach = float(student.ppf(1.0 - alpha / 2.0, df)) * scale
    p_value = 2.0 * float(student.sf(abs(location) / scale, df)) if scale > 0.0 else float(location == 0.0)
    return Inference("posterior_t", alpha, location, location - reach, location + reach, p_value, 0.0)


def placebo_normal(estimate: float, placebos: Floats, alpha: float) -> Inference:
    """Normal test with the spread of `placebos` [n], effects where there is none. Published for synthetic DID."""
    error = float(np.sqrt(((placebos - placebos.mean()) ** 2).mean()))
    reach = float(norm.ppf(1.0 - alpha / 2.0)) * error
    p_value = 2.0 * float(norm.sf(abs(estimate) / error)) if error > 0.0 else float(estimate == 0.0)
    return Inference("placebo_normal", alpha, estimate, estimate - reach, estimate + reach, p_value, 0.0)


def search(
    test: TestName,
    p_values: Callable[[Floats], Floats],
    estimate: float,
    step: float,
    alpha: float,
    p_floor: float,
    best: float | None = None,
) -> Inference:
    """Inverts `p_values` by root search outward from the thetas it accepts, in steps that double from `step`.

    `estimate` is the fit's own; `best` is the theta of largest p, looked for where it is not given and the estimate is
    rejected. In that case the interval is the region around `best`, which then is the estimate: fit and test disagree,
    and the read-out says so. Theta = 0 is looked at too, so that an end between 0 and the estimate is found exactly if
    p(0) <= alpha. Where nothing is accepted, the test rejects every constant effect: nothing is claimed, p = 1 and no
    bounds.
    """
    at_zero, at_estimate = (float(p) for p in p_values(np.array([0.0, estimate])))
    if best is None:
        best = estimate if at_estimate > alpha else _largest(p_values, estimate, step)
    at_best = float(p_values(np.array([best]))[0])
    shown = estimate if at_estimate > alpha else best
    if max(at_estimate, at_best) <= alpha:
        return Inference(test, alpha, estimate, -np.inf, np.inf, 1.0, p_floor)
    p_value = at_zero
    if estimate * best < 0.0 and min(at_estimate, at_best) > alpha:
        p_value = max(at_zero, min(at_estimate, at_best))  # accepted on both sides of 0: 0 lies between
    accepted = [theta for theta, p in ((estimate, at_estimate), (best, at_best), (0.0, p_value)) if p > alpha]
    ends: list[float] = []
    for side, start in ((-1.0, min(accepted)), (1.0, max(accepted))):
        if p_value <= alpha and (0.0 - start) * side > 0.0:
            inside, outside = _first_rejected(p_values, start, start * _TOWARDS_ZERO, alpha)
        else:
            inside, outside = _first_rejected(p_values, start, start + side * step * _OUTWARD, alpha)
        ends.append(_bisect(p_values, inside, outside, alpha) if np.isfinite(outside) else side * np.inf)
    return Inference(test, alpha, shown, ends[0], ends[1], p_value, p_floor, None if shown == estimate else estimate)


def _largest(p_values: Callable[[Floats], Floats], estimate: float, step: float) -> float:
    """The theta of largest p near `estimate` or 0, on a grid that is drawn anew around the best one found."""
    reach = max(abs(estimate), step * 2.0**_GRID)
    centre = 0.5 * estimate
    for _ in range(_SCANS):
        thetas = np.linspace(centre - reach, centre + reach, _SCANNED)
        centre = float(thetas[int(p_values(thetas).argmax())])
        reach *= 4.0 / _SCANNED
    return centre


def _first_rejected(
    p_values: Callable[[Floats], Floats], inside: float, thetas: Floats, alpha: float
) -> tuple[float, float]:
    """The first rejected of `thetas` and the last accepted before it; infinite if none is rejected."""
    for start in range(0, len(thetas), _GRID):
        some = thetas[start : start + _GRID]
        rejected = np.flatnonzero(p_values(some) <= alpha)
        if len(rejected):
            first = int(rejected[0])
            return (inside if first == 0 else float(some[first - 1])), float(some[first])
        inside = float(some[-1])
    return inside, np.inf


def _bisect(p_values: Callable[[Floats], Floats], inside: float, outside: float, alpha: float) -> float:
    """The accepted theta next to the boundary, by splitting into eighths; to 8^-5 of the first gap."""
    for _ in range(5):
        between = np.linspace(inside, outside, _GRID + 1)[1:-1]
        rejected = np.flatnonzero(p_values(between) <= alpha)
        first = int(rejected[0]) if len(rejected) else len(between)
        outside = float(between[first]) if first < len(between) else outside
        inside = float(between[first - 1]) if first > 0 else inside
    return inside
