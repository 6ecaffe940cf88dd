"""The sampler on densities with known answers, and beside NumPyro's NUTS on the model's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro.infer import MCMC, NUTS, init_to_value

from model.weekly_panels import weekly_panel
from weathervane.model.mmm import diagnostics, sampler
from weathervane.model.mmm.likelihood import Data, log_density_of, log_likelihood, n_coordinates
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors


def test_a_correlated_gaussian_is_sampled_with_its_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6)) + 2 * np.eye(6)
    covariance, mean = root @ root.T, np.arange(6.0)
    precision = np.linalg.inv(covariance)

    density = sampler.Density(lambda x: -0.5 * (x - mean) @ precision @ (x - mean))

    found = sampler.draw(sampler.warm_up(density, sampler.find_peak(density, np.zeros(6)), seed=1), 1500)
    draws, divergences = found.draws, found.divergences
    assert found.ebfmi > 0.5
    flat = draws.reshape(-1, 6)
    sd = np.sqrt(np.diag(covariance))
    ess = min(diagnostics.ess(draws[:, :, i]) for i in range(6))
    assert divergences == 0
    assert ess > 1500
    assert np.abs(flat.mean(axis=0) - mean).max() < (5 * sd / np.sqrt(ess)).max()
    assert flat.std(axis=0) / sd == pytest.approx(np.ones(6), abs=0.06)


def test_a_skewed_density_is_sampled_with_its_quantiles() -> None:
    # The log of a Gamma(3) variable, in each of four coordinates.
    density = sampler.Density(lambda x: jnp.sum(3 * x - jnp.exp(x)))

    draws = sampler.draw(sampler.warm_up(density, sampler.find_peak(density, np.zeros(4)), seed=2), 2000).draws
    truth = np.log(np.random.default_rng(3).gamma(3.0, size=400_000))
    for q in (0.05, 0.5, 0.95):
        assert np.quantile(draws, q) == pytest.approx(np.quantile(truth, q), abs=0.04)


def test_same_seed_same_draws_and_another_seed_others() -> None:
    density = sampler.Density(lambda x: -0.5 * x @ x)

    peak = sampler.find_peak(density, np.ones(3))
    first, again, other = (sampler.draw(sampler.warm_up(density, peak, seed), 20).draws for seed in (5, 5, 6))
    assert (first == again).all()
    assert not np.allclose(first, other)


@pytest.mark.slow
def test_posterior_agrees_with_numpyro_nuts() -> None:
    panel = weekly_panel(1, 80, (1.0, 2.0), seed=4)
    _, data, form = prepare(panel, Priors())
    size = n_coordinates(2)
    density = log_density_of(data, form)
    ours = sampler.draw(sampler.warm_up(density, sampler.find_peak(density, np.zeros(size)), seed=1), 500).draws

    def model(data: Data) -> None:
        x = numpyro.sample("x", dist.Normal(0.0, 1.0).expand([size]).to_event(1))
        numpyro.factor("collapsed", log_likelihood(x, data, form))

    kernel = NUTS(model, init_strategy=init_to_value(values={"x": jnp.zeros(size)}))
    nuts = MCMC(kernel, num_warmup=200, num_samples=600, num_chains=1, progress_bar=False)
    nuts.run(jax.random.PRNGKey(0), data)
    theirs = np.asarray(nuts.get_samples()["x"])
    for i in range(size):
        mine, other = ours[:, :, i], theirs[None, :, i]
        error = np.hypot(mine.std() / np.sqrt(diagnostics.ess(mine)), other.std() / np.sqrt(diagnostics.ess(other)))
        assert abs(mine.mean() - other.mean()) < 4.5 * error
        assert mine.std() / other.std() == pytest.approx(1.0, abs=0.25)
