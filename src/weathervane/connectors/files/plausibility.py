"""Plausibility: figures that are well formed and hardly true, questioned or refused before anything is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import exp, log

import polars as pl

from weathervane.contracts.errors import BadInput
from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.imports import ImportNote
from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import Tenant

_IMPOSSIBLE_SPEND = 50.0  # times the sales of the same dates
_ODD_SPEND = 1.0
_JUMP = 50.0
_JUMP_ROWS = 6
_APART = log(10.0)
_ALIKE_SHARE = 0.95
_HOT_MONTH_C = 38.0  # no place on Earth has a warmer month
_WARM_WINTER_C = 27.0
_NORTHERN = (
    "US", "CA", "GB", "IE", "DE", "FR", "ES", "PT", "IT", "NL", "BE", "LU", "AT", "CH", "DK", "SE",
    "NO", "FI", "IS", "PL", "CZ", "SK", "HU", "RO", "BG", "GR", "TR", "UA", "JP", "KR", "CN",
)  # fmt: skip
_LABELS = ("geo", "channel", "category")


def one_spelling(table: str, frame: pl.DataFrame, known: Mapping[str, str]) -> tuple[pl.DataFrame, list[ImportNote]]:
    """Names that differ only in capitals become one, `known` ones first; their rows are added up where they meet."""
    notes: list[ImportNote] = []
    for label in (name for name in _LABELS if name in frame.columns and name in TABLES[table].key):
        rows = Counter(dict(frame[label].value_counts().iter_rows()))
        chosen = dict(known) if label == "geo" else {}
        for name, _ in rows.most_common():
            chosen.setdefault(name.casefold(), name)
        changed = {name: chosen[name.casefold()] for name in rows if chosen[name.casefold()] != name}
        if not changed:
            continue
        frame = frame.with_columns(pl.col(label).replace(changed))
        told = ", ".join(f"{old!r} as {new!r}" for old, new in sorted(changed.items())[:4])
        why = f"names that differ only in capitals are one {label.replace('geo', 'place')}: {told}."
        notes.append(ImportNote(table, "changed", sum(rows[name] for name in changed), why))
        frame = _added_up_where_they_meet(table, frame)
    return frame, notes


def _added_up_where_they_meet(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    key = list(TABLES[table].key)
    if not frame.select(key).is_duplicated().any() or table not in {"sales", "spend"}:
        return frame
    flows = [c.name for c in TABLES[table].columns if c.measure == "flow" and c.name in frame.columns]
    others = [name for name in frame.columns if name not in {*key, *flows}]
    sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in flows]
    return (
        frame.group_by(key, maintain_order=True)
        .agg(*sums, *(pl.col(name).mean() for name in others))
        .select(frame.columns)
    )


def question(tables: Mapping[str, pl.DataFrame], sales: pl.DataFrame, tenant: Tenant) -> list[ImportNote]:
    """What should be looked at; BadInput for spend that no sales could pay and for temperatures in another unit."""
    notes: list[ImportNote] = []
    spend = tables.get("spend")
    if spend is not None and not spend.is_empty():
        if tenant.outcome_is_money and not sales.is_empty():
            notes += _spend_beside_sales(spend, sales)
        notes += _copied(spend)
        notes += _jumps("spend", spend, "channel", "spend")
    if "sales" in tables:
        notes += _jumps("sales", tables["sales"], "geo", "net_revenue")
    if "weather" in tables:
        _check_season(tables["weather"], tenant)
    if "calendar" in tables and not sales.is_empty():
        notes += _closed_with_sales(tables["calendar"], sales)
    return notes


def _spend_beside_sales(spend: pl.DataFrame, sales: pl.DataFrame) -> list[ImportNote]:
    both = spend.filter(pl.col("date").is_between(sales["date"].min(), sales["date"].max()))
    sold = sales.filter(pl.col("date").is_between(spend["date"].min(), spend["date"].max()))["net_revenue"]
    sold = float(sold.sum())
    notes: list[ImportNote] = []
    for channel, paid in both.group_by("channel").agg(pl.col("spend").sum()).sort("channel").iter_rows():
        if sold <= 0 or paid <= _ODD_SPEND * sold:
            continue
        said = f"{channel}: spend of {paid:,.0f} is {paid / sold:,.1f} times the sales of the same dates ({sold:,.0f})"
        if paid > _IMPOSSIBLE_SPEND * sold:
            raise BadInput(
                f"{said}.",
                f"write `{{column: …, unit: micros}}` (or `unit: cents`, or `scale`) for {channel} in the mapping; or "
                "`outcome_is_money: false` under `tenant` if the sales are counts.",
            )
        notes.append(ImportNote("spend", "warning", 0, f"{said}: check its unit (`unit: cents`) and its currency."))
    return notes


def _copied(spend: pl.DataFrame) -> list[ImportNote]:
    """Channels whose spend is the same to the cent in every place: likely a national figure, copied."""
    n_places = spend.filter(pl.col("geo") != NATIONAL)["geo"].n_unique()
    if n_places < 2:
        return []
    paid = spend.filter((pl.col("spend") > 0) & (pl.col("geo") != NATIONAL))
    dates = paid.group_by("channel", "date").agg(
        alike=(pl.col("spend").n_unique() == 1) & (pl.len() == n_places), level=pl.col("spend").first()
    )
    by_channel = dates.group_by("channel").agg(pl.col("alike").mean(), levels=pl.col("level").n_unique(), n=pl.len())
    found = by_channel.filter((pl.col("alike") >= _ALIKE_SHARE) & (pl.col("n") > 3) & (pl.col("levels") > 1))
    return [
        ImportNote(
            "spend",
            "warning",
            0,
            f"{channel}: every one of {n_places} places has the same spend to the cent. If that is the whole country's "
            f"spend, copied, it counts {n_places} times: leave `geo` out and keep one of the copies.",
        )
        for channel in found.sort("channel")["channel"]
    ]


def _jumps(table: str, frame: pl.DataFrame, label: str, value: str) -> list[ImportNote]:
    """A level that changes 50 times and more from one date on, and stays: a change of unit."""
    notes: list[ImportNote] = []
    by_date = frame.group_by(label, "date").agg(pl.col(value).sum()).filter(pl.col(value) > 0).sort(label, "date")
    for (name,), part in by_date.group_by(label, maintain_order=True):
        if part.height < 2 * _JUMP_ROWS:
            continue
        logs = part[value].log()
        after = logs.reverse().rolling_median(_JUMP_ROWS).reverse()
        before = logs.rolling_median(_JUMP_ROWS).shift(1)
        steps = (after - before).fill_null(0.0)
        at = steps.abs().arg_max()
        if at is None or abs(steps[at]) < log(_JUMP):
            continue
        times = exp(abs(steps[at]))
        # The medians say that the level changed, the largest single step near there says when.
        near = range(max(at - _JUMP_ROWS, 1), min(at + _JUMP_ROWS, part.height))
        at = max(near, key=lambda i: abs(logs[i] - logs[i - 1]))
        if not _apart(logs[:at], logs[at:]):
            continue
        way = "rises" if logs[at:].median() > logs[:at].median() else "falls"  # pyright: ignore[reportOperatorIssue]  medians of numbers
        where = "" if name == NATIONAL else f"{name}: "
        why = f"{where}{value} {way} about {times:,.0f} times from {part['date'][at]} on and stays there: "
        why += "check that its unit stayed the same (cents, thousands)."
        notes.append(ImportNote(table, "warning", 0, why))
    return notes


def _apart(before: pl.Series, after: pl.Series) -> bool:
    """Whether nearly all of one side lies far from nearly all of the other: a ramp or a burst does not."""
    low, high = sorted((before, after), key=lambda side: side.median() or 0.0)  # pyright: ignore[reportArgumentType, reportCallIssue]  medians of numbers
    top, bottom = low.quantile(0.9), high.quantile(0.1)
    return top is not None and bottom is not None and bottom - top > _APART


def _check_season(weather: pl.DataFrame, tenant: Tenant) -> None:
    """Refuses temperatures that are no degrees Celsius in the months they are of."""
    name = next((c for c in ("temp_mean_c", "temp_max_c", "temp_min_c") if c in weather and weather[c].count()), None)
    if name is None or ("lead_days" in weather.columns and weather.filter(pl.col("lead_days") == 0).is_empty()):
        return
    northern = {place.geo for place in tenant.places if place.country in _NORTHERN and (place.latitude or 99) > 25}
    by_month = weather.group_by("geo", month=pl.col("date").dt.truncate("1mo")).agg(
        mean=pl.col(name).mean(), n=pl.col(name).count()
    )
    winter = pl.col("month").dt.month().is_in([12, 1, 2]) & pl.col("geo").is_in(list(northern))
    limit = pl.when(winter).then(_WARM_WINTER_C).otherwise(_HOT_MONTH_C) + (8.0 if name == "temp_max_c" else 0.0)
    odd = by_month.filter((pl.col("n") >= 7) & (pl.col("mean") > limit)).sort("month", "geo")
    if odd.height:
        row = odd.row(0, named=True)
        raise BadInput(
            f"The mean of {name} in {row['geo']} in {row['month']:%B %Y} is {row['mean']:.0f}, too warm for °C.",
            f"write `{name}: {{column: …, unit: fahrenheit}}` in the mapping if the file is in Fahrenheit.",
        )


def _closed_with_sales(calendar: pl.DataFrame, sales: pl.DataFrame) -> list[ImportNote]:
    closed = calendar.filter(pl.col("kind") == "closed").select("geo", "date").unique()
    sold = sales.group_by("geo", "date").agg(pl.col("net_revenue").sum()).filter(pl.col("net_revenue") > 0)
    both = closed.join(sold, on=["geo", "date"], how="semi").sort("date", "geo")
    if both.is_empty():
        return []
    first = both.row(0, named=True)
    n = both.height
    days = "1 day is called closed and has" if n == 1 else f"{n} days are called closed and have"
    why = f"{days} sales, first {first['date']} in {first['geo']}: check which is right."
    return [ImportNote("calendar", "warning", n, why)]
