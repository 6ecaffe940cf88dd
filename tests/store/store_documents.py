"""Small contracts to keep and read back."""

from __future__ import annotations

from datetime import date

from weathervane.contracts.forecast import BacktestScore, DemandForecast, DemandPoint, ForecastQuality, Quantiles
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import BudgetPlan, Certificate, MediaSignal, ModelSummary, PlanLimits
from weathervane.contracts.tenant import Place, Tenant

ONE = Quantiles(1.0, 2.5, 3.0)


def tenant(tenant_id: str = "acme") -> Tenant:
    return Tenant(tenant_id, "Acme & Söhne", "EUR", demo=False, places=(Place("de-be", "Berlin", 52.5, 13.4),))


def quality() -> ForecastQuality:
    scores = (BacktestScore("model", 0.1, 30), BacktestScore("seasonal naive", 0.2, 30))
    return ForecastQuality("model", scores, (date(2024, 1, 1),), 0.8, 0.7, 0.9, 30, "calibrated", "It holds.")


def forecast() -> DemandForecast:
    point = DemandPoint("de-be", "total", date(2024, 6, 2), 1, ONE)
    return DemandForecast("f-1", "acme", "2024-06-01T06:00:00Z", "m", 1, (point,), (point,), "none", "no weather")


def plan() -> BudgetPlan:
    return BudgetPlan(
        schema_version=1,
        plan_id="plan-1",
        tenant_id="acme",
        tenant_name="Acme & Söhne",
        demo=False,
        currency="EUR",
        outcome="net_revenue",
        as_of=date(2024, 6, 1),
        generated_at="2024-06-01T06:00:00Z",
        period=Period(date(2024, 6, 2), date(2024, 6, 8)),
        valid_until=date(2024, 6, 8),
        verdict="keep",
        sentence="Keep everything as it is.",
        reason="No signal.",
        would_change_our_mind=("A geo test.",),
        total_current=Money(0, "EUR"),
        total_recommended=Money(0, "EUR"),
        gain=ONE,
        chance_gain=0.5,
        lines=(),
        channels=(),
        media_signal=MediaSignal(told_from_zero=False, p_value=0.4, n_placebos=19, sentence="No."),
        weather_effects=(),
        geos=(),
        demand=(),
        forecast_quality=quality(),
        grain=GrainSelection("week", "national", ("national",), "total", ("total",), ("tv",), 700, 0.0, "Few.", ()),
        limits=PlanLimits(),
        certificate=Certificate(1.0, 1.0, 0.0),
        model=ModelSummary("m-1", "e", date(2024, 5, 31), 1.0, 400.0, 0),
        data_hashes={"sales": "0" * 64},
        ribbons=(),
        caveats=("Prices are stated.",),
    )
