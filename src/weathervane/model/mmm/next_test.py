"""Which channel to test next: the one whose test is expected to better the split most (mmm.md, "Next test")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.examination import TestValue
from weathervane.contracts.figures import amount, channel_name, ratio, step_of
from weathervane.contracts.response import ResponseCurves
from weathervane.model.mmm.holdout import WEEKS
from weathervane.model.mmm.reallocation import LIMIT, Pieces, best_split, pieces

Floats = NDArray[np.float64]


def next_tests(
    curves: ResponseCurves,
    test_sd: Floats,
    *,
    unit: str,
    weeks: int = WEEKS,
    limit: float = LIMIT,
) -> tuple[TestValue, ...]:
    """Every channel that money goes to, the test worth most first.

    `test_sd` [c] is the standard error with which a test of `weeks` would measure each channel's average return. The
    split is of the same total, each channel within `limit`. `unit` names the outcome in the sentences.
    """
    found = pieces(curves, limit)
    values = [
        (channel, *_worth(found, c, float(test_sd[c])), float(test_sd[c]))
        for c, channel in enumerate(curves.channels)
        if found.spend[c] > 0
    ]
    values.sort(key=lambda each: (-each[2], -each[1], each[0]))
    outcome, alone = float(found.now.mean(axis=0).sum()), len(curves.geos) == 1
    return tuple(
        TestValue(
            channel,
            perfect,
            value,
            weeks,
            sd,
            _sentence(
                channel, value, sd, outcome, unit=unit, weeks=weeks, first=i == 0, one_of=len(values), alone=alone
            ),
        )
        for i, (channel, perfect, value, sd) in enumerate(values)
    )


@dataclass(frozen=True)
class _Learnt:
    """What the pieces are expected to be given one channel's marginal return: mean + slope × its deviation."""

    deviation: Floats  # [s]
    down: Floats  # [c]
    up: Floats  # [c]


def _worth(found: Pieces, channel: int, test_sd: float) -> tuple[float, float]:
    """Expected gain a week of knowing the channel's effect exactly, and after the test."""
    spend = found.spend[channel]
    marginal = (found.down[:, channel] + found.up[:, channel]) / (2 * found.limit * spend)
    average = found.now[:, channel] / spend
    learnt = _Learnt(marginal - marginal.mean(), _slopes(found.down, marginal), _slopes(found.up, marginal))
    told = _correlation(marginal, average) ** 2 * average.var() / (average.var() + test_sd**2)
    return _expected_gain(found, learnt, 1.0), _expected_gain(found, learnt, float(np.sqrt(told)))


def _expected_gain(found: Pieces, learnt: _Learnt, scale: float) -> float:
    """Mean over what may be learnt of the best split's gain then, less that of the best split now."""
    down, up = found.down.mean(axis=0), found.up.mean(axis=0)
    move = scale * learnt.deviation[:, None]
    then = best_split(down + move * learnt.down, up + move * learnt.up, found.spend, found.limit)
    now = best_split(down, up, found.spend, found.limit)
    return max(0.0, float(then.gain.mean() - now.gain))


def _slopes(values: Floats, on: Floats) -> Floats:
    """[c]: slopes of values [s, c] on one series [s]; those within chance of nothing are nothing."""
    variance = on.var()
    if variance <= 0:
        return np.zeros(values.shape[1])
    slopes = ((values - values.mean(axis=0)) * (on - on.mean())[:, None]).mean(axis=0) / variance
    explained = np.abs(slopes) * np.sqrt(variance) / np.maximum(values.std(axis=0), 1e-12)
    return np.where(explained > 2 / np.sqrt(len(on)), slopes, 0.0)


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def _sentence(
    channel: str,
    value: float,
    sd: float,
    outcome: float,
    *,
    unit: str,
    weeks: int,
    first: bool,
    one_of: int,
    alone: bool,
) -> str:
    name = channel_name(channel)
    if value < 1e-4 * abs(outcome):
        most = " is worth more than one of any other channel, and" if first and one_of > 1 else ""
        return f"A test of {name}{most} would hardly change the split."
    worth = amount(value, unit, min(step_of(abs(outcome) / 10), step_of(20 * value)))
    start = "The next test should be of" if first else "A test of"
    place = "everywhere" if alone else "in half of the places"
    verb = f": stopping it {place}" if first else f" {place}"
    return (
        f"{start} {name}{verb} for {weeks} weeks would measure what it brings for each 1 spent, to within "
        f"{ratio(1.645 * sd)} either way (9 in 10), and the better split is expected to bring {worth} a week."
    )
