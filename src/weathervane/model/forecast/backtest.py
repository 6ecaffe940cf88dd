"""Rolling-origin backtest: every method on what was known then, ranges from errors seen by then (forecast.md).

An error is seen when its period has passed: no forecast, choice or range of an origin uses anything later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.forecast import LEVELS, BacktestScore, ForecastQuality
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats, from_log, log_offset
from weathervane.model.forecast.candidates import DAILY, METHODS
from weathervane.model.forecast.conformal import gaussian
from weathervane.model.forecast.desk import Desk, Recalibration, fan
from weathervane.model.forecast.floors import YEAR_AGO
from weathervane.model.forecast.scores import score, single_series
from weathervane.model.forecast.tiers import tiers
from weathervane.model.forecast.trial import Trial, known_ahead, origins, try_all
from weathervane.model.forecast.verdict import headline

NOMINAL = 0.80
_WARM_UP = 4  # horizons that only feed the first range
_NO_RECORD = "It is too early to say whether the range holds: no past forecast with a range has come true yet."


@dataclass(frozen=True)
class Backtest:
    """The record of every method, the cells of the forecasts as they would have been issued, and what it teaches."""

    quality: ForecastQuality
    cells: ForecastCells
    recalibration: Recalibration
    trial: Trial
    chosen_then: tuple[str, ...]  # [o], the method that was best until each origin
    baseline: str  # the one a blend would hold now
    issued: Floats  # [o, k, g, horizon], demand as each origin would have forecast it; NaN before ranges could be made


def backtest(
    panel: Panel, as_known: Callable[[int], Panel], horizon: int, ends: Sequence[int] | None = None
) -> Backtest:
    """The record on `panel`; `as_known(n)` is the panel known when its first n periods had passed.

    Origins lie `horizon` periods apart, counted back from the end, at most 16, unless `ends` names them;
    NotEnoughData when none fits.
    """
    return record(try_all(panel, as_known, horizon, origins(panel, horizon) if ends is None else ends))


def record(trial: Trial) -> Backtest:
    """The record: at each origin the method is chosen and the range made from errors seen by then."""
    panel = trial.panel
    desk = Desk(trial, tiers(panel))
    pages: list[ForecastCells] = []
    chosen_then: list[str] = []
    for i, end in enumerate(int(end) for end in trial.ends):
        name = desk.choose(end)
        chosen_then.append(name)
        recalibration = desk.recalibration(name, end, trial.ahead[i])
        for t, tier in enumerate(desk.tiers):
            forecast = np.where(trial.shut[i], 0.0, desk.made[name][i])
            ranges, shift = recalibration.ranges[t], recalibration.shift
            most = trial.most[t][i] if trial.most else np.full(len(tier.keys), np.inf)
            hard, doubt = desk.hard[t][i], trial.doubt[i]
            desk.issued[t][:, i] = fan(tier, forecast, trial.offset[i], ranges, shift, hard, doubt, most)
        desk.plain[:, i] = desk.issued[0][:, i]
        if trial.hurdle is not None:
            desk.issued[0][:, i] = recalibration.of_series(desk.plain[:, i], trial.hurdle[:, i])
        if _scored(trial)[i]:
            pages.append(_cells(desk, i, name))
    chosen = desk.choose(panel.n_past)
    cells = _joined(pages, panel)
    recalibration = desk.recalibration(chosen, panel.n_past, [known_ahead(panel, tier) for tier in desk.tiers])
    made = np.stack([desk.made[name][i] for i, name in enumerate(chosen_then)])
    issued = np.where(_scored(trial)[:, None, None, None], made, np.nan)
    return Backtest(
        _quality(desk, chosen, cells),
        cells,
        recalibration,
        trial,
        tuple(chosen_then),
        desk.choose_floor(panel.n_past),
        issued,
    )


def _cells(desk: Desk, i: int, name: str) -> ForecastCells:
    """The cells of one origin in every tier; a closed day is no cell, nor one whose outcome never came."""
    trial, panel = desk.trial, desk.trial.panel
    end, horizon = int(trial.ends[i]), trial.horizon
    geos, categories = _names(panel)
    floor = np.where(trial.shut[i], 0.0, desk.made[desk.choose_floor(end)][i])
    starts = np.array(panel.starts[end : end + horizon], dtype="datetime64[D]")
    parts: list[dict[str, NDArray[Any]]] = []
    for t, tier in enumerate(desk.tiers):
        typical, opened = trial.ahead[i][t].typical, np.where(trial.shut[i], 0.0, desk.made[name][i])
        rows = desk.offset[t][i]
        raw = from_log(gaussian(log_offset(tier.add(opened), rows[:, None]), typical), rows[:, None])
        row, lead = np.nonzero(np.isfinite(desk.actual[t][i]))
        parts.append(
            {
                "origin": np.full(len(row), starts[0] - 1),
                "date": starts[lead],
                "lead": lead + 1,
                "geo": np.array([geos.index(geo) for geo, _ in tier.keys])[row],
                "category": np.array([categories.index(category) for _, category in tier.keys])[row],
                "quantiles": desk.issued[t][:, i, row, lead].T,
                "raw": raw[:, row, lead].T,
                "floor": tier.add(floor)[row, lead],
                "actual": desk.actual[t][i, row, lead],
                "scale": trial.naive_change[t][i, row],
            }
        )
    return _of_backtest(panel, parts)


def _joined(pages: Sequence[ForecastCells], panel: Panel) -> ForecastCells:
    """The cells of all origins as one."""
    return _of_backtest(panel, [{name: getattr(page, name) for name in _ARRAYS} for page in pages])


_ARRAYS = ("origin", "date", "lead", "geo", "category", "quantiles", "raw", "floor", "actual", "scale")


def _of_backtest(panel: Panel, parts: Sequence[Mapping[str, NDArray[Any]]]) -> ForecastCells:
    levels = len(LEVELS)
    none: dict[str, NDArray[Any]] = {name: np.empty(0) for name in ("floor", "actual", "scale")}
    none |= {name: np.empty((0, levels)) for name in ("quantiles", "raw")}
    none |= {name: np.empty(0, dtype="datetime64[D]") for name in ("origin", "date")}
    none |= {name: np.empty(0, dtype=np.int64) for name in ("lead", "geo", "category")}
    arrays: dict[str, NDArray[Any]] = {
        name: np.concatenate([none[name], *(part[name] for part in parts)]) for name in _ARRAYS
    }
    geos, categories = _names(panel)
    return ForecastCells("backtest", panel.step_days, geos, categories, **arrays)


def _names(panel: Panel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Geos and categories with the names of their totals."""
    return tuple(dict.fromkeys((*panel.geos, NATIONAL))), tuple(dict.fromkeys((*panel.categories, TOTAL)))


