"""What this data could measure: known effects put into its own design, and looked for again (mmm.md, "Recovery")."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.examination import ChannelRecovery, Recovery
from weathervane.contracts.figures import channel_name, share
from weathervane.model.features.build import Panel
from weathervane.model.mmm.decomposition import Draws, interval, joint_draws, predict
from weathervane.model.mmm.hierarchical import MediaMixFit, Progress, fit_media_mix
from weathervane.model.mmm.likelihood import spreads
from weathervane.model.mmm.prior_predictive import prior_draws
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]

REPLICATIONS = 4
LEFT = 0.5  # of the prior's spread; a channel whose data leave more is not measured but believed
_COVERAGE, _BY_CHANCE = 0.9, 0.05


def recover(
    panel: Panel,
    priors: Priors,
    fit: MediaMixFit,
    seed: int,
    *,
    replications: int = REPLICATIONS,
    progress: Progress = lambda _: None,
) -> Recovery:
    """Outcomes simulated from posterior draws on the panel's own spend, weather and gaps, each fitted again.

    A channel can be recovered when the data leave at most half of its prior spread and no fewer intervals hold the
    truth than happen by chance once in twenty. Costs one fit a replication. Experiments are left out. Raises
    ModelFailed when no refit converges.
    """
    draws = joint_draws(fit, seed, replications)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 5]))
    truths: list[Floats] = []
    found: list[Floats] = []
    for i, panel_again in enumerate(_simulated(panel, fit, draws, rng)):
        progress(f"looking for known effects, {i + 1} of {len(draws.coordinates)}")
        try:
            again = fit_media_mix(panel_again, priors, seed + i + 1, start=fit.peak)
        except ModelFailed:
            continue
        truths.append(draws.linear.caused[i] * fit.design.level.sum())
        found.append(again.contribution_share * again.design.z.shape[1] * again.design.level.sum())
    if not found:
        raise ModelFailed(
            "No refit to simulated outcomes converged, so nothing is known of what this data can measure.",
            "merge channels that move together, or import more history.",
        )
    sd = prior_draws(fit.data, fit.form, seed).share.std(axis=0) * fit.design.z.shape[1] * fit.design.level.sum()
    channels = tuple(
        _of_channel(
            channel, np.array([each[c] for each in truths]), [each[:, c] for each in found], prior_sd=float(sd[c])
        )
        for c, channel in enumerate(fit.channels)
    )
    lost = [channel_name(each.channel) for each in channels if not each.recoverable]
    said = f"This data cannot measure {', '.join(lost)}" if lost else "This data can measure every channel"
    return Recovery(
        replications=len(draws.coordinates),
        failed=len(draws.coordinates) - len(found),
        channels=channels,
        sentence=f"{said}, by {len(found)} simulations of known effects on its own spend, weather and gaps.",
    )


def _simulated(panel: Panel, fit: MediaMixFit, draws: Draws, rng: np.random.Generator) -> list[Panel]:
    """A panel for each draw: its fitted outcome with new noise, missing where the panel's is."""
    design, n = fit.design, panel.n_past
    out: list[Panel] = []
    for i, fitted in enumerate(predict(fit, draws)):
        factor = float(spreads(jnp.asarray(draws.coordinates[i]), fit.data)[0][-1])
        noise = _noise(rng, design.noise_spread * factor, design.noise_correlation, design.z.shape[1])
        outcome = panel.outcome.copy()
        simulated = fitted + noise * design.level[:, None]
        outcome[0, :, :n] = np.where(np.isfinite(outcome[0, :, :n]), simulated, np.nan)
        out.append(replace(panel, outcome=outcome))
    return out


def _noise(rng: np.random.Generator, spread: Floats, rho: float, n: int) -> Floats:
    """[g, n]: stationary noise with this lag-1 correlation, its innovations with these spreads [g]."""
    out = rng.standard_normal((len(spread), n)) * spread[:, None]
    out[:, 0] /= np.sqrt(1 - rho**2)
    for t in range(1, n):
        out[:, t] += rho * out[:, t - 1]
    return out


def _of_channel(channel: str, truth: Floats, found: list[Floats], *, prior_sd: float) -> ChannelRecovery:
    ranges = [interval(draws) for draws in found]
    covered = sum(each.holds(float(value)) for each, value in zip(ranges, truth, strict=True))
    sd = float(np.mean([draws.std() for draws in found]))
    left = sd / max(prior_sd, 1e-12)
    width = float(np.mean([each.p95 - each.p05 for each in ranges]))
    enough = covered >= int(binom.ppf(_BY_CHANCE, len(found), _COVERAGE))
    name, recoverable = channel_name(channel), left <= LEFT and enough
    if recoverable:
        sentence = f"{name} can be measured: the data take away {share(1 - left)} of the prior's doubt."
    elif enough:
        sentence = (
            f"{name} cannot be measured here: the data take away {share(max(0.0, 1 - left))} of the prior's doubt."
        )
    else:
        sentence = f"{name} cannot be measured here: {covered} of {len(found)} intervals held its known effect."
    return ChannelRecovery(
        channel=channel,
        covered=covered,
        n=len(found),
        relative_width=width / max(float(np.abs(truth).mean()), 1e-12),
        bias=float(np.mean([draws.mean() for draws in found]) - truth.mean()) / max(sd, 1e-12),
        left=left,
        recoverable=recoverable,
        sentence=sentence,
    )
