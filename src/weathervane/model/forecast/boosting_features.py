"""Features of the boosted candidate: what is known at an origin of one period of one series (forecast.md, "Boosting").

Rows are (series, target period, lead); everything that looks back stops at the origin, target − lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDICES
from weathervane.model.forecast.candidate import (
    Floats,
    closed,
    day_of_month,
    day_of_year,
    log_offset,
    offset,
    selling,
    weekday,
)

Ints = NDArray[np.int64]
_NEAR_DAYS = 28  # how far an event is felt
_SPEND_HALF_LIFE_DAYS = 6.0
_IN_THE_LEVEL = ("promotion", "price", "warm", "cold", "temperature", "spend")


@dataclass(frozen=True)
class Running:
    """Sums over time that make the mean of any window one subtraction; stride 7 sums each weekday by itself."""

    total: Floats  # [s, t + stride]
    count: Floats
    stride: int

    @staticmethod
    def of(values: Floats, stride: int = 1) -> Running:
        """Of values [s, t], NaN where unknown."""
        known = np.isfinite(values)
        return Running(_cumulated(np.where(known, values, 0.0), stride), _cumulated(known * 1.0, stride), stride)

    def mean(self, series: Ints, last: Ints, window: int) -> Floats:
        """Mean of the `window` values (a stride apart) up to and including `last`; NaN where none is known."""
        end = np.clip(last, -self.stride, self.total.shape[1] - 1 - self.stride) + self.stride
        start = np.maximum(end - window * self.stride, end % self.stride)
        count = self.count[series, end] - self.count[series, start]
        total = self.total[series, end] - self.total[series, start]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _cumulated(values: Floats, stride: int) -> Floats:
    """[s, t + stride]: sums of every stride-th value, after `stride` columns of zeros."""
    out = np.zeros((values.shape[0], values.shape[1] + stride))
    for phase in range(min(stride, values.shape[1])):
        out[:, stride + phase :: stride] = np.cumsum(values[:, phase::stride], axis=1)
    return out


class FeatureTable:
    """The features of one panel, series in the order of `outcome` [k, g] flattened."""

    def __init__(self, panel: Panel) -> None:
        k, g = panel.outcome.shape[:2]
        self.panel, self.n_series, self.n_past = panel, k * g, panel.n_past
        total, step = len(panel.starts), panel.step_days
        daily = step == 1
        self.week = 7 if daily else 1
        self.year = 364 // step
        self.recent = 28 if daily else 8
        self.offset = offset(panel).reshape(-1)
        self.log = np.full((k * g, total), np.nan)
        self.log[:, : panel.n_past] = log_offset(selling(panel).reshape(k * g, -1), self.offset[:, None])
        self._sums = Running.of(self.log)
        self._weekdays = Running.of(self.log, 7) if daily else None
        self._pool = Running.of(_pooled(self.log.reshape(k, g, total)))
        self._planned = self._plans(panel)

    def base(self, series: Ints, origin: Ints) -> Floats:
        """The level at the origin, log: four weeks' mean (eight, by week), or what there is of a longer past."""
        level = self._sums.mean(series, origin, self.recent)
        for window in (self.year, 4 * self.year):
            level = np.where(np.isfinite(level), level, self._sums.mean(series, origin, window))
        return np.where(np.isfinite(level), level, np.log(self.offset)[series])  # nothing known: nothing sold

    def columns(self, series: Ints, target: Ints, lead: Ints, base: Floats) -> dict[str, Floats]:
        """Each feature [n] of these series, target periods and leads (periods ahead of the origin)."""
        origin = target - lead
        columns = {"lead": lead.astype(np.float64)}
        for window in (1, 3, 7, 14, 91, 364) if self.week == 7 else (1, 2, 4, 13, 26, 52):
            columns[f"mean of {window}"] = self._sums.mean(series, origin, window) - base
        if self._weekdays is not None:
            last = target - 7 * -(-lead // 7)
            for window in (1, 4, 13):
                columns[f"weekday's last {window}"] = self._weekdays.mean(series, last, window) - base
        columns |= self._years_before(series, target, origin)
        columns |= {name: values[series, target] for name, values in self._planned.items()}
        # What the level has in it already.
        columns |= {f"recent {name}": sums.mean(series, origin, self.recent) for name, sums in self._recent.items()}
        return columns

    def lagged(self, series: Ints, target: Ints, horizon: int) -> dict[str, Floats]:
        """Each feature [n] that a whole horizon ahead is known of these series and target periods, in absolute log."""
        origin = target - horizon
        columns = {
            f"lag {lag}": self._sums.mean(series, origin - lag, 1) for lag in range(self.week if self.week > 1 else 4)
        }
        columns["a year before"] = self._sums.mean(series, target - self.year, 1)
        for window in (self.recent, 91 // self.panel.step_days, self.year):
            columns[f"mean of {window}"] = self._sums.mean(series, origin, window)
        if self._weekdays is not None:
            last = target - 7 * -(-horizon // 7)
            columns["weekday's last 4"] = self._weekdays.mean(series, last, 4)
        return columns | {name: values[series, target] for name, values in self._planned.items()}

    def _years_before(self, series: Ints, target: Ints, origin: Ints) -> dict[str, Floats]:
        """How the season went from origin to target in earlier years: the series' own and its category's."""
        columns: dict[str, Floats] = {}
        half = 3 if self.week == 7 else 1
        for years in (1, 2):
            back = years * self.year
            if self.n_past <= back:
                break
            for name, sums in (("own", self._sums), ("category", self._pool)):
                level = sums.mean(series, origin - back, self.recent)
                columns[f"{name} {years} years before"] = sums.mean(series, target - back, 1) - level
                around = sums.mean(series, target - back + half, 2 * half + 1)
                columns[f"{name} around {years} years before"] = around - level
        return columns

    def _plans(self, panel: Panel) -> dict[str, Floats]:
        """[s, t] columns known for past and future alike: calendar, events, closed days, promotion, price, weather."""
        k, g, total = *panel.outcome.shape[:2], len(panel.starts)

        def by_series(values: Floats) -> Floats:
            return np.broadcast_to(values, (k, g, total)).reshape(k * g, total)

        columns = {
            "day of year": by_series(day_of_year(panel)),
            "day of month": by_series(day_of_month(panel)),
            "weekday": by_series(weekday(panel)),
        }
        near = _NEAR_DAYS // panel.step_days
        for e, name in enumerate(panel.events):
            columns[f"to {name}"] = by_series(_signed_distance(panel.event_days[e] > 0, near))
        if len(panel.events) > 1:
            columns["to any event"] = by_series(_signed_distance(np.asarray(panel.event_days.sum(axis=0) > 0), near))
        if panel.closed is not None:
            shut = closed(panel).reshape(k * g, total)
            columns["to closed"] = _signed_distance(shut, 7)
            columns["closed before"] = _trailing(shut.astype(np.float64), 7)
        promotion, price = by_series(panel.promotion), by_series(panel.log_price)
        if np.ptp(promotion) > 0:
            columns |= {
                "promotion": promotion,
                "promotion just before": _shifted(promotion, 1),
                "promotion just after": _shifted(promotion, -1),
                "promotion a year before": _shifted(promotion, self.year),
                "promotion before": _trailing(promotion, max(1, 14 // panel.step_days)),
            }
        if np.ptp(price) > 0:
            columns["price"] = price
        if panel.weather_source != "none":
            for name, values in zip(INDICES, panel.weather, strict=True):
                columns[name] = by_series(values)
                columns[f"{name} before"] = by_series(_trailing(values, 3 if self.week == 7 else 1))
            if panel.temp_c is not None:
                columns |= {
                    "temperature": by_series(panel.temp_c),
                    "temperature before": by_series(_shifted(panel.temp_c, 1)),
                }
        if panel.channels:
            columns["spend"] = by_series(_carried_spend(panel))
        self._recent = {name: Running.of(columns[name]) for name in _IN_THE_LEVEL if name in columns}
        return columns


def _pooled(log: Floats) -> Floats:
    """[k·g, t]: at each period, the mean over the category's places of log minus each place's own mean."""
    known = np.isfinite(log)
    own = np.where(known, log, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    deviation = np.where(known, log - own[..., None], 0.0).sum(axis=1)
    count = known.sum(axis=1)
    mean = np.where(count > 0, deviation / np.maximum(count, 1), np.nan)
    return np.repeat(mean, log.shape[1], axis=0)


def _signed_distance(on: NDArray[Any], limit: int) -> Floats:
    """[…, t]: periods to the nearest such period, negative before it; NaN where none lies within `limit`."""
    t = np.arange(on.shape[-1])
    last = np.maximum.accumulate(np.where(on, t, -10_000), axis=-1)
    following = np.minimum.accumulate(np.where(on, t, 10_000_000)[..., ::-1], axis=-1)[..., ::-1]
    since, until = t - last, following - t
    signed = np.where(since <= until, since, -until).astype(np.float64)
    return np.where(np.minimum(since, until) <= limit, signed, np.nan)


def _shifted(values: Floats, by: int) -> Floats:
    """[…, t]: the value `by` periods earlier; NaN beyond the ends."""
    out: Floats = np.full(values.shape, np.nan)
    if abs(by) >= values.shape[-1]:
        return out
    if by > 0:
        out[..., by:] = values[..., :-by]
    else:
        out[..., :by] = values[..., -by:]
    return out


def _trailing(values: Floats, window: int) -> Floats:
    """Mean over the `window` periods before each one."""
    total: Floats = np.zeros(values.shape)
    known = np.nan_to_num(values)
    for lag in range(1, min(window, values.shape[-1] - 1) + 1):
        total[..., lag:] += known[..., :-lag]
    return total / window


def _carried_spend(panel: Panel) -> Floats:
    """[g, t]: all channels' spend, carried over, in multiples of its mean; where no plan is known, as of late."""
    n, step = panel.n_past, panel.step_days
    spend = np.nan_to_num(panel.spend).sum(axis=0)
    unplanned: NDArray[np.bool_] = np.isfinite(panel.spend).sum(axis=0) == 0
    unplanned[:, :n] = False
    recent = spend[:, max(0, n - 28 // step) : n].mean(axis=1, keepdims=True)
    spend = np.where(unplanned, recent, spend) / np.maximum(spend[:, :n].mean(axis=1, keepdims=True), 1e-9)
    keep = 0.5 ** (step / _SPEND_HALF_LIFE_DAYS)
    carried: Floats = np.empty(spend.shape)
    carried[:, 0] = spend[:, 0]
    for t in range(1, spend.shape[1]):
        carried[:, t] = keep * carried[:, t - 1] + (1 - keep) * spend[:, t]
    return carried
