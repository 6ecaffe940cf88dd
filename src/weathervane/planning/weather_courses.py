"""Weather courses: equally likely courses of the weather over a plan's period, from what is stored.

Formulas in docs/modeling/planning.md, "Weather".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import polars as pl

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.forecast import WeatherBasis, WeatherCourses
from weathervane.contracts.period import Period
from weathervane.planning.trigger_weather import Floats, TriggerWeather, paths, trigger_weather, with_archive

_Z = "temp_anomaly_z"
_COURSES = 50
_DIGITS = 3
_ORDER: tuple[WeatherBasis, ...] = ("ensemble", "forecast", "climatology")
_FROM: dict[WeatherBasis, str] = {
    "ensemble": "the members of the weather forecast",
    "forecast": "the weather forecast, with the errors that such forecasts made before",
    "climatology": "past years at this time of the year, no forecast with a record being stored",
}


def weather_courses(
    frame: pl.DataFrame,
    normals: pl.DataFrame,
    geos: Sequence[str],
    period: Period,
    step_days: int,
    as_of: datetime,
    weights: Mapping[str, float] | None = None,
) -> WeatherCourses:
    """Courses for these geos over the period, from the weather table and the places' normals (geo, day, mean_c,
    spread_c). With `weights` by place there is one geo, and its weather is the weighted mean of the places'.

    Nothing observed after the day before the period is used. Empty, with the reason, where too little is known.
    """
    known = frame.filter((pl.col("lead_days") > 0) | (pl.col("date") < period.start))
    asked = set(geos if weights is None else weights) & set(normals["geo"])
    places = sorted(asked & set(known.filter(pl.col("lead_days") == 0)["geo"]))
    if not places:
        return _none(period, step_days, "No place has eleven months of its own weather.")
    try:
        ahead = (period.end - _last_seen(known, places)).days
        weather = trigger_weather(known, normals, places, (_Z,), as_of, ahead)
        values, basis = _courses(weather, _members(known, normals, weather, as_of))
    except NotEnoughData as error:
        return _none(period, step_days, error.problem)
    by_step = _steps(values[:, :, -period.n_days :], step_days)
    if weights is not None:
        share = np.array([weights[place] for place in places])
        share = share / share.sum() if share.sum() > 0 else np.full(len(places), 1 / len(places))
        by_step, places = np.einsum("pgt,g->pt", by_step, share)[:, None], list(geos[:1])
        basis = (_weakest(basis),)
    rounded = np.round(by_step, _DIGITS) + 0.0
    return WeatherCourses(
        start=period.start,
        step_days=step_days,
        geos=tuple(places),
        basis=basis,
        anomaly_z=tuple(tuple(tuple(map(float, step)) for step in rounded[:, g].T) for g in range(len(places))),
        sentence=_sentence(len(rounded), basis, len(geos) - len(places)),
    )


def _courses(weather: TriggerWeather, members: Floats | None) -> tuple[Floats, tuple[WeatherBasis, ...]]:
    """Courses [p, g, h] of the anomaly, whose mean is the forecast's as far as it is trusted, and what they rest on.

    The errors of past courses are taken less their mean, so that where nothing is forecast the weather is normal.
    """
    archived = with_archive(weather)
    coming = np.where(archived[:, None], weather.coming[_Z], np.nan)
    found = paths(replace(weather, coming={_Z: coming}))
    trust = found.trust[_Z]
    middle = trust * np.nan_to_num(coming)
    errors = found.values[_Z] - middle
    whole = np.isfinite(errors).all(axis=(1, 2))
    if whole.sum() < _COURSES // 2:
        raise NotEnoughData("Past weather has too many gaps to take courses from.", "import it without gaps.")
    errors = errors[whole]
    errors = errors[np.linspace(0, len(errors) - 1, _courses_of(members)).round().astype(int)]
    errors = errors - errors.mean(axis=0)
    followed = np.asarray((trust > 0).any(axis=1))
    basis: list[WeatherBasis] = ["forecast" if each else "climatology" for each in followed.tolist()]
    if members is None:
        return middle + errors, tuple(basis)
    covered = np.asarray(np.isfinite(members).all(axis=0))  # [g, h]
    return (
        np.where(covered, _with_members(members, trust, errors), middle + errors),
        tuple("ensemble" if covered[g].any() else each for g, each in enumerate(basis)),
    )


def _courses_of(members: Floats | None) -> int:
    """As many courses as members go into them without one counting more than another."""
    return _COURSES if members is None else len(members) * max(1, _COURSES // len(members))


def _with_members(members: Floats, trust: Floats, errors: Floats) -> Floats:
    """Courses [p, g, h] from members [m, g, h]: their mean as far as forecasts are trusted, and their own spread.

    Where archived forecasts say how far the truth was off, and members lie closer together than that, errors that were
    made are added until the spread is right. Without an archive the ensemble is taken at its word.
    """
    mean = np.nan_to_num(members).mean(axis=0)
    measured = np.asarray((trust > 0).any(axis=1))[:, None]
    each = (np.nan_to_num(members) - mean)[np.arange(len(errors)) % len(members)]
    needed, has = errors.var(axis=0), each.var(axis=0)
    more = np.sqrt(np.clip(1 - has / np.maximum(needed, 1e-12), 0.0, 1.0))
    return np.where(measured, trust, 1.0) * mean + each + np.where(measured, more, 0.0) * errors


def _members(frame: pl.DataFrame, normals: pl.DataFrame, weather: TriggerWeather, as_of: datetime) -> Floats | None:
    """The newest ensemble's anomalies [m, g, h], NaN where a place has none for a day; None where there is none."""
    rows = frame.filter(
        (pl.col("lead_days") > 0) & (pl.col("issued_at") <= as_of) & pl.col("geo").is_in(list(weather.geos))
        & pl.col("date").is_in(list(weather.ahead))
    )  # fmt: skip
    rows = rows.filter(pl.col("issued_at") == pl.col("issued_at").max().over("geo", "date"))
    numbers = sorted(rows["member"].unique().to_list())
    if len(numbers) < 2:
        return None
    rows = rows.with_columns(day=pl.col("date").dt.ordinal_day()).join(normals, on=["geo", "day"], how="inner")
    at = [{value: i for i, value in enumerate(values)} for values in (numbers, weather.geos, weather.ahead)]
    found = np.full((len(numbers), *weather.lead.shape), np.nan)
    told = rows.select(
        "member", "geo", "date", (pl.col("temp_mean_c") - pl.col("mean_c")) / pl.col("spread_c")
    )  # fmt: skip
    for member, geo, day, z in told.sort("geo", "date", "member").iter_rows():
        found[at[0][member], at[1][geo], at[2][day]] = np.nan if z is None else z
    return found if np.isfinite(found).all(axis=0).any() else None


