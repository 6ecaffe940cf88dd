"""The `lightweight` engine: LightweightMMM's inputs to its posterior and estimands (lightweight.md, "Estimands")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from weathervane.contracts.errors import BadInput
from weathervane.model.mmm import diagnostics
from weathervane.model.mmm.lightweight_model import (
    CustomPriors,
    Design,
    Prior,
    expected_outcome,
    model,
    priors_of,
    steady_response,
    transform_media,
)
from weathervane.model.mmm.lightweight_sampler import Progress, SamplerOptions, sample_posterior

Floats = NDArray[np.float64]

ENGINE = "lightweight"


@dataclass(frozen=True)
class Scales:
    """What inputs were divided by before the fit, and what media cost: s = 1 where nothing was scaled."""

    media: Floats  # [c] or [c, g]
    target: Floats  # [] or [g]
    cost: Floats  # [c], or [c, g] by geo, over all periods


@dataclass(frozen=True)
class ParameterSummary:
    """One number's posterior: `name` is the parameter's, with its flat index where it has several."""

    name: str
    mean: float
    sd: float
    q05: float
    q95: float
    mcse: float  # Monte-Carlo standard error of the mean
    ess: float
    rhat: float


@dataclass(frozen=True)
class LightweightFit:
    """Posterior draws by the package's names, each [chain, draw, ...], and what they say.

    Media and outcomes go in and come out in the user's units: divided by `scales.media`, multiplied by `scales.target`.
    s runs over all draws of all chains.
    """

    model_name: str
    media_names: tuple[str, ...]
    design: Design
    target: Floats  # [t] or [t, g], as fitted
    scales: Scales
    draws: Mapping[str, Floats]
    diverged: NDArray[np.bool_]  # [chain, draw]

    @property
    def divergences(self) -> int:
        """How many draws diverged."""
        return int(self.diverged.sum())

    @property
    def is_geo(self) -> bool:
        """Whether every estimand has a last axis of geos."""
        return self.design.is_geo

    @cached_property
    def parameters(self) -> tuple[ParameterSummary, ...]:
        """Summary and convergence of every parameter and of every channel's `roi`."""
        chains, n = next(iter(self.draws.values())).shape[:2]
        roi = self.channel_roi().reshape(chains, n, -1)
        return tuple(one for name, draws in {**self.draws, "roi": roi}.items() for one in summarise(name, draws))

    @property
    def rhat_max(self) -> float:
        """The worst R-hat of any parameter."""
        return max(one.rhat for one in self.parameters)

    @property
    def ess_min(self) -> float:
        """The fewest effective draws of any parameter."""
        return min(one.ess for one in self.parameters)

    @cached_property
    def contribution(self) -> Floats:
        """[s, c] or [s, c, g]: outcome that each channel caused over all periods."""

        def one(draw: Mapping[str, Array]) -> Array:
            return transform_media(self.model_name, self.design.media, draw).sum(axis=0) * draw["coef_media"]

        return self._over_draws(one) * self.scales.target

    def contribution_share(self) -> Floats:
        """[s, c] or [s, c, g]: each channel's part of the expected outcome."""
        return self.contribution / self.fitted().sum(axis=1)[:, None]

    def roi(self, cost: ArrayLike | None = None) -> Floats:
        """[s, c] or [s, c, g]: contribution over cost [c] or [c, g]; by default the cost that the fit knows."""
        return self.contribution / self._cost(cost)

    def channel_roi(self, cost: ArrayLike | None = None) -> Floats:
        """[s, c]: contribution in all geos over cost in all geos."""
        if not self.is_geo:
            return self.roi(cost)
        return self.contribution.sum(axis=2) / self._cost(cost).sum(axis=1)

    def fitted(self) -> Floats:
        """[s, t] or [s, t, g]: the expected outcome of the training periods."""
        return self._expected(self.design) * self.scales.target

    def predict(
        self, media: ArrayLike, extra_features: ArrayLike | None = None, media_gap: ArrayLike | None = None
    ) -> Floats:
        """[s, t] or [s, t, g]: expected outcome of periods that follow the training data, its media still at work.

        `media` [t, c] or [t, c, g] begins where training ended, or after `media_gap` where that is given. Trend and
        seasons go on counting. Without noise, as in the package. `extra_features` are those of the new periods.
        """
        ahead = self._scaled_media("media", media)
        gap = ahead[:0] if media_gap is None else self._scaled_media("media_gap", media_gap)
        before = len(self.design.media) + len(gap)
        longer = self.design._replace(
            media=jnp.concatenate([self.design.media, gap, ahead]),
            extra_features=self._extra_after(before, len(ahead), extra_features),
        )
        return self._expected(longer)[:, before:] * self.scales.target

    def response_curve(self, channel: str, media: ArrayLike) -> Floats:
        """[s, n] or [s, n, g]: outcome a period that this channel adds when its media is held at each level [n].

        Held for good: carry-over into a period is what leaves it. In a geo model a level is of each geo; levels by geo
        may be given as [n, g].
        """
        if channel not in self.media_names:
            raise BadInput(f"There is no channel called {channel!r}.", f"use one of {', '.join(self.media_names)}.")
        at = self.media_names.index(channel)
        level = np.asarray(media, dtype=np.float64)
        if not np.isfinite(level).all() or (level < 0).any():
            raise BadInput("A response curve is asked for at a negative or missing level.", "ask at zero or more.")
        if self.is_geo and level.ndim == 1:
            level = level[:, None]
        scaled = jnp.asarray(level / self.scales.media[at])
        return self._over_draws(partial(steady_response, self.model_name, scaled, channel=at)) * self.scales.target

    def _cost(self, cost: ArrayLike | None) -> Floats:
        """[c] or [c, g or 1]."""
        known = self.scales.cost if cost is None else np.asarray(cost, dtype=np.float64)
        if known.shape not in {(len(self.media_names),), self.design.media.shape[1:]}:
            raise BadInput(f"Cost has shape {known.shape}.", "give one total by channel, or by channel and geo.")
        return known[:, None] if self.is_geo and known.ndim == 1 else known

    def _scaled_media(self, name: str, media: ArrayLike) -> Array:
        ahead = _array(name, media)
        if ahead.shape[1:] != self.design.media.shape[1:]:
            raise BadInput(
                f"{name} has shape {ahead.shape}, which does not fit training media {self.design.media.shape}.",
                "give the same channels and geos, in the same order.",
            )
        return jnp.asarray(_not_negative(name, ahead) / self.scales.media)

    def _extra_after(self, before: int, n: int, extra_features: ArrayLike | None) -> Array | None:
        known = self.design.extra_features
        if (known is None) != (extra_features is None):
            raise BadInput(
                "The model was fitted with extra features and none are given, or the other way round.",
                "give extra features of the new periods exactly if the fit had them.",
            )
        if known is None or extra_features is None:
            return None
        ahead = _array("extra_features", extra_features)
        if ahead.shape != (n, *known.shape[1:]):
            raise BadInput(
                f"extra_features has shape {ahead.shape}; {(n, *known.shape[1:])} is needed.",
                "give every feature of the fit for every new period.",
            )
        # Only the rows of the new periods are read; those of a gap need no values.
        return jnp.concatenate([jnp.zeros((before, *known.shape[1:])), jnp.asarray(ahead)])

    def _expected(self, design: Design) -> Floats:
        def one(draw: Mapping[str, Array]) -> Array:
            return expected_outcome(design, transform_media(self.model_name, design.media, draw), draw)

        return self._over_draws(one)

    def _over_draws(self, of: Callable[[Mapping[str, Array]], Array]) -> Floats:
        """[s, ...]: a function of one draw, for all of them, some at a time so that memory stays small."""
        return over_draws(of, {name: np.reshape(draws, (-1, *draws.shape[2:])) for name, draws in self.draws.items()})


