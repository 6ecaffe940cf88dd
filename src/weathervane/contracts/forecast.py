"""Forecast: demand by geo, category and day with p10/p50/p90, and how such forecasts have done so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from weathervane.contracts.errors import BadInput

# The probabilities a forecast is issued at: the ends of its 90, 80 and 50 % intervals, and the middle.
LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


Verdict = Literal["calibrated", "too narrow", "too wide", "not enough data"]


@dataclass(frozen=True)
class Quantiles:
    """A tenth, half and nine tenths of the probability lie below p10, p50 and p90."""

    p10: float
    p50: float
    p90: float

    def __post_init__(self) -> None:
        if not self.p10 <= self.p50 <= self.p90:
            raise BadInput(f"Quantiles cross: {self.p10}, {self.p50}, {self.p90}.", "sort them before storing.")


@dataclass(frozen=True)
class DemandPoint:
    """Demand of one geo and category in one period starting at `date`, issued `lead_days` before it.

    `fan` holds the quantiles at LEVELS; empty in forecasts issued before they were kept.
    """

    geo: str
    category: str
    date: date
    lead_days: int
    demand: Quantiles
    fan: tuple[float, ...] = ()


@dataclass(frozen=True)
class WeatherOutlook:
    """The weather coming to one geo against its normal, averaged over the horizon, and what it does to demand.

    None where no weather is known. `temp_anomaly_z` is the anomaly over the local spread; `wet_days` counts days above
    1 mm. `wet_anomaly` is the expected anomaly of their share in each period ahead, empty where rain is not known.
    """

    geo: str
    temp_anomaly_c: float | None
    temp_anomaly_z: float | None
    wet_days: float | None
    demand_weather_rel: float | None
    wet_anomaly: tuple[float, ...] = ()


WeatherBasis = Literal["ensemble", "forecast", "climatology"]


@dataclass(frozen=True)
class WeatherCourses:
    """Equally likely courses of the weather over the plan period, a course being one in all places at once.

    `anomaly_z` is [geo, step, course]: the mean temperature anomaly over local spread in steps of `step_days` from
    `start`. `basis` says by geo what they are made of; places that are not named are taken as normal, and `sentence`
    says why (planning.md, "Weather").
    """

    start: date
    step_days: int
    geos: tuple[str, ...]
    basis: tuple[WeatherBasis, ...]
    anomaly_z: tuple[tuple[tuple[float, ...], ...], ...]
    sentence: str

    def __post_init__(self) -> None:
        sizes = {tuple(len(step) for step in geo) for geo in self.anomaly_z}
        if not len(self.geos) == len(self.basis) == len(self.anomaly_z) or len(sizes) > 1:
            raise BadInput("The courses of the weather are not one table of places, steps and courses.", "remake them.")


@dataclass(frozen=True)
class ForecastDay:
    """A period starting at `date`, as seen when the forecast was issued: the total that happened (None if it was still
    to come, or incomplete) and the mean temperature anomaly over local spread (None if unknown).
    """

    date: date
    actual: float | None
    temp_anomaly_z: float | None


@dataclass(frozen=True)
class ForecastInputs:
    """What a forecast was made from. The tables can be read again as known when it was issued; the hashes prove it.

    `weekly_spend` by channel is assumed to go on, `promotion_rows` were announced for the days ahead.
    """

    model_version: str
    data_hashes: dict[str, str]
    weekly_spend: dict[str, float]
    promotion_rows: int


@dataclass(frozen=True)
class DemandForecast:
    """One issued forecast; immutable once in the ledger. `total` holds the sums over geos and categories.

    `courses` are what a plan is made over; None in forecasts issued before they were kept.
    """

    forecast_id: str
    tenant_id: str
    issued_at: str
    model: str
    step_days: int
    points: tuple[DemandPoint, ...]
    total: tuple[DemandPoint, ...]
    weather_source: Literal["forecast", "climatology", "none"]
    note: str
    outlook: tuple[WeatherOutlook, ...] = ()
    days: tuple[ForecastDay, ...] = ()
    inputs: ForecastInputs | None = None
    courses: WeatherCourses | None = None


@dataclass(frozen=True)
class BacktestScore:
    """Error of one method over every held-out origin; WAPE is Σ|error| / Σ|actual|."""

    method: str
    wape: float
    n: int


@dataclass(frozen=True)
class WidthShare:
    """What the range of the total at one lead is made of; shares of the variance of its log, adding up to one."""

    lead: int  # periods ahead, from 1
    weather_share: float
    media_share: float
    model_share: float


@dataclass(frozen=True)
class ValueOfWeather:
    """Error of the same past forecasts with and without weather, and their difference with a 90 % interval.

    `saved_rel` is WAPE without minus WAPE with. `money` is what that takes off the error of one forecast of the whole
    horizon, all series together, in the outcome's major units, between `money_low` and `money_high`. Where `helps` is
    False the forecast is made without weather. None where there is no record to tell from.
    """

    wape_with: float | None
    wape_without: float | None
    saved_rel: float
    saved_low: float
    saved_high: float
    helps: bool
    money: float | None
    sentence: str
    money_low: float | None = None
    money_high: float | None = None
    as_if: bool = False  # no weather forecast is stored: forecasts were made of the weather that came, with errors


@dataclass(frozen=True)
class Extrapolation:
    """A planned promotion deeper than any its category had: nothing measured says what it will do."""

    geo: str
    category: str
    date: date
    planned_depth: float
    deepest_seen: float


@dataclass(frozen=True)
class ForecastQuality:
    """Rolling-origin record: our error beside the floors, and how often the 80 % interval held the truth.

    `issued_wape` is the error of the forecasts as they would have been issued, each by the method that was best until
    then; the scores of the methods are over all origins, `chosen` by the same.
    """

    chosen: str
    scores: tuple[BacktestScore, ...]
    origins: tuple[date, ...]
    coverage_80: float
    coverage_low: float
    coverage_high: float
    n: int
    verdict: Verdict
    sentence: str
    issued_wape: float | None = None
    weather: ValueOfWeather | None = None
    width: tuple[WidthShare, ...] = ()
    extrapolations: tuple[Extrapolation, ...] = ()
