"""Experiment truth: how often tests of nothing reject and intervals hold, by number of geos, world and real panel.

Part of benchmarks.experiments. Assignments are random halves of the geos; each panel gives several tests, in which
another of its assignments is the one that ran. Seeds start where none were looked at while the code was written.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figure import Figure
from weathervane.connectors.synthetic.world import make_world
from weathervane.experiments.counterfactual import Refit, contrasts
from weathervane.experiments.inference import block_p_values, randomisation, randomisation_p_values
from weathervane.experiments.panel import Floats, Panel, panel_from_rows
from weathervane.experiments.tables import GeoTables, geo_tables
from weathervane.experiments.weather_adjustment import adjust_for_weather

GEO_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "geo"
ALPHA, LIFT = 0.05, 0.05
GEOS = (8, 13, 20, 50, 210)
WORLDS = ("sensitive", "null", "triggered")
FRESH = 500_000
JUDGED = 1000  # panels from which a share is held against its bar
LENGTH = 14
_TURNS = 5
_PAST = 180
_WINDOWS_A_WORLD = 50


@dataclass
class Tally:
    """Whether tests of nothing rejected, and whether intervals under a lift of 5 % held it."""

    rejected: list[bool] = field(default_factory=list[bool])
    covered: list[bool] = field(default_factory=list[bool])

    def add(self, outcome: Floats, read: Floats, masks: np.ndarray, n_pre: int) -> None:
        """Some of `masks` [n, n_geos] take their turn; `outcome` carries the lift, `read` [n_geos, t] is read."""
        found = contrasts("synthetic_control", read, masks, n_pre)
        effects = found.mean_effects(read[:, n_pre:].mean(axis=1))
        mean = outcome[:, n_pre:].mean(axis=1)
        for run in range(min(_TURNS, len(masks))):
            order = np.roll(np.arange(len(masks)), -run)
            responses = found.responses(np.where(masks[run], mean, 0.0))[order]
            self.rejected.append(bool(randomisation_p_values(effects[order], responses, np.zeros(1))[0] <= ALPHA))
            lifted = randomisation(effects[order] + LIFT * responses, (1 + LIFT) * responses, ALPHA)
            self.covered.append(bool(lifted.low <= LIFT / (1 + LIFT) <= lifted.high))

    def figures(self, name: str, n_panels: int) -> list[Figure]:
        judged = n_panels >= JUDGED
        size, coverage = float(np.mean(self.rejected)), float(np.mean(self.covered))
        note = f"{n_panels} panels, {len(self.rejected)} tests, alpha {ALPHA}"
        return [
            Figure(
                f"A/A size, {name}", size, "share", "0.04 to 0.06", abs(size - 0.05) <= 0.01 if judged else None, note
            ),
            Figure(
                f"coverage, {name}", coverage, "share", "0.935 to 0.965",
                abs(coverage - 0.95) <= 0.015 if judged else None, note,
            ),
        ]  # fmt: skip


def many_geos(seed: int, n_geos: int, n_days: int) -> Floats:
    """Outcome [n_geos, n_days]: levels, a common factor with loadings, a week, AR(1) noise, regional weather."""
    rng = np.random.default_rng([seed, n_geos])

    def chain(rho: float, *shape: int) -> Floats:
        found = rng.standard_normal(shape)
        for t in range(1, shape[-1]):
            found[..., t] = rho * found[..., t - 1] + np.sqrt(1 - rho**2) * found[..., t]
        return found

    level = np.exp(rng.normal(6.0, 0.6, (n_geos, 1)))
    week = 0.1 * np.sin(2 * np.pi * np.arange(n_days) / 7)
    weather = np.repeat(chain(0.7, (n_geos + 3) // 4, n_days), 4, axis=0)[:n_geos]
    common = rng.uniform(0.5, 1.5, (n_geos, 1)) * 0.15 * chain(0.8, n_days)
    return level * (1.0 + common + week + 0.05 * weather + 0.06 * chain(0.5, n_geos, n_days))


def halves(seed: int, n_geos: int, n: int) -> np.ndarray:
    """Different random halves [<= n, n_geos]."""
    drawn = np.argsort(np.random.default_rng([seed, 7]).random((3 * n, n_geos)), axis=1) < n_geos // 2
    _, first = np.unique(np.packbits(drawn, axis=1), axis=0, return_index=True)
    return drawn[np.sort(first)][:n]


def by_geos(n_panels: int) -> list[Figure]:
    found: list[Figure] = []
    for n_geos in GEOS:
        tally = Tally()
        for seed in range(FRESH, FRESH + n_panels):
            outcome = many_geos(seed, n_geos, 84 + LENGTH)
            tally.add(outcome, outcome, halves(seed, n_geos, 100 if n_geos == 210 else 200), 84)
        found += tally.figures(f"{n_geos} geos", n_panels)
    return found


def worlds(n_panels: int) -> list[Figure]:
    """Placebo windows of generated brands, fifty a brand, read plain and with weather taken out as a tenant's are."""
    found: list[Figure] = []
    for name in WORLDS:
        plain, adjusted = Tally(), Tally()
        for i in range(-(-n_panels // _WINDOWS_A_WORLD)):
            tables = world_tables(name, FRESH + i)
            outcome, weather = tables.outcome.outcome, tables.weather_residuals
            windows = min(_WINDOWS_A_WORLD, n_panels - i * _WINDOWS_A_WORLD)
            for seed, start in enumerate(_starts(i, outcome.shape[1], windows), start=FRESH + i * _WINDOWS_A_WORLD):
                days = slice(max(0, start - _PAST), start + LENGTH)
                past, n_pre = outcome[:, days], start - days.start
                masks = halves(seed, len(outcome), 200)
                plain.add(past, past, masks, n_pre)
                if weather is not None:
                    adjusted.add(past, adjust_for_weather(past, weather[:, :, days], n_pre).outcome, masks, n_pre)
        found += plain.figures(f"windows of the {name} world", n_panels)
        found += adjusted.figures(f"windows of the {name} world, weather taken out", n_panels)
    return found


def world_tables(name: str, seed: int, n_days: int = 500) -> GeoTables:
    """A generated brand as its tenant's store would hold it."""
    made = make_world(name, seed=seed, end=date(2026, 5, 31), n_days=n_days)
    frames = [made.tables[table] for table in ("sales", "spend", "weather", "calendar", "inventory")]
    return geo_tables(made.tenant, *frames)


def windows(n_panels: int) -> list[Figure]:
    """Placebo windows of real panels; there are fewer different windows than assignments drawn in them."""
    found: list[Figure] = []
    for name, panel in (("the GeoLift panel", geolift()), ("the Walmart stores, weeks", walmart())):
        if panel is None:
            found.append(Figure(f"A/A size, windows of {name}", 0.0, "share", note="left out: its data is not here"))
            continue
        tally = Tally()
        for seed, start in enumerate(_starts(0, panel.outcome.shape[1], n_panels), start=FRESH):
            past = panel.outcome[:, max(0, start - _PAST) : start + LENGTH]
            tally.add(past, past, halves(seed, len(past), 200), past.shape[1] - LENGTH)
        found += tally.figures(f"windows of {name}", n_panels)
    return found


def over_time(n_panels: int) -> list[Figure]:
    """The block test at the design's sizes, where nothing was randomised."""
    rejected: list[bool] = []
    for seed in range(FRESH, FRESH + n_panels):
        outcome = many_geos(seed, 20, 168 + LENGTH)
        refit = Refit("synthetic_control", outcome, halves(seed, 20, 1)[0], np.zeros(outcome.shape[1]))
        rejected.append(bool(block_p_values(refit.residuals(np.zeros(1)), outcome.shape[1] - LENGTH)[0] <= ALPHA))
    note = f"{n_panels} panels, alpha {ALPHA}"
    return [Figure("A/A size, block test over time, 20 geos", float(np.mean(rejected)), "share", note=note)]


def _starts(seed: int, n_days: int, n: int) -> list[int]:
    return np.random.default_rng([5, seed]).integers(4 * LENGTH, n_days - LENGTH + 1, n).tolist()


def geolift() -> Panel | None:
    path = GEO_DATA / "geolift_pretest.csv"
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["date"]) for row in rows]
    return panel_from_rows([row["location"] for row in rows], days, [float(row["Y"]) for row in rows])


def walmart() -> Panel | None:
    """Sales of 45 stores by week."""
    path = GEO_DATA.parent / "demand_weather" / "walmart_weekly_store_dept.parquet"
    if not path.exists():
        return None
    rows = pl.read_parquet(path).select(
        geo=pl.col("Store").cast(pl.String), date=pl.col("Date").dt.date(), sales=pl.col("Weekly_Sales")
    )
    weekly = rows.group_by("geo", "date").agg(pl.col("sales").sum()).sort("geo", "date")
    return panel_from_rows(*(weekly[column].to_list() for column in ("geo", "date", "sales")))
