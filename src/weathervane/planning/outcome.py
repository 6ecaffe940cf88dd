"""Outcome: what budgets bring, draw by draw; and the mean curves that a choice is made on.

Formulas in docs/modeling/planning.md, "The problem" and "Carry-over".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.planning.problem import Floats, Ints, Problem


@dataclass(frozen=True)
class Outcome:
    """What budgets bring, in major units.

    `by_cell` [g, c, t, d] comes within the horizon, by the horizon's own budgets; `carry_out` [g, c, d] after it.
    `carry_in` [g, c, d] comes within the horizon by spend before it, whatever the budgets.
    """

    by_cell: Floats
    carry_in: Floats
    carry_out: Floats

    @property
    def caused(self) -> Floats:
        """Draws [d] of all that the budgets cause, in the horizon and after it."""
        return self.by_cell.sum(axis=(0, 1, 2)) + self.carry_out.sum(axis=(0, 1))


def evaluate(problem: Problem, budgets: Ints | Floats) -> Outcome:
    """Draws of what budgets [g, c, t] in minor units bring; every draw with its own curve, carry-over and weather."""
    n = problem.n_periods
    if problem.carry is None:
        by_cell = _read(problem, pressure(problem, budgets)[..., None])
        nothing = np.zeros((*by_cell.shape[:2], by_cell.shape[3]))
        return Outcome(by_cell, nothing, nothing)
    held = _read(problem, pressure(problem, np.zeros(problem.shape), by_draw=True))
    brought = _read(problem, pressure(problem, budgets, by_draw=True)) - held
    return Outcome(brought[:, :, :n], held[:, :, :n].sum(axis=2), brought[:, :, n:].sum(axis=2))


def caused_mean(problem: Problem, budgets: Ints | Floats, weights: Floats | None = None) -> Floats:
    """Outcome [g, c, p] at each point by these budgets, on the curves a choice is made on: weighted mean over draws
    [d], and mean carry-over."""
    points, values = mean_curves(problem, weights)
    at = pressure(problem, budgets, by_draw=False)
    brought = interpolate(points, values, at)
    return brought if problem.carry is None else brought - interpolate(points, values, pressure(problem, 0 * budgets))


def caused_draws(problem: Problem, budgets: Ints | Floats) -> Floats:
    """Draws [d] of what budgets cause by mean carry-over: what a cautious choice is made on."""
    at = pressure(problem, budgets)[..., None]
    brought = _read(problem, at)
    if problem.carry is not None:
        brought = brought - _read(problem, pressure(problem, 0 * budgets)[..., None])
    return brought.sum(axis=(0, 1, 2))


def marginal(problem: Problem, budgets: Ints) -> Floats:
    """Draws [g, c, t, d] of the outcome that one more minor unit brings, averaged over 5 % either side of budgets."""
    if problem.carry is None:
        rates = np.asarray(budgets * problem.per_week, dtype=np.float64)
        low = 0.95 * rates
        high = np.where(rates > 0, 1.05 * rates, problem.grid[:, :, 1:2])
        rise = _read(problem, high[..., None]) - _read(problem, low[..., None])
        return rise / (high - low)[..., None] * problem.per_week
    at = pressure(problem, budgets, by_draw=True)
    width = np.where(at > 0, 0.05 * at, problem.grid[:, :, 1, None, None])
    low = np.maximum(at - width, 0.0)
    slope = (_read(problem, at + width) - _read(problem, low)) / (at + width - low)
    return np.einsum("gcpd,cptd->gctd", slope, problem.carry.within) * problem.per_week


def pressure(problem: Problem, budgets: Ints | Floats, *, by_draw: bool = False) -> Floats:
    """Weekly spend [g, c, p], or [g, c, p, d], that counts at each point after carry-over, in major units."""
    rates = np.asarray(budgets * problem.per_week, dtype=np.float64)
    if problem.carry is None:
        return rates[..., None] if by_draw else rates
    carry, spent = problem.carry, problem.spent
    if by_draw:
        steady = spent[:, :, None, None] * (carry.before + carry.after)
        if not budgets.any():
            return steady
        n_geos, n_channels, _ = budgets.shape
        by_channel = np.moveaxis(rates, 1, 0) @ carry.within.transpose(0, 2, 1, 3).reshape(
            n_channels, problem.n_periods, -1
        )
        return steady + np.moveaxis(by_channel.reshape(n_channels, n_geos, *steady.shape[2:]), 1, 0)
    around = (carry.before + carry.after).mean(axis=2)
    return spent[:, :, None] * around + np.einsum("gct,cpt->gcp", rates, carry.within.mean(axis=3))


def mean_curves(problem: Problem, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Grid [g, c, k], weekly, in major units, and the outcome [g, c, p, k] of each point: mean by weights [d].

    Without weights weather and curves are averaged apart: they are independent, and few draws of both would not be.
    """
    draws = np.full(problem.n_draws, 1 / problem.n_draws) if weights is None else weights
    flat = problem.outcome @ draws
    points = np.repeat(flat[:, :, None, :], problem.n_points, axis=2)
    for each in problem.modulations:
        if weights is None:
            by_weather = np.einsum("gt,gck->gctk", each.anomaly @ draws, each.per_unit @ draws)
        else:
            by_weather = np.einsum("gtd,gckd->gctk", each.anomaly * draws, each.per_unit)
        points[:, :, : problem.n_periods] += by_weather
    return problem.grid, points * (problem.point_days / 7)[:, None]


def interpolate(grid: Floats, values: Floats, at: Floats) -> Floats:
    """values [g, c, p, k] on grid [g, c, k] read off at [g, c, p], linear, and on beyond the last grid point."""
    right = np.clip((at[..., None] >= grid[:, :, None, :]).sum(axis=-1), 1, grid.shape[-1] - 1)[..., None]
    wide = np.broadcast_to(grid[:, :, None, :], values.shape)
    x0, x1 = np.take_along_axis(wide, right - 1, -1)[..., 0], np.take_along_axis(wide, right, -1)[..., 0]
    y0, y1 = np.take_along_axis(values, right - 1, -1)[..., 0], np.take_along_axis(values, right, -1)[..., 0]
    weight = (at - x0) / (x1 - x0)
    return (1 - weight) * y0 + weight * y1


def _read(problem: Problem, at: Floats) -> Floats:
    """Outcome [g, c, p, d] at pressures [g, c, p, d], or [g, c, p, 1] where all draws have the same."""
    n_geos, n_channels, n_points, width = at.shape
    result = np.empty((n_geos, n_channels, n_points, problem.n_draws))
    each = np.arange(problem.n_draws)
    scale = (problem.point_days / 7)[:, None]
    n = problem.n_periods
    for g in range(n_geos):
        for c in range(n_channels):
            grid, here = problem.grid[g, c], at[g, c]
            right = np.clip(np.searchsorted(grid, here.ravel(), side="right"), 1, len(grid) - 1).reshape(here.shape)
            weight = (here - grid[right - 1]) / (grid[right] - grid[right - 1])

            def curve(draws: Floats, right: Ints = right, weight: Floats = weight) -> Floats:
                if width == 1:
                    return (1 - weight) * draws[right[:, 0] - 1] + weight * draws[right[:, 0]]
                return (1 - weight) * draws[right - 1, each] + weight * draws[right, each]

            value = curve(problem.outcome[g, c])
            for modulation in problem.modulations:
                value[:n] += modulation.anomaly[g] * curve(modulation.per_unit[g, c])[:n]
            result[g, c] = value * scale
    return result
