"""Trigger weather: what happened by geo and day, and equally likely paths of the days to come.

Formulas in docs/modeling/planning.md, "Trigger campaigns".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.trigger import Variable

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bools = NDArray[np.bool_]

HORIZON_DAYS = 14
_MIN_PATHS = 40
_MIN_PAIRS = 60
_SEASON_DAYS = 45
_YEAR_DAYS = 365.25
_WET_MM = 1.0
_AMOUNTS = ("precip_mm", "snow_cm")
_ANOMALIES = ("temp_anomaly_c", "temp_anomaly_z")  # whose normal is zero by what they are


@dataclass(frozen=True)
class TriggerWeather:
    """Daily weather of sorted geos; NaN is unknown.

    `observed[v]` [g, t] over `days`, without gaps; `archived[v]` [g, t, l] is what was forecast for that day l + 1 days
    before; `coming[v]` [g, h] the newest forecast of the h-th day after the last observed one, issued `lead` [g, h]
    days before it (0 where there is none).
    """

    geos: tuple[str, ...]
    days: tuple[date, ...]
    observed: Mapping[str, Floats]
    archived: Mapping[str, Floats]
    coming: Mapping[str, Floats]
    lead: Whole

    @property
    def ahead(self) -> tuple[date, ...]:
        """The days to come, from the first that was not observed."""
        return tuple(self.days[-1] + timedelta(days=h + 1) for h in range(self.lead.shape[1]))


def trigger_weather(
    frame: pl.DataFrame,
    normals: pl.DataFrame,
    geos: Sequence[str],
    variables: Sequence[Variable],
    as_of: datetime,
    horizon: int = HORIZON_DAYS,
) -> TriggerWeather:
    """Arrays of these geos and variables from the stored weather table and the places' normals (geo, day, mean_c,
    spread_c). NotEnoughData where nothing was observed.
    """
    rows = frame.filter(pl.col("geo").is_in(list(geos)) & (pl.col("member") == 0))
    rows = _with_anomalies(rows, normals)
    seen = rows.filter((pl.col("lead_days") == 0) & (pl.col("date") <= as_of.date()))
    if seen.is_empty():
        raise NotEnoughData("No weather was observed in these places.", "import daily weather of the places' days.")
    dates: list[date] = seen["date"].sort().to_list()
    first, last = dates[0], dates[-1]
    ordered, n = tuple(sorted(geos)), (last - first).days + 1
    forecasts = rows.filter((pl.col("lead_days") > 0) & (pl.col("issued_at") <= as_of))
    leads = max(1, int(forecasts.select(pl.col("lead_days").max()).item() or 1))
    newest = (
        forecasts.filter((pl.col("date") > last) & (pl.col("date") <= last + timedelta(days=horizon)))
        .sort("geo", "date", "issued_at", pl.col("lead_days").neg())
        .unique(["geo", "date"], keep="last", maintain_order=True)
    )
    archive = forecasts.filter((pl.col("date") >= first) & (pl.col("date") <= last))
    lead = _placed(newest, ordered, last + timedelta(days=1), (horizon,), "lead_days")
    return TriggerWeather(
        ordered,
        tuple(first + timedelta(days=t) for t in range(n)),
        {name: _placed(seen, ordered, first, (n,), name) for name in variables},
        {name: _placed(archive, ordered, first, (n, leads), name) for name in variables},
        {name: _placed(newest, ordered, last + timedelta(days=1), (horizon,), name) for name in variables},
        np.nan_to_num(lead).astype(np.int64),
    )


def local_anomaly(frame: pl.DataFrame) -> tuple[tuple[str, ...], tuple[date, ...], Floats] | None:
    """Sorted geos, days without gaps, and their observed temperatures [g, t] less what is usual, over local spread."""
    seen = frame.filter((pl.col("lead_days") == 0) & (pl.col("member") == 0) & pl.col("temp_mean_c").is_not_null())
    if seen.is_empty():
        return None
    days: list[date] = seen["date"].unique().sort().to_list()
    geos, first, n = tuple(seen["geo"].unique().sort().to_list()), days[0], (days[-1] - days[0]).days + 1
    whole = tuple(first + timedelta(days=t) for t in range(n))
    past, waves = _placed(seen, geos, first, (n,), "temp_mean_c"), _waves(whole, 3)
    for row in past:
        known = np.isfinite(row)
        terms = 7 if known.sum() >= 2 * 365 else 5 if known.sum() >= _YEAR_DAYS else 1
        row -= waves[:, :terms] @ np.linalg.lstsq(waves[known, :terms], row[known], rcond=None)[0]
        spread = np.abs(row[known]) * np.sqrt(np.pi / 2)  # of a Gaussian, from its mean absolute deviation
        usual = waves[:, : min(terms, 3)] @ np.linalg.lstsq(waves[known, : min(terms, 3)], spread, rcond=None)[0]
        row /= np.maximum(usual, 0.5)
    return geos, whole, past


def wet_anomaly(frame: pl.DataFrame, geos: Sequence[str], days: Sequence[date]) -> Floats:
    """Whether it was wet (over 1 mm) on each of these days without gaps, less how often it usually is, [g, t]."""
    seen = frame.filter((pl.col("lead_days") == 0) & (pl.col("member") == 0))
    rain, waves = _placed(seen, geos, days[0], (len(days),), "precip_mm"), _waves(days)
    wet = np.where(np.isnan(rain), np.nan, rain > _WET_MM)
    for row in wet:
        fitted = _through_the_year(row, waves)
        row -= waves[:, : len(fitted)] @ fitted
    return wet


def wet_ahead(weather: TriggerWeather, rain: Floats) -> Floats:
    """Whether it is wet on each day of these courses of `precip_mm` [p, g, h], less how often it usually is then."""
    past, waves, ahead = weather.observed["precip_mm"], _waves(weather.days), _waves(weather.ahead)
    usual = np.zeros(weather.lead.shape)
    for g, row in enumerate(np.where(np.isnan(past), np.nan, past > _WET_MM)):
        fitted = _through_the_year(row, waves)
        usual[g] = ahead[:, : len(fitted)] @ fitted
    return np.where(np.isnan(rain), np.nan, (rain > _WET_MM) - usual)


@dataclass(frozen=True)
class Paths:
    """Equally likely courses [p, g, h] of each variable over the days to come, the same course p in all of them.

    `with_forecast` names the variables that follow a forecast; the others are as in past years. `trust` [g, h] is the
    slope that the forecast of a day was taken by, zero where there is none or it has no measured skill.
    """

    values: Mapping[str, Floats]
    with_forecast: frozenset[str]
    trust: Mapping[str, Floats]


def paths(weather: TriggerWeather) -> Paths:
    """The courses that the weather may take; NotEnoughData where the past holds too few.

    Course p is normal + rho·forecast + (what happened after past day p − normal then − rho·forecast then): the present
    forecast with an error that was really made, in all places and on all days together. Where no forecast is known,
    or it has no skill at its lead, that is the weather of past years at this time of the year.
    """
    h, t = weather.lead.shape[1], len(weather.days)
    starts = np.arange(t - h)  # the days to come of start i are the observed days i + 1 … i + h
    seasons = {name: _seasonal(weather, name) for name in weather.observed}
    with_errors = _starts_with_archive(weather, seasons, starts)
    use_forecast = len(with_errors) >= _MIN_PATHS
    chosen = _same_season(weather, with_errors if use_forecast else starts)
    if len(chosen) < _MIN_PATHS:
        raise NotEnoughData(
            f"{len(chosen)} past courses of weather are known; {_MIN_PATHS} are needed to say how often a rule runs.",
            "import at least a year of daily weather.",
        )
    window = chosen[:, None] + 1 + np.arange(h)
    found: dict[str, Floats] = {}
    trusted: dict[str, Floats] = {}
    for name, season in seasons.items():
        rho = _skill(season) if use_forecast else np.zeros(weather.archived[name].shape[2])
        usual_then, happened = season.normal_past[:, window], season.past[:, window]
        error = happened - usual_then
        centre, trust = season.normal_ahead, np.zeros(weather.lead.shape)
        if rho.any():
            lead = np.maximum(weather.lead, 1) - 1
            then = _archived_at(season.archived, window, lead) - usual_then
            now = season.coming - season.normal_ahead
            trust = np.where(np.isfinite(now), rho[lead], 0.0)
            centre = centre + trust * np.nan_to_num(now)
            error = error - trust[:, None, :] * np.where(trust[:, None, :] > 0, then, 0.0)
        found[name] = season.back(centre[:, None, :] + error).transpose(1, 0, 2)
        trusted[name] = trust
    known = {name for name, values in weather.coming.items() if np.isfinite(values).any()}
    return Paths(found, frozenset(known if use_forecast else ()), trusted)


@dataclass(frozen=True)
class _Season:
    """A variable on the scale on which errors add up: past [g, t], archive [g, t, l], coming [g, h], and its normals.

    For amounts that scale is the normal score of a value among those observed in its geo, and `sorted_amounts` leads
    back from it; so dry days stay as common as they are.
    """

    past: Floats
    archived: Floats
    coming: Floats
    normal_past: Floats
    normal_ahead: Floats
    sorted_amounts: tuple[Floats, ...] | None

    def back(self, values: Floats) -> Floats:
        """Values [g, p, h] in the variable's own unit."""
        if self.sorted_amounts is None:
            return values
        return np.stack([_amounts(known, row) for known, row in zip(self.sorted_amounts, values, strict=True)])


