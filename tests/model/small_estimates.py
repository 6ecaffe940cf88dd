"""Estimates made by hand, for tests of what is done with them."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.fit import ShapeInterval
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.response import ResponseCurves
from weathervane.model.mmm.diagnostics import Convergence
from weathervane.model.mmm.engine import Estimates, Variable

ATTRIBUTES = {"model_id": "acme-20240601-0123456789", "seed": 7, "priors": "Priors()", "priors_sha256": "1" * 64}


def small_estimates() -> Estimates:
    """Two chains of three draws, two channels, one place, four weeks."""
    roi = np.arange(12.0).reshape(6, 2) / 10
    ones, one = np.ones((1, 2)), Quantiles(1.0, 2.0, 3.0)
    draws = np.arange(1 * 2 * 3 * 2, dtype=np.float64).reshape(1, 2, 3, 2)
    return Estimates(
        engine="hierarchical",
        channels=("tv", "search"),
        geos=("Köln",),
        roi=roi,
        contribution_share=roi / 10,
        weekly_spend=np.array([10.0, 20.0]),
        transforms=tuple(ShapeInterval(channel, one, one, one) for channel in ("tv", "search")),
        curves=ResponseCurves("", ("Köln",), ("tv", "search"), draws[..., 0], draws, draws, ones, ones),
        convergence=Convergence("exact", 1.002, 700.0, 650.0, 0, 0, 0.9),
        n_chains=2,
        can_be_zero=True,
        labels={
            "channel": ("tv", "search"),
            "geo": ("Köln",),
            "period": ("2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"),
            "coordinate": ("0", "1", "2"),
        },
        posterior={
            "roi": Variable(("chain", "draw", "channel"), roi.reshape(2, 3, 2), "outcome per unit of spend"),
            "effect_by_geo": Variable(
                ("chain", "draw", "geo", "channel"), roi.reshape(2, 3, 1, 2).astype(np.float32), "as the prior's"
            ),
        },
        sample_stats={"peak": Variable(("coordinate",), np.array([0.1, -0.2, 0.3]), "prior standard deviations")},
        observed={
            "outcome": Variable(("geo", "period"), np.array([[1.0, 2.0, np.nan, 4.0]]), "outcome a period"),
            "spend": Variable(("channel", "geo", "period"), np.ones((2, 1, 4)), "currency a period"),
        },
        peak=np.array([0.1, -0.2, 0.3]),
    )
