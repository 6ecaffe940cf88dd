"""Tables: the columns, units and keys of every table the store keeps, as plain data.

The store turns each contract into a pandera schema and checks a frame once, on its way in. Two columns are added by
the store and never supplied by a source: `known_at` (if the source does not know better) and `source`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "instant", "float", "int", "bool"]
Measure = Literal["key", "stock", "flow", "rate", "label"]


@dataclass(frozen=True)
class Column:
    """One column: its kind, unit, how it aggregates over days, and what values it admits."""

    name: str
    kind: Kind
    measure: Measure
    unit: str = ""
    nullable: bool = False
    required: bool = True
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class TableContract:
    """A table: its columns and the key that makes a row unique at one `known_at`."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]


def _key(name: str, kind: Kind = "text") -> Column:
    return Column(name, kind, "key")


def _flow(name: str, unit: str, *, required: bool = False, low: float | None = 0.0) -> Column:
    return Column(name, "float", "flow", unit, nullable=True, required=required, low=low)


def _rate(name: str, unit: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, "float", "rate", unit, nullable=True, required=False, low=low, high=high)


SALES = TableContract(
    "sales",
    ("geo", "date", "category"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("category"),
        # Net of returns, so a day may be negative.
        _flow("net_revenue", "currency", required=True, low=None),
        _flow("orders", "count"),
        _flow("units", "count", low=None),
        _rate("new_customer_share", "share", 0.0, 1.0),
    ),
)
SPEND = TableContract(
    "spend",
    ("geo", "date", "channel"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("channel"),
        _flow("spend", "currency", required=True),
        _flow("impressions", "count"),
        _flow("reach", "count"),  # people who saw it at least once; impressions over reach is the frequency
        _flow("clicks", "count"),
        _flow("conversions", "count"),
    ),
)
# An observation has lead_days 0, member 0 and issued_at null. A forecast has lead_days >= 1 and issued_at set;
# member 0 is the control run. Rows are unique per geo, date, lead and member.
WEATHER = TableContract(
    "weather",
    ("geo", "date", "lead_days", "member"),
    (
        _key("geo"),
        _key("date", "date"),
        Column("lead_days", "int", "key", "days", low=0, high=60),
        Column("member", "int", "key", low=0),
        Column("issued_at", "instant", "label", nullable=True, required=False),
        _rate("temp_mean_c", "°C", -70.0, 60.0),
        _rate("temp_max_c", "°C", -70.0, 65.0),
        _rate("temp_min_c", "°C", -80.0, 55.0),
        _flow("precip_mm", "mm"),
        _flow("snow_cm", "cm"),
    ),
)
CALENDAR = TableContract(
    "calendar",
    ("geo", "date", "event"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("event"),
        Column("kind", "text", "label"),  # public_holiday | retail_event | closed
    ),
)
PROMOTIONS = TableContract(
    "promotions",
    ("geo", "date", "category"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("category"),
        Column("depth_share", "float", "rate", "share", low=0.0, high=1.0),
    ),
)
PRICES = TableContract(
    "prices",
    ("geo", "date", "category"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("category"),
        Column("price_index", "float", "rate", "index", nullable=True, low=0.0),
    ),
)
INVENTORY = TableContract(
    "inventory",
    ("geo", "date", "category"),
    (
        _key("geo"),
        _key("date", "date"),
        _key("category"),
        Column("in_stock_share", "float", "rate", "share", nullable=True, low=0.0, high=1.0),
    ),
)
# `known_at` is the vintage: the day this value was published.
MACRO = TableContract(
    "macro",
    ("series", "date"),
    (_key("series"), _key("date", "date"), Column("value", "float", "rate", nullable=True)),
)
EXPERIMENTS = TableContract(
    "experiments",
    ("experiment_id", "geo"),
    (
        _key("experiment_id"),
        _key("geo"),
        Column("arm", "text", "label"),
        Column("channel", "text", "label"),
        Column("start", "date", "label"),
        Column("end", "date", "label"),
    ),
)

TABLES: dict[str, TableContract] = {
    table.name: table for table in (SALES, SPEND, WEATHER, CALENDAR, PROMOTIONS, PRICES, INVENTORY, MACRO, EXPERIMENTS)
}
