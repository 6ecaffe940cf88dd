"""The media mix model: weekly, partially pooled over geos, sampled on its collapsed density (mmm.md, "Model").

panel -> design -> density -> sampler -> exact draws of the linear part -> ROI, contributions, response curves
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular

from weathervane.contracts.errors import ModelFailed, NotEnoughData
from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm import diagnostics, sampler
from weathervane.model.mmm.design import LEVEL, SEASON, Design, build_design
from weathervane.model.mmm.likelihood import (
    Data,
    Pieces,
    log_density,
    n_coordinates,
    pieces,
    response_per_roi,
    shapes,
)
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.transforms import hill

Floats = NDArray[np.float64]
Progress = Callable[[str], None]

ENGINE = "hierarchical"
MIN_WEEKS = 26
DRAWS = 150  # of each chain, a block
_MAX_BLOCKS = 4
_CURVE_DRAWS = 200
_CURVE_POINTS = 25
_STEADY_WEEKS = 4


@dataclass(frozen=True)
class MediaMixFit:
    """Draws s of the posterior: realised ROI, contribution and shapes per channel c, and the diagnostics.

    `roi_by_geo` is ROI at normal weather; `roi` is realised over the history, weather modulation included.
    """

    channels: tuple[str, ...]
    geos: tuple[str, ...]
    design: Design
    data: Data
    coordinates: Floats  # [s, d]
    roi: Floats  # [s, c]
    contribution_share: Floats  # [s, c], of the whole outcome
    roi_by_geo: Floats  # [s, g, c]
    modulation: Floats  # [s, c], ROI per unit of weekly temperature anomaly
    rhat_max: float
    ess_min: float
    divergences: int


def fit_media_mix(panel: Panel, priors: Priors, seed: int, progress: Progress = lambda _: None) -> MediaMixFit:
    """The posterior given a weekly panel of totals; `progress` hears each stage in words.

    Raises NotEnoughData below 26 weeks or without spend, ModelFailed when the chains do not agree (R-hat above 1.01, or
    fewer than 400 effective draws of any ROI): a fit that failed is never a result.
    """
    if not panel.channels:
        raise NotEnoughData("There is no ad spend to measure.", "import a spend table.")
    if panel.n_past < MIN_WEEKS:
        raise NotEnoughData(
            f"There are {panel.n_past} whole weeks; ads cannot be measured in fewer than {MIN_WEEKS}.",
            f"import {MIN_WEEKS - panel.n_past} more weeks of history.",
        )
    design = build_design(panel, _shape_guess(panel.channels, priors))
    data = make_data(design, panel.channels, priors)
    progress("warming up")
    tuned = sampler.warm_up(log_density_of(data), n_coordinates(len(panel.channels)), seed)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    blocks: list[_Linear] = []
    divergences = 0
    rhat_max, ess_min = np.inf, 0.0
    while len(blocks) < _MAX_BLOCKS and not diagnostics.agree(rhat_max, ess_min):
        progress(f"drawing, block {len(blocks) + 1}")
        draws, diverged = sampler.draw(tuned, DRAWS)
        blocks.append(_linear_draws(draws, data, rng))
        divergences += diverged
        roi = np.concatenate([block.roi for block in blocks], axis=1)
        rhat_max = max(diagnostics.rhat(roi[:, :, i]) for i in range(roi.shape[2]))
        ess_min = min(diagnostics.ess(roi[:, :, i]) for i in range(roi.shape[2]))
    if not diagnostics.agree(rhat_max, ess_min):
        raise ModelFailed(
            f"The media mix model did not converge (R-hat {rhat_max:.3f}, {ess_min:.0f} effective draws, "
            f"{divergences} divergences).",
            "look for a channel that hardly varies or two that move together, and merge or drop one.",
        )

    def pooled(name: str) -> Floats:
        chains = np.concatenate([getattr(block, name) for block in blocks], axis=1)
        return chains.reshape(-1, *chains.shape[2:])

    return MediaMixFit(
        channels=panel.channels,
        geos=panel.geos,
        design=design,
        data=data,
        coordinates=pooled("coordinates"),
        roi=pooled("roi"),
        contribution_share=pooled("share"),
        roi_by_geo=pooled("roi_by_geo"),
        modulation=pooled("modulation"),
        rhat_max=rhat_max,
        ess_min=ess_min,
        divergences=divergences,
    )


def make_data(design: Design, channels: tuple[str, ...], priors: Priors) -> Data:
    """The arrays the density reads."""
    of = [priors.of(channel) for channel in channels]
    p, n_fixed = design.baseline.shape[-1], len(design.columns)
    fixed = np.concatenate([design.baseline, design.outcome[..., None]], axis=-1)
    mean = [*design.prior_mean, *np.zeros(design.n_weeks), *(c.roi.mean for c in of)]
    mean += [c.weather_modulation.mean for c in of]
    sd = [*design.prior_sd, *np.ones(design.n_weeks), *(c.roi.sd for c in of), *(c.weather_modulation.sd for c in of)]
    shape = [(c.half_life_days, c.half_saturation, c.slope) for c in of]
    return Data(
        fixed=jnp.asarray(fixed),
        exposure=jnp.asarray(design.exposure),
        spend_share=jnp.asarray(design.spend_share),
        level_share=jnp.asarray(design.level / design.level.sum()),
        z=jnp.asarray(design.z),
        lead=jnp.asarray(design.lead),
        follow=jnp.asarray(design.follow),
        prior_mean=jnp.asarray(mean),
        prior_sd=jnp.asarray(sd),
        is_week=jnp.asarray((np.arange(len(sd)) >= n_fixed) & (np.arange(len(sd)) < p)),
        varies=jnp.asarray(design.varies),
        is_level=jnp.asarray([design.columns[i] == LEVEL for i in design.varies]),
        is_season=jnp.asarray([design.columns[i] in SEASON for i in design.varies]),
        shape_center=jnp.log(jnp.asarray([[prior.median for prior in one] for one in shape]).T),
        shape_spread=jnp.asarray([[prior.spread for prior in one] for one in shape]).T,
        gram_total=jnp.asarray(np.einsum("gtp,gtq->pq", fixed, fixed, optimize=True)),
        gram_varying=jnp.asarray(np.einsum("gtv,gtp->gvp", fixed[..., list(design.varies)], fixed, optimize=True)),
    )


def response_curves(fit: MediaMixFit, model_id: str) -> ResponseCurves:
    """Thinned draws of outcome a week against weekly budget held steady, per geo and channel (mmm.md, "Curves")."""
    design = fit.design
    n_run_up = design.exposure.shape[-1] - design.z.shape[-1]
    scale = design.exposure_mean[:, None] * design.level  # [c, g], currency a week per unit of exposure
    weekly = design.exposure[:, :, n_run_up:] * scale[..., None]
    recent, most = weekly[:, :, -_STEADY_WEEKS:].mean(axis=2), weekly.max(axis=2)
    top = 1.5 * np.maximum(most, np.maximum(recent, scale))
    budget = top[..., None] * np.linspace(0.0, 1.0, _CURVE_POINTS) ** 1.5  # [c, g, k], finer where curves bend
    chosen = np.linspace(0, len(fit.coordinates) - 1, _CURVE_DRAWS).round().astype(int)
    exposure = jnp.asarray(budget / scale[..., None])
    per_roi = np.stack([np.asarray(_saturated(jnp.asarray(x), exposure, fit.data)) for x in fit.coordinates[chosen]])
    per_roi = per_roi * design.level[:, None]  # [s, c, g, k], currency
    outcome = per_roi * np.moveaxis(fit.roi_by_geo[chosen], 1, 2)[..., None]
    per_z = per_roi * fit.modulation[chosen][:, :, None, None]
    return ResponseCurves(
        model_id=model_id,
        geos=fit.geos,
        channels=fit.channels,
        budget=np.ascontiguousarray(np.moveaxis(budget, 0, 1)),
        outcome=np.ascontiguousarray(outcome.transpose(2, 1, 3, 0)),
        outcome_per_z=np.ascontiguousarray(per_z.transpose(2, 1, 3, 0)),
        spend_recent=np.ascontiguousarray(recent.T),
        spend_max=np.ascontiguousarray(most.T),
    )


def shape_draws(fit: MediaMixFit) -> tuple[Floats, Floats, Floats]:
    """Draws [s, c] of half-life in days, half-saturation and slope."""
    drawn = [jax.device_get(_shapes(jnp.asarray(x), fit.data)) for x in fit.coordinates]
    half_life, half_saturation, slope = (np.stack([one[i] for one in drawn]) for i in range(3))
    return half_life, half_saturation, slope


@dataclass(frozen=True)
class _Linear:
    """Draws [chain, draw, ...] of the sampled coordinates and of what was integrated out."""

    coordinates: Floats
    roi: Floats
    share: Floats
    roi_by_geo: Floats
    modulation: Floats


def _shape_guess(channels: tuple[str, ...], priors: Priors) -> tuple[Floats, Floats, Floats]:
    of = [priors.of(channel) for channel in channels]
    return (
        np.array([c.half_life_days.median for c in of]),
        np.array([c.half_saturation.median for c in of]),
        np.array([c.slope.median for c in of]),
    )


@jax.jit
def _saturated(x: Array, exposure: Array, data: Data) -> Array:
    """Relative outcome [c, g, k] that an ROI of one adds at steady exposure [c, g, k]."""
    _, half_saturation, slope = shapes(x, data)
    factor = response_per_roi(x, data)[1]
    return factor[:, None, None] * hill(exposure, half_saturation[:, None, None], slope[:, None, None])


@jax.jit
def _shapes(x: Array, data: Data) -> tuple[Array, Array, Array]:
    return shapes(x, data)


def log_density_of(data: Data) -> sampler.Density:
    """The collapsed log density and its gradient as NumPy sees them."""

    def density(x: Floats) -> tuple[float, Floats]:
        value, gradient = _value_and_gradient(jnp.asarray(x), data)
        return float(value), np.asarray(gradient)

    return density


# One compiled program for mode, curvature and sampling; data are arguments, so fits of one shape compile once.
_value_and_gradient = jax.jit(jax.value_and_grad(log_density))


@jax.jit
def _statistics(x: Array, data: Data) -> tuple[Pieces, Array]:
    return pieces(x, data), response_per_roi(x, data)[0]


def _linear_draws(draws: Floats, data: Data, rng: np.random.Generator) -> _Linear:
    """One exact draw of ROI, modulation and deviations by geo for each draw [chain, draw, d] of the coordinates."""
    level_share, z = np.asarray(data.level_share), np.asarray(data.z)
    spend_share = np.asarray(data.spend_share)
    c, n_weeks = len(spend_share), z.shape[1]
    roi, by_geo, modulation = [], [], []
    for x in draws.reshape(-1, draws.shape[-1]):
        parts, response = jax.device_get(_statistics(jnp.asarray(x), data))
        shared = _gaussian(parts.precision, parts.right, rng)
        deviation = _deviations(parts, shared, rng)[:, -c:]
        roi_gc, gamma = shared[-2 * c : -c] + deviation, shared[-c:]
        # Σ over geos and weeks of what the channel added, over what was spent: realised, weather included.
        added = np.einsum("cgt,g,gc->c", response, level_share, roi_gc, optimize=True)
        added += gamma * np.einsum("cgt,gt,g->c", response, z, level_share, optimize=True)
        roi.append(added / spend_share)
        by_geo.append(roi_gc)
        modulation.append(gamma)

    def chains(values: list[Floats]) -> Floats:
        stacked = np.array(values)
        return stacked.reshape(*draws.shape[:2], *stacked.shape[1:])

    realised = chains(roi)
    # The level is the mean outcome of a week, so the share of the outcome is added / (weeks × level).
    return _Linear(draws, realised, realised * spend_share / n_weeks, chains(by_geo), chains(modulation))


def _gaussian(precision: Floats, right: Floats, rng: np.random.Generator) -> Floats:
    """A draw from N(A⁻¹ b, A⁻¹)."""
    root = np.linalg.cholesky(precision)
    noise = solve_triangular(root, rng.standard_normal(len(right)), lower=True, trans=1)
    return np.asarray(cho_solve((root, True), right) + noise, dtype=np.float64)


def _deviations(parts: Any, shared: Floats, rng: np.random.Generator) -> Floats:
    """[g, n]: one draw of every geo's deviations given the shared coefficients; zero for a single geo."""
    if len(parts.kernel) == 1:
        return np.zeros((1, len(parts.scale)))
    root = np.linalg.cholesky(parts.kernel)
    pull = parts.cross[:, :, -1] - parts.cross[:, :, :-1] @ shared
    noise = rng.standard_normal(pull.shape)
    mean = np.linalg.solve(parts.kernel, pull[..., None])[..., 0]
    return (mean + np.linalg.solve(root.transpose(0, 2, 1), noise[..., None])[..., 0]) * parts.scale
