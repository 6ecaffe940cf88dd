"""Which grain the data carries: time × geo × category × channel, once, for training, planning and demos alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection, RejectedGrain, TimeGrain
from weathervane.contracts.readiness import MIN_FORECAST_DAYS, MIN_FORECAST_WEEKS, MIN_MEDIA_WEEKS

_MIN_DAYS = {"day": MIN_FORECAST_DAYS, "week": 7 * MIN_FORECAST_WEEKS}
_MIN_ROWS_SHARE = 0.85  # of the days of its span that a geo or category must have to stand alone
_MIN_WEEKLY_ORDERS = 5.0  # below this a geo's or category's week is mostly zeros
_LATELY = timedelta(days=28)
_MOST_OF_SALES = 0.5
_LEAST_COMMON = timedelta(days=7 * MIN_MEDIA_WEEKS)
_STALE_AFTER = {"day": timedelta(days=14), "week": timedelta(days=35)}


def select_grain(tables: Mapping[str, pl.DataFrame]) -> GrainSelection:
    """The finest grain the sales, spend and weather tables carry; NotEnoughData when even the coarsest is too short.

    A geo or category stands alone when it has sales on 85 % of its periods and, where orders are counted, at least
    five a week; otherwise everything is taken one tier up, and the selection says so (features.md, "Grain").
    """
    sales = tables["sales"]
    if sales.is_empty():
        raise NotEnoughData("There are no sales to learn from.", "import sales with `weathervane import MAPPING.yaml`.")
    time = time_step(sales)
    step_days = 7 if time == "week" else 1
    members = _members(sales, step_days)
    sales = sales.filter(~pl.col("geo").is_in(members.left_out))
    if members.since is not None:
        sales = sales.filter(pl.col("date") >= members.since)
    first, last = first_and_last(sales["date"])
    n_days = (last - first).days + step_days
    n_periods = n_days // step_days
    days_needed = _MIN_DAYS[time]
    if n_days < days_needed:
        raise NotEnoughData(
            f"There are {n_days} days of sales; a forecast cannot be tested on fewer than {days_needed}.",
            f"import {days_needed - n_days} more days of history.",
        )
    rejected: list[RejectedGrain] = list(members.rejected)
    if time == "week":
        rejected.append(RejectedGrain("day", "sales come one row a week"))
    geos = _stands_alone(sales, "geo", n_periods, step_days, rejected)
    categories = _stands_alone(sales, "category", n_periods, step_days, rejected)
    geo_level = "geo" if len(geos) > 1 else "national"
    category_level = "category" if len(categories) > 1 else "total"
    spend = tables["spend"]
    channels = tuple(sorted(spend["channel"].unique().to_list())) if not spend.is_empty() else ()
    weather_share = _weather_share(tables["weather"], geos, first, first + timedelta(days=n_days - 1))
    counted_channels = f"{len(channels)} channel{'' if len(channels) == 1 else 's'}"
    reason = (
        f"{n_periods} {time}s of sales in {len(geos)} {'places' if len(geos) > 1 else 'place'}, "
        f"{len(categories)} {'categories' if len(categories) > 1 else 'category'}, {counted_channels}; "
        f"weather for {weather_share:.0%} of the days"
    )
    # "6 places of sales" alone would hide that there were more.
    reason += "".join(f"; {each.because}" for each in members.rejected)
    return GrainSelection(
        time=time,
        geo_level=geo_level,
        geos=geos,
        category_level=category_level,
        categories=categories,
        channels=channels,
        n_days=n_days,
        weather_complete_share=weather_share,
        reason=reason,
        rejected=tuple(rejected),
        left_out=members.left_out,
        since=members.since,
    )


@dataclass(frozen=True)
class _Members:
    """The places that are in no sum, the day from which all others report, and why."""

    left_out: tuple[str, ...] = ()
    since: date | None = None
    rejected: tuple[RejectedGrain, ...] = ()


def _members(sales: pl.DataFrame, step_days: int) -> _Members:
    """Which places make up the history: a sum over places that come and go would rise and fall with them.

    Those that start late or stop early are left out where the others sell most of the money now; where most of it
    comes from places that started late, the history starts when they had (features.md, "Grain").
    """
    first, last = first_and_last(sales["date"])
    n_days = (last - first).days + step_days
    stale = _STALE_AFTER["week" if step_days == 7 else "day"]
    spans = sales.group_by("geo").agg(start=pl.col("date").min(), end=pl.col("date").max()).sort("geo")
    if spans.height < 2:
        return _Members()
    slack = timedelta(days=max(int((1 - _MIN_ROWS_SHARE) * n_days), stale.days))
    early = spans.filter(pl.col("end") < last - stale)
    late = spans.filter((pl.col("end") >= last - stale) & (pl.col("start") > first + slack))
    if early.is_empty() and late.is_empty():
        return _Members()
    lately = sales.filter((pl.col("geo").is_in(early["geo"].implode())).not_() & (pl.col("date") > last - _LATELY))
    steady = lately.filter(~pl.col("geo").is_in(late["geo"].implode()))
    now, all_now = float(steady["net_revenue"].sum()), float(lately["net_revenue"].sum())
    share = now / all_now if all_now > 0 else 0.0
    since: date | None = None
    if share < _MOST_OF_SALES:
        # The latest start that leaves half a year for those who sell most.
        long_enough = late.filter(pl.col("start") <= last - _LEAST_COMMON)
        since = long_enough["start"].max()  # pyright: ignore[reportAssignmentType]  a date or none
        late = late.filter(pl.col("start") > last - _LEAST_COMMON)
    left_out = (*early["geo"].to_list(), *late["geo"].to_list())
    if len(left_out) == spans.height:
        raise NotEnoughData(
            f"No place reports its sales throughout: of {spans.height} places {early.height} stop early and "
            f"{late.height} start late.",
            "import the sales of the same places over one span of at least half a year.",
        )
    why = _why_left_out(early["geo"], late["geo"], spans.height, sales, left_out)
    rejected = [RejectedGrain(f"geo {_some(pl.Series(left_out))}", why)] if why else []
    if since is not None:
        rejected.append(RejectedGrain(f"before {since}", f"the places that sell most report only since {since}"))
    return _Members(left_out, since, tuple(rejected))


def _why_left_out(early: pl.Series, late: pl.Series, n: int, sales: pl.DataFrame, left_out: Sequence[str]) -> str:
    parts = [f"{len(early)} stop{'s' * (len(early) == 1)} early ({_some(early)})"] if len(early) else []
    parts += [f"{len(late)} start{'s' * (len(late) == 1)} late ({_some(late)})"] if len(late) else []
    if not parts:
        return ""
    sold = float(sales["net_revenue"].sum())
    theirs = float(sales.filter(pl.col("geo").is_in(left_out))["net_revenue"].sum()) / sold if sold else 0.0
    return f"of {n} places {' and '.join(parts)}: left out of every figure, with {theirs:.0%} of the sales"


def time_step(rows: pl.DataFrame) -> TimeGrain:
    """`week` when the days that have rows are seven days apart as a rule, else `day`."""
    dates = rows["date"].unique().sort()
    gaps = dates.diff().drop_nulls().dt.total_days()
    median = gaps.median() if len(gaps) else 1
    return "week" if isinstance(median, int | float) and median >= 7 else "day"


def as_days(weather: pl.DataFrame) -> pl.DataFrame:
    """Weather by the day: a weekly row holds for each of its seven days, but which of them were wet is not known."""
    if time_step(weather.filter(pl.col("lead_days") == 0)) == "day":
        return weather
    days = weather.join(pl.DataFrame({"into_week": range(7)}), how="cross")
    return days.with_columns(
        date=pl.col("date") + pl.duration(days=pl.col("into_week")), precip_mm=pl.lit(None, pl.Float64)
    ).drop("into_week")


def first_and_last(dates: pl.Series) -> tuple[date, date]:
    """The earliest and the latest day of a series that is not empty."""
    ordered = dates.sort()
    return ordered[0], ordered[-1]


def _stands_alone(
    sales: pl.DataFrame, by: str, n_periods: int, step_days: int, rejected: list[RejectedGrain]
) -> tuple[str, ...]:
    """The names modelled one by one, or the single name of the tier above, with the reason added to `rejected`."""
    tier_above = NATIONAL if by == "geo" else TOTAL
    stats = (
        sales.group_by(by)
        .agg(
            periods=pl.col("date").n_unique(),
            weekly_orders=pl.col("orders").mean() * 7 / step_days,
        )
        .sort(by)
    )
    names = tuple(stats[by].to_list())
    if len(names) == 1:
        return names
    thin = stats.filter(pl.col("periods") < _MIN_ROWS_SHARE * n_periods)
    few = stats.filter(pl.col("weekly_orders") < _MIN_WEEKLY_ORDERS)
    step = "week" if step_days == 7 else "day"
    for problem, rows in (
        (f"have sales on under {_MIN_ROWS_SHARE:.0%} of {step}s", thin),
        (f"sell under {_MIN_WEEKLY_ORDERS:.0f} orders a week", few),
    ):
        # A few thin places do not cost everybody else their own estimate: they are only a reason when they are many.
        if rows.height * 5 > stats.height:
            rejected.append(RejectedGrain(by, f"{rows.height} of {stats.height} {problem}: {_some(rows[by])}"))
            return (tier_above,)
    dropped = set(thin[by]) | set(few[by])
    if dropped:
        rejected.append(RejectedGrain(f"{by} {_some(pl.Series(sorted(dropped)))}", "too thin to stand alone; left out"))
    return tuple(name for name in names if name not in dropped)


def _some(names: pl.Series) -> str:
    shown = [str(name) for name in names.head(3)]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _weather_share(weather: pl.DataFrame, geos: tuple[str, ...], first: date, last: date) -> float:
    observed = as_days(weather.filter(pl.col("lead_days") == 0)).filter(pl.col("date").is_between(first, last))
    seen = observed.filter(pl.col("temp_mean_c").is_not_null())
    if geos != (NATIONAL,):
        seen = seen.filter(pl.col("geo").is_in(geos))
        return min(1.0, seen.height / (len(geos) * ((last - first).days + 1)))
    return min(1.0, seen["date"].n_unique() / ((last - first).days + 1))
