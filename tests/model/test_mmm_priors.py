"""Priors as a user writes them: what is read, what is refused and how."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.contracts.errors import BadInput
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors, modulation_of, parse_priors


def test_what_is_not_written_keeps_its_default_and_a_channel_inherits() -> None:
    priors = parse_priors(
        "default: {roi: {mean: 2, sd: 1}}\nchannels: {tv: {half_life_days: {median: 14, spread: 0.3, reason: slow}}}",
        "p",
    )
    assert priors.of("search").roi.mean == 2.0
    assert priors.of("tv").roi.mean == 2.0
    assert priors.of("tv").half_life_days.median == 14.0
    assert priors.of("search").half_life_days == Priors().default.half_life_days


def test_an_empty_file_is_the_defaults_and_every_number_is_in_the_hash() -> None:
    assert parse_priors("", "p") == Priors()
    # What was not asked for before it could be asked for leaves the hash that fits are registered with. It changed with
    # the unit of half-saturation (decision 0005).
    assert Priors().sha256.startswith("deb1c0a86543")
    assert parse_priors("default: {wet_modulation: {mean: 0, sd: 0.3}}", "p").sha256 != Priors().sha256
    other = parse_priors("default: {slope: {median: 1.0, spread: 0.31}}", "p")
    assert other.sha256 != Priors().sha256
    assert parse_priors("channels: {a: {}, b: {}}", "p").sha256 == parse_priors("channels: {b: {}, a: {}}", "p").sha256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("defaults: {}", "'defaults' is not a section"),
        ("default: {rio: {mean: 1, sd: 1}}", "no prior 'rio'"),
        ("default: {roi: {mean: 1}}", "mean and sd"),
        ("default: {roi: {mean: 1, sd: -1}}", "above zero"),
        ("default: {slope: {median: one, spread: 1}}", "median and spread"),
        ("channels: {tv: {roi: 3}}", "mean and sd"),
        ("default: [1, 2]", "default"),
        ("- a list", "default"),
        ("default: {roi: {mean: .nan, sd: 1}}", "mean and sd"),
        ("a: b: c", "not YAML"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_that_names_the_place(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse_priors(text, "priors.yaml")


def test_a_channel_is_measured_by_what_its_priors_say_or_refused() -> None:
    panel = weekly_panel(3, 60, (1.0, 2.0))
    price = np.exp(np.random.default_rng(0).normal(0.0, 0.5, panel.spend.shape))
    shown = replace(panel, exposure={"impressions": panel.spend / price})
    priors = parse_priors("channels: {channel-1: {exposure: impressions}}", "priors.yaml")
    (by_spend, *_), (design, data, _) = prepare(panel, Priors()), prepare(shown, priors)
    np.testing.assert_array_equal(design.exposure[0], by_spend.exposure[0])
    # What carries over follows the impressions; what is returned is still held against the money.
    expected = shown.exposure["impressions"][1] / design.level[:, None]
    unit = (expected**2).sum() / expected.sum()
    np.testing.assert_allclose(design.exposure[1, :, design.run_up :], expected / unit)
    np.testing.assert_allclose(np.asarray(data.spend_share), by_spend.spend_share)
    assert design.cost[0] == pytest.approx(1.0)
    assert design.cost[1] == pytest.approx(panel.spend[1].sum() / shown.exposure["impressions"][1].sum())
    with pytest.raises(BadInput, match="by its impressions, and none are known"):
        prepare(panel, priors)
    with pytest.raises(BadInput, match="no 'views'"):
        parse_priors("default: {exposure: views}", "priors.yaml")


def test_a_modulation_is_believed_as_a_part_of_the_effect_whatever_the_effect_is() -> None:
    effect, part = Normal(1.2, 0.7), Normal(0.1, 0.3)
    rng = np.random.default_rng(1)
    drawn = rng.normal(effect.mean, effect.sd, 400_000) * rng.normal(part.mean, part.sd, 400_000)
    believed = modulation_of(effect, part)
    assert (believed.mean, believed.sd) == (
        pytest.approx(drawn.mean(), abs=0.005),
        pytest.approx(drawn.std(), rel=0.01),
    )
    share = ChannelPriors(contribution_share=Normal(0.1, 0.02))
    _, data, _ = prepare(weekly_panel(3, 60, (1.0, 2.0)), Priors(channels={"channel-1": share}))
    q = np.asarray(data.prior_sd)[-2:]
    assert q.tolist() == pytest.approx([0.2 * np.hypot(1.0, 1.5), 0.2 * np.hypot(0.1, 0.02)])
