"""Prepare: a panel and its priors as the arrays the density reads, or why they cannot be fitted (mmm.md, "Model")."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import LiftResult
from weathervane.model.features.build import Panel
from weathervane.model.mmm import augmented
from weathervane.model.mmm.design import LEVEL, SEASON, Design, Likelihood, build_design, link_of
from weathervane.model.mmm.likelihood import (
    LEARNT,
    N_SHAPES,
    Data,
    Effect,
    Form,
)
from weathervane.model.mmm.priors import ChannelPriors, Exposure, Normal, Priors, modulation_of, organic
from weathervane.model.mmm.transforms import Shape

Floats = NDArray[np.float64]

MIN_WEEKS = 26
_STEADY_DAYS = 28


def prepare(
    panel: Panel, priors: Priors, experiments: tuple[LiftResult, ...] = (), likelihood: Likelihood = "normal"
) -> tuple[Design, Data, Form]:
    """What the density is made of; refuses what cannot be fitted.

    Of a likelihood that is not Gaussian the data are those of its nearest Gaussian.
    """
    link = link_of(likelihood)
    if link == "log" and (experiments or priors.total_media_share is not None):
        raise BadInput(
            f"With a {likelihood} likelihood effects multiply, so no experiment or total share of media can be added.",
            "leave them out, or use the normal likelihood.",
        )
    if not np.nansum(panel.spend[:, :, : panel.n_past]) > 0:
        raise NotEnoughData("There is no ad spend to measure.", "import a spend table.")
    n_weeks = panel.n_past * panel.step_days // 7
    if n_weeks < MIN_WEEKS:
        raise NotEnoughData(
            f"There are {n_weeks} whole weeks; ads cannot be measured in fewer than {MIN_WEEKS}.",
            f"import {MIN_WEEKS - n_weeks} more weeks of history.",
        )
    panel = without_tested(panel, experiments)
    of = [_priors_of(panel, priors, channel) for channel in panel.channels]
    form = Form(
        step_days=panel.step_days,
        carry_over=tuple(each.carry_over for each in of),
        # Of reach and frequency it is the frequency that saturates.
        saturation=tuple("none" if each.exposure == "reach" else each.saturation for each in of),
        frequency=tuple(c for c, each in enumerate(of) if each.exposure == "reach"),
        effect=tuple(_effect(each)[0] for each in of),
        modulated=(*range(len(of)), *(c for c, each in enumerate(of) if each.wet_modulation is not None)),
        tested=tuple(_channel_of(panel, experiment) for experiment in experiments),
        link=link,
    )
    _insist_on_rain(panel, of)
    logs = np.log([[getattr(each, name).median for each in of] for name in Shape._fields])
    exposed: tuple[Exposure, ...] = tuple(each.exposure for each in of)
    design = build_design(panel, Shape(*np.exp(logs)), form, likelihood, exposed)
    data = _data(design, panel, of, priors, experiments)
    return design, augmented.working(data, design) if design.sold_out.any() else data, form


def _insist_on_rain(panel: Panel, of: list[ChannelPriors]) -> None:
    asked = [channel for channel, each in zip(panel.channels, of, strict=True) if each.wet_modulation is not None]
    if asked and not np.isfinite(panel.wet_days[:, : panel.n_past]).any():
        raise BadInput(
            f"The priors let {asked[0]} work otherwise in rain (`wet_modulation`), and no rain is known.",
            "import `precip_mm` of at least eleven months, or leave `wet_modulation` out.",
        )


def _priors_of(panel: Panel, priors: Priors, channel: str) -> ChannelPriors:
    """The channel's priors; one that costs nothing and is shown is organic (mmm.md, "Organic channels")."""
    own, c, n = priors.of(channel), panel.channels.index(channel), panel.n_past
    if np.nansum(panel.spend[c, :, :n]) > 0:
        return own
    known = [name for name in get_args(Exposure) if name in panel.exposure]
    shown = [name for name in known if np.nansum(panel.exposure[name][c, :, :n]) > 0]
    chosen = own.exposure if own.exposure != "spend" else next(iter(shown), None)
    return own if chosen is None else organic(own, chosen)


