"""What the priors imply before any outcome is read: total media, returns, baseline (mmm.md, "Prior predictive")."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.examination import ChannelRange, PriorPredictive
from weathervane.contracts.figures import share
from weathervane.model.mmm.decomposition import interval
from weathervane.model.mmm.design import Design
from weathervane.model.mmm.likelihood import Data, Form, n_coordinates, response_per_unit, spreads

Floats = NDArray[np.float64]

ABSURD = 0.1  # of draws may be impossible
_LOSS = -0.25  # of the outcome: ads that destroy a quarter of all sales
_DRAWS = 400
_CANDIDATES = 4  # draws made for each that is kept, where a belief on the total is to be met

_response = jax.jit(response_per_unit, static_argnames=("form",))


@dataclass(frozen=True)
class PriorDraws:
    """Draws s of the prior: what channels c cause, as shares of the whole outcome, and all media by period t."""

    share: Floats  # [s, c]
    media: Floats  # [s, t], over the level of all geos


def prior_draws(data: Data, form: Form, seed: int, n_draws: int = _DRAWS) -> PriorDraws:
    """Draws of the prior on the design; a belief on total media is met by resampling, experiments are left out."""
    total_mean, total_sd = (float(value) for value in data.total_share)
    believed = np.isfinite(total_sd)
    n = n_draws * (_CANDIDATES if believed else 1)
    c, (g, t) = data.spend_share.shape[0], data.lead.shape
    q = c + len(form.modulated)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 4]))
    mean, sd = np.asarray(data.prior_mean)[-q:], np.asarray(data.prior_sd)[-q:]
    level, weather = np.asarray(data.level_share), np.asarray(data.weather)
    found, media = np.empty((n, c)), np.empty((n, t))
    for i in range(n):
        x = jnp.asarray(rng.standard_normal(n_coordinates(c)))
        response = np.asarray(_response(x, data, form)[0])
        effect = mean + sd * rng.standard_normal(q)
        own = rng.standard_normal((c, g)) * np.asarray(spreads(x, data)[1])[:, None] * (g > 1)
        caused = response * (effect[:c, None] + own)[..., None]
        for j, channel in enumerate(form.modulated):
            caused[channel] += response[channel] * effect[c + j] * weather[j]
        national = np.einsum("cgt,g->ct", caused, level)
        found[i], media[i] = national.mean(axis=1), national.sum(axis=0)
    if believed:
        log_weight = -0.5 * ((found.sum(axis=1) - total_mean) / total_sd) ** 2
        weight = np.exp(log_weight - log_weight.max())
        kept = rng.choice(n, size=n_draws, p=weight / weight.sum())
        found, media = found[kept], media[kept]
    return PriorDraws(found, media)


def prior_predictive(design: Design, data: Data, channels: tuple[str, ...], draws: PriorDraws) -> PriorPredictive:
    """What these priors imply on this design, and a verdict: absurd when more than a tenth of draws are impossible.

    Impossible is: media cause more than the whole outcome, or destroy more than a quarter of it. A draw's baseline is
    negative when in some period media would cause more than all places sold.
    """
    total = draws.share.sum(axis=1)
    above, below = float((total > 1).mean()), float((total < _LOSS).mean())
    counted = (design.observed > 0).all(axis=0)
    sold = (design.relative * np.asarray(data.level_share)[:, None]).sum(axis=0)
    left = np.where(counted, sold - draws.media, np.inf).min(axis=1)
    spent = design.spend_share
    return PriorPredictive(
        total_share=interval(total),
        above_outcome=above,
        below_zero=float((total < 0).mean()),
        negative_baseline=float((left < 0).mean()),
        roi=tuple(
            ChannelRange(channel, interval(draws.share[:, i] * design.z.shape[1] / spent[i]))
            for i, channel in enumerate(channels)
            if spent[i] > 0
        ),
        absurd=above > ABSURD or below > ABSURD,
        sentence=_sentence(total, above, below),
    )


def _sentence(total: Floats, above: float, below: float) -> str:
    low, _, high = (float(value) for value in np.quantile(total, [0.05, 0.5, 0.95]))
    said = f"Before the data, the priors put all media between {share(low)} and {share(high)} of sales (9 in 10)"
    if above > ABSURD:
        return f"{said}: in {share(above)} of draws above all that was sold, which is absurd. Narrow the ROI priors."
    if below > ABSURD:
        return f"{said}: in {share(below)} of draws ads destroy a quarter of sales, which is absurd. Narrow the priors."
    return f"{said}, which is possible."
