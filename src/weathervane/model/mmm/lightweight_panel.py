"""A weekly panel as inputs of the `lightweight` engine, scaled as its users were told to (lightweight.md, "Panels")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.model.features.build import Panel
from weathervane.model.mmm.lightweight import LightweightFit, Scales, fit_lightweight
from weathervane.model.mmm.lightweight_sampler import Progress

Floats = NDArray[np.float64]

MIN_WEEKS = 26
_COST_PRIOR = 0.15  # prior scale of the mean channel's effect, relative to the mean outcome
_WEEKS_A_YEAR = 52


def fit_lightweight_panel(
    panel: Panel,
    model_name: str,
    seed: int,
    *,
    number_warmup: int = 1000,
    number_samples: int = 1000,
    number_chains: int = 4,
    progress: Progress = lambda _: None,
) -> LightweightFit:
    """The posterior of a weekly panel of totals, scaled as the package recommends; national if it has one geo.

    Media and target are divided by their means (by geo), the media prior is 0.15 times relative cost, and weather,
    promotion and price are extra features, standardised: their means are near zero. The fit's units are the panel's
    currency. NotEnoughData below 26 weeks or where a week is missing: this model knows no gaps.
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
    return fit_lightweight(
        model_name,
        media=spend / media_mean,
        media_prior=_COST_PRIOR * by_channel / by_channel.mean(),
        target=outcome / level,
        extra_features=extra if extra.shape[1] else None,
        media_names=panel.channels,
        seasonality_frequency=_WEEKS_A_YEAR,
        number_warmup=number_warmup,
        number_samples=number_samples,
        number_chains=number_chains,
        seed=seed,
        scales=Scales(media=media_mean, target=np.asarray(level), cost=cost),
        progress=progress,
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
