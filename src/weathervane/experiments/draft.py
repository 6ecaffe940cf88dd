"""Draft: from a panel and a request to a frozen design, on one page (docs/modeling/experiments.md, "Design")."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import (
    AssignedGeo,
    BalanceRule,
    DesignRequest,
    ExcludedGeo,
    ExperimentDesign,
    Stratum,
    min_geos_required,
)
from weathervane.contracts.figures import channel_name, counted
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Place
from weathervane.experiments.assign import (
    MAX_ASSIGNMENTS,
    N_DRAWS,
    Arms,
    Rule,
    chosen_threshold,
    digest,
    draw_set,
    keys,
    need_room,
    stream,
)
from weathervane.experiments.balance import BalanceMetrics, Bools, Floats, GeoWeather, balance_metrics, differences
from weathervane.experiments.buffers import merged, near_pairs, thinned
from weathervane.experiments.freeze import panel_sha256
from weathervane.experiments.panel import Panel
from weathervane.experiments.screen import ScreenReport, Surroundings, screen_panel
from weathervane.experiments.strata import Ints, blocks_of, n_blocks
from weathervane.experiments.supergeo import supergeo_pairs

Unit = tuple[str, ...]


@dataclass(frozen=True)
class Stamp:
    """Whose design it is and where it comes from. `generated_at` is a UTC instant ending in Z."""

    tenant_id: str
    experiment_id: str
    generated_at: str
    run_id: str
    seed: int
    code_version: str


@dataclass(frozen=True)
class Ground:
    """What a design stands on beside the outcome; arrays follow the whole panel's geos and days."""

    places: tuple[Place, ...] = ()
    weather: GeoWeather | None = None
    around: Surroundings = field(default_factory=lambda: Surroundings({}))
    other_designs: tuple[ExperimentDesign, ...] = ()  # those that are live or have run
    duplicates: tuple[tuple[str, date], ...] = ()  # geo-days that had several rows, from collect_panel


def draft_design(
    panel: Panel, request: DesignRequest, stamp: Stamp, ground: Ground | None = None
) -> tuple[ExperimentDesign, ScreenReport]:
    """A randomised design, frozen but for its power, and what the screen found.

    Raises BadInput for a window in the past of the data or overlapping another test, NotEnoughData where geos or
    assignments are too few (with how many more), PlanImpossible where constraints leave no assignment.
    """
    ground = ground or Ground()
    check_window(panel, request, ground.other_designs)
    within = np.array([request.pre_period.start <= day <= request.pre_period.end for day in panel.days])
    pre = Panel(panel.geos, tuple(d for d, w in zip(panel.days, within, strict=True) if w), panel.outcome[:, within])
    doubled = [cell for cell in ground.duplicates if cell[1] in pre.days]
    screen = screen_panel(pre, test_window=request.test_window, duplicates=doubled, around=cut_to(ground, within))
    geos, pairs, excluded = _taking_part(pre, request, ground, screen)
    _need_geos(len(geos), min_geos_required(request.min_holdout_units))
    pre = pre.only(geos)
    mean = np.nanmean(pre.outcome, axis=1)
    weights = mean / mean.sum()
    metrics = balance_metrics(pre, _weather(ground, panel, geos, within))
    strata = _strata(pre.geos, merged(pre.geos, pairs), metrics, weights, request, stamp.seed)
    rule = _rule(pre.geos, strata, metrics, weights, request, stamp.seed)
    found = draw_set(rule, stamp.seed)
    need_room(len(found), request.alpha)
    return _frozen(pre, request, stamp, rule, metrics, found, excluded), screen


def check_window(panel: Panel, request: DesignRequest, others: Sequence[ExperimentDesign]) -> None:
    """Raises BadInput where the windows do not fit the data, or the test falls into another one in the same geos."""
    first, last = panel.days[0], panel.days[-1]
    if request.test_window.start <= last:
        raise BadInput(
            f"The test would start on {request.test_window.start}, and there are data up to {last}.",
            "start it after the last day of data; a test that has begun is imported, not designed.",
        )
    if request.pre_period.start < first or request.pre_period.end > last:
        raise BadInput(
            f"The pre-period {request.pre_period.start} to {request.pre_period.end} is not covered by the data.",
            f"keep it within {first} to {last}.",
        )
    if request.test_window.n_days > request.pre_period.n_days:
        raise NotEnoughData(
            f"The test lasts {counted(request.test_window.n_days, 'day')}, and there are only "
            f"{counted(request.pre_period.n_days, 'day')} of sales before it.",
            "bring a history at least as long as the test.",
        )
    refuse_overlap(sorted(set(panel.geos) - set(request.constraints.exclude)), request, others)


