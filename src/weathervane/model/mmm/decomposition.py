"""The outcome taken apart, draw by draw, into parts that add up to the fit (mmm.md, "Decomposition")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.examination import Band, Contributions, Part, Range
from weathervane.contracts.figures import share
from weathervane.model.features.weather import INDICES
from weathervane.model.mmm.expected import noise_factor
from weathervane.model.mmm.hierarchical import MediaMixFit
from weathervane.model.mmm.likelihood import response_per_unit
from weathervane.model.mmm.linear import Linear, draw_linear

Floats = NDArray[np.float64]

BASELINE, WEATHER, PRICE, EVENTS, WEEKS = "baseline", "weather", "promotions and price", "events", "week effects"
NEGATIVE = 0.05  # a probability of a negative baseline above this is flagged
_PRICE_COLUMNS = ("promotion", "after a promotion", "price")
_BASELINE_COLUMNS = ("level", "trend", "step", "season", "week", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_DRAWS = 200
_STANDS_IN = 0.1  # of the outcome of a period may be the fit's own where places do not count

_response = jax.jit(response_per_unit, static_argnames=("form",))


@dataclass(frozen=True)
class Draws:
    """Joint draws of everything the model is made of: coordinates [s, d] and what is linear given them."""

    coordinates: Floats
    linear: Linear


@dataclass(frozen=True)
class Decomposition:
    """Contributions in outcome units, of parts k (`channels` the last of them), geos g, periods t and draws s."""

    geos: tuple[str, ...]
    parts: tuple[str, ...]
    n_channels: int
    totals: Floats  # [s, k, t], all geos
    by_geo: Floats  # [s, k, g], over the history
    mean: Floats  # [k, g, t], over draws
    observed: Floats  # [t], all geos; NaN where too many do not count
    negative: Floats  # [t], probability that the baseline of all geos is below zero
    negative_by_geo: Floats  # [g, t]
    channel_share: Floats  # [every draw, channel], of what was sold
    sold: float  # over the history, in outcome units

    @property
    def fitted(self) -> Floats:
        """[s, t]: the fitted outcome of all geos."""
        return self.totals.sum(axis=1)

    def report(self, starts: tuple[date, ...]) -> Contributions:
        """As quantiles, with the verdict on the baseline; `starts` [t] are the periods' first days.

        What channels brought is read from every draw of the fit, as the plan reads it, not from the few taken apart.
        """
        fitted = self.fitted
        whole = fitted.sum(axis=1)
        totals = [*self.totals.sum(axis=2).T]
        shares = [total / whole for total in totals]
        if self.n_channels:
            shares[-self.n_channels :] = [*self.channel_share.T]
            totals[-self.n_channels :] = [*(self.sold * self.channel_share).T]
        likely = self.negative_by_geo.max(axis=1) > 0.5
        places = tuple(geo for geo, negative in zip(self.geos, likely, strict=True) if negative)
        flagged = bool(self.negative.max() > NEGATIVE or places)
        return Contributions(
            geos=self.geos,
            starts=starts,
            observed=tuple(float(value) if np.isfinite(value) else None for value in self.observed),
            fitted=band(fitted),
            parts=tuple(
                Part(
                    name=name,
                    is_channel=k >= len(self.parts) - self.n_channels,
                    total=interval(totals[k]),
                    share=interval(shares[k]),
                    by_period=band(self.totals[:, k]),
                    by_geo=tuple(interval(self.by_geo[:, k, g]) for g in range(len(self.geos))),
                )
                for k, name in enumerate(self.parts)
            ),
            negative_baseline=tuple(float(value) for value in self.negative),
            negative_geos=places,
            flagged=flagged,
            sentence=_sentence(self.negative, starts, places),
        )


def decompose(fit: MediaMixFit, seed: int, n_draws: int = _DRAWS) -> Decomposition:
    """The outcome of every draw as baseline at normal weather, weather, price, events, weeks and channels.

    Normal weather is an anomaly of zero. Season, trend and weekdays are part of the baseline, weather modulation part
    of its channel. In each draw the parts add up to `predict` of the training data.
    """
    draws = joint_draws(fit, seed, n_draws)
    design = fit.design
    names = (*_groups(fit), *((WEEKS,) if design.n_weeks else ()), *fit.channels)
    n, (g, t), k = len(draws.coordinates), design.z.shape, len(names)
    totals, by_geo, mean = np.empty((n, k, t)), np.empty((n, k, g)), np.zeros((k, g, t))
    negative_by_geo = np.zeros((g, t))
    for i, parts in enumerate(contributions(fit, draws)):
        totals[i], by_geo[i] = parts.sum(axis=1), parts.sum(axis=2)
        mean += parts / n
        negative_by_geo += (parts[0] < 0) / n
    return Decomposition(
        geos=fit.geos,
        parts=names,
        n_channels=len(fit.channels),
        totals=totals,
        by_geo=by_geo,
        mean=mean,
        observed=_observed(fit, mean.sum(axis=0)),
        negative=(totals[:, 0] < 0).mean(axis=0),
        negative_by_geo=negative_by_geo,
        channel_share=fit.contribution_share,
        sold=t * float(design.level.sum()),
    )


def joint_draws(fit: MediaMixFit, seed: int, n_draws: int = _DRAWS) -> Draws:
    """Thinned draws of the coordinates, each with an exact draw of all that is linear given it."""
    rows = np.linspace(0, len(fit.coordinates) - 1, min(n_draws, len(fit.coordinates))).round().astype(int)
    chosen = fit.coordinates[rows]
    if fit.linear is not None:
        return Draws(chosen, fit.linear.take(rows))
    rng = np.random.default_rng(np.random.SeedSequence([seed, 3]))
    return Draws(chosen, draw_linear(chosen, fit.data, fit.form, rng))


def contributions(fit: MediaMixFit, draws: Draws) -> Iterator[Floats]:
    """Of each draw [k, g, t], in outcome units: groups of baseline columns, week effects, channels.

    BadInput where effects multiply: there parts have no sum of their own.
    """
    if fit.form.link == "log":
        raise BadInput(
            f"With a {fit.likelihood} likelihood effects multiply, so the outcome is not a sum of parts.",
            "read each channel's return and share, or fit with the normal likelihood.",
        )
    design = fit.design
    level = design.level[:, None]
    columns = list(_groups(fit).values())
    for i in range(len(draws.coordinates)):
        coefficient, weeks = _baseline_of(fit, draws.linear, i)
        parts = [
            np.einsum("gtp,gp->gt", design.raw_baseline[:, :, chosen], coefficient[:, chosen]) for chosen in columns
        ]
        if design.n_weeks:
            parts.append(np.broadcast_to(weeks[design.week_of], design.z.shape))
        response, effect = _media_of(fit, draws, i)
        yield np.concatenate([np.stack(parts), response * effect]) * level


def predict(fit: MediaMixFit, draws: Draws) -> Iterator[Floats]:
    """The fitted outcome [g, t] of each draw, straight from the model's equation."""
    design = fit.design
    # The mean of a log-normal lies above the exponential of the mean logarithm.
    spread = 0.0 * design.level if fit.likelihood == "negative_binomial" else design.log_variance
    factor = noise_factor(draws.coordinates, fit.data)
    for i in range(len(draws.coordinates)):
        coefficient, weeks = _baseline_of(fit, draws.linear, i)
        response, effect = _media_of(fit, draws, i)
        relative = np.einsum("gtp,gp->gt", design.raw_baseline, coefficient)
        relative += np.einsum("cgt,cgt->gt", response, effect)
        if design.n_weeks:
            relative += weeks[design.week_of]
        if fit.form.link == "log":
            relative = np.exp(relative - 1 + 0.5 * factor[i] ** 2 * spread[:, None])
        yield relative * design.level[:, None]


