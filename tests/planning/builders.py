"""Small fits, curves and requests made by hand, with known answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from weathervane.contracts.fit import ChannelPosterior, FitReport
from weathervane.contracts.forecast import (
    BacktestScore,
    DemandForecast,
    DemandPoint,
    ForecastDay,
    ForecastQuality,
    Quantiles,
    WeatherBasis,
    WeatherCourses,
    WeatherOutlook,
)
from weathervane.contracts.grain import GrainSelection, RejectedGrain
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import ChannelEvidence, MediaSignal, ModelSummary
from weathervane.contracts.response import ResponseCurves, WeatherEffect, WeatherResponse
from weathervane.contracts.tenant import Place, Tenant
from weathervane.planning.request import PlanRequest

GEOS = ("chicago", "dallas", "miami")
CHANNELS = ("search", "social")
START = date(2026, 11, 23)
DRAWS = 200
NAMES = {"chicago": ("Chicago", 41.9, -87.6), "dallas": ("Dallas", 32.8, -96.8), "miami": ("Miami", 25.8, -80.2)}


def curves_of(
    slopes: Mapping[tuple[str, str], float],
    *,
    spend: float = 10_000.0,
    error: float = 0.1,
    half: float = 3.0,
    per_z: Mapping[tuple[str, str], float] | None = None,
    seed: int = 1,
    order: tuple[Sequence[str], Sequence[str]] | None = None,
    draws: int = DRAWS,
) -> ResponseCurves:
    """Saturating curves whose return at the present `spend` is about `slopes`, each draw off by `error` (sd).

    `half` is the half-saturation in multiples of spend; `per_z` adds that much return per unit of weather.
    """
    geos, channels = order or (tuple(sorted({g for g, _ in slopes})), tuple(sorted({c for _, c in slopes})))
    grid = np.linspace(0.0, 2.0 * spend, 41)
    # Marginal return of b/(1 + b/(half·spend)) at the present spend, so that `slopes` are what a reader expects.
    shape = grid / (1 + grid / (half * spend)) * (1 + 1 / half) ** 2
    size = (len(geos), len(channels))
    outcome, weather = np.zeros((*size, 41, draws)), np.zeros((*size, 41, draws))
    for g, geo in enumerate(geos):
        for c, channel in enumerate(channels):
            name = f"{geo}/{channel}".encode()
            noise = np.random.default_rng([seed, *name]).normal(0.0, error, draws)
            outcome[g, c] = shape[:, None] * (slopes[geo, channel] + noise)
            weather[g, c] = shape[:, None] * (per_z or {}).get((geo, channel), 0.0)
    return ResponseCurves(
        "model-1",
        tuple(geos),
        tuple(channels),
        np.broadcast_to(grid, (*size, 41)).copy(),
        outcome,
        weather,
        np.full(size, spend),
        np.full(size, 1.5 * spend),
    )


def same(channel_slopes: Mapping[str, float], geos: Sequence[str] = GEOS) -> dict[tuple[str, str], float]:
    """The same return of a channel in every geo."""
    return {(geo, channel): slope for geo in geos for channel, slope in channel_slopes.items()}


def fit_of(curves: ResponseCurves, *, media_signal: bool = True, currency: str = "USD") -> FitReport:
    """A fit that converged, with evidence on every channel of the curves."""
    told = "told from" if media_signal else "not told from"
    weekly = curves.spend_recent.sum(axis=0)
    channels = tuple(
        ChannelEvidence(
            channel=channel,
            roi=Quantiles(0.8, 1.2 + 0.2 * c, 1.9 + 0.3 * c),
            roi_p05=0.7,
            roi_p95=2.1 + 0.4 * c,
            contribution_share=Quantiles(0.03, 0.05, 0.08),
            weekly_spend=Money.from_major(float(weekly[list(curves.channels).index(channel)]), currency),
            told_from_zero=True,
            sentence=f"{channel} earns back its cost in most draws.",
        )
        for c, channel in enumerate(sorted(curves.channels))
    )
    return FitReport(
        model_id=curves.model_id,
        tenant_id="demo",
        created_at="2026-11-22T06:00:00Z",
        seed=7,
        grain=GrainSelection(
            time="day",
            geo_level="geo",
            geos=tuple(sorted(curves.geos)),
            category_level="total",
            categories=("total",),
            channels=tuple(sorted(curves.channels)),
            n_days=728,
            weather_complete_share=0.993,
            reason="Every geo has sales, spend and weather on most days.",
            rejected=(RejectedGrain("day × geo × category", "too few orders in a cell"),),
        ),
        summary=ModelSummary("model-1", "hierarchical", date(2026, 11, 21), 1.004, 612.0, 0),
        channels=channels,
        shapes=tuple(ChannelPosterior(channel, 4.5, 1.6, 1.1) for channel in sorted(curves.channels)),
        media_signal=MediaSignal(
            media_signal,
            0.02 if media_signal else 0.41,
            99,
            f"Spend is {told} chance: a shift in time explains as much in {2 if media_signal else 41} % of tries.",
        ),
        weather=WeatherResponse(
            (WeatherEffect("total", "warm", "one local spread above normal", 0.01, 0.03, 0.05),), ""
        ),
        data_hashes={"sales": "a" * 64, "spend": "b" * 64, "weather": "c" * 64},
        priors_sha256="d" * 64,
        versions={"numpyro": "0.19"},
        caveats=("Two weeks of sales in miami were stock-outs and are left out.",),
    )


def forecast_of(geos: Sequence[str], period: Period, anomaly_z: Mapping[str, float]) -> DemandForecast:
    """A demand forecast of the period, 40,000 a day in each geo; weather known where `anomaly_z` names it."""
    days = list(period.days())
    points = [
        DemandPoint(geo, "total", day, i + 1, Quantiles(36_000.0, 40_000.0 + 150 * i, 45_000.0 + 200 * i))
        for geo in sorted(geos)
        for i, day in enumerate(days)
    ]
    n = len(geos)
    total = [
        DemandPoint("total", "total", day, i + 1, Quantiles(n * 36_800.0, n * (40_000.0 + 150 * i), n * 44_100.0))
        for i, day in enumerate(days)
    ]
    outlook = [WeatherOutlook(geo, 2 * z, z, 2.0, 0.03 * z) for geo, z in anomaly_z.items() if geo in geos]
    return DemandForecast(
        forecast_id="forecast-1",
        tenant_id="demo",
        issued_at="2026-11-22T06:00:00Z",
        model="seasonal",
        step_days=1,
        points=tuple(points),
        total=tuple(total),
        weather_source="forecast",
        note="",
        outlook=tuple(outlook),
        days=tuple(_forecast_days(days)),
    )


def _forecast_days(ahead: Sequence[date]) -> list[ForecastDay]:
    """Four weeks of what happened, then the days ahead."""
    past = [ahead[0] - timedelta(days=28 - i) for i in range(28)]
    return [
        *(ForecastDay(day, 118_000.0 + 6_000.0 * ((i * 5) % 7), 1.8 * np.sin(i / 3)) for i, day in enumerate(past)),
        *(ForecastDay(day, None, 0.6 + 0.1 * i) for i, day in enumerate(ahead)),
    ]


WEATHER = {"chicago": 2.3, "dallas": -0.4, "miami": 0.0}
QUALITY = ForecastQuality(
    chosen="seasonal regression",
    scores=(
        BacktestScore("seasonal regression", 0.081, 364),
        BacktestScore("seasonal naive", 0.127, 364),
        BacktestScore("recent mean", 0.143, 364),
    ),
    origins=(date(2026, 8, 3), date(2026, 9, 7)),
    coverage_80=0.805,
    coverage_low=0.761,
    coverage_high=0.843,
    n=364,
    verdict="calibrated",
    sentence="The 80 % interval held the truth in 80 % of 364 days.",
)


def over(request: PlanRequest, members: Mapping[str, np.ndarray], basis: WeatherBasis = "ensemble") -> PlanRequest:
    """The request over these courses [step, course] of the anomaly by geo."""
    steps = request.steps
    courses = WeatherCourses(
        steps[0].start,
        steps[0].n_days,
        tuple(members),
        (basis,) * len(members),
        tuple(tuple(map(tuple, each.tolist())) for each in members.values()),
        "Some courses.",
    )
    return replace(request, forecast=replace(request.forecast, courses=courses))


def request_of(
    curves: ResponseCurves,
    *,
    media_signal: bool = True,
    weeks: int = 1,
    weather: Mapping[str, float] = WEATHER,
    **changes: object,
) -> PlanRequest:
    """A request on these curves, next week or the next four; `changes` replace its fields."""
    period = Period(START, START + timedelta(days=7 * weeks - 1))
    fields: dict[str, object] = {
        "tenant": Tenant(
            "demo", "Weather & Sons", "USD", demo=True, places=tuple(Place(geo, *NAMES[geo]) for geo in GEOS)
        ),
        "generated_at": "2026-11-22T06:10:00Z",
        "period": period,
        "fit": fit_of(curves, media_signal=media_signal),
        "curves": curves,
        "forecast": forecast_of(curves.geos, period, weather),
        "quality": QUALITY,
    }
    return PlanRequest(**(fields | changes))  # type: ignore[arg-type]
