"""A first look in a second: mode and curvature instead of sampling, corrected by importance, refused when unreliable.

It is labelled a preview wherever it is shown, and no plan is made from it (mmm.md, "Preview").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from weathervane.contracts.errors import ModelFailed
from weathervane.model.features.build import Panel
from weathervane.model.mmm import diagnostics, sampler
from weathervane.model.mmm.likelihood import log_density_of, n_coordinates
from weathervane.model.mmm.linear import draw_linear
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]

K_HAT_MAX = 0.7
_DRAWS = 1000
_KEPT = 400
_FREEDOM = 7.0  # tails somewhat heavier than the Gaussian's, so that weights stay bounded


@dataclass(frozen=True)
class Preview:
    """Approximate draws of ROI [s, c] and how far the approximation can be trusted."""

    channels: tuple[str, ...]
    roi: Floats
    k_hat: float
    effective_draws: float


def preview_media_mix(panel: Panel, priors: Priors, seed: int) -> Preview:
    """Draws around the mode, weighted to the exact density.

    Raises ModelFailed when the weights are unreliable (k-hat above 0.7), which many places often bring about.
    """
    _, data, form = prepare(panel, priors)
    density = log_density_of(data, form)
    peak = sampler.find_peak(density, np.zeros(n_coordinates(len(panel.channels))))
    rng = np.random.default_rng(np.random.SeedSequence([seed, 3]))
    whitened = student.rvs(_FREEDOM, size=(_DRAWS, len(peak.mode)), random_state=rng)
    drawn = peak.mode + whitened @ peak.root.T
    log_weights = np.array([density(x)[0] for x in drawn]) - student.logpdf(whitened, _FREEDOM).sum(axis=1)
    weights, k_hat = diagnostics.smoothed_weights(log_weights)
    if k_hat > K_HAT_MAX:
        raise ModelFailed(
            f"A preview of this model cannot be trusted (k-hat {k_hat:.2f}, at most {K_HAT_MAX}).",
            "run the full fit: `weathervane train`.",
        )
    rows = diagnostics.resampled(weights, rng)[:: _DRAWS // _KEPT]
    caused = draw_linear(drawn[rows], data, form, rng).caused
    return Preview(
        channels=panel.channels,
        roi=caused / np.maximum(np.asarray(data.spend_share), 1e-12),
        k_hat=k_hat,
        effective_draws=float(1 / np.sum(weights**2)),
    )
