"""The power of a trigger experiment: its own schedule, test and weather adjustment on trigger episodes of its past.

experiments.md, "Trigger power".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.experiment_design import ExperimentDesign, Power
from weathervane.contracts.period import Period
from weathervane.experiments.inference import randomisation_p_values
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.power import EFFECTS, Simulated, filled, injected, reached_power, taken_out
from weathervane.experiments.trigger import schedule_set
from weathervane.experiments.trigger_effect import (
    by_episode,
    contrast,
    episodes_of,
    levels,
    pattern_of,
    unexplained,
)

_MAX_WINDOWS = 12
_SEASON_DAYS = 7  # from the test's dates in another year within which a window is of its season
_YEAR_DAYS = 365.25
_MIN_REST = 2  # windows of history beside the one that is simulated in
_TURNS = 60
_SCHEDULES = 500


def trigger_power(
    panel: Panel,
    design: ExperimentDesign,
    trigger: Bools,
    *,
    weather: Floats | None = None,
    spend: Panel | None = None,
) -> Power:
    """What a trigger design can detect, from the trigger episodes in windows of its pre-period.

    `trigger` [n_geos, n_days] is where its rule fires on the geos and days of `panel`; `weather` and `spend` as in
    `power_of`. The change of spend is that of the treated episodes to be expected, at their spend in the past. A
    window whose episodes cannot be told apart counts as one in which nothing is found. Raises NotEnoughData where the
    history holds no window.
    """
    within = np.array([design.pre_period.start <= day <= design.pre_period.end for day in panel.days])
    rows = panel.rows(design.geos)
    outcome, fires = filled(panel.outcome[rows][:, within]), trigger[rows][:, within]
    days = tuple(day for day, inside in zip(panel.days, within, strict=True) if inside)
    past = Panel(design.geos, days, outcome)
    signals = None if weather is None else weather[:, rows][:, :, within]
    p_values = simulated_windows(
        past,
        fires,
        window=design.test_window,
        washout=design.cooldown_days,
        seed=design.seed or 0,
        put_in=injected(design.kind, EFFECTS),
        weather=signals,
    )
    simulated = Simulated(EFFECTS, p_values)
    paid = None if spend is None else np.nan_to_num(spend.outcome[rows][:, within])
    change, usual = _expected(design, outcome, fires, paid)
    return reached_power(
        simulated, design, design.alpha, weather_adjusted=weather is not None, change=change, usual=usual
    )


def simulated_windows(
    past: Panel,
    trigger: Bools,
    *,
    window: Period,
    washout: int,
    seed: int,
    put_in: Floats,
    weather: Floats | None = None,
    turns: int = _TURNS,
) -> Floats:
    """p-values [n_windows, turns, n_put_in] of tests in windows of `past` as long as `window` and then the washout.

    How often the trigger fires and how sales scatter then depend on the season, so the windows are those around the
    dates of `window` in earlier years, or any where the history has none. Each is moved behind the rest of the history,
    which so is the past of the first as much as of the last. `put_in` are shares that the treated trigger days gain;
    schedules of the set take turns as the one that ran. Raises NotEnoughData where the history is too short.
    """
    length, weeks = window.n_days + washout, len(past.days) // 7
    kept = slice(len(past.days) - 7 * weeks, None)  # whole weeks, so that weekdays stay in turn where days are moved
    days, n_pre = past.days[kept], 7 * weeks - length
    found: list[Floats] = []
    for start in window_starts(days, window.start, length):
        moved = np.roll(np.arange(len(past.days))[kept], -(start + length))
        raw = past.outcome[:, moved]
        each = episodes_of(past.geos, days, trigger[:, moved], washout, n_pre, window.n_days)
        if len(each.found) < 2:
            found.append(np.ones((turns, len(put_in))))
            continue
        schedules = schedule_set(seed, each.found, _SCHEDULES)
        read = taken_out(raw, None if weather is None else weather[:, :, moved], n_pre, length)
        estimates = contrast(schedules, by_episode(unexplained(read, each, n_pre), each).sum(axis=1))
        brought = pattern_of(raw, each, absolute=False).sum(axis=1) / levels(read, n_pre)[each.row, 0]
        chosen = np.linspace(0, len(schedules) - 1, turns).astype(np.intp)
        responses = (schedules[chosen] * brought) @ (2.0 * schedules - 1.0).T
        turn = (np.arange(len(schedules)) + chosen[:, None]) % len(schedules)
        found.append(randomisation_p_values(estimates[turn], np.take_along_axis(responses, turn, axis=1), put_in))
    return np.array(found)


def window_starts(days: Sequence[date], first: date, length: int) -> Sequence[int]:
    """Where windows of `length` days begin: within a week of `first` in any year, or anywhere without enough such.

    Raises NotEnoughData where `days` hold no window beside twice as many others.
    """
    last = len(days) - length
    if last < _MIN_REST * length:
        raise NotEnoughData(
            f"The pre-period of {len(days)} days holds no window of {length} beside twice as much other history.",
            f"bring {_MIN_REST * length - last} more days, or shorten the test.",
        )
    apart = np.array([(first - day).days for day in days[: last + 1]])
    season = np.flatnonzero(np.abs(apart - _YEAR_DAYS * np.round(apart / _YEAR_DAYS)) <= _SEASON_DAYS)
    starts = season if season.size >= _MAX_WINDOWS else np.arange(last + 1)
    return starts[np.linspace(0, len(starts) - 1, min(_MAX_WINDOWS, len(starts))).astype(np.intp)].tolist()


def _expected(
    design: ExperimentDesign, outcome: Floats, trigger: Bools, spend: Floats | None
) -> tuple[float | None, float]:
    """The change of spend and the usual outcome of the trigger days to be expected in treated episodes."""
    plan = design.trigger
    share = trigger.astype(np.float64) / max(int(trigger.sum()), 1)
    geo_days = 0.0 if plan is None else plan.expected_geo_days / 2.0
    usual = float((outcome * share).sum()) * geo_days
    if spend is None or design.kind == "heavy_up":
        return None, usual
    return -float((spend * share).sum()) * geo_days, usual
