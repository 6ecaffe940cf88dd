"""Did a channel's return change lately? One more effect a channel, for the last quarter alone (mmm.md, "Stability")."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.likelihood import Data, response_per_unit
from weathervane.model.mmm.linear import draw_linear

Floats = NDArray[np.float64]

LATELY_WEEKS = 13
_DRAWS = 100

_response = jax.jit(response_per_unit, static_argnames=("form",))


def recent_change(fit: MediaMixFit, seed: int, weeks: int = LATELY_WEEKS, n_draws: int = _DRAWS) -> Floats:
    """Draws [s, c] of how much each channel's effect of the last `weeks` differs from that of the weeks before.

    In units of the effect, ROI unless its prior is of something else. The model is the fit's with one more column a
    channel: its response at the posterior mean of its shape, in the last weeks alone, with the effect's own prior
    spread around no change. All else, shapes aside, is free to explain those weeks instead.
    """
    data = _with_lately(fit, weeks * 7 // fit.design.step_days)
    rows = np.linspace(0, len(fit.coordinates) - 1, min(n_draws, len(fit.coordinates))).round().astype(int)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 6]))
    linear = draw_linear(fit.coordinates[rows], data, fit.form, rng)
    p, c = fit.data.fixed.shape[-1] - 1, len(fit.channels)
    return linear.shared[:, p : p + c]


def _with_lately(fit: MediaMixFit, periods: int) -> Data:
    """The fit's data with the extra columns after its baseline."""
    data, c = fit.data, len(fit.channels)
    p = data.fixed.shape[-1] - 1
    response, _ = _response(jnp.asarray(fit.coordinates.mean(axis=0)), data, fit.form)
    lately = np.array(response)
    lately[:, :, :-periods] = 0.0
    extra = np.moveaxis(fit.design.whiten(lately), 0, -1)
    fixed = np.asarray(data.fixed)
    fixed = np.concatenate([fixed[..., :-1], extra, fixed[..., -1:]], axis=-1)
    mean, sd, learnt = (np.asarray(each) for each in (data.prior_mean, data.prior_sd, data.learnt))
    varies = np.asarray(data.varies)
    return data._replace(
        fixed=jnp.asarray(fixed),
        prior_mean=jnp.asarray(np.concatenate([mean[:p], np.zeros(c), mean[p:]])),
        prior_sd=jnp.asarray(np.concatenate([sd[:p], sd[p : p + c], sd[p:]])),
        learnt=jnp.asarray(np.concatenate([learnt[:p], learnt[p : p + c], learnt[p:]])),
        gram_total=jnp.asarray(np.einsum("gti,gtj->ij", fixed, fixed)),
        gram_varying=jnp.asarray(np.stack([rows[:, varies].T @ rows for rows in fixed])),
    )