def _quality(desk: Desk, chosen_now: str, cells: ForecastCells) -> ForecastQuality:
    """The record in a few numbers: every method's error, and how often the 80 % range of a series held."""
    trial, panel = desk.trial, desk.trial.panel
    series = single_series(cells)
    held = score(series, "all series").of(NOMINAL) if len(series.actual) else None
    # Every method on the forecasts that had a range, so that errors compare with those of what was issued.
    told = _scored(trial) if _scored(trial).any() else np.ones(len(trial.ends), dtype=np.bool_)
    alike = told[:, None] * np.ones(desk.target.shape)
    n_all = int((np.isfinite(trial.actual) & ~trial.shut)[told].sum())
    methods = [name for name in METHODS if panel.step_days == 1 or name not in DAILY]
    if panel.n_past < 364:
        methods = [name for name in methods if name != YEAR_AGO]
    return ForecastQuality(
        chosen=chosen_now,
        scores=tuple(BacktestScore(name, desk.wape(name, alike), n_all) for name in methods),
        origins=tuple(panel.starts[end] for end in trial.ends),
        coverage_80=held.share if held else 0.0,
        coverage_low=held.low if held else 0.0,
        coverage_high=held.high if held else 1.0,
        n=held.n if held else 0,
        verdict=held.verdict if held else "not enough data",
        sentence=headline(held, "backtest") if held else _NO_RECORD,
        issued_wape=score(series, "all series").wape if held else None,
    )


def _scored(trial: Trial) -> NDArray[np.bool_]:
    """[o]: origins with enough before them for a range."""
    return trial.ends - trial.ends[0] >= _WARM_UP * trial.horizon
