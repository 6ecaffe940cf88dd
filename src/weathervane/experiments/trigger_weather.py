"""The trigger in the weather: on which days of which geos a trigger experiment's rule fires."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.experiment_design import TriggerRule, TriggerSignal
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Bools, Floats, named
from weathervane.experiments.tables import seasonal_terms

_COLUMNS: dict[TriggerSignal, str] = {"temperature": "temp_mean_c", "rain": "precip_mm"}
_MIN_DAYS = 28


def trigger_days(
    weather: pl.DataFrame, geos: Sequence[str], days: Sequence[date], rule: TriggerRule, pre_period: Period
) -> Bools:
    """Where the rule fires, [n_geos, n_days]; a day whose weather is not known does not.

    `weather` has the columns of the WEATHER contract. What is usual comes from the pre-period alone, so that later days
    move no earlier one. Raises NotEnoughData where a geo has too little of this weather there.
    """
    found = _signal(weather, geos, days, rule)
    before = np.array([pre_period.start <= day <= pre_period.end for day in days])
    poor = [geo for geo, row in zip(geos, found, strict=True) if np.isfinite(row[before]).sum() < _MIN_DAYS]
    if poor:
        seen = f"forecasts {rule.lead_days} days ahead" if rule.lead_days else "observations"
        raise NotEnoughData(
            f"There are too few {seen} of {rule.signal} for {named(poor)}.",
            "fill in the weather, or choose another lead (0 is the weather as observed).",
        )
    terms = seasonal_terms(days, n_days=int(before.sum()))
    score = np.full_like(found, np.nan)
    for row, values in zip(score, found, strict=True):
        known = before & np.isfinite(values)
        usual = terms @ np.linalg.lstsq(terms[known], values[known], rcond=None)[0]
        spread = float((values - usual)[known].std())
        row[:] = (values - usual) / spread if spread > 0.0 else np.nan
    side = np.sign(rule.threshold)
    return np.nan_to_num(score * side, nan=-np.inf) >= abs(rule.threshold)


def _signal(weather: pl.DataFrame, geos: Sequence[str], days: Sequence[date], rule: TriggerRule) -> Floats:
    """The signal [n_geos, n_days], NaN where it is not known; rain as log(1 + mm), whose spread storms do not make."""
    column = _COLUMNS[rule.signal]
    rows = weather.filter((pl.col("lead_days") == rule.lead_days) & (pl.col("member") == 0)).select(
        "geo", "date", column
    )
    found = np.full((len(geos), len(days)), np.nan)
    at, when = {geo: i for i, geo in enumerate(geos)}, {day: i for i, day in enumerate(days)}
    for geo, day, value in rows.iter_rows():
        if geo in at and day in when and value is not None:
            found[at[geo], when[day]] = value
    return np.log1p(found) if rule.signal == "rain" else found
