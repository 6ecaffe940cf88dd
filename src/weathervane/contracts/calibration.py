"""Calibration: forecasts beside what happened, cell by cell, and the measured record made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.forecast import LEVELS, ForecastQuality, Verdict
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import LeadCoverage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class ForecastCells:
    """One entry a cell: a geo and category in one period, as forecast at one origin, and what happened.

    All arrays have n entries. `origin` is the last day known when the forecast was issued, `date` the first day of the
    period it is about, `lead` the number of periods between them, from 1. Totals are cells too, at geo NATIONAL or
    category TOTAL. Quantiles are at LEVELS, in outcome units; `raw` is before recalibration. `floor` is the median of
    the best floor method, NaN where unknown. `actual` is NaN until it is known. `scale` is the series' mean absolute
    seasonal-naive change as known at the origin, the denominator of MASE.
    """

    source: Literal["backtest", "ledger"]
    step_days: int
    geos: tuple[str, ...]
    categories: tuple[str, ...]
    origin: Days
    date: Days
    lead: Ints
    geo: Ints  # index into geos
    category: Ints  # index into categories
    quantiles: Floats  # [n, level]
    raw: Floats  # [n, level]
    floor: Floats
    actual: Floats
    scale: Floats

    def __post_init__(self) -> None:
        n = len(self.actual)
        for name in ("origin", "date", "lead", "geo", "category", "floor", "scale"):
            length = len(getattr(self, name))
            if length != n:
                raise BadInput(f"Forecast cells: {name} has {length} entries, not {n}.", "rebuild the record.")
        for name in ("quantiles", "raw"):
            shape = getattr(self, name).shape
            if shape != (n, len(LEVELS)):
                raise BadInput(f"Forecast cells: {name} has shape {shape}, not {(n, len(LEVELS))}.", "rebuild them.")


# Nominal coverage of the intervals that are scored -> the places of their ends in LEVELS.
ENDS = {0.5: (2, 4), 0.8: (1, 5), 0.9: (0, 6)}

Source = Literal["backtest", "ledger"]


@dataclass(frozen=True)
class Rules:
    """What a verdict and the report go by (calibration.md, "The verdict" and "When to act")."""

    confidence: float = 0.95
    interval: float = 0.80  # the one the headline and the status are about
    margin: float = 0.10  # of a coverage's interval, at the most, before there is a verdict
    tolerance: float = 0.02  # a coverage this close to what was promised is near enough
    min_blocks: int = 8
    act_below: float = 0.75
    act_above: float = 0.92
    act_bias: float = 0.05


@dataclass(frozen=True)
class Coverage:
    """How often one interval held the truth, beside what it promised, each with the ends of its 95 % interval.

    `low` and `high` know that cells err together, Wilson's do not. `n_effective` independent cells would know as much.
    `more_days` of record are missing before there is a verdict; zero once there is one.
    """

    nominal: float
    share: float
    inside: int
    n: int
    low: float
    high: float
    wilson_low: float
    wilson_high: float
    n_effective: float
    verdict: Verdict
    more_days: int


@dataclass(frozen=True)
class Score:
    """Every score of one group of cells, in outcome units or shares; None where it cannot be said.

    `bias` is actual less p50, `width` the mean width of the 80 % interval and `sharpness` that over the mean p50.
    `skill` is by how much the error is below the floor's, as a share of it, with its 95 % interval.
    """

    group: str
    n: int
    n_blocks: int
    coverage: tuple[Coverage, ...]  # by nominal, 50, 80 and 90 %
    pinball: tuple[float, ...]  # at LEVELS
    wis: float
    mae: float
    rmse: float
    bias: float
    width: float
    wape: float | None
    bias_rel: float | None
    sharpness: float | None
    mase: float | None
    wape_floor: float | None
    skill: float | None
    skill_low: float | None
    skill_high: float | None

    def of(self, nominal: float) -> Coverage:
        """The coverage of that interval; KeyError if it was not scored."""
        return {each.nominal: each for each in self.coverage}[nominal]


@dataclass(frozen=True)
class Reliability:
    """The share of actuals at or below one quantile, with its 95 % interval, and before recalibration."""

    level: float
    share: float
    low: float
    high: float
    share_before: float | None


@dataclass(frozen=True)
class PitBin:
    """The share of actuals between the quantiles at two levels, and the share that should lie there."""

    start: float
    end: float
    share: float
    expected: float


@dataclass(frozen=True)
class Record:
    """All scores of one source. `overall` and every `by_` but the tiers are of single series, not of their totals."""

    source: Source
    window: Period
    n_origins: int
    overall: Score
    before: Score | None  # recalibration
    reliability: tuple[Reliability, ...]
    pit: tuple[PitBin, ...]
    by_lead: tuple[Score, ...]
    by_lead_group: tuple[Score, ...]
    before_by_lead_group: tuple[Score, ...]
    by_geo_tier: tuple[Score, ...]
    by_category: tuple[Score, ...]
    by_tier: tuple[Score, ...]
    crossed: tuple[Score, ...]  # lead group × geo tier × category, the 80 % interval alone


@dataclass(frozen=True)
class Restatement:
    """What became of the ledger's actuals after they were first known: both values are kept and scored."""

    n: int
    restated: int
    wape_first: float | None  # of the forecasts, against what was first known
    wape_latest: float | None