def _seasonal(weather: TriggerWeather, name: str) -> _Season:
    scaled = [weather.observed[name], weather.archived[name], weather.coming[name]]
    sorted_amounts = None
    if name in _AMOUNTS:
        sorted_amounts = tuple(np.sort(row[np.isfinite(row)]) for row in scaled[0])
        # A dry day is as likely to be any of the dry ranks: one is drawn, the same for a geo whoever is asked with it.
        drawn = np.stack([np.random.default_rng([*geo.encode()]).random(len(weather.days)) for geo in weather.geos])
        middle = [np.full(values.shape, 0.5) for values in scaled[1:]]
        scaled = [_scores(sorted_amounts, *pair) for pair in zip(scaled, [drawn, *middle], strict=True)]
    past = scaled[0]
    waves, waves_ahead = _waves(weather.days), _waves(weather.ahead)
    normal, ahead = np.zeros(past.shape), np.zeros(weather.lead.shape)
    for g, row in enumerate(past):
        known = np.isfinite(row)
        terms = waves.shape[1] if known.sum() >= _YEAR_DAYS else 1  # under a year, a season cannot be told from a trend
        if known.any() and name not in _ANOMALIES:
            fitted = np.linalg.lstsq(waves[known, :terms], row[known], rcond=None)[0]
            normal[g], ahead[g] = waves[:, :terms] @ fitted, waves_ahead[:, :terms] @ fitted
    return _Season(past, scaled[1], scaled[2], normal, ahead, sorted_amounts)


