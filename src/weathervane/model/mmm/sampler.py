"""Hamiltonian Monte Carlo for a smooth density of some tens of coordinates: mode, curvature, then short trajectories.

Whitened by the curvature at the mode, the collapsed posterior is nearly a unit Gaussian, where three or four leapfrog
steps make a nearly independent draw (mmm.md, "Sampling"; docs/decisions/0002-own-sampler.md says why not NUTS).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray
from scipy.optimize import minimize

from weathervane.model.mmm.running import side_by_side

Floats = NDArray[np.float64]

CHAINS = 4
_TRAJECTORY = 2.4  # in whitened units; beyond a quarter turn of a Gaussian, where successive draws lean apart
_WARMUP_BLOCKS = 5
_BLOCK = 25
_TARGET_ACCEPT = 0.85
_DIVERGED = 50.0  # energy error


@dataclass(frozen=True)
class Density:
    """A log density `of(coordinates [d], *arguments)` in JAX, up to a constant.

    Trajectories and single evaluations are one compiled program a function and shape of arguments: `of` must be the
    same object for that.
    """

    of: Callable[..., Array]
    arguments: tuple[Any, ...] = ()

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """The log density and its gradient [d] at x [d]."""
        zero = np.zeros_like(x)
        # A step of no length; its first momentum is nothing, so the gradient it starts with does not count.
        _, _, value, gradient = _leap(x, zero, 0.0, zero, 0.0, 1, zero, np.eye(len(x)), self.arguments, self.of)
        return float(value), np.asarray(gradient)


@dataclass(frozen=True)
class Whitened:
    """The density of u where the coordinates are center + root u."""

    density: Density
    center: Floats  # [d]
    root: Floats  # [d, d]

    def __call__(self, u: Floats) -> tuple[float, Floats]:
        """The log density and its gradient [d] at u [d]."""
        value, gradient = self.density(self.center + self.root @ u)
        return value, self.root.T @ gradient

    def leap(self, chain: Chain, momentum: Floats, step: float, n_steps: int) -> tuple[Floats, Floats, float, Floats]:
        """Leapfrog steps from a chain: position, momentum, log density and gradient where they end.

        They end early where the density is not a number.
        """
        found = _leap(
            chain.position, momentum, chain.log_density, chain.gradient, step, n_steps, self.center, self.root,
            self.density.arguments, self.density.of,
        )  # fmt: skip
        position, momentum, value, gradient = (np.asarray(each) for each in found)
        return position, momentum, float(value), gradient


@partial(jax.jit, static_argnames=("of",))
def _leap(
    position: Array,
    momentum: Array,
    value: Array,
    gradient: Array,
    step: Array,
    n_steps: Array,
    center: Array,
    root: Array,
    arguments: tuple[Any, ...],
    of: Callable[..., Array],
) -> tuple[Array, ...]:
    """A trajectory in whitened coordinates [d]; the loop is compiled, as a call costs as much as a small gradient."""

    def going(state: tuple[Array, ...]) -> Array:
        done, _, _, value, _ = state
        return (done < n_steps) & jnp.isfinite(value)

    def one(state: tuple[Array, ...]) -> tuple[Array, ...]:
        done, position, momentum, _, gradient = state
        momentum = momentum + 0.5 * step * gradient
        position = position + step * momentum
        value, gradient = jax.value_and_grad(of)(center + root @ position, *arguments)
        gradient = root.T @ gradient
        return done + 1, position, momentum + 0.5 * step * gradient, value, gradient

    first = tuple(jnp.asarray(each, dtype=float) for each in (0, position, momentum, value, gradient))
    return lax.while_loop(going, one, first)[1:]


@dataclass
class Chain:
    """Where a chain is, and the density there."""

    position: Floats
    log_density: float
    gradient: Floats
    rng: np.random.Generator


@dataclass(frozen=True)
class Peak:
    """The mode of a density, and R [d, d] with R R' = inverse curvature there."""

    mode: Floats
    root: Floats

    @property
    def sd(self) -> Floats:
        """[d]: the standard deviations of the Gaussian with this mode and curvature."""
        return np.sqrt((self.root**2).sum(axis=1))


@dataclass(frozen=True)
class Tuned:
    """A warmed-up sampler: where the chains are, the metric and the step."""

    density: Density
    peak: Peak
    step: float
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class Drawn:
    """Draws [CHAINS, n, d], the energy each began with and whether it diverged, both [CHAINS, n]."""

    draws: Floats
    energy: Floats
    diverging: NDArray[np.bool_]

    @property
    def divergences(self) -> int:
        """How many draws diverged."""
        return int(self.diverging.sum())

    @property
    def ebfmi(self) -> float:
        """The lowest energy fraction of missing information of a chain."""
        return lowest_ebfmi(self.energy)