def without_tested(panel: Panel, experiments: tuple[LiftResult, ...]) -> Panel:
    """The panel less the outcome of treated places while they were tested: the read-outs have used it already."""
    outcome = panel.outcome.copy()
    for experiment in experiments:
        last = experiment.window.end + timedelta(days=experiment.cooldown_days)
        first = experiment.window.start - timedelta(days=panel.step_days - 1)
        tested = [first <= start <= last for start in panel.starts]
        treated = np.isin(np.array(panel.geos), experiment.treated_geos)
        outcome[:, treated[:, None] & np.array(tested)] = np.nan
    return replace(panel, outcome=outcome)


def _effect(priors: ChannelPriors) -> tuple[Effect, Normal]:
    """What the channel's coefficient means, and the belief on it."""
    if priors.contribution_share is not None:
        return "contribution_share", priors.contribution_share
    if priors.marginal_roi is not None:
        return "marginal_roi", priors.marginal_roi
    return "roi", priors.roi


def _data(
    design: Design,
    panel: Panel,
    of: list[ChannelPriors],
    priors: Priors,
    experiments: tuple[LiftResult, ...],
) -> Data:
    """The arrays the density reads."""
    p = design.baseline.shape[-1]
    fixed = np.concatenate([design.baseline, design.outcome[..., None]], axis=-1)
    effects = [_effect(each)[1] for each in of]
    by_warmth = [modulation_of(effect, each.weather_modulation) for effect, each in zip(effects, of, strict=True)]
    by_wetness = [
        modulation_of(effect, each.wet_modulation)
        for effect, each in zip(effects, of, strict=True)
        if each.wet_modulation is not None
    ]
    media = [*effects, *by_warmth, *by_wetness]
    mean = [*design.prior_mean, *np.zeros(design.n_weeks), *(each.mean for each in media)]
    sd = [*design.prior_sd, *np.ones(design.n_weeks), *(each.sd for each in media)]
    learnt = [*design.learnt, *["week"] * design.n_weeks, *[""] * (len(sd) - p)]
    shape = [[getattr(each, name) for each in of] for name in Shape._fields]
    spread = np.array([[prior.spread for prior in row] for row in shape])
    spread[N_SHAPES - 1] *= [each.carry_over == "delayed" for each in of]
    total = priors.total_media_share
    tests = [experiment_rows(design, panel, experiment) for experiment in experiments]
    g, t = design.z.shape
    return Data(
        fixed=jnp.asarray(fixed),
        exposure=jnp.asarray(design.exposure),
        spend_share=jnp.asarray(design.spend_share),
        level_share=jnp.asarray(design.level / design.level.sum()),
        weather=jnp.asarray(np.stack([design.z] * len(of) + [design.wet] * len(by_wetness))),
        lead=jnp.asarray(design.lead),
        follow=jnp.asarray(design.follow),
        prior_mean=jnp.asarray(np.array(mean)),
        prior_sd=jnp.asarray(np.array(sd)),
        learnt=jnp.asarray(np.array([LEARNT.index(name) for name in learnt])),
        varies=jnp.asarray(np.array(design.varies)),
        is_level=jnp.asarray(np.array([design.columns[i] == LEVEL for i in design.varies])),
        is_season=jnp.asarray(np.array([design.columns[i] in SEASON for i in design.varies])),
        shape_center=jnp.asarray(np.log([[prior.median for prior in row] for row in shape])),
        shape_spread=jnp.asarray(spread),
        gram_total=jnp.asarray(sum((rows.T @ rows for rows in fixed), np.zeros((p + 1, p + 1)))),
        gram_varying=jnp.asarray(np.stack([rows[:, list(design.varies)].T @ rows for rows in fixed])),
        total_share=jnp.asarray(np.array([0.0, np.inf] if total is None else [total.mean, total.sd])),
        test_exposure=jnp.asarray(
            np.stack([test[0] for test in tests]) if tests else np.zeros((0, g, design.exposure.shape[-1]))
        ),
        test_weight=jnp.asarray(np.stack([test[1] for test in tests]) if tests else np.zeros((0, g, t))),
        frequency=jnp.asarray(design.frequency),
        test_lift=jnp.asarray(np.stack([test[2] for test in tests]) if tests else np.zeros((0, 2))),
    )