def _scores(sorted_amounts: Sequence[Floats], values: Floats, among_ties: Floats) -> Floats:
    """Normal scores of values [g, ...] among the sorted ones of their geo; a tie's place among its like is given."""
    found = np.full(values.shape, np.nan)
    for g, known in enumerate(sorted_amounts):
        if len(known):
            below, upto = np.searchsorted(known, values[g], "left"), np.searchsorted(known, values[g], "right")
            rank = (below + (upto - below) * among_ties[g]) / len(known)
            scores = ndtri(np.clip(rank, 0.5 / len(known), 1 - 0.5 / len(known)))
            found[g] = np.where(np.isnan(values[g]), np.nan, scores)
    return found


def _amounts(known: Floats, scores: Floats) -> Floats:
    """What has these scores among the sorted values."""
    if not len(known):
        return np.full(scores.shape, np.nan)
    return np.interp(ndtr(scores) * len(known), np.arange(len(known)) + 0.5, known)


def _skill(season: _Season) -> Floats:
    """The slope of what happened on what was forecast at each lead, as anomalies over all geos, within 0 to 1."""
    seen = season.past - season.normal_past
    rho = np.zeros(season.archived.shape[2])
    for lead in range(len(rho)):
        said = season.archived[:, :, lead] - season.normal_past
        both = np.isfinite(seen) & np.isfinite(said)
        power = float((said[both] ** 2).sum())
        if both.sum() >= _MIN_PAIRS and power > 0:
            rho[lead] = min(1.0, max(0.0, float((said[both] * seen[both]).sum()) / power))
    return rho


def with_archive(weather: TriggerWeather) -> Bools:
    """Places [g] whose forecasts of every variable were archived often enough, at the leads of now, to learn from."""
    starts = np.arange(len(weather.days) - weather.lead.shape[1])
    return _archived(weather, weather.observed, weather.archived, starts).sum(axis=1) >= _MIN_PATHS


