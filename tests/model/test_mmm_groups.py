"""Product groups: categories of different true effects, each found, and together what the total's model says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from weathervane.contracts.errors import BadInput, ModelFailed
from weathervane.model.features.build import Panel
from weathervane.model.mmm import groups as groups_module
from weathervane.model.mmm.engine import MediaMixSpec
from weathervane.model.mmm.groups import (
    beliefs_of_part,
    caused_a_week,
    fit_groups,
    insist_on_groups,
    only,
    reconciled,
)
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

TRUE = np.array([[2.0, 0.3], [0.4, 1.2]])  # return by category and channel


def two_categories(seed: int, n_geos: int = 3, n_weeks: int = 90) -> Panel:
    """Coats answer to the first channel, shoes to the second; the same spend moves both."""
    spend = varied_spend(2, n_geos, n_weeks, seed=seed)
    made = [
        known_panel(spend, np.repeat(roi[:, None], n_weeks, axis=1), seed=10 * seed + k).panel
        for k, roi in enumerate(TRUE)
    ]
    joined = {
        name: np.concatenate([getattr(each, name) for each in made])
        for name in ("outcome", "in_stock", "promotion", "log_price")
    }
    return replace(made[0], categories=("coats", "shoes"), **joined)


def total_of(panel: Panel) -> Panel:
    return replace(only(panel, 0), categories=("total",), outcome=panel.outcome.sum(axis=0, keepdims=True))


@pytest.mark.slow
def test_each_category_is_found_and_together_they_are_the_total() -> None:
    held = 0
    for seed in (1, 2, 3):
        panel = two_categories(seed)
        total = total_of(panel)
        whole = fit_media_mix(total, Priors(), seed)
        weekly = caused_a_week(total, whole.roi, whole.contribution_share)
        found = fit_groups(panel, weekly, Priors(), seed, start=whole.peak)
        # Draw by draw they are draws of the total's, in another order; as many as the shortest fit has, each once.
        together = np.sort(found.caused.sum(axis=0), axis=0)
        assert (np.diff(together, axis=0) > 0).all()
        for mine, of_total in zip(together.T, np.sort(weekly, axis=0).T, strict=True):
            nearest = np.abs(mine[:, None] - of_total).min(axis=1)
            assert (nearest <= 1e-9 * np.abs(mine)).all()
        spent = panel.spend.sum(axis=(1, 2)) / panel.n_past
        low, middle, high = np.quantile(found.caused / spent, [0.05, 0.5, 0.95], axis=1)
        held += int(((low <= TRUE) & (high >= TRUE)).sum())
        assert middle[0, 0] > middle[1, 0]
        assert middle[1, 1] > middle[0, 1]
        assert (np.abs(found.distance) < 2).all()
    # Of twelve intervals of 90 %, fewer than nine hold the truth once in four hundred times.
    assert held >= 9


def test_what_is_sure_stays_and_what_is_in_doubt_gives_way() -> None:
    rng = np.random.default_rng(1)
    own = np.stack([rng.normal(1.0, 0.1, (4000, 1)), rng.normal(2.0, 0.3, (4000, 1))])
    total = rng.normal(4.0, 0.05, (4000, 1))
    moved = reconciled(total, own)
    np.testing.assert_allclose(moved.sum(axis=0), total, rtol=1e-12)
    # As a normal given its sum: a tenth and nine tenths of the missing one.
    assert moved.mean(axis=1)[:, 0] == pytest.approx([1.1, 2.9], abs=0.01)
    given_sum = 0.1 * 0.3 / np.hypot(0.1, 0.3)
    expected = np.hypot(given_sum, np.array([0.1, 0.9]) * 0.05)
    assert moved.std(axis=1)[:, 0] == pytest.approx(expected, rel=0.05)
    # A category that is known for certain does not move.
    sure = reconciled(total, np.stack([np.full((4000, 1), 1.0), own[1]]))
    np.testing.assert_array_equal(sure[0], 1.0)


def test_beliefs_on_categories_add_up_to_those_on_the_total() -> None:
    whole = Priors(
        ChannelPriors(roi=Normal(1.0, 1.5), marginal_roi=Normal(0.5, 1.0), wet_modulation=Normal(0.1, 0.3)),
        {"mail": ChannelPriors(contribution_share=Normal(0.05, 0.1))},
        Normal(0.2, 0.1),
    )
    parts = [0.7, 0.3]
    made = [beliefs_of_part(whole, part) for part in parts]
    for name in ("roi", "marginal_roi"):
        of = [getattr(each.default, name) for each in made]
        assert sum(one.mean for one in of) == pytest.approx(getattr(whole.default, name).mean)
        assert sum(one.sd**2 for one in of) == pytest.approx(getattr(whole.default, name).sd ** 2)
    # What is relative to the effect is believed alike.
    assert {(each.default.weather_modulation, each.default.wet_modulation) for each in made} == {
        (whole.default.weather_modulation, whole.default.wet_modulation)
    }
    shares = [each.channels["mail"].contribution_share for each in made]
    total = [each.total_media_share for each in made]
    for beliefs, own in ((shares, Normal(0.05, 0.1)), (total, Normal(0.2, 0.1))):
        known = [one for one in beliefs if one is not None]
        assert sum(part * one.mean for part, one in zip(parts, known, strict=True)) == pytest.approx(own.mean)
        assert sum((part * one.sd) ** 2 for part, one in zip(parts, known, strict=True)) == pytest.approx(own.sd**2)


def test_what_cannot_be_grouped_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = two_categories(1)
    with pytest.raises(BadInput, match="one category"):
        insist_on_groups(only(panel, 0))
    nothing = replace(panel, outcome=panel.outcome * np.array([1.0, 0.0])[:, None, None])
    with pytest.raises(BadInput, match="shoes sells nothing"):
        insist_on_groups(nothing)
    with pytest.raises(BadInput, match="no total"):
        MediaMixSpec(by_category=True, likelihood="log_normal")
    with pytest.raises(BadInput, match="no categories"):
        MediaMixSpec(by_category=True, engine="lightweight")
    assert MediaMixSpec(by_category=True).sha256 != MediaMixSpec().sha256

    def failing(*_: object, **__: object) -> None:
        raise ModelFailed("The media mix model did not converge.", "import more history.")

    monkeypatch.setattr(groups_module, "fit_media_mix", failing)
    with pytest.raises(ModelFailed, match=r"Of coats alone: .* leave out --by-category"):
        fit_groups(panel, np.ones((10, 2)), Priors(), 1)
