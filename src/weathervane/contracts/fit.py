"""Fit: what a trained media mix model says of itself, beside its response curves."""

from __future__ import annotations

from dataclasses import dataclass

from weathervane.contracts.examination import TestValue
from weathervane.contracts.forecast import BacktestScore, Quantiles
from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.plan import ChannelEvidence, MediaSignal, ModelSummary
from weathervane.contracts.response import PromotionEffect, WeatherResponse


@dataclass(frozen=True)
class ChannelPosterior:
    """Posterior medians of one channel's shape: days until half an effect has gone, and its saturation."""

    channel: str
    half_life_days: float
    half_saturation: float | None  # in multiples of the channel's mean weekly spend; None for a power, which has none
    slope: float  # of a Hill curve; for a power, its exponent


@dataclass(frozen=True)
class OrganicEvidence:
    """What the data says of a channel that costs nothing: no return, a share of the outcome; no plan budgets it."""

    channel: str
    contribution_share: Quantiles
    told_from_zero: bool
    sentence: str


@dataclass(frozen=True)
class JointEvidence:
    """Channels that the data cannot tell apart: what they return together, and the test that would separate them.

    A plan changes them in step, or none of them.
    """

    channels: tuple[str, ...]
    roi: Quantiles
    roi_p05: float
    roi_p95: float
    sentence: str
    test: str


@dataclass(frozen=True)
class GroupChannel:
    """One channel in one category, made to add up to the total over categories; `own_roi` is what the category's own
    model says. Returns are None for a channel that costs nothing.
    """

    channel: str
    roi: Quantiles | None
    roi_p05: float | None
    roi_p95: float | None
    own_roi: Quantiles | None
    contribution_share: Quantiles  # of the category's outcome
    told_from_zero: bool


@dataclass(frozen=True)
class GroupEvidence:
    """What the data says of one category's media, from a model of its own beside the total's."""

    category: str
    outcome_share: float  # of the total
    channels: tuple[GroupChannel, ...]
    rhat_max: float
    ess_min: float
    sentence: str


@dataclass(frozen=True)
class FitCost:
    """What training was expected to take, as said before it began: CPU seconds and memory at its highest."""

    n_places: int
    n_periods: int
    step_days: int
    n_channels: int
    n_categories: int  # fitted one by one beside the total
    cpu_seconds: float
    memory_bytes: float

    @property
    def sentence(self) -> str:
        """For whoever waits."""
        step = "week" if self.step_days == 7 else "day"
        counts = ((self.n_places, "place"), (self.n_periods, step), (self.n_channels, "channel"))
        size = " × ".join(f"{n} {name}" if n == 1 else f"{n} {name}s" for n, name in counts)
        more = f", and {self.n_categories} categories one by one" if self.n_categories else ""
        return f"This takes about {self._time} and {self.memory_bytes / 1e9:.1f} GB: {size}{more}."

    @property
    def _time(self) -> str:
        if self.cpu_seconds < 95:
            return f"{max(5, round(self.cpu_seconds / 5) * 5)} CPU seconds"
        return f"{round(self.cpu_seconds / 60)} CPU minutes"


@dataclass(frozen=True)
class FitReport:
    """One fit: its grain, evidence, diagnostics and everything needed to make it again.

    `promotions` are those categories' that were ever promoted; None in fits from before it was kept, as `expected`.
    `next_tests` has the geo test worth most first; empty where the engine does not say.
    """

    model_id: str
    tenant_id: str
    created_at: str
    seed: int
    grain: GrainSelection
    summary: ModelSummary
    channels: tuple[ChannelEvidence, ...]
    shapes: tuple[ChannelPosterior, ...]
    media_signal: MediaSignal
    weather: WeatherResponse
    data_hashes: dict[str, str]
    priors_sha256: str
    versions: dict[str, str]
    caveats: tuple[str, ...]
    promotions: tuple[PromotionEffect, ...] | None = None
    organic: tuple[OrganicEvidence, ...] = ()
    expected: FitCost | None = None
    groups: tuple[GroupEvidence, ...] = ()
    joint: tuple[JointEvidence, ...] = ()
    next_tests: tuple[TestValue, ...] = ()


@dataclass(frozen=True)
class ShapeInterval:
    """One channel's shape with its posterior interval, in the units of ChannelPosterior."""

    channel: str
    half_life_days: Quantiles
    half_saturation: Quantiles | None
    slope: Quantiles

    @property
    def median(self) -> ChannelPosterior:
        """The medians alone."""
        half_saturation = None if self.half_saturation is None else self.half_saturation.p50
        return ChannelPosterior(self.channel, self.half_life_days.p50, half_saturation, self.slope.p50)


@dataclass(frozen=True)
class Diagnostics:
    """How a fit was drawn and whether its draws agree; None is what an engine, or an older version, does not say."""

    method: str
    chains: int | None
    draws: int | None  # of each chain
    rhat_max: float
    ess_min: float
    ess_tail_min: float | None
    divergences: int
    ebfmi: float | None


@dataclass(frozen=True)
class ExperimentShift:
    """What one experiment did to the return of the channel it tested."""

    experiment_id: str
    channel: str
    roi_without: Quantiles
    roi_with: Quantiles


@dataclass(frozen=True)
class FitRecord:
    """What the registry keeps of a fit beside its report; `started_from` is the fit whose peak it began at, if any.

    `floors` are simple forecasts of the weeks of `backtest`, to hold it against.
    """

    transforms: tuple[ShapeInterval, ...]
    diagnostics: Diagnostics
    backtest: BacktestScore | None = None
    experiment_shifts: tuple[ExperimentShift, ...] = ()
    started_from: str | None = None
    floors: tuple[BacktestScore, ...] = ()
