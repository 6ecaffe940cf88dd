"""Scores against closed forms and simulation: intervals that cover at their rate, verdicts that err at theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom, norm
from tests.model.forecast_records import Z, cells

from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.forecast.scores import RULES, block_interval, judge, pinball, record_of, score, wilson
from weathervane.model.forecast.scores import chosen as chosen_cells


def test_the_scores_of_a_right_forecast_are_the_closed_forms() -> None:
    made = score(cells(3, n_origins=400), "all")
    n = made.n
    # A normal quantile's expected loss is its density at its place, times the spread.
    assert made.pinball == pytest.approx(10 * norm.pdf(Z), rel=4 / np.sqrt(n) * 3)
    assert made.wis == pytest.approx(2 * np.mean(10 * norm.pdf(Z)), rel=0.01)
    assert made.mae == pytest.approx(10 * np.sqrt(2 / np.pi), rel=0.01)
    assert made.rmse == pytest.approx(10, rel=0.01)
    assert made.bias == pytest.approx(0, abs=4 * 10 / np.sqrt(n))
    assert made.width == pytest.approx(10 * 2 * norm.ppf(0.9))
    assert made.wape == pytest.approx(made.mae / 250, rel=0.01)
    assert made.mase == pytest.approx(made.mae / 20)
    assert made.sharpness == pytest.approx(made.width / 250)
    # The mean distance from a place one spread off: 2 φ(1) + 2 Φ(1) − 1.
    theirs = 10 * (2 * norm.pdf(1) + 2 * norm.cdf(1) - 1)
    assert made.skill == pytest.approx(1 - made.mae / theirs, abs=0.01)
    for each in made.coverage:
        assert abs(each.share - each.nominal) < 4 * np.sqrt(each.nominal * (1 - each.nominal) / n)
        assert each.verdict == "calibrated"


def test_the_pinball_of_known_quantiles() -> None:
    loss = pinball(np.array([5.0]), np.array([[0.0, 1.0, 2.0, 5.0, 6.0, 7.0, 9.0]]))
    assert loss[0] == pytest.approx([0.25, 0.4, 0.75, 0.0, 0.25, 0.2, 0.2])


def test_pit_is_even_when_right_and_reliability_on_the_line() -> None:
    found = record_of(cells(5, n_origins=100))
    assert found is not None
    for each in found.pit:
        assert each.share == pytest.approx(each.end - each.start, abs=0.012)
    assert sum(each.share for each in found.pit) == pytest.approx(1)
    for each in found.reliability:
        assert each.share == pytest.approx(each.level, abs=0.015)
        assert each.low <= each.share <= each.high
    # Half as wide: the ends hold what a normal has at half their distance.
    assert found.reliability[0].share_before == pytest.approx(norm.cdf(Z[0] / 2), abs=0.01)
    assert found.before is not None
    assert found.before.of(0.8).verdict == "too narrow"


def test_pit_of_an_actual_on_several_quantiles_is_spread_between_them() -> None:
    one = cells(n_origins=1, horizon=1, n_geos=1, n_categories=1)
    zero = replace(one, actual=np.zeros(1), quantiles=np.array([[0, 0, 0, 1, 2, 3, 4.0]]))
    found = record_of(zero)
    assert found is not None
    assert [each.share for each in found.pit] == pytest.approx([0.2, 0.2, 0.6, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_wilsons_interval_covers_at_its_rate(share: float) -> None:
    n = 60
    holds = [k for k in range(n + 1) if wilson(k, n)[0] <= share <= wilson(k, n)[1]]
    assert binom.pmf(holds, n, share).sum() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("n_blocks", [6, 16, 40])
def test_the_block_interval_covers_at_its_rate_where_cells_err_together(n_blocks: int) -> None:
    rng = np.random.default_rng(n_blocks)
    held, total = 0, 600
    for _ in range(total):
        size = rng.integers(30, 60, n_blocks).astype(float)
        # The share held by a block is itself random, around 0.8 with a spread of 0.08.
        part = rng.binomial(size.astype(int), rng.beta(20, 5, n_blocks)).astype(float)
        low, high = block_interval(part, size)
        held += low <= 0.8 <= high
    assert beta(20, 5).mean() == pytest.approx(0.8)
    assert 0.93 <= held / total <= 0.985


@pytest.mark.parametrize(
    ("width", "verdict", "least"),
    [(1.0, "calibrated", 0.95), (0.6, "too narrow", 0.8), (1.8, "too wide", 0.95)],
)
def test_the_verdict_errs_rarely(width: float, verdict: str, least: float) -> None:
    said = [score(cells(seed, shared=0.3, width=width), "all").of(0.8).verdict for seed in range(120)]
    passed = [each for each in said if each != "not enough data"]
    assert len(passed) >= 100
    # Three standard errors below the rate that is meant.
    assert passed.count(verdict) / len(passed) >= least - 3 * np.sqrt(least * (1 - least) / len(passed))


def test_without_enough_data_it_says_how_much_is_missing() -> None:
    few = score(cells(n_origins=3), "all").of(0.8)
    assert (few.verdict, few.more_days) == ("not enough data", (8 - 3) * 14)
    for seed in range(20):
        # Many cells that err as one are few.
        together = score(cells(seed, shared=0.97), "all").of(0.8)
        if together.verdict == "not enough data":
            assert together.n_effective < 62 < together.n
            assert together.more_days % 14 == 0
            break
    else:
        pytest.fail("sixteen independent outcomes passed for enough, twenty times")
    longer = score(cells(shared=0.97, n_origins=80), "all").of(0.8)
    assert longer.verdict == "calibrated"
    alone = score(cells(n_geos=1, n_categories=1, n_origins=10, horizon=1), "all").of(0.8)
    # Ten cells, one a day, are ten; sixty-two are needed.
    assert (alone.verdict, alone.more_days >= 52) == ("not enough data", True)


def test_stretches_that_agree_by_chance_are_not_taken_for_many() -> None:
    made = cells()
    pattern = np.random.default_rng(1).normal(size=len(made.actual) // 16)
    alike = replace(made, actual=made.quantiles[:, 3] + 10 * np.tile(pattern, 16))
    found = score(alike, "all").of(0.8)
    # As if one more stretch had been all or nothing: sixteen squared, of 1,792 cells.
    assert found.n_effective == pytest.approx(16**2)
    assert (found.low, found.high) == pytest.approx((found.wilson_low, found.wilson_high))


def test_a_coverage_that_is_near_enough_is_calibrated_however_sure() -> None:
    assert judge(0.79, 0.785, 0.795, 0.8) == "calibrated"
    assert judge(0.77, 0.765, 0.775, 0.8) == "too narrow"
    assert judge(0.77, 0.73, 0.81, 0.8) == "calibrated"
    assert judge(0.83, 0.825, 0.835, 0.8) == "too wide"


def test_groups_are_named_and_totals_are_kept_apart() -> None:
    series = cells(n_geos=3)
    totals = replace(series, geos=(NATIONAL, "b", "c"), categories=(TOTAL, "shoes"))
    found = record_of(replace(totals, actual=totals.actual))
    assert found is not None
    assert [each.group for each in found.by_tier] == ["single series", "places", "categories", "all together"]
    assert found.overall.n == found.by_tier[0].n == 16 * 14 * 2
    plain = record_of(series)
    assert plain is not None
    assert [each.group for each in plain.by_lead_group] == ["1–3 days", "4–7 days", "8–14 days"]
    assert [each.group for each in plain.by_lead][:2] == ["1 day", "2 days"]
    assert [each.group for each in plain.by_geo_tier] == ["largest places", "middle places", "smallest places"]
    assert len(plain.crossed) == 3 * 3 * 2
    assert plain.window.start == date(2025, 1, 1)
    assert plain.window.n_days == 16 * 14
    assert sum(each.n for each in plain.crossed) == plain.overall.n


def test_a_total_that_is_the_only_series_is_a_series() -> None:
    alone = replace(cells(n_geos=1, n_categories=1), geos=(NATIONAL,), categories=(TOTAL,))
    found = record_of(alone)
    assert found is not None
    assert [each.group for each in found.by_tier] == ["single series"]
    assert found.overall.n == 16 * 14


def test_what_is_not_known_yet_is_not_scored() -> None:
    made = cells()
    coming = replace(made, actual=np.where(made.lead > 7, np.nan, made.actual))
    found = record_of(coming)
    assert found is not None
    assert found.overall.n == made.lead.size // 2
    assert record_of(replace(made, actual=np.full(len(made.actual), np.nan))) is None
    unknown = replace(made, floor=np.full(len(made.actual), np.nan), raw=np.full_like(made.raw, np.nan))
    found = record_of(unknown)
    assert found is not None
    assert (found.before, found.overall.skill, found.reliability[0].share_before) == (None, None, None)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_cells_and_names_changes_no_digit(seed: int) -> None:
    made = cells(seed % 7, n_origins=5, n_geos=3)
    rng = np.random.default_rng(seed)
    shuffled = chosen_cells(made, rng.permutation(len(made.actual)))
    names = rng.permutation(3)
    renamed = replace(
        shuffled, geos=tuple(made.geos[i] for i in names), geo=np.argsort(names)[shuffled.geo].astype(np.int64)
    )
    assert record_of(renamed) == record_of(made)


def test_the_rules_are_those_of_the_page() -> None:
    assert (RULES.confidence, RULES.margin, RULES.tolerance, RULES.min_blocks) == (0.95, 0.1, 0.02, 8)
