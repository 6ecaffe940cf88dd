"""Watch: alarms while a test runs, when weather, stock or spend leave its arms unequal as chance rarely does.

experiments.md, "Alarms".
"""

from __future__ import annotations

import shlex

import numpy as np

from weathervane.contracts.experiment_design import Cell, ExperimentDesign
from weathervane.experiments.assign import assignment_set, cell_geos
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.tables import GeoTables
from weathervane.experiments.trigger import treated_days
from weathervane.experiments.unusual_days import unusual_days
from weathervane.experiments.upkeep import last_day

_RARE = 0.05
_LATELY = 28  # days before the test that spend is held against
_LEFT_ON = 0.2  # of the usual spend where it should be none
_DRIFTED = 0.5  # of the usual spend where it should be as always


def alarms(design: ExperimentDesign, tables: GeoTables, trigger: Bools | None = None) -> tuple[str, ...]:
    """A sentence for each; empty before the test and where all is well.

    The arms of a trigger experiment change by the day, so only its spend is watched; `trigger` [n_geos, n_days] says
    where its rule fires.
    """
    days = tables.outcome.days
    window = design.test_window
    during = np.array([window.start <= day <= window.end for day in days])
    found: list[str] = list(not_carried_out(design, tables, trigger))
    if not during.any() or design.trigger is not None:
        return tuple(found)
    rows = tables.outcome.rows(design.geos)
    found += _unusual(design, tables.outcome.only(design.geos))
    for cell in design.cells:
        if tables.weather_residuals is not None:
            heat, wet = tables.weather_residuals[:, rows][:, :, during].mean(axis=2)
            found += _unequal(design, cell, heat, "temperature", "standard deviations from normal")
            found += _unequal(design, cell, wet, "rain", "standard deviations from normal")
        stock = tables.around.in_stock_share
        if stock is not None:
            shares = np.nan_to_num(stock[rows][:, during], nan=1.0).mean(axis=1)
            found += _unequal(design, cell, shares, "share in stock", "")
    return tuple(found)


def _unusual(design: ExperimentDesign, panel: Panel) -> list[str]:
    """Places without sales, or with unusual ones, on days of the test so far, and what can be done about each."""
    kept = [i for i, day in enumerate(panel.days) if design.pre_period.start <= day <= last_day(design)]
    until = Panel(panel.geos, tuple(panel.days[i] for i in kept), panel.outcome[:, kept])
    n_pre = sum(day < design.test_window.start for day in until.days)
    found: list[str] = []
    for one in unusual_days(until, np.isin(np.array(panel.geos), design.treated_geos), n_pre):
        if one.kind == "missing":
            way_out = (
                "Import those days before the test is read. If they are lost, read it without that place: "
                f"`weathervane experiment read {design.experiment_id} --without {shlex.quote(one.geo)}`."
            )
        else:
            way_out = "If the data are wrong, import them again; otherwise the result will leave that place out."
        found.append(f"{one.sentence} {way_out}")
    return found


def not_carried_out(design: ExperimentDesign, tables: GeoTables, trigger: Bools | None = None) -> tuple[str, ...]:
    """A sentence for each cell whose spend is not where the plan says; nothing where spend is not known."""
    if design.trigger is not None:
        return _not_answered(design, tables, trigger)
    days = tables.outcome.days
    window, pre = design.test_window, design.pre_period
    during = np.array([window.start <= day <= window.end for day in days])
    before = np.array([pre.start <= day <= pre.end for day in days])
    if not during.any():
        return ()
    rows = tables.outcome.rows(design.geos)
    found: list[str] = []
    for cell in design.cells:
        if cell.channel in tables.spend:
            paid = tables.spend[cell.channel].outcome[rows]
            found += _spending(design, cell, paid[:, during].mean(axis=1), paid[:, before][:, -_LATELY:].mean(axis=1))
    return tuple(found)


