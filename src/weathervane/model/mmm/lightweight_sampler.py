"""NumPyro's NUTS, started and scaled so that warm-up is short (lightweight.md, "Sampling")."""

from __future__ import annotations

from collections.abc import Callable
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

_START_STEPS = 60  # enough to come near; the mode itself may be far from where the mass is
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
) -> tuple[dict[str, Floats], int]:
    """Draws [chain, draw, ...] of every site of the NumPyro model, and the number of divergences after warm-up.

    ModelFailed when no start with a finite density is found.
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
    starts = _starts(potential, template.size, options)
    root = _root_of_covariance(potential, starts)
    whitened = np.asarray(solve_triangular(root, starts.T, lower=True).T)

    def at(position: Array) -> Array:
        return jnp.asarray(root) @ position

    def whitened_potential(position: Array) -> Array:
        return potential(at(position))

    progress("sampling")
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
    sampler.run(
        jax.random.PRNGKey(options.seed),
        init_params=jnp.asarray(whitened if options.chains > 1 else whitened[0]),
        extra_fields=("diverging",),
    )
    positions = cast("Array", sampler.get_samples(group_by_chain=True))

    def named(position: Array) -> dict[str, Array]:
        return constrain_fn(model, arguments, {}, unravel(at(position)), return_deterministic=True)

    def all_named(rows: Array) -> dict[str, Array]:
        return jax.lax.map(named, rows, batch_size=64)

    sites = jax.jit(all_named)(positions.reshape(-1, template.size))
    shape = positions.shape[:2]
    draws = {
        name: np.asarray(value, dtype=np.float64).reshape(*shape, *value.shape[1:]) for name, value in sites.items()
    }
    return draws, int(np.asarray(sampler.get_extra_fields()["diverging"]).sum())


def _starts(potential: Callable[[Array], Array], size: int, options: SamplerOptions) -> Floats:
    """[chain, d]: random points, each moved some quasi-Newton steps towards where the density is high."""
    value_and_gradient = jax.jit(jax.value_and_grad(potential))

    def evaluate(position: Floats) -> tuple[float, Floats]:
        value, gradient = value_and_gradient(position)
        return float(value), np.asarray(gradient, dtype=np.float64)

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


def _root_of_covariance(potential: Callable[[Array], Array], starts: Floats) -> Floats:
    """Lower triangular root of a first guess of the posterior covariance: the curvature at the starts, averaged.

    A direction that data hardly curve is taken to be as wide as one, which is what priors are in these coordinates.
    """
    gradient = jax.grad(potential)

    def hessian(position: Array) -> Array:
        def along(towards: Array) -> Array:
            return jax.jvp(gradient, (position,), (towards,))[1]

        return jax.lax.map(along, jnp.eye(position.size))

    compiled = jax.jit(hessian)
    curvature = np.mean([np.asarray(compiled(jnp.asarray(start))) for start in starts], axis=0)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    covariance = (vectors / np.maximum(np.abs(values), 1.0)) @ vectors.T
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
