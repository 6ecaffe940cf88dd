"""What every candidate forecast offers, and how its inputs are read: what sold, what was closed, what ran out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FULL_STOCK = 0.98
_OFFSET_SHARE = 0.05
_LARGEST_LOG = 600.0


class Fitted(Protocol):
    """A candidate that has learnt from one panel's past."""

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon] of the panel's future, from its own past; not negative, had every day been open."""
        ...


class Candidate(Protocol):
    """A way to forecast: learns from a panel's past, then forecasts that panel or a later one."""

    @property
    def name(self) -> str:
        """As the record and the forecast call it."""
        ...

    def fit(self, panel: Panel) -> Fitted:
        """Learns from the past of `panel` alone."""
        ...


def first_days(panel: Panel) -> NDArray[np.datetime64]:
    """[t]: the first day of each period. Counted from the first: converting dates takes over a hundred times longer."""
    return np.datetime64(panel.starts[0], "D") + panel.step_days * np.arange(len(panel.starts))


def day_of_year(panel: Panel) -> Floats:
    """[t]: of the first day of each period, from one."""
    starts = first_days(panel)
    return (starts - starts.astype("datetime64[Y]")).astype(np.float64) + 1


def day_of_month(panel: Panel) -> Floats:
    """[t]: of the first day of each period, from one."""
    starts = first_days(panel)
    return (starts - starts.astype("datetime64[M]")).astype(np.float64) + 1


def weekday(panel: Panel) -> Floats:
    """[t]: of the first day of each period, Monday being zero."""
    return (first_days(panel).astype(np.int64) + 3).astype(np.float64) % 7  # the epoch was a Thursday


def closed(panel: Panel) -> Mask:
    """[k, g, t]: periods in which a series is known to sell nothing because it is closed."""
    shape = (*panel.outcome.shape[:2], len(panel.starts))
    return np.zeros(shape, dtype=np.bool_) if panel.closed is None else np.broadcast_to(panel.closed, shape)


def selling(panel: Panel) -> Floats:
    """Past outcome [k, g, past] that tells of demand: NaN where closed, and where stock ran out (less was sold)."""
    n = panel.n_past
    tells = ~closed(panel)[:, :, :n] & (panel.in_stock[:, :, :n] > _FULL_STOCK)
    # A series never seen open and in stock tells only what it sold.
    tells |= ~(tells & np.isfinite(panel.outcome[:, :, :n])).any(axis=2, keepdims=True)
    return np.where(tells, panel.outcome[:, :, :n], np.nan)


def offset(panel: Panel) -> Floats:
    """[k, g]: a twentieth of each series' mean, added before logs are taken, so that zeros have one too."""
    past = selling(panel)
    known = np.isfinite(past)
    mean = np.where(known, np.abs(past), 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    # A series that sold next to nothing so far may sell more: a thousandth of its category's mean is the least.
    return np.maximum(np.maximum(_OFFSET_SHARE * mean, 1e-3 * mean.mean(axis=1, keepdims=True)), 1e-9)


def log_offset(values: Floats, offset: Floats) -> Floats:
    """log(max(value, 0) + offset); NaN stays NaN."""
    return np.log(np.maximum(values, 0.0) + offset)


def from_log(values: Floats, offset: Floats) -> Floats:
    """The value again, not negative."""
    return np.maximum(np.exp(np.minimum(values, _LARGEST_LOG)) - offset, 0.0)
