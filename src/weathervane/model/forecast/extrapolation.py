"""Plans beyond what was ever seen: a forecast of them is an extrapolation, and is called one (forecast.md)."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.forecast import Extrapolation
from weathervane.model.features.build import Panel

_MARGIN = 1.1  # a tenth deeper than the deepest is still much like it


def extrapolations(panel: Panel) -> tuple[Extrapolation, ...]:
    """Each series with a planned promotion deeper than its category ever had, with both depths."""
    n = panel.n_past
    out: list[Extrapolation] = []
    for k, category in enumerate(panel.categories):
        seen = float(panel.promotion[k, :, :n].max(initial=0.0))
        for g, geo in enumerate(panel.geos):
            planned = float(panel.promotion[k, g, n:].max(initial=0.0))
            if planned > max(seen * _MARGIN, 1e-9):
                first = panel.starts[n + int(np.argmax(panel.promotion[k, g, n:] > seen * _MARGIN))]
                out.append(Extrapolation(geo, category, first, planned, seen))
    return tuple(out)
