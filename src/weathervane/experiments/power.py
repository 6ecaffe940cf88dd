"""Power: what a design can detect, by simulation on its own history with the analysis's own estimator and test.

experiments.md, "Power".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import Cell, ExperimentDesign, Kind, Power, PowerPoint, sign_of
from weathervane.contracts.figures import counted
from weathervane.experiments.assign import assignment_set, cell_geos, pairs_of
from weathervane.experiments.counterfactual import Refit, contrasts
from weathervane.experiments.estimators.trimmed_match import trimmed_match
from weathervane.experiments.inference import block_p_values, randomisation_p_values
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.weather_adjustment import adjust_for_weather

WANTED_POWER = 0.8
_MAX_WINDOWS = 12
_MAX_BLOCK_WINDOWS = 60
_MIN_PAST = 2  # windows of history before one that is simulated in
_TURNS = 60  # members of the assignment set that take their turn as the one that ran, in each window
_MAX_ASSIGNMENTS = 500
_PAIR_TURNS = 10
_TOO_OFTEN = 1.5  # times alpha, from which on false alarms are said to be more than promised
_AUGMENTED_ASSIGNMENTS = 20  # its penalty is chosen anew for each, which takes a tenth of a second
EFFECTS = np.concatenate([np.arange(0.0, 0.1, 0.005), np.arange(0.1, 0.3, 0.02), np.arange(0.3, 1.01, 0.1)])


@dataclass(frozen=True)
class Simulated:
    """p-values [n_windows, n_turns, n_effects] of tests of no effect, of windows in which `effects` were put in."""

    effects: Floats
    p_values: Floats

    def power(self, alpha: float) -> Floats:
        """The share of tests that reject, at each effect; at 0 it is the size of this very design."""
        return (self.p_values <= alpha).mean(axis=(0, 1))

    @property
    def n_tests(self) -> int:
        """How many tests each share is of."""
        return int(self.p_values.shape[0] * self.p_values.shape[1])


def power_of(
    panel: Panel, design: ExperimentDesign, *, weather: Floats | None = None, spend: Panel | None = None
) -> Power:
    """What the design can detect, from windows of `panel`'s pre-period as long as its test and cool-down.

    With several cells it is that of the weakest, each at its share of alpha. `weather` [k, n_geos, n_days] holds
    residuals from normal on the panel's geos and days, taken out as the analysis will; `spend` is the first cell's
    channel on the same geos and days. Raises NotEnoughData where the history holds no such window.
    """
    if design.trigger is not None:
        raise BadInput("The power of a trigger experiment depends on its trigger.", "use trigger_power.")
    within = np.array([design.pre_period.start <= day <= design.pre_period.end for day in panel.days])
    rows = panel.rows(design.geos)
    outcome = filled(panel.outcome[rows][:, within])
    signals = None if weather is None else weather[:, rows][:, :, within]
    alpha = cell_alpha(design)
    found = [(cell, _of_cell(outcome, design, cell, signals)) for cell in design.cells]
    reached = [smallest_effect(one, alpha) for _, one in found]
    weakest = max(range(len(found)), key=lambda i: (reached[i] is None, reached[i] or 0.0))
    cell, simulated = found[weakest]
    return with_costs(panel, design, cell, simulated, weather_adjusted=weather is not None, spend=spend)


def with_costs(
    panel: Panel,
    design: ExperimentDesign,
    cell: Cell,
    simulated: Simulated,
    *,
    weather_adjusted: bool,
    spend: Panel | None,
) -> Power:
    """The power of one cell's simulated tests, with the spend it changes and the return at its smallest effect."""
    within = np.array([design.pre_period.start <= day <= design.pre_period.end for day in panel.days])
    outcome = filled(panel.outcome[panel.rows(design.geos)][:, within])
    return reached_power(
        simulated,
        design,
        cell_alpha(design),
        weather_adjusted=weather_adjusted,
        change=None if spend is None else _change_of_spend(spend, design, cell, within),
        usual=_usual_outcome(outcome, design, cell),
    )


def reached_power(
    simulated: Simulated,
    design: ExperimentDesign,
    alpha: float,
    *,
    weather_adjusted: bool,
    change: float | None,
    usual: float,
) -> Power:
    """The power that simulated tests reached; `usual` is the outcome in the test where its ads change, with the ads."""
    effect = smallest_effect(simulated, alpha)
    power = simulated.power(alpha)
    return Power(
        mde_rel=effect,
        alpha=alpha,
        power=WANTED_POWER,
        n_weeks=design.test_window.n_days / 7,
        aa_size=float(power[0]),
        n_tests=simulated.n_tests,
        n_windows=int(simulated.p_values.shape[0]),
        weather_adjusted=weather_adjusted,
        curve=tuple(PowerPoint(float(e), float(p)) for e, p in zip(simulated.effects, power, strict=True)),
        n_separate_windows=_separate_windows(design),
        spend_change_abs=change,
        return_at_mde=None if effect is None or not change else usual * effect / (1.0 + effect) / abs(change),
    )


