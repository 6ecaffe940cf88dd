"""Generated demand: what customers want, and what the shop then sells (docs/modeling/synthetic-worlds.md, "Demand")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from weathervane.connectors.synthetic.markets import Market
from weathervane.connectors.synthetic.specs import CategorySpec, WorldSpec
from weathervane.connectors.synthetic.streams import Floats, persistent, stream
from weathervane.connectors.synthetic.weather import Days, Weather

# Share of a weather effect felt 0, 1, … days after; the negative tail is demand that was only brought forward.
WEATHER_LAGS = np.array([0.60, 0.30, 0.20, 0.10, 0.00, -0.08, -0.12])
INDICES = ("warm", "cold", "wet")

_WEEKDAY = np.array([0.06, 0.02, 0.0, -0.01, -0.05, -0.06, 0.04])  # Monday first, log
_TREND_A_YEAR, _TREND_SPREAD = 0.06, 0.02
_PROMOTION_LIFT, _PROMOTION_PAYBACK, _PAYBACK_DAYS = 2.2, 0.25, 14
_PRICE_ELASTICITY = -0.8
_EVENTS = {
    "Black Friday": 0.55,
    "Cyber Monday": 0.50,
    "Super Saturday": 0.20,
    "Mid-July Sale": 0.25,
    "Mid-July Sale, second day": 0.20,
    "Mother's Day": 0.05,
    "Father's Day": 0.05,
    "Valentine's Day": 0.03,
    "Back to School": 0.10,
    "Boxing Day Sales": 0.30,
    "Thanksgiving Day": -0.15,
    "Christmas Day": -0.60,
    "New Year's Day": -0.20,
}
_OTHER_HOLIDAY = -0.04
_SHOCK, _DRIFT, _DRIFT_PERSISTENCE, _DAY_NOISE, _BASKET_NOISE = 0.012, 0.05, 0.7, 0.03, 0.35


@dataclass(frozen=True)
class Offers:
    """What the shop asks for: promotion depth and price index, [day, category]; days may run past the history."""

    depth: Floats
    price: Floats


def offers(seed: int, categories: Sequence[CategorySpec], n_days: int) -> Offers:
    """Promotions of four to seven days every few weeks, and prices that move a little every quarter."""
    depth = np.zeros((n_days, len(categories)))
    price = np.ones((n_days, len(categories)))
    for c, category in enumerate(categories):
        draw = stream(seed, "demand/promotions", category.name)
        day = int(draw.integers(10, 50))
        while day < n_days:
            length = int(draw.integers(4, 8))
            depth[day : day + length, c] = draw.choice([0.1, 0.15, 0.2, 0.25])
            day += length + int(draw.integers(24, 60))
        draw = stream(seed, "demand/prices", category.name)
        steps = np.exp(np.cumsum(0.02 * draw.standard_normal(n_days // 91 + 1)))
        price[:, c] = np.round(np.repeat(steps, 91)[:n_days], 3)
    return Offers(depth, price)


def baseline(
    seed: int, spec: WorldSpec, markets: Sequence[Market], days: Days, calendar: pl.DataFrame, on_offer: Offers
) -> Floats:
    """Revenue expected in usual weather without media, currency a day [day, geo, category]."""
    years = (days - days[0]).astype(np.float64) / 365.25
    day_of_year = (days - days.astype("datetime64[Y]")).astype(np.float64)
    weekday = (days.astype(np.int64) + 3) % 7
    offered = slice(0, len(days))
    season = np.column_stack(
        [c.season * np.cos(2 * np.pi * (day_of_year - c.peak_day) / 365.25) for c in spec.categories]
    )
    common = season + _promotion_effect(on_offer.depth)[offered] + _PRICE_ELASTICITY * np.log(on_offer.price[offered])
    common = common + _WEEKDAY[weekday][:, None]
    logs = np.empty((len(days), len(markets), len(spec.categories)))
    for g, market in enumerate(markets):
        geo = market.place.geo
        draw = stream(seed, "demand/place", geo)
        level = np.log(market.people * spec.revenue_per_head_year / 365.25) + 0.15 * draw.standard_normal()
        trend = (_TREND_A_YEAR + _TREND_SPREAD * draw.standard_normal()) * years
        of_place = level + trend + _event_effect(calendar, geo, days)
        for c, category in enumerate(spec.categories):
            taste = 0.1 * stream(seed, "demand/taste", geo, category.name).standard_normal()
            logs[:, g, c] = of_place + common[:, c] + np.log(category.share) + taste
    return np.exp(logs)


def weather_log_effect(categories: Sequence[CategorySpec], weather: Weather) -> Floats:
    """Log-effect of the weather on demand, spread over its lags, [day, geo, category]; 0 in usual weather."""
    indices = {"warm": np.maximum(weather.z, 0.0), "cold": np.maximum(-weather.z, 0.0), "wet": weather.wet}
    felt = {name: _lagged(values) for name, values in indices.items()}
    return np.stack([sum(getattr(c, name) * felt[name] for name in INDICES) for c in categories], axis=2)


def demand_noise(seed: int, categories: Sequence[CategorySpec], geos: Sequence[str], n_days: int) -> Floats:
    """What multiplies expected demand, mean one: a small national weekly shock, local drift, day noise."""
    shock = np.repeat(stream(seed, "demand/shock").standard_normal(n_days // 7 + 1), 7)[:n_days] * _SHOCK
    noise = np.empty((n_days, len(geos), len(categories)))
    for g, geo in enumerate(geos):
        for c, category in enumerate(categories):
            draw = stream(seed, "demand/noise", geo, category.name)
            white = draw.standard_normal((n_days, 2))
            drift = _DRIFT * persistent(white[:, :1], _DRIFT_PERSISTENCE)[:, 0]
            noise[:, g, c] = shock + drift + _DAY_NOISE * white[:, 1]
    variance = _SHOCK**2 + _DRIFT**2 + _DAY_NOISE**2
    return np.exp(noise - variance / 2)


def stock(seed: int, spec: WorldSpec, geos: Sequence[str], n_days: int) -> Floats:
    """In-stock share [day, geo, category]: shortages of 5 to 20 days, as often as the world declares."""
    share = np.ones((n_days, len(geos), len(spec.categories)))
    start = spec.stockout_share / 12.5  # their mean length
    for g, geo in enumerate(geos):
        for c, category in enumerate(spec.categories):
            draw = stream(seed, "demand/stock", geo, category.name)
            for day in np.flatnonzero(draw.uniform(size=n_days) < start):
                length = int(draw.integers(5, 21))
                share[day : day + length, g, c] = round(float(draw.uniform(0.15, 0.8)), 2)
    return share


def sales(seed: int, categories: Sequence[CategorySpec], geos: Sequence[str], days: Days, rate: Floats) -> pl.DataFrame:
    """Rows of the SALES contract for revenue expected at `rate` [day, geo, category], counts drawn around it."""
    frames: list[pl.DataFrame] = []
    for g, geo in enumerate(geos):
        for c, category in enumerate(categories):
            draw = stream(seed, "demand/orders", geo, category.name)
            orders = draw.poisson(rate[:, g, c] / category.basket)
            spread = _BASKET_NOISE / np.sqrt(np.maximum(orders, 1))
            basket = category.basket * np.exp(spread * draw.standard_normal(len(days)) - spread**2 / 2)
            new = draw.binomial(orders, 0.3)
            frames.append(
                pl.DataFrame(
                    {
                        "geo": np.full(len(days), geo),
                        "date": days,
                        "category": np.full(len(days), category.name),
                        "net_revenue": np.round(orders * basket, 2),
                        "orders": orders.astype(np.float64),
                        "units": (orders + draw.poisson(0.4 * orders)).astype(np.float64),
                        "new_customer_share": np.where(orders > 0, new / np.maximum(orders, 1), np.nan),
                    }
                )
            )
    return pl.concat(frames).with_columns(pl.col("new_customer_share").fill_nan(None))


def _promotion_effect(depth: Floats) -> Floats:
    """Log-lift of a promotion while it runs, and the dip after it: some purchases were only brought forward."""
    lift = _PROMOTION_LIFT * depth
    kernel = np.exp(-np.arange(1, _PAYBACK_DAYS + 1) / 5.0)
    kernel *= _PROMOTION_PAYBACK / kernel.sum()
    dip = np.zeros_like(lift)
    for lag, weight in enumerate(kernel, start=1):
        dip[lag:] += weight * lift[:-lag]
    return lift - np.where(depth > 0, 0.0, dip)


def _event_effect(calendar: pl.DataFrame, geo: str, days: Days) -> Floats:
    """Log-effect of the calendar of one place [day]."""
    effect = np.zeros(len(days))
    of_geo = calendar.filter(pl.col("geo") == geo)
    for day, event, kind in of_geo.select("date", "event", "kind").iter_rows():
        at = (np.datetime64(day, "D") - days[0]).astype(int)
        if 0 <= at < len(days):
            effect[at] += _EVENTS.get(event, _OTHER_HOLIDAY if kind == "public_holiday" else 0.0)
    return effect


def _lagged(values: Floats) -> Floats:
    """Values spread over WEATHER_LAGS along the days; before the first day there is nothing."""
    spread = np.zeros_like(values)
    for lag, weight in enumerate(WEATHER_LAGS):
        spread[lag:] += weight * values[: len(values) - lag]
    return spread
