"""Trigger experiments: size, coverage and power of their own test on generated brands, against what was foretold.

Part of benchmarks.experiments. Ads answer to cold (a standard deviation below usual, as forecast the day before) for 56
days, with three days of washout, in 24 places; a fresh schedule for each of fifty windows of each brand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from benchmarks.experiment_truth import FRESH, JUDGED, WORLDS
from benchmarks.figure import Figure
from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.experiment_design import TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.inference import randomisation, randomisation_p_values
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.tables import GeoTables, geo_tables
from weathervane.experiments.trigger import schedule_set
from weathervane.experiments.trigger_effect import (
    by_episode,
    contrast,
    episodes_of,
    levels,
    pattern_of,
    unexplained,
)
from weathervane.experiments.trigger_power import simulated_windows
from weathervane.experiments.trigger_weather import trigger_days
from weathervane.experiments.weather_adjustment import adjust_for_weather

ALPHA, LIFT, POWER_LIFT = 0.05, 0.1, 0.15
RULE = TriggerRule("temperature", -1.0, 1)
N_TEST, WASHOUT, N_PAST = 56, 3, 180
_WINDOWS = 50
_N_DAYS = 560
_FORETOLD = 365  # days of history that power is foretold from
_AHEAD = 7  # days between that history and the test, to set it up
_TURNS = 10  # schedules of each brand's test
SIZE_SEEDS, POWER_SEEDS = 4 * FRESH, 3 * FRESH


@dataclass
class Tally:
    """Whether tests of nothing rejected, and intervals under a lift held it; widths of those."""

    rejected: list[bool] = field(default_factory=list[bool])
    covered: list[bool] = field(default_factory=list[bool])
    widths: list[float] = field(default_factory=list[float])

    def add(self, effects: Floats, responses: Floats) -> None:
        self.rejected.append(bool(randomisation_p_values(effects, responses, np.zeros(1))[0] <= ALPHA))
        lifted = randomisation(effects + LIFT * responses, (1.0 + LIFT) * responses, ALPHA)
        self.covered.append(bool(lifted.low <= LIFT / (1.0 + LIFT) <= lifted.high))
        self.widths.append(lifted.high - lifted.low)


def triggers(n_panels: int) -> list[Figure]:
    """Size and coverage of their test in windows of generated brands."""
    found: list[Figure] = []
    for name in WORLDS:
        plain, adjusted = Tally(), Tally()
        for i in range(-(-n_panels // _WINDOWS)):
            tables, fires = brand(name, SIZE_SEEDS + i)
            outcome, weather = tables.outcome.outcome, tables.weather_residuals
            last = outcome.shape[1] - N_TEST - WASHOUT
            for seed, start in enumerate(
                np.random.default_rng([9, i])
                .integers(N_PAST, last + 1, min(_WINDOWS, n_panels - i * _WINDOWS))
                .tolist(),
                start=SIZE_SEEDS + i * _WINDOWS,
            ):
                days = slice(start - N_PAST, start + N_TEST + WASHOUT)
                panel = Panel(tables.outcome.geos, tables.outcome.days[days], outcome[:, days])
                plain.add(*_contrasts(panel, panel.outcome, fires[:, days], seed))
                if weather is not None:
                    read = adjust_for_weather(panel.outcome, weather[:, :, days], N_PAST).outcome
                    adjusted.add(*_contrasts(panel, read, fires[:, days], seed))
        for view, tally in (("", plain), (", weather taken out", adjusted)):
            found += _figures(f"trigger tests in the {name} world{view}", tally, n_panels)
    return found


def brand(name: str, seed: int, n_days: int = _N_DAYS) -> tuple[GeoTables, Bools]:
    """A generated brand's tables, and where its trigger fires."""
    made = make_world(name, seed=seed, end=date(2026, 5, 31), n_days=n_days)
    tables = geo_tables(made.tenant, *[made.tables[t] for t in ("sales", "spend", "weather", "calendar", "inventory")])
    days = tables.outcome.days
    return tables, trigger_days(made.tables["weather"], tables.outcome.geos, days, RULE, Period(days[0], days[-1]))


