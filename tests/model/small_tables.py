"""Small tables, grains and panels made by hand, with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection, TimeGrain
from weathervane.contracts.tables import TABLES
from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDICES

Floats = NDArray[np.float64]

_TYPES = {
    "text": pl.String,
    "date": pl.Date,
    "instant": pl.Datetime("us", "UTC"),
    "float": pl.Float64,
    "int": pl.Int64,
    "bool": pl.Boolean,
}
_INSTANT = pl.Datetime("us", "UTC")


def morning_after(day: date) -> datetime:
    """Six in the morning, UTC, of the day after: yesterday is known, today is not."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)


def days(n: int, first: date) -> list[date]:
    return [first + timedelta(days=i) for i in range(n)]


def table(name: str, **columns: Any) -> pl.DataFrame:
    """A table of the contract from columns (or single values); absent columns are null, `known_at` the day after."""
    height = max((len(values) for values in columns.values() if isinstance(values, Sequence | np.ndarray)
                  and not isinstance(values, str)), default=0)  # fmt: skip
    made = {}
    for column in TABLES[name].columns:
        values = columns.get(column.name)
        if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str):
            values = [values] * height
        made[column.name] = pl.Series(values, dtype=_TYPES[column.kind], strict=False)
    frame = pl.DataFrame(made)
    if "known_at" in columns:
        known = columns["known_at"]
        values = [known] * height if isinstance(known, datetime) else list(known)
        return frame.with_columns(known_at=pl.Series(values, dtype=_INSTANT))
    if "date" not in frame.columns:
        return frame.with_columns(known_at=pl.lit(None, _INSTANT))
    next_day = (pl.col("date") + pl.duration(days=1)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if "issued_at" in frame.columns:
        next_day = pl.coalesce("issued_at", next_day)
    return frame.with_columns(known_at=next_day)


def tables_of(**given: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every table of the store: those given, and empty ones."""
    return {name: given.get(name, table(name).clear()) for name in TABLES}


def sales(geo: str, on: Sequence[date], revenue: Any, category: str = "a", orders: Any = 100.0) -> pl.DataFrame:
    return table("sales", geo=geo, date=on, category=category, net_revenue=revenue, orders=orders)


def observed(geo: str, on: Sequence[date], temp_c: Any, rain_mm: Any = 0.0) -> pl.DataFrame:
    return table("weather", geo=geo, date=on, lead_days=0, member=0, temp_mean_c=temp_c, precip_mm=rain_mm)


def forecast(geo: str, on: Sequence[date], lead: int, temp_c: Any, rain_mm: Any = 0.0) -> pl.DataFrame:
    issued = [datetime.combine(day - timedelta(days=lead), datetime.min.time(), UTC) + timedelta(hours=6) for day in on]
    return table("weather", geo=geo, date=on, lead_days=lead, member=0, issued_at=issued, temp_mean_c=temp_c,
                 precip_mm=rain_mm)  # fmt: skip


def flat_normals(geo: str, mean_c: float = 10.0, spread_c: float = 4.0, wet_share: float | None = 0.3) -> pl.DataFrame:
    """Normals that are the same all year."""
    return pl.DataFrame(
        {"geo": geo, "day": list(range(1, 367)), "mean_c": mean_c, "spread_c": spread_c, "wet_share": wet_share},
        schema={"geo": pl.String, "day": pl.Int16, "mean_c": pl.Float64, "spread_c": pl.Float64,
                "wet_share": pl.Float64},
    )  # fmt: skip


def grain_of(
    geos: tuple[str, ...] = ("x",),
    categories: tuple[str, ...] = ("a",),
    channels: tuple[str, ...] = (),
    time: TimeGrain = "day",
) -> GrainSelection:
    return GrainSelection(
        time=time,
        geo_level="national" if geos == (NATIONAL,) else "geo",
        geos=geos,
        category_level="total" if categories == (TOTAL,) else "category",
        categories=categories,
        channels=channels,
        n_days=0,
        weather_complete_share=1.0,
        reason="by hand",
        rejected=(),
    )


def panel_of(outcome: Floats, horizon: int, *, step_days: int = 1, in_stock: Floats | None = None,
             first: date = date(2025, 1, 6)) -> Panel:  # fmt: skip
    """A panel of this outcome [k, g, past] with nothing else in it: no weather, spend, prices or events."""
    k, g, past = outcome.shape
    total = past + horizon
    future = np.full((k, g, horizon), np.nan)
    nothing = np.zeros((k, g, total))
    return Panel(
        step_days=step_days,
        geos=tuple(f"g{i}" for i in range(g)),
        categories=tuple(f"k{i}" for i in range(k)),
        channels=(),
        events=(),
        starts=tuple(first + timedelta(days=i * step_days) for i in range(total)),
        n_past=past,
        outcome=np.concatenate([outcome, future], axis=2),
        spend=np.zeros((0, g, total)),
        in_stock=np.ones((k, g, total)) if in_stock is None else in_stock,
        promotion=nothing,
        log_price=nothing,
        weather=np.zeros((len(INDICES), g, total)),
        z=np.zeros((g, total)),
        temp_anomaly_c=np.full((g, total), np.nan),
        wet_days=np.full((g, total), np.nan),
        event_days=np.zeros((0, g, total)),
        weather_source="none",
        notes=(),
    )
