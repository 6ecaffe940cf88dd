"""Panels with published results, read where they lie; tests skip with a reason where they do not."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from weathervane.experiments.panel import Panel, panel_from_rows

GEO = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "geo"


def rows(name: str) -> list[dict[str, str]]:
    path = GEO / name
    if not path.exists():
        pytest.skip(f"the published panel {name} is not on this machine")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def geolift(name: str = "geolift_test.csv") -> Panel:
    table = rows(name)
    days = [date.fromisoformat(row["date"]) for row in table]
    return panel_from_rows([row["location"] for row in table], days, [float(row["Y"]) for row in table])


def yearly(name: str, unit: str, year: str, value: str) -> Panel:
    table = rows(name)
    days = [date(int(row[year]), 1, 1) for row in table]
    return panel_from_rows([row[unit] for row in table], days, [float(row[value]) for row in table])


def treated(panel: Panel, *geos: str) -> np.ndarray:
    return np.array([geo in geos for geo in panel.geos])