def _contrasts(panel: Panel, read: Floats, fires: Bools, seed: int, n_pre: int = N_PAST) -> tuple[Floats, Floats]:
    """What each schedule makes of the residuals, and of a unit of theta; the one that ran first."""
    each = episodes_of(panel.geos, panel.days, fires, WASHOUT, n_pre, N_TEST)
    schedules = schedule_set(seed, each.found)
    brought = pattern_of(panel.outcome, each, absolute=False).sum(axis=1) / levels(read, n_pre)[each.row, 0]
    residuals = by_episode(unexplained(read, each, n_pre), each).sum(axis=1)
    return contrast(schedules, residuals), contrast(schedules, brought * schedules[0])


def _figures(name: str, tally: Tally, n_panels: int) -> list[Figure]:
    size, coverage = float(np.mean(tally.rejected)), float(np.mean(tally.covered))
    judged = n_panels >= JUDGED
    note = f"{n_panels} panels, alpha {ALPHA}"
    width = float(np.median(tally.widths))
    return [
        Figure(f"size, {name}", size, "share", "0.04 to 0.06", abs(size - 0.05) <= 0.01 if judged else None, note),
        Figure(
            f"coverage, {name}", coverage, "share", "0.935 to 0.965", abs(coverage - 0.95) <= 0.015 if judged else None,
            f"{note}, lift {LIFT:.0%}, median width {width:.2f}",
        ),
    ]  # fmt: skip


def trigger_power_kept(n_panels: int) -> list[Figure]:
    """What brands' own past foretold for a lift, and how often a later window then showed it, ten schedules each.

    One brand for ten of `n_panels`. The test begins a week after the history ends, on any day of a year.
    """
    n_brands = max(n_panels // 10, 5)
    foretold: list[float] = []
    kept: list[bool] = []
    injected = np.array([0.0, POWER_LIFT])
    length = N_TEST + WASHOUT
    n_days = _FORETOLD + _AHEAD + 365 + length
    for seed in range(POWER_SEEDS, POWER_SEEDS + n_brands):
        tables, fires = brand("sensitive", seed, n_days)
        weather, days = tables.weather_residuals, tables.outcome.days
        start = _FORETOLD + _AHEAD + int(np.random.default_rng([11, seed]).integers(0, 365))
        history = slice(start - _AHEAD - _FORETOLD, start - _AHEAD)
        past = Panel(tables.outcome.geos, days[history], tables.outcome.outcome[:, history])
        p_values = simulated_windows(
            past,
            fires[:, history],
            window=Period(days[start], days[start + N_TEST - 1]),
            washout=WASHOUT,
            seed=seed,
            put_in=injected,
            weather=None if weather is None else weather[:, :, history],
        )
        foretold.append(float((p_values <= ALPHA).mean(axis=(0, 1))[1]))
        read_days = np.r_[history, start : start + length]  # what the analysis looks at: its pre-period and the test
        panel = Panel(past.geos, tuple(days[t] for t in read_days), tables.outcome.outcome[:, read_days])
        read = panel.outcome
        if weather is not None:
            read = adjust_for_weather(read, weather[:, :, read_days], _FORETOLD).outcome
        for turn in range(_TURNS):
            found = _contrasts(panel, read, fires[:, read_days], _TURNS * seed + turn, _FORETOLD)
            kept.append(bool(randomisation_p_values(*found, injected)[1] <= ALPHA))
    gaps = np.array(kept).reshape(n_brands, _TURNS).mean(axis=1) - np.array(foretold)
    gap = float(gaps.mean())
    note = (
        f"{n_brands} brands, lift {POWER_LIFT:.0%}: foretold {np.mean(foretold):.3f}, found {np.mean(kept):.3f}, "
        f"standard error {gaps.std(ddof=1) / np.sqrt(n_brands):.3f}"
    )
    holds = abs(gap) <= 0.05 if n_brands >= JUDGED // 10 else None
    return [Figure("power of trigger tests, found less foretold", gap, "share", "within 0.05", holds, note)]