def _steps(values: Floats, step_days: int) -> Floats:
    """Means [p, g, t] of days [p, g, h] over steps."""
    return values.reshape(*values.shape[:2], -1, step_days).mean(axis=3)


def _last_seen(frame: pl.DataFrame, places: Sequence[str]) -> date:
    seen = frame.filter((pl.col("lead_days") == 0) & pl.col("geo").is_in(list(places)))["date"]
    last: date = seen.sort()[-1]
    return last


def _weakest(basis: Sequence[WeatherBasis]) -> WeatherBasis:
    return next(each for each in reversed(_ORDER) if each in basis)


def _sentence(n: int, basis: Sequence[WeatherBasis], n_missing: int) -> str:
    """What the courses rest on, the places that have none included."""
    kinds: list[WeatherBasis] = [kind for kind in _ORDER if kind in basis]
    if len(kinds) == 1 and not n_missing:
        return f"Planned over {n} equally likely courses of the coming weather, from {_FROM[kinds[0]]}."
    parts = [f"in {_places(list(basis).count(kind))} from {_FROM[kind]}" for kind in kinds]
    if n_missing:
        parts.append(f"{_places(n_missing)} without enough weather of their own taken as normal")
    return f"Planned over {n} equally likely courses of the coming weather: {'; '.join(parts)}."


def _places(n: int) -> str:
    return f"{n} place{'s' if n != 1 else ''}"


def _none(period: Period, step_days: int, why: str) -> WeatherCourses:
    return WeatherCourses(period.start, step_days, (), (), (), f"The coming weather is not known: {why}")
