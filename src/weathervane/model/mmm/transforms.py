"""How exposure becomes effect: carry-over and saturation, in JAX (mmm.md, "Carry-over" and "Saturation")."""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

CarryOver = Literal["geometric", "delayed", "weibull", "binomial"]
Saturation = Literal["hill", "exponent", "logistic", "none"]

LAG_DAYS = 63  # long enough for a half-life of two weeks to fade below 5 %; the last lag takes what is left


class Shape(NamedTuple):
    """The shape parameters, [c] each."""

    half_life_days: Array
    half_saturation: Array  # multiples of the channel's unit of exposure
    slope: Array
    peak_days: Array  # read by delayed carry-over alone


def n_lags(step_days: int) -> int:
    """Number of periods a kernel spans, the period of spending included."""
    return LAG_DAYS // step_days


def daily_kernel(shape: Shape, families: tuple[CarryOver, ...]) -> Array:
    """Share of a day's effect that lands on that day and each later one; [c, LAG_DAYS], sums to one."""
    lag = jnp.arange(float(LAG_DAYS))
    read = (shape.half_life_days[:, None], shape.slope[:, None], shape.peak_days[:, None])
    if len(set(families)) == 1:
        kernel = _DAILY[families[0]](lag, *read)
    else:
        kernel = jnp.stack([_DAILY[family](lag, *(each[c] for each in read)) for c, family in enumerate(families)])
    return kernel / kernel.sum(axis=-1, keepdims=True)


def kernel(shape: Shape, families: tuple[CarryOver, ...], step_days: int) -> Array:
    """The kernel in periods, [c, n_lags]: exact for spend spread evenly over the days of its period.

    So a half-life means the same number of days whatever the step of the data.
    """
    return daily_kernel(shape, families) @ jnp.asarray(_days_to_periods(step_days))


def carry_over(exposure: Array, kernel: Array) -> Array:
    """Exposure [c, g, t + lags − 1] (led by its run-up) carried over by each channel's kernel [c, lags]: [c, g, t]."""
    lags = kernel.shape[-1]
    n = exposure.shape[-1] - (lags - 1)
    if lags <= _MOST_TAPS:
        taps = jnp.stack([exposure[..., lags - 1 - lag : lags - 1 - lag + n] for lag in range(lags)], axis=-1)
        return jnp.einsum("cgtl,cl->cgt", taps, kernel)
    size = int(2 ** np.ceil(np.log2(exposure.shape[-1] + lags)))
    spectrum = jnp.fft.rfft(exposure, size) * jnp.fft.rfft(kernel, size)[:, None]
    carried = jnp.fft.irfft(spectrum, size)[..., lags - 1 : lags - 1 + n]
    # Rounding in the transform may leave a hair below nothing, where a logarithm is taken next.
    return jnp.maximum(carried, 0.0)


def saturate(exposure: Array, shape: Shape, families: tuple[Saturation, ...]) -> Array:
    """Saturated exposure [c, ...] in units of its own family, zero at zero and rising."""
    if len(set(families)) == 1:
        wide = (-1,) + (1,) * (exposure.ndim - 1)
        return _SATURATION[families[0]](exposure, shape.half_saturation.reshape(wide), shape.slope.reshape(wide))
    rows = [
        _SATURATION[family](exposure[c], shape.half_saturation[c], shape.slope[c]) for c, family in enumerate(families)
    ]
    return jnp.stack(rows)


def hill(exposure: Array, half_saturation: Array, slope: Array) -> Array:
    """x^s / (x^s + k^s), zero at zero; parameters broadcast against the exposure."""
    positive = exposure > 0
    # The logarithm of zero is masked before it is taken: where() alone would still pass its gradient on as NaN.
    log_x = jnp.log(jnp.where(positive, exposure, 1.0))
    odds = slope * (log_x - jnp.log(half_saturation))
    # Not 1 / (1 + exp(−odds)): far below half-saturation that overflows, and its gradient is not a number.
    return jnp.where(positive, jax.nn.sigmoid(odds), 0.0)


def exponent(exposure: Array, half_saturation: Array, slope: Array) -> Array:  # noqa: ARG001  one signature for all
    """x^e with e = s / (1 + s), always concave: no level at which it is full."""
    positive = exposure > 0
    log_x = jnp.log(jnp.where(positive, exposure, 1.0))
    return jnp.where(positive, jnp.exp(slope / (1.0 + slope) * log_x), 0.0)


def logistic(exposure: Array, half_saturation: Array, slope: Array) -> Array:  # noqa: ARG001
    """tanh(x log 3 / (2 k)): half of its ceiling at k, concave."""
    return jnp.tanh(0.5 * np.log(3.0) * exposure / half_saturation)


def proportional(exposure: Array, half_saturation: Array, slope: Array) -> Array:  # noqa: ARG001
    """x: no saturation."""
    return exposure


def _geometric(lag: Array, half_life: Array, slope: Array, peak: Array) -> Array:  # noqa: ARG001
    return jnp.power(0.5, lag / half_life)


def _delayed(lag: Array, half_life: Array, slope: Array, peak: Array) -> Array:  # noqa: ARG001
    # Falls to a half `half_life` days from its peak, slowly at first: 0.5^((lag − peak)² / half-life²).
    return jnp.power(0.5, ((lag - peak) / half_life) ** 2)


def _weibull(lag: Array, half_life: Array, slope: Array, peak: Array) -> Array:  # noqa: ARG001
    # Survival of a Weibull of shape 2 (which has no parameter of its own), with its median at the half-life.
    return jnp.power(0.5, (lag / half_life) ** 2)


def _binomial(lag: Array, half_life: Array, slope: Array, peak: Array) -> Array:  # noqa: ARG001
    # (1 − lag/L)^e with e chosen so that a half is left at the half-life: convex, and gone for good after L days.
    left = 1.0 - lag / LAG_DAYS
    power = jnp.log(0.5) / jnp.log1p(-jnp.minimum(half_life, 0.9 * LAG_DAYS) / LAG_DAYS)
    return jnp.power(left, power)


_DAILY = {"geometric": _geometric, "delayed": _delayed, "weibull": _weibull, "binomial": _binomial}
_SATURATION = {"hill": hill, "exponent": exponent, "logistic": logistic, "none": proportional}
_MOST_TAPS = 16  # above, a Fourier transform is cheaper than one product a lag


def _days_to_periods(step_days: int) -> NDArray[np.float64]:
    """[LAG_DAYS, n_lags]: the share of an effect `lag` days later that lands in each later period."""
    spread = np.zeros((LAG_DAYS, n_lags(step_days)))
    for lag in range(LAG_DAYS):
        for spent_on in range(step_days):
            spread[lag, min((spent_on + lag) // step_days, n_lags(step_days) - 1)] += 1.0 / step_days
    return spread
