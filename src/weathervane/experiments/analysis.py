"""Analysis: a frozen design and the data since, to a read-out a cell, by the plan and nothing but the plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import ReadOut
from weathervane.contracts.experiment_design import ExperimentDesign, sign_of
from weathervane.contracts.figures import counted
from weathervane.contracts.period import Period
from weathervane.experiments.assign import assignment_set, cell_geos, pairs_of
from weathervane.experiments.freeze import Analysed, departures, panel_sha256
from weathervane.experiments.panel import Bools, Floats, Panel, named
from weathervane.experiments.power import cell_alpha, false_alarm_share
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_screened
from weathervane.experiments.tables import GeoTables
from weathervane.experiments.trigger_readout import TriggerData, read_triggers
from weathervane.experiments.unusual_days import spans
from weathervane.experiments.upkeep import last_day


def read_design(
    design: ExperimentDesign,
    tables: GeoTables,
    kpi_unit: str,
    trigger: Bools | None = None,
    *,
    then: Panel | None = None,
    without: Sequence[str] = (),
) -> tuple[tuple[ReadOut, ...], tuple[str, ...]]:
    """The read-out of every cell, and each way in which the analysis departed from the frozen plan, a sentence each.

    `kpi_unit` is a currency code or "units". Days of the pre-period that a geo lacks stand at its mean, which is said.
    A trigger experiment needs `trigger`, where its rule fires on the geos and days of the tables. `then` is the outcome
    as it was known when the design was made, to name what was restated; `without` are places that a person leaves out.
    Raises BadInput for one of those that is not in the test, NotEnoughData where the data end before the cool-down
    does, and as read_out, read_triggers and assignment_set do.
    """
    end = last_day(design)
    unknown = sorted(set(without) - set(design.geos))
    if unknown:
        raise BadInput(f"{unknown[0]} takes no part in {design.experiment_id}.", "check the spelling of the place.")
    if tables.outcome.days[-1] < end:
        raise NotEnoughData(
            f"{design.experiment_id} needs data up to {end}, and they end on {tables.outcome.days[-1]}.",
            "read it when it is over.",
        )
    pre, window = design.pre_period, design.test_window
    before = np.array([pre.start <= day <= pre.end for day in tables.outcome.days])
    during = np.array([window.start <= day <= end for day in tables.outcome.days])
    if not before.any():
        raise NotEnoughData(f"The pre-period from {pre.start} to {pre.end} is gone.", "restore the sales table.")
    past = _days(tables.outcome, before).only(design.geos)
    notes = departures(design, _analysed(design, past))
    panel, filled = _with_past_filled(_days(tables.outcome, before | during), past.geos, int(before.sum()))
    if filled:
        notes += (
            f"{counted(filled, 'day')} of a place before the test had no sales rows; the place's mean stands in.",
        )
    notes += (*_of_import(design), *_restated(past, then))
    kept = before | during
    weather = None if tables.weather_residuals is None else tables.weather_residuals[:, :, kept]
    if design.trigger is not None:
        if without:
            raise BadInput("In a weather test all places take turns.", "read it with all of them.")
        return (_of_episodes(design, panel, tables, trigger, kept, kpi_unit),), notes
    cells = range(len(design.cells))
    return tuple(_of_cell(design, i, panel, tables, kept, weather, kpi_unit, without) for i in cells), notes


def _restated(now: Panel, then: Panel | None) -> tuple[str, ...]:
    """Places and days before the test whose sales were changed after the design was made."""
    if then is None or not set(now.geos) <= set(then.geos):
        return ()
    column = {day: i for i, day in enumerate(then.days)}
    days = [i for i, day in enumerate(now.days) if day in column]
    before = then.outcome[then.rows(now.geos)][:, [column[now.days[i]] for i in days]]
    after = now.outcome[:, days]
    changed = ~np.isclose(before, after, rtol=0.0, atol=1e-6, equal_nan=True)
    told = [
        f"{geo} on {spans(tuple(now.days[days[j]] for j in np.flatnonzero(row)))}"
        for geo, row in zip(now.geos, changed, strict=True)
        if row.any()
    ]
    return (f"Sales changed since the test was planned: {named(told)}.",) if told else ()


def _of_import(design: ExperimentDesign) -> tuple[str, ...]:
    """What cannot be verified of a test that others drew."""
    if design.method != "imported":
        return ()
    taken = date.fromisoformat(design.generated_at[:10])
    found = (f"How its places were chosen cannot be checked: they were {design.balance_rule.origin}.",)
    if taken < design.test_window.start:
        return found
    return (*found, f"It was imported on {taken}, after it had begun: no plan was frozen before its data came.")


def _of_cell(
    design: ExperimentDesign,
    index: int,
    panel: Panel,
    tables: GeoTables,
    kept: Bools,
    weather: Floats | None,
    kpi_unit: str,
    without: Sequence[str],
) -> ReadOut:
    cell = design.cells[index]
    question = Question(
        experiment_id=design.experiment_id,
        channel=cell.channel,
        kpi_unit=kpi_unit,
        treated_geos=design.geos_of(cell.name),
        control_geos=design.control_geos,
        window=design.test_window,
        estimator=design.estimator,
        test=design.test,
        alpha=cell_alpha(design),
        sign=1 if sign_of(cell.kind) > 0 else -1,
        cell=cell.name if len(design.cells) > 1 else "",
        cooldown_days=design.cooldown_days,
        pairs=pairs_of(design) if design.estimator == "trimmed_match" else (),
        choices=design.choices,
        seed=design.seed or 0,
        false_alarm_share=false_alarm_share(design),
        false_alarm_windows=0 if design.power is None else design.power.n_separate_windows,
    )
    drawn = None
    if design.seed is not None:
        drawn = assignment_set(design, cell.name)[:, cell_geos(design, cell.name)]
    spend = tables.spend.get(cell.channel)
    spent = None if spend is None else _days(spend, kept)
    taking_part = [geo for geo in without if geo in {*question.treated_geos, *question.control_geos}]
    return read_screened(panel, question, assignments=drawn, spend=spent, weather=weather, without=taking_part)


def _of_episodes(
    design: ExperimentDesign, panel: Panel, tables: GeoTables, trigger: Bools | None, kept: Bools, kpi_unit: str
) -> ReadOut:
    if trigger is None:
        raise BadInput(f"{design.experiment_id} is a trigger experiment.", "say where its trigger fired.")
    rows = panel.rows(design.geos)
    spend, weather = tables.spend.get(design.channel), tables.weather_residuals
    data = TriggerData(
        panel.only(design.geos),
        trigger[rows][:, kept],
        n_pre=sum(day < design.test_window.start for day in panel.days),
        n_test=design.test_window.n_days,
        spend=None if spend is None else spend.outcome[rows][:, kept],
        weather=None if weather is None else weather[:, rows][:, :, kept],
    )
    return read_triggers(design, data, kpi_unit)


def _analysed(design: ExperimentDesign, past: Panel) -> Analysed:
    """What is used: the plan itself, on the pre-period data as they are now."""
    return Analysed(
        geos=design.geos,
        treated_geos=design.treated_geos,
        pre_period=Period(past.days[0], past.days[-1]),
        test_window=design.test_window,
        cooldown_days=design.cooldown_days,
        metric=design.metric,
        estimator=design.estimator,
        test=design.test,
        alpha=design.alpha,
        input_snapshot_sha256=panel_sha256(past),
    )


def _days(panel: Panel, kept: Bools) -> Panel:
    days = tuple(day for day, keep in zip(panel.days, kept, strict=True) if keep)
    return Panel(panel.geos, days, panel.outcome[:, kept])


def _with_past_filled(panel: Panel, geos: tuple[str, ...], n_pre: int) -> tuple[Panel, int]:
    """Days before the test that one of `geos` lacks, at its mean; the same for all geos, so the test stays exact."""
    rows = panel.rows(geos)
    outcome = panel.outcome.copy()
    past = outcome[rows, :n_pre]
    missing = np.isnan(past)
    if (missing.all(axis=1)).any():
        raise NotEnoughData("A geo of the design has no outcome before the test any more.", "restore the sales table.")
    outcome[rows, :n_pre] = np.where(missing, np.nanmean(past, axis=1, keepdims=True), past)
    return Panel(panel.geos, panel.days, outcome), int(missing.sum())
