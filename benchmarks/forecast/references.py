"""What a forecast has to beat: two naive ones, and the LightGBM that anyone would write in an hour."""

from __future__ import annotations

import lightgbm
import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.forecast.floors import RECENT_MEAN, SEASONAL_NAIVE, RecentMean, SeasonalNaive

Floats = NDArray[np.float64]
PLAIN = "plain LightGBM"
PLAIN_LEVELS = (0.1, 0.5, 0.9)
REFERENCES = (SEASONAL_NAIVE, RECENT_MEAN, PLAIN)


def refer(panel: Panel) -> dict[str, Floats]:
    """Demand [k, g, horizon] by each reference."""
    naive = {each.name: each.fit(panel).predict(panel) for each in (SeasonalNaive(), RecentMean())}
    return {**naive, PLAIN: plain_lightgbm(panel)}


def plain_lightgbm(panel: Panel) -> Floats:
    """Default LightGBM on log1p, pooled: lags beyond the horizon, last year's value, calendar, plans, weather."""
    return _grown(panel, *_rows(panel), {})


def plain_quantiles(panel: Panel) -> Floats:
    """[level, k, g, horizon]: the same LightGBM with quantile loss, one model a level, and nothing done afterwards."""
    rows, log = _rows(panel)
    return np.stack([_grown(panel, rows, log, {"objective": "quantile", "alpha": each}) for each in PLAIN_LEVELS])


def _grown(panel: Panel, rows: NDArray[np.float32], log: Floats, options: dict[str, float | str]) -> Floats:
    """Demand [k, g, horizon] by a hundred trees on rows [s, t, feature] and log1p of demand [s, t]."""
    k, g, total = panel.outcome.shape
    n, horizon = panel.n_past, total - panel.n_past
    known = np.isfinite(log[:, :n]) & (np.arange(n) >= horizon)
    fixed = {"verbosity": -1, "num_threads": 1, "seed": 0, "deterministic": True, "force_row_wise": True}
    model = lightgbm.train({**fixed, **options}, lightgbm.Dataset(rows[:, :n][known], log[:, :n][known]), 100)
    made = np.expm1(np.asarray(model.predict(rows[:, n:].reshape(-1, rows.shape[-1]), num_threads=1)))
    return np.maximum(made, 0.0).reshape(k, g, horizon)


def _rows(panel: Panel) -> tuple[NDArray[np.float32], Floats]:
    """[s, t, feature] and log1p of demand [s, t]."""
    k, g, total = panel.outcome.shape
    horizon = total - panel.n_past
    log = np.log1p(np.maximum(panel.outcome, 0.0)).reshape(k * g, total)
    week, year = (7, 364) if panel.step_days == 1 else (1, 52)
    columns = [_lagged(log, lag) for lag in (*range(horizon, horizon + 7 if week == 7 else horizon + 4), year)]
    columns.append(_lagged(_rolling(log, 4 * week if week == 7 else 8), horizon))

    def spread(values: Floats) -> Floats:
        return np.broadcast_to(values, (k, g, total)).reshape(k * g, total)

    calendar = [(day.weekday(), day.day, day.month, day.timetuple().tm_yday) for day in panel.starts]
    columns += [spread(np.array(values, dtype=np.float64)) for values in zip(*calendar, strict=True)]
    columns += [spread(np.arange(k)[:, None, None] * 1.0), spread(np.arange(g)[:, None] * 1.0)]
    columns += [spread(panel.promotion), *(spread(days) for days in panel.event_days)]
    if panel.weather_source != "none":
        columns += [spread(values) for values in panel.weather]
        columns += [] if panel.temp_c is None else [spread(panel.temp_c)]
    return np.stack(columns, axis=-1).astype(np.float32), log


def _lagged(values: Floats, lag: int) -> Floats:
    out = np.full_like(values, np.nan)
    if lag < values.shape[1]:
        out[:, lag:] = values[:, :-lag]
    return out


def _rolling(values: Floats, window: int) -> Floats:
    """Mean of the last `window` values, of those that are known."""
    known = np.isfinite(values)
    total = np.cumsum(np.where(known, values, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    total[:, window:] -= total[:, :-window].copy()
    count[:, window:] = count[:, window:] - count[:, :-window]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
