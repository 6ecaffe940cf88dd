"""Forecasts on public demand sets: error beside the references, coverage, pinball loss, and the value of weather."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.figure import Figure
from benchmarks.forecast.public_sets import PublicSet
from benchmarks.forecast.references import PLAIN, PLAIN_LEVELS, REFERENCES, plain_quantiles, refer
from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.forecast import LEVELS
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.features.build import Panel
from weathervane.model.forecast.backtest import Backtest, backtest
from weathervane.model.forecast.weather_value import value_of_weather, without_weather

Floats = NDArray[np.float64]
N_SCORED = 5  # origins, a horizon apart
MANY_CELLS = 5000
_WARM_UP = 4  # horizons before the first scored origin
_DRAWS = 1000


def figures_of(one: PublicSet, data: Path, most: int | None) -> Iterator[Figure]:
    """The figures of one set; origins between the scored ones (a fortnight apart) only feed ranges and choice."""
    panel = one.read(data, most)
    scored = [panel.n_past - one.horizon * i for i in range(N_SCORED, 0, -1)]
    made = _run(panel, one.horizon, scored)
    note = f"{panel.outcome.shape[0] * panel.outcome.shape[1]} series through {panel.through}; {N_SCORED} origins"
    note += f" of {one.horizon} periods; method now {made.quality.chosen}"
    yield from _errors(one, panel, made, scored, note)
    cells = _only(made.cells, panel, scored)
    yield from _coverage(one.name, cells, note)
    yield _by_lead(one.name, cells)
    yield _beside_plain(one, panel, cells, scored)
    if panel.weather_source != "none":
        yield from _weather(one, panel, made, scored)


def _run(panel: Panel, horizon: int, scored: list[int]) -> Backtest:
    gap = 14 // panel.step_days
    first = max(scored[0] - _WARM_UP * horizon - gap, 56 if panel.step_days == 1 else 30)
    ends = sorted({*range(scored[-1], first - 1, -gap), *scored})
    return backtest(panel, lambda n: panel.cut(n, horizon), horizon, ends)


def _errors(one: PublicSet, panel: Panel, made: Backtest, scored: list[int], note: str) -> Iterator[Figure]:
    """WAPE as issued and of each reference, on the same cells."""
    at = np.searchsorted(made.trial.ends, scored)
    actual = np.where(made.trial.shut[at], np.nan, made.trial.actual[at])
    each = [refer(panel.cut(end, one.horizon)) for end in scored]
    wape = {name: _wape(actual, np.stack([forecasts[name] for forecasts in each])) for name in REFERENCES}
    ours = _wape(actual, made.issued[at])
    best = min(wape.values())
    listed = ", ".join(f"{name} {value:.2%}" for name, value in wape.items())
    yield Figure(f"{one.name}_wape", _percent(ours), "%", f"< {_percent(best)}", ours < best, f"{listed}; {note}")
    last = _wape(actual[-1:], made.issued[at][-1:])
    plain = _wape(actual[-1:], each[-1][PLAIN][None])
    yield Figure(f"{one.name}_wape_last", _percent(last), "%", note=f"plain LightGBM {plain:.2%}; last origin alone")


def _coverage(name: str, cells: ForecastCells, note: str) -> Iterator[Figure]:
    """Coverage of series and of totals with a block-bootstrap interval, and pinball before and after."""
    total = _is_total(cells)
    for tier, chosen in (("series", ~total), ("totals", total)):
        if not chosen.any():
            continue
        n = int(chosen.sum())
        for level in (0.5, 0.8, 0.9):
            inside = _inside(cells, level)[chosen]
            low, high = _bootstrap(inside, _blocks(cells)[chosen])
            held = float(inside.mean())
            bar, holds = f"interval holds {level:.0%}", low <= level <= high
            if tier == "series" and n > MANY_CELLS and level == 0.8:
                bar, holds = "78 to 82 %", 0.78 <= held <= 0.82
            yield Figure(
                f"{name}_{tier}_coverage_{level:.0%}".replace("%", ""),
                _percent(held),
                "%",
                bar,
                holds,
                f"{_percent(low)} to {_percent(high)} % by block bootstrap; {n} cells",
            )
        after, before = (float(_pinball(cells, which)[chosen].mean()) for which in (cells.quantiles, cells.raw))
        ratio = after / before
        yield Figure(f"{name}_{tier}_pinball_ratio", round(ratio, 4), "after / before", "≤ 1", ratio <= 1, note)


def _by_lead(name: str, cells: ForecastCells) -> Figure:
    """Of the weeks ahead, those whose 80 % range held 80 %, within Student's interval over origins."""
    cells = _of(cells, ~_is_total(cells))
    week = (cells.lead - 1) // (7 if cells.step_days == 1 else 1)
    inside, told = _inside(cells, 0.8), list[str]()
    n_held = 0
    for each in np.unique(week):
        here = week == each
        origin = np.unique(cells.origin[here], return_inverse=True)[1]
        held = np.bincount(origin, inside[here]) / np.bincount(origin)
        half = float(student.ppf(0.975, len(held) - 1) * held.std(ddof=1) / np.sqrt(len(held)))
        n_held += bool(abs(held.mean() - 0.8) <= half)
        told.append(f"{held.mean():.0%} give or take {half:.0%}")
    n = len(told)
    return Figure(f"{name}_weeks_ahead_held", n_held, f"of {n}", f"≥ {n - 1}", n_held >= n - 1, ", ".join(told))


