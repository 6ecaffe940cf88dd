"""Examination: what a sceptical analyst asks of a media mix fit, as values that reports and charts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

Series = tuple[float, ...]


@dataclass(frozen=True)
class Range:
    """The middle and the ends of a 90 % interval."""

    p05: float
    p50: float
    p95: float

    def holds(self, value: float) -> bool:
        """Whether the interval holds the value."""
        return self.p05 <= value <= self.p95


@dataclass(frozen=True)
class Band:
    """A Range for each point of a series."""

    p05: Series
    p50: Series
    p95: Series


@dataclass(frozen=True)
class Part:
    """One part of the outcome: the baseline, weather, a channel… `share` is of the fitted outcome of the history."""

    name: str
    is_channel: bool
    total: Range
    share: Range
    by_period: Band  # of all places
    by_geo: tuple[Range, ...]  # over the history, in the order of the geos


@dataclass(frozen=True)
class Contributions:
    """The outcome taken apart, in outcome units a period. In every draw the parts add up to the fitted outcome.

    Where a place's period does not count its fit stands in for it in `observed`, up to a tenth of the whole; above that
    `observed` is None. `negative_baseline` is by period the probability that
    the baseline of all places is below zero; `negative_geos` are the places where it likely is, in some period.
    """

    geos: tuple[str, ...]
    starts: tuple[date, ...]
    observed: tuple[float | None, ...]
    fitted: Band
    parts: tuple[Part, ...]
    negative_baseline: Series
    negative_geos: tuple[str, ...]
    flagged: bool
    sentence: str


@dataclass(frozen=True)
class Pair:
    """Two channels: the correlation of what they caused, whether it can be told which did, and their joint return.

    `correlation` is None where both were fitted as one, `joint_roi` when neither costs anything.
    """

    first: str
    second: str
    correlation: float | None
    told_apart: bool
    joint_roi: Range | None
    sentence: str


@dataclass(frozen=True)
class ChannelRange:
    """A channel's return per unit of spend."""

    channel: str
    roi: Range


@dataclass(frozen=True)
class PriorPredictive:
    """What the priors say before the data speak: of total media, of each channel, of what is left for the baseline.

    Shares of draws: `above_outcome` where media cause more than all that was sold, `below_zero` where they destroy
    sales, `negative_baseline` where in some period they would cause more than was sold. `roi` leaves out channels that
    cost nothing.
    """

    total_share: Range
    above_outcome: float
    below_zero: float
    negative_baseline: float
    roi: tuple[ChannelRange, ...]
    absurd: bool
    sentence: str


@dataclass(frozen=True)
class TestValue:
    """What testing a channel is worth: outcome a week that a better split would bring, in expectation.

    `perfect` if its effect were known exactly, `value` after a test of `weeks` that measures its return within `sd`.
    """

    __test__ = False  # no test, whatever its name says

    channel: str
    perfect: float
    value: float
    weeks: int
    sd: float
    sentence: str


@dataclass(frozen=True)
class ChannelRecovery:
    """How well refits to simulated outcomes found a channel's known effect.

    `relative_width` is the width of the 90 % interval over the mean size of the truth, `bias` the mean error over the
    mean posterior sd, `left` the part of the prior's spread that is left after the data.
    """

    channel: str
    covered: int
    n: int
    relative_width: float
    bias: float
    left: float
    recoverable: bool
    sentence: str


@dataclass(frozen=True)
class Recovery:
    """A simulation on the user's own design: what this data could measure, if the model were true."""

    replications: int
    failed: int
    channels: tuple[ChannelRecovery, ...]
    sentence: str


@dataclass(frozen=True)
class ChannelStability:
    """A channel's return as more data came in. `moves` are changes of the mean, in sd of the fit before, by step.

    `overlap` is what the first and last 90 % intervals share, of the shorter one. `lately` is by how much the return of
    the last quarter differs from that of before, `drifted` whether that is told from nothing.
    """

    channel: str
    roi: tuple[Range, ...]
    moves: Series
    change_rel: float
    overlap: float
    lately: Range
    drifted: bool
    stable: bool
    sentence: str


@dataclass(frozen=True)
class Stability:
    """Refits at rolling ends, oldest first. `regret` is what keeping the first fit's split would lose a week."""

    ends: tuple[date, ...]
    channels: tuple[ChannelStability, ...]
    regret: Range
    sentence: str


@dataclass(frozen=True)
class CurveChart:
    """A channel's outcome a week against its weekly budget, all places; spent up to `most`, lately `recent`."""

    channel: str
    budget: Series
    outcome: Band
    recent: float
    most: float


@dataclass(frozen=True)
class DensityChart:
    """Prior and posterior density of a channel's return over a grid."""

    channel: str
    roi: Series
    prior: Series
    posterior: Series


@dataclass(frozen=True)
class CorrelationChart:
    """Correlations of what channels caused, row by row."""

    channels: tuple[str, ...]
    rows: tuple[Series, ...]


@dataclass(frozen=True)
class Examination:
    """Everything asked of one fit, and the data of its figures; `recovery` and `stability` only when asked deeply.

    `contributions` is None where effects multiply, as then the outcome is not a sum of parts.
    """

    model_id: str
    tenant_id: str
    tenant_name: str
    demo: bool
    currency: str
    outcome: str
    outcome_is_money: bool
    as_of: str
    seed: int
    step_days: int
    same_as_champion: bool
    contributions: Contributions | None
    pairs: tuple[Pair, ...]
    priors: PriorPredictive
    next_tests: tuple[TestValue, ...]
    curves: tuple[CurveChart, ...]
    densities: tuple[DensityChart, ...]
    correlations: CorrelationChart
    recovery: Recovery | None
    stability: Stability | None
    caveats: tuple[str, ...]
