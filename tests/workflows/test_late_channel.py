"""A channel launched weeks ago, the whole way: its money is not moved to one that returns less."""

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

CASE = Path(__file__).parents[2].parent / "shared" / "data" / "cases" / "import" / "new-channel-zeros"
NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
WEEKS, LAUNCH = 100, 86

pytestmark = pytest.mark.slow


def planned(mapping: Path, root: Path) -> tuple[FitReport, BudgetPlan]:
    store = open_store(root, import_files(mapping, root, None, NOW).tenant_id)
    fit = train_model(store, as_of=NOW, seed=1, run_id="test")
    forecast_demand(store, as_of=NOW, run_id="test")
    return fit, make_plan(store, now=NOW, run_id="test")


def made_up(folder: Path) -> Path:
    """Print returns 0.8 on a straight line, radio 2.5 from its launch 14 weeks ago; no row of radio before."""
    rng = np.random.default_rng(4)
    paper = 5000 * np.exp(rng.normal(0.0, 0.5, WEEKS))
    radio = np.where(np.arange(WEEKS) >= LAUNCH, 3000 * np.exp(rng.normal(0.0, 0.5, WEEKS)), 0.0)
    sales = 60_000 * (1 + 0.02 * rng.standard_normal(WEEKS)) + 0.8 * paper + 2.5 * radio
    weeks = [date(2024, 12, 30) + timedelta(days=7 * i) for i in range(WEEKS)]
    rows = [f"{week},{value:.2f}\n" for week, value in zip(weeks, sales, strict=True)]
    (folder / "sales.csv").write_text("week,sales\n" + "".join(rows))
    spent = [f"{weeks[i]},print,{paper[i]:.2f}\n" for i in range(WEEKS)]
    spent += [f"{weeks[i]},radio,{radio[i]:.2f}\n" for i in range(LAUNCH, WEEKS)]
    (folder / "spend.csv").write_text("week,channel,spend\n" + "".join(spent))
    mapping = folder / "mapping.yaml"
    mapping.write_text(
        "tenant: {id: late, name: late, currency: USD}\nsources:\n"
        "  - {table: sales, file: sales.csv, date: {column: week, step: week}, columns: {net_revenue: sales}}\n"
        "  - {table: spend, file: spend.csv, date: {column: week, step: week}, channel: {column: channel},"
        " columns: {spend: spend}}\n"
    )
    return mapping


def test_money_stays_with_a_channel_launched_ten_weeks_ago(tmp_path: Path) -> None:
    if not CASE.is_dir():
        pytest.skip("the case is not beside this checkout (../shared/data/cases)")
    fit, plan = planned(CASE / "mapping.yaml", tmp_path / "state")
    returns = {each.channel: (each.roi_p05, each.roi_p95) for each in fit.channels}
    assert returns["podcast"][0] <= 3.0 <= returns["podcast"][1]
    assert returns["search"][0] <= 1.0 <= returns["search"][1]
    change = {line.channel: line.change.minor for line in plan.lines}
    assert change["podcast"] >= 0
    assert change["search"] <= 0


def test_money_stays_with_a_channel_that_has_no_rows_before_its_launch(tmp_path: Path) -> None:
    fit, plan = planned(made_up(tmp_path), tmp_path / "state")
    returns = {each.channel: each for each in fit.channels}
    assert returns["radio"].roi_p05 <= 2.5 <= returns["radio"].roi_p95
    assert returns["print"].roi_p05 <= 0.8 <= returns["print"].roi_p95
    assert next(line for line in plan.lines if line.channel == "radio").change.minor >= 0
