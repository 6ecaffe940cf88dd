"""The reduced basis against the exact density: the same numbers, the same posterior, and a refusal when it is off."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.model.mmm import hierarchical, reduced, sampler
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.likelihood import N_SHAPES, SPREADS, log_density_of, n_coordinates
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, LogNormal, Priors

PANEL = weekly_panel(12, 130, (0.8, 2.2), seed=5, modulation=0.3)


def gaps(priors: Priors) -> np.ndarray:
    """Log of exact over reduced density, less its mean, at points about the posterior."""
    _, data, form = prepare(PANEL, priors)
    exact = log_density_of(data, form)
    peak = sampler.find_peak(exact, np.zeros(n_coordinates(2)))
    small = reduced.reduce(data, form, peak.mode, peak.sd)
    held = peak.mode[2 * N_SHAPES : 2 * N_SHAPES + len(SPREADS)]
    points = peak.mode + np.random.default_rng(0).standard_normal((40, len(peak.mode))) @ peak.root.T
    cut = reduced.without_spreads(points, 2)
    found = [
        exact(reduced.with_spreads(x, held, 2))[0] - float(reduced.log_density(jnp.asarray(x), small, data, form))
        for x in cut
    ]
    return np.array(found) - np.mean(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "channel",
    [
        ChannelPriors(),
        ChannelPriors(carry_over="binomial", saturation="logistic"),
        ChannelPriors(carry_over="weibull", saturation="exponent", half_life_days=LogNormal(9.0, 0.4)),
    ],
    ids=["geometric hill", "binomial logistic", "weibull exponent"],
)
def test_reduced_density_is_the_exact_one_up_to_a_constant(channel: ChannelPriors) -> None:
    assert gaps(Priors(default=channel)).std() < 0.15


@pytest.mark.slow
def test_reduced_and_exact_draws_are_of_the_same_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    small = fit_media_mix(PANEL, Priors(), seed=1)
    assert small.convergence.method == "reduced basis"
    assert small.convergence.gap_sd < 0.2
    monkeypatch.setattr(hierarchical, "REDUCED_FROM_GEOS", 10**6)
    exact = fit_media_mix(PANEL, Priors(), seed=2)
    assert exact.convergence.method == "exact"
    for c in range(2):
        sd = exact.roi[:, c].std()
        # Spreads held at their mode, and Monte-Carlo error of some 700 draws each.
        assert small.roi[:, c].mean() == pytest.approx(exact.roi[:, c].mean(), abs=0.25 * sd)
        assert small.roi[:, c].std() == pytest.approx(sd, rel=0.2)


@pytest.mark.slow
def test_a_basis_that_is_off_is_refused_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced, "_MAX_BASIS", 2)
    # One block is too short to agree: were it not refused at once, more would be drawn to be thrown away.
    monkeypatch.setattr(hierarchical, "DRAWS", 60)
    stages = list[str]()
    fit = fit_media_mix(PANEL, Priors(), 1, stages.append)
    assert "off by" in fit.convergence.method
    assert fit.convergence.method.startswith("exact")
    refused = next(i for i, stage in enumerate(stages) if stage.startswith("sampling exactly"))
    assert {stage for stage in stages[:refused] if stage.startswith("drawing")} == {"drawing, block 1"}
    assert len([stage for stage in stages[refused:] if stage.startswith("drawing")]) > 1


@pytest.mark.slow
def test_other_data_of_the_same_size_need_no_other_program_and_padding_changes_no_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shapes: set[tuple[int, ...]] = set()
    for seed in (5, 6):
        _, data, form = prepare(weekly_panel(12, 130, (0.8, 2.2), seed=seed, modulation=0.3), Priors())
        mode, sd = np.zeros(n_coordinates(2)), np.full(n_coordinates(2), 0.5)
        small = reduced.reduce(data, form, mode, sd)
        shapes.add(small.coefficient.shape)
        # A basis that fills its size exactly has no padding: one column more than that would be none by accident.
        monkeypatch.setattr(reduced, "_SIZE_STEP", small.coefficient.shape[-1] + 1)
        padded_more = reduced.reduce(data, form, mode, sd)
        monkeypatch.undo()
        assert padded_more.coefficient.shape != small.coefficient.shape
        x = jnp.full(2 * (N_SHAPES + 1), 0.2)
        padded, plain = (float(reduced.log_density(x, each, data, form)) for each in (padded_more, small))
        assert padded == pytest.approx(plain, rel=1e-10)
    assert len(shapes) == 1
