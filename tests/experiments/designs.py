"""Small panels and requests that the design tests share."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from weathervane.contracts.experiment_design import Cell, DesignRequest, ExperimentDesign
from weathervane.contracts.period import Period
from weathervane.experiments.draft import Ground, Stamp, draft_design
from weathervane.experiments.panel import Panel

FIRST = date(2026, 1, 1)
GO_DARK = (Cell("cell_1", "go_dark", "meta", 0.2),)
HALF = (Cell("cell_1", "go_dark", "meta", 0.5),)


def made_panel(n_geos: int, n_days: int = 120, seed: int = 0) -> Panel:
    """Geos of different size, trend and noise, with a common factor and a weekly rhythm."""
    rng = np.random.default_rng(seed)
    day = np.arange(n_days)
    common = rng.normal(0, 0.02, n_days).cumsum() + 0.1 * (day % 7 >= 5)
    trend = rng.normal(0, 0.1, n_geos)[:, None] * day / 365
    noise = rng.normal(0, 1, (n_geos, n_days)) * rng.uniform(0.03, 0.12, n_geos)[:, None]
    outcome = np.exp(rng.normal(5, 0.7, n_geos))[:, None] * np.maximum(1 + common + trend + noise, 0.05)
    geos = tuple(f"geo-{i:03d}" for i in range(n_geos))
    return Panel(geos, tuple(FIRST + timedelta(days=int(i)) for i in day), outcome)


def request(panel: Panel, cells: tuple[Cell, ...] = GO_DARK, **options: object) -> DesignRequest:
    """A test of four weeks that starts a week after the panel ends."""
    last = panel.days[-1]
    window = Period(last + timedelta(days=7), last + timedelta(days=34))
    return DesignRequest(cells, Period(panel.days[0], last), window, **options)  # type: ignore[arg-type]


def stamp(seed: int = 1, experiment_id: str = "acme_20260601_060000", run_id: str = "nightly-1") -> Stamp:
    return Stamp("acme", experiment_id, "2026-06-01T06:00:00Z", run_id, seed, "0.1.0")


def drafted(
    panel: Panel, cells: tuple[Cell, ...] = GO_DARK, seed: int = 1, ground: Ground | None = None, **options: object
) -> ExperimentDesign:
    return draft_design(panel, request(panel, cells, **options), stamp(seed), ground)[0]
