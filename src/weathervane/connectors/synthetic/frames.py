"""Frames: a world's arrays as the rows a source would deliver, each with the instant it became known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from weathervane.connectors.synthetic.streams import Floats, stream
from weathervane.connectors.synthetic.weather import LEADS, Days, Weather

INSTANT = pl.Datetime("us", "UTC")
_ISSUE_HOUR = 6
_GAP_SHARE, _HOLE_DAYS = 0.04, 10


def long(
    axis: str, days: Days, geos: Sequence[str], names: Sequence[str], values: Mapping[str, Floats]
) -> pl.DataFrame:
    """A row for each geo, day and name of `axis` (in that order) from arrays [day, geo, name], NaN as null."""
    shape = (len(geos), len(days), len(names))
    columns = {
        "geo": np.repeat(np.array(geos), len(days) * len(names)),
        "date": np.tile(np.repeat(days, len(names)), len(geos)),
        axis: np.tile(np.array(names), len(geos) * len(days)),
        **{name: np.broadcast_to(array.transpose(1, 0, 2), shape).ravel() for name, array in values.items()},
    }
    return pl.DataFrame(columns).with_columns(pl.col(list(values)).fill_nan(None))


def known(frame: pl.DataFrame, days_after: int) -> pl.DataFrame:
    """The frame with `known_at`: midnight UTC so many days after `date`."""
    return frame.with_columns(known_at=_midnight(pl.col("date") + pl.duration(days=days_after)))


def observations(weather: Weather, days: slice) -> pl.DataFrame:
    """Rows of the WEATHER contract for what was observed, known the day after."""
    measures = {
        name: getattr(weather, name)[days][:, :, None]
        for name in ("temp_mean_c", "temp_max_c", "temp_min_c", "precip_mm", "snow_cm")
    }
    frame = long("member", weather.days[days], weather.geos, ["0"], measures)
    return known(_as_weather(frame, pl.lit(0), pl.lit(None, INSTANT)), 1)


def forecasts(weather: Weather, history: slice) -> pl.DataFrame:
    """Rows of the WEATHER contract for every forecast about the history and what is known at its end of later days."""
    end = history.stop - 1
    days = slice(history.start, history.stop + LEADS)
    leads = [str(lead) for lead in range(1, LEADS + 1)]
    measures = {
        "temp_mean_c": weather.forecast_temp_c[:, days].transpose(1, 2, 0),
        "precip_mm": weather.forecast_precip_mm[:, days].transpose(1, 2, 0),
    }
    frame = long("lead", weather.days[days], weather.geos, leads, measures)
    lead = pl.col("lead").cast(pl.Int64)
    issued_on = pl.col("date") - pl.duration(days=lead)
    frame = frame.filter(issued_on <= pl.lit(weather.days[end].astype(object)))
    issued_at = _midnight(issued_on) + pl.duration(hours=_ISSUE_HOUR)
    return _as_weather(frame, lead, issued_at).with_columns(known_at=pl.col("issued_at"))


def given_weather(frame: pl.DataFrame, weather: Weather, history: slice) -> pl.DataFrame:
    """The observations given, of the history alone, with forecasts generated about them unless some were given too."""
    first, last = (weather.days[day].astype(object) for day in (history.start, history.stop - 1))
    own = frame if "known_at" in frame.columns else _with_known_at(frame)
    seen = own.filter(pl.col("lead_days") == 0, pl.col("date").is_between(first, last))
    ahead = own.filter(pl.col("lead_days") > 0)
    if ahead.is_empty():
        ahead = forecasts(weather, history)
    else:
        issued_on = pl.col("date") - pl.duration(days=pl.col("lead_days"))
        ahead = ahead.filter(pl.col("date") >= first, issued_on <= last)
    return pl.concat([seen, ahead], how="diagonal_relaxed")


def with_gaps(seed: int, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with holes: scattered days of sales, ten days of one place, scattered temperatures."""
    sales, weather = tables["sales"], tables["weather"]
    draw = stream(seed, "gaps")
    kept = draw.uniform(size=sales.height) >= _GAP_SHARE
    hole = sorted(sales["date"].unique())[sales["date"].n_unique() // 2 :][:_HOLE_DAYS]
    in_hole = (pl.col("geo") == sales["geo"].min()) & pl.col("date").is_in(hole)
    blank = pl.Series(draw.uniform(size=weather.height) < _GAP_SHARE) & (weather["lead_days"] == 0)
    unmeasured = [
        pl.when(blank).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("temp_mean_c", "temp_max_c", "temp_min_c")
    ]
    return {
        **tables,
        "sales": sales.filter(pl.Series(kept)).filter(~in_hole),
        "weather": weather.with_columns(unmeasured),
    }


def _with_known_at(frame: pl.DataFrame) -> pl.DataFrame:
    """Observations known the day after, forecasts when issued."""
    observed = _midnight(pl.col("date") + pl.duration(days=1))
    issued = pl.col("issued_at").cast(INSTANT) if "issued_at" in frame.columns else pl.lit(None, INSTANT)
    return frame.with_columns(known_at=pl.when(pl.col("lead_days") == 0).then(observed).otherwise(issued))


def _as_weather(frame: pl.DataFrame, lead: pl.Expr, issued_at: pl.Expr) -> pl.DataFrame:
    measures = ("temp_mean_c", "temp_max_c", "temp_min_c", "precip_mm", "snow_cm")
    return frame.select(
        "geo",
        "date",
        lead.cast(pl.Int64).alias("lead_days"),
        pl.lit(0, pl.Int64).alias("member"),
        issued_at.alias("issued_at"),
        *(pl.col(name) if name in frame.columns else pl.lit(None, pl.Float64).alias(name) for name in measures),
    )


def _midnight(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
