"""Likelihoods that are Gaussian only once something unseen is drawn beside them: Student, censored, counts.

Given how far each row can be trusted and what sold-out rows would have been, the model is the linear Gaussian one with
its closed form. So a sweep draws, in turn, the coordinates by Hamiltonian Monte Carlo on the collapsed density, all
that is linear exactly, and the unseen given both: an exact Gibbs sampler (mmm.md, "Likelihoods").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri

from weathervane.model.mmm import sampler
from weathervane.model.mmm.design import Design, Likelihood, whitened
from weathervane.model.mmm.expected import noise_factor, predictor
from weathervane.model.mmm.likelihood import Data, Form, log_density_of
from weathervane.model.mmm.linear import Linear, draw_one
from weathervane.model.mmm.running import side_by_side

Floats = NDArray[np.float64]

_FREEDOM = np.array([2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0])  # of a Student, all alike a priori
_DISPERSION = (50.0, 1.5)  # of a count, median and log-spread: its variance is mean + mean² / dispersion
_POLYA_GAMMA_TERMS, _POLYA_GAMMA_NORMAL = 64, 150.0
_WARMUP_BLOCKS, _BLOCK = 6, 25
_TARGET_ACCEPT = 0.85


@dataclass(frozen=True)
class Unseen:
    """What makes the rows Gaussian: a root weight and an outcome for each [g, t], and the likelihood's own number."""

    root: Floats
    relative: Floats
    own: float  # degrees of freedom, or dispersion


@dataclass(frozen=True)
class Problem:
    """A likelihood on a design; `data` has rows of unit weight."""

    likelihood: Likelihood
    design: Design
    data: Data
    form: Form
    count: Floats  # [g, t], outcome where it is a count, else anything


@dataclass
class _Chain:
    at: sampler.Chain
    unseen: Unseen
    linear: Linear  # of the last draw, one
    rng: np.random.Generator


@dataclass
class Warm:
    """Chains after warm-up: where they are, the metric [d, d], the step."""

    problem: Problem
    chains: list[_Chain]
    mode: Floats
    root: Floats
    step: float


@dataclass(frozen=True)
class Drawn:
    """Draws chain by chain: coordinates [s, d], what is linear given them, the likelihood's own number [s]."""

    coordinates: Floats
    linear: Linear
    own: Floats
    energy: Floats  # [chain, n]
    diverging: NDArray[np.bool_]  # [chain, n]


def problem_of(likelihood: Likelihood, design: Design, data: Data, form: Form, outcome: Floats) -> Problem:
    """The problem of these working data; `outcome` [g, t] as sold."""
    if likelihood == "negative_binomial":
        # A count's rows come unweighted: how far each can be trusted is drawn with it.
        plain = whitened(design, 0.0, np.ones(len(design.level)))
        data = data._replace(
            fixed=jnp.concatenate([jnp.asarray(plain.baseline), jnp.asarray(plain.outcome)[..., None]], axis=-1),
            lead=jnp.asarray(plain.lead),
            follow=jnp.asarray(plain.follow),
        )
        design = plain
    elif design.sold_out.any():
        # All rows count here: those that were sold out have an outcome drawn for them.
        data = data._replace(
            fixed=jnp.asarray(np.concatenate([design.baseline, design.outcome[..., None]], axis=-1)),
            lead=jnp.asarray(design.lead),
            follow=jnp.asarray(design.follow),
        )
    count = np.where(design.observed > 0, np.nan_to_num(outcome), 0.0)
    return Problem(likelihood, design, data, form, count)


def working(data: Data, design: Design) -> Data:
    """The Gaussian data a mode is looked for in: rows that were sold out left aside."""
    return _weighted(data, jnp.asarray((~design.sold_out).astype(np.float64)), jnp.asarray(design.relative))


def warm_up(problem: Problem, peak: sampler.Peak, seed: int) -> Warm:
    """Chains around the peak of the working data, tuned to accept 85 % of proposals."""
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence([seed, 7]).spawn(sampler.CHAINS)]
    first = _first(problem)
    chains = []
    for rng in streams:
        position = 1.3 * rng.standard_normal(len(peak.mode))
        at = sampler.Chain(position, 0.0, np.zeros_like(position), rng)
        chains.append(_Chain(at, first, _linear(problem, first, peak.mode + peak.root @ position, rng), rng))
    warm = Warm(problem, chains, peak.mode, peak.root, 0.5)
    for block in range(_WARMUP_BLOCKS):
        found, accepted = _run(warm, _BLOCK)
        warm.step *= float(np.clip(np.exp(2.0 * (accepted - _TARGET_ACCEPT)), 0.5, 1.5))
        if block == _WARMUP_BLOCKS - 3:
            size = len(peak.mode)
            pooled = np.linalg.solve(warm.root, (found.coordinates - peak.mode).T).T
            covariance = np.cov(pooled.T) * len(pooled) + 4 * size * np.eye(size)
            stretch = np.linalg.cholesky(covariance / (len(pooled) + 4 * size))
            warm.root = warm.root @ stretch
            for chain in chains:
                chain.at.position = np.linalg.solve(stretch, chain.at.position)
    return warm


