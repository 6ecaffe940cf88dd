"""Calibration: forecasts beside what happened, cell by cell, and the measured record made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import LEVELS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class ForecastCells:
    """One entry a cell: a geo and category in one period, as forecast at one origin, and what happened.

    All arrays have n entries. `origin` is the last day known when the forecast was issued, `date` the first day of the
    period it is about, `lead` the number of periods between them, from 1. Totals are cells too, at geo NATIONAL or
    category TOTAL. Quantiles are at LEVELS, in outcome units; `raw` is before recalibration. `floor` is the median of
    the best floor method, NaN where unknown. `actual` is NaN until it is known. `scale` is the series' mean absolute
    seasonal-naive change as known at the origin, the denominator of MASE.
    """

    source: Literal["backtest", "ledger"]
    step_days: int
    geos: tuple[str, ...]
    categories: tuple[str, ...]
    origin: Days
    date: Days
    lead: Ints
    geo: Ints  # index into geos
    category: Ints  # index into categories
    quantiles: Floats  # [n, level]
    raw: Floats  # [n, level]
    floor: Floats
    actual: Floats
    scale: Floats

    def __post_init__(self) -> None:
        n = len(self.actual)
        for name in ("origin", "date", "lead", "geo", "category", "floor", "scale"):
            length = len(getattr(self, name))
            if length != n:
                raise BadInput(f"Forecast cells: {name} has {length} entries, not {n}.", "rebuild the record.")
        for name in ("quantiles", "raw"):
            shape = getattr(self, name).shape
            if shape != (n, len(LEVELS)):
                raise BadInput(f"Forecast cells: {name} has shape {shape}, not {(n, len(LEVELS))}.", "rebuild them.")
