"""A state folder with one stored plan, and a client that asks the real app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from weathervane.api.app import create_app
from weathervane.contracts.forecast import BacktestScore, ForecastQuality, Quantiles
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import (
    BudgetPlan,
    Certificate,
    ChannelEvidence,
    DemandDay,
    GeoOutlook,
    MediaSignal,
    ModelSummary,
    PlanLimits,
    PlanLine,
)
from weathervane.contracts.response import WeatherEffect
from weathervane.contracts.tenant import Place, Tenant
from weathervane.store import results
from weathervane.store.paths import open_store

BASE = "http://127.0.0.1:8787"


def usd(dollars: float) -> Money:
    return Money.from_major(dollars, "USD")


def around(middle: float, half: float) -> Quantiles:
    return Quantiles(middle - half, middle, middle + half)


LINE = PlanLine(
    geo="boston",
    channel="search",
    current=usd(1000),
    recommended=usd(1150),
    change=usd(150),
    change_rel=0.15,
    direction="clearly_up",
    gain=around(210, 120),
    chance_gain=0.88,
    outcome=around(2500, 600),
    marginal_return=around(1.6, 0.5),
    extrapolates=False,
    reason="It turns cold.",
    would_change_our_mind="A warmer forecast.",
)
QUALITY = ForecastQuality(
    chosen="regression",
    scores=(BacktestScore("regression", 0.08, 336), BacktestScore("seasonal naive", 0.13, 336)),
    origins=(date(2026, 10, 5),),
    coverage_80=0.79,
    coverage_low=0.74,
    coverage_high=0.83,
    n=336,
    verdict="calibrated",
    sentence="The 80 % range held 79 % of the time.",
)
PLAN = BudgetPlan(
    schema_version=1,
    plan_id="plan-1",
    tenant_id="acme",
    tenant_name="Acme",
    demo=True,
    currency="USD",
    outcome="net_revenue",
    as_of=date(2026, 11, 22),
    generated_at="2026-11-22T06:10:00Z",
    period=Period(date(2026, 11, 23), date(2026, 11, 29)),
    valid_until=date(2026, 11, 29),
    verdict="change",
    sentence="Move $150 to Search in Boston.",
    reason="It turns cold.",
    would_change_our_mind=("A warmer forecast.",),
    total_current=usd(1000),
    total_recommended=usd(1150),
    gain=around(210, 120),
    chance_gain=0.88,
    lines=(LINE,),
    channels=(ChannelEvidence("search", around(1.1, 0.5), 0.4, 1.8, around(0.06, 0.03), usd(1000), True, "It pays."),),
    media_signal=MediaSignal(True, 0.02, 199, "Spend explains sales."),
    weather_effects=(WeatherEffect("coats", "cold", "1 °C below normal", 0.006, 0.011, 0.016),),
    geos=(
        GeoOutlook("boston", "Boston", 42.36, -71.06, -4.8, -1.3, None, around(9000, 900), 0.05, usd(1000), usd(1150)),
    ),
    demand=(
        DemandDay(date(2026, 11, 22), 900.0, None, None),
        DemandDay(date(2026, 11, 23), None, around(950, 90), -1.3),
    ),
    forecast_quality=QUALITY,
    grain=GrainSelection("day", "geo", ("boston",), "total", ("total",), ("search",), 730, 1.0, "Enough.", ()),
    limits=PlanLimits(),
    certificate=Certificate(2500.0, 2501.0, 0.0004),
    model=ModelSummary("model-1", "hierarchical", date(2026, 11, 21), 1.004, 812.0, 0),
    data_hashes={"sales": "ab" * 32},
    ribbons=("demo",),
    caveats=(),
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with `acme`, which has a plan, and `young`, which has none."""
    root = tmp_path / "state"
    acme = open_store(root, "acme")
    results.keep_tenant(acme, Tenant("acme", "Acme", "USD", True, places=(Place("boston", "Boston", 42.36, -71.06),)))
    results.keep_plan(acme, replace(PLAN, plan_id="plan-0", as_of=date(2026, 11, 15)))
    results.keep_plan(acme, PLAN)
    results.keep_tenant(open_store(root, "young"), Tenant("young", "Young", "EUR", False))
    return root


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A built web app of three files."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>WeatherVane</title>", "utf-8")
    (folder / "icon.svg").write_text("<svg/>", "utf-8")
    (folder / "assets" / "index-4f3a.js").write_text("export {};", "utf-8")
    return folder


@pytest.fixture
def client(state: Path, web: Path) -> Iterator[TestClient]:
    with TestClient(create_app(state, None, web), base_url=BASE, raise_server_exceptions=False) as client:
        yield client


def as_stored(plan: BudgetPlan) -> object:
    """What plan.json holds."""
    return json.loads(results.to_json(plan))
