"""LightweightMMM's model family in NumPyro: priors, transforms, expected outcome (lightweight.md, "Model").

Names of parameters and priors are those of the package, so that what its users know and saved still fits. How a point
is written down for the sampler is ours: same posterior, fewer steps (lightweight.md, "Sampling").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Number
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import Array
from jax.typing import ArrayLike
from numpyro.distributions import constraints

from weathervane.contracts.errors import BadInput
from weathervane.model.mmm import running  # noqa: F401  # pyright: ignore[reportUnusedImport]  it says how JAX runs

Prior = dist.Distribution
Parameters = Mapping[str, Array]
CustomPriors = Mapping[str, Prior | Mapping[str, float] | Sequence[float] | float]
Transform = Callable[[Array, Parameters], Array]

_CARRYOVER_LAGS = 13
_GEO_ONLY = "coef_seasonality"


class Design(NamedTuple):
    """What the expected outcome is a function of, beside the parameters; t periods, c channels, f features, g geos."""

    media: Array  # [t, c] or [t, c, g]
    extra_features: Array | None  # [t, f] or [t, f, g]
    degrees_seasonality: int
    seasonality_frequency: float
    weekday_seasonality: bool

    @property
    def n_geos(self) -> int:
        """One for a national model."""
        return self.media.shape[2] if self.is_geo else 1

    @property
    def is_geo(self) -> bool:
        """Whether there is an axis of geos."""
        return self.media.ndim == 3


def _carry_geometric(media: Array, parameters: Parameters) -> Array:
    """y[t] = x[t] + w y[t−1], times 1 − w, so that media held steady end up as they are."""
    weight = parameters["lag_weight"]

    def step(before: Array, now: Array) -> tuple[Array, Array]:
        carried = before * weight + now
        return carried, carried

    _, carried = jax.lax.scan(step, jnp.zeros_like(media[0]), media)
    return carried * (1.0 - weight)


def _carry_delayed(media: Array, parameters: Parameters) -> Array:
    """Weights r^((lag − delay)²) over 13 lags, divided by their sum."""
    lag = jnp.arange(_CARRYOVER_LAGS, dtype=float).reshape(-1, *(1,) * (media.ndim - 1))
    distance = (lag - parameters["peak_effect_delay"]) ** 2
    weights = jax.nn.softmax(distance * jnp.log(parameters["ad_effect_retention_rate"]), axis=0)
    lagged = jnp.stack([_later(media, back) for back in range(_CARRYOVER_LAGS)])
    return (lagged * weights[:, None]).sum(axis=0)


def _later(media: Array, by: int) -> Array:
    """Media moved `by` periods later, zeros before."""
    padding = [(by, 0), *((0, 0),) * (media.ndim - 1)]
    return jnp.pad(media, padding)[: media.shape[0]]


def _log_and_mask(x: Array) -> tuple[Array, Array]:
    """log x and where x is positive; zeros are masked before the logarithm, or their gradient would be NaN."""
    positive = x > 0
    return jnp.log(jnp.where(positive, x, 1.0)), positive


def _saturate_power(carried: Array, parameters: Parameters) -> Array:
    """x^exponent, zero at zero."""
    log_x, positive = _log_and_mask(carried)
    return jnp.where(positive, jnp.exp(parameters["exponent"] * log_x), 0.0)


def _saturate_hill(carried: Array, parameters: Parameters) -> Array:
    """1 / (1 + (x / half max)^−slope), zero at zero."""
    log_x, positive = _log_and_mask(carried)
    odds = parameters["slope"] * (log_x - jnp.log(parameters["half_max_effective_concentration"]))
    return jnp.where(positive, jax.nn.sigmoid(odds), 0.0)


class Family(NamedTuple):
    """One member of the model family: how media carry over and saturate, with priors of the parameters by channel."""

    carry: Transform
    saturate: Transform
    priors: Callable[[], dict[str, Prior]]


def _adstock_priors() -> dict[str, Prior]:
    return {"lag_weight": dist.Beta(2.0, 1.0), "exponent": dist.Beta(9.0, 1.0)}


def _hill_adstock_priors() -> dict[str, Prior]:
    return {
        "lag_weight": dist.Beta(2.0, 1.0),
        "half_max_effective_concentration": dist.Gamma(1.0, 1.0),
        "slope": dist.Gamma(1.0, 1.0),
    }


def _carryover_priors() -> dict[str, Prior]:
    return {
        "ad_effect_retention_rate": dist.Beta(1.0, 1.0),
        "peak_effect_delay": dist.HalfNormal(2.0),
        "exponent": dist.Beta(9.0, 1.0),
    }


FAMILIES: Mapping[str, Family] = {
    "adstock": Family(_carry_geometric, _saturate_power, _adstock_priors),
    "hill_adstock": Family(_carry_geometric, _saturate_hill, _hill_adstock_priors),
    "carryover": Family(_carry_delayed, _saturate_power, _carryover_priors),
}


def _baseline_priors() -> dict[str, Prior]:
    return {
        "intercept": dist.HalfNormal(2.0),
        "coef_trend": dist.Normal(0.0, 1.0),
        "expo_trend": dist.Uniform(0.5, 1.5),
        "sigma": dist.Gamma(1.0, 1.0),
        "gamma_seasonality": dist.Normal(0.0, 1.0),
        "weekday": dist.Normal(0.0, 0.5),
        "coef_extra_features": dist.Normal(0.0, 1.0),
        _GEO_ONLY: dist.HalfNormal(0.5),
    }


def family_of(model_name: str) -> Family:
    """The family of that name; BadInput names the three there are."""
    if model_name not in FAMILIES:
        raise BadInput(f"There is no lightweight model called {model_name!r}.", f"choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[model_name]


def priors_of(model_name: str, custom: CustomPriors, *, is_geo: bool) -> dict[str, Prior]:
    """All priors of a model by name: the defaults, with the custom ones in their place.

    A custom prior is a NumPyro distribution, or the arguments of the default one: a number, a sequence, or a mapping.
    """
    priors = {**_baseline_priors(), **family_of(model_name).priors()}
    if not is_geo:
        del priors[_GEO_ONLY]
    unknown = sorted(set(custom) - set(priors))
    if unknown:
        raise BadInput(
            f"A {'geo' if is_geo else 'national'} {model_name} model has no prior called {', '.join(unknown)}.",
            f"use names out of {', '.join(priors)}.",
        )
    return priors | {name: _prior(name, priors[name], given) for name, given in custom.items()}


def _prior(name: str, default: Prior, given: Prior | Mapping[str, float] | Sequence[float] | float) -> Prior:
    if isinstance(given, dist.Distribution):
        return given
    family = cast("Callable[..., Prior]", type(default))
    try:
        if isinstance(given, Number):
            return family(float(cast("float", given)))
        if isinstance(given, Mapping):
            return family(**{key: float(value) for key, value in given.items()})
        return family(*(float(value) for value in cast("Sequence[float]", given)))
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"The custom prior of {name} cannot be read: {error}.",
            f"give a NumPyro distribution, or the numbers of {type(default).__name__}.",
        ) from error


def transform_media(model_name: str, media: Array, parameters: Parameters) -> Array:
    """Media carried over and saturated, of the same shape; one draw of the parameters."""
    family = family_of(model_name)
    by_channel = {name: parameters[name] for name in family.priors()}
    if media.ndim == 3:
        by_channel = {name: value[:, None] for name, value in by_channel.items()}
    return family.saturate(family.carry(media, by_channel), by_channel)


def steady_response(model_name: str, level: Array, parameters: Parameters, channel: int) -> Array:
    """Outcome a period [n] or [n, g] of one channel's media held at `level` [n] or [n, g] for good; one draw.

    Every carry-over here returns what went in, so what is held steady is only saturated.
    """
    family = family_of(model_name)
    one = {name: parameters[name][channel] for name in family.priors()}
    return family.saturate(level, one) * parameters["coef_media"][channel]


def expected_outcome(design: Design, media: Array, parameters: Parameters) -> Array:
    """The model's mean [t] or [t, g] at one draw of the parameters, `media` transformed (lightweight.md, "Model")."""
    effect = jnp.einsum("tcg,cg->tg" if design.is_geo else "tc,c->t", media, parameters["coef_media"])
    baseline = (
        parameters["intercept"]
        + parameters["coef_trend"] * _trend(len(media), parameters["expo_trend"])[:, None]
        + _seasonality(design, parameters["gamma_seasonality"])[:, None] * parameters.get(_GEO_ONLY, jnp.ones(1))
    )
    if design.weekday_seasonality:
        baseline = baseline + parameters["weekday"][jnp.arange(len(media)) % 7][:, None]
    if design.extra_features is not None:
        axes = "tfg,fg->tg" if design.is_geo else "tf,f->t"
        extra = jnp.einsum(axes, design.extra_features, parameters["coef_extra_features"])
        effect = effect + extra
    return effect + (baseline if design.is_geo else baseline[:, 0])


