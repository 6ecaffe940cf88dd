"""The screen names what is wrong by geo and day, and nothing leaves without a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiments.designs import FIRST, made_panel

from weathervane.contracts.errors import BadInput
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Panel
from weathervane.experiments.screen import PastTest, Surroundings, collect_panel, screen_panel


def test_a_clean_panel_keeps_every_geo() -> None:
    panel = made_panel(12)
    report = screen_panel(panel)
    assert report.geos == panel.geos
    assert report.excluded == ()


def test_missing_days_are_named_and_exclude_beyond_a_twentieth() -> None:
    panel = made_panel(12)
    panel.outcome[3, 10:13] = np.nan
    panel.outcome[5, 10:40] = np.nan
    found = {one.geo: one for one in screen_panel(panel).of("missing_days")}
    assert found["geo-003"].days == tuple(FIRST + timedelta(days=i) for i in (10, 11, 12))
    assert not found["geo-003"].excludes
    assert found["geo-005"].excludes
    assert [one.geo for one in screen_panel(panel).excluded] == ["geo-005"]
    assert "misses 30 of 120 days" in screen_panel(panel).excluded[0].reason


def test_geos_without_outcome_cannot_take_part() -> None:
    panel = made_panel(12)
    panel.outcome[0] = 0.0
    panel.outcome[1, :110] = 0.0
    panel.outcome[2] = np.nan
    report = screen_panel(panel)
    assert [one.geo for one in report.of("all_zero")] == ["geo-000"]
    assert [one.geo for one in report.of("near_zero")] == ["geo-001"]
    assert {one.geo for one in report.excluded} == {"geo-000", "geo-001", "geo-002"}
    assert set(report.geos) | {one.geo for one in report.excluded} == set(panel.geos)


def test_rows_for_one_day_are_told_apart() -> None:
    day = FIRST
    panel, doubled = collect_panel(
        ["a", "a", "b", "b", "a"], [day, day, day, day, day + timedelta(days=1)], [1.0, 2.0, 3.0, 3.0, 4.0]
    )
    assert doubled == (("a", day), ("b", day))
    assert np.isnan(panel.outcome[0, 0])  # 1 or 2: nobody knows
    assert panel.outcome[1, 0] == 3.0
    report = screen_panel(panel, duplicates=doubled)
    assert [(one.geo, one.days) for one in report.of("duplicate_days")] == [("a", (day,)), ("b", (day,))]


def test_outliers_are_named_by_geo_and_by_date() -> None:
    panel = made_panel(20)
    panel.outcome[4, 50] *= 8
    panel.outcome[:, 70] *= 3
    noisy = np.random.default_rng(5).normal(1, 0.9, 120)
    panel.outcome[7] = np.abs(panel.outcome[7].mean() * noisy) + 1
    report = screen_panel(panel)
    assert FIRST + timedelta(days=50) in next(one for one in report.of("outlier_days") if one.geo == "geo-004").days
    assert (FIRST + timedelta(days=70),) in [one.days for one in report.of("outlier_date")]
    assert "geo-007" in {one.geo for one in report.of("outlier_geo")}
    assert report.excluded == ()  # unusual is not wrong


def test_a_dominant_geo_and_days_below_zero_are_said() -> None:
    panel = made_panel(12)
    panel.outcome[2] *= 100
    panel.outcome[3, 8] = -5.0
    report = screen_panel(panel)
    assert [one.geo for one in report.of("dominant_geo")] == ["geo-002"]
    assert [one.geo for one in report.of("negative")] == ["geo-003"]


def test_surroundings_are_screened() -> None:
    panel = made_panel(12)
    stock, z = np.ones(panel.outcome.shape), np.zeros(panel.outcome.shape)
    stock[1, :40], stock[2, :3], z[6, 33] = 0.1, 0.1, 5.0
    test = PastTest("old", Period(FIRST, FIRST + timedelta(days=9)), ("geo-004", "elsewhere"))
    holidays = {FIRST + timedelta(days=130): "May Day", FIRST + timedelta(days=400): "Easter"}
    window = Period(FIRST + timedelta(days=125), FIRST + timedelta(days=150))
    report = screen_panel(panel, test_window=window, around=Surroundings(holidays, (test,), stock, z))
    assert [(one.geo, one.excludes) for one in report.of("stock_out")] == [("geo-001", True), ("geo-002", False)]
    assert [(one.geo, one.days) for one in report.of("weather_extreme")] == [("geo-006", (FIRST + timedelta(days=33),))]
    assert [one.geo for one in report.of("past_test")] == ["geo-004"]
    assert [one.what for one in report.of("holiday")] == [f"May Day on {date(2026, 5, 11)}."]
    assert "none to learn from" in report.of("holiday")[0].effect


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(BadInput, match="shape"):
        screen_panel(made_panel(5), around=Surroundings({}, temp_z=np.zeros((5, 3))))


@given(st.permutations(range(6)), st.integers(0, 5), st.integers(0, 5))
def test_the_order_of_rows_changes_nothing(order: list[int], gap: int, zero: int) -> None:
    panel = made_panel(6, 40)
    panel.outcome[gap, 3:9] = np.nan
    panel.outcome[zero] = 0.0
    rows = [
        (panel.geos[g], day, float(panel.outcome[g, t]))
        for g in order
        for t, day in enumerate(panel.days)
        if np.isfinite(panel.outcome[g, t])
    ]
    shuffled, _ = collect_panel(*zip(*rows, strict=True))  # type: ignore[arg-type]
    assert screen_panel(replace(shuffled)) == screen_panel(Panel(panel.geos, panel.days, panel.outcome))
