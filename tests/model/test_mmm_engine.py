"""Two engines behind one interface: what each is told, what each gives, and what it cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from model.lift_results import lift_result
from model.small_estimates import ATTRIBUTES, small_estimates
from model.weekly_panels import weekly_panel
from weathervane.contracts.errors import BadInput
from weathervane.contracts.fit import FitCost
from weathervane.contracts.period import Period
from weathervane.model.mmm.cost import hierarchical_cost, lightweight_cost
from weathervane.model.mmm.engine import Estimates, MediaMixSpec, fit
from weathervane.model.mmm.posterior_file import read_posterior, write_posterior
from weathervane.model.mmm.priors import Priors
from weathervane.model.pipeline import _warm_start

PANEL = weekly_panel(2, 60, (2.0, 0.5), seed=4)
JUNE = Period(date(2024, 6, 3), date(2024, 6, 30))
TEST = lift_result("channel-0", ("geo-00",), JUNE, lift=1e4, sd=2e3, spend_change=5e3)


@pytest.fixture(scope="module")
def cold() -> tuple[Estimates, list[str]]:
    heard: list[str] = []
    return fit(PANEL, MediaMixSpec(), 3, heard.append), heard


@pytest.mark.slow
def test_estimates_are_of_one_piece(cold: tuple[Estimates, list[str]]) -> None:
    found, heard = cold
    assert heard[0] == "finding the peak"
    assert (found.engine, found.channels, found.geos) == ("hierarchical", PANEL.channels, PANEL.geos)
    s = len(found.roi)
    assert found.roi.shape == found.contribution_share.shape == (s, 2)
    kept = found.posterior["roi"]
    assert kept.values.shape == (found.n_chains, s // found.n_chains, 2)
    np.testing.assert_array_equal(kept.values.reshape(s, 2), found.roi)
    assert found.posterior["effect_by_geo"].values.shape == (*kept.values.shape[:2], 2, 2)
    assert found.weekly_spend == pytest.approx(PANEL.spend.sum(axis=(1, 2)) / 60)
    # What ads add up to is their return times their cost.
    total = PANEL.outcome.sum()
    assert found.contribution_share * total == pytest.approx(found.roi * PANEL.spend.sum(axis=(1, 2)), rel=1e-6)
    for c, interval in enumerate(found.transforms):
        draws = found.posterior["half_life_days"].values[:, :, c]
        assert interval.half_life_days.p50 == pytest.approx(float(np.median(draws)))
        assert interval.median.channel == PANEL.channels[c]
    for name, variable in (*found.posterior.items(), *found.sample_stats.items(), *found.observed.items()):
        for axis, n in zip(variable.axes, variable.values.shape, strict=True):
            assert axis in {"chain", "draw"} or len(found.labels[axis]) == n, name
    read = read_posterior(write_posterior(found, ATTRIBUTES))
    np.testing.assert_array_equal(read.groups["posterior"]["roi"].values, kept.values)
    np.testing.assert_array_equal(read.peak, found.peak)


@pytest.mark.slow
def test_a_warm_start_is_another_path_to_the_same_posterior(cold: tuple[Estimates, list[str]]) -> None:
    found, _ = cold
    warm = fit(PANEL, MediaMixSpec(), 3, start=found.peak)
    assert warm.peak is not None
    assert warm.peak == pytest.approx(found.peak, abs=0.02)
    for c in range(2):
        sd = found.roi[:, c].std()
        assert np.median(warm.roi[:, c]) == pytest.approx(np.median(found.roi[:, c]), abs=0.3 * sd)


def test_only_a_fit_of_the_same_engine_and_channels_is_a_start() -> None:
    earlier = read_posterior(write_posterior(small_estimates(), ATTRIBUTES))
    start, of = _warm_start(earlier, MediaMixSpec(), ("tv", "search"))
    np.testing.assert_array_equal(start, small_estimates().peak)
    assert of == ATTRIBUTES["model_id"]
    for spec, channels in (
        (MediaMixSpec(), ("search", "tv")),
        (MediaMixSpec(), ("tv", "search", "radio")),
        (MediaMixSpec(engine="lightweight"), ("tv", "search")),
    ):
        assert _warm_start(earlier, spec, channels) == (None, None)
    assert _warm_start(None, MediaMixSpec(), ("tv", "search")) == (None, None)
    unstarted = replace(small_estimates(), sample_stats={})
    assert _warm_start(read_posterior(write_posterior(unstarted, ATTRIBUTES)), MediaMixSpec(), ("tv", "search")) == (
        None,
        None,
    )


def test_what_an_engine_cannot_use_is_refused() -> None:
    with pytest.raises(BadInput, match="no engine 'bayes'"):
        MediaMixSpec(engine="bayes")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput, match="no lightweight model 'hill'"):
        MediaMixSpec(lightweight_model="hill")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput, match="priors file"):
        MediaMixSpec(engine="lightweight", priors=replace(Priors(), channels={"tv": Priors().default}))
    with pytest.raises(BadInput, match="experiments"):
        MediaMixSpec(engine="lightweight", experiments=(TEST,))
    with pytest.raises(BadInput, match="weekly"):
        MediaMixSpec(engine="lightweight", step="day")
    with pytest.raises(BadInput, match="no step 'hour'"):
        MediaMixSpec(step="hour")  # pyright: ignore[reportArgumentType]
    daily = replace(PANEL, step_days=1)
    with pytest.raises(BadInput, match="weekly"):
        fit(daily, MediaMixSpec(engine="lightweight"), 1)


def test_a_specification_is_known_by_its_hash() -> None:
    specs = [
        MediaMixSpec(),
        MediaMixSpec(priors=replace(Priors(), channels={"tv": Priors().default})),
        MediaMixSpec(experiments=(TEST,)),
        MediaMixSpec(engine="lightweight"),
        MediaMixSpec(engine="lightweight", lightweight_model="adstock"),
        MediaMixSpec(step="day"),
        MediaMixSpec(likelihood="student", step="day"),
    ]
    assert len({spec.sha256 for spec in specs}) == 7
    assert MediaMixSpec().sha256 == MediaMixSpec().sha256
    assert [spec.name for spec in specs[2:]] == [
        "hierarchical",
        "lightweight (hill_adstock)",
        "lightweight (adstock)",
        "hierarchical (by day)",
        "hierarchical (student, by day)",
    ]


def test_what_training_takes_grows_with_the_problem_and_reads_well() -> None:
    for rule in (hierarchical_cost, lightweight_cost):
        sizes = [rule(*size) for size in ((1, 104, 7, 3), (8, 104, 7, 3), (8, 208, 7, 3), (8, 208, 7, 6))]
        for smaller, larger in pairwise(sizes):
            assert smaller.cpu_seconds < larger.cpu_seconds
            assert smaller.memory_bytes < larger.memory_bytes
    one, two = (hierarchical_cost(8, 208, 7, 3, n_fits=n) for n in (1, 2))
    assert one.cpu_seconds < two.cpu_seconds
    assert one.memory_bytes == two.memory_bytes
    swept = hierarchical_cost(8, 208, 7, 3, likelihood="student")
    assert swept.cpu_seconds > hierarchical_cost(8, 208, 7, 3, likelihood="log_normal").cpu_seconds
    cost = FitCost(40, 168, 7, 5, 0, 33.0, 0.84e9)
    assert cost.sentence == "This takes about 35 CPU seconds and 0.8 GB: 40 places × 168 weeks × 5 channels."
    longer = replace(cost, n_places=1, step_days=1, n_channels=1, n_categories=3, cpu_seconds=100.0)
    assert longer.sentence == (
        "This takes about 2 CPU minutes and 0.8 GB: 1 place × 168 days × 1 channel, and 3 categories one by one."
    )
