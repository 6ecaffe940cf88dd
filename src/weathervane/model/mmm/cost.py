"""What training will take, before it starts: rules measured on two cores (engines.md, "Time and memory")."""

from __future__ import annotations

from weathervane.contracts.fit import FitCost
from weathervane.model.mmm.design import Likelihood

# Of the exact density and of the reduced basis. Seconds: to compile, and of a fit, by cell, by pair of channels; bytes:
# in any case, by channel, by cell. A cell is a place, period and channel.
_EXACT = (6.0, 1.0, 0.0010, 0.053, 0.52e9, 0.011e9, 3e3)
_REDUCED = (8.5, 2.0, 0.0001, 0.12, 0.60e9, 0.011e9, 4.5e3)
# The reduced basis is for panels this large (mmm.md, "Reduced basis").
REDUCED_FROM_GEOS, REDUCED_FROM_ROWS = 8, 1500
_SWEEPS = 2.5  # times as long where the likelihood is drawn by sweeps


def hierarchical_cost(
    n_places: int,
    n_periods: int,
    step_days: int,
    n_channels: int,
    *,
    n_fits: int = 1,
    n_categories: int = 0,
    likelihood: Likelihood = "normal",
) -> FitCost:
    """Of `n_fits` fits and the placebo tests, nothing compiled before; a fit for each of `n_categories` beside them.

    Each fit is taken to need one block of draws, as most do.
    """
    rows, swept = n_places * n_periods, likelihood not in ("normal", "log_normal")
    small = swept or n_places < REDUCED_FROM_GEOS or rows < REDUCED_FROM_ROWS
    compiling, start, by_cell, by_pair, base, by_channel, bytes_by_cell = _EXACT if small else _REDUCED
    cells = rows * n_channels
    one = (start + by_cell * cells + by_pair * n_channels**2) * (_SWEEPS if swept else 1.0)
    seconds = compiling + (n_fits + n_categories) * one + _placebo_seconds(cells)
    memory = base + by_channel * n_channels + bytes_by_cell * cells
    return FitCost(n_places, n_periods, step_days, n_channels, n_categories, seconds, memory)


def _placebo_seconds(cells: int) -> float:
    return 0.4 + 0.0045 * cells**0.73


def lightweight_cost(n_places: int, n_weeks: int, step_days: int, n_channels: int) -> FitCost:
    """Of a fit of the lightweight engine with the placebo tests; half or twice as long is common."""
    cells = n_places * n_weeks * n_channels
    seconds = lightweight_seconds(n_places, n_weeks, n_channels) + _placebo_seconds(cells)
    *_, base, by_channel, by_cell = _EXACT
    memory = base + by_channel * n_channels + by_cell * cells
    return FitCost(n_places, n_weeks, step_days, n_channels, 0, seconds, memory)


def lightweight_seconds(n_geos: int, n_weeks: int, n_channels: int) -> float:
    """CPU seconds of a fit of the lightweight engine, compiling included; half or twice as much is common."""
    return 25.0 + 0.035 * n_geos * n_weeks * n_channels
