"""Rolling-origin backtest: every method on what was known then, ranges from errors seen by then (forecast.md).

An error is seen when its period has passed: no forecast, choice or range of an origin uses anything later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.forecast import LEVELS, BacktestScore, ForecastQuality, Verdict
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Fitted, Floats, closed, from_log, log_offset, offset
from weathervane.model.forecast.candidates import FLOORS, METHODS, best, fit_all, predict_all
from weathervane.model.forecast.conformal import HALF_LIFE_DAYS, MEDIAN, Ranges, adapted, gaussian, learn
from weathervane.model.forecast.tiers import Tier, tiers

Ints = NDArray[np.int64]

NOMINAL = 0.80
_SHOWN = tuple(LEVELS.index(level) for level in (0.1, 0.5, 0.9))
MAX_ORIGINS = 16
_WARM_UP = 4  # horizons that only feed the first range
_REFIT_DAYS, _REFIT_DAYS_OF_LITTLE = 56, 14  # how long a fit serves origins, at most
_LITTLE_DATA = 5_000  # series × periods
_THIN_DAYS = 7  # ranges are read from origins at least this far apart, at most _MOST of them
_MOST = 40
_MIN_ORIGINS_FOR_VERDICT = 5


@dataclass(frozen=True)
class Trial:
    """What every method said at every origin, and what came; arrays [o, k, g, horizon]."""

    panel: Panel
    ends: Ints  # [o], periods past at each origin
    made: dict[str, Floats]
    actual: Floats  # NaN where not known
    shut: NDArray[np.bool_]
    offset: Floats  # [o, k, g]
    typical: tuple[Floats, ...]  # a tier each: [o, s], spread of week-on-week changes
    naive_change: tuple[Floats, ...]  # a tier each: [o, s], mean absolute seasonal-naive change

    @property
    def horizon(self) -> int:
        """Periods ahead."""
        return self.actual.shape[-1]


@dataclass(frozen=True)
class Recalibration:
    """What the record says of the next forecast by the chosen method: a common shift, and ranges by tier."""

    shift: float  # log, of the middle
    ranges: tuple[Ranges, ...]

    def fans(self, panel: Panel, forecast: Floats) -> tuple[Floats, ...]:
        """A tier each, [level, s, horizon], around demand forecasts [k, g, horizon]; middles of all tiers add up."""
        shut = closed(panel)[:, :, panel.n_past :]
        opened = np.where(shut, 0.0, forecast)
        return tuple(
            _fan(tier, opened, offset(panel), ranges, self.shift)
            for tier, ranges in zip(tiers(panel), self.ranges, strict=True)
        )


@dataclass(frozen=True)
class Backtest:
    """The record of every method, the cells of the forecasts as they would have been issued, and what it teaches."""

    quality: ForecastQuality
    cells: ForecastCells
    recalibration: Recalibration
    trial: Trial
    chosen_then: tuple[str, ...]  # [o], the method that was best until each origin

    @property
    def issued(self) -> Floats:
        """[o, k, g, horizon]: demand as each origin would have forecast it, NaN before ranges could be made."""
        made = np.stack([self.trial.made[name][i] for i, name in enumerate(self.chosen_then)])
        return np.where(_scored(self.trial)[:, None, None, None], made, np.nan)


def backtest(
    panel: Panel, as_known: Callable[[int], Panel], horizon: int, ends: Sequence[int] | None = None
) -> Backtest:
    """The record on `panel`; `as_known(n)` is the panel known when its first n periods had passed.

    Origins lie `horizon` periods apart, counted back from the end, at most 16, unless `ends` names them;
    NotEnoughData when none fits.
    """
    return record(try_all(panel, as_known, horizon, origins(panel, horizon) if ends is None else ends))


def origins(panel: Panel, horizon: int) -> list[int]:
    """Numbers of past periods at each origin, oldest first."""
    year = 365 // panel.step_days
    least = max(panel.n_past // 3, 28 if panel.step_days == 1 else 13)
    if panel.n_past > 1.5 * year:
        least = max(least, year)
    ends = [end for i in range(1, MAX_ORIGINS + 1) if (end := panel.n_past - i * horizon) >= least]
    if not ends:
        raise NotEnoughData(
            f"{panel.n_past} periods are too few to test a forecast on.", "import more history, or forecast less far."
        )
    return ends[::-1]


def try_all(panel: Panel, as_known: Callable[[int], Panel], horizon: int, ends: Sequence[int]) -> Trial:
    """Every method at every origin; a fit is used again until it is old."""
    shape = (len(ends), *panel.outcome.shape[:2], horizon)
    made = {name: np.empty(shape) for name in METHODS}
    offsets, typical, change = np.empty(shape[:3]), [], []
    fitted: dict[str, Fitted] = {}
    fitted_at = 0
    for i, end in enumerate(ends):
        then = as_known(end)
        if not fitted or end - fitted_at >= _refit_after(then, fitted_at):
            fitted, fitted_at = fit_all(then), end
        for name, forecast in predict_all(fitted, then).items():
            made[name][i] = forecast
        offsets[i] = offset(then)
        typical.append(tuple(typical_spread(then, tier) for tier in tiers(panel)))
        change.append(tuple(_naive_change(then, tier) for tier in tiers(panel)))
    shut = closed(panel)
    return Trial(
        panel,
        np.array(ends),
        made,
        np.stack([panel.outcome[:, :, end : end + horizon] for end in ends]),
        np.stack([shut[:, :, end : end + horizon] for end in ends]),
        offsets,
        tuple(np.stack(each) for each in zip(*typical, strict=True)),
        tuple(np.stack(each) for each in zip(*change, strict=True)),
    )


def _refit_after(panel: Panel, fitted_at: int) -> int:
    """Periods until a fit is old: eight weeks where there is much data, two where there is little; a quarter more."""
    little = panel.outcome.shape[0] * panel.outcome.shape[1] * panel.n_past <= _LITTLE_DATA
    return min((_REFIT_DAYS_OF_LITTLE if little else _REFIT_DAYS) // panel.step_days, max(fitted_at // 4, 1))


def typical_spread(panel: Panel, tier: Tier) -> Floats:
    """[s]: each row's own scale of error in log(demand + offset), from week-on-week (or step-on-step) changes."""
    past = log_offset(_past(panel, tier), _row_offset(panel, tier)[:, None])
    change = _changes(past, 7 if panel.step_days == 1 else 1)
    # A row without two values to compare has a wide spread of its own.
    change = np.where(np.isfinite(change).any(axis=1, keepdims=True), change, 0.3)
    size = np.abs(change)
    robust = np.asarray(np.nanmedian(size, axis=1), dtype=np.float64) / 0.6745
    # A row that mostly stands still still moves at times: half of the mean is the least.
    return np.maximum(np.maximum(robust, 0.5 * np.nanmean(size, axis=1)) / np.sqrt(2), 0.01)


