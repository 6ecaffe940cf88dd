"""How long a fit will take, before it starts: rules measured on two cores (engines.md, "Time")."""

from __future__ import annotations


def hierarchical_seconds(n_geos: int, n_periods: int, n_channels: int) -> float:
    """CPU seconds of a cold fit of the hierarchical engine with its placebo tests, compiling included."""
    return 10.0 + 0.00095 * n_geos * n_periods * n_channels


def lightweight_seconds(n_geos: int, n_weeks: int, n_channels: int) -> float:
    """CPU seconds of a fit of the lightweight engine, compiling included; half or twice as much is common."""
    return 25.0 + 0.035 * n_geos * n_weeks * n_channels


def in_words(seconds: float) -> str:
    """The expected time as a progress line says it."""
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} seconds"
    return f"about {round(seconds / 60)} minutes"