def cell_alpha(design: ExperimentDesign) -> float:
    """The alpha of one cell's test: cells share the design's, so that the chance of any false finding stays alpha."""
    return design.alpha / len(design.cells)


def _separate_windows(design: ExperimentDesign) -> int:
    """How many windows fit beside one another into the days in which windows are simulated."""
    length = design.test_window.n_days + design.cooldown_days
    last = design.pre_period.n_days - length
    return max(last - _first_start(last, length), 0) // length + 1


def false_alarm_share(design: ExperimentDesign) -> float | None:
    """How often the design's own test found something in its past, where that is measured to be more than alpha allows.

    None where it is as it should be, or was not measured. A test that chance drew, or that is held against the same
    choice in its past, is right by construction: what its past shows beside that is luck.
    """
    power = design.power
    if power is None or power.aa_size is None or design.seed is not None or design.choices:
        return None
    return power.aa_size if power.aa_size > _TOO_OFTEN * cell_alpha(design) else None


def smallest_effect(simulated: Simulated, alpha: float, wanted: float = WANTED_POWER) -> float | None:
    """The effect at which power first reaches `wanted`, between the effects tried by a straight line; None if none."""
    power = np.maximum.accumulate(simulated.power(alpha))
    enough = np.flatnonzero(power >= wanted)
    if not len(enough):
        return None
    at = int(enough[0])
    if at == 0:
        return float(simulated.effects[0])
    low, high = power[at - 1], power[at]
    share = (wanted - low) / (high - low)
    return float(simulated.effects[at - 1] + share * (simulated.effects[at] - simulated.effects[at - 1]))


def simulate_randomised(
    outcome: Floats,
    assignments: Bools,
    design: ExperimentDesign,
    kind: Kind,
    length: int,
    *,
    weather: Floats | None = None,
    effects: Floats = EFFECTS,
    turns: int = _TURNS,
) -> Simulated:
    """Randomisation tests in windows of `outcome` [n_geos, t]; members of the set take turns as the one that ran."""
    most = _AUGMENTED_ASSIGNMENTS if design.estimator == "augmented" else _MAX_ASSIGNMENTS
    masks = assignments[:most]
    put_in = injected(kind, effects)
    chosen = np.unique(np.linspace(0, len(masks) - 1, min(turns, len(masks))).astype(np.intp))
    found: list[Floats] = []
    for start in window_starts(outcome.shape[1], length, _MAX_WINDOWS):
        read, n_pre = taken_out(outcome, weather, start, length), start
        weights = contrasts(design.estimator, read, masks, n_pre)
        mean = outcome[:, n_pre : n_pre + length].mean(axis=1)
        estimates = weights.mean_effects(read[:, n_pre:].mean(axis=1))
        patterns = np.where(masks[chosen], mean, 0.0)
        responses = weights.responses(patterns)
        turn = (np.arange(len(masks)) + chosen[:, None]) % len(masks)
        found.append(randomisation_p_values(estimates[turn], np.take_along_axis(responses, turn, axis=1), put_in))
    return Simulated(effects, np.array(found))


def simulate_pairs(
    outcome: Floats,
    assignments: Bools,
    pairs: NDArray[np.intp],
    kind: Kind,
    length: int,
    *,
    weather: Floats | None = None,
    effects: Floats = EFFECTS,
) -> Simulated:
    """Trimmed match of `pairs` [n_pairs, 2] in windows of `outcome`; members of the set take turns as the one that ran.

    How many pairs are trimmed depends on the effect put in, so each effect is a test of its own: fewer take turns.
    """
    put_in = injected(kind, effects)
    chosen = np.unique(np.linspace(0, len(assignments) - 1, min(_PAIR_TURNS, len(assignments))).astype(np.intp))
    found: list[list[Floats]] = []
    for start in window_starts(outcome.shape[1], length, _MAX_WINDOWS):
        read = taken_out(outcome, weather, start, length)
        change = (read[:, start:] - read[:, :start].mean(axis=1, keepdims=True)).sum(axis=1)
        sold = outcome[:, start : start + length].sum(axis=1)
        window: list[Floats] = []
        for mask in assignments[chosen]:
            first = mask[pairs[:, 0]]
            one, other = np.where(first, *pairs.T), np.where(first, *pairs.T[::-1])
            gap, exposed = change[one] - change[other], sold[one]
            fits = [trimmed_match(gap + e * exposed, (1.0 + e) * exposed) for e in put_in]
            window.append(np.array([float(fit.p_values(np.zeros(1))[0]) for fit in fits]))
        found.append(window)
    return Simulated(effects, np.array(found))


