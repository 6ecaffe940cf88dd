"""The forecaster's desk as origins pass: the choice of method and its ranges, of errors seen by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.forecast import LEVELS
from weathervane.model.features.build import Panel
from weathervane.model.forecast.breaks import Shifts, ceiling, crossed
from weathervane.model.forecast.candidate import Floats, closed, from_log, log_offset, offset
from weathervane.model.forecast.candidates import BLEND, FLOORS, METHODS, STACK, STACKED, best, blended, stacked
from weathervane.model.forecast.conformal import (
    HALF_LIFE_DAYS,
    MEDIAN,
    Ahead,
    Ranges,
    Seen,
    expected_size,
    fortnight,
    learn,
)
from weathervane.model.forecast.extrapolation import doubt
from weathervane.model.forecast.floors import EIGHT_WEEKS
from weathervane.model.forecast.intermittent import hurdle
from weathervane.model.forecast.tiers import Tier, tiers
from weathervane.model.forecast.trial import Trial, typical_spread

Ints = NDArray[np.int64]

_THIN_DAYS = 7  # ranges are read from origins at least this far apart, at most _MOST of them
_MOST = 40
_MUCH = 0.25  # of a sum whose level has shifted, for the sum's errors across it to say nothing
_LUCK = 4.0  # standard errors by which a model alone has to beat the stack: at two, winners lost afterwards


@dataclass(frozen=True)
class Recalibration:
    """What the record says of the next forecast by the chosen method: a common shift, and ranges by tier."""

    shift: float  # log, of the middle
    ranges: tuple[Ranges, ...]
    hurdle: bool = True  # whether series that sell on few days get hurdle ranges

    def fans(self, panel: Panel, forecast: Floats, models: Floats, shifts: Shifts) -> tuple[Floats, ...]:
        """A tier each, [level, s, horizon], around demand forecasts [k, g, horizon]; middles of all tiers add up.

        `panel` is a mended one, with the `shifts` that were brought to the new level in it. `models` [model, k, g,
        horizon] is what each model of the stack says: where they differ, ranges are wider.
        """
        shut, rows, unseen = closed(panel)[:, :, panel.n_past :], offset(panel), doubt(panel)
        opened, apart = np.where(shut, 0.0, forecast), np.where(shut, 0.0, models)
        hard = [difficulty(tier, apart, rows, typical_spread(panel, tier)) for tier in tiers(panel)]
        made = tuple(
            fan(tier, opened, rows, ranges, self.shift, hard[t], unseen, ceiling(panel, tier, shifts))
            for t, (tier, ranges) in enumerate(zip(tiers(panel), self.ranges, strict=True))
        )
        return (self.of_series(made[0], hurdle(panel).quantiles), *made[1:])

    def of_series(self, ordinary: Floats, seldom: Floats) -> Floats:
        """[level, s, h]: ordinary ranges of series, or hurdle ranges [level, k, g, h] where these are the better."""
        seldom = seldom.reshape(ordinary.shape)
        return np.where(np.isfinite(seldom), seldom, ordinary) if self.hurdle else ordinary


def fan(
    tier: Tier,
    forecast: Floats,
    offset: Floats,
    ranges: Ranges,
    shift: float,
    hard: Floats,
    unseen: Floats,
    most: Floats,
) -> Floats:
    """[level, s, h] in outcome units: never crossing, never negative, the middle the sum of its parts' middles.

    No end lies above `most` [s], nor below the middle where that does.
    """
    added = tier.add(forecast)
    rows = tier.add(offset[..., None])
    # What was never seen is the same everywhere: it does not cancel in a sum.
    shared = tier.add(forecast * unseen) / np.where(added > 0, added, 1.0)
    made = from_log(ranges.around(log_offset(added, rows), hard, shared), rows)
    made = np.where(added > 0, made, 0.0)
    middle = added * np.exp(shift)
    made = np.minimum(made, most[:, None])
    made[:MEDIAN] = np.minimum(made[:MEDIAN], middle)
    made[MEDIAN + 1 :] = np.maximum(made[MEDIAN + 1 :], middle)
    made[MEDIAN] = middle
    return made


def pinball_loss(actual: Floats, quantiles: Floats) -> Floats:
    """[...]: the sum over LEVELS of the loss of quantiles [level, ...]; NaN where a value is not known."""
    over = actual - quantiles
    level = np.array(LEVELS).reshape(-1, *(1,) * actual.ndim)
    return np.maximum(level * over, (level - 1) * over).sum(axis=0)


def difficulty(tier: Tier, models: Floats, offset: Floats, typical: Floats) -> Floats:
    """[s, h], at least one: how much harder than usual periods look, from how far apart models [m, k, g, h] are.

    The spread of their logs adds to the usual week-on-week spread, as variances do.
    """
    apart = log_offset(tier.add(models), tier.add(offset[..., None])).std(axis=0, ddof=1)
    return np.sqrt(1 + (apart / typical[:, None]) ** 2)


@dataclass
class Desk:
    """The forecaster's desk as origins pass: what is known of past errors, and what was issued."""

    trial: Trial
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        trial, (o, *_, h) = self.trial, self.trial.actual.shape
        self.target = trial.ends[:, None] + np.arange(1, h + 1)  # [o, h], periods past when it is seen
        self.missing = ~np.isfinite(trial.actual) | trial.shut
        self.demand = np.where(self.missing, 0.0, np.abs(trial.actual)).sum(axis=(1, 2))
        self.made = {**trial.made, STACK: stacked(trial.made)}
        self.absolute = {name: self._absolute(made) for name, made in self.made.items()}
        baseline = [trial.made[self.choose_floor(int(end))][i] for i, end in enumerate(trial.ends)]
        self.made[BLEND] = blended(self.made[STACK], np.stack(baseline))
        self.absolute[BLEND] = self._absolute(self.made[BLEND])
        self.actual = [_known_actual(trial, tier) for tier in self.tiers]
        self.offset = [tier.add(trial.offset[..., None])[..., 0] for tier in self.tiers]
        self.typical = [np.stack([of[t].typical for of in trial.ahead]) for t in range(len(self.tiers))]
        self.kind = [np.stack([of[t].kind for of in trial.ahead]) for t in range(len(self.tiers))]
        self.hard = [self._difficulty(t) for t in range(len(self.tiers))]  # [o, s, h] each
        self.sizes: dict[tuple[str, int], Floats] = {}
        self.errors: dict[tuple[str, int], Floats] = {}
        self.plain = np.full((len(LEVELS), o, len(self.tiers[0].keys), h), np.nan)  # ordinary ranges of series
        self.issued: list[Floats] = [np.full((len(LEVELS), o, len(tier.keys), h), np.nan) for tier in self.tiers]

    def _absolute(self, made: Floats) -> Floats:
        """[o, h]: absolute errors of all series together."""
        return np.where(self.missing, 0.0, np.abs(self.trial.actual - made)).sum(axis=(1, 2))

    def _recent(self, at: int) -> Floats:
        """[o, h]: how much each error seen after `at` periods counts, recent ones first; zero for those not seen."""
        age = self._age(at)
        return np.where(age >= 0, 0.5 ** (np.maximum(age, 0.0) / HALF_LIFE_DAYS), 0.0)

    def wape(self, name: str, weight: Floats) -> float:
        """Of one method over errors that count by weight [o, h]; infinite where none does."""
        size = (self.demand * weight).sum()
        return float((self.absolute[name] * weight).sum() / size) if size > 0 else np.inf

    def choose(self, at: int) -> str:
        """The method with the least error by what was seen after `at` periods; none yet: the stack.

        One model alone has to be better than their stack by more than luck, and a baseline alone better than its blend
        with the stack: where a baseline is ahead by no more, the blend is.
        """
        recent = self._recent(at)
        if not recent.any():
            return STACK
        alone = {name for name in STACKED if self._beats(STACK, name, recent, at)}
        alone |= {name for name in FLOORS if self._beats(BLEND, name, recent, at)}
        among = tuple(name for name in METHODS if name in (*alone, STACK, BLEND))
        return best({name: self.wape(name, recent) for name in among}, among)

    def choose_floor(self, at: int) -> str:
        """The floor with the least error by what was seen after `at` periods."""
        recent = self._recent(at)
        if not recent.any():
            return EIGHT_WEEKS
        return best({name: self.wape(name, recent) for name in FLOORS}, FLOORS)

    def _beats(self, other: str, name: str, recent: Floats, at: int) -> bool:
        """Whether a method's recent errors are smaller than another's by more than four standard errors.

        Errors of one fortnight hang together, so fortnights are the units; those of a season do too, so two are few.
        """
        seen = recent > 0
        lead = ((self.absolute[other] - self.absolute[name]) * recent)[seen]
        units = np.unique(fortnight(self._age(at)[seen], self.trial.panel.step_days), return_inverse=True)[1]
        won = np.bincount(units, lead) if len(units) else np.zeros(0)
        if len(won) < 2:
            return False
        error = np.sqrt(len(won) / (len(won) - 1) * ((won - won.mean()) ** 2).sum())
        return bool(won.sum() > _LUCK * error)

    def recalibration(self, name: str, at: int, ahead: Sequence[Ahead]) -> Recalibration:
        """Ranges and shift of a method by what was seen after `at` periods, for what lies `ahead` of each tier."""
        used = _thinned(self.trial.ends, at, self.trial.panel.step_days)
        ranges = tuple(
            learn(self._seen(name, t, used, at), self._sizes(name, t)[used], ahead[t]) for t in range(len(self.tiers))
        )
        return Recalibration(self._shift(name, used, at), ranges, self._prefers_hurdle(used, at))

    def _prefers_hurdle(self, used: Ints, at: int) -> bool:
        """Whether hurdle ranges of series that sell on few days cost less than ordinary ones, by what was seen.

        The cost is pinball loss. Where nothing was seen yet hurdle ranges are used.
        """
        if self.trial.hurdle is None:
            return True
        levels = len(LEVELS)
        actual = np.where((self.target <= at)[:, None], self.actual[0], np.nan)[used]
        theirs = self.trial.hurdle.reshape(levels, *self.issued[0].shape[1:])[:, used]
        loss = [pinball_loss(actual, each) for each in (theirs, self.plain[:, used])]
        known = np.isfinite(loss[0]) & np.isfinite(loss[1])
        return bool(loss[0][known].sum() <= loss[1][known].sum())

    def _seen(self, name: str, t: int, used: Ints, at: int) -> Seen:
        """Errors of a method in one tier, seen after `at` periods."""
        seen = self.target[used] <= at
        errors = np.where(seen[:, None], self._errors(name, t)[used] / self.hard[t][used], np.nan)
        if self.trial.shifts:  # what was forecast before a shift, of days after it, says nothing of days to come
            rows = self.trial.offset[used][..., None]
            part = self.tiers[t].add(self._crossed(used, at) * rows) / self.tiers[t].add(rows)
            errors[part > _MUCH] = np.nan
        return Seen(errors, self._age(at)[used], self.typical[t][used], self.kind[t][used], self.trial.panel.step_days)

    def _crossed(self, used: Ints, at: int) -> NDArray[np.bool_]:
        """[o, k, g, h]: forecasts that a shift known after `at` periods lies between."""
        i = int(np.searchsorted(self.trial.ends, at))
        return crossed(self.trial.shifts[i], self.trial.ends[used], self.target[used])

    def _age(self, at: int) -> Floats:
        """[o, h]: days since each period, after `at` of them; negative for those to come."""
        return (at - self.target) * float(self.trial.panel.step_days)

    def _sizes(self, name: str, t: int) -> Floats:
        """[o, s, h]: mean size of a method's errors in one tier, as was to be expected at each origin."""
        if (name, t) not in self.sizes:
            trial = self.trial
            self.sizes[name, t] = np.stack(
                [
                    expected_size(
                        self._seen(name, t, _thinned(trial.ends, int(end), trial.panel.step_days), int(end)),
                        trial.ahead[i][t],
                    )
                    for i, end in enumerate(trial.ends)
                ]
            )
        return self.sizes[name, t]

    def _difficulty(self, t: int) -> Floats:
        """[o, s, h] of one tier, as it looked at each origin."""
        trial, models = self.trial, np.stack([np.where(self.trial.shut, 0.0, self.trial.made[n]) for n in STACKED])
        each = [
            difficulty(self.tiers[t], models[:, i], trial.offset[i], self.typical[t][i]) for i in range(len(trial.ends))
        ]
        return np.stack(each)

    def _errors(self, name: str, t: int) -> Floats:
        """[o, s, h] of a method in one tier."""
        if (name, t) not in self.errors:
            tier, rows = self.tiers[t], self.offset[t][..., None]
            forecast = tier.add(np.where(self.trial.shut, 0.0, self.made[name]))
            self.errors[name, t] = log_offset(self.actual[t], rows) - log_offset(forecast, rows)
            if t == 0:  # what was forecast of a series before it had sold says nothing of the others
                self.errors[name, t][self.trial.young.reshape(len(self.trial.ends), -1)] = np.nan
                if self.trial.hurdle is not None:  # nor do zeros, whose size no log tells
                    seldom = np.isfinite(self.trial.hurdle[0]).all(axis=-1)
                    self.errors[name, t][seldom.reshape(len(self.trial.ends), -1)] = np.nan
            self.errors[name, t][tier.add(self.trial.doubt) > 0] = np.nan  # nor does what no past told of
        return self.errors[name, t]

    def _shift(self, name: str, used: Ints, at: int) -> float:
        """log of actual over forecast, all series and leads together: shrunk by how few origins it is known from."""
        weight = self._recent(at)[used][:, None, None]
        known = ~self.missing[used] & (weight > 0) & (self.trial.doubt[used] == 0)
        if self.trial.shifts:
            known &= ~self._crossed(used, at)
        if not known.any():
            return 0.0
        actual = (weight * np.where(known, self.trial.actual[used], 0.0)).sum()
        forecast = (weight * np.where(known, self.made[name][used], 0.0)).sum()
        if actual <= 0 or forecast <= 0:
            return 0.0
        n = len(used)
        return float(np.log(actual / forecast)) * n / (n + 4)


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