def refuse_overlap(
    geos: Sequence[str],
    request: DesignRequest,
    others: Sequence[ExperimentDesign],
    remedy: str = "start it after that, or exclude its places.",
) -> None:
    """Raises BadInput where a test in these geos falls into another one, or into its cool-down; `remedy` says `{other}`
    for that one's id."""
    for other in others:
        shared = set(geos) & set(other.geos)
        end = other.test_window.end.toordinal() + other.cooldown_days
        apart = request.test_window.start.toordinal() > end or request.test_window.end < other.test_window.start
        if shared and not apart:
            raise BadInput(
                f"The test would overlap {other.experiment_id} ({other.test_window.start} to {other.test_window.end}, "
                f"then {other.cooldown_days} days to cool down).",
                remedy.format(other=other.experiment_id),
            )


def _taking_part(
    pre: Panel, request: DesignRequest, ground: Ground, screen: ScreenReport
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[ExcludedGeo, ...]]:
    """The geos that take part, the pairs of them that share one arm, and the others with their reasons."""
    limits = request.constraints
    _need_known(pre, (*limits.must_treat, *limits.must_not_treat, *limits.exclude))
    excluded = {one.geo: one for one in screen.excluded}
    refused = sorted(set(excluded) & set(limits.must_treat))
    if refused:
        raise BadInput(
            f"{refused[0]} must be treated and cannot take part: {excluded[refused[0]].reason}", "treat another place."
        )
    excluded |= {geo: ExcludedGeo(geo, "It is on the exclude list.") for geo in limits.exclude}
    geos = tuple(geo for geo in pre.geos if geo not in excluded)
    pairs = limits.neighbours
    if limits.buffer_km is not None:
        pairs += near_pairs([_place(ground.places, geo) for geo in geos], limits.buffer_km)
    if limits.buffer == "drop":
        level = dict(zip(pre.geos, np.nanmean(np.nan_to_num(pre.outcome), axis=1).tolist(), strict=True))
        geos, dropped = thinned(geos, pairs, level, limits.must_treat)
        excluded |= {one.geo: one for one in dropped}
        pairs = ()
    return geos, pairs, tuple(excluded[geo] for geo in sorted(excluded))


def _need_known(pre: Panel, named: Sequence[str]) -> None:
    unknown = sorted(set(named) - set(pre.geos))
    if unknown:
        raise BadInput(f"There is no place {unknown[0]!r} in the sales.", "check its spelling.")


def _place(places: Sequence[Place], geo: str) -> Place:
    return next((place for place in places if place.geo == geo), Place(geo, geo))


def _need_geos(have: int, need: int) -> None:
    if have < need:
        raise NotEnoughData(
            f"Only {counted(have, 'place')} can take part, and a test needs {need}.",
            f"bring {need - have} more, or sales by smaller places.",
        )


def cut_to(ground: Ground, within: Bools) -> Surroundings:
    """What is known beside the outcome, on the days `within` alone."""
    around = ground.around
    return replace(
        around,
        in_stock_share=None if around.in_stock_share is None else around.in_stock_share[:, within],
        temp_z=None if around.temp_z is None else around.temp_z[:, within],
    )


def _weather(ground: Ground, panel: Panel, geos: Sequence[str], within: Bools) -> GeoWeather | None:
    if ground.weather is None:
        return None
    rows = panel.rows(sorted(geos))
    rain = ground.weather.precip_mm
    return GeoWeather(ground.weather.temp_mean_c[rows][:, within], None if rain is None else rain[rows][:, within])


# --- strata ---------------------------------------------------------------------------------------------------------