def interval(draws: Floats) -> Range:
    """The middle and the 90 % interval of draws [s]."""
    return Range(*(float(value) for value in np.quantile(draws, [0.05, 0.5, 0.95])))


def band(draws: Floats) -> Band:
    """The same of draws [s, t], by t."""
    return Band(*(tuple(float(value) for value in row) for row in np.quantile(draws, [0.05, 0.5, 0.95], axis=0)))


def _observed(fit: MediaMixFit, fitted: Floats) -> Floats:
    """[t]: the observed outcome of all geos; the fit [g, t] stands in for a geo that does not count, up to a tenth."""
    design = fit.design
    missing = np.where(design.observed > 0, 0.0, fitted).sum(axis=0)
    seen = (design.relative * design.level[:, None]).sum(axis=0)
    return np.where(missing <= _STANDS_IN * fitted.sum(axis=0), seen + missing, np.nan)


def _baseline_of(fit: MediaMixFit, linear: Linear, i: int) -> tuple[Floats, Floats]:
    """Coefficients [g, p] of the baseline columns in a draw, and its week effects."""
    design = fit.design
    p, v = len(design.columns), len(design.varies)
    coefficient = np.repeat(linear.shared[i, None, :p], len(fit.geos), axis=0)
    coefficient[:, list(design.varies)] += linear.deviation[i, :, :v]
    return coefficient, linear.shared[i, p : p + design.n_weeks]


def _media_of(fit: MediaMixFit, draws: Draws, i: int) -> tuple[Floats, Floats]:
    """Response per unit [c, g, t] in a draw, and the effect [c, g, t] it is multiplied by."""
    c, modulated = len(fit.channels), list(fit.form.modulated)
    response, _ = _response(jnp.asarray(draws.coordinates[i]), fit.data, fit.form)
    linear = draws.linear
    shared = linear.shared[i, -c - len(modulated) :]
    effect = (shared[:c] + linear.deviation[i, :, -c:]).T[:, :, None] * np.ones(fit.design.z.shape[1])
    weather = np.asarray(fit.data.weather)
    for j, channel in enumerate(modulated):
        effect[channel] += shared[c + j] * weather[j]
    return np.asarray(response, dtype=np.float64), effect


def _groups(fit: MediaMixFit) -> dict[str, list[int]]:
    """Positions of the baseline columns of each part, the baseline first; parts without a column left out."""
    out: dict[str, list[int]] = {BASELINE: []}
    for i, name in enumerate(fit.design.columns):
        out.setdefault(_part_of(name), []).append(i)
    return {name: out[name] for name in (BASELINE, WEATHER, PRICE, EVENTS) if name in out}


def _part_of(column: str) -> str:
    if column in _PRICE_COLUMNS:
        return PRICE
    first = column.split(" ")[0]
    if first in INDICES:
        return WEATHER
    return BASELINE if first in (*_BASELINE_COLUMNS, "Saturday") else EVENTS


def _sentence(negative: Floats, starts: tuple[date, ...], places: tuple[str, ...]) -> str:
    worst = int(np.argmax(negative))
    where = f" In {', '.join(places[:3])} it likely is in some period." if places else ""
    if negative[worst] > NEGATIVE:
        return (
            f"The baseline may be negative: with probability {share(float(negative[worst]))} in the period from "
            f"{starts[worst]}, so ads are credited with more than was sold.{where}"
        )
    if places:
        return f"The baseline of all places together stays above zero.{where}"
    return "The baseline stays above zero in every period."
