"""Experiment design: as the JSON that Meridian GeoX reads, and as plain CSV for media buyers and other tools."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExperimentDesign, Kind

Floats = NDArray[np.float64]

_KINDS: dict[Kind, int] = {"holdback": 1, "go_dark": 2, "heavy_up": 3}
_TBR, _SDID = 1, 2
_RANDOM, _STRATIFIED = 1, 2
_TWO_SIDED = 2
# What spreadsheets take for the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def geox_json(
    design: ExperimentDesign,
    rows: Sequence[tuple[date, str, float, float]] = (),
    *,
    budget: float = 0.0,
) -> bytes:
    """The design as GeoX's `Design.load_from_json` reads it.

    `rows` (date, geo, outcome, spend) are the data its analysis works on. GeoX asks for a detectable effect, a cost a
    conversion, a p-value and a budget by cell: the effect is the frozen one or 0 where none was computed, the other two
    are 0 and 1, `budget` is in major currency units. Its analysis knows no randomisation test over our assignment set.
    Raises BadInput for a trigger experiment, which GeoX has no word for.
    """
    if design.method == "trigger_episodes":
        raise BadInput("GeoX knows no trigger experiments.", "export the assignment as CSV instead.")
    label = {geo: i for i, stratum in enumerate(design.strata) for unit in stratum.units for geo in unit}
    content = {
        "designs": {cell.name: _cell(design, cell.name, budget) for cell in design.cells},
        "control_geos": list(design.control_geos),
        "excluded_geos": [one.geo for one in design.excluded_geos],
        "excluded_dates": [],
        "design_config": _config(design),
        "constraints": {
            "included_control_geos": sorted(design.constraints.must_not_treat),
            "excluded_geos": sorted(design.constraints.exclude),
            "excluded_dates": [],
            "budget_constraint": {},
            "max_conversions_percent": design.constraints.max_revenue_at_risk,
        },
        "quality_check_result": None,
        "geo_stratum_labels": [label[geo] for geo in design.geos] if label else None,
        "data": _data(rows) if rows else None,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def assignment_csv(design: ExperimentDesign) -> bytes:
    """One row a geo: `geo,group,cell,weight,reason`; excluded geos have the group `excluded` and say why."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("geo", "group", "cell", "weight", "reason"))
    writer.writerows((_text(one.geo), one.group, one.cell or "", repr(one.weight), "") for one in design.assignment)
    writer.writerows((_text(one.geo), "excluded", "", "", _text(one.reason)) for one in design.excluded_geos)
    return out.getvalue().encode("utf-8-sig")


def panel_csv(geos: Sequence[str], days: Sequence[date], outcome: Floats, spend: Floats | None = None) -> bytes:
    """One row a geo and day, `date,location,conversions[,spend]` as GeoX names them; missing outcomes have no row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("date", "location", "conversions", *(() if spend is None else ("spend",))))
    for t, day in enumerate(days):
        for g, geo in enumerate(geos):
            if np.isfinite(outcome[g, t]):
                paid = () if spend is None else (repr(float(spend[g, t])),)
                writer.writerow((day.isoformat(), geo, repr(float(outcome[g, t])), *paid))
    return out.getvalue().encode()


def _cell(design: ExperimentDesign, name: str, budget: float) -> dict[str, object]:
    return {
        "treatment_geos": list(design.geos_of(name)),
        "minimum_detectable_effect": (design.power and design.power.mde_rel) or 0.0,
        "design_implied_cpic": 0.0,
        "p_value": 1.0,
        "budget": budget,
    }


def _config(design: ExperimentDesign) -> dict[str, object]:
    return {
        "experiment_duration": f"P{design.test_window.n_days}D",
        "experiment_types": {cell.name: _KINDS[cell.kind] for cell in design.cells},
        "methodology": _SDID if design.estimator == "synthetic_did" else _TBR,
        "geo_assignment_rule": _STRATIFIED if len(design.strata) > 1 else _RANDOM,
        "cell_count": len(design.cells),
        "alpha": design.alpha,
        "power": design.power.power if design.power else 0.8,
        "test_type": _TWO_SIDED,
        "cost_per_incremental_conversion": {},
        "seed": design.seed if design.seed is not None else 0,
        "num_strata": max(len(design.strata), 1),
    }


def _data(rows: Sequence[tuple[date, str, float, float]]) -> dict[str, object]:
    return {
        "index": list(range(len(rows))),
        "columns": ["date", "location", "conversions", "spend"],
        "data": [[f"{day.isoformat()}T00:00:00", geo, outcome, spend] for day, geo, outcome, spend in rows],
    }


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