def _trend(n: int, exponent: Array) -> Array:
    """Period number to the power of the exponent, [n]; the first is period 0."""
    later = jnp.exp(exponent * np.log(np.arange(1.0, n)))
    return jnp.concatenate([jnp.zeros(1), later])


def _seasonality(design: Design, gamma: Array) -> Array:
    """Fourier terms [t] with coefficients gamma [degree, sine and cosine]."""
    degrees = np.arange(1, design.degrees_seasonality + 1)
    angle = 2 * np.pi * np.arange(design.media.shape[0])[:, None] * degrees / design.seasonality_frequency
    # In NumPy, so that it is computed once and not at every step of the sampler.
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(len(angle), -1)
    return jnp.asarray(waves) @ gamma.reshape(-1)


def model(model_name: str, design: Design, media_prior: Array, priors: Mapping[str, Prior], target: Array) -> None:
    """The joint density as a NumPyro model; media_prior [c] or [c, g] is the scale of each channel's effect."""
    n_channels, n_geos = design.media.shape[1], design.n_geos
    draw = partial(_draw, priors)
    parameters = {
        "sigma": draw("sigma", n_geos),
        "expo_trend": draw("expo_trend"),
        "gamma_seasonality": draw("gamma_seasonality", design.degrees_seasonality, 2),
        **{name: draw(name, n_channels) for name in family_of(model_name).priors()},
    }
    if design.is_geo:
        parameters[_GEO_ONLY] = draw(_GEO_ONLY, n_geos)
    if design.weekday_seasonality:
        parameters["weekday"] = draw("weekday", 7)
    if design.extra_features is not None:
        parameters["coef_extra_features"] = draw("coef_extra_features", *design.extra_features.shape[1:])
    media = transform_media(model_name, design.media, parameters)
    parameters["coef_trend"] = _draw_trend(priors["coef_trend"], design, parameters["expo_trend"])
    parameters["intercept"], parameters["coef_media"] = _draw_level_and_media(
        priors["intercept"], _media_prior(design, media_prior), media
    )
    numpyro.sample("target", dist.Normal(expected_outcome(design, media, parameters), parameters["sigma"]), obs=target)


