"""NumPyro's NUTS, started and scaled so that warm-up is short (lightweight.md, "Sampling")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray
from numpyro.infer import MCMC, NUTS, init_to_uniform
from numpyro.infer.util import constrain_fn, initialize_model
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from weathervane.contracts.errors import ModelFailed

Floats = NDArray[np.float64]
Progress = Callable[[str], None]
Gradient = Callable[[Floats], tuple[float, Floats]]  # a potential and its gradient at [d]

_START_STEPS = 60  # enough to come near; the mode itself may be far from where the mass is
_DIFFERENCE = 1e-4
_DENSE_BELOW = 100  # coordinates; above, warm-up is too short to learn a full covariance


@dataclass(frozen=True)
class SamplerOptions:
    """How long and how carefully to sample."""

    warmup: int
    draws: int  # of each chain
    chains: int
    target_accept: float
    seed: int


def sample_posterior(
    model: Callable[..., None], arguments: tuple[Any, ...], options: SamplerOptions, progress: Progress
) -> Iterator[tuple[dict[str, Floats], NDArray[np.bool_]]]:
    """Draws [chain, draw, ...] of every site of the NumPyro model, and which of them [chain, draw] diverged.

    Every further step of the iterator has `options.draws` more of each chain, the earlier ones first. ModelFailed when
    no start with a finite density is found.
    """
    info = initialize_model(
        jax.random.PRNGKey(options.seed),
        model,
        model_args=arguments,
        init_strategy=init_to_uniform,
        validate_grad=False,
    )
    template, unravel = ravel_pytree(info.param_info.z)
    potential_of = cast("Callable[[Any], Array]", info.potential_fn)

    def potential(position: Array) -> Array:
        return potential_of(unravel(position))

    progress("looking for starts")
    value_and_gradient = _in_numpy(potential)
    starts = _starts(value_and_gradient, template.size, options)
    root = _root_of_covariance(value_and_gradient, starts)
    whitened = np.asarray(solve_triangular(root, starts.T, lower=True).T)

    def at(position: Array) -> Array:
        return jnp.asarray(root) @ position

    def whitened_potential(position: Array) -> Array:
        return potential(at(position))

    def named(position: Array) -> dict[str, Array]:
        return constrain_fn(model, arguments, {}, unravel(at(position)), return_deterministic=True)

    def all_named(rows: Array) -> dict[str, Array]:
        return jax.lax.map(named, rows, batch_size=64)

    in_parameters = jax.jit(all_named)
    sampler = MCMC(
        NUTS(
            potential_fn=whitened_potential,
            target_accept_prob=options.target_accept,
            dense_mass=template.size < _DENSE_BELOW,
        ),
        num_warmup=options.warmup,
        num_samples=options.draws,
        num_chains=options.chains,
        # One after the other: in step, all chains would wait for the longest tree of any.
        chain_method="sequential",
        progress_bar=False,
    )
    blocks: list[tuple[dict[str, Floats], NDArray[np.bool_]]] = []
    while True:
        progress(f"sampling, block {len(blocks) + 1}")
        if blocks:
            sampler.post_warmup_state = sampler.last_state
        sampler.run(
            jax.random.PRNGKey(options.seed),  # read once; a later block goes on from the chains' own keys
            init_params=jnp.asarray(whitened if options.chains > 1 else whitened[0]),
            extra_fields=("diverging",),
        )
        positions = cast("Array", sampler.get_samples(group_by_chain=True))
        sites = in_parameters(positions.reshape(-1, template.size))
        shape = positions.shape[:2]
        draws = {
            name: np.asarray(value, dtype=np.float64).reshape(*shape, *value.shape[1:]) for name, value in sites.items()
        }
        diverged = np.asarray(sampler.get_extra_fields(group_by_chain=True)["diverging"])
        blocks.append((draws, diverged))
        yield (
            {name: np.concatenate([block[name] for block, _ in blocks], axis=1) for name in draws},
            np.concatenate([diverging for _, diverging in blocks], axis=1),
        )


def _in_numpy(potential: Callable[[Array], Array]) -> Gradient:
    value_and_gradient = jax.jit(jax.value_and_grad(potential))

    def evaluate(position: Floats) -> tuple[float, Floats]:
        value, gradient = value_and_gradient(position)
        return float(value), np.asarray(gradient, dtype=np.float64)

    return evaluate


def _starts(evaluate: Gradient, size: int, options: SamplerOptions) -> Floats:
    """[chain, d]: random points, each moved some quasi-Newton steps towards where the density is high."""
    rng = np.random.default_rng(options.seed)
    starts = np.array(
        [
            minimize(
                evaluate,
                rng.uniform(-1.0, 1.0, size),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": _START_STEPS, "maxcor": 30},
            ).x
            for _ in range(options.chains)
        ]
    )
    if not all(np.isfinite(evaluate(start)[0]) for start in starts):
        raise ModelFailed(
            "The model has no finite density near any start.", "scale media and target by their means, and try again."
        )
    return starts


def _root_of_covariance(evaluate: Gradient, starts: Floats) -> Floats:
    """Lower triangular root of a first guess of the posterior covariance: the curvature at the starts, averaged.

    A direction that data hardly curve is taken to be as wide as one, which is what priors are in these coordinates.
    """
    moves = _DIFFERENCE * np.eye(starts.shape[1])
    # By differences of the gradient, which is compiled already; an exact Hessian takes longer to compile than to use.
    rows = [
        [(evaluate(start + move)[1] - evaluate(start - move)[1]) / (2 * _DIFFERENCE) for move in moves]
        for start in starts
    ]
    curvature = np.mean(np.array(rows), axis=0)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    covariance = (vectors / np.maximum(np.abs(values), 1.0)) @ vectors.T
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
