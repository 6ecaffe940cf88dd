"""Experiment designs: speed of selection, splits and power; A/A size by number of geos, world and panel; power kept.

Part of benchmarks.experiments. Assignments are random halves of the geos unless said otherwise; each panel gives
several tests, in which another of its assignments is the one that ran, so tests of one panel are not independent.
"""

from __future__ import annotations

import csv
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figure import Figure
from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.experiment_design import BalanceRule, Cell, Constraints, DesignRequest, Stratum
from weathervane.contracts.period import Period
from weathervane.experiments.assign import Rule, acceptable, assignment_set, random_arms
from weathervane.experiments.counterfactual import Refit, contrasts
from weathervane.experiments.draft import Stamp, draft_design
from weathervane.experiments.inference import block_p_values, randomisation, randomisation_p_values
from weathervane.experiments.market_selection import Search, select_markets
from weathervane.experiments.panel import Floats, Panel, panel_from_rows
from weathervane.experiments.power import power_of

GEO_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "geo"
ALPHA, LIFT = 0.05, 0.05
GEOS = (8, 13, 20, 50, 210)
WORLDS = ("sensitive", "null", "triggered")
_LENGTH = 14
_TURNS = 5


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


def turns(outcome: Floats, masks: np.ndarray, n_pre: int, n_turns: int) -> tuple[list[bool], list[bool]]:
    """Whether tests of nothing rejected and whether intervals under a lift of 5 % held it."""
    found = contrasts("synthetic_control", outcome, masks, n_pre)
    mean = outcome[:, n_pre:].mean(axis=1)
    effects = found.mean_effects(mean)
    rejected: list[bool] = []
    covered: list[bool] = []
    for run in range(min(n_turns, len(masks))):
        order = np.roll(np.arange(len(masks)), -run)
        responses = found.responses(np.where(masks[run], mean, 0.0))[order]
        rejected.append(bool(randomisation_p_values(effects[order], responses, np.zeros(1))[0] <= ALPHA))
        lifted = randomisation(effects[order] + LIFT * responses, (1 + LIFT) * responses, ALPHA)
        covered.append(bool(lifted.low <= LIFT / (1 + LIFT) <= lifted.high))
    return rejected, covered


def shares(name: str, rejected: list[bool], covered: list[bool], n_panels: int, *, judged: bool) -> list[Figure]:
    size, coverage = float(np.mean(rejected)), float(np.mean(covered))
    note = f"{n_panels} panels, {len(rejected)} tests, alpha {ALPHA}"
    return [
        Figure(f"A/A size, {name}", size, "share", "0.05 ± 0.01", abs(size - 0.05) <= 0.01 if judged else None, note),
        Figure(
            f"coverage, {name}",
            coverage,
            "share",
            "0.95 ± 0.015",
            abs(coverage - 0.95) <= 0.015 if judged else None,
            note,
        ),
    ]


