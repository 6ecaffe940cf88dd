"""A trigger test's read-out and power: size, honest intervals, lift in total and by day, returns, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.experiments.designs import FIRST, drafted

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.experiment_design import Cell, ExperimentDesign, Kind, TriggerPlan, TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.trigger import schedule, treated_days, trigger_design
from weathervane.experiments.trigger_effect import episodes_of
from weathervane.experiments.trigger_power import trigger_power
from weathervane.experiments.trigger_readout import TriggerData, read_triggers

N_PRE, N_TEST, WASHOUT = 180, 42, 2
N_DAYS = N_PRE + N_TEST + WASHOUT
DAYS = tuple(FIRST + timedelta(days=i) for i in range(N_DAYS))
RULE = TriggerRule("temperature", -1.0, 1)


def world(seed: int, n_geos: int = 12, sensitivity: float = 0.0) -> tuple[Panel, Bools, Floats]:
    """Places of different size with a common factor, errors that follow each other, and cold that comes in runs."""
    rng = np.random.default_rng(seed)
    cold, noise = rng.standard_normal((2, n_geos, N_DAYS))
    common = rng.standard_normal(N_DAYS)
    for t in range(1, N_DAYS):
        cold[:, t] = 0.7 * cold[:, t - 1] + 0.7 * cold[:, t]
        noise[:, t] = 0.4 * noise[:, t - 1] + 0.9 * noise[:, t]
        common[t] = 0.8 * common[t - 1] + 0.6 * common[t]
    level = np.exp(rng.normal(6.0, 0.8, (n_geos, 1)))
    week = 0.1 * (np.arange(N_DAYS) % 7 >= 5)
    outcome = level * (1.0 + 0.1 * common + week + 0.05 * noise + sensitivity * cold)
    return Panel(tuple(f"geo-{i:03d}" for i in range(n_geos)), DAYS, outcome), cold > 1.2, cold


def design_of(panel: Panel, seed: int, kind: Kind = "heavy_up") -> ExperimentDesign:
    past = Panel(panel.geos, DAYS[:N_PRE], panel.outcome[:, :N_PRE])
    made = drafted(past, (Cell("treated", kind, "social", 0.5),), seed=seed)
    window = Period(DAYS[N_PRE], DAYS[N_PRE + N_TEST - 1])
    plan = TriggerPlan(RULE, WASHOUT, 80.0, 200.0)
    return replace(trigger_design(made, plan), test_window=window, alpha=0.1)


def on_days(design: ExperimentDesign, panel: Panel, trigger: Bools) -> Bools:
    """Treated trigger days [n_geos, t] of the test."""
    during = (np.arange(N_DAYS) >= N_PRE) & (np.arange(N_DAYS) < N_PRE + N_TEST)
    return treated_days(panel.geos, DAYS, trigger & during, design.seed or 0, WASHOUT)


def read(panel: Panel, trigger: Bools, design: ExperimentDesign, **options: object) -> LiftResult:
    data = TriggerData(panel, trigger, N_PRE, N_TEST, **options)  # type: ignore[arg-type]
    return read_triggers(design, data, "USD").result


def lifted(panel: Panel, on: Bools, lift: float, carry: float = 0.0) -> Panel:
    """Treated trigger days sell `lift` more, and `carry` of what one adds is added again on the day after."""
    added = lift * panel.outcome * on
    later = np.concatenate([np.zeros((len(panel.geos), 1)), carry * added[:, :-1]], axis=1)
    return Panel(panel.geos, panel.days, panel.outcome + added + later)


def covers(result: LiftResult, true: float) -> bool:
    low, high = result.lift_rel_low, result.lift_rel_high
    return (low is None or low <= true) and (high is None or true <= high)


@pytest.mark.slow
def test_nothing_is_found_where_nothing_happened_and_intervals_hold_the_truth() -> None:
    rejected, covered, lifts = [], [], []
    for seed in range(40):
        panel, trigger, cold = world(seed, sensitivity=0.04)
        design = design_of(panel, seed)
        weather = cold[None] if seed % 2 else None
        rejected.append(read(panel, trigger, design, weather=weather).p_value <= design.alpha)
        more = lifted(panel, on_days(design, panel, trigger), 0.15)
        result = read(more, trigger, design, weather=weather)
        covered.append(covers(result, 0.15))
        lifts.append(result.lift_rel)
    assert np.mean(rejected) <= 0.25  # alpha 0.1, three standard errors of 40
    assert np.mean(covered) >= 0.8
    assert np.mean(lifts) == pytest.approx(0.15, abs=0.02)


def test_total_days_and_return_agree_with_the_lift() -> None:
    panel, trigger, _ = world(3)
    design = design_of(panel, 3)
    on = on_days(design, panel, trigger)
    spend = np.where(on, 0.2, 0.1) * panel.outcome[:, :1]
    data = TriggerData(lifted(panel, on, 0.3), trigger, N_PRE, N_TEST, spend=spend)
    view = read_triggers(design, data, "USD").plain
    result = view.result
    assert result.triggered_geo_days == on.sum()
    assert result.lift_abs_per_geo_day == pytest.approx(result.lift_abs / on.sum())
    assert result.lift_rel == pytest.approx(0.3, abs=0.12)
    assert view.days[-1].cumulative == pytest.approx(result.lift_abs)
    assert view.days[-1].cumulative_low == pytest.approx(result.lift_abs_low)
    assert sum(day.effect or 0.0 for day in view.days) == pytest.approx(result.lift_abs)
    assert result.spend_change_abs is not None
    assert result.spend_change_abs > 0.0
    assert result.iroas == pytest.approx(result.lift_abs / result.spend_change_abs)
    assert result.iroas_low is not None
    assert (result.p_value <= result.alpha) == (result.iroas_low > 0.0)
    assert len(view.placebos) == 2
    assert all(one.p_value is not None for one in view.placebos)


def test_ads_taken_away_are_read_with_the_same_sign() -> None:
    panel, trigger, _ = world(5)
    design = design_of(panel, 5, "go_dark")
    on = on_days(design, panel, trigger)
    gone = Panel(panel.geos, DAYS, np.where(on, panel.outcome / 1.3, panel.outcome))
    result = read(gone, trigger, design, spend=np.where(on, 0.0, 0.1) * panel.outcome[:, :1])
    assert result.lift_rel == pytest.approx(0.3, abs=0.12)
    assert result.spend_change_abs is not None
    assert result.spend_change_abs < 0.0
    assert result.iroas is not None
    assert result.iroas > 0.0


def test_what_is_sold_in_the_washout_counts_and_later_sales_are_said_not_to() -> None:
    lifts: dict[float, list[float]] = {0.0: [], 0.5: []}
    for seed in range(20):
        panel, trigger, _ = world(seed)
        design = design_of(panel, seed)
        on = on_days(design, panel, trigger)
        for carry, found in lifts.items():
            found.append(read(lifted(panel, on, 0.2, carry), trigger, design).lift_abs / (panel.outcome * on).sum())
    assert np.mean(lifts[0.5]) - np.mean(lifts[0.0]) == pytest.approx(0.1, abs=0.04)  # half of 0.2 comes a day later
    assert any("what they sell later is not" in text for text in read(panel, trigger, design).caveats)


def test_the_order_of_episodes_decides_who_is_treated_and_nothing_else_does() -> None:
    panel, trigger, _ = world(2)
    design = design_of(panel, 2)
    each = episodes_of(panel.geos, DAYS, trigger, WASHOUT, N_PRE, N_TEST)
    on = np.zeros_like(trigger)
    np.logical_or.at(on, each.row[schedule(2, each.found)], each.fired[schedule(2, each.found)])
    assert np.array_equal(on, on_days(design, panel, trigger))
    assert not (each.free & trigger).any()
    during = slice(N_PRE, N_PRE + N_TEST)
    assert each.fired.sum() == trigger[:, during].sum()
    # What lies outside the episodes and their washout may change with no treated day, and moves only the yardstick.
    assert not each.free[each.row[0], each.span[0]].any()


@pytest.mark.slow
def test_power_is_what_simulated_tests_then_find() -> None:
    foretold, found = [], []
    for seed in range(24):
        panel, trigger, _ = world(1000 + seed)
        design = design_of(panel, seed)
        past = Panel(panel.geos, DAYS[:N_PRE], panel.outcome[:, :N_PRE])
        power = trigger_power(past, design, trigger[:, :N_PRE])
        foretold.append(next(p.power for p in power.curve if abs(p.effect_rel - 0.14) < 1e-9))
        assert power.aa_size == pytest.approx(0.1, abs=0.06)
        more = lifted(panel, on_days(design, panel, trigger), 0.14)
        found.append(read(more, trigger, design).p_value <= design.alpha)
    assert np.mean(found) == pytest.approx(np.mean(foretold), abs=0.25)
    assert 0.3 < np.mean(foretold) < 0.95


def test_what_cannot_be_read_is_refused_or_named() -> None:
    panel, trigger, _ = world(4)
    design = design_of(panel, 4)
    with pytest.raises(NotEnoughData, match="trigger episodes"):
        read(panel, np.zeros_like(trigger), design)
    holes = panel.outcome.copy()
    holes[2, -5] = np.nan
    with pytest.raises(NotEnoughData, match="geo-002"):
        read(Panel(panel.geos, DAYS, holes), trigger, design)
    rare = trigger & (np.arange(len(panel.geos)) < 3)[:, None]
    few = read(panel, rare, design)
    assert any("were expected" in text for text in few.caveats)
    below = read(Panel(panel.geos, DAYS, panel.outcome - panel.outcome[:, N_PRE:].min() - 5.0), trigger, design)
    assert any("below zero" in text for text in below.caveats)
