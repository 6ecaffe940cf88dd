"""Worlds of known truth: does the range hold under steady days, drift, a level shift, an unseen promotion?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure
from benchmarks.forecast.public_sets import panel_of
from weathervane.model.features.build import Panel
from weathervane.model.forecast.backtest import backtest
from weathervane.model.forecast.extrapolation import extrapolations

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_HORIZON, _DAYS, _SERIES = 14, 420, 48
_EFFECT, _EFFECT_SPREAD = 2.6, 1.5  # log of demand for a whole price off, over worlds


def known_truth(n_worlds: int) -> Iterator[Figure]:
    """Coverage of the 80 % range over fresh worlds: the mean over worlds, within 2.6 standard errors of 80 %.

    At the end of each steady world promotions are planned where there never was one: their days are judged apart.
    """
    kinds: dict[str, Callable[[np.random.Generator], Floats]] = {"steady": _steady, "drift": _drift, "shift": _shift}
    promoted: list[float] = []
    for kind, change in kinds.items():
        held: list[float] = []
        for seed in range(n_worlds):
            inside, on_promotion = _inside(seed, change, promote=kind == "steady")
            held.append(float(inside[~on_promotion].mean()))
            if on_promotion.any():
                promoted.append(float(inside[on_promotion].mean()))
        note = f"{_SERIES} series, 10 origins each"
        yield _coverage(f"worlds_{kind}_coverage_80", held, note)
    note = f"days of promotions where there never was one: {_EFFECT} times the depth, give or take {_EFFECT_SPREAD}"
    yield _coverage("worlds_unseen_promotion_coverage_80", promoted, note)
    flagged = [len(extrapolations(_deep_promotion(seed))) == 1 for seed in range(n_worlds)]
    share = 100 * float(np.mean(flagged))
    yield Figure("worlds_unseen_promotion_flagged", share, "%", "= 100", share == 100, f"{n_worlds} worlds")


def _coverage(name: str, held: list[float], note: str) -> Figure:
    mean, error = float(np.mean(held)), float(np.std(held, ddof=1) / np.sqrt(len(held)))
    told = f"standard error {100 * error:.2f} over {len(held)} worlds; {note}"
    holds = abs(mean - 0.8) <= 2.6 * error + 0.01
    return Figure(name, round(100 * mean, 2), "%", "80, give or take 1 and 2.6 standard errors", holds, told)


def _inside(seed: int, change: Callable[[np.random.Generator], Floats], *, promote: bool) -> tuple[Mask, Mask]:
    """Of each cell of a series, whether the range held what came, and whether it was promoted."""
    draw = np.random.default_rng([seed, 5])
    week = np.exp(draw.normal(0, 0.2, (_SERIES, 7)))[:, np.arange(_DAYS) % 7]
    noise = np.exp(draw.uniform(0.05, 0.4, (_SERIES, 1)) * draw.standard_normal((_SERIES, _DAYS)))
    outcome = 1000 * week * noise * np.exp(change(draw))
    promotion = np.zeros((_SERIES, _DAYS))
    if promote:
        days = draw.uniform(size=(_SERIES, _HORIZON)) < 0.2
        promotion[:, -_HORIZON:] = days * draw.uniform(0.1, 0.5, (_SERIES, _HORIZON))
    panel = _of(outcome * np.exp(draw.normal(_EFFECT, _EFFECT_SPREAD) * promotion), promotion)
    ends = [_DAYS - _HORIZON * i for i in range(14, 0, -1)]
    cells = backtest(panel, lambda n: panel.cut(n, _HORIZON), _HORIZON, ends).cells
    series = np.array([name != "national" for name in cells.geos])[cells.geo]
    held = (cells.actual >= cells.quantiles[:, 1]) & (cells.actual <= cells.quantiles[:, 5])
    day = (cells.date - np.datetime64(panel.starts[0], "D")).astype(np.int64)
    return held[series], promotion[cells.geo[series], day[series]] > 0


def _of(outcome: Floats, promotion: Floats | None = None) -> Panel:
    geos = tuple(f"g{i:02d}" for i in range(len(outcome)))
    return panel_of(
        outcome[None], date(2024, 1, 1), _HORIZON, geos=geos, promotion=None if promotion is None else promotion[None]
    )


def _steady(draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return np.zeros((_SERIES, _DAYS))


def _drift(draw: np.random.Generator) -> Floats:
    """Each series wanders, and in the last half grows by half a percent a day or falls by as much."""
    wander = np.cumsum(0.01 * draw.standard_normal((_SERIES, _DAYS)), axis=1)
    return wander + draw.choice([-0.005, 0.005]) * np.maximum(np.arange(_DAYS) - _DAYS // 2, 0)


def _shift(draw: np.random.Generator) -> Floats:
    """All series step up or down by a third at one day of the scored half."""
    day = draw.integers(_DAYS // 2 + 60, _DAYS - 30)
    return draw.choice([-0.4, 0.3]) * (np.arange(_DAYS) >= day) * np.ones((_SERIES, 1))


def _deep_promotion(seed: int) -> Panel:
    """A fifth off now and then, and one place that plans half off."""
    draw = np.random.default_rng([seed, 6])
    promotion = (draw.uniform(size=(_SERIES, _DAYS + _HORIZON)) < 0.1) * draw.uniform(0.05, 0.2)
    promotion[draw.integers(_SERIES), _DAYS + draw.integers(_HORIZON)] = 0.5
    return _of(np.ones((_SERIES, _DAYS)), promotion)