@dataclass(frozen=True)
class Miss:
    """One past week's error of the total, taken apart (calibration.md, "Why a week missed"); outcome units.

    `actual - expected` is `error`, and `weather + plan + promotion + model` is it exactly. `not_known` names the causes
    that could not be looked into: what they did is in `model`.
    """

    week: Period
    origin: date
    expected: float
    actual: float
    error: float
    weather: float
    plan: float
    promotion: float
    model: float
    not_known: tuple[str, ...]


@dataclass(frozen=True)
class WeatherValue:
    """The error with and without weather features on the same origins; the difference is what weather takes off it.

    `low` and `high` end its 90 % interval. `money`, from `money_low` to `money_high`, is what the difference takes off
    the error of one forecast of the whole horizon, all series together; None in records from before it was kept.
    """

    wape_with: float
    wape_without: float
    difference: float
    low: float
    high: float
    used: bool
    sentence: str
    money: Money | None = None
    money_low: Money | None = None
    money_high: Money | None = None
    as_if: bool = False  # measured as if weather forecasts had been stored: none are


@dataclass(frozen=True)
class Held:
    """A coverage under the names that existing readers of the record know."""

    coverage: float
    inside: int
    outside: int
    total: int


@dataclass(frozen=True)
class Metrics:
    """The headline's scores of single series under the names that existing readers know, each meaning the same."""

    nominal_coverage: float
    overall_coverage: Held
    coverage_by_horizon: dict[int, Held]  # by lead
    interval_widths: dict[int, float]
    sharpness_score: float | None
    prediction_bias: float
    mae: float


@dataclass(frozen=True)
class CalibrationRun:
    """How a tenant's forecasts have done, as measured at `generated_at`.

    The scores at the top are those of single series in the record that `source` names, with the 80 % interval's
    coverage and its 95 % interval; `pinball` is the mean over LEVELS. `run_id` names forecast and data, so the same
    calibration made again is the same run.
    """

    schema_version: int
    run_id: str
    tenant: str
    tenant_name: str
    demo: bool
    currency: str
    outcome: str
    outcome_is_money: bool
    generated_at: str
    forecast_id: str
    model: str
    model_version: str
    grain: str
    source: Source
    window: Period
    n: int
    coverage_p10_p90: float
    coverage_low: float
    coverage_high: float
    rmse: float
    mae: float
    wape: float | None
    pinball: float
    bias: float
    status: Verdict
    sentence: str
    notes: tuple[str, ...]
    backtest: Record | None
    ledger: Record | None
    restatement: Restatement | None
    misses: tuple[Miss, ...]
    misses_of: Source | None
    weather_value: WeatherValue | None
    data_hashes: dict[str, str]
    rules: Rules
    metrics: Metrics

    @property
    def record(self) -> Record:
        """The record that the headline is about."""
        found = self.ledger if self.source == "ledger" else self.backtest
        if found is None:
            raise BadInput(f"The calibration {self.run_id!r} has no {self.source} record.", "make it again.")
        return found


@dataclass(frozen=True)
class HistoryLine:
    """One calibration run as a line of the history."""

    run_id: str
    tenant: str
    timestamp: str
    model_version: str
    grain: str
    source: Source
    window_start: str
    window_end: str
    sample_size: int
    coverage_p10_p90: float
    coverage_low: float
    coverage_high: float
    rmse: float
    mae: float
    wape: float | None
    pinball: float
    bias: float
    status: Verdict
    notes: str


def history_line(run: CalibrationRun) -> HistoryLine:
    """The line of a run, under the names that existing readers know."""
    return HistoryLine(
        run_id=run.run_id,
        tenant=run.tenant,
        timestamp=run.generated_at,
        model_version=run.model_version,
        grain=run.grain,
        source=run.source,
        window_start=run.window.start.isoformat(),
        window_end=run.window.end.isoformat(),
        sample_size=run.n,
        coverage_p10_p90=run.coverage_p10_p90,
        coverage_low=run.coverage_low,
        coverage_high=run.coverage_high,
        rmse=run.rmse,
        mae=run.mae,
        wape=run.wape,
        pinball=run.pinball,
        bias=run.bias,
        status=run.status,
        notes=" ".join(run.notes),
    )


def as_calibrated(quality: ForecastQuality, run: CalibrationRun) -> ForecastQuality:
    """The quality of a forecast with the verdict of its calibration run, which knows issued forecasts too."""
    return replace(
        quality,
        coverage_80=run.coverage_p10_p90,
        coverage_low=run.coverage_low,
        coverage_high=run.coverage_high,
        n=run.n,
        verdict=run.status,
        sentence=run.sentence,
    )


def coverage_by_lead(run: CalibrationRun) -> tuple[LeadCoverage, ...]:
    """The headline record's coverage of the 80 % interval by lead, in periods ahead, with its 95 % interval and n."""
    found = ((int(each.group.split()[0]), each.of(run.rules.interval)) for each in run.record.by_lead)
    return tuple(LeadCoverage(lead, lead, held.share, held.low, held.high, held.n) for lead, held in found)
