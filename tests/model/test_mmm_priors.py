"""Priors as a user writes them: what is read, what is refused and how."""

from __future__ import annotations

import pytest

from weathervane.contracts.errors import BadInput
from weathervane.model.mmm.priors import Priors, parse_priors


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
    other = parse_priors("default: {slope: {median: 1.0, spread: 0.31}}", "p")
    assert other.sha256 != Priors().sha256
    assert parse_priors("channels: {a: {}, b: {}}", "p").sha256 == parse_priors("channels: {b: {}, a: {}}", "p").sha256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("defaults: {}", "'defaults' is no section"),
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
