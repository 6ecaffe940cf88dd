"""Trigger experiments: whole weather episodes in each geo are treated or not by chance (experiments.md, "Triggers")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import AssignedGeo, ExperimentDesign, Kind, TriggerPlan, TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.assign import MAX_ASSIGNMENTS, keys, need_room, stream

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_DEEDS: dict[Kind, str] = {
    "holdback": "{} ads run",
    "go_dark": "{} ads are switched off",
    "heavy_up": "{} ads are raised",
}


@dataclass(frozen=True)
class Episode:
    """A run of trigger days in one geo, gaps of up to the washout included. `order` counts from 0 within the geo."""

    geo: str
    order: int
    first: date
    last: date
    n_trigger_days: int


def episodes(geos: Sequence[str], days: Sequence[date], trigger: Bools, washout_days: int) -> tuple[Episode, ...]:
    """The episodes in `trigger` [g, t], by geo and then by time; trigger days within the washout of each other are one.

    So between two episodes lie more than `washout_days` days without the trigger, and what an ad sold in one does not
    reach into the next.
    """
    if trigger.shape != (len(geos), len(days)):
        raise BadInput(f"The trigger has shape {trigger.shape}.", f"give it ({len(geos)}, {len(days)}).")
    found: list[Episode] = []
    for geo in sorted(geos):
        runs: list[list[date]] = []
        for day, on in zip(days, trigger[list(geos).index(geo)], strict=True):
            if on and runs and (day - runs[-1][-1]).days <= washout_days + 1:
                runs[-1].append(day)
            elif on:
                runs.append([day])
        found += [Episode(geo, i, run[0], run[-1], len(run)) for i, run in enumerate(runs)]
    return tuple(found)


def is_treated(seed: int, geo: str, order: int) -> bool:
    """Whether episode number `order` of a geo is treated: of episodes 0 and 1 one is, of 2 and 3 one is, and so on.

    Known as soon as the episode begins, and the same whenever it is asked.
    """
    coin = int(keys(stream(seed, "trigger", geo, str(order // 2)), 1)[0]) >> 63
    return (order % 2 == 0) == bool(coin)


def schedule(seed: int, found: Sequence[Episode]) -> Bools:
    """Which of the episodes [e] are treated."""
    return np.array([is_treated(seed, one.geo, one.order) for one in found], dtype=np.bool_)


def schedule_set(seed: int, found: Sequence[Episode], n: int = MAX_ASSIGNMENTS) -> Bools:
    """Schedules [n, e] the experiment could have had, all different, the real one first; at most `n` of them."""
    turns = sorted({(one.geo, one.order // 2) for one in found})
    at = {turn: i for i, turn in enumerate(turns)}
    turn = np.array([at[one.geo, one.order // 2] for one in found], dtype=np.intp)
    even = np.array([one.order % 2 == 0 for one in found])
    coins = (keys(stream(seed, "trigger-set"), n, max(len(turns), 1)) >> np.uint64(63)).astype(np.bool_)
    drawn = np.concatenate([schedule(seed, found)[None, :], even == coins[:, turn]])
    _, first = np.unique(np.packbits(drawn, axis=1), axis=0, return_index=True)
    return drawn[np.sort(first)][:n]


def treated_days(geos: Sequence[str], days: Sequence[date], trigger: Bools, seed: int, washout_days: int) -> Bools:
    """The geo-days [g, t] on which ads answer the trigger: trigger days of treated episodes."""
    on = np.zeros(trigger.shape, dtype=np.bool_)
    row, column = {geo: i for i, geo in enumerate(geos)}, {day: i for i, day in enumerate(days)}
    for one in episodes(geos, days, trigger, washout_days):
        if is_treated(seed, one.geo, one.order):
            span = [column[one.first + timedelta(days=i)] for i in range((one.last - one.first).days + 1)]
            on[row[one.geo], span] = trigger[row[one.geo], span]
    return on


def expected(
    rule: TriggerRule, geos: Sequence[str], days: Sequence[date], trigger: Bools, window: Period, washout_days: int
) -> TriggerPlan:
    """What the window should bring, by how often the trigger fired on the same days of past years.

    Where the history holds no such day, by how often it fired on any day. Raises NotEnoughData where it never fired.
    """
    return TriggerPlan(rule, washout_days, *expected_counts(rule.definition, geos, days, trigger, window, washout_days))


def expected_counts(
    definition: str, geos: Sequence[str], days: Sequence[date], trigger: Bools, window: Period, washout_days: int
) -> tuple[float, float]:
    """(episodes, trigger geo-days) that the window should bring, as in `expected`; `definition` is the trigger's."""
    of_window = {(day.month, day.day) for day in window.days()}
    same = np.array([(day.month, day.day) in of_window for day in days])
    chosen = same if same.any() else np.ones(len(days), dtype=np.bool_)
    rate = float(trigger[:, chosen].mean())
    found = episodes(geos, days, trigger & chosen, washout_days)
    if rate == 0 or not found:
        raise NotEnoughData(
            f"The trigger ({definition}) never fired on such days in {len(geos)} geos.", "choose a commoner trigger."
        )
    geo_days = rate * len(geos) * window.n_days
    length = float(np.mean([one.n_trigger_days for one in found]))
    return round(geo_days / length, 6), round(geo_days, 6)


def n_schedules(expected_episodes: float, alpha: float) -> int:
    """How many schedules so many episodes can have; NotEnoughData where too few for a test at `alpha`."""
    room = min(2 ** min(int(expected_episodes / 2), 60), MAX_ASSIGNMENTS)
    need_room(room, alpha)
    return room


def treatment(kind: Kind, channel: str, definition: str, window: Period, deed: str | None = None) -> str:
    """What is done when and where, in a sentence. `deed` is what is done to the ads, by default what `kind` says."""
    return (
        f"From {window.start} to {window.end}, {deed or _DEEDS[kind].format(channel)} on days with {definition}, "
        "in every other episode of each geo, drawn by chance."
    )


def trigger_design(design: ExperimentDesign, plan: TriggerPlan) -> ExperimentDesign:
    """A drafted design turned into a trigger experiment: its geos take turns, so none is in one arm for good.

    Raises BadInput for several cells and NotEnoughData where too few episodes are expected for its alpha.
    """
    if len(design.cells) > 1 or design.seed is None:
        raise BadInput("A trigger experiment has one cell and is drawn by chance.", "use one cell, drafted here.")
    room = n_schedules(plan.expected_episodes, design.alpha)
    return replace(
        design,
        method="trigger_episodes",
        trigger=plan,
        estimator="episode_differences",
        test="randomisation",
        cooldown_days=plan.washout_days,
        assignment=tuple(AssignedGeo(one.geo, "alternating", one.weight) for one in design.assignment),
        treatment_definition=treatment(design.kind, design.channel, plan.definition, design.test_window),
        holdout_count=0,
        holdout_ratio=0.5,
        control_share=0.0,
        revenue_at_risk=1.0,
        strata=(),
        balance={},
        covariates={},
        n_draws=0,
        n_assignments=room,
        assignment_set_sha256="",
    )