def _naive_change(panel: Panel, tier: Tier) -> Floats:
    """[s]: mean absolute change from the same weekday a week before (by week: a year before, if there is one)."""
    season = 7 if panel.step_days == 1 else 52 if panel.n_past > 60 else 1
    change = np.abs(_changes(_past(panel, tier), season))
    known = np.isfinite(change)
    mean = np.where(known, change, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), mean, np.nan)


def _past(panel: Panel, tier: Tier) -> Floats:
    """[s, past]: outcome, zero where closed."""
    n = panel.n_past
    sold: Floats = np.where(closed(panel)[:, :, :n], np.zeros(1), panel.outcome[:, :, :n])
    added = tier.add(sold)
    if len(added) == panel.outcome.shape[0] * panel.outcome.shape[1]:
        # Closed days say nothing of a series' changes; of a total's they do.
        return np.where(tier.add(closed(panel)[:, :, :n].astype(np.float64)) > 0, np.nan, added)
    return added


def _row_offset(panel: Panel, tier: Tier) -> Floats:
    return tier.add(offset(panel)[..., None])[:, 0]


def _changes(values: Floats, lag: int) -> Floats:
    lag = min(lag, values.shape[1] - 1)
    return values[:, lag:] - values[:, : values.shape[1] - lag] if lag else np.full((len(values), 1), np.nan)


def _fan(tier: Tier, forecast: Floats, offset: Floats, ranges: Ranges, shift: float) -> Floats:
    """[level, s, h] in outcome units: never crossing, never negative, the middle the sum of its parts' middles."""
    added = tier.add(forecast)
    rows = tier.add(offset[..., None])
    fan = from_log(ranges.around(log_offset(added, rows)), rows)
    fan = np.where(added > 0, fan, 0.0)
    middle = added * np.exp(shift)
    fan[:MEDIAN] = np.minimum(fan[:MEDIAN], middle)
    fan[MEDIAN + 1 :] = np.maximum(fan[MEDIAN + 1 :], middle)
    fan[MEDIAN] = middle
    return fan


