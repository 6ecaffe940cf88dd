"""Experiment designs: whether power foretold is power found, and what selection, splits and power cost.

Part of benchmarks.experiments.
"""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np

from benchmarks.experiment_truth import FRESH, LENGTH, geolift, halves, many_geos
from benchmarks.figure import Figure
from weathervane.contracts.experiment_design import BalanceRule, Cell, Constraints, DesignRequest, Stratum
from weathervane.contracts.period import Period
from weathervane.experiments.assign import Rule, acceptable, assignment_set, random_arms
from weathervane.experiments.counterfactual import contrasts
from weathervane.experiments.draft import Stamp, draft_design
from weathervane.experiments.inference import randomisation, randomisation_p_values
from weathervane.experiments.market_selection import Search, select_markets
from weathervane.experiments.panel import Panel
from weathervane.experiments.power import power_of


def power_kept(n_designs: int) -> list[Figure]:
    """What designs foretold for an effect, and how often their own analysis found it on days they had not seen."""
    foretold: list[float] = []
    kept: list[bool] = []
    first = date(2025, 1, 1)
    n_pre, length = 182, 21
    for seed in range(FRESH, FRESH + n_designs):
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
    note = f"{n_designs} designs, effect 5 %: foretold {np.mean(foretold):.3f}, found {np.mean(kept):.3f}"
    judged = n_designs >= 1000
    return [
        Figure("power, found less foretold", gap, "share", "within 0.05", abs(gap) <= 0.05 if judged else None, note)
    ]


def design_speeds(*, full: bool) -> list[Figure]:
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
        n_pre = 180 - LENGTH - 7 * window
        weights_of = contrasts("synthetic_control", outcome[:, : n_pre + LENGTH], masks, n_pre)
        mean = outcome[:, n_pre : n_pre + LENGTH].mean(axis=1)
        responses = weights_of.responses(np.where(masks[0], mean, 0.0))
        randomisation_p_values(weights_of.mean_effects(mean), responses, np.linspace(0.0, 0.1, 10))
    spent = (time.process_time() - started) * 500 / n_candidates
    note = "500 assignments x 10 windows x 10 effects" + ("" if full else ", a tenth of them measured")
    found.append(Figure("CPU, 210 markets, 50,000 tests", spent, "s", "<= 180", spent <= 180.0, note))
    return found
