"""Two channels that always moved together, the whole way: nothing is moved between them, and every surface says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from weathervane.contracts.fit import FitReport
from weathervane.contracts.plan import BudgetPlan
from weathervane.store.paths import open_store
from weathervane.workflows.forecast_demand import forecast_demand
from weathervane.workflows.import_files import import_files
from weathervane.workflows.make_plan import make_plan
from weathervane.workflows.train_model import train_model

CASE = Path(__file__).parents[2].parent / "shared" / "data" / "cases" / "import" / "collinear-pair"
NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
WEEKS = 100

pytestmark = pytest.mark.slow


def planned(mapping: Path, root: Path) -> tuple[FitReport, BudgetPlan]:
    store = open_store(root, import_files(mapping, root, None, NOW).tenant_id)
    fit = train_model(store, as_of=NOW, seed=1, run_id="test")
    forecast_demand(store, as_of=NOW, run_id="test")
    return fit, make_plan(store, now=NOW, run_id="test")


def made_up(folder: Path) -> Path:
    """Email a third of display, within 2 %, with the same true return of 1.5; print by itself."""
    rng = np.random.default_rng(11)
    display, paper = (4000 * np.exp(rng.normal(0.0, 0.5, WEEKS)) for _ in range(2))
    email = display / 3 * np.exp(rng.normal(0.0, 0.02, WEEKS))
    spend = {"display": display, "email": email, "print": paper}
    response = {name: rows.sum() * (curve := rows / (rows + rows.mean())) / curve.sum() for name, rows in spend.items()}
    sales = 60_000 * (1 + 0.03 * rng.standard_normal(WEEKS)) + sum(1.5 * rows for rows in response.values())
    weeks = [date(2024, 1, 1) + timedelta(days=7 * i) for i in range(WEEKS)]
    (folder / "sales.csv").write_text(
        "week,sales\n" + "".join(f"{week},{value:.2f}\n" for week, value in zip(weeks, sales, strict=True))
    )
    rows = [f"{week},{','.join(f'{spend[name][i]:.2f}' for name in spend)}\n" for i, week in enumerate(weeks)]
    (folder / "spend.csv").write_text("week,display,email,print\n" + "".join(rows))
    mapping = folder / "mapping.yaml"
    mapping.write_text(
        "tenant: {id: pair, name: pair, currency: USD}\nsources:\n"
        "  - {table: sales, file: sales.csv, date: {column: week, step: week}, columns: {net_revenue: sales}}\n"
        "  - {table: spend, file: spend.csv, date: {column: week, step: week},"
        " wide: {display: display, email: email, print: print}}\n"
    )
    return mapping


def test_a_pair_at_0_99_is_said_and_nothing_is_moved_between_them(tmp_path: Path) -> None:
    if not CASE.is_dir():
        pytest.skip("the case is not beside this checkout (../shared/data/cases)")
    fit, plan = planned(CASE / "mapping.yaml", tmp_path / "state")
    assert [each.channels for each in fit.joint] == [("search", "social")]
    assert all(each.standing == "only_together" for each in fit.channels)
    assert {line.channel: line.change.minor for line in plan.lines} == {"search": 0, "social": 0}
    assert fit.joint[0].sentence in plan.caveats
    assert fit.joint[0].test in plan.would_change_our_mind


def test_a_pair_of_equal_returns_moves_in_step_against_a_third(tmp_path: Path) -> None:
    fit, plan = planned(made_up(tmp_path), tmp_path / "state")
    assert [each.channels for each in fit.joint] == [("display", "email")]
    assert fit.joint[0].roi_p05 < 1.5 < fit.joint[0].roi_p95
    lines = {line.channel: line for line in plan.lines}
    assert lines["display"].change_rel == pytest.approx(lines["email"].change_rel, abs=1e-4)