def _draw(priors: Mapping[str, Prior], name: str, *shape: int) -> Array:
    return cast("Array", numpyro.sample(name, priors[name].expand(shape).to_event(len(shape))))


def _media_prior(design: Design, media_prior: Array) -> Prior:
    """The prior of coef_media, [c]; or [c, g] around a scale by channel that is learnt."""
    if not design.is_geo:
        return dist.HalfNormal(media_prior)
    channel = numpyro.sample("channel_coef_media", dist.HalfNormal(media_prior).to_event(media_prior.ndim))
    return dist.HalfNormal(jnp.broadcast_to(cast("Array", channel), design.media.shape[1:]))


def _draw_trend(prior: Prior, design: Design, exponent: Array) -> Array:
    """coef_trend [g], sampled as the trend's mean height over the data.

    That height is known well; slope and exponent apart are not, and lie along a bent ridge.
    """
    shape = (design.n_geos,)
    if prior.support is not constraints.real:
        return cast("Array", numpyro.sample("coef_trend", prior.expand(shape).to_event(1)))
    per_slope = jnp.mean(_trend(design.media.shape[0], exponent))
    height = _free("trend_height", shape)
    slope = numpyro.deterministic("coef_trend", height / per_slope)
    _count("coef_trend_prior", prior.log_prob(slope), -shape[0] * jnp.log(per_slope))
    return cast("Array", slope)


def _draw_level_and_media(intercept_prior: Prior, media_prior: Prior, media: Array) -> tuple[Array, Array]:
    """intercept [g] and coef_media [c] or [c, g], sampled as their sum and the parts of it.

    Data know what baseline and channels add up to, some of them what each channel adds, none the coefficient apart from
    the shape of the curve it stands before. Log of the sum and log odds of the parts leave what is known straight.
    """
    per_coefficient = media.mean(axis=0)
    per_coefficient = jnp.where(per_coefficient > 0, per_coefficient, 1.0)
    shape, n_geos = per_coefficient.shape, media.shape[2] if media.ndim == 3 else 1
    if intercept_prior.support is not constraints.positive:
        intercept = cast("Array", numpyro.sample("intercept", intercept_prior.expand((n_geos,)).to_event(1)))
        return intercept, cast("Array", numpyro.sample("coef_media", media_prior.to_event(len(shape))))
    log_odds = _free("media_log_odds", shape)
    log_level = _free("log_level", (n_geos,))
    by_geo = log_odds.reshape(shape[0], n_geos)
    log_intercept = log_level - jnp.logaddexp(0.0, jax.nn.logsumexp(by_geo, axis=0))
    log_coefficient = (by_geo + log_intercept).reshape(shape) - jnp.log(per_coefficient)
    intercept = cast("Array", numpyro.deterministic("intercept", jnp.exp(log_intercept)))
    coefficient = cast("Array", numpyro.deterministic("coef_media", jnp.exp(log_coefficient)))
    # The change of variables, from (log level, log odds) to the logs of intercept and effects, has determinant one.
    _count("intercept_prior", intercept_prior.log_prob(intercept), log_intercept)
    _count("coef_media_prior", media_prior.log_prob(coefficient), log_coefficient)
    return intercept, coefficient


def _free(name: str, shape: tuple[int, ...]) -> Array:
    """A coordinate of the sampler without a prior of its own."""
    return cast("Array", numpyro.sample(name, dist.ImproperUniform(constraints.real, (), shape)))


def _count(name: str, log_prior: ArrayLike, log_volume: ArrayLike) -> None:
    """Adds the prior of a parameter that was made from free coordinates, and the volume of the change."""
    numpyro.factor(name, jnp.sum(jnp.asarray(log_prior)) + jnp.sum(jnp.asarray(log_volume)))
