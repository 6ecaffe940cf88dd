"""The value of weather: the same forecasts at the same origins with it and without (forecast.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.forecast import ValueOfWeather
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats

_DRAWS = 2000
_SEED = 11
_INTERVAL = (0.05, 0.95)


def without_weather(panel: Panel) -> Panel:
    """The panel with no weather in it."""
    return replace(panel, weather=np.zeros_like(panel.weather), weather_source="none", temp_c=None, doubt=None)


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
    sentence = f"Weather makes the forecast better: it was off by {points}." if helps else "Weather does not help here."
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
