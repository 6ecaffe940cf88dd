"""Coverage: what is stored of each table, and what it is enough for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.grain import NATIONAL
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
from weathervane.contracts.tables import TABLES
from weathervane.store.paths import Store
from weathervane.store.tables import read

_GAPS_SHOWN = 5
# What has happened, as against calendars, promotions and prices, which are planned.
_FACTS = ("sales", "spend", "weather", "inventory")
_UNIT = {1: "day", 7: "week"}


def coverage(table: str, frame: pl.DataFrame) -> TableCoverage:
    """What `frame`, the rows of a table, covers; gaps are runs without a known value in a place."""
    if frame.is_empty() or "date" not in frame.columns:
        return TableCoverage(table, frame.height, None, 1, 0, _geos(frame), ())
    days: list[date] = frame["date"].unique().sort().to_list()
    step = step_days(days)
    gaps = _gaps(table, frame, step)
    return TableCoverage(
        table=table,
        rows=frame.height,
        span=Period(days[0], days[-1] + timedelta(days=step - 1)),
        step_days=step,
        n_periods=len(days),
        geos=_geos(frame),
        gaps=tuple(gap for gap, _ in gaps),
        gap_geos=tuple(geo for _, geo in gaps),
    )


def _gaps(table: str, frame: pl.DataFrame, step: int) -> list[tuple[Period, str]]:
    """The longest runs of days, place by place, on which nothing is known between days on which something is."""
    if table not in _FACTS:
        return []
    values = [column.name for column in TABLES[table].columns if column.kind == "float"]
    known = frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in values))
    if "lead_days" in frame.columns:
        known = known.filter(pl.col("lead_days") == 0)
    dates = known.select("geo", "date").unique().sort("geo", "date")
    before = dates.with_columns(before=pl.col("date").shift(1).over("geo"))
    found = before.with_columns(days=(pl.col("date") - pl.col("before")).dt.total_days()).filter(pl.col("days") > step)
    longest = found.sort(["days", "date", "geo"], descending=[True, False, False]).head(_GAPS_SHOWN)
    return [
        (Period(row["before"] + timedelta(days=step), row["date"] - timedelta(days=1)), row["geo"])
        for row in longest.to_dicts()
    ]


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
    if new:  # what is stored of the same span is replaced
        stored = [day for day in stored if not new[0] <= day < new[-1] + timedelta(days=step)]
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
    """Weeks that a fit can use, in which sales and the spend of every channel are known, and spend that changes."""
    usable = usable_weeks(sales, spend)
    weeks = usable["week"].n_unique()
    moving = spend.group_by("geo", "channel").agg(pl.col("spend").drop_nulls().n_unique().alias("levels"))
    changing = moving.filter(pl.col("levels") > 1)["channel"].n_unique()
    there = "there is" if weeks == 1 else "there are"
    known = "with known sales and known spend of every channel"
    sentence = f"{there} {counted(weeks, 'week')} {known}; measuring media needs {MIN_MEDIA_WEEKS}."
    remedy = _media_remedy(sales, spend, weeks)
    if weeks >= MIN_MEDIA_WEEKS and changing == 0:
        sentence = "no channel's spend ever changes, so what it causes cannot be measured."
        remedy = "vary the spend of a channel between weeks or places, and import again."
    weekdays = _weekdays_that_differ(sales, spend)
    if weekdays:
        weeks = 0
        sentence = (
            f"weeks of sales start on {weekdays[0]}, weeks of spend on {weekdays[1]}: they are not the same weeks."
        )
        remedy = f"export the spend with weeks that start on {weekdays[0]}, or by day, and import again."
    blind = _places_without_a_week(sales, spend, usable)
    if weeks >= MIN_MEDIA_WEEKS and blind:
        place, channels = blind
        sentence = f"{place} has no week {known}: {', '.join(channels) or 'its sales'} never known together there."
        remedy = (
            f"import the spend of {', '.join(channels) or 'all channels'} in {place}, as rows of zero where none was."
        )
    met = weeks >= MIN_MEDIA_WEEKS and changing > 0 and not blind
    return Requirement("media", needed=True, met=met, sentence=sentence, remedy="" if met else remedy)


def usable_weeks(sales: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """[geo, week] of weeks counted back from the last day of sales in which nothing is missing (features.md)."""
    empty = pl.DataFrame(schema={"geo": pl.String, "week": pl.Int64})
    if sales.is_empty() or spend.is_empty():
        return empty
    step = step_days(_days(sales))
    days = _days(sales)
    first, end = days[0], days[-1] + timedelta(days=step - 1)
    n_weeks = ((end - first).days + 1) // 7
    week = (pl.lit(end) - pl.col("date")).dt.total_days() // 7
    need = 7 // step
    sold = (
        sales.with_columns(week=week)
        .group_by("geo", "week")
        .agg(days=pl.col("date").n_unique(), unknown=pl.col("net_revenue").null_count())
    )
    weeks = sold.filter((pl.col("days") >= need) & (pl.col("unknown") == 0) & pl.col("week").is_between(0, n_weeks - 1))
    geos = set(sales["geo"].to_list())
    paid = spend.with_columns(week=week)
    if geos == {NATIONAL} or set(spend["geo"].to_list()).isdisjoint(geos):
        paid = paid.with_columns(geo=pl.lit(NATIONAL))
    known = paid.group_by("geo", "channel", "week").agg(
        days=pl.col("date").filter(pl.col("spend").is_not_null()).n_unique(), unknown=pl.col("spend").null_count()
    )
    known = known.filter((pl.col("days") >= need) & (pl.col("unknown") == 0))
    national = known.filter(pl.col("geo") == NATIONAL).drop("geo").join(weeks.select("geo").unique(), how="cross")
    known = pl.concat([known.select("geo", "channel", "week"), national.select("geo", "channel", "week")]).unique()
    full = known.group_by("geo", "week").agg(pl.col("channel").n_unique())
    full = full.filter(pl.col("channel") == spend["channel"].n_unique())
    return weeks.join(full, on=["geo", "week"], how="semi").select("geo", "week").sort("geo", "week")


def _places_without_a_week(
    sales: pl.DataFrame, spend: pl.DataFrame, usable: pl.DataFrame
) -> tuple[str, list[str]] | None:
    """The first place that reports its sales throughout and has no usable week, with the channels it has no rows of."""
    geos = set(sales["geo"].to_list())
    if len(geos) < 2 or set(spend["geo"].to_list()).isdisjoint(geos):
        return None
    days = sales.group_by("geo").agg(pl.col("date").n_unique())
    whole = days.filter(pl.col("date") >= 0.85 * days["date"].max())["geo"].sort().to_list()  # pyright: ignore[reportOperatorIssue]  a count
    blind = next((geo for geo in whole if not (usable["geo"] == geo).any()), None)
    if blind is None:
        return None
    here = set(spend.filter(pl.col("geo").is_in([blind, NATIONAL]))["channel"].to_list())
    return blind, sorted(set(spend["channel"].to_list()) - here)


def _weekdays_that_differ(sales: pl.DataFrame, spend: pl.DataFrame) -> tuple[str, str] | None:
    """The weekdays on which weeks of sales and weeks of spend start, where they are not one."""
    sold, paid = _days(sales), _days(spend)
    if not (sold and paid) or (step_days(sold), step_days(paid)) != (7, 7) or sold[0].weekday() == paid[0].weekday():
        return None
    return f"{sold[0]:%A}", f"{paid[0]:%A}"


def _media_remedy(sales: pl.DataFrame, spend: pl.DataFrame, weeks: int) -> str:
    """More history, or where the history is there and does not fit together, what does not."""
    lacking = counted(MIN_MEDIA_WEEKS - weeks, "more week")
    both = spend["date"].n_unique() and sales["date"].n_unique()
    if not both:
        return f"import at least {lacking} of spend."
    steps = step_days(_days(sales)), step_days(_days(spend))
    if steps == (1, 7):
        return "import the spend by day, as the sales are."
    return f"import at least {lacking} of spend and sales; write `missing: zero` for a source that leaves out zeros."


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
    sentence = f"sales end on {covered.end}, {counted(max(age, 0), 'day')} before {as_of}."
    remedy = "" if met else "import newer sales; a plan made now is for the week after the data, not for next week."
    return Requirement("freshness", needed=False, met=met, sentence=sentence, remedy=remedy)
