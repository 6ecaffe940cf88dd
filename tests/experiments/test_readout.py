"""The read-out: signs, units, intervals that agree with their p-values, caveats and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.experiments.made_tests import N_POST, N_PRE, ask, assignment_set, make_panel, with_lift

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Panel, panel_from_rows
from weathervane.experiments.readout import read_out

TESTS = (
    ("difference_in_differences", "randomisation"),
    ("synthetic_control", "randomisation"),
    ("synthetic_did", "randomisation"),
    ("difference_in_differences", "placebo_normal"),
    ("synthetic_control", "block_conformal"),
    ("augmented", "block_conformal"),
    ("synthetic_control", "iid_conformal"),
    ("time_based_regression", "block_conformal"),
    ("time_based_regression", "posterior_t"),
    ("synthetic_control", "placebo_normal"),
    ("trimmed_match", "trimmed_t"),
)


def excludes_zero(result: LiftResult) -> bool:
    low, high = result.lift_rel_low, result.lift_rel_high
    return (low is not None and low > 0) or (high is not None and high < 0)


def pairs(panel: Panel) -> dict[str, object]:
    n = len(panel.geos) // 2
    return {"n_treated": n, "pairs": tuple(zip(panel.geos[:n], panel.geos[n:], strict=True))}


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(TESTS), st.sampled_from([0.05, 0.1, 0.2]), st.sampled_from([0.0, 0.06])
)
def test_p_value_and_interval_never_disagree(seed: int, names: tuple[str, str], alpha: float, lift: float) -> None:
    panel, _ = make_panel(seed)
    estimator, test = names
    extra = pairs(panel) if estimator == "trimmed_match" else {}
    question = ask(with_lift(panel, panel.geos[:4], lift), estimator=estimator, test=test, alpha=alpha, **extra)
    drawn = assignment_set() if test == "randomisation" else None
    view = read_out(with_lift(panel, panel.geos[:4], lift), question, assignments=drawn).plain
    result = view.result
    assert result.test == test
    assert (result.p_value <= alpha) == excludes_zero(result)
    assert result.lift_abs == pytest.approx(sum(day.effect or 0.0 for day in view.days), rel=1e-6, abs=1e-6)
    for low, at, high in (
        (result.lift_abs_low, result.lift_abs, result.lift_abs_high),
        (result.lift_rel_low, result.lift_rel, result.lift_rel_high),
    ):
        assert low is None or low <= at + 1e-9
        assert high is None or at <= high + 1e-9


@pytest.mark.parametrize("names", TESTS)
def test_shuffled_rows_change_nothing(names: tuple[str, str]) -> None:
    panel, weather = make_panel(11, sensitivity=0.05)
    extra = pairs(panel) if names[0] == "trimmed_match" else {}
    question = ask(panel, estimator=names[0], test=names[1], **extra)
    drawn = assignment_set() if names[1] == "randomisation" else None
    rows = [(geo, day, panel.outcome[g, t]) for g, geo in enumerate(panel.geos) for t, day in enumerate(panel.days)]
    shuffled = [rows[i] for i in np.random.default_rng(2).permutation(len(rows))]
    again = panel_from_rows(*(list(column) for column in zip(*shuffled, strict=True)))
    one = read_out(panel, question, assignments=drawn, weather=weather)
    mixed = ask(panel, estimator=names[0], test=names[1], **extra)
    assert read_out(again, mixed, assignments=drawn, weather=weather) == one


def test_a_lift_is_found_and_read_in_its_units() -> None:
    panel, _ = make_panel(7, n_geos=20, n_pre=84, n_post=14)
    lifted = with_lift(panel, panel.geos[:8], 0.15, 14)
    question = ask(lifted, n_treated=8, n_post=14, spend_change_abs=1000.0)
    result = read_out(lifted, question, assignments=assignment_set(20, 8, 400)).plain.result
    assert result.p_value <= 0.01
    assert result.lift_rel == pytest.approx(0.15, abs=0.04)
    truth = lifted.outcome[:8, -14:].sum() - panel.outcome[:8, -14:].sum()
    assert result.lift_abs == pytest.approx(truth, rel=0.25)
    assert result.iroas == pytest.approx(result.lift_abs / 1000.0)
    assert result.cpic is None
    assert (result.n_geos_treatment, result.n_geos_control, result.n_days) == (8, 12, 14)
    assert result.lift_rel_low is not None
    assert result.lift_rel_high is not None
    assert result.lift_rel_low < 0.15 < result.lift_rel_high
    assert "9 in 10" in result.sentence
    observed = lifted.outcome[:8, -14:].sum()
    assert result.lift_rel_low == pytest.approx(result.lift_abs_low / (observed - result.lift_abs_low))  # type: ignore[operator]


def test_ads_switched_off_read_as_what_they_had_added() -> None:
    panel, _ = make_panel(7, n_geos=20, n_pre=84, n_post=14)
    dark = with_lift(panel, panel.geos[:8], 1 / 1.15 - 1, 14)
    question = ask(dark, n_treated=8, n_post=14, sign=-1, spend_change_abs=-1000.0)
    view = read_out(dark, question, assignments=assignment_set(20, 8, 400)).plain
    result, last = view.result, view.days[-1]
    assert result.lift_rel == pytest.approx(0.15, abs=0.04)
    assert result.lift_abs > 0
    assert result.iroas == pytest.approx(result.lift_abs / 1000.0)
    assert excludes_zero(result)
    assert result.spend_change_abs == -1000.0
    assert (last.cumulative, last.cumulative_low, last.cumulative_high) == pytest.approx(
        (result.lift_abs, result.lift_abs_low, result.lift_abs_high)
    )
    for day in view.days[-14:]:
        assert day.effect is not None
        assert day.effect_low is None or day.effect_low <= day.effect
        assert day.effect_high is None or day.effect <= day.effect_high


def test_return_by_ratio_inversion_finds_the_true_ratio() -> None:
    panel, _ = make_panel(9, n_geos=20, n_pre=84, n_post=14)
    spend = np.full(panel.outcome.shape, 10.0)
    spend[:8, -14:] += 6.0
    outcome = panel.outcome + 4.0 * (spend - 10.0)
    lifted = Panel(panel.geos, panel.days, outcome)
    question = ask(lifted, n_treated=8, n_post=14, estimator="difference_in_differences")
    money = Panel(panel.geos, panel.days, spend)
    result = read_out(lifted, question, assignments=assignment_set(20, 8, 400), spend=money).plain.result
    assert result.spend_change_abs == pytest.approx(6.0 * 8 * 14)
    assert result.iroas == pytest.approx(4.0, abs=1.5)
    assert result.iroas_low is not None
    assert result.iroas_high is not None
    assert result.iroas_low < 4.0 < result.iroas_high
    units = ask(lifted, n_treated=8, n_post=14, estimator="difference_in_differences")
    counted = read_out(
        lifted, replace(units, kpi_unit="units"), assignments=assignment_set(20, 8, 400), spend=money
    ).plain.result
    assert counted.iroas is None
    assert counted.cpic == pytest.approx(1.0 / result.iroas)
    assert counted.cpic_low == pytest.approx(1.0 / result.iroas_high)


def test_weather_adjusted_view_is_narrower_at_the_same_truth() -> None:
    ratios = []
    for seed in range(8):
        panel, weather = make_panel(seed, n_geos=20, n_pre=84, n_post=14, sensitivity=0.1)
        lifted = with_lift(panel, panel.geos[:8], 0.05, 14)
        drawn = assignment_set(20, 8, 400, seed)
        found = read_out(lifted, ask(lifted, n_treated=8, n_post=14), assignments=drawn, weather=weather)
        assert found.weather_adjusted is not None
        plain, adjusted = found.plain.result, found.weather_adjusted.result
        assert found.weather_noise_removed_rel is not None
        assert found.weather_noise_removed_rel > 0.3
        ratios.append(
            (adjusted.lift_abs_high - adjusted.lift_abs_low) / (plain.lift_abs_high - plain.lift_abs_low)  # type: ignore[operator]
        )
    assert np.mean(ratios) < 0.8


def test_cool_down_days_count_to_the_effect() -> None:
    panel, _ = make_panel(1)
    question = ask(panel)
    shorter = replace(question, window=Period(panel.days[-N_POST], panel.days[-3]), cooldown_days=2)
    found = read_out(panel, shorter).plain
    assert found.result.n_days == N_POST
    assert found.result.lift_abs == read_out(panel, question).plain.result.lift_abs


def test_days_and_placebos_make_the_picture() -> None:
    panel, _ = make_panel(1)
    view = read_out(with_lift(panel, panel.geos[:4], 0.2), ask(panel), assignments=assignment_set()).plain
    assert [day.date for day in view.days] == list(panel.days)
    assert view.days[N_PRE - 1].effect is None
    last = view.days[-1]
    assert last.cumulative == pytest.approx(view.result.lift_abs)
    assert last.cumulative_low == pytest.approx(view.result.lift_abs_low)
    assert last.cumulative_high == pytest.approx(view.result.lift_abs_high)
    assert sum(weight.weight for weight in view.weights) == pytest.approx(1.0)
    assert {placebo.name for placebo in view.placebos if placebo.kind == "space"} == set(panel.geos[4:])
    assert len([placebo for placebo in view.placebos if placebo.kind == "time"]) == 3
    assert view.result.placebo_pass is True


def test_a_floor_above_alpha_is_said_and_leaves_no_bounds() -> None:
    panel, _ = make_panel(1)
    result = read_out(panel, ask(panel, alpha=0.1), assignments=assignment_set(n=6)).plain.result
    assert result.p_floor > 0.1
    assert (result.lift_rel_low, result.lift_rel_high) == (None, None)
    assert any("cannot show any effect" in caveat for caveat in result.caveats)
    assert "no bounds" in result.sentence


def test_caveats_name_what_weakens_the_number() -> None:
    panel, _ = make_panel(1)
    told = " ".join(read_out(panel, ask(panel, n_post=14)).plain.result.caveats)
    assert "assignment set is not known" in told
    assert "2.5 windows" in told
    negative = panel.outcome.copy()
    negative[0, 3] = -5.0
    result = read_out(Panel(panel.geos, panel.days, negative), ask(panel)).plain.result
    assert any("below zero" in caveat for caveat in result.caveats)


def test_control_geo_with_a_hole_is_named_or_refused() -> None:
    panel, _ = make_panel(1)
    outcome = panel.outcome.copy()
    outcome[9, 5] = np.nan
    holed = Panel(panel.geos, panel.days, outcome)
    result = read_out(holed, ask(panel)).plain.result
    assert "Left out for missing days: geo-09." in result.caveats
    assert result.n_geos_control == 5
    with pytest.raises(NotEnoughData, match="geo-09"):
        read_out(holed, ask(panel), assignments=assignment_set())


def test_bad_input_is_refused() -> None:
    panel, weather = make_panel(1)
    outcome = panel.outcome.copy()
    outcome[2, -1] = np.nan
    with pytest.raises(NotEnoughData, match="geo-02"):
        read_out(Panel(panel.geos, panel.days, outcome), ask(panel))
    outcome = panel.outcome.copy()
    outcome[7, :N_PRE] = 0.0
    with pytest.raises(BadInput, match=r"zero on every day.*geo-07"):
        read_out(Panel(panel.geos, panel.days, outcome), ask(panel))
    with pytest.raises(NotEnoughData, match="longer"):
        read_out(panel, ask(panel, n_post=30))
    with pytest.raises(NotEnoughData, match="no control places"):
        ask(panel, n_treated=10)
    question = ask(panel)
    later = replace(question, window=Period(question.window.start, question.window.end + timedelta(days=3)))
    with pytest.raises(NotEnoughData, match="end on"):
        read_out(panel, later)
    cooling = replace(question, cooldown_days=3)
    with pytest.raises(NotEnoughData, match="cool-down"):
        read_out(panel, cooling)
    with pytest.raises(BadInput, match="at once"):
        replace(question, control_geos=question.treated_geos)
    elsewhere = replace(question, control_geos=("nowhere", *question.control_geos))
    with pytest.raises(BadInput, match="No data for nowhere"):
        read_out(panel, elsewhere)
    with pytest.raises(BadInput, match="assignment set"):
        read_out(panel, ask(panel, test="randomisation"))
    with pytest.raises(BadInput, match="zero or less"):
        read_out(Panel(panel.geos, panel.days, panel.outcome - 1000.0), ask(panel))
    with pytest.raises(BadInput, match="does not fit"):
        read_out(panel, ask(panel), weather=weather[:, :, :-1])
    with pytest.raises(BadInput, match="more than once"):
        panel_from_rows(["a", "a"], [panel.days[0]] * 2, [1.0, 2.0])


def test_contract_refuses_a_contradiction() -> None:
    panel, _ = make_panel(1)
    result = read_out(panel, ask(panel)).plain.result
    with pytest.raises(BadInput, match="contradict"):
        replace(result, p_value=0.0 if not excludes_zero(result) else 1.0)