@dataclass
class _Desk:
    """The forecaster's desk as origins pass: what is known of past errors, and what was issued."""

    trial: Trial
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        trial, (o, *_, h) = self.trial, self.trial.actual.shape
        self.target = trial.ends[:, None] + np.arange(1, h + 1)  # [o, h], periods past when it is seen
        missing = ~np.isfinite(trial.actual) | trial.shut
        self.absolute = {
            name: np.where(missing, 0.0, np.abs(trial.actual - made)).sum(axis=(1, 2))
            for name, made in trial.made.items()
        }
        self.size = np.where(missing, 0.0, np.abs(trial.actual)).sum(axis=(1, 2))
        self.actual = [_known_actual(trial, tier) for tier in self.tiers]
        self.offset = [tier.add(trial.offset[..., None])[..., 0] for tier in self.tiers]
        self.stretch = [np.ones(2) for _ in self.tiers]
        self.errors: dict[tuple[str, int], Floats] = {}
        self.issued: list[Floats] = [np.full((len(LEVELS), o, len(tier.keys), h), np.nan) for tier in self.tiers]

    def wape(self, name: str, weight: Floats) -> float:
        """Of one method over errors that count by weight [o, h]; infinite where none does."""
        size = (self.size * weight).sum()
        return float((self.absolute[name] * weight).sum() / size) if size > 0 else np.inf

    def choose(self, at: int, among: tuple[str, ...] = METHODS) -> str:
        """The best method by what was seen after `at` periods, recent errors first."""
        age = (at - self.target) * float(self.trial.panel.step_days)
        weight = np.where(age >= 0, 0.5 ** (np.maximum(age, 0.0) / HALF_LIFE_DAYS), 0.0)
        return best({name: self.wape(name, weight) for name in among}, among)

    def recalibration(self, name: str, at: int, typical: Sequence[Floats]) -> Recalibration:
        """Ranges and shift of a method by what was seen after `at` periods."""
        trial = self.trial
        used = _thinned(trial.ends, at, trial.panel.step_days)
        seen = self.target[used] <= at
        age = (at - self.target[used]) * float(trial.panel.step_days)
        ranges = tuple(
            learn(
                np.where(seen[:, None], self._errors(name, t)[used], np.nan),
                trial.typical[t][used],
                typical[t],
                age,
                self.stretch[t],
            )
            for t in range(len(self.tiers))
        )
        return Recalibration(self._shift(name, used, seen, age), ranges)

    def adapt(self, since: int, at: int) -> None:
        """Ranges stretched by the periods seen between two origins."""
        fresh = (self.target > since) & (self.target <= at)
        for t, actual in enumerate(self.actual):
            issued = self.issued[t]
            told = fresh[:, None] & np.isfinite(actual) & np.isfinite(issued[0])
            if told.any():
                below = np.array([(actual <= of_level)[told].mean() for of_level in issued])
                self.stretch[t] = adapted(self.stretch[t], below, (at - since) / self.trial.horizon)

    def _errors(self, name: str, t: int) -> Floats:
        """[o, s, h] of a method in one tier."""
        if (name, t) not in self.errors:
            tier, rows = self.tiers[t], self.offset[t][..., None]
            forecast = tier.add(np.where(self.trial.shut, 0.0, self.trial.made[name]))
            self.errors[name, t] = log_offset(self.actual[t], rows) - log_offset(forecast, rows)
        return self.errors[name, t]

    def _shift(self, name: str, used: Ints, seen: NDArray[np.bool_], age: Floats) -> float:
        """log of actual over forecast, all series and leads together: shrunk by how few origins it is known from."""
        known = np.isfinite(self.trial.actual[used]) & ~self.trial.shut[used] & seen[:, None, None]
        if not known.any():
            return 0.0
        weight = 0.5 ** (np.maximum(age, 0.0) / HALF_LIFE_DAYS)[:, None, None]
        actual = (weight * np.where(known, self.trial.actual[used], 0.0)).sum()
        forecast = (weight * np.where(known, self.trial.made[name][used], 0.0)).sum()
        if actual <= 0 or forecast <= 0:
            return 0.0
        n = len(used)
        return float(np.log(actual / forecast)) * n / (n + 4)


def record(trial: Trial) -> Backtest:
    """The record: at each origin the method is chosen and the range made from errors seen by then."""
    panel = trial.panel
    desk = _Desk(trial, tiers(panel))
    pages: list[ForecastCells] = []
    chosen_then: list[str] = []
    before = int(trial.ends[0])
    for i, end in enumerate(int(end) for end in trial.ends):
        desk.adapt(before, end)
        before = end
        name = desk.choose(end)
        chosen_then.append(name)
        recalibration = desk.recalibration(name, end, [each[i] for each in trial.typical])
        for t, tier in enumerate(desk.tiers):
            forecast = np.where(trial.shut[i], 0.0, trial.made[name][i])
            desk.issued[t][:, i] = _fan(tier, forecast, trial.offset[i], recalibration.ranges[t], recalibration.shift)
        if _scored(trial)[i]:
            pages.append(_cells(desk, i, name))
    desk.adapt(before, panel.n_past)
    chosen = desk.choose(panel.n_past)
    now = [typical_spread(panel, tier) for tier in desk.tiers]
    cells = _joined(pages, panel)
    recalibration = desk.recalibration(chosen, panel.n_past, now)
    return Backtest(_quality(desk, chosen), cells, recalibration, trial, tuple(chosen_then))


