"""Breaks: closed days and shifted levels are found, said and adapted to, and chance is taken for neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.small_tables import panel_of
from weathervane.model.features.build import Panel
from weathervane.model.forecast.breaks import NEVER, caveats, level_shifts, mended, with_closed_runs
from weathervane.model.forecast.candidate import closed
from weathervane.model.forecast.conformal import Ranges
from weathervane.model.forecast.desk import Recalibration
from weathervane.model.forecast.tiers import tiers

Floats = NDArray[np.float64]
HORIZON, DAYS = 14, 182


def steady(g: int = 3, n: int = DAYS, seed: int = 0, noise: float = 0.1) -> Floats:
    draw = np.random.default_rng(seed)
    week = np.exp(0.2 * draw.standard_normal(7))[np.arange(n) % 7]
    return 1000 * week * np.exp(noise * draw.standard_normal((1, g, n)))


def said(panel: Panel) -> str:
    return " ".join(caveats(panel, mended(panel)[1]))


# --- days without sales ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "length"), [(40, 3), (150, 7), (100, 30)])
def test_days_without_sales_in_a_row_are_named_and_taken_as_closed(first: int, length: int) -> None:
    outcome = steady()
    outcome[0, 1, first : first + length] = 0.0
    panel = panel_of(outcome, HORIZON)
    shut = closed(with_closed_runs(panel))
    assert np.flatnonzero(shut[0, 1]).tolist() == list(range(first, first + length))
    assert not shut[0, [0, 2]].any()
    assert f"{panel.geos[1]} sold nothing on {length} days in a row" in said(panel)
    assert "taken as closed" in said(panel)


def test_a_run_that_has_not_ended_is_taken_to_go_on_for_as_long_as_it_lasted() -> None:
    outcome = steady()
    outcome[0, 2, -5:] = 0.0
    panel = panel_of(outcome, HORIZON)
    assert np.flatnonzero(closed(with_closed_runs(panel))[0, 2]).tolist() == list(range(DAYS - 5, DAYS + 5))
    assert f"{panel.geos[2]} sold nothing on the last 5 days" in said(panel)


def test_zeros_of_a_place_that_sells_on_few_days_are_not_taken_as_closed() -> None:
    draw = np.random.default_rng(2)
    outcome = steady() * (draw.uniform(size=(1, 3, DAYS)) < 0.3)
    panel = panel_of(outcome, HORIZON)
    assert with_closed_runs(panel) is panel
    assert said(panel) == ""


def test_days_that_a_calendar_calls_open_are_sales_of_nothing() -> None:
    outcome = steady()
    outcome[0, 1, 100:105] = 0.0
    panel = panel_of(outcome, HORIZON)
    days = np.zeros((1, 3, DAYS + HORIZON))
    days[0, 1, 100:105] = 1.0
    assert with_closed_runs(replace(panel, events=("open",), event_days=days)).closed is None


# --- shifted levels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.35, 0.5, 1.8])
@pytest.mark.parametrize("ago", [8, 10, 40])
def test_a_sudden_shift_is_found_said_and_brought_to_the_new_level(factor: float, ago: int) -> None:
    outcome = steady(seed=ago)
    outcome[..., -ago:] *= factor
    panel = panel_of(outcome, HORIZON)
    then, shifts = mended(panel)
    assert np.abs(shifts.at - (DAYS - ago)).max() <= 1
    assert np.exp(shifts.size) == pytest.approx(np.full((1, 3), factor), rel=0.12)
    assert "everywhere" in said(panel)
    assert ("fell" if factor < 1 else "rose") in said(panel)
    early, late = then.outcome[..., : DAYS - ago - 1], then.outcome[..., DAYS - ago + 1 : DAYS]
    assert early.mean() == pytest.approx(late.mean(), rel=0.15)


def test_a_shift_of_one_place_is_said_of_that_place_and_changes_no_other() -> None:
    outcome = steady()
    outcome[0, 0, -20:] *= 0.4
    panel = panel_of(outcome, HORIZON)
    then, shifts = mended(panel)
    assert (shifts.at > NEVER).tolist() == [[True, False, False]]
    assert f"in {panel.geos[0]} fell by about" in said(panel)
    np.testing.assert_array_equal(then.outcome[0, 1:], panel.outcome[0, 1:])


@pytest.mark.parametrize("kind", ["steady", "drift", "season", "slide", "loud"])
def test_no_shift_is_found_where_there_is_none(kind: str) -> None:
    """In noise, a trend, a season that came a year ago as suddenly, a slow slide, or days of wide spread."""
    n = 500
    t = np.arange(n)
    outcome = steady(20, n, noise=0.5 if kind == "loud" else 0.1)
    change = {"drift": 0.004 * t, "slide": -0.012 * np.maximum(t - (n - 75), 0.0)}.get(kind, np.zeros(n))
    if kind == "season":
        change = 0.8 * ((t >= n - 20) | ((t >= n - 384) & (t < n - 330)))
    panel = panel_of(outcome * np.exp(change), HORIZON)
    assert int((level_shifts(panel).at > NEVER).sum()) <= (1 if kind == "loud" else 0)


def test_by_week_a_shift_is_found_too() -> None:
    outcome = steady(2, 120)
    outcome[..., -6:] *= 0.4
    panel = panel_of(outcome, 4, step_days=7)
    assert (level_shifts(panel).at == 114).all()


# --- the upper end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "times"), [(1.0, 3.0), (0.35, 1.5)])
def test_no_range_goes_further_above_the_most_ever_sold_than_its_reason(factor: float, times: float) -> None:
    outcome = steady()
    outcome[..., -20:] *= factor
    panel = panel_of(outcome, HORIZON)
    then, shifts = mended(panel)
    wild = tuple(Ranges(np.full((len(tier.keys), HORIZON), 5.0), np.repeat(np.linspace(-3, 3, 7)[:, None], HORIZON, 1))
                 for tier in tiers(panel))  # fmt: skip
    made = then.outcome[..., -HORIZON - 14 : -HORIZON]
    for tier, fan in zip(
        tiers(panel), Recalibration(0.0, wild).fans(then, made, np.stack([made, made]), shifts), strict=True
    ):
        most = tier.add(outcome).max(axis=1)
        assert fan.max() <= times * most.max() * (1 + 1e-9)
        assert (fan.max(axis=(0, 2)) <= times * most * (1 + 1e-9)).all()
