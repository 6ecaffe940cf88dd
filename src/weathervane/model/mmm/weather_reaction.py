"""Does spend follow the weather? Then a naive return is the weather's, not the ad's (mmm.md, "Spend that reacts")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel

Floats = NDArray[np.float64]

LEVEL = 0.05
LEAST_SHARE = 0.02  # of the variation of spend; less than that can bias a return by little
_MAX_SHIFTS = 99
_NEAREST = 4  # periods; a smaller shift of the weather is nearly the real thing


@dataclass(frozen=True)
class WeatherReaction:
    """How much of one channel's spend moves with the weather of its place and time.

    `share` is the part of the variation of log spend within places, after what all places share in a period, that the
    weather indices explain beyond chance; `p_value` ranks it among the same weather at the wrong time.
    """

    channel: str
    share: float
    p_value: float
    reacts: bool
    sentence: str


def weather_reactions(panel: Panel) -> tuple[WeatherReaction, ...]:
    """One reading a channel; none where there is no weather."""
    n = panel.n_past
    weather = np.concatenate([panel.weather[:, :, :n], panel.z[None, :, :n]])
    weather = weather[np.ptp(weather, axis=(1, 2)) > 0]
    if not len(weather):
        return ()
    shifts = np.arange(_NEAREST, n - _NEAREST + 1)
    if len(shifts) > _MAX_SHIFTS:
        shifts = shifts[np.linspace(0, len(shifts) - 1, _MAX_SHIFTS).round().astype(int)]
    season = _season(panel)
    found = [_reaction(panel, c, weather, season, shifts) for c in range(len(panel.channels))]
    return tuple(found)


def without_weather(panel: Panel) -> Panel:
    """The panel as it would be to a model that knows no weather: what a naive return is measured on."""
    return replace(panel, weather=np.zeros_like(panel.weather), z=np.zeros_like(panel.z))


def _reaction(panel: Panel, c: int, weather: Floats, season: Floats, shifts: NDArray[np.int64]) -> WeatherReaction:
    spend, channel = panel.spend[c, :, : panel.n_past], panel.channels[c]
    paid = np.isfinite(spend) & (spend > 0)
    if not paid.any():
        return WeatherReaction(channel, 0.0, 1.0, reacts=False, sentence=f"{channel} costs nothing.")
    log_spend = np.log(np.where(paid, spend, 1.0))
    real = _explained(log_spend, paid, weather, season)
    shifted = [_explained(log_spend, paid, np.roll(weather, shift, axis=-1), season) for shift in shifts]
    p_value = (1 + sum(other >= real for other in shifted)) / (1 + len(shifted))
    share = max(0.0, real - float(np.mean(shifted)))
    reacts = p_value <= LEVEL and share >= LEAST_SHARE
    does = "moves with the weather" if reacts else "does not move with the weather"
    sentence = f"Spend on {channel} {does}: weather explains {100 * share:.0f} % of its variation (p {p_value:.2f})."
    return WeatherReaction(channel, share, p_value, reacts, sentence)


def _explained(log_spend: Floats, paid: NDArray[np.bool_], weather: Floats, season: Floats) -> float:
    """R² of log spend on the weather, both after what places, periods and seasons explain."""
    rows = [_within(each, paid, season) for each in (log_spend, *weather)]
    y, x = rows[0][paid], np.stack([row[paid] for row in rows[1:]], axis=-1)
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(fitted @ fitted / max(y @ y, 1e-12))


def _within(values: Floats, paid: NDArray[np.bool_], season: Floats) -> Floats:
    """Less the means of places and (for several) of periods, or for one place its season and trend."""
    if len(values) == 1:
        x, y = season[paid[0]], values[0][paid[0]]
        out = np.zeros_like(values)
        out[0, paid[0]] = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        return out
    weight = paid.astype(np.float64)
    out = values * weight
    for _ in range(3):
        for axis in (0, 1):
            mean = (out * weight).sum(axis=axis, keepdims=True) / np.maximum(weight.sum(axis=axis, keepdims=True), 1.0)
            out = (out - mean) * weight
    return out


def _season(panel: Panel) -> Floats:
    """[t, k]: level, trend and two yearly harmonics."""
    n = panel.n_past
    time = np.arange(n) * panel.step_days
    angle = 2 * np.pi * (np.array([start.timetuple().tm_yday for start in panel.starts[:n]])) / 365.25
    waves = [wave(order * angle) for order in (1, 2) for wave in (np.cos, np.sin)]
    return np.stack([np.ones(n), time / max(time[-1], 1), *waves], axis=-1)