def over_draws(of: Callable[[Mapping[str, Array]], Array], draws: Mapping[str, Floats]) -> Floats:
    """[s, ...]: a function of one draw, for draws [s, ...] by name, some at a time so that memory stays small."""

    def mapped(rows: Mapping[str, Array]) -> Array:
        return jax.lax.map(of, rows, batch_size=64)

    values = jax.jit(mapped)({name: jnp.asarray(rows) for name, rows in draws.items()})
    return np.asarray(values, dtype=np.float64)


def summarise(name: str, draws: Floats) -> list[ParameterSummary]:
    """One summary a number of draws [chain, draw, ...]."""
    flat = draws.reshape(*draws.shape[:2], -1)
    summaries: list[ParameterSummary] = []
    for i in range(flat.shape[2]):
        x = flat[:, :, i]
        ess, sd = diagnostics.ess(x), float(x.std())
        q05, q95 = np.quantile(x, [0.05, 0.95])
        summaries.append(
            ParameterSummary(
                name=name if flat.shape[2] == 1 else f"{name}[{i}]",
                mean=float(x.mean()),
                sd=sd,
                q05=float(q05),
                q95=float(q95),
                mcse=sd / np.sqrt(ess),
                ess=ess,
                rhat=diagnostics.rhat(x),
            )
        )
    return summaries