def _cells(desk: _Desk, i: int, name: str) -> ForecastCells:
    """The cells of one origin in every tier; a closed day is no cell, nor one whose outcome never came."""
    trial, panel = desk.trial, desk.trial.panel
    end, horizon = int(trial.ends[i]), trial.horizon
    geos, categories = _names(panel)
    floor = np.where(trial.shut[i], 0.0, trial.made[desk.choose(end, FLOORS)][i])
    starts = np.array(panel.starts[end : end + horizon], dtype="datetime64[D]")
    parts: list[dict[str, NDArray[Any]]] = []
    for t, tier in enumerate(desk.tiers):
        typical, opened = trial.typical[t][i], np.where(trial.shut[i], 0.0, trial.made[name][i])
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


def _quality(desk: _Desk, chosen: str) -> ForecastQuality:
    """The record in a few numbers: every method's error, and how often the 80 % range of a series held."""
    trial, panel = desk.trial, desk.trial.panel
    scored = np.flatnonzero(_scored(trial))
    actual, (low, middle, high) = desk.actual[0][scored], (desk.issued[0][level][scored] for level in _SHOWN)
    known = np.isfinite(actual)
    inside = (actual >= low) & (actual <= high)
    # Origins less than a horizon apart see the same periods: one block.
    block = (trial.ends[scored] - trial.ends[0]) // trial.horizon
    blocks = [block == b for b in np.unique(block) if known[block == b].any()]
    held = [float(inside[of][known[of]].mean()) for of in blocks]
    coverage, coverage_low, coverage_high = _interval(held)
    n_blocks = len(np.unique((trial.ends - trial.ends[0]) // trial.horizon))
    verdict = _verdict(len(held), coverage_low, coverage_high)
    alike = np.ones(desk.target.shape)
    n_all = int((np.isfinite(trial.actual) & ~trial.shut).sum())
    size = np.abs(actual[known]).sum()
    return ForecastQuality(
        chosen=chosen,
        scores=tuple(BacktestScore(name, desk.wape(name, alike), n_all) for name in METHODS),
        origins=tuple(panel.starts[end] for end in trial.ends),
        coverage_80=coverage,
        coverage_low=coverage_low,
        coverage_high=coverage_high,
        n=int(known.sum()),
        verdict=verdict,
        sentence=_sentence(verdict, coverage, len(held), n_blocks),
        issued_wape=float(np.abs(actual - middle)[known].sum() / size) if size > 0 else None,
    )


def _scored(trial: Trial) -> NDArray[np.bool_]:
    """[o]: origins with enough before them for a range."""
    return trial.ends - trial.ends[0] >= _WARM_UP * trial.horizon


def _verdict(n_blocks: int, low: float, high: float) -> Verdict:
    if n_blocks < _MIN_ORIGINS_FOR_VERDICT:
        return "not enough data"
    if high < NOMINAL:
        return "too narrow"
    return "too wide" if low > NOMINAL else "calibrated"


def _interval(inside: list[float]) -> tuple[float, float, float]:
    """Mean coverage and its 95 % interval, origins being the independent units; (0, 0, 1) when there are none."""
    if not inside:
        return 0.0, 0.0, 1.0
    values = np.array(inside)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, 0.0, 1.0
    half = float(student.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _sentence(verdict: Verdict, coverage: float, n_scored: int, n_origins: int) -> str:
    if verdict == "not enough data":
        more = _MIN_ORIGINS_FOR_VERDICT + _WARM_UP - n_origins
        return f"Too little history to say whether the range holds; {more} more forecast periods would do."
    held = f"The range meant to hold 8 in 10 held {coverage * 10:.1f} in 10 over {n_scored} past forecasts"
    return {
        "calibrated": f"{held}, as it should.",
        "too narrow": f"{held}: it is too narrow, read it as less sure.",
        "too wide": f"{held}: it is wider than it need be.",
    }[verdict]


def _known_actual(trial: Trial, tier: Tier) -> Floats:
    """[o, s, h]: what came; NaN where any part is missing, and where a series itself was closed."""
    added = tier.add(np.where(trial.shut & np.isfinite(trial.actual), 0.0, trial.actual))
    return np.where(tier.add((~trial.shut).astype(np.float64)) > 0, added, np.nan)


def _thinned(ends: Ints, at: int, step_days: int) -> Ints:
    """Indices of origins before `at` that ranges are read from: newest first kept, a week or more apart."""
    earlier = np.flatnonzero(ends < at)
    gap = max(1, _THIN_DAYS // step_days)
    kept = np.unique((at - ends[earlier]) // gap, return_index=True)[1]
    return earlier[np.sort(kept)][-_MOST:]
