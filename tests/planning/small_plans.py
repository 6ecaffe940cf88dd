"""Finished plans made by hand, for what is done with a plan rather than how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from weathervane.contracts.forecast import BacktestScore, ForecastQuality, Quantiles
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import (
    BudgetPlan,
    Certificate,
    MediaSignal,
    ModelSummary,
    PlanLimits,
    PlanLine,
)

ZERO = Quantiles(0.0, 0.0, 0.0)


def plan_of(budgets: Mapping[tuple[str, str], tuple[int, int]], *, roas: float = 2.0, **changes: object) -> BudgetPlan:
    """A plan for one week with these (current, recommended) cents a cell, expected to bring `roas` for each 1."""
    lines = tuple(_line(cell, *amounts, roas) for cell, amounts in budgets.items())
    fields: dict[str, object] = {
        "schema_version": 1,
        "plan_id": "plan-1",
        "tenant_id": "acme",
        "tenant_name": "Acme",
        "demo": False,
        "currency": "USD",
        "outcome": "net_revenue",
        "as_of": date(2026, 11, 22),
        "generated_at": "2026-11-22T06:10:00Z",
        "period": Period(date(2026, 11, 23), date(2026, 11, 29)),
        "valid_until": date(2026, 11, 29),
        "verdict": "change",
        "sentence": "Move.",
        "reason": "It pays.",
        "would_change_our_mind": (),
        "total_current": Money(sum(now for now, _ in budgets.values()), "USD"),
        "total_recommended": Money(sum(then for _, then in budgets.values()), "USD"),
        "gain": ZERO,
        "chance_gain": 0.9,
        "lines": lines,
        "channels": (),
        "media_signal": MediaSignal(True, 0.02, 99, "Yes."),
        "weather_effects": (),
        "geos": (),
        "demand": (),
        "forecast_quality": ForecastQuality(
            "naive", (BacktestScore("naive", 0.1, 30),), (date(2026, 10, 5),), 0.8, 0.7, 0.9, 30, "calibrated", "Yes."
        ),
        "grain": GrainSelection("day", "geo", ("a",), "total", ("total",), ("tv",), 700, 0.0, "Enough.", ()),
        "limits": PlanLimits(),
        "certificate": Certificate(1.0, 1.0, 0.0),
        "model": ModelSummary("model-1", "hierarchical", date(2026, 11, 21), 1.0, 400.0, 0),
        "data_hashes": {"sales": "0" * 64},
        "ribbons": (),
        "caveats": (),
    }
    return BudgetPlan(**(fields | changes))  # type: ignore[arg-type]


def _line(cell: tuple[str, str], current: int, recommended: int, roas: float) -> PlanLine:
    middle = roas * recommended / 100
    return PlanLine(
        geo=cell[0],
        channel=cell[1],
        current=Money(current, "USD"),
        recommended=Money(recommended, "USD"),
        change=Money(recommended - current, "USD"),
        change_rel=(recommended - current) / current if current else 0.0,
        direction="unclear",
        gain=ZERO,
        chance_gain=0.5,
        outcome=Quantiles(middle, middle, middle),
        marginal_return=ZERO,
        extrapolates=False,
        reason="",
        would_change_our_mind="",
    )