def draw(warm: Warm, n: int) -> Drawn:
    """`n` further draws of every chain."""
    return _run(warm, n)[0]


def _run(warm: Warm, n: int) -> tuple[Drawn, float]:
    found = side_by_side(partial(_sweeps, warm, n=n), warm.chains)
    drawn = Drawn(
        coordinates=np.concatenate([each[0] for each in found]),
        linear=Linear.joined([one for each in found for one in each[1]]),
        own=np.concatenate([each[2] for each in found]),
        energy=np.stack([each[3] for each in found]),
        diverging=np.stack([each[4] for each in found]),
    )
    return drawn, float(np.mean([each[5] for each in found]))


def _sweeps(warm: Warm, chain: _Chain, n: int) -> tuple[Floats, list[Linear], Floats, Floats, NDArray[np.bool_], float]:
    problem = warm.problem
    coordinates, own, energy = np.empty((n, len(warm.mode))), np.empty(n), np.empty(n)
    linear, diverging, accepted = [], np.zeros(n, dtype=bool), 0.0
    for i in range(n):
        data = _weighted(problem.data, jnp.asarray(chain.unseen.root), jnp.asarray(chain.unseen.relative))
        density = sampler.Whitened(log_density_of(data, problem.form), warm.mode, warm.root)
        chain.at.log_density, chain.at.gradient = density(chain.at.position)
        step = warm.step * chain.rng.uniform(0.85, 1.15)
        energy[i], probability, diverging[i] = sampler.move(density, chain.at, step)
        accepted += probability / n
        coordinates[i] = warm.mode + warm.root @ chain.at.position
        chain.linear = draw_one(coordinates[i], data, problem.form, chain.rng)
        chain.unseen = _renewed(problem, chain.unseen, coordinates[i], chain.linear, chain.rng)
        linear.append(chain.linear)
        own[i] = chain.unseen.own
    return coordinates, linear, own, energy, diverging, accepted


def _linear(problem: Problem, unseen: Unseen, x: Floats, rng: np.random.Generator) -> Linear:
    data = _weighted(problem.data, jnp.asarray(unseen.root), jnp.asarray(unseen.relative))
    return draw_one(x, data, problem.form, rng)


@jax.jit
def _weighted(data: Data, root: Array, relative: Array) -> Data:
    """The data with every whitened row times its root weight [g, t], of this relative outcome [g, t]."""
    before = jnp.concatenate([jnp.zeros_like(relative[:, :1]), relative[:, :-1]], axis=1)
    outcome = data.lead * relative + data.follow * before
    fixed = jnp.concatenate([data.fixed[..., :-1], outcome[..., None]], axis=-1) * root[..., None]
    return data._replace(
        fixed=fixed,
        lead=data.lead * root,
        follow=data.follow * root,
        gram_total=(flat := fixed.reshape(-1, fixed.shape[-1])).T @ flat,
        gram_varying=fixed[..., data.varies].mT @ fixed,
    )


def _first(problem: Problem) -> Unseen:
    design = problem.design
    if problem.likelihood == "negative_binomial":
        # About what a count's logarithm can be trusted: 1 / (1 / mean + 1 / dispersion).
        mean = np.maximum(problem.count, 0.5)
        root = np.sqrt(1 / (1 / mean + 1 / _DISPERSION[0])) * (design.observed > 0)
        return Unseen(root, design.relative, _DISPERSION[0])
    root = (~design.sold_out).astype(np.float64)
    return Unseen(root, design.relative, 5.0)


def _renewed(problem: Problem, unseen: Unseen, x: Floats, linear: Linear, rng: np.random.Generator) -> Unseen:
    """The unseen, drawn given everything else."""
    raw = jnp.asarray(problem.design.raw_columns)
    of, _ = predictor(jnp.asarray(x), linear.shared[0], linear.deviation[0], raw, problem.data, problem.form)
    expected = np.asarray(of)
    noise = float(noise_factor(x[None], problem.data)[0])
    if problem.likelihood == "student":
        return _student(problem.design, expected, noise, rng)
    if problem.likelihood == "censored":
        return _uncensored(problem.design, unseen.relative, expected, noise, rng)
    return _counted(problem, expected, unseen.own, rng)