def lowest_ebfmi(energy: Floats) -> float:
    """The lowest energy fraction of missing information of the chains of energies [chain, n]."""
    return float((np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.maximum(np.var(energy, axis=1), 1e-12)).min())


def find_peak(density: Density, start: Floats) -> Peak:
    """The mode of `density` (log density and gradient of [d]) uphill of `start`, for a prior of unit precision."""

    def negative(x: Floats) -> tuple[float, Floats]:
        value, gradient = density(x)
        return -value, -gradient

    mode = np.asarray(minimize(negative, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)
    h = 1e-3

    def bent(e: Floats) -> Floats:
        return (negative(mode + h * e)[1] - negative(mode - h * e)[1]) / (2 * h)

    curvature = np.array(side_by_side(bent, np.eye(len(start))))
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    return Peak(mode, vectors / np.sqrt(np.maximum(values, 0.5)))


def warm_up(density: Density, peak: Peak, seed: int) -> Tuned:
    """Chains around the peak of `density`, tuned to accept 85 % of proposals."""
    size = len(peak.mode)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence([seed, 0]).spawn(CHAINS)]
    root = peak.root
    whitened = Whitened(density, peak.mode, root)
    # Starts wider than the posterior, so that chains which agree at the end did not merely start together.
    chains = [start(whitened, 1.3 * rng.standard_normal(size), rng) for rng in streams]
    step = 0.6
    for block in range(_WARMUP_BLOCKS):
        found = _run(whitened, chains, step, _BLOCK)
        step *= float(np.clip(np.exp(2.0 * (found.accepted - _TARGET_ACCEPT)), 0.5, 1.5))
        if block == _WARMUP_BLOCKS - 2:
            # The mode's curvature misses skewness: let the draws themselves correct it, shrunk towards it.
            pooled = found.draws.reshape(-1, size)
            covariance = (pooled.T @ pooled + 4 * size * np.eye(size)) / (len(pooled) + 4 * size)
            stretch = np.linalg.cholesky(covariance)
            root = root @ stretch
            whitened = Whitened(density, peak.mode, root)
            back = np.linalg.inv(stretch)
            chains = [start(whitened, back @ chain.position, chain.rng) for chain in chains]
    return Tuned(density, Peak(peak.mode, root), step, tuple(chains))


def draw(tuned: Tuned, n: int) -> Drawn:
    """`n` further draws of every chain in the density's own coordinates."""
    found = _run(Whitened(tuned.density, tuned.peak.mode, tuned.peak.root), list(tuned.chains), tuned.step, n)
    return Drawn(tuned.peak.mode + found.draws @ tuned.peak.root.T, found.energy, found.diverging)


@dataclass(frozen=True)
class _Run:
    draws: Floats  # [chain, n, d], whitened
    energy: Floats  # [chain, n], after each refreshed momentum
    accepted: float
    diverging: NDArray[np.bool_]  # [chain, n]


def start(density: Whitened, position: Floats, rng: np.random.Generator) -> Chain:
    """A chain at this position."""
    return Chain(position, *density(position), rng)


def _run(density: Whitened, chains: list[Chain], step: float, n: int) -> _Run:
    """`n` moves of every chain; chains are left where they ended."""
    results = side_by_side(partial(_run_chain, density, step=step, n=n), chains)
    return _Run(
        draws=np.stack([each[0] for each in results]),
        energy=np.stack([each[1] for each in results]),
        accepted=float(np.mean([each[2] for each in results])),
        diverging=np.stack([each[3] for each in results]),
    )


def _run_chain(density: Whitened, chain: Chain, step: float, n: int) -> tuple[Floats, Floats, float, NDArray[np.bool_]]:
    draws, energies, accepted = np.empty((n, len(chain.position))), np.empty(n), 0.0
    diverging = np.zeros(n, dtype=bool)
    for i in range(n):
        energies[i], probability, diverging[i] = move(density, chain, step * chain.rng.uniform(0.85, 1.15))
        accepted += probability / n
        draws[i] = chain.position
    return draws, energies, accepted, diverging


def move(density: Whitened, chain: Chain, step: float) -> tuple[float, float, bool]:
    """One leapfrog trajectory of random length: its energy, the acceptance probability and whether it diverged."""
    momentum = chain.rng.standard_normal(len(chain.position))
    energy = float(0.5 * momentum @ momentum) - chain.log_density
    n_steps = max(1, round(_TRAJECTORY * chain.rng.uniform(0.6, 1.4) / step))
    position, momentum, value, gradient = density.leap(chain, momentum, step, n_steps)
    if not np.isfinite(value):
        return energy, 0.0, True
    change = energy - (0.5 * momentum @ momentum - value)
    if np.log(chain.rng.uniform()) < change:
        chain.position, chain.log_density, chain.gradient = position, value, gradient
    return energy, float(np.exp(min(0.0, change))), bool(change < -_DIVERGED)
