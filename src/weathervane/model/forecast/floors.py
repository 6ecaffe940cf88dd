"""The floors: forecasts that need no model, which every other candidate has to beat (forecast.md, "The floors")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Fitted, Floats, selling

SEASONAL_NAIVE, WEEKDAY_MEANS, RECENT_MEAN = "seasonal naive", "weekday means", "recent mean"
EIGHT_WEEKS, YEAR_AGO = "eight-week weekday means", "a year ago"
_DAYS, _WEEKS = 28, 8  # what counts as recent, by day and by week


@dataclass(frozen=True)
class SeasonalNaive:
    """The same weekday's last value, or the same week a year ago where there is one."""

    name: str = SEASONAL_NAIVE

    def fit(self, panel: Panel) -> Fitted:  # noqa: ARG002  a floor learns nothing
        """Itself."""
        return self

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        n, horizon = panel.n_past, len(panel.starts) - panel.n_past
        season = 7 if panel.step_days == 1 else 52
        season = season if season <= n else 1
        return _filled(selling(panel), season)[:, :, n - season + np.arange(horizon) % season]


@dataclass(frozen=True)
class WeekdayMeans:
    """The mean of the last four (or so many) values of the same weekday; by week, the last value (or so many)."""

    name: str = WEEKDAY_MEANS
    weeks: int = 4

    def fit(self, panel: Panel) -> Fitted:  # noqa: ARG002
        """Itself."""
        return self

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        n, horizon = panel.n_past, len(panel.starts) - panel.n_past
        season = 7 if panel.step_days == 1 else 1
        past = selling(panel)
        at = n - season + np.arange(horizon) % season
        count = self.weeks if season == 7 or self.name != WEEKDAY_MEANS else 1
        weeks = [past[:, :, at - season * back] for back in range(count) if n - season * (back + 1) >= 0]
        weeks = weeks or [past[:, :, np.maximum(at, 0)]]
        return _or_mean(np.stack(weeks), past)


@dataclass(frozen=True)
class YearAgo:
    """The value 364 days before, where known, else the mean of the last eight of the same weekday (or weeks)."""

    name: str = YEAR_AGO

    def fit(self, panel: Panel) -> Fitted:  # noqa: ARG002
        """Itself."""
        return self

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        n, horizon, year = panel.n_past, len(panel.starts) - panel.n_past, 364 // panel.step_days
        otherwise = WeekdayMeans(EIGHT_WEEKS, 8).predict(panel)
        at = n + np.arange(horizon) - year
        then = selling(panel)[:, :, np.maximum(at, 0)]
        return np.where(np.isfinite(then) & (at >= 0), np.maximum(np.nan_to_num(then), 0.0), otherwise)


@dataclass(frozen=True)
class RecentMean:
    """The mean of the last four weeks (eight, by week)."""

    name: str = RECENT_MEAN

    def fit(self, panel: Panel) -> Fitted:  # noqa: ARG002
        """Itself."""
        return self

    def predict(self, panel: Panel) -> Floats:
        """Demand [k, g, horizon]."""
        horizon = len(panel.starts) - panel.n_past
        past = selling(panel)
        recent = past[:, :, -(_DAYS if panel.step_days == 1 else _WEEKS) :]
        return np.repeat(_or_mean(np.moveaxis(recent, 2, 0)[..., None], past), horizon, axis=2)


def _or_mean(values: Floats, past: Floats) -> Floats:
    """Mean over the first axis of what is known; the series' mean, or else zero, where nothing is."""
    return np.maximum(_mean(values, 0, np.broadcast_to(_mean(past, 2, 0.0)[..., None], values.shape[1:])), 0.0)


def _mean(values: Floats, axis: int, otherwise: Floats | float) -> Floats:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(known.any(axis=axis), total / np.maximum(known.sum(axis=axis), 1), otherwise)


def _filled(past: Floats, season: int) -> Floats:
    """Missing values of the last season taken from the seasons before, else the series' mean."""
    out = np.broadcast_to(_mean(past, 2, 0.0)[..., None], past.shape).copy()
    for back in range(4, -1, -1):
        earlier = np.full_like(past, np.nan)
        if back * season < past.shape[2]:
            earlier[:, :, back * season :] = past[:, :, : past.shape[2] - back * season]
        out = np.where(np.isfinite(earlier), earlier, out)
    return np.maximum(out, 0.0)