def _not_answered(design: ExperimentDesign, tables: GeoTables, trigger: Bools | None) -> tuple[str, ...]:
    """A trigger experiment whose spend on treated trigger days is not what its plan says, against untreated ones."""
    days, plan, window = tables.outcome.days, design.trigger, design.test_window
    inside = np.array([window.start <= day <= window.end for day in days])
    if trigger is None or plan is None or design.channel not in tables.spend or not inside.any():
        return ()
    rows = tables.outcome.rows(design.geos)
    fired = trigger[rows][:, inside]
    tested = [day for day, within in zip(days, inside, strict=True) if within]
    on = treated_days(design.geos, tested, fired, design.seed or 0, plan.washout_days)
    off = fired & ~on
    if not on.any() or not off.any():
        return ()
    paid = np.nan_to_num(tables.spend[design.channel].outcome[rows])
    usual = paid[:, ~inside & np.array([day < window.start for day in days])][:, -_LATELY:].mean(axis=1, keepdims=True)
    scaled = paid[:, inside] / np.where(usual > 0.0, usual, 1.0)
    treated, untreated = float(scaled[on].mean()), float(scaled[off].mean())
    dark, lit = (untreated, treated) if design.kind == "holdback" else (treated, untreated)
    if design.kind == "heavy_up" and treated <= untreated:
        return (f"{design.channel} does not spend more on treated trigger days than on the others.",)
    if design.kind != "heavy_up" and dark > _LEFT_ON * lit:
        share = f"{dark / lit:.0%}" if lit > 0.0 else "as much"
        return (f"{design.channel} still spends {share} of what it does elsewhere on trigger days it should be off.",)
    return ()


def _unequal(design: ExperimentDesign, cell: Cell, values: Floats, what: str, unit: str) -> list[str]:
    """One sentence where fewer than 1 in 20 assignments would set the arms so far apart in `values` [n_geos]."""
    if design.seed is None or float(np.ptp(values)) < 1e-9:
        return []
    geos = cell_geos(design, cell.name)
    masks = assignment_set(design, cell.name)[:, geos]
    gaps = _gaps(masks, values[geos])
    rare = float((np.abs(gaps) >= abs(gaps[0]) - 1e-12).mean())
    if rare > _RARE:
        return []
    said = f"{gaps[0]:+.2f} {unit}".rstrip()
    return [
        f"Since the test began, treated and control places differ in {what} ({cell.name} {said}) as they would by "
        f"chance only {rare:.1%} of the time. The read-out can allow for weather, but not for stock."
    ]


def _gaps(masks: Bools, values: Floats) -> Floats:
    """Treated mean less control mean of `values` [n_geos] under each assignment [n, n_geos]."""
    n_treated = masks.sum(axis=1)
    total = masks @ values
    return total / n_treated - (values.sum() - total) / (masks.shape[1] - n_treated)


def _spending(design: ExperimentDesign, cell: Cell, now: Floats, usual: Floats) -> list[str]:
    """Spend that is not where the plan says. `now` and `usual` are means a day, [n_geos]."""
    treated = np.isin(np.array(design.geos), design.geos_of(cell.name))
    control = np.isin(np.array(design.geos), design.control_geos)
    dark, as_always = (control, treated) if cell.kind == "holdback" else (treated, control)
    found: list[str] = []
    if cell.kind != "heavy_up" and now[dark].sum() > _LEFT_ON * usual[dark].sum():
        share = now[dark].sum() / usual[dark].sum()
        found.append(f"{cell.channel} still spends {share:.0%} of its usual amount where it should be off.")
    if cell.kind == "heavy_up" and now[treated].sum() <= usual[treated].sum():
        found.append(f"{cell.channel} does not spend more than usual in the treated places.")
    if usual[as_always].sum() > 0.0:
        drift = now[as_always].sum() / usual[as_always].sum() - 1.0
        if abs(drift) > _DRIFTED and cell.kind != "heavy_up":
            found.append(
                f"{cell.channel} spends {abs(drift):.0%} {'more' if drift > 0 else 'less'} than usual where it should "
                "go on as always."
            )
    return found