def by_geos(n_panels: int) -> list[Figure]:
    found: list[Figure] = []
    for n_geos in GEOS:
        panels = max(n_panels // (10 if n_geos == 210 else 1), 5)
        rejected: list[bool] = []
        covered: list[bool] = []
        for seed in range(panels):
            one = turns(
                many_geos(seed, n_geos, 84 + _LENGTH), halves(seed, n_geos, 100 if n_geos == 210 else 200), 84, _TURNS
            )
            rejected += one[0]
            covered += one[1]
        found += shares(f"{n_geos} geos", rejected, covered, panels, judged=len(rejected) >= 2000)
    return found


def windows_of(name: str, outcome: Floats, n: int) -> list[Figure]:
    """Placebo windows of a real or generated panel: a window and an assignment set each."""
    rejected: list[bool] = []
    covered: list[bool] = []
    last = outcome.shape[1] - _LENGTH
    starts = np.random.default_rng(5).integers(4 * _LENGTH, last + 1, n)
    for seed, start in enumerate(starts.tolist()):
        past = outcome[:, max(0, start - 180) : start + _LENGTH]
        one = turns(past, halves(seed, len(outcome), 200), past.shape[1] - _LENGTH, _TURNS)
        rejected += one[0]
        covered += one[1]
    return shares(f"windows of {name}", rejected, covered, n, judged=len(rejected) >= 2000)


def worlds(n: int) -> list[Figure]:
    found: list[Figure] = []
    for name in WORLDS:
        sales = make_world(name, seed=7, end=date(2026, 5, 31), n_days=500).tables["sales"]
        daily = sales.group_by("geo", "date").agg(pl.col("net_revenue").sum()).sort("geo", "date")
        panel = panel_from_rows(*(daily[column].to_list() for column in ("geo", "date", "net_revenue")))
        found += windows_of(f"the {name} world", panel.outcome, n)
    return found


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


def power_kept(n_panels: int) -> list[Figure]:
    """What designs foretold for an effect, and how often their own analysis found it on days they had not seen."""
    foretold: list[float] = []
    kept: list[bool] = []
    first = date(2025, 1, 1)
    n_pre, length = 182, 21
    for seed in range(n_panels):
        outcome = many_geos(seed, 20, n_pre + length)
        days = tuple(first + timedelta(days=t) for t in range(n_pre + length))
        past = Panel(tuple(f"g{i:02d}" for i in range(20)), days[:n_pre], outcome[:, :n_pre])
        request = DesignRequest(
            (Cell("treated", "go_dark", "ads", 0.5),), Period(days[0], days[n_pre - 1]), Period(days[n_pre], days[-1]),
            cooldown_days=0, alpha=0.1,
        )  # fmt: skip
        design, _ = draft_design(past, request, Stamp("t", f"t{seed}", "2026-01-01T00:00:00Z", "r", seed, "0"))
        power = power_of(past, design)
        at = min(power.curve, key=lambda point: abs(point.effect_rel - 0.05))
        foretold.append(at.power)
        masks = assignment_set(design)[:500]
        cut = outcome.copy()
        cut[masks[0], n_pre:] *= 1 - at.effect_rel / (1 + at.effect_rel)
        found = contrasts("synthetic_control", cut, masks, n_pre)
        mean = cut[:, n_pre:].mean(axis=1)
        responses = found.responses(np.where(masks[0], mean, 0.0))
        kept.append(randomisation(found.mean_effects(mean), responses, 0.1).p_value <= 0.1)
    gap = float(np.mean(kept) - np.mean(foretold))
    note = f"{n_panels} designs, effect 5 %: foretold {np.mean(foretold):.3f}, found {np.mean(kept):.3f}"
    judged = n_panels >= 200
    return [
        Figure("power, found less foretold", gap, "share", "within 0.05", abs(gap) <= 0.05 if judged else None, note)
    ]


def speeds(*, full: bool) -> list[Figure]:
    found: list[Figure] = []
    panel = geolift()
    if panel is None:
        found.append(Figure("CPU, market selection", 0.0, "s", note="left out: ../shared/data/geo is not here"))
    else:
        search = Search(
            (2, 3, 4, 5), (10, 15), (0.0, 0.05, 0.1, 0.15, 0.2), ("chicago",), ("honolulu",), cost_per_unit=7.5,
            budget=100_000,
        )  # fmt: skip
        started = time.process_time()
        select_markets(panel, search)
        spent = time.process_time() - started
        found.append(Figure("CPU, market selection, 330 simulations", spent, "s", "<= 1", spent <= 1.0, "GeoLift 42.3"))
    rng = np.random.default_rng(0)
    geos = tuple(f"g{i:02d}" for i in range(50))
    weights = np.full(50, 0.02)
    strata = (Stratum(tuple((geo,) for geo in geos), (15,)),)
    cells = (Cell("treated", "go_dark", "ads", 0.3),)
    balance = BalanceRule("max_abs_smd", 0.25, "")
    rule = Rule(geos, cells, strata, rng.standard_normal((50, 7)), weights, Constraints(), balance)
    started = time.process_time()
    for arms in random_arms(rule, 1, 100_000):
        acceptable(rule, arms)
    spent = time.process_time() - started
    found.append(Figure("CPU, 100,000 random splits judged", spent, "s", "<= 10", spent <= 10.0, "GeoX 25.9"))
    n_candidates = 500 if full else 50
    outcome, masks = many_geos(1, 210, 180), halves(1, 210, n_candidates)
    started = time.process_time()
    for window in range(10):
        n_pre = 180 - _LENGTH - 7 * window
        weights_of = contrasts("synthetic_control", outcome[:, : n_pre + _LENGTH], masks, n_pre)
        mean = outcome[:, n_pre : n_pre + _LENGTH].mean(axis=1)
        responses = weights_of.responses(np.where(masks[0], mean, 0.0))
        randomisation_p_values(weights_of.mean_effects(mean), responses, np.linspace(0.0, 0.1, 10))
    spent = (time.process_time() - started) * 500 / n_candidates
    note = "500 assignments x 10 windows x 10 effects" + ("" if full else ", a tenth of them measured")
    found.append(Figure("CPU, 210 markets, 50,000 tests", spent, "s", "<= 180", spent <= 180.0, note))
    return found


def over_time(n_panels: int) -> list[Figure]:
    """The block test at the design's sizes, where nothing was randomised."""
    rejected = [
        bool(
            block_p_values(
                Refit("synthetic_control", outcome, halves(seed, 20, 1)[0], np.zeros(outcome.shape[1])).residuals(
                    np.zeros(1)
                ),
                outcome.shape[1] - _LENGTH,
            )[0]
            <= ALPHA
        )
        for seed in range(n_panels)
        for outcome in (many_geos(seed, 20, 168 + _LENGTH),)
    ]
    note = f"{n_panels} panels, alpha {ALPHA}"
    return [Figure("A/A size, block test over time, 20 geos", float(np.mean(rejected)), "share", note=note)]


def designs(n_panels: int, *, full: bool) -> list[Figure]:
    """All of it; `n_panels` is the number of panels of each kind."""
    found = [*speeds(full=full), *by_geos(n_panels), *worlds(n_panels)]
    for name, panel in (("the GeoLift panel", geolift()), ("the Walmart stores, weeks", walmart())):
        if panel is None:
            found.append(Figure(f"A/A size, windows of {name}", 0.0, "share", note="left out: its data is not here"))
        else:
            found += windows_of(name, panel.outcome, n_panels)
    return [*found, *over_time(n_panels), *power_kept(max(n_panels // 2, 10))]
