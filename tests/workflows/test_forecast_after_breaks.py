"""Forecasts after a break, from the file to what is said: a closed week, a fall everywhere, a new place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weathervane.contracts.forecast import DemandForecast
from weathervane.contracts.tables import TABLES
from weathervane.model.pipeline import forecast
from weathervane.store.paths import open_store
from weathervane.store.tables import read
from weathervane.workflows.import_files import import_files

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "cases" / "use"
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
MAPPING = """tenant: {id: acme, name: Acme, currency: USD, country: US, time_zone: America/New_York}
sources:
  - table: sales
    file: sales.csv
    date: {column: date}
    geo: {column: geo}
    columns: {net_revenue: revenue}
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Told:
    made: DemandForecast
    most: dict[str, float]  # ever sold in a day, by place

    def top(self, geo: str, level: int = -2) -> float:
        return max(point.fan[level] for point in self.made.points if point.geo == geo)

    def width(self, geo: str) -> float:
        return float(np.mean([p.demand.p90 - p.demand.p10 for p in self.made.points if p.geo == geo]))


def case(name: str) -> pl.DataFrame:
    if not (CASES / name).is_dir():
        pytest.skip("the cases are not beside this checkout (../shared/data/cases)")
    return pl.read_csv(CASES / name / "sales.csv", try_parse_dates=True)


def made_up(*, closed: int = 0, fall: float = 1.0, opened: int = 0) -> pl.DataFrame:
    """Places over 120 days: one closed for some days, a fall nine days ago, a place that just opened."""
    draw = np.random.default_rng(4)
    days = [NOW.date() - timedelta(days=120 - i) for i in range(120)]
    rows: list[pl.DataFrame] = []
    for geo, size in (("oslo", 900.0), ("bergen", 500.0), ("molde", 300.0), ("bodo", 200.0), ("new", 250.0)):
        sold = size * np.exp(0.2 * np.sin(2 * np.pi * np.arange(120) / 7) + 0.08 * draw.standard_normal(120))
        sold[-9:] *= fall
        if geo == "molde" and closed:
            sold[80 : 80 + closed] = 0.0
        frame = pl.DataFrame({"date": days, "geo": geo, "revenue": sold.round(2)})
        if geo == "new":
            frame = frame.tail(opened)
        rows.append(frame)
    return pl.concat([each for each in rows if each.height])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[pl.DataFrame], Told]:
    def run(sales: pl.DataFrame) -> Told:
        root = tmp_path_factory.mktemp("break")
        (root / "mapping.yaml").write_text(MAPPING, "utf-8")
        sales.write_csv(root / "sales.csv")
        imported = import_files(root / "mapping.yaml", root / "state", None, NOW)
        store = open_store(root / "state", imported.tenant_id)
        made = forecast(lambda at: {name: read(store, name, at) for name in TABLES}, "acme", as_of=NOW).forecast
        return Told(made, dict(sales.group_by("geo").agg(pl.col("revenue").max()).iter_rows()))

    return run


@pytest.mark.parametrize("source", ["case", "made up"])
def test_a_closed_week_is_named_and_widens_no_range(told: Callable[[pl.DataFrame], Told], source: str) -> None:
    sales = case("closed-week-in-place") if source == "case" else made_up(closed=6)
    place, days = ("west", 7) if source == "case" else ("molde", 6)
    found = told(sales)
    whole = told(
        sales.with_columns(revenue=pl.when(pl.col("revenue") > 0).then("revenue")).fill_null(strategy="forward")
    )
    assert f"{place} sold nothing on {days} days in a row" in found.made.note
    assert found.top(place) < 2 * found.most[place]
    for other in set(found.most) - {place}:
        assert found.width(other) == pytest.approx(whole.width(other), rel=0.15)


@pytest.mark.parametrize("source", ["case", "made up"])
def test_a_fall_everywhere_is_said_and_no_range_goes_beyond_half_as_much_again_as_ever(
    told: Callable[[pl.DataFrame], Told], source: str
) -> None:
    found = told(case("abrupt-drop-all-places") if source == "case" else made_up(fall=0.4))
    said = re.search(r"Sales everywhere fell by about (\d+) %", found.made.note)
    assert said is not None
    assert abs(int(said[1]) - (65 if source == "case" else 60)) <= 2
    assert ("from Fri 20 Nov" if source == "case" else "from Sat 21 Nov") in found.made.note
    for geo, most in found.most.items():
        assert found.top(geo, -1) <= 1.5 * most


@pytest.mark.parametrize("source", ["case", "made up"])
def test_a_total_without_a_new_place_says_so(told: Callable[[pl.DataFrame], Told], source: str) -> None:
    sales = case("new-place-vanishes") if source == "case" else made_up(opened=30)
    place, days = ("newtown", 45) if source == "case" else ("new", 30)
    assert f"Total demand of 4 of 5 places: {place} left out, {days} days of sales." in told(sales).made.note
