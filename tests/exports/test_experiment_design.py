"""A design leaves as GeoX's JSON and as CSV, and comes back as the same split."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.experiments.designs import HALF, drafted, made_panel

from weathervane.connectors.experiments.geox import read_geox_design
from weathervane.connectors.experiments.long_csv import read_long_panel
from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import Cell, Constraints, ExcludedGeo, Power
from weathervane.experiments.screen import collect_panel
from weathervane.exports.experiment_design import assignment_csv, geox_json, panel_csv

CELLS = (Cell("cell_1", "go_dark", "meta", 0.25), Cell("cell_2", "heavy_up", "meta", 0.25))
PANEL = made_panel(24)
DESIGN = drafted(PANEL, CELLS, constraints=Constraints(exclude=("geo-003",), max_revenue_at_risk=0.9))


def test_geox_reads_back_the_same_split(tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    path.write_bytes(geox_json(DESIGN, budget=5.0))
    split = read_geox_design(path)
    assert split.treated == {"cell_1": DESIGN.geos_of("cell_1"), "cell_2": DESIGN.geos_of("cell_2")}
    assert split.control == DESIGN.control_geos
    assert [one.geo for one in split.excluded] == ["geo-003"]
    assert split.kinds == {"cell_1": "go_dark", "cell_2": "heavy_up"}
    assert (split.duration_days, split.alpha, split.seed) == (28, 0.05, 1)
    assert split.strata == {geo: i for i, stratum in enumerate(DESIGN.strata) for unit in stratum.units for geo in unit}


def test_the_json_has_every_field_that_geox_asks_for() -> None:
    powered = replace(DESIGN, power=Power(0.03, 0.05, 0.9, 4.0))
    content = json.loads(geox_json(powered, [(date(2026, 1, 1), "geo-000", 3.5, 1.0)]))
    assert set(content["designs"]["cell_1"]) == {
        "treatment_geos",
        "minimum_detectable_effect",
        "design_implied_cpic",
        "p_value",
        "budget",
    }
    assert content["designs"]["cell_1"]["minimum_detectable_effect"] == 0.03
    assert content["design_config"]["experiment_duration"] == "P28D"
    assert content["design_config"]["experiment_types"] == {"cell_1": 2, "cell_2": 3}
    assert content["design_config"]["power"] == 0.9
    assert content["constraints"]["max_conversions_percent"] == 0.9
    assert content["data"] == {
        "index": [0],
        "columns": ["date", "location", "conversions", "spend"],
        "data": [["2026-01-01T00:00:00", "geo-000", 3.5, 1.0]],
    }
    with pytest.raises(BadInput, match="no trigger"):
        geox_json(replace(DESIGN, method="trigger_episodes"))


def test_the_assignment_is_a_table_of_every_geo() -> None:
    design = replace(drafted(PANEL, HALF), excluded_geos=(ExcludedGeo("=cmd", "It has no orders."),))
    rows = list(csv.DictReader(io.StringIO(assignment_csv(design).decode("utf-8-sig"))))
    assert {row["geo"] for row in rows if row["group"] == "treatment"} == set(design.treated_geos)
    assert {row["cell"] for row in rows if row["group"] == "treatment"} == {"cell_1"}
    assert sum(float(row["weight"]) for row in rows[:-1]) == pytest.approx(1)
    assert rows[-1] == {"geo": "'=cmd", "group": "excluded", "cell": "", "weight": "", "reason": "It has no orders."}


def test_a_panel_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    outcome = PANEL.outcome.copy()
    outcome[2, 5] = np.nan
    path = tmp_path / "panel.csv"
    path.write_bytes(panel_csv(PANEL.geos, PANEL.days, outcome, np.ones_like(outcome)))
    rows = read_long_panel(path)
    panel, doubled = collect_panel(rows["geo"].to_list(), rows["date"].to_list(), rows["outcome"].to_list())
    assert (panel.geos, panel.days, doubled) == (PANEL.geos, PANEL.days, ())
    assert np.array_equal(panel.outcome, outcome, equal_nan=True)
    assert rows["spend"].sum() == outcome.size - 1