def _channel_of(panel: Panel, experiment: LiftResult) -> int:
    if experiment.channel not in panel.channels:
        raise BadInput(
            f"Experiment {experiment.experiment_id} tested {experiment.channel!r}, which has no spend here.",
            "import that channel's spend, or leave the experiment out.",
        )
    return panel.channels.index(experiment.channel)


def experiment_rows(design: Design, panel: Panel, experiment: LiftResult) -> tuple[Floats, Floats, Floats]:
    """Exposure [g, t + run-up] without the change of spend, weights [g, t] of the lift, and lift with its sd.

    The lift is what the model must have caused over the very geos and days of the test, by the very change of spend.
    """
    name = f"Experiment {experiment.experiment_id}"
    low, high = experiment.lift_abs_low, experiment.lift_abs_high
    missing = sorted(set(experiment.treated_geos) - set(panel.geos))
    if missing:
        raise BadInput(f"{name} treated {missing[0]!r}, which is not modelled.", "model by the geos of the test.")
    if low is None or high is None or experiment.spend_change_abs is None or experiment.spend_change_abs == 0:
        raise BadInput(
            f"{name} has no bounded interval or no change of spend, so it says nothing of return.",
            "leave it out, or give the spend of the test.",
        )
    channel, step = _channel_of(panel, experiment), panel.step_days
    if design.cost[channel] <= 0:
        raise BadInput(f"{name} tested {experiment.channel!r}, which costs nothing here.", "leave the experiment out.")
    treated = np.isin(np.array(panel.geos), experiment.treated_geos)
    start = np.array([(each - experiment.window.start).days for each in panel.starts[: panel.n_past]])
    n_days = (experiment.window.end - experiment.window.start).days + 1
    spent = np.clip(np.minimum(start + step, n_days) - np.maximum(start, 0), 0, step) / step  # [t]
    read = np.clip(np.minimum(start + step, n_days + experiment.cooldown_days) - np.maximum(start, 0), 0, step) / step
    if read.sum() * step < n_days - step:
        raise BadInput(f"{name} lies outside the history.", "import the sales and spend of its days.")
    # [g], currency a period per unit of exposure, at its mean price
    scale = design.exposure_unit[channel] * design.cost[channel] * design.level
    actual = design.exposure[channel, :, design.run_up :] * scale[:, None]
    within = spent * treated[:, None]
    if experiment.spend_change_abs > 0:
        usual = actual * within
        if experiment.spend_change_abs > 1.05 * usual.sum():
            raise BadInput(
                f"{name} added {experiment.spend_change_abs:,.0f}, more than {experiment.channel} spent in it.",
                "correct its spend, or import the spend of the test.",
            )
    elif not (start < 0).any():
        raise BadInput(f"{name} began with the history, so what it cut is unknown.", "import the weeks before it.")
    else:
        usual = np.maximum(actual[:, start < 0][:, -_STEADY_DAYS // step :].mean(axis=1), 1e-9)[:, None] * within
    change = experiment.spend_change_abs * usual / usual.sum()
    without = design.exposure[channel].copy()
    without[:, design.run_up :] = np.maximum(actual - change, 0.0) / scale[:, None]
    weight = (
        np.sign(experiment.spend_change_abs) * read * treated[:, None] * (design.level / design.level.sum())[:, None]
    )
    sd = (high - low) / 2 / float(ndtri(1 - experiment.alpha / 2))
    return without, weight, np.array([experiment.lift_abs, sd]) / design.level.sum()