@dataclass(frozen=True)
class Problem:
    """Inputs that fit each other, and priors: everything but how to sample."""

    model_name: str
    media_names: tuple[str, ...]
    design: Design
    media_prior: Floats  # [c] or [c, g]
    target: Floats  # [t] or [t, g]
    priors: Mapping[str, Prior]
    scales: Scales


def fit_lightweight(
    model_name: str,
    *,
    media: ArrayLike,
    media_prior: ArrayLike,
    target: ArrayLike,
    extra_features: ArrayLike | None = None,
    media_names: Sequence[str] | None = None,
    degrees_seasonality: int = 2,
    seasonality_frequency: float = 52,
    weekday_seasonality: bool = False,
    custom_priors: CustomPriors | None = None,
    number_warmup: int = 1000,
    number_samples: int = 1000,
    number_chains: int = 2,
    target_accept_prob: float = 0.85,
    seed: int = 0,
    scales: Scales | None = None,
    progress: Progress = lambda _: None,
) -> LightweightFit:
    """The posterior of `adstock`, `hill_adstock` or `carryover` given plain arrays, named as LightweightMMM names them.

    media [t, c] or [t, c, g], media_prior [c] or [c, g] (cost), target [t] or [t, g], extra_features [t, f] or
    [t, f, g], all scaled by the user; `scales` says by what, for estimands in the user's units. BadInput says which
    input does not fit and how to mend it. Convergence is for the caller to judge: `rhat_max`, `ess_min`, `divergences`.
    """
    problem = problem_of(
        model_name,
        media=media,
        media_prior=media_prior,
        target=target,
        extra_features=extra_features,
        media_names=media_names,
        degrees_seasonality=degrees_seasonality,
        seasonality_frequency=seasonality_frequency,
        weekday_seasonality=weekday_seasonality,
        custom_priors=custom_priors,
        scales=scales,
    )
    if min(number_warmup, number_samples, number_chains) < 1:
        raise BadInput("Warm-up, samples and chains must each be at least one.", "leave them at their defaults.")
    options = SamplerOptions(number_warmup, number_samples, number_chains, target_accept_prob, seed)
    return next(growing_fit(problem, options, progress))


def growing_fit(
    problem: Problem, options: SamplerOptions, progress: Progress = lambda _: None
) -> Iterator[LightweightFit]:
    """The fit after `options.draws` draws of each chain, then after as many more at each further step."""
    arguments = (problem.design, jnp.asarray(problem.media_prior), problem.priors, jnp.asarray(problem.target))
    public = {*problem.priors, "coef_media", "channel_coef_media"}
    for sites, diverged in sample_posterior(partial(model, problem.model_name), arguments, options, progress):
        yield LightweightFit(
            model_name=problem.model_name,
            media_names=problem.media_names,
            design=problem.design,
            target=problem.target,
            scales=problem.scales,
            draws={name: sites[name] for name in sorted(public & set(sites))},
            diverged=diverged,
        )


