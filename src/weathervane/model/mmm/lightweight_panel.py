"""A weekly panel as inputs of the `lightweight` engine, scaled as its users were told to (lightweight.md, "Panels")."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, ModelFailed, NotEnoughData
from weathervane.model.features.build import Panel
from weathervane.model.mmm import diagnostics
from weathervane.model.mmm.cost import lightweight_seconds
from weathervane.model.mmm.diagnostics import Convergence
from weathervane.model.mmm.lightweight import LightweightFit, Problem, Scales, growing_fit, problem_of
from weathervane.model.mmm.lightweight_sampler import Progress, SamplerOptions

Floats = NDArray[np.float64]

MIN_WEEKS = 26
_COST_PRIOR = 0.15  # prior scale of the mean channel's effect, relative to the mean outcome
_WEEKS_A_YEAR = 52
_WARMUP, _DRAWS, _CHAINS, _MAX_BLOCKS = 700, 500, 4, 6
_TARGET_ACCEPT = 0.95  # at 0.85 one run in two had a chain that stuck
_MAX_SECONDS = 900.0


def fit_lightweight_panel(
    panel: Panel, model_name: str, seed: int, progress: Progress = lambda _: None
) -> tuple[LightweightFit, Convergence]:
    """The posterior of a weekly panel of totals, and how its draws of each channel's ROI agree.

    The fit's units are the panel's currency. NotEnoughData below 26 weeks or where a week is missing: this model knows
    no gaps. ModelFailed where it would take more than 15 minutes, and where R-hat stays above 1.01 or effective draws
    below 400 for any ROI after 3,000 draws of each chain: a fit that failed is never a result.
    """
    problem = panel_problem(panel, model_name)
    _affordable(len(panel.geos), panel.n_past, len(panel.channels))
    options = SamplerOptions(_WARMUP, _DRAWS, _CHAINS, _TARGET_ACCEPT, seed)
    fits = islice(growing_fit(problem, options, progress), _MAX_BLOCKS)
    fit = next(fits)
    while not (found := convergence_of(fit)).agreed:
        longer = next(fits, None)
        if longer is None:
            raise failure(fit, found)
        fit = longer
    return fit, found


def panel_problem(panel: Panel, model_name: str) -> Problem:
    """The panel as this model's inputs, scaled as the package recommends; national if it has one geo.

    Media and target are divided by their means (by geo), the media prior is 0.15 times relative cost, and weather,
    promotion and price are extra features, standardised: their means are near zero.
    """
    n = panel.n_past
    outcome, spend = panel.outcome[0, :, :n].T, np.moveaxis(panel.spend[:, :, :n], 2, 0)  # [t, g], [t, c, g]
    _complete(panel, outcome, spend)
    cost, level = spend.sum(axis=0), outcome.mean(axis=0)  # [c, g], [g]
    # A channel that was never used in a place stays at zero there.
    media_mean = np.where(cost > 0, cost / n, 1.0)
    extra = _extra_features(panel)
    by_channel = cost.sum(axis=1)
    if len(panel.geos) == 1:
        spend, outcome, cost, level, media_mean = spend[:, :, 0], outcome[:, 0], cost[:, 0], level[0], media_mean[:, 0]
        extra = extra[:, :, 0]
    return problem_of(
        model_name,
        media=spend / media_mean,
        media_prior=_COST_PRIOR * by_channel / by_channel.mean(),
        target=outcome / level,
        extra_features=extra if extra.shape[1] else None,
        media_names=panel.channels,
        seasonality_frequency=_WEEKS_A_YEAR,
        scales=Scales(media=media_mean, target=np.asarray(level), cost=cost),
    )


def convergence_of(fit: LightweightFit) -> Convergence:
    """What the draws of every channel's ROI, all places together, say of themselves."""
    roi = fit.channel_roi().reshape(*fit.diverged.shape, -1)
    # NumPyro keeps no energies here, so there is no energy fraction to state.
    return diagnostics.convergence(roi, fit.divergences, float("nan"), "NUTS")


def failure(fit: LightweightFit, found: Convergence) -> ModelFailed:
    """Why the draws are no result: the channel, the parameter that moves least freely, and what to do."""
    worst = max(fit.parameters, key=lambda one: one.rhat)
    apart = found.rhat_max > diagnostics.RHAT_MAX
    why = "the chains are in different places" if apart else "successive draws are too much alike"
    return ModelFailed(
        f"The lightweight model did not converge: of {fit.media_names[found.worst]}'s return there are "
        f"{min(found.ess_min, found.ess_tail_min):.0f} effective draws of {diagnostics.ESS_MIN:.0f} (R-hat "
        f"{found.rhat_max:.3f}), because {why}; least settled is {worst.name} (R-hat {worst.rhat:.3f}).",
        "use the hierarchical engine; or merge channels that move together, or drop one that hardly varies.",
    )


def _affordable(n_geos: int, n_weeks: int, n_channels: int) -> None:
    seconds = lightweight_seconds(n_geos, n_weeks, n_channels)
    if seconds > _MAX_SECONDS:
        raise ModelFailed(
            f"The lightweight model of {n_geos} places, {n_weeks} weeks and {n_channels} channels would take about "
            f"{seconds / 60:.0f} minutes; more than {_MAX_SECONDS / 60:.0f} are refused.",
            "use the hierarchical engine, or import fewer, larger places.",
        )


def _complete(panel: Panel, outcome: Floats, spend: Floats) -> None:
    if panel.step_days != 7:
        raise BadInput("The lightweight engine is set up for weekly panels.", "build the panel by week.")
    if not panel.channels:
        raise NotEnoughData("There is no ad spend to measure.", "import a spend table.")
    if panel.n_past < MIN_WEEKS:
        raise NotEnoughData(
            f"There are {panel.n_past} whole weeks; ads cannot be measured in fewer than {MIN_WEEKS}.",
            f"import {MIN_WEEKS - panel.n_past} more weeks of history.",
        )
    missing = int((~np.isfinite(outcome).all(axis=1) | ~np.isfinite(spend).all(axis=(1, 2))).sum())
    if missing:
        raise NotEnoughData(
            f"Sales or spend are missing in {missing} of {panel.n_past} weeks; the lightweight engine knows no gaps.",
            "use the hierarchical engine, or import what is missing.",
        )
    idle = [name for name, total in zip(panel.channels, spend.sum(axis=(0, 2)), strict=True) if total <= 0]
    if idle:
        raise NotEnoughData(f"Nothing was ever spent on {', '.join(idle)}.", "leave these channels out.")
    if (outcome.mean(axis=0) <= 0).any():
        raise NotEnoughData("A place has no sales.", "leave places without sales out.")


def _extra_features(panel: Panel) -> Floats:
    """[t, f, g]: weather indices, promotion and log price, standardised by geo; those that never vary are left out."""
    raw = np.concatenate([panel.weather, panel.promotion[:1], panel.log_price[:1]])[:, :, : panel.n_past]
    spread = raw.std(axis=2, keepdims=True)
    standard = np.where(spread > 1e-9, (raw - raw.mean(axis=2, keepdims=True)) / np.maximum(spread, 1e-9), 0.0)
    return np.moveaxis(standard[spread.max(axis=(1, 2)) > 1e-9], 2, 0)
