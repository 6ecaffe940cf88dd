"""A trigger test's read-out and power: size, honest intervals, lift in total and by day, returns, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy import stats
from tests.experiments.designs import FIRST, drafted

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.experiment_design import Cell, ExperimentDesign, Kind, TriggerPlan, TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.trigger import schedule, treated_days, trigger_design
from weathervane.experiments.trigger_effect import episodes_of
from weathervane.experiments.trigger_power import simulated_windows, trigger_power, window_starts
from weathervane.experiments.trigger_readout import TriggerData, read_triggers

N_PRE, N_TEST, WASHOUT = 180, 42, 2
N_DAYS = N_PRE + N_TEST + WASHOUT
DAYS = tuple(FIRST + timedelta(days=i) for i in range(N_DAYS))
RULE = TriggerRule("temperature", -1.0, 1)


def world(seed: int, n_geos: int = 12, sensitivity: float = 0.0, n_days: int = N_DAYS) -> tuple[Panel, Bools, Floats]:
    """Places of different size with a common factor, errors that follow each other, and cold that comes in runs."""
    rng = np.random.default_rng(seed)
    days = tuple(FIRST + timedelta(days=i) for i in range(n_days))
    cold, noise = rng.standard_normal((2, n_geos, n_days))
    common = rng.standard_normal(n_days)
    for t in range(1, n_days):
        cold[:, t] = 0.7 * cold[:, t - 1] + 0.7 * cold[:, t]
        noise[:, t] = 0.4 * noise[:, t - 1] + 0.9 * noise[:, t]
        common[t] = 0.8 * common[t - 1] + 0.6 * common[t]
    level = np.exp(rng.normal(6.0, 0.8, (n_geos, 1)))
    week = 0.1 * (np.arange(n_days) % 7 >= 5)
    outcome = level * (1.0 + 0.1 * common + week + 0.05 * noise + sensitivity * cold)
    return Panel(tuple(f"geo-{i:03d}" for i in range(n_geos)), days, outcome), cold > 1.2, cold


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


def as_often(found: int, n: int, share: float) -> bool:
    """Whether `found` of `n` is what a chance of `share` gives, in all but 1 run in 1,000: neither more nor fewer."""
    return bool(stats.binomtest(found, n, share).pvalue > 0.001)


@pytest.mark.slow
def test_nothing_is_found_where_nothing_happened_and_intervals_hold_the_truth() -> None:
    """Each of its panels has another schedule; their past is too short for placebos, which only cost time here."""
    n, n_pre = 250, 84
    design = design_of(world(0)[0], 0)
    rejected, covered, lifts = 0, 0, []
    for seed in range(n):
        panel, trigger, cold = world(seed, sensitivity=0.04, n_days=n_pre + N_TEST + WASHOUT)
        before, window = (
            Period(panel.days[0], panel.days[n_pre - 1]),
            Period(panel.days[n_pre], panel.days[n_pre + N_TEST - 1]),
        )
        one = replace(design, seed=seed, pre_period=before, test_window=window)
        weather = cold[None] if seed % 2 else None
        during = (np.arange(len(panel.days)) >= n_pre) & (np.arange(len(panel.days)) < n_pre + N_TEST)
        on = treated_days(panel.geos, panel.days, trigger & during, seed, WASHOUT)
        none, some = (
            read_triggers(one, TriggerData(each, trigger, n_pre, N_TEST, weather=weather), "USD").result
            for each in (panel, lifted(panel, on, 0.15))
        )
        rejected += none.p_value <= one.alpha
        covered += covers(some, 0.15)
        lifts.append(some.lift_rel)
    assert as_often(rejected, n, design.alpha)
    assert as_often(n - covered, n, design.alpha)
    assert np.mean(lifts) == pytest.approx(0.15, abs=0.015)  # four standard errors of the mean


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
    assert any("Later ones do not" in text for text in read(panel, trigger, design).caveats)


def test_what_the_weather_does_to_every_episode_is_no_lift() -> None:
    """Sales rise by a fifth on all trigger days of the test, treated or not, and did not before it."""
    lifts = []
    for seed in range(16):
        panel, trigger, _ = world(seed)
        during = np.arange(N_DAYS) >= N_PRE
        moved = Panel(panel.geos, DAYS, np.where(trigger & during, 1.2 * panel.outcome, panel.outcome))
        lifts.append(read(moved, trigger, design_of(panel, seed)).lift_rel)
    assert np.mean(lifts) == pytest.approx(0.0, abs=0.08)


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
    lift, put_in, gaps, sizes = 0.14, np.array([0.0, 0.14]), [], []
    design = design_of(world(0)[0], 0)
    for seed in range(1000, 1060):
        panel, trigger, _ = world(seed)
        past = Panel(panel.geos, DAYS[:N_PRE], panel.outcome[:, :N_PRE])
        p_values = simulated_windows(
            past, trigger[:, :N_PRE], window=design.test_window, washout=WASHOUT, seed=seed, put_in=put_in, turns=20
        )
        found = []
        for turn in range(4):
            one = replace(design, seed=4 * seed + turn)
            found.append(read(lifted(panel, on_days(one, panel, trigger), lift), trigger, one).p_value <= one.alpha)
        foretold = (p_values <= design.alpha).mean(axis=(0, 1))
        sizes.append(foretold[0])
        gaps.append(np.mean(found) - foretold[1])
    assert np.mean(sizes) == pytest.approx(design.alpha, abs=0.01)
    assert np.mean(gaps) == pytest.approx(0.0, abs=0.11)  # three standard errors of the mean


def test_power_is_of_the_season_of_the_test() -> None:
    """A trigger that fires in spring alone can be tested in spring, and not in autumn."""
    panel, trigger, _ = world(6, n_days=364)
    window = Period(panel.days[90] + timedelta(days=365), panel.days[131] + timedelta(days=365))
    spring = trigger & (np.abs(np.arange(364) - 110) < 40)
    put_in = np.array([0.0, 0.4])

    def power(months: int) -> float:
        shifted = Period(window.start + timedelta(days=30 * months), window.end + timedelta(days=30 * months))
        p_values = simulated_windows(panel, spring, window=shifted, washout=WASHOUT, seed=1, put_in=put_in)
        assert p_values.shape[:2] == (12, 60)
        return float((p_values <= 0.1).mean(axis=(0, 1))[1])

    assert power(0) > 0.9
    assert power(5) == 0.0
    starts = window_starts(panel.days, window.start, 44)
    assert {(panel.days[start] - window.start).days for start in starts} <= set(range(-372, -357))


def test_power_does_not_depend_on_where_in_the_history_its_windows_lie() -> None:
    """A history turned by whole weeks foretells the same of the same window."""
    panel, trigger, _ = world(8, n_days=364)
    put_in = np.array([0.0, 0.1, 0.2])

    def foretold(turn: int) -> Floats:
        days = np.roll(np.arange(364), turn)
        turned = Panel(panel.geos, panel.days, panel.outcome[:, days])
        start = panel.days[60] + timedelta(days=365 + turn)
        window = Period(start, start + timedelta(days=N_TEST - 1))
        return simulated_windows(turned, trigger[:, days], window=window, washout=WASHOUT, seed=1, put_in=put_in)

    assert foretold(140) == pytest.approx(foretold(0), abs=1e-9)


def test_a_history_without_room_for_a_window_is_refused() -> None:
    panel, trigger, _ = world(1, n_days=100)
    window = Period(DAYS[150], DAYS[150 + N_TEST - 1])
    with pytest.raises(NotEnoughData, match="bring 34 more days"):
        simulated_windows(panel, trigger, window=window, washout=WASHOUT, seed=1, put_in=np.zeros(1))


def test_a_design_carries_its_power() -> None:
    panel, trigger, cold = world(3)
    past = Panel(panel.geos, DAYS[:N_PRE], panel.outcome[:, :N_PRE])
    design = design_of(panel, 3)
    spend = Panel(past.geos, past.days, np.full(past.outcome.shape, 5.0))
    power = trigger_power(past, design, trigger[:, :N_PRE], weather=cold[None, :, :N_PRE], spend=spend)
    assert (power.n_windows, power.n_tests, power.weather_adjusted) == (12, 720, True)
    assert power.curve[0].power == power.aa_size == pytest.approx(0.1, abs=0.03)
    assert power.curve[-1].power == 1.0
    assert power.spend_change_abs is None  # a heavy-up's budget is not known yet
    dark = trigger_power(past, design_of(panel, 3, "go_dark"), trigger[:, :N_PRE], spend=spend)
    assert dark.spend_change_abs == pytest.approx(-5.0 * 200.0 / 2.0)


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