def _student(design: Design, expected: Floats, noise: float, rng: np.random.Generator) -> Unseen:
    """Weights given residuals; degrees of freedom with the weights integrated out."""
    counts = design.observed > 0
    square = (design.whiten(design.relative - expected)[counts] / noise) ** 2
    v = _FREEDOM[:, None]
    log_p = np.sum(gammaln((v + 1) / 2) - gammaln(v / 2) - 0.5 * np.log(v) - (v + 1) / 2 * np.log1p(square / v), axis=1)
    p = np.exp(log_p - log_p.max())
    freedom = float(rng.choice(_FREEDOM, p=p / p.sum()))
    root = np.zeros_like(design.relative)
    root[counts] = np.sqrt(rng.gamma((freedom + 1) / 2, 2 / (freedom + square)))
    return Unseen(root, design.relative, freedom)


def _uncensored(design: Design, relative: Floats, expected: Floats, noise: float, rng: np.random.Generator) -> Unseen:
    """What sold-out periods would have sold, each given its neighbours: odd periods, then even ones."""
    left = relative - expected
    after = np.concatenate([design.follow[:, 1:], np.zeros((len(left), 1))], axis=1)
    lead_after = np.concatenate([design.lead[:, 1:], np.zeros((len(left), 1))], axis=1)
    precision = design.lead**2 + after**2
    for odd in (0, 1):
        before = np.concatenate([np.zeros((len(left), 1)), left[:, :-1]], axis=1)
        next_one = np.concatenate([left[:, 1:], np.zeros((len(left), 1))], axis=1)
        mean = -(design.lead * design.follow * before + after * lead_after * next_one) / np.maximum(precision, 1e-300)
        sd = noise / np.sqrt(np.maximum(precision, 1e-300))
        chosen = design.sold_out & (np.arange(left.shape[1]) % 2 == odd)
        least = ((design.relative - expected) - mean)[chosen] / sd[chosen]
        # From the upper tail, which keeps its digits where little of the normal is left.
        drawn = -ndtri(np.maximum(rng.uniform(size=least.shape) * ndtr(-least), 1e-300))
        left[chosen] = mean[chosen] + sd[chosen] * np.maximum(drawn, least)
    return Unseen(np.ones_like(relative), expected + left, 0.0)


def _counted(problem: Problem, expected: Floats, dispersion: float, rng: np.random.Generator) -> Unseen:
    """Pólya-Gamma weights of a negative binomial, after a step of its dispersion with them integrated out."""
    design = problem.design
    counts = design.observed > 0
    y = problem.count[counts]
    log_mean = (expected - 1 + np.log(design.level)[:, None])[counts]

    def log_density(r: float) -> float:
        own = -0.5 * ((np.log(r) - np.log(_DISPERSION[0])) / _DISPERSION[1]) ** 2
        log_total = np.logaddexp(log_mean, np.log(r))
        terms = gammaln(y + r) - gammaln(r) + r * (np.log(r) - log_total) + y * (log_mean - log_total)
        return float(terms.sum()) + own

    for _ in range(4):
        proposed = dispersion * float(np.exp(0.25 * rng.standard_normal()))
        if np.log(rng.uniform()) < log_density(proposed) - log_density(dispersion):
            dispersion = proposed
    tilt = log_mean - np.log(dispersion)
    weight = polya_gamma(y + dispersion, tilt, rng)
    target = (y - dispersion) / (2 * weight) + np.log(dispersion)
    root, relative = np.zeros_like(expected), design.relative.copy()
    root[counts] = np.sqrt(weight)
    relative[counts] = target + 1 - np.broadcast_to(np.log(design.level)[:, None], expected.shape)[counts]
    return Unseen(root, relative, dispersion)


def polya_gamma(shape: Floats, tilt: Floats, rng: np.random.Generator) -> Floats:
    """[n]: Pólya-Gamma draws PG(shape, tilt), as a sum of gammas whose far tail is its mean.

    For a large shape, where it is a sum of many, as a normal.
    """
    size = np.maximum(np.abs(tilt), 1e-4)
    mean = shape / (2 * size) * np.tanh(size / 2)
    # (sinh c − c) sech²(c/2), written so that nothing overflows.
    ratio = (2 * np.tanh(size / 2) - size / np.cosh(np.minimum(size / 2, 300.0)) ** 2) / (4 * size**3)
    variance = np.where(size < 0.01, shape / 24, shape * ratio)
    out = np.maximum(mean + np.sqrt(variance) * rng.standard_normal(len(shape)), 1e-3 * mean)
    few = shape < _POLYA_GAMMA_NORMAL
    if few.any():
        k = np.arange(1, _POLYA_GAMMA_TERMS + 1) - 0.5
        below = k**2 + (size[few, None] / (2 * np.pi)) ** 2
        terms = rng.standard_gamma(np.broadcast_to(shape[few, None], below.shape)) / below
        left = mean[few] - (shape[few, None] / below).sum(axis=1) / (2 * np.pi**2)
        out[few] = terms.sum(axis=1) / (2 * np.pi**2) + left
    return out
