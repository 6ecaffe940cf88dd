"""Hamiltonian Monte Carlo for a smooth density of some tens of coordinates: mode, curvature, then short trajectories.

Whitened by the curvature at the mode, the collapsed posterior is nearly a unit Gaussian, where three or four leapfrog
steps make a nearly independent draw (mmm.md, "Sampling"; docs/decisions/0002-own-sampler.md says why not NUTS).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Density = Callable[[Floats], tuple[float, Floats]]

CHAINS = 4
_THREADS = 2
_TRAJECTORY = 1.6  # in whitened units; near a quarter turn of a Gaussian
_WARMUP_BLOCKS = 5
_BLOCK = 25
_TARGET_ACCEPT = 0.85
_DIVERGED = 50.0  # energy error


@dataclass
class _Chain:
    position: Floats
    log_density: float
    gradient: Floats
    rng: np.random.Generator


@dataclass(frozen=True)
class Tuned:
    """A warmed-up sampler: where the chains are, the metric and the step."""

    density: Density
    center: Floats
    root: Floats
    step: float
    chains: tuple[_Chain, ...]


def warm_up(density: Density, size: int, seed: int) -> Tuned:
    """Chains near the mode of `density` (log density and gradient of [size]), tuned to accept 85 % of proposals."""
    center, root = _curvature(density, size)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence([seed, 0]).spawn(CHAINS)]
    whitened = _whiten(density, center, root)
    # Starts wider than the posterior, so that chains which agree at the end did not merely start together.
    chains = [_start(whitened, 1.3 * rng.standard_normal(size), rng) for rng in streams]
    step = 0.6
    for block in range(_WARMUP_BLOCKS):
        draws, accept, _ = _run(whitened, chains, step, _BLOCK)
        step *= float(np.clip(np.exp(2.0 * (accept - _TARGET_ACCEPT)), 0.5, 1.5))
        if block == _WARMUP_BLOCKS - 2:
            # The mode's curvature misses skewness: let the draws themselves correct it, shrunk towards it.
            pooled = draws[:, -_BLOCK:].reshape(-1, size)
            covariance = (pooled.T @ pooled + 4 * size * np.eye(size)) / (len(pooled) + 4 * size)
            stretch = np.linalg.cholesky(covariance)
            root, whitened = root @ stretch, _whiten(density, center, root @ stretch)
            back = np.linalg.inv(stretch)
            chains = [_start(whitened, back @ chain.position, chain.rng) for chain in chains]
    return Tuned(density, center, root, step, tuple(chains))


def draw(tuned: Tuned, n: int) -> tuple[Floats, int]:
    """`n` further draws of every chain, [CHAINS, n, size] in the density's own coordinates, and the divergences."""
    whitened = _whiten(tuned.density, tuned.center, tuned.root)
    draws, _, divergences = _run(whitened, list(tuned.chains), tuned.step, n)
    return tuned.center + draws @ tuned.root.T, divergences


def _curvature(density: Density, size: int) -> tuple[Floats, Floats]:
    """The mode, and R with R R' = inverse curvature there, for a prior of unit precision."""

    def negative(x: Floats) -> tuple[float, Floats]:
        value, gradient = density(x)
        return -value, -gradient

    mode = np.asarray(minimize(negative, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)
    h = 1e-3
    rows = [(negative(mode + h * e)[1] - negative(mode - h * e)[1]) / (2 * h) for e in np.eye(size)]
    curvature = np.array(rows)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    return mode, vectors / np.sqrt(np.maximum(values, 0.5))


def _whiten(density: Density, center: Floats, root: Floats) -> Density:
    def whitened(u: Floats) -> tuple[float, Floats]:
        value, gradient = density(center + root @ u)
        return value, root.T @ gradient

    return whitened


def _start(density: Density, position: Floats, rng: np.random.Generator) -> _Chain:
    return _Chain(position, *density(position), rng)


def _run(density: Density, chains: list[_Chain], step: float, n: int) -> tuple[Floats, float, int]:
    """Draws [chain, n, size], mean acceptance and divergences; chains are left where they ended."""
    with ThreadPoolExecutor(_THREADS) as pool:
        running = [pool.submit(_run_chain, density, chain, step, n) for chain in chains]
        results = [one.result() for one in running]
    return np.stack([r[0] for r in results]), float(np.mean([r[1] for r in results])), sum(r[2] for r in results)


def _run_chain(density: Density, chain: _Chain, step: float, n: int) -> tuple[Floats, float, int]:
    draws, accepted, divergences = np.empty((n, len(chain.position))), 0.0, 0
    for i in range(n):
        probability, diverged = _move(density, chain, step * chain.rng.uniform(0.85, 1.15))
        accepted += probability / n
        divergences += diverged
        draws[i] = chain.position
    return draws, accepted, divergences


def _move(density: Density, chain: _Chain, step: float) -> tuple[float, bool]:
    """One leapfrog trajectory of random length; the acceptance probability and whether it diverged."""
    momentum = chain.rng.standard_normal(len(chain.position))
    energy = chain.log_density - 0.5 * momentum @ momentum
    n_steps = max(1, round(_TRAJECTORY * chain.rng.uniform(0.6, 1.4) / step))
    position, value, gradient = chain.position, chain.log_density, chain.gradient
    for _ in range(n_steps):
        momentum = momentum + 0.5 * step * gradient
        position = position + step * momentum
        value, gradient = density(position)
        momentum = momentum + 0.5 * step * gradient
        if not np.isfinite(value):
            return 0.0, True
    change = value - 0.5 * momentum @ momentum - energy
    if np.log(chain.rng.uniform()) < change:
        chain.position, chain.log_density, chain.gradient = position, value, gradient
    return float(np.exp(min(0.0, change))), bool(change < -_DIVERGED)
