"""Scenario demand: what other weather or promotions do to demand in a plan's period, whatever is spent.

Formulas in docs/modeling/planning.md, "Scenarios".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from weathervane.contracts.forecast import DemandForecast
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.period import Period
from weathervane.contracts.response import PromotionEffect, WeatherEffect
from weathervane.contracts.scenario import Promotion
from weathervane.planning.problem import Floats

_DRAWS = 1000
_TAIL = 1.6449  # standard deviations to the 5th and 95th percent of a Gaussian
NO_RAIN = "The model in use measured no effect of rain on demand: the rain of that period changes nothing here."
NO_WEATHER = "The model in use measured no effect of weather on demand."
NO_PROMOTION = (
    "No effect of promotions was measured, because the history holds none, so switching them changes nothing here."
)
OLD_MODEL = "The model in use was fitted before effects of promotions were kept: `weathervane train` measures them."

Indices = Mapping[str, Mapping[str, float]]  # geo -> index -> mean over the days of the period
Series = tuple[str, str]  # (geo, category)


@dataclass(frozen=True)
class Demand:
    """The demand [s] that is forecast for the period by series, with the part of its logarithm that is the weather's,
    and the mean temperature anomaly [s] that part is of.
    """

    series: tuple[Series, ...]
    forecast: Floats
    by_weather: Floats
    z: Floats


def demand_in(forecast: DemandForecast, period: Period) -> Demand:
    """Medians, added up over the period; the outlook says how much of a place's demand is its weather's."""
    sums: dict[Series, float] = {}
    for point in forecast.points:
        if period.start <= point.date <= period.end:
            key = (point.geo, point.category)
            sums[key] = sums.get(key, 0.0) + point.demand.p50
    outlook = {each.geo: (each.demand_weather_rel or 0.0, each.temp_anomaly_z or 0.0) for each in forecast.outlook}
    series = tuple(sorted(sums))
    here = np.array([outlook.get(geo, (0.0, 0.0)) for geo, _ in series]).reshape(-1, 2)
    return Demand(series, np.array([sums[each] for each in series]), np.log1p(here[:, 0]), here[:, 1])


def under_weather(
    demand: Demand, effects: Sequence[WeatherEffect], indices: Indices
) -> tuple[Floats | None, tuple[str, ...]]:
    """Draws [d] of the change of demand under weather with these mean indices, and what cannot be answered."""
    if not effects:
        return None, (NO_WEATHER,)
    by_name = {(each.category, each.index): each for each in effects}
    drawn = {key: _drawn(key, each.rel_p05, each.rel_p50, each.rel_p95) for key, each in by_name.items()}
    change = np.zeros(_DRAWS)
    for (geo, category), now, forecast, z in zip(
        demand.series, demand.forecast, demand.by_weather, demand.z, strict=True
    ):
        # What the forecast counts for its own weather errs as the effects do, so what both share cancels.
        foreseen = {"warm": max(z, 0.0), "cold": max(-z, 0.0)}
        more = np.full(_DRAWS, -forecast)
        for (of, index), draws in drawn.items():
            if of == category:
                error = draws - np.log1p(by_name[of, index].rel_p50)
                more += draws * indices.get(geo, {}).get(index, 0.0) - error * foreseen.get(index, 0.0)
        change += now * np.expm1(more)
    rains = any(each.get("wet") for each in indices.values())
    return change, (NO_RAIN,) if rains and not any(index == "wet" for _, index in by_name) else ()


def under_promotion(
    demand: Demand, effects: Sequence[PromotionEffect] | None, case: Promotion, planned: Mapping[Series, float]
) -> tuple[Floats | None, tuple[str, ...]]:
    """The same for every day of the period promoted at the usual depth, or none; `planned` is the mean depth by series.

    A category without promotions in its history is left as it is.
    """
    if effects is None:
        return None, (OLD_MODEL,)
    by_name = {each.category: each for each in effects}
    found = [category for _, category in demand.series if category in by_name]
    if not found:
        return None, (NO_PROMOTION,)
    drawn = {
        name: _drawn((name, "promotion"), each.rel_p05, each.rel_p50, each.rel_p95) for name, each in by_name.items()
    }
    change = np.zeros(_DRAWS)
    for (geo, category), now in zip(demand.series, demand.forecast, strict=True):
        if category in by_name:
            usual = by_name[category].depth_share
            more = (usual if case == "on" else 0.0) - planned.get((geo, category), 0.0)
            change += now * np.expm1(drawn[category] * more / usual)
    without = sorted({category for _, category in demand.series} - set(by_name))
    said = (f"No promotion of {without[0]} is in the history: it stays as it is.",) if without else ()
    return change, said


def planned_depths(promotions: pl.DataFrame, series: Sequence[Series], period: Period) -> dict[Series, float]:
    """Mean depth a day over the period by series; a coarser series has the mean of the finer ones it holds."""
    inside = promotions.filter(pl.col("date").is_between(period.start, period.end))
    found: dict[Series, float] = {}
    for geo, category in series:
        of_geo = pl.lit(value=True) if geo == NATIONAL else pl.col("geo") == geo
        of_both = of_geo & (pl.lit(value=True) if category == TOTAL else pl.col("category") == category)
        n = promotions.filter(of_both).select(pl.struct("geo", "category").n_unique()).item()
        found[geo, category] = float(inside.filter(of_both)["depth_share"].sum()) / (max(n, 1) * period.n_days)
    return found


def _drawn(key: tuple[str, str], low: float, middle: float, high: float) -> Floats:
    """Draws [d] of the logarithm of one plus an effect, from its 90 % interval; the same for a key in any order."""
    spread = (np.log1p(high) - np.log1p(low)) / (2 * _TAIL)
    seed = [*"/".join(key).encode()]
    return np.log1p(middle) + spread * np.random.default_rng(seed).normal(size=_DRAWS)
