"""Designs of Meridian GeoX and long CSV panels are read as they stand, or refused by name."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from weathervane.connectors.experiments.geox import read_geox_design
from weathervane.connectors.experiments.long_csv import read_long_panel
from weathervane.contracts.errors import BadInput

PANELS = Path("../shared/data/geo")
FILES = [("geolift_test.csv", 40, 4200), ("geoexperiments_salesandcost.csv", 100, 9225)]


def geox(**changes: object) -> str:
    """A file in the shape that GeoX 1.0.1 exports, cut down to six geos."""
    design = {
        "designs": {
            "cell_1": _cell(["11", "2"], 0.04, -80.5),
            "cell_2": _cell(["7"], 0.05, 72.0),
        },
        "control_geos": ["1", "5", "9"],
        "excluded_geos": ["105"],
        "excluded_dates": ["2020-07-04T00:00:00"],
        "design_config": {
            "experiment_duration": "P30D",
            "experiment_types": {"cell_1": 2, "cell_2": 3},
            "methodology": 1,
            "alpha": 0.1,
            "power": 0.8,
            "seed": 42,
        },
        "constraints": {"max_conversions_percent": 0.3},
        "quality_check_result": None,
        "geo_stratum_labels": [0, 1, 0, 1, 2, 2],
        "data": None,
    }
    return json.dumps(design | changes)


def _cell(geos: list[str], effect: float, budget: float) -> dict[str, object]:
    return {
        "treatment_geos": geos,
        "minimum_detectable_effect": effect,
        "design_implied_cpic": 1.0,
        "p_value": 0.4,
        "budget": budget,
    }


def written(folder: Path, text: str, name: str = "design.json") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_geox_design_is_read(tmp_path: Path) -> None:
    split = read_geox_design(written(tmp_path, geox()))
    assert split.treated == {"cell_1": ("11", "2"), "cell_2": ("7",)}
    assert split.control == ("1", "5", "9")
    assert [one.geo for one in split.excluded] == ["105"]
    assert split.kinds == {"cell_1": "go_dark", "cell_2": "heavy_up"}
    assert (split.duration_days, split.alpha, split.power, split.seed) == (30, 0.1, 0.8, 42)
    assert split.mde_rel == {"cell_1": 0.04, "cell_2": 0.05}
    assert split.budget == {"cell_1": -80.5, "cell_2": 72.0}
    assert split.strata == {"1": 0, "11": 1, "2": 0, "5": 1, "7": 2, "9": 2}
    assert "excluded_dates: 1 days" in split.ignored
    assert "methodology: time-based regression" in split.ignored


def test_what_geox_may_leave_out_may_be_missing(tmp_path: Path) -> None:
    text = geox(design_config=None, geo_stratum_labels=None, constraints=None, excluded_dates=[])
    split = read_geox_design(written(tmp_path, text))
    assert (split.kinds, split.duration_days, split.strata, split.ignored) == ({}, None, {}, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "not valid JSON"),
        ("[]", "not a GeoX design"),
        (json.dumps({"designs": {}}), "not a GeoX design"),
        (geox(control_geos=["2", "5"]), "two arms"),
        (geox(control_geos=[]), "without geos"),
        (geox(designs={"cell_1": {}}), "treatment_geos"),
        (geox(design_config={"experiment_duration": "PT5H"}), "whole days"),
        (geox(design_config={"experiment_types": {"cell_1": 9}}), "9"),
    ],
)
def test_what_is_no_design_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_geox_design(written(tmp_path, text))


def test_a_long_csv_is_read_by_the_names_in_use(tmp_path: Path) -> None:
    text = "date,location,conversions,spend\n2026-01-01,a,1.5,2\n20260102,a,,0\n2026-01-02T00:00:00, b ,3,\n"
    rows = read_long_panel(written(tmp_path, text, "p.csv"))
    assert rows.columns == ["geo", "date", "outcome", "spend"]
    assert rows["date"].to_list() == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 2)]
    assert rows["geo"].to_list() == ["a", "a", "b"]
    assert rows["outcome"].to_list() == [1.5, None, 3.0]  # missing stays missing
    assert rows["spend"].to_list() == [2.0, 0.0, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date,geo\n2026-01-01,a\n", "none of the columns"),
        ("date,geo,Y\n01/02/2026,a,1\n", "line 2: '01/02/2026' is no date"),
        ("date,geo,Y\n2026-01-01,a,1\n2026-01-02,a,x\n", "line 3: 'x' is no outcome"),
        ("date,geo,Y\n2026-01-01,a,inf\n", "'inf' is no outcome"),
        ("date,geo,Y\n2026-01-01,,1\n", "is no geo"),
    ],
)
def test_unreadable_cells_are_named_by_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_long_panel(written(tmp_path, text, "p.csv"))
    with pytest.raises(BadInput, match="no column 'kpi'"):
        read_long_panel(written(tmp_path, text, "p.csv"), outcome="kpi")


@pytest.mark.parametrize(
    ("name", "geos", "n_rows"), [("geolift_test.csv", 40, 4200), ("geoexperiments_salesandcost.csv", 100, 9225)]
)
def test_published_panels_are_read(name: str, geos: int, n_rows: int) -> None:
    if not (PANELS / name).exists():
        pytest.skip(f"{PANELS / name} is not on this machine")
    rows = read_long_panel(PANELS / name)
    assert rows["geo"].n_unique() == geos
    assert len(rows) == n_rows
    assert rows.select(pl.col("outcome").is_null().sum()).item() == 0
