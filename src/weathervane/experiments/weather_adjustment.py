"""Each geo's weather taken out of its outcome, as far as the past proves that it helps; what ads did is not touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.experiments.panel import Floats

_MAX_BLOCKS = 8
_MIN_BLOCK_DAYS = 7
_GEO_PENALTIES = (np.inf, 1.0, 0.1)


@dataclass(frozen=True)
class WeatherAdjustment:
    """`outcome` [n_geos, t] without weather; `coefficients` [n_geos, k], relative change a spread of weather, shrunk.

    `shrinkage` is 0 where weather was not worth taking out, `noise_removed_rel` the share of the cross-fitted variance
    between geos that it explained before the test.
    """

    outcome: Floats
    coefficients: Floats
    shrinkage: float
    noise_removed_rel: float


def adjust_for_weather(outcome: Floats, weather: Floats, n_pre: int) -> WeatherAdjustment:
    """Takes `weather` [k, n_geos, t], residuals from each place's normal, out of `outcome` [n_geos, t].

    Coefficients come from the first `n_pre` days alone. A day before the test is adjusted with those fitted without its
    block of days, so that the past shows the noise that the test will have. Assignments are not looked at: the test
    stays exact. experiments.md, "Weather-adjusted read-out". BadInput where shapes differ or weather is missing.
    """
    if weather.ndim != 3 or weather.shape[1:] != outcome.shape:
        raise BadInput(f"Weather of shape {weather.shape} does not fit outcomes {outcome.shape}.", "align the two.")
    if not np.isfinite(weather).all():
        raise BadInput("The weather has missing values.", "fetch the missing days, or read without weather.")
    n_geos = len(outcome)
    nothing = WeatherAdjustment(outcome, np.zeros((n_geos, len(weather))), 0.0, 0.0)
    level = np.abs(outcome[:, :n_pre].mean(axis=1))
    n_blocks = min(_MAX_BLOCKS, n_pre // _MIN_BLOCK_DAYS)
    if n_blocks < 3 or n_geos < 3 or not (level > 0.0).all():
        return nothing
    block = np.arange(n_pre) * n_blocks // n_pre
    spread = _between(weather[:, :, :n_pre])
    size = spread.std(axis=(1, 2))
    if not (size > 0.0).any():
        return nothing
    unit = np.where(size > 0.0, size, 1.0)[:, None, None]
    signal = (spread / unit) * (size > 0.0)[:, None, None]
    response = _between((outcome[:, :n_pre] / level[:, None])[None])[0]
    # Normal equations of every block, [n_blocks, n_geos, k(, k)]: leaving one out is a subtraction.
    blocks = np.eye(n_blocks)[block].T
    crossed = np.einsum("bt,igt,jgt->bgij", blocks, signal, signal, optimize=True)
    pulled = np.einsum("bt,igt,gt->bgi", blocks, signal, response, optimize=True)
    return _best(outcome, weather / unit, level, block, signal, response, crossed, pulled) or nothing


def _best(
    outcome: Floats,
    weather: Floats,
    level: Floats,
    block: np.ndarray,
    signal: Floats,
    response: Floats,
    crossed: Floats,
    pulled: Floats,
) -> WeatherAdjustment | None:
    """The model with the least cross-fitted error, shrunk; None if its gain is within a standard error of nothing."""
    n_blocks, n_pre = len(crossed), len(block)
    plain = np.array([(response[:, block == b] ** 2).sum() for b in range(n_blocks)])
    found: tuple[float, float, Floats, Floats] | None = None
    for penalty in _GEO_PENALTIES:
        held_out = np.array(
            [_fit(crossed.sum(0) - crossed[b], pulled.sum(0) - pulled[b], penalty) for b in range(n_blocks)]
        )
        foretold = np.einsum("tgi,igt->gt", held_out[block], signal)
        shrinkage = float(np.clip((foretold * response).sum() / max(float((foretold**2).sum()), 1e-300), 0.0, 1.0))
        errors = np.array([((response - shrinkage * foretold)[:, block == b] ** 2).sum() for b in range(n_blocks)])
        gains = plain - errors
        standard_error = float(gains.std(ddof=1)) * np.sqrt(n_blocks)
        if gains.sum() > standard_error and (found is None or gains.sum() > found[0]):
            found = (float(gains.sum()), shrinkage, held_out, _fit(crossed.sum(0), pulled.sum(0), penalty))
    if found is None:
        return None
    gain, shrinkage, held_out, final = found
    effect = np.einsum("gi,igt->gt", final, weather)
    effect[:, :n_pre] = np.einsum("tgi,igt->gt", held_out[block], weather[:, :, :n_pre])
    return WeatherAdjustment(
        outcome - shrinkage * level[:, None] * effect, shrinkage * final, shrinkage, gain / float(plain.sum())
    )


def _fit(crossed: Floats, pulled: Floats, penalty: float) -> Floats:
    """Coefficients [n_geos, k]: one for all geos, and each geo's deviation under `penalty` relative to the data."""
    k = crossed.shape[-1]
    jitter = 1e-9 * np.eye(k) * max(float(np.trace(crossed.sum(0))), 1e-300)
    pooled = np.linalg.solve(crossed.sum(0) + jitter, pulled.sum(0))
    if np.isinf(penalty):
        return np.tile(pooled, (len(crossed), 1))
    rest = pulled - crossed @ pooled
    typical = float(np.trace(crossed.mean(0))) / k
    deviations = np.linalg.solve(crossed + penalty * typical * np.eye(k), rest[..., None])[..., 0]
    return pooled + deviations


def _between(values: Floats) -> Floats:
    """`values` [k, n_geos, t] less each geo's and each day's mean: what sets geos apart from one another."""
    centred = values - values.mean(axis=2, keepdims=True)
    return centred - centred.mean(axis=1, keepdims=True)
