"""Tables: a tenant's stored tables as what experiments work on: one outcome, spend and weather a geo and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.tenant import Place, Tenant
from weathervane.experiments.balance import GeoWeather
from weathervane.experiments.draft import Ground
from weathervane.experiments.panel import Floats, Panel, panel_from_rows
from weathervane.experiments.screen import Surroundings

_YEAR_DAYS = 365.25
_LEAST_WEEKLY = 5  # days between sales, from which on they are no daily ones
_STEPS = ((8, "by week"), (15, "by two weeks"), (32, "by month"), (93, "by quarter"), (367, "by year"))


@dataclass(frozen=True)
class GeoTables:
    """A tenant's geos and days: `outcome`; `spend` by channel; weather, [n_geos, n_days], None where days lack.

    `weather_residuals` [2, n_geos, n_days] are temperature and rain (log 1 + mm) less each geo's usual for the time of
    year, in local standard deviations.
    """

    outcome: Panel
    spend: dict[str, Panel]
    weather: GeoWeather | None
    weather_residuals: Floats | None
    around: Surroundings
    places: tuple[Place, ...]

    @property
    def ground(self) -> Ground:
        """What a design stands on beside the outcome."""
        return Ground(self.places, self.weather, self.around)

    @property
    def n_rows(self) -> int:
        """How many geo-days have an outcome."""
        return int(np.isfinite(self.outcome.outcome).sum())


def geo_tables(
    tenant: Tenant,
    sales: pl.DataFrame,
    spend: pl.DataFrame,
    weather: pl.DataFrame,
    calendar: pl.DataFrame,
    inventory: pl.DataFrame,
) -> GeoTables:
    """The panels of frames in the contracts of contracts/tables.py; every frame but `sales` may be empty.

    A geo and day without sales rows is unknown; one without spend rows had none. NotEnoughData without sales.
    """
    outcome = outcome_panel(tenant, sales)
    temperature = _matrix(outcome, _observed(weather), "temp_mean_c")
    rain = _matrix(outcome, _observed(weather), "precip_mm")
    residuals = None
    if temperature is not None and rain is not None:
        residuals = np.array([_residuals(outcome.days, x) for x in (temperature, np.log1p(rain))])
    around = Surroundings(
        holidays=dict(calendar.select("date", "event").sort("date", "event").unique("date", keep="first").iter_rows())
        if not calendar.is_empty()
        else {},
        in_stock_share=_matrix(
            outcome, inventory.group_by("geo", "date").agg(pl.col("in_stock_share").mean()), "in_stock_share", gaps=True
        ),
        temp_z=None if residuals is None else residuals[0],
    )
    return GeoTables(
        outcome,
        {str(name): _spent(outcome, spend, str(name)) for name in spend["channel"].unique().sort()},
        GeoWeather(temperature, rain) if temperature is not None and rain is not None else None,
        residuals,
        around,
        tenant.places,
    )


def outcome_panel(tenant: Tenant, sales: pl.DataFrame) -> Panel:
    """The outcome by place and day. NotEnoughData without sales."""
    if sales.is_empty():
        raise NotEnoughData("There are no sales yet (no_orders).", "run `weathervane import MAPPING.yaml` first.")
    # Rounded, because sums of the same numbers in another order differ in their last bit, and a design hashes them.
    daily = sales.group_by("geo", "date").agg(pl.col(tenant.outcome).sum().round(6)).drop_nulls().sort("geo", "date")
    return panel_from_rows(daily["geo"].to_list(), daily["date"].to_list(), daily[tenant.outcome].to_list())


def need_days(outcome: Panel) -> None:
    """Raises NotEnoughData where sales come by week, month or year: a test is planned and read by day."""
    steps = sorted((later - earlier).days for earlier, later in pairwise(outcome.days))
    step = steps[len(steps) // 2] if steps else 1
    if step < _LEAST_WEEKLY:
        return
    by = next((name for most, name in _STEPS if step <= most), f"one every {step} days")
    raise NotEnoughData(
        f"A geo test needs sales by day; these are {by}.",
        "import daily sales of the same places, then design it again.",
    )


def _observed(weather: pl.DataFrame) -> pl.DataFrame:
    return weather.filter((pl.col("lead_days") == 0) & (pl.col("member") == 0))


def _spent(outcome: Panel, spend: pl.DataFrame, channel: str) -> Panel:
    """A channel's spend on the outcome's geos and days; each row counts to the last of these days at or before it."""
    rows = spend.filter(pl.col("channel") == channel).group_by("geo", "date").agg(pl.col("spend").sum())
    found = np.zeros(outcome.outcome.shape)
    at = {geo: i for i, geo in enumerate(outcome.geos)}
    starts = np.array(outcome.days, dtype="datetime64[D]")
    for geo, day, amount in rows.iter_rows():
        column = int(np.searchsorted(starts, np.datetime64(day, "D"), "right")) - 1
        if geo in at and column >= 0:
            found[at[geo], column] += amount
    return Panel(outcome.geos, outcome.days, found)


def _matrix(outcome: Panel, rows: pl.DataFrame, column: str, *, gaps: bool = False) -> Floats | None:
    """`column` on the outcome's geos and days; None where no row has it, or (unless `gaps` may stay) one lacks it."""
    if rows.is_empty() or column not in rows.columns:
        return None
    found = np.full(outcome.outcome.shape, np.nan)
    at = {geo: i for i, geo in enumerate(outcome.geos)}
    when = {day: i for i, day in enumerate(outcome.days)}
    for geo, day, value in rows.select("geo", "date", column).iter_rows():
        if geo in at and day in when and value is not None:
            found[at[geo], when[day]] = value
    if not np.isfinite(found).any() or (not gaps and not np.isfinite(found).all()):
        return None
    return found


def seasonal_terms(days: Sequence[date], n_days: int) -> Floats:
    """A mean and two harmonics of the year, [len(days), 1 or 5]; the mean alone where a season is fitted to `n_days` of
    less than a year, in which it cannot be told from a trend."""
    turn = 2.0 * np.pi * np.array([(day - date(2000, 1, 1)) / timedelta(days=1) for day in days]) / _YEAR_DAYS
    terms = np.column_stack([np.ones_like(turn), *(f(k * turn) for k in (1, 2) for f in (np.cos, np.sin))])
    return terms[:, :1] if n_days < 365 else terms


def _residuals(days: Sequence[date], values: Floats) -> Floats:
    """`values` [n_geos, t] less what is usual for the time of year, in each geo's standard deviations."""
    terms = seasonal_terms(days, len(days))
    rest = values - (terms @ np.linalg.lstsq(terms, values.T, rcond=None)[0]).T
    spread = rest.std(axis=1, keepdims=True)
    return rest / np.where(spread > 0.0, spread, 1.0)
