"""The value of weather: the same forecasts at the same origins with it and without (forecast.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.forecast import ValueOfWeather
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats
from weathervane.model.forecast.width import weather_noise

_DRAWS = 2000
_SEED = 11
_INTERVAL = (0.05, 0.95)
_ERROR_AT_ONE_DAY_C = 1.1  # of a temperature forecast a day ahead; it knows nothing from two weeks on
_LAST_LEAD_DAYS = 14


def without_weather(panel: Panel) -> Panel:
    """The panel with no weather in it."""
    return replace(panel, weather=np.zeros_like(panel.weather), weather_source="none", temp_c=None, doubt=None)


def as_if_forecast(then: Panel, later: Panel) -> Panel:
    """The panel of an origin with forecasts of the weather that came, as wrong as forecasts are at each lead.

    `later` is a panel that has seen that weather. Of the variance of an anomaly a forecast knows the share ρ² at its
    lead; what is expected, given it, is ρ² · anomaly + ρ √(1 − ρ²) · noise (forecast.md, "The value of weather").
    """
    n, total = then.n_past, len(then.starts)
    seen = [later.starts.index(day) for day in then.starts[n:]]
    days_ahead = (np.arange(total - n) + 0.5) * then.step_days + 0.5
    left = 1 - 0.99 * np.sin(np.pi / 2 * np.clip((days_ahead - 1) / (_LAST_LEAD_DAYS - 1), 0, 1)) ** 1.5
    spread = np.full((len(then.geos), total), 4.0) if then.doubt is None else then.doubt.spread_c
    error = np.minimum(_ERROR_AT_ONE_DAY_C / spread[:, n:], 0.5)
    draw = np.random.default_rng([_SEED, n])
    z, wet, temp_c = then.z.copy(), then.weather[2].copy(), None if then.temp_c is None else then.temp_c.copy()
    z[:, n:] = _expected(later.z[:, seen], left * (1 - error**2), weather_noise(draw, then)[:, n:])
    sd_wet = later.weather[2][:, : later.n_past].std(axis=1, keepdims=True)
    wet[:, n:] = _expected(later.weather[2][:, seen], 0.75 * left, sd_wet * weather_noise(draw, then)[:, n:])
    if temp_c is not None:
        temp_c[:, n:] += (z[:, n:] - then.z[:, n:]) * spread[:, n:]
    weather = np.stack([np.maximum(z, 0.0), np.maximum(-z, 0.0), wet])
    past = np.arange(total) < n
    weather = np.where(past, then.weather, weather)
    return replace(then, z=z, weather=weather, temp_c=temp_c, weather_source="forecast")


def _expected(came: Floats, known: Floats, noise: Floats) -> Floats:
    return known * came + np.sqrt(known * (1 - known)) * noise


def as_if_value(actual: Floats, with_it: Floats, without: Floats) -> ValueOfWeather:
    """The value of weather as if forecasts were stored. None are, so the forecast is made without weather."""
    found = value_of_weather(actual, with_it, without)
    told = "Weather was not tested: no earlier weather forecast is stored, so the forecast assumes normal weather."
    if found.wape_with is not None and found.wape_without is not None:
        clear = "" if found.helps else "; that difference may be luck"
        told += (
            " As if forecasts had been stored (the weather that came, blurred as forecasts are by lead), past ones "
            f"would have been off by {100 * found.wape_with:.1f} % of demand with weather and "
            f"{100 * found.wape_without:.1f} % without{clear}."
        )
    return replace(found, helps=False, as_if=True, sentence=told)


def value_of_weather(actual: Floats, with_it: Floats, without: Floats) -> ValueOfWeather:
    """How much of the error weather takes away, from forecasts [o, ..., h] of the same origins; NaN is left out.

    The intervals, of the difference in WAPE and in units of the outcome a forecast, are bootstraps over origins, whose
    errors hang together.
    """
    known = np.isfinite(actual) & np.isfinite(with_it) & np.isfinite(without)
    axes = tuple(range(1, actual.ndim))
    size = np.where(known, np.abs(actual), 0.0).sum(axis=axes)
    errors = [np.where(known, np.abs(actual - made), 0.0).sum(axis=axes) for made in (with_it, without)]
    told = size > 0
    size, errors = size[told], [each[told] for each in errors]
    if len(size) < 2:
        sentence = "There is too little record to tell whether weather helps, so it is left out."
        return ValueOfWeather(None, None, 0.0, 0.0, 0.0, False, None, sentence)
    picked = np.random.default_rng(_SEED).integers(0, len(size), (_DRAWS, len(size)))
    saved = errors[1] - errors[0]
    low, high = np.quantile(saved[picked].sum(axis=1) / size[picked].sum(axis=1), _INTERVAL)
    money_low, money_high = np.quantile(saved[picked].mean(axis=1), _INTERVAL)
    wape_with, wape_without = (float(each.sum() / size.sum()) for each in errors)
    helps = bool(low > 0)
    points = f"{100 * wape_without:.1f} % of demand without it and {100 * wape_with:.1f} % with it"
    better = f"Weather makes the forecast better: it was off by {points}."
    sentence = (
        better if helps else (f"Weather was tested and does not make the forecast better: it was off by {points}.")
    )
    return ValueOfWeather(
        wape_with,
        wape_without,
        saved_rel=wape_without - wape_with,
        saved_low=float(low),
        saved_high=float(high),
        helps=helps,
        money=float(saved.mean()),
        sentence=sentence,
        money_low=float(money_low),
        money_high=float(money_high),
    )