def _strata(
    geos: Sequence[str],
    units: Sequence[Unit],
    metrics: BalanceMetrics,
    weights: Floats,
    request: DesignRequest,
    seed: int,
) -> tuple[Stratum, ...]:
    """Fixed units in strata of their own, a remainder that stays in the largest arm, and blocks of alike units."""
    cells, fixed = request.cells, {unit: _fixed_arm(unit, request) for unit in units}
    free = [unit for unit in units if fixed[unit] is None]
    arms = [sum(arm == c for arm in fixed.values()) for c in range(len(cells) + 1)]
    counts = [max(_nearest(cell.treated_share * len(units)) - arms[c], 0) for c, cell in enumerate(cells, start=1)]
    control = len(free) - sum(counts)
    if control < (arms[0] == 0) or any(count + arms[c] == 0 for c, count in enumerate(counts, start=1)):
        raise NotEnoughData(
            f"{counted(len(units), 'place')} cannot be shared out over {counted(len(cells), 'treatment')} and a "
            "control.",
            "bring more places.",
        )
    found = [
        Stratum(tuple(unit for unit in units if fixed[unit] == c), _only(c, arms[c], len(cells)))
        for c in range(len(cells) + 1)
        if arms[c]
    ]
    at = {geo: i for i, geo in enumerate(geos)}
    rows = [[at[geo] for geo in unit] for unit in free]
    size = np.array([weights[row].sum() for row in rows])
    values = np.array([weights[row] @ metrics.values[row] / weights[row].sum() for row in rows])
    return tuple(found) + _blocks(free, values, size, [control, *counts], request, seed)


def _nearest(count: float) -> int:
    """The nearest whole number; a half goes to the control."""
    return math.ceil(count - 0.5 - 1e-9)


def _fixed_arm(unit: Unit, request: DesignRequest) -> int | None:
    names = [cell.name for cell in request.cells]
    limits = request.constraints
    unknown = sorted(set(limits.must_treat.values()) - set(names))
    if unknown:
        raise BadInput(f"There is no cell {unknown[0]!r} to put a geo into.", f"use one of {', '.join(names)}.")
    wanted = {names.index(limits.must_treat[geo]) + 1 for geo in unit if geo in limits.must_treat}
    wanted |= {0 for geo in unit if geo in limits.must_not_treat}
    if len(wanted) > 1:
        raise BadInput(
            f"{', '.join(unit)} are neighbours and must share an arm, and are asked into different ones.",
            "ask for one arm, or drop neighbours instead of merging them.",
        )
    return min(wanted, default=None)


def _only(arm: int, count: int, n_cells: int) -> tuple[int, ...]:
    return tuple(count if c == arm else 0 for c in range(1, n_cells + 1))


