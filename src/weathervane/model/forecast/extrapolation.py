"""Plans beyond what was ever seen: a forecast of them is an extrapolation, and is called one (forecast.md)."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.forecast import Extrapolation
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats

_MARGIN = 1.1  # a tenth deeper than the deepest is still much like it
_UNSEEN_SD = 3.0  # log of demand for a whole price off, where no promotion tells: elasticities of 2.6 give or take 1.5


def doubt(panel: Panel) -> Floats:
    """[k, g, horizon]: standard deviation of log demand that promotions deeper than any before leave open."""
    n = panel.n_past
    seen = panel.promotion[:, :, :n].max(axis=(1, 2), initial=0.0)[:, None, None]
    beyond = panel.promotion[:, :, n:] - seen
    return np.where(panel.promotion[:, :, n:] > np.maximum(seen * _MARGIN, 1e-9), _UNSEEN_SD * beyond, 0.0)


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