def _beside_plain(one: PublicSet, panel: Panel, cells: ForecastCells, scored: list[int]) -> Figure:
    """Pinball loss of the 80 % range and the middle over that of quantile LightGBM as it comes, on the same cells."""
    cells = _of(cells, ~_is_total(cells))
    plain = np.stack([plain_quantiles(panel.cut(end, one.horizon)) for end in scored], axis=-1)  # [level, k, g, h, o]
    origin = np.unique(cells.origin, return_inverse=True)[1]
    theirs = np.sort(plain[:, cells.category, cells.geo, cells.lead - 1, origin].T, axis=1)
    ours = cells.quantiles[:, [LEVELS.index(level) for level in PLAIN_LEVELS]]
    loss, loss_plain = (_pinball(cells, each, PLAIN_LEVELS).mean() for each in (ours, theirs))
    held = float(((cells.actual >= theirs[:, 0]) & (cells.actual <= theirs[:, 2])).mean())
    note = f"its 80 % range, uncalibrated, held {held:.1%}; levels {', '.join(map(str, PLAIN_LEVELS))}"
    ratio = round(float(loss / loss_plain), 4)
    return Figure(f"{one.name}_pinball_beside_plain", ratio, "ours / plain quantile LightGBM", "≤ 1", ratio <= 1, note)


def _weather(one: PublicSet, panel: Panel, made: Backtest, scored: list[int]) -> Iterator[Figure]:
    """What observed weather takes off the error of series, and of the total."""
    without = _run(without_weather(panel), one.horizon, scored)
    at = np.searchsorted(made.trial.ends, scored)
    actual = np.where(made.trial.shut[at], np.nan, made.trial.actual[at])
    value = value_of_weather(actual, made.issued[at], without.issued[at])
    text = f"{value.wape_with:.2%} with, {value.wape_without:.2%} without observed weather; {value.sentence}"
    interval = f"{_percent(value.saved_low)} to {_percent(value.saved_high)} points; {text}"
    yield Figure(f"{one.name}_value_of_weather", _percent(value.saved_rel), "points of WAPE", note=interval)
    if panel.outcome.shape[0] * panel.outcome.shape[1] > 1:
        sums = [
            np.where(np.isfinite(actual), each, 0.0).sum(axis=(1, 2))
            for each in (actual, made.issued[at], without.issued[at])
        ]
        total = value_of_weather(*sums)
        note = f"{_percent(total.saved_low)} to {_percent(total.saved_high)} points; {total.sentence}"
        yield Figure(f"{one.name}_value_of_weather_total", _percent(total.saved_rel), "points of WAPE", note=note)


def _only(cells: ForecastCells, panel: Panel, scored: list[int]) -> ForecastCells:
    """The cells of the scored origins."""
    origins = [np.datetime64(panel.starts[end], "D") - 1 for end in scored]
    return _of(cells, np.isin(cells.origin, origins))


def _of(cells: ForecastCells, kept: NDArray[np.bool_]) -> ForecastCells:
    arrays = {name: value[kept] for name, value in vars(cells).items() if isinstance(value, np.ndarray)}
    return ForecastCells(cells.source, cells.step_days, cells.geos, cells.categories, **arrays)


def _is_total(cells: ForecastCells) -> NDArray[np.bool_]:
    geo = np.array([name == NATIONAL for name in cells.geos])[cells.geo]
    return geo | np.array([name == TOTAL for name in cells.categories])[cells.category]


def _inside(cells: ForecastCells, level: float) -> Floats:
    low, high = (LEVELS.index(round(edge, 2)) for edge in ((1 - level) / 2, (1 + level) / 2))
    return ((cells.actual >= cells.quantiles[:, low]) & (cells.actual <= cells.quantiles[:, high])).astype(np.float64)


def _pinball(cells: ForecastCells, quantiles: Floats, at: tuple[float, ...] = LEVELS) -> Floats:
    levels, over = np.array(at), cells.actual[:, None] - quantiles
    return np.maximum(levels * over, (levels - 1) * over).mean(axis=1)


def _blocks(cells: ForecastCells) -> NDArray[np.int64]:
    """A block a fortnight (by week, three weeks) of one origin: errors within it hang together."""
    width = 14 if cells.step_days == 1 else 3
    return np.unique(
        np.stack([cells.origin.astype(np.int64), (cells.lead - 1) // width], axis=1), axis=0, return_inverse=True
    )[1]


def _bootstrap(inside: Floats, block: NDArray[np.int64]) -> tuple[float, float]:
    """A 95 % interval of the mean, blocks drawn with replacement."""
    total, count = np.bincount(block, inside), np.bincount(block)
    total, count = total[count > 0], count[count > 0]
    drawn = np.random.default_rng(0).integers(0, len(total), (_DRAWS, len(total)))
    low, high = np.quantile(total[drawn].sum(axis=1) / count[drawn].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)


def _wape(actual: Floats, made: Floats) -> float:
    known = np.isfinite(actual)
    return float(np.abs(actual - made)[known].sum() / np.abs(actual[known]).sum())


def _percent(share: float) -> float:
    return round(100 * share, 2)
