"""Small panels with a test at their end, for the read-out's tests."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from weathervane.contracts.period import Period
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.question import Question

FIRST = date(2026, 1, 5)
N_PRE, N_POST = 42, 7


def make_panel(
    seed: int, n_geos: int = 10, n_pre: int = N_PRE, n_post: int = N_POST, sensitivity: float = 0.0
) -> tuple[Panel, Floats]:
    """A panel and its weather [1, n_geos, t]: levels, a common factor, a week, errors that follow each other."""
    rng = np.random.default_rng(seed)
    n_days = n_pre + n_post
    noise = rng.standard_normal((n_geos, n_days))
    for t in range(1, n_days):
        noise[:, t] = 0.5 * noise[:, t - 1] + 0.87 * noise[:, t]
    weather = rng.standard_normal((n_geos, n_days))
    common = 0.1 * np.sin(np.arange(n_days) * 2 * np.pi / 7) + 0.1 * rng.standard_normal(n_days)
    level = np.exp(rng.normal(5.0, 0.4, n_geos))[:, None]
    outcome = level * (1.0 + common * rng.uniform(0.5, 1.5, (n_geos, 1)) + 0.05 * noise + sensitivity * weather)
    geos = tuple(f"geo-{i:02d}" for i in range(n_geos))
    return Panel(geos, tuple(FIRST + timedelta(days=t) for t in range(n_days)), outcome), weather[None]


def with_lift(panel: Panel, treated: tuple[str, ...], lift_rel: float, n_post: int = N_POST) -> Panel:
    outcome = panel.outcome.copy()
    outcome[panel.rows(treated), -n_post:] *= 1.0 + lift_rel
    return Panel(panel.geos, panel.days, outcome)


def ask(panel: Panel, n_treated: int = 4, n_post: int = N_POST, **options: object) -> Question:
    """The first geos are treated, the others control."""
    window = Period(panel.days[-n_post], panel.days[-1])
    treated, control = panel.geos[:n_treated], panel.geos[n_treated:]
    return Question("test-1", "meta_ads", "USD", treated, control, window, **options)  # type: ignore[arg-type]


def assignment_set(n_geos: int = 10, n_treated: int = 4, n: int = 150, seed: int = 0) -> Bools:
    order = np.argsort(np.random.default_rng(seed).random((n, n_geos)), axis=1)
    return order < n_treated
