"""Geos chosen by a model: the choice is repeated in the past, and its p-values and intervals pay for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.experiments.designs import made_panel, request, stamp
from tests.experiments.made_tests import ask, make_panel, with_lift

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import Cell, Constraints
from weathervane.contracts.period import Period
from weathervane.experiments.inference import paid_for
from weathervane.experiments.panel import Panel
from weathervane.experiments.readout import read_out
from weathervane.experiments.selected import selected_design

CELL = (Cell("treated", "go_dark", "meta", 0.25),)


def test_a_chosen_set_is_frozen_with_what_its_choice_costs() -> None:
    panel = made_panel(12, n_days=300)
    free = request(panel, CELL, alpha=0.1, method="selected", cooldown_days=0)
    wanted, unwanted = selected_design(panel, free, stamp())[0].treated_geos[:2]
    must, out = [geo for geo in panel.geos if geo not in {wanted, unwanted}][:2]
    limits = Constraints({must: "treated"}, (wanted, unwanted), (out,))
    asked = replace(free, constraints=limits)
    design, screen, simulated = selected_design(panel, asked, stamp())
    assert (design.method, design.seed, design.test, design.lifecycle) == ("selected", None, "block_conformal", "draft")
    assert must in design.treated_geos
    assert {wanted, unwanted} <= set(design.control_geos)
    assert 2 <= len(design.treated_geos) <= 4
    assert [one.geo for one in design.excluded_geos] == [out]
    assert out in screen.geos
    assert len(design.choices) == 60
    power = simulated.power(0.1)
    assert power[0] <= 0.1
    assert power[-1] == 1.0
    assert selected_design(panel, asked, stamp(2))[0].treated_geos == design.treated_geos


def test_weather_is_taken_out_of_the_choices_as_of_the_test() -> None:
    panel = made_panel(12, n_days=300)
    weather = np.random.default_rng(1).standard_normal((1, 12, 300))
    moved = Panel(panel.geos, panel.days, panel.outcome * np.exp(0.15 * weather[0]))
    asked = request(moved, CELL, alpha=0.1, method="selected")
    plain, adjusted = (selected_design(moved, asked, stamp(), weather=w)[2] for w in (None, weather))
    assert adjusted.power(0.1).sum() > plain.power(0.1).sum() + 1.0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.2]), st.sampled_from([0.0, 0.08]))
def test_the_p_value_paid_for_and_the_interval_never_disagree(seed: int, alpha: float, lift: float) -> None:
    panel, _ = make_panel(seed)
    choices = tuple(np.random.default_rng(seed).uniform(0.0, 0.6, 40).tolist())
    lifted = with_lift(panel, panel.geos[:4], lift)
    plain = read_out(lifted, ask(lifted, alpha=alpha)).plain.result
    paid = read_out(lifted, ask(lifted, alpha=alpha, choices=choices)).plain.result
    assert paid.p_value == pytest.approx(float(paid_for(np.array(plain.p_value), np.array(choices))))
    assert paid.p_floor == pytest.approx(1 / 41)
    excludes = (paid.lift_rel_low or 0.0) > 0.0 or (paid.lift_rel_high is not None and paid.lift_rel_high < 0.0)
    assert (paid.p_value <= alpha) == excludes
    assert any("chosen by a model" in text for text in paid.caveats)


def test_what_a_model_cannot_respect_is_refused() -> None:
    panel = made_panel(12, n_days=300)
    asked = request(panel, CELL, method="selected")
    with pytest.raises(BadInput, match="one cell"):
        selected_design(panel, replace(asked, constraints=Constraints(buffer_km=50.0)), stamp())
    two = (Cell("one", "go_dark", "meta", 0.2), Cell("two", "go_dark", "meta", 0.2))
    with pytest.raises(BadInput, match="one cell"):
        selected_design(panel, replace(asked, cells=two), stamp())
    with pytest.raises(NotEnoughData, match="needs 8"):
        selected_design(made_panel(6, n_days=300), replace(asked), stamp())
    short = made_panel(12, n_days=120)
    with pytest.raises(NotEnoughData, match="longer history"):
        selected_design(short, request(short, CELL, alpha=0.05), stamp())
    window = Period(panel.days[-1], panel.days[-1] + timedelta(days=6))
    with pytest.raises(BadInput, match="would start"):
        selected_design(
            panel, replace(asked, pre_period=Period(panel.days[0], panel.days[-2]), test_window=window), stamp()
        )
