"""Periods: whether the dates of a table are days or weeks as the mapping says, and weeks alike in all tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from weathervane.connectors.files.dates import months
from weathervane.contracts.errors import BadInput
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES

_SPANS = {"month": (28, 31), "quarter": (89, 92), "year": (364, 366)}
_ANY_WEEKDAY = ("weather", "macro", "calendar")  # not summed by the week
_FLOW_TABLES = ("sales", "spend")


def check_spacing(table: str, frame: pl.DataFrame, step_days: int, origin: str) -> None:
    """Refuses months and quarters, weeks said to be days, and weeks that do not start on one weekday."""
    if table in {"macro", "calendar"}:
        return
    days: list[date] = frame["date"].unique().sort().to_list()
    spacings = [(later - earlier).days for earlier, later in pairwise(days)]
    for name, (least, most) in _SPANS.items():
        # A month may be missing; none may be shorter than one.
        if len(spacings) > 2 and min(spacings) >= least and sorted(spacings)[len(spacings) // 2] <= most:
            raise months(
                f"{origin}: the dates of {table} are a {name} apart, and the mapping calls them {_UNIT[step_days]}."
            )
    if step_days == 1 and len(days) > 3 and all(spacing % 7 == 0 for spacing in spacings):
        raise BadInput(
            f"{origin}: the dates of {table} are whole weeks apart, the mapping calls them days.",
            "write `date: {…, step: week}` in the mapping, and `stamp: end` if the date is the week's last day.",
        )
    wrong = next((later for earlier, later in pairwise(days) if (later - earlier).days % 7), None)
    if step_days == 7 and wrong is not None:
        raise BadInput(
            f"{origin}: weeks of {table} start on {days[0]:%A %Y-%m-%d} and on {wrong:%A %Y-%m-%d}.",
            "let all weeks start on one weekday, or write `step: day` in the mapping.",
        )


_UNIT = {1: "days", 7: "weeks"}


def check_weekdays(tables: Mapping[str, pl.DataFrame], steps: Mapping[str, int], stored: pl.DataFrame | None) -> None:
    """Refuses weekly tables whose weeks start on another weekday than those of the sales."""
    sales = tables.get("sales", stored)
    if sales is None or sales.is_empty() or steps.get("sales", step_days(sales)) != 7:
        return
    start: date = sales["date"].min()  # pyright: ignore[reportAssignmentType]  not empty
    for table, frame in tables.items():
        if table in _ANY_WEEKDAY or steps[table] != 7 or frame.is_empty() or "date" not in frame.columns:
            continue
        other: date = frame["date"].min()  # pyright: ignore[reportAssignmentType]  not empty
        if other.weekday() != start.weekday():
            raise BadInput(
                f"Weeks of {table} start on {other:%A} (like {other}), weeks of sales on {start:%A} (like {start}).",
                f"export {table} with weeks that start on {start:%A}, or by day; write `stamp: end` where a date is "
                "the week's last day.",
            )


def step_days(frame: pl.DataFrame) -> int:
    """Days a row stands for, told by its dates: 7 where all are whole weeks apart, else 1."""
    days: list[date] = frame["date"].unique().sort().to_list()
    return 7 if len(days) > 1 and all((b - a).days % 7 == 0 for a, b in pairwise(days)) else 1


def as_days_of(table: str, frame: pl.DataFrame, step_days: int) -> tuple[pl.DataFrame, list[ImportNote]]:
    """Weekly spend beside daily sales: a seventh of it on each of its days."""
    flows = [column.name for column in TABLES[table].columns if column.measure == "flow" and column.name in frame]
    days = frame.join(pl.DataFrame({"into_week": range(step_days)}), how="cross").with_columns(
        date=pl.col("date") + pl.duration(days=pl.col("into_week")),
        **{name: pl.col(name) / step_days for name in flows},
    )
    why = f"{table} comes by week and sales by day: each week was laid evenly on its seven days."
    return days.drop("into_week"), [ImportNote(table, "changed", frame.height, why)]


def without_unfinished(
    table: str, frame: pl.DataFrame, step_days: int, today: date
) -> tuple[pl.DataFrame, list[ImportNote]]:
    """The table without a last day or week that is not over yet; dates later than today are left to be refused."""
    if table not in _FLOW_TABLES or frame.is_empty():
        return frame, []
    last: date = frame["date"].max()  # pyright: ignore[reportAssignmentType]  not empty
    end = last + timedelta(days=step_days - 1)
    if last > today or end < today:
        return frame, []
    unfinished = frame.filter(pl.col("date") == last)
    unit = "week" if step_days == 7 else "day"
    why = f"the {unit} of {last} is not over yet (today is {today}), so it was left out."
    return frame.filter(pl.col("date") < last), [ImportNote(table, "dropped", unfinished.height, why)]
