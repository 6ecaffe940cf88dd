"""Recent spend: the usual weekly budget of every line, test weeks left out, and what tests make of it in a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.tested_line import HeldLine, TestedLine

Cell = tuple[str, str]  # (geo, channel)
_USUAL_WEEKS = 4
_LOOK_BACK_WEEKS = 26


@dataclass(frozen=True)
class RecentSpend:
    """`usual` is the weekly budget of every line: the mean of its last four weeks in which no test changed it.
    `last_week` is what the last stored week cost. `held` are the lines under test in the plan's period.
    """

    usual: Mapping[Cell, Money]
    last_week: Mapping[Cell, Money]
    held: tuple[HeldLine, ...]


def recent_spend(
    spend: pl.DataFrame, curves: ResponseCurves, tests: Sequence[TestedLine], steps: Sequence[Period], currency: str
) -> RecentSpend:
    """From the spend table (geo, date, channel, spend) as known when the plan is made.

    A place that the curves do not tell apart counts to the whole country.
    """
    weeks = _weekly(spend, steps[0].start)
    usual = {
        (geo, channel): float(curves.spend_recent[g, c])
        for g, geo in enumerate(curves.geos)
        for c, channel in enumerate(curves.channels)
    }
    by_line: dict[Cell, list[TestedLine]] = {}
    for test in tests:
        by_line.setdefault((test.geo, test.channel), []).append(test)
    # The places behind every line of the plan: itself, or the whole country's.
    inside: dict[Cell, list[Cell]] = {}
    for place, channel in sorted({*weeks, *by_line}):
        geo = place if place in curves.geos else NATIONAL
        if (geo, channel) in usual:
            inside.setdefault((geo, channel), []).append((place, channel))
    clean: dict[Cell, float] = {}
    held: list[HeldLine] = []
    for cell, places in inside.items():
        tested = [one for place in places for one in by_line.get(place, [])]
        if not tested:
            continue
        for place in places:
            fallback = usual[cell] if place == cell else 0.0
            clean[place] = _usual(weeks.get(place, {}), by_line.get(place, []), steps[0].start, fallback)
        usual[cell] = sum(clean[place] for place in places)
        whole = Period(steps[0].start, steps[-1].end)
        now = [one for one in tested if one.holds(whole)]
        if now:
            budgets = [
                sum(_prescribed(clean[place], by_line.get(place, []), step, weeks.get(place, {})) for place in places)
                for step in steps
            ]
            last = max(now, key=lambda one: one.until)
            held.append(
                HeldLine(
                    *cell,
                    last.experiment_id,
                    last.window,
                    last.until,
                    tuple(Money.from_major(each, currency) for each in budgets),
                )
            )
    last_week = {cell: sum(weeks.get(place, {}).get(0, 0.0) for place in inside.get(cell, [])) for cell in usual}
    return RecentSpend(
        {cell: Money.from_major(amount, currency) for cell, amount in usual.items()},
        {cell: Money.from_major(amount, currency) for cell, amount in last_week.items()},
        tuple(held),
    )


def _weekly(spend: pl.DataFrame, start: date) -> dict[Cell, dict[int, float]]:
    """Spend of every line by whole weeks before `start`, 0 the last; a week without any spend at all is absent."""
    first = start - timedelta(days=7 * _LOOK_BACK_WEEKS)
    found = (
        spend.filter((pl.col("date") >= first) & (pl.col("date") < start))
        .with_columns(((pl.lit(start) - pl.col("date")).dt.total_days().sub(1) // 7).alias("week"))
        .group_by("geo", "channel", "week")
        .agg(pl.col("spend").sum())
        .sort("geo", "channel", "week")
    )
    stored = sorted(set(found["week"].to_list()))
    result: dict[Cell, dict[int, float]] = {}
    for geo, channel, week, amount in found.iter_rows():
        result.setdefault((geo, channel), dict.fromkeys(stored, 0.0))[week] = float(amount or 0.0)
    return result


def _usual(weeks: Mapping[int, float], tests: Sequence[TestedLine], start: date, fallback: float) -> float:
    """Mean of the last four weeks that no test touched; the fallback where there is none."""
    changed = [one.window for one in tests if one.factor != 1.0]
    clean = [week for week in sorted(weeks) if not any(_touches(window, _week(start, week)) for window in changed)]
    chosen = clean[:_USUAL_WEEKS]
    return sum(weeks[week] for week in chosen) / len(chosen) if chosen else fallback


def _prescribed(usual: float, tests: Sequence[TestedLine], step: Period, weeks: Mapping[int, float]) -> float:
    """The budget of a place over a step: day by day what its test says, the usual where none says anything."""
    total = 0.0
    for day in step.days():
        one = next((test for test in tests if test.live and test.window.start <= day <= test.window.end), None)
        pace = usual if one is None else _pace(usual, one, step.start, weeks)
        total += pace / 7
    return total


def _pace(usual: float, test: TestedLine, start: date, weeks: Mapping[int, float]) -> float:
    """A week's budget on days of the test. Ads raised by an unnamed amount keep the pace that they have in the test."""
    if test.factor is not None:
        return test.factor * usual
    inside = [week for week in weeks if test.window.start <= _week(start, week).start < test.window.end]
    return sum(weeks[week] for week in inside) / len(inside) if inside else usual


def _week(start: date, week: int) -> Period:
    return Period(start - timedelta(days=7 * (week + 1)), start - timedelta(days=7 * week + 1))


def _touches(one: Period, other: Period) -> bool:
    return one.start <= other.end and other.start <= one.end