def _starts_with_archive(weather: TriggerWeather, seasons: Mapping[str, _Season], starts: Whole) -> Whole:
    """The past days after which every forecast that is known now was known too; none where nothing is known now."""
    if not len(starts) or not any(np.isfinite(values).any() for values in weather.coming.values()):
        return starts[:0]
    return starts[
        _archived(weather, seasons, {name: each.archived for name, each in seasons.items()}, starts).all(axis=0)
    ]


def _archived(weather: TriggerWeather, names: Iterable[str], archived: Mapping[str, Floats], starts: Whole) -> Bools:
    """Whether, by place and start [g, p], every forecast that is known now was archived at the same leads then."""
    window = starts[:, None] + 1 + np.arange(weather.lead.shape[1])
    lead = np.maximum(weather.lead, 1) - 1
    whole = np.ones((len(weather.geos), len(starts)), dtype=np.bool_)
    for name in names:
        needed = np.isfinite(weather.coming[name])[:, None, :]
        whole &= (np.isfinite(_archived_at(archived[name], window, lead)) | ~needed).all(axis=2)
    return whole


def _archived_at(archived: Floats, window: Whole, lead: Whole) -> Floats:
    """What was forecast for the days `window` [p, h] at the leads of now [g, h]: [g, p, h]."""
    geo = np.arange(lead.shape[0])[:, None, None]
    return archived[geo, window[None], lead[:, None, :]]


def _same_season(weather: TriggerWeather, starts: Whole) -> Whole:
    """Those within 45 days of now in the year; all where these are too few."""
    now = weather.days[-1].timetuple().tm_yday
    then = np.array([weather.days[i].timetuple().tm_yday for i in starts], dtype=np.float64)
    apart = np.abs((then - now + _YEAR_DAYS / 2) % _YEAR_DAYS - _YEAR_DAYS / 2)
    near = starts[apart <= _SEASON_DAYS]
    return near if len(near) >= _MIN_PATHS else starts


def _waves(days: Sequence[date], order: int = 2) -> Floats:
    """A constant and pairs of cosine and sine of the year."""
    turn = 2.0 * np.pi * np.array([day.timetuple().tm_yday for day in days]) / _YEAR_DAYS
    return np.column_stack([np.ones_like(turn), *(f(k * turn) for k in range(1, order + 1) for f in (np.cos, np.sin))])


def _through_the_year(row: Floats, waves: Floats) -> Floats:
    """Coefficients of the first waves [t, k] that the known values [t] follow: under a year, the mean alone."""
    known = np.isfinite(row)
    terms = waves.shape[1] if known.sum() >= _YEAR_DAYS else int(known.any())
    return np.asarray(np.linalg.lstsq(waves[known, :terms], row[known], rcond=None)[0], dtype=np.float64)


def _with_anomalies(rows: pl.DataFrame, normals: pl.DataFrame) -> pl.DataFrame:
    by_day = rows.with_columns(day=pl.col("date").dt.ordinal_day()).join(
        normals.select("geo", "day", "mean_c", "spread_c"), on=["geo", "day"], how="left", maintain_order="left"
    )
    anomaly = pl.col("temp_mean_c") - pl.col("mean_c")
    return by_day.with_columns(temp_anomaly_c=anomaly, temp_anomaly_z=anomaly / pl.col("spread_c"))


def _placed(rows: pl.DataFrame, geos: Sequence[str], first: date, shape: tuple[int, ...], name: str) -> Floats:
    """The column by geo, day from `first` and, where `shape` has it, lead; NaN where there is no row."""
    found = np.full((len(geos), *shape), np.nan)
    if name not in rows.columns or rows.is_empty():
        return found
    at = {geo: g for g, geo in enumerate(geos)}
    g = np.array([at[geo] for geo in rows["geo"]], dtype=np.intp)
    t = (rows["date"] - first).dt.total_days().to_numpy()
    inside = (t >= 0) & (t < shape[0])
    values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if len(shape) == 1:
        found[g[inside], t[inside]] = values[inside]
    else:
        lead = rows["lead_days"].to_numpy() - 1
        found[g[inside], t[inside], lead[inside]] = values[inside]
    return found
