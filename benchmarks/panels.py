"""Panels: media data of any size with known returns, for measuring how cost and accuracy grow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.period import Period
from weathervane.model.features.build import Panel
from weathervane.model.mmm.design import Likelihood

Floats = NDArray[np.float64]
_FIRST = date(2022, 1, 3)  # a Monday
_SHARE = 0.04  # of the outcome is spent on each channel
_RUN_UP = 60
_DRY = 0.4  # above this a standard normal rains: on about a third of the days


@dataclass(frozen=True)
class Simulated:
    """A panel of totals and the returns, contribution shares [c] it was made with."""

    panel: Panel
    roi: Floats
    share: Floats
    lift: float = 0.0  # what the cut spend of a test would have caused in its places, over its days
    cut: float = 0.0  # how much was not spent
    treated: tuple[str, ...] = ()
    window: Period | None = None


@dataclass(frozen=True)
class Cut:
    """A test: one channel off in the first half of the geos for `n_weeks`, ending `before_end` weeks before the end."""

    channel: int
    n_weeks: int = 6
    before_end: int = 8


def simulate(
    n_geos: int,
    n_periods: int,
    n_channels: int,
    step_days: int,
    seed: int,
    noise: float = 0.05,
    local: float = 0.4,
    cut: Cut | None = None,
    wet: tuple[float, ...] = (),
) -> Simulated:
    """Geometric carry-over by the day, Hill saturation, returns from 0.5 to 2.5 that differ between geos.

    Outcome = level × (season, weekday, weather, a shock a week common to all geos, AR(1) noise) + media. `local` is the
    spread of log spend of a place about the national one, by week: what makes returns readable without a test. `wet`
    [c] is the change of each return from all dry to all wet; then it rains on about a third of the days.
    """
    rng = np.random.default_rng(seed)
    g, c, days = n_geos, n_channels, n_periods * step_days + _RUN_UP
    level = np.exp(rng.normal(9.0, 0.6, g))
    week = np.arange(days) // 7
    n_weeks = int(week[-1]) + 1
    national = np.exp(_persistent(rng, (c, 1, n_weeks), 0.9, 0.45))
    local = np.exp(_persistent(rng, (c, g, n_weeks), 0.6, local))
    spend = _SHARE * level[:, None] * (national * local)[:, :, week] * np.exp(rng.normal(0, 0.08, (c, g, days)))
    half_life, half_saturation = rng.uniform(2, 12, c), rng.uniform(0.8, 2.0, c)
    true_roi = rng.permutation(np.linspace(0.5, 2.5, c)) if c > 1 else np.array([1.5])
    z = _persistent(rng, (g, days), 0.75, 1.0)
    strength = np.exp(rng.normal(0, 0.2, (c, g, 1)))

    def caused_by(paid: Floats, i: int) -> Floats:
        keep = 0.5 ** (1 / half_life[i])
        carried = paid / level[:, None] / (spend[i] / level[:, None]).mean()
        for day in range(1, days):
            carried[:, day] = keep * carried[:, day - 1] + (1 - keep) * carried[:, day]
        return np.asarray(carried / (carried + half_saturation[i]) * level[:, None] * strength[i])

    usual = np.stack([caused_by(spend[i], i) for i in range(c)])
    scale = true_roi * spend[:, :, _RUN_UP:].sum(axis=(1, 2)) / usual[:, :, _RUN_UP:].sum(axis=(1, 2))
    # A generator of its own, so that the same seed is the same world without rain.
    raining = _persistent(np.random.default_rng([seed, 5]), (g, days), 0.5, 1.0) > _DRY if wet else np.zeros((g, days))
    wetness = raining - raining[:, _RUN_UP:].mean(axis=1, keepdims=True)
    pull = 1 + np.array(wet or [0.0] * c)[:, None, None] / true_roi[:, None, None] * wetness
    media = usual * scale[:, None, None] * pull
    test: dict[str, Any] = {}
    if cut is not None:
        start = days - 7 * (cut.before_end + cut.n_weeks)
        tested, treated = slice(start, start + 7 * cut.n_weeks), slice(0, g // 2)
        test["cut"] = float(spend[cut.channel, treated, tested].sum())
        remaining = spend[cut.channel].copy()
        remaining[treated, tested] = 0.0
        off = caused_by(remaining.copy(), cut.channel) * scale[cut.channel] * pull[cut.channel]
        test["lift"] = float((media[cut.channel] - off)[treated, tested].sum())
        test["treated"] = tuple(f"geo-{i:03d}" for i in range(g // 2))
        first = _FIRST + timedelta(days=start - _RUN_UP)
        test["window"] = Period(first, first + timedelta(days=7 * cut.n_weeks - 1))
        media[cut.channel], spend[cut.channel] = off, remaining
    time = np.arange(days)
    shape = 0.8 + 0.1 * np.cos(2 * np.pi * time / 365.25) + 0.05 * ((time % 7) >= 5)
    base = level[:, None] * (shape + 0.02 * z - 0.03 * wetness + 0.015 * rng.standard_normal(n_weeks)[week])
    daily_noise = noise * np.sqrt(7.0 / step_days) if step_days == 7 else noise * 1.5
    outcome = base + level[:, None] * _persistent(rng, (g, days), 0.3, daily_noise) + media.sum(axis=0)

    def periods(rows: Floats, measure: str = "sum") -> Floats:
        kept = rows[..., _RUN_UP:]
        folded = kept.reshape(*kept.shape[:-1], n_periods, step_days)
        return np.asarray(folded.sum(axis=-1) if measure == "sum" else folded.mean(axis=-1))

    total, paid, caused = periods(outcome), periods(spend), periods(media)
    mean_z, mean_wet = periods(z, "mean"), periods(wetness, "mean")
    zeros = np.zeros((1, g, n_periods))
    panel = Panel(
        step_days=step_days,
        geos=tuple(f"geo-{i:03d}" for i in range(g)),
        categories=("total",),
        channels=tuple(f"channel-{i:02d}" for i in range(c)),
        events=(),
        starts=tuple(_FIRST + timedelta(days=i * step_days) for i in range(n_periods)),
        n_past=n_periods,
        outcome=total[None],
        spend=paid,
        in_stock=np.ones((1, g, n_periods)),
        promotion=zeros,
        log_price=zeros,
        weather=np.stack([np.maximum(mean_z, 0), np.maximum(-mean_z, 0), mean_wet]),
        z=mean_z,
        temp_anomaly_c=4 * mean_z,
        wet_days=periods(np.asarray(raining, dtype=np.float64)),
        event_days=np.zeros((0, g, n_periods)),
        weather_source="forecast",
        notes=(),
    )
    roi, share = caused.sum(axis=(1, 2)) / paid.sum(axis=(1, 2)), caused.sum(axis=(1, 2)) / total.sum()
    return Simulated(panel, roi, share, **test)


def scattered(kind: Likelihood, seed: int, n_geos: int = 4, n_weeks: int = 80) -> tuple[Panel, Floats]:
    """A weekly panel of two channels whose outcome scatters as that likelihood says, and their true returns [2].

    `censored` sells out in 15 % of weeks and then sells up to 40 % less; `student` has three degrees of freedom;
    `negative_binomial` counts some 60 a week with a dispersion of 30. Where effects multiply, a return is what would
    not have been sold without the channel.
    """
    rng = np.random.default_rng([seed, 4])
    g, t, c = n_geos, n_weeks, 2
    level = 60.0 if kind == "negative_binomial" else 1e5
    flights = np.repeat(rng.normal(0.0, 0.6, (c, g, t // 4 + 1)), 4, axis=2)[:, :, :t]
    spend = 0.06 * level * np.exp(flights + rng.normal(0.0, 0.3, (c, g, t)))
    carried = spend / spend.mean(axis=(1, 2), keepdims=True)
    for week in range(1, t):
        carried[..., week] = 0.4 * carried[..., week - 1] + 0.6 * carried[..., week]
    response = carried / (carried + 1.2)
    size = spend.mean(axis=(1, 2)) / level / response.mean(axis=(1, 2)) * np.array([1.0, 2.0])
    part = response * size[:, None, None]
    season = 0.08 * np.cos(2 * np.pi * np.arange(t) / 52.18) + np.zeros((g, t))
    in_stock = np.ones((1, g, t))
    if kind in ("log_normal", "negative_binomial"):
        expected = 0.8 * level * np.exp(season + part.sum(axis=0))
        caused = expected * (1 - np.exp(-part))
        if kind == "log_normal":
            outcome = expected * np.exp(0.05 * rng.standard_normal((g, t)) - 0.05**2 / 2)
        else:
            outcome = rng.poisson(expected * rng.gamma(30.0, 1 / 30.0, (g, t))).astype(np.float64)
    else:
        noise = rng.standard_t(3, (g, t)) if kind == "student" else rng.standard_normal((g, t))
        caused = level * part
        outcome = level * (0.8 + season + part.sum(axis=0) + 0.04 * noise)
        if kind == "censored":
            short = rng.uniform(size=(g, t)) < 0.15
            outcome = np.where(short, outcome * rng.uniform(0.6, 1.0, (g, t)), outcome)
            in_stock[0] = np.where(short, 0.5, 1.0)
    z = rng.normal(0.0, 0.8, (g, t))
    zeros = np.zeros((1, g, t))
    panel = Panel(
        step_days=7,
        geos=tuple(f"geo-{i:02d}" for i in range(g)),
        categories=("total",),
        channels=("first", "second"),
        events=(),
        starts=tuple(_FIRST + timedelta(days=7 * i) for i in range(t)),
        n_past=t,
        outcome=outcome[None],
        spend=spend,
        in_stock=in_stock,
        promotion=zeros,
        log_price=zeros,
        weather=np.stack([np.maximum(z, 0), np.maximum(-z, 0), zeros[0]]),
        z=z,
        temp_anomaly_c=4 * z,
        wet_days=zeros[0],
        event_days=np.zeros((0, g, t)),
        weather_source="forecast",
        notes=(),
    )
    return panel, caused.sum(axis=(1, 2)) / spend.sum(axis=(1, 2))


def _persistent(rng: np.random.Generator, shape: tuple[int, ...], rho: float, sd: float) -> Floats:
    """An AR(1) along the last axis with this lag-1 correlation and standard deviation."""
    out = rng.standard_normal(shape)
    for t in range(1, shape[-1]):
        out[..., t] = rho * out[..., t - 1] + np.sqrt(1 - rho**2) * out[..., t]
    return sd * out