def _blocks(
    units: Sequence[Unit], values: Floats, size: Floats, counts: Sequence[int], request: DesignRequest, seed: int
) -> tuple[Stratum, ...]:
    """`counts` are units wanted by arm, the control first. Every unit has the same chance of each arm over seeds."""
    if not units or sum(count > 0 for count in counts) < 2:
        # Nothing is left to chance but which fixed units there are; the room for a test is checked on the set.
        return (Stratum(tuple(units), tuple(counts[1:])),) if units else ()
    largest = int(np.argmax(counts))
    small = [count for arm, count in enumerate(counts) if arm != largest and count]
    blocks = _n_blocks(len(units), small, request)
    per_block = len(units) // blocks
    spare = _spare(len(units), len(units) - blocks * per_block, seed)
    used = sorted(set(range(len(units))) - set(spare.tolist()))
    paired = request.method in {"paired", "supergeo"}
    each = [1, 1] if paired else [count // blocks for count in counts]
    each[largest] = per_block - sum(n for arm, n in enumerate(each) if arm != largest)
    if request.method == "supergeo":
        pairs = supergeo_pairs(values[used], size[used], request.max_pair_distance)
        strata = [
            Stratum(tuple(tuple(sorted(geo for i in side for geo in units[used[i]])) for side in pair), (1,))
            for pair in pairs
        ]
    else:
        strata = [
            Stratum(tuple(units[used[i]] for i in rows.tolist()), tuple(each[1:]))
            for rows in blocks_of(values[used], blocks)
        ]
    if len(spare):
        strata.append(Stratum(tuple(units[i] for i in spare.tolist()), _only(largest, len(spare), len(counts) - 1)))
    return tuple(strata)


def _n_blocks(n_units: int, small: Sequence[int], request: DesignRequest) -> int:
    if request.method == "complete":
        return 1
    if request.method in {"paired", "supergeo"}:
        if [cell.treated_share for cell in request.cells] != [0.5]:
            raise BadInput(
                "In pairs, one place of two is treated.", "ask for one treatment with a share of 0.5 (`--share 0.5`)."
            )
        return n_units // 2
    if request.method != "stratified":
        raise BadInput(
            f"{request.method} is not a way to draw places.", "use complete, stratified, paired or supergeo."
        )
    return n_blocks(n_units, small)


def _spare(n: int, spare: int, seed: int) -> Ints:
    """Which units do not fit into equal blocks, drawn by chance so that each is as likely to be left over."""
    return np.sort(np.argsort(keys(stream(seed, "spare"), n), kind="stable")[:spare])


# --- the frozen design ----------------------------------------------------------------------------------------------


def _rule(
    geos: tuple[str, ...],
    strata: tuple[Stratum, ...],
    metrics: BalanceMetrics,
    weights: Floats,
    request: DesignRequest,
    seed: int,
) -> Rule:
    given = BalanceRule(request.balance_statistic, request.balance_threshold, "asked for")
    rounded = np.round(metrics.values, 12)
    rule = Rule(geos, request.cells, strata, rounded, weights, request.constraints, given)
    if request.balance_threshold is None:
        return replace(rule, balance=chosen_threshold(rule, seed))
    return replace(rule, balance=replace(given, threshold=None)) if math.isinf(request.balance_threshold) else rule


def _frozen(
    pre: Panel,
    request: DesignRequest,
    stamp: Stamp,
    rule: Rule,
    metrics: BalanceMetrics,
    found: Arms,
    excluded: tuple[ExcludedGeo, ...],
) -> ExperimentDesign:
    chosen = found[0]
    assignment = tuple(
        AssignedGeo(geo, "treatment", float(weight), request.cells[arm - 1].name)
        if arm
        else AssignedGeo(geo, "control", float(weight))
        for geo, arm, weight in zip(rule.geos, chosen, rule.weights, strict=True)
    )
    return ExperimentDesign(
        **of_request(request, stamp),
        lifecycle="draft",
        geo_count=len(rule.geos),
        holdout_count=int((chosen == 0).sum()),
        holdout_ratio=round(1 - sum(cell.treated_share for cell in request.cells), 12),
        control_share=float(rule.weights[chosen == 0].sum()),
        revenue_at_risk=float(rule.at_risk(found[:1])[0]),
        assignment=assignment,
        excluded_geos=excluded,
        method=request.method,
        seed=stamp.seed,
        strata=rule.strata,
        constraints=request.constraints,
        balance=differences(chosen, metrics, len(request.cells)),
        balance_rule=rule.balance,
        covariates={name: tuple(rule.values[:, i].tolist()) for i, name in enumerate(metrics.names)},
        n_draws=N_DRAWS,
        max_assignments=MAX_ASSIGNMENTS,
        n_assignments=len(found),
        assignment_set_sha256=digest(found),
        test=request.test,
        input_snapshot_sha256=panel_sha256(pre),
    )


def of_request(request: DesignRequest, stamp: Stamp) -> dict[str, Any]:
    """The fields of a design that come from what was asked for and from whom, whoever drew it."""
    first = request.cells[0]
    return {
        "tenant_id": stamp.tenant_id,
        "experiment_id": stamp.experiment_id,
        "assignment_version": 1,
        "generated_at": stamp.generated_at,
        "created_by_run_id": stamp.run_id,
        "code_version": stamp.code_version,
        "status": "ready",
        "kind": first.kind,
        "channel": first.channel,
        "cells": request.cells,
        "metric": request.metric,
        "treatment_definition": request.treatment_definition or treatment_sentence(request),
        "geo_column": request.geo_column,
        "min_geos_required": min_geos_required(request.min_holdout_units),
        "pre_period": request.pre_period,
        "test_window": request.test_window,
        "cooldown_days": request.cooldown_days,
        "estimator": request.estimator,
        "alpha": request.alpha,
    }


def treatment_sentence(request: DesignRequest) -> str:
    """What is done where, in a sentence a media buyer can act on."""
    words = {
        "holdback": "{channel} ads run in the places marked {name} and are kept off in the control places",
        "go_dark": "{channel} ads are switched off in the places marked {name}",
        "heavy_up": "{channel} ads are raised in the places marked {name}",
    }
    parts = [words[cell.kind].format(channel=channel_name(cell.channel), name=cell.name) for cell in request.cells]
    window: Period = request.test_window
    return f"From {window.start} to {window.end}, {'; '.join(parts)}."
