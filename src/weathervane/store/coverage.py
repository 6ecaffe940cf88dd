"""Coverage: what is stored of each table, and what it is enough for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.period import Period
from weathervane.contracts.readiness import (
    MAX_AGE_DAYS,
    MIN_FORECAST_DAYS,
    MIN_FORECAST_WEEKS,
    MIN_MEDIA_WEEKS,
    MIN_WEATHER_SHARE,
    Readiness,
    Requirement,
    TableCoverage,
)
from weathervane.store.paths import Store
from weathervane.store.tables import read

_GAPS_SHOWN = 5
# What has happened, as against calendars, promotions and prices, which are planned.
_FACTS = ("sales", "spend", "weather", "inventory")
_UNIT = {1: "day", 7: "week"}


def coverage(table: str, frame: pl.DataFrame) -> TableCoverage:
    """What `frame`, the rows of a table, covers; gaps are counted over all its places together."""
    if frame.is_empty() or "date" not in frame.columns:
        return TableCoverage(table, frame.height, None, 1, 0, _geos(frame), ())
    days: list[date] = frame["date"].unique().sort().to_list()
    step = step_days(days)
    missing = [(a, b) for a, b in pairwise(days) if (b - a).days > step]
    gaps = [Period(a + timedelta(days=step), b - timedelta(days=1)) for a, b in missing]
    return TableCoverage(
        table=table,
        rows=frame.height,
        span=Period(days[0], days[-1] + timedelta(days=step - 1)),
        step_days=step,
        n_periods=len(days),
        geos=_geos(frame),
        gaps=tuple(sorted(gaps, key=lambda gap: -gap.n_days)[:_GAPS_SHOWN]) if table != "calendar" else (),
    )


def step_days(days: Sequence[date]) -> int:
    """Days a row stands for, told by sorted distinct dates: 7 where all are whole weeks apart, else 1."""
    spacings = [(b - a).days for a, b in pairwise(days)]
    return 7 if spacings and all(spacing % 7 == 0 for spacing in spacings) else 1


def check_history(store: Store, fresh: pl.DataFrame | None, origin: str, step: int) -> None:
    """Whether freshly read sales (`step` days a row), beside those stored, make a history to forecast from.

    Raises BadInput for days mixed with weeks, NotEnoughData where there is too little.
    """
    stored, new = _days(read(store, "sales")), _days(fresh) if fresh is not None else []
    if stored and new and step_days(stored) != step:
        raise BadInput(
            f"{origin}: sales are by {_UNIT[step]}, those stored for {store.tenant_id!r} are by {_UNIT[8 - step]}.",
            "export them alike, or use another tenant id.",
        )
    enough, sentence, remedy = _history(sorted({*stored, *new}))
    if not enough:
        raise NotEnoughData(sentence[0].upper() + sentence[1:], remedy)


def refuse_future(table: str, frame: pl.DataFrame, origin: str, today: date) -> None:
    """Raises BadInput for facts dated after `today`, with a day's grace for places ahead of UTC."""
    days = _days(frame) if table in _FACTS else []
    if days and days[-1] > today + timedelta(days=1):
        raise BadInput(
            f"{origin}: {table} go on until {days[-1]}, after today ({today}).",
            "check the date's column and format in the mapping, or leave out what has not happened yet.",
        )


def judge(tenant_id: str, as_of: date, frames: dict[str, pl.DataFrame]) -> Readiness:
    """The verdict on a tenant's stored tables as of a day."""
    tables = tuple(coverage(table, frame) for table, frame in frames.items())
    sales, spend, weather = (frames[name] for name in ("sales", "spend", "weather"))
    requirements = (_forecast(sales), _media(sales, spend), _weather(sales, weather), _fresh(sales, as_of))
    return Readiness(tenant_id, as_of, tables, requirements)


def _geos(frame: pl.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(set(frame["geo"].to_list()))) if "geo" in frame.columns else ()


def _days(frame: pl.DataFrame) -> list[date]:
    return frame["date"].unique().sort().to_list()


def _history(days: Sequence[date]) -> tuple[bool, str, str]:
    if not days:
        return False, "there are no sales.", "add a source with `table: sales` to the mapping and import it."
    weekly = step_days(days) == 7
    have, need = len(days), MIN_FORECAST_WEEKS if weekly else MIN_FORECAST_DAYS
    unit = "week" if weekly else "day"
    are = "is" if have == 1 else "are"
    sentence = f"there {are} {counted(have, unit)} of sales; a forecast needs {need}."
    return have >= need, sentence, f"import at least {counted(need - have, f'more {unit}')} of sales history."


def counted(n: int, what: str) -> str:
    """`1 day`, `2 days`."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def _forecast(sales: pl.DataFrame) -> Requirement:
    met, sentence, remedy = _history(_days(sales))
    return Requirement("forecast", needed=True, met=met, sentence=sentence, remedy="" if met else remedy)


def _media(sales: pl.DataFrame, spend: pl.DataFrame) -> Requirement:
    """Spend and sales side by side for long enough, in at least one channel that ever changed."""
    both = spend.join(sales.select("geo", "date").unique(), on=["geo", "date"], how="semi")
    weeks = both["date"].dt.truncate("1w").n_unique()
    moving = both.group_by("geo", "channel").agg(pl.col("spend").drop_nulls().n_unique().alias("levels"))
    changing = moving.filter(pl.col("levels") > 1)["channel"].n_unique()
    sentence = f"there are {weeks} weeks with both spend and sales; measuring media needs {MIN_MEDIA_WEEKS}."
    remedy = f"import at least {MIN_MEDIA_WEEKS - weeks} more weeks of spend."
    if weeks >= MIN_MEDIA_WEEKS and changing == 0:
        sentence = "no channel's spend ever changes, so what it causes cannot be measured."
        remedy = "vary the spend of a channel between weeks or places, and import again."
    met = weeks >= MIN_MEDIA_WEEKS and changing > 0
    return Requirement("media", needed=True, met=met, sentence=sentence, remedy="" if met else remedy)


def _weather(sales: pl.DataFrame, weather: pl.DataFrame) -> Requirement:
    """Observed weather for most days (or weeks) and places that have sales."""
    sold = sales.select("geo", "date").unique()
    observed = weather.filter((pl.col("lead_days") == 0) & pl.col("temp_mean_c").is_not_null())
    share = sold.join(observed, on=["geo", "date"], how="semi").height / max(sold.height, 1)
    met = share >= MIN_WEATHER_SHARE
    sentence = f"weather is known for {share:.0%} of the days and places with sales; {MIN_WEATHER_SHARE:.0%} is needed."
    remedy = "" if met else "import daily weather of the same places and days; without it no weather effect is claimed."
    return Requirement("weather", needed=False, met=met, sentence=sentence, remedy=remedy)


def _fresh(sales: pl.DataFrame, as_of: date) -> Requirement:
    covered = coverage("sales", sales).span
    if covered is None:
        return Requirement("freshness", needed=False, met=False, sentence="there are no sales.", remedy="import sales.")
    age = (as_of - covered.end).days
    met = age <= MAX_AGE_DAYS
    sentence = f"sales end on {covered.end}, {max(age, 0)} days before {as_of}."
    remedy = "" if met else "import newer sales; a plan made now is for the week after the data, not for next week."
    return Requirement("freshness", needed=False, met=met, sentence=sentence, remedy=remedy)