def problem_of(
    model_name: str,
    *,
    media: ArrayLike,
    media_prior: ArrayLike,
    target: ArrayLike,
    extra_features: ArrayLike | None = None,
    media_names: Sequence[str] | None = None,
    degrees_seasonality: int = 2,
    seasonality_frequency: float = 52,
    weekday_seasonality: bool = False,
    custom_priors: CustomPriors | None = None,
    scales: Scales | None = None,
) -> Problem:
    """The arguments of `fit_lightweight` that say what to fit, checked against each other."""
    design, prior, outcome = _checked(
        media, media_prior, target, extra_features, degrees_seasonality, seasonality_frequency, weekday_seasonality
    )
    n_channels = design.media.shape[1]
    names = tuple(f"channel_{i}" for i in range(n_channels)) if media_names is None else tuple(map(str, media_names))
    if len(names) != n_channels or len(set(names)) != n_channels:
        raise BadInput(f"There are {n_channels} channels and names {names}.", "give each channel a name of its own.")
    return Problem(
        model_name=model_name,
        media_names=names,
        design=design,
        media_prior=prior,
        target=outcome,
        priors=priors_of(model_name, custom_priors or {}, is_geo=design.is_geo),
        scales=scales or Scales(media=np.ones(design.media.shape[1:]), target=np.ones(outcome.shape[1:]), cost=prior),
    )


def _checked(
    media: ArrayLike,
    media_prior: ArrayLike,
    target: ArrayLike,
    extra_features: ArrayLike | None,
    degrees_seasonality: int,
    seasonality_frequency: float,
    weekday_seasonality: bool,
) -> tuple[Design, Floats, Floats]:
    """Design, media prior and target; BadInput where shapes or values do not fit."""
    exposure = _not_negative("media", _array("media", media))
    if exposure.ndim not in (2, 3) or 0 in exposure.shape:
        raise BadInput(
            f"media has shape {exposure.shape}.", "give [period, channel], or [period, channel, geo] for a geo model."
        )
    prior, outcome = _array("media_prior", media_prior), _array("target", target)
    if prior.shape not in {exposure.shape[1:2], exposure.shape[1:], (*exposure.shape[1:2], 1)}:
        raise BadInput(
            f"media_prior has shape {prior.shape}.", f"give one cost for each of {exposure.shape[1]} channels."
        )
    if (prior <= 0).any():
        raise BadInput(
            "A media_prior is zero or negative.", "leave out channels that cost nothing, or give their worth."
        )
    if exposure.ndim == 3:
        prior = np.broadcast_to(prior.reshape(len(prior), -1), (len(prior), prior.size // len(prior)))
    if outcome.shape != (len(exposure), *exposure.shape[2:]):
        raise BadInput(
            f"target has shape {outcome.shape} and media {exposure.shape}.", "give a target for every period and geo."
        )
    extra = None if extra_features is None else _array("extra_features", extra_features)
    if extra is not None and (extra.ndim != exposure.ndim or extra.shape[::2] != exposure.shape[::2]):
        raise BadInput(
            f"extra_features has shape {extra.shape} and media {exposure.shape}.",
            "give [period, feature], or [period, feature, geo] for a geo model.",
        )
    if degrees_seasonality < 1 or seasonality_frequency <= 0:
        raise BadInput("Seasonality needs at least one degree and a positive frequency.", "use 2 and 52 for weeks.")
    design = Design(
        media=jnp.asarray(exposure),
        extra_features=None if extra is None else jnp.asarray(extra),
        degrees_seasonality=degrees_seasonality,
        seasonality_frequency=float(seasonality_frequency),
        weekday_seasonality=weekday_seasonality,
    )
    return design, prior, outcome


def _array(name: str, given: ArrayLike) -> Floats:
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} is not an array of numbers: {error}.", "give plain numbers of one shape.") from error
    if not np.isfinite(values).all():
        raise BadInput(f"{name} has missing or infinite values.", "fill or leave out those periods.")
    return values


def _not_negative(name: str, values: Floats) -> Floats:
    if (values < 0).any():
        raise BadInput(f"{name} has negative values.", "book refunds in the period they were spent in.")
    return values
