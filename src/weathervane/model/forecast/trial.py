"""The trial: what every method would have said at past origins, each of what was known then (forecast.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import NotEnoughData
from weathervane.model.features.build import Panel
from weathervane.model.forecast.breaks import Shifts, ceiling, level_shifts, mended, with_closed_runs
from weathervane.model.forecast.candidate import Fitted, Floats, closed, log_offset, offset
from weathervane.model.forecast.candidates import CANDIDATES, fit_all, predict_all
from weathervane.model.forecast.conformal import EVENT, ORDINARY, PROMOTED, Ahead
from weathervane.model.forecast.extrapolation import doubt
from weathervane.model.forecast.intermittent import hurdle
from weathervane.model.forecast.tiers import Tier, tiers

Ints = NDArray[np.int64]

MAX_ORIGINS = 16
_REFIT_DAYS, _REFIT_DAYS_OF_LITTLE = 56, 14  # how long a fit serves origins, at most
_LITTLE_DATA = 5_000  # series × periods
_YOUNG_DAYS = 28  # days with sales until a series' errors say something of others'


@dataclass(frozen=True)
class Trial:
    """What every method said at every origin, and what came; arrays [o, k, g, horizon]."""

    panel: Panel
    ends: Ints  # [o], periods past at each origin
    made: dict[str, Floats]
    actual: Floats  # NaN where not known
    shut: NDArray[np.bool_]
    offset: Floats  # [o, k, g]
    young: NDArray[np.bool_]  # [o, k, g], series that had hardly sold yet
    doubt: Floats  # [o, k, g, horizon], of what no past told of at each origin
    ahead: tuple[tuple[Ahead, ...], ...]  # an origin and a tier each
    naive_change: tuple[Floats, ...]  # a tier each: [o, s], mean absolute seasonal-naive change
    shifts: tuple[Shifts, ...] = ()  # an origin each, as known then, and those known now; none: no level ever shifted
    most: tuple[Floats, ...] = ()  # a tier each: [o, s], the highest a range may reach
    hurdle: Floats | None = None  # [level, o, k, g, horizon], of series that sell on few days; NaN for the others

    @property
    def horizon(self) -> int:
        """Periods ahead."""
        return self.actual.shape[-1]


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
    panel = with_closed_runs(panel)
    shape = (len(ends), *panel.outcome.shape[:2], horizon)
    made = {one.name: np.empty(shape) for one in CANDIDATES}
    offsets, young, ahead, change = np.empty(shape[:3]), np.empty(shape[:3], dtype=np.bool_), [], []
    unseen = np.empty(shape)
    shifts: list[Shifts] = []
    seldom: list[Floats] = []
    ceilings: list[tuple[Floats, ...]] = []
    fitted: dict[str, Fitted] = {}
    fitted_at = 0
    for i, end in enumerate(ends):
        then, shift = mended(as_known(end))
        shifts.append(shift)
        seldom.append(hurdle(then).quantiles)
        if not fitted or end - fitted_at >= _refit_after(then, fitted_at):
            fitted, fitted_at = fit_all(then), end
        for name, forecast in predict_all(fitted, then).items():
            made[name][i] = forecast
        offsets[i] = offset(then)
        young[i] = (np.nan_to_num(then.outcome[:, :, : then.n_past]) > 0).sum(axis=2) < _YOUNG_DAYS // panel.step_days
        unseen[i] = doubt(then)
        ahead.append(tuple(known_ahead(then, tier) for tier in tiers(panel)))
        ceilings.append(tuple(ceiling(then, tier, shift) for tier in tiers(panel)))
        change.append(tuple(_naive_change(then, tier) for tier in tiers(panel)))
    shut = closed(panel)
    return Trial(
        panel,
        np.array(ends),
        made,
        np.stack([panel.outcome[:, :, end : end + horizon] for end in ends]),
        np.stack([shut[:, :, end : end + horizon] for end in ends]),
        offsets,
        young,
        unseen,
        tuple(ahead),
        tuple(np.stack(each) for each in zip(*change, strict=True)),
        (*shifts, level_shifts(panel)),
        tuple(np.stack(each) for each in zip(*ceilings, strict=True)),
        np.stack(seldom, axis=1),
    )


def _refit_after(panel: Panel, fitted_at: int) -> int:
    """Periods until a fit is old: eight weeks where there is much data, two where there is little; a quarter more."""
    little = panel.outcome.shape[0] * panel.outcome.shape[1] * panel.n_past <= _LITTLE_DATA
    return min((_REFIT_DAYS_OF_LITTLE if little else _REFIT_DAYS) // panel.step_days, max(fitted_at // 4, 1))


def known_ahead(panel: Panel, tier: Tier) -> Ahead:
    """What tells beforehand how large the errors of a panel's future will be."""
    n = panel.n_past
    every: Floats = np.ones((len(panel.categories), len(panel.geos), len(panel.starts) - n))
    promoted = tier.add(every * (panel.promotion[:, :, n:] > 0)) > 0.5 * tier.add(every)
    event = tier.add(every * (panel.event_days[:, :, n:] > 0).any(axis=0)) > 0
    return Ahead(typical_spread(panel, tier), np.where(event, EVENT, np.where(promoted, PROMOTED, ORDINARY)))


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