def simulate_over_time(
    outcome: Floats,
    treated: Bools,
    design: ExperimentDesign,
    kind: Kind,
    length: int,
    *,
    weather: Floats | None = None,
    effects: Floats = EFFECTS,
) -> Simulated:
    """Block tests of one assignment in windows of `outcome` [n_geos, t]."""
    put_in = injected(kind, effects)
    found: list[Floats] = []
    for start in window_starts(outcome.shape[1], length, _MAX_BLOCK_WINDOWS):
        read = taken_out(outcome, weather, start, length)
        days = np.arange(start + length)
        pattern = np.where(days >= start, outcome[treated, : start + length].mean(axis=0), 0.0)
        refit = Refit(design.estimator, read, treated, pattern)
        found.append(block_p_values(refit.residuals(-put_in), start)[None])
    return Simulated(effects, np.array(found))


def injected(kind: Kind, effects: Floats) -> Floats:
    """What `effects`, relative to the outcome without the ads, add to the treated outcome of the history, as a share.

    The history had the ads: switching them off takes away e / (1 + e) of it. A holdback is simulated as ads that only
    the treated geos get.
    """
    return effects if sign_of(kind) > 0 else -effects / (1.0 + effects)


def _of_cell(outcome: Floats, design: ExperimentDesign, cell: Cell, weather: Floats | None) -> Simulated:
    length = design.test_window.n_days + design.cooldown_days
    geos = cell_geos(design, cell.name)
    signals = None if weather is None else weather[:, geos]
    if design.seed is not None:
        masks = assignment_set(design, cell.name)[:, geos]
        if design.estimator == "trimmed_match":
            at = {design.geos[g]: i for i, g in enumerate(np.flatnonzero(geos))}
            pairs = np.array([[at[one], at[other]] for one, other in pairs_of(design)], dtype=np.intp)
            return simulate_pairs(outcome[geos], masks, pairs, cell.kind, length, weather=signals)
        return simulate_randomised(outcome[geos], masks, design, cell.kind, length, weather=signals)
    treated = np.isin(np.array(design.geos), design.geos_of(cell.name))[geos]
    return simulate_over_time(outcome[geos], treated, design, cell.kind, length, weather=signals)


def window_starts(n_days: int, length: int, most: int) -> Sequence[int]:
    """First days of the windows: over the history's later half, each with at least twice its length before it.

    Windows early in the history would be foretold from less of it than the test will be, and power come out too low.
    """
    last = n_days - length
    first = _first_start(last, length)
    if last < first:
        raise NotEnoughData(
            f"The history of {n_days} days is too short to try out a test of {length} days in it, with twice as much "
            "history before that.",
            f"bring {counted(first - last, 'more day')}, or shorten the test.",
        )
    return np.unique(np.linspace(first, last, min(most, last - first + 1)).astype(np.intp)).tolist()


def _first_start(last: int, length: int) -> int:
    return max(_MIN_PAST * length, last // 2)


def taken_out(outcome: Floats, weather: Floats | None, n_pre: int, length: int) -> Floats:
    """What the analysis would look at: the days up to the window's end, less the weather where there is some."""
    until = outcome[:, : n_pre + length]
    if weather is None:
        return until
    return adjust_for_weather(until, weather[:, :, : n_pre + length], n_pre).outcome


def filled(outcome: Floats) -> Floats:
    """Days missing from the history as the geo's mean: the screen has named them, and few are let through."""
    return np.where(np.isfinite(outcome), outcome, np.nanmean(outcome, axis=1, keepdims=True))


def _changed(design: ExperimentDesign, cell: Cell) -> tuple[str, ...]:
    """The geos in which a cell changes spend."""
    return design.control_geos if cell.kind == "holdback" else design.geos_of(cell.name)


def _change_of_spend(spend: Panel, design: ExperimentDesign, cell: Cell, within: Bools) -> float | None:
    """Spend taken out of the test window, by the pace of the last as many days; a heavy-up's is not known yet."""
    if cell.kind == "heavy_up":
        return None
    n_days = design.test_window.n_days
    paid = np.nan_to_num(spend.outcome[spend.rows(_changed(design, cell))][:, within][:, -n_days:])
    return -float(paid.mean(axis=1).sum()) * n_days


def _usual_outcome(outcome: Floats, design: ExperimentDesign, cell: Cell) -> float:
    """What the geos whose ads change would sell in the test and its cool-down, by the pace of the last as many days."""
    rows = np.isin(np.array(design.geos), _changed(design, cell))
    days = design.test_window.n_days + design.cooldown_days
    return float(outcome[rows, -days:].mean(axis=1).sum()) * days
