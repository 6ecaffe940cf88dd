"""Mapping: a YAML file that says what the columns of a user's exports mean. See docs/guides/import-mapping.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES, TableContract
from weathervane.contracts.tenant import Place, Tenant, check_tenant_id

_GUIDE = "see docs/guides/import-mapping.md"
# What a wide column is named after: a column per channel, per series or per category.
_WIDE_KEY = {"spend": "channel", "macro": "series"}
_LABELS = ("geo", "category", "channel", "series", "event", "kind")
_NOT_A_WORD = re.compile(r"true|True|TRUE|false|False|FALSE")


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: `No`, `NO`, `on` and `y` are texts (Norway, an answer), only true and false are not."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _NOT_A_WORD, list("tTfF"))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Part):
    """A text for every row: from a column, or one value for all."""

    column: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Label:
        if (self.column is None) == (self.value is None):
            raise ValueError("write either {column: NAME} or {value: TEXT}")
        return self


Unit = Literal["fahrenheit", "kelvin", "inch", "micros", "cents", "percent"]
# What a unit can be written for, by the end of the column's name or by the column itself.
_FITS_UNIT = {
    "fahrenheit": ("_c",),
    "kelvin": ("_c",),
    "inch": ("_mm", "_cm"),
    "micros": ("spend", "net_revenue"),
    "cents": ("spend", "net_revenue"),
    "percent": ("_share", "price_index"),
}


class Number(_Part):
    """A number for every row: a column in its unit, times another column, times a constant, plus another.

    `missing` are numbers that stand for nothing known, like -999.
    """

    column: str
    unit: Unit | None = None
    times: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[float, ...] = ()

    @field_validator("missing", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return [value] if isinstance(value, int | float) else value

    def fits(self, name: str) -> bool:
        """Whether the unit can be one of the column `name`."""
        return self.unit is None or name.endswith(_FITS_UNIT[self.unit])


class Missing(_Part):
    """What is not there: a row that is missing means zero or unknown; numbers in `cells` stand for nothing known."""

    rows: Literal["zero", "unknown"] | None = None
    cells: tuple[float, ...] = ()


class Where(_Part):
    """Which texts of a column keep a row, and which leave it out."""

    keep: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


class Wide(_Part):
    """One name of a wide file: columns of spend and counts, an exposure with what a unit of it costs, or, for media
    that cost nothing, what was shown.

    In a table other than spend, `spend` stands for the table's own value and nothing else may be given.
    """

    spend: Number | None = None
    exposure: str | None = None
    cost_per_unit: float | None = Field(default=None, gt=0)
    organic: str | None = None
    impressions: Number | None = None
    reach: Number | None = None
    clicks: Number | None = None
    conversions: Number | None = None

    @field_validator("spend", "impressions", "reach", "clicks", "conversions", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _priced(self) -> Wide:
        if sum(each is not None for each in (self.spend, self.exposure, self.organic)) != 1:
            raise ValueError("write either spend, or exposure with cost_per_unit, or organic")
        if self.organic is not None and self.impressions is not None:
            raise ValueError("organic is what was shown: leave impressions out")
        if (self.exposure is None) != (self.cost_per_unit is None):
            raise ValueError("an exposure has no cost of its own: write cost_per_unit, what one unit of it costs you")
        return self


class Day(_Part):
    """Where the date is, how it is written, and whether a row stands for a day or a week."""

    column: str
    format: str | None = None
    step: Literal["day", "week"] = "day"
    stamp: Literal["start", "end"] = "start"


class Source(_Part):
    """One export (or a glob of like ones) that fills one table."""

    table: str
    file: str
    date: Day
    level: Literal["rows", "orders"] = "rows"
    geo: Label | None = None
    category: Label | None = None
    channel: Label | None = None
    series: Label | None = None
    event: Label | None = None
    kind: Label | None = None
    currency: Label | None = None
    order: Label | None = None
    missing: Missing | None = None
    columns: dict[str, Number] = Field(default_factory=dict)
    wide: dict[str, Wide] = Field(default_factory=dict)
    where: dict[str, Where] = Field(default_factory=dict)
    national: Literal["mean"] | dict[str, float] | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None

    @field_validator("columns", mode="before")
    @classmethod
    def _short_columns(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: {"column": one} if isinstance(one, str) else one for name, one in value.items()}

    @field_validator("wide", mode="before")
    @classmethod
    def _short_wide(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(name): {"spend": one} if _is_number(one) else one for name, one in value.items()}

    @field_validator("where", mode="before")
    @classmethod
    def _short_where(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: _where(one) for name, one in value.items()}

    @field_validator("missing", mode="before")
    @classmethod
    def _short_missing(cls, value: object) -> object:
        if isinstance(value, str):
            return {"rows": value}
        if isinstance(value, int | float):
            return {"cells": [value]}
        return {"cells": value} if isinstance(value, list) else value

    @model_validator(mode="before")
    @classmethod
    def _labels_among_columns(cls, content: object) -> object:
        """`columns: {event: NAME}` means the same as `event: {column: NAME}`."""
        if not isinstance(content, dict) or not isinstance(content.get("columns"), dict):
            return content
        labels = {
            name: {"column": one}
            for name, one in content["columns"].items()
            if name in _LABELS and isinstance(one, str) and name not in content
        }
        rest = {name: one for name, one in content["columns"].items() if name not in labels}
        return {**content, **labels, "columns": rest}

    @property
    def contract(self) -> TableContract:
        """The table this source fills."""
        return TABLES[self.table]

    @property
    def wide_key(self) -> str:
        """The key that the names in `wide` are values of."""
        return _WIDE_KEY.get(self.table, "category")

    @property
    def step_days(self) -> int:
        """Days a row stands for."""
        return 7 if self.date.step == "week" else 1

    @model_validator(mode="after")
    def _fits_its_table(self) -> Source:
        if self.table not in TABLES or self.table == "experiments":
            names = [name for name in TABLES if name != "experiments"]
            raise ValueError(f"there is no table {self.table!r} to import; use one of {', '.join(names)}")
        numbers = {column.name for column in self.contract.columns if column.kind == "float"}
        texts = {column.name for column in self.contract.columns if column.kind == "text"}
        for name in self.columns:
            if name not in numbers:
                have = ", ".join(sorted(numbers)) or ", ".join(name for name in _LABELS if name in texts)
                raise ValueError(f"{self.table} has no column {name!r}; it has {have}")
            if not self.columns[name].fits(name):
                raise ValueError(f"{self.columns[name].unit} is not a unit of {name}")
        for entry in self.wide.values():
            value = next(column.name for column in self.contract.columns if column.kind == "float")
            if entry.spend is not None and not entry.spend.fits(value):
                raise ValueError(f"{entry.spend.unit} is not a unit of {value}")
        if bool(self.wide) == bool(self.columns) and self.table != "calendar":
            raise ValueError("write either columns (a row per channel) or wide (a column per channel)")
        if self.wide and self.wide_key not in self.contract.key:
            raise ValueError(f"{self.table} cannot be wide; write columns")
        for column in self.contract.columns:
            if not self.wide and column.kind == "float" and column.required and column.name not in self.columns:
                raise ValueError(f"{self.table} needs the column {column.name}: write it under columns")
        labels = (("channel", self.channel), ("series", self.series), ("event", self.event), ("kind", self.kind))
        for name, label in labels:
            if name in texts and label is None and not self.wide:
                raise ValueError(f"{self.table} needs {name}: {{column: NAME}} or {{value: TEXT}}")
        if self.date.stamp == "end" and self.date.step == "day":
            raise ValueError("stamp: end is for weeks; write step: week beside it")
        if self.order is not None and (self.order.column is None or self.level == "rows"):
            raise ValueError("order names the column of the order's number, for sources with level: orders")
        if self.missing is not None and self.missing.rows and self.table not in {"spend", "sales"}:
            raise ValueError("missing rows are zero or unknown in spend and sales; elsewhere they stay unknown")
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands cannot be the same sign")
        return self


class PlaceEntry(_Part):
    """What is known of one geo."""

    name: str | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    time_zone: str | None = None
    country: str | None = None
    subdivision: str | None = None


class TenantEntry(_Part):
    """The brand. `net_revenue` of the sales table holds the outcome; `outcome` says what it is."""

    id: str
    name: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    outcome: str = "net_revenue"
    outcome_is_money: bool = True
    country: str = "US"
    time_zone: str = "UTC"
    places: dict[str, PlaceEntry] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _names_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            close = get_close_matches(value, sorted(available_timezones()), n=1)
            raise ValueError(
                f"there is no time zone {value!r}; "
                + (f"did you mean {close[0]!r}?" if close else "write one like Europe/Paris")
            )
        return value

    @property
    def stated_zone(self) -> str | None:
        """The time zone, where the mapping states one."""
        return self.time_zone if "time_zone" in self.model_fields_set else None

    @field_validator("id")
    @classmethod
    def _names_a_folder(cls, value: str) -> str:
        try:
            return check_tenant_id(value)
        except BadInput as error:
            raise ValueError(f"{error.problem} Instead, {error.remedy}") from error

    def tenant(self, geos: Sequence[str]) -> Tenant:
        """The tenant with a place for every geo."""
        return Tenant(
            tenant_id=self.id,
            name=self.name,
            currency=self.currency,
            demo=False,
            outcome=self.outcome,
            outcome_is_money=self.outcome_is_money,
            places=tuple(self._place(geo) for geo in geos),
        )

    def _place(self, geo: str) -> Place:
        entry = self.places.get(geo, PlaceEntry())
        return Place(
            geo=geo,
            name=entry.name or geo,
            latitude=entry.latitude,
            longitude=entry.longitude,
            time_zone=entry.time_zone or self.time_zone,
            country=entry.country or self.country,
            subdivision=entry.subdivision,
        )


class Mapping(_Part):
    """A checked mapping file; `folder` is where its file paths start."""

    tenant: TenantEntry
    sources: tuple[Source, ...] = Field(min_length=1)
    path: Path

    def files(self, source: Source) -> list[Path]:
        """The files of a source, sorted; BadInput if there is none."""
        pattern = Path(source.file).expanduser()
        if pattern.is_absolute():
            found = sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
        else:
            found = sorted(self.path.parent.glob(source.file)) or [self.path.parent / source.file]
        found = [file for file in found if file.is_file()]
        if not found:
            raise BadInput(
                f"{self.path.name}: the file {source.file!r} of {source.table} does not exist.",
                f"correct the path; it starts at {self.path.parent}.",
            )
        return found


def read_mapping(path: Path) -> Mapping:
    """The mapping in the YAML file `path`; BadInput names the line that is wrong and what to write there."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = yaml.compose(text, Loader=_Loader)
        content: Any = yaml.load(text, Loader=_Loader)
    except OSError as error:
        raise BadInput(f"The mapping {path} cannot be read: {error.strerror}.", "check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).replace("\n", " ")
        raise BadInput(
            f"The mapping {path} is not valid YAML: {first}.", "mend it where it says; " + _GUIDE + "."
        ) from error
    if not isinstance(content, dict):
        raise BadInput(f"The mapping {path} is empty or no list of settings.", f"write one; {_GUIDE}.")
    for line, key in _repeated_keys(tree):
        raise BadInput(f"{path.name} line {line}: {key!r} is written twice.", "keep one of them.")
    try:
        return Mapping.model_validate({**content, "path": path.resolve()})
    except ValidationError as error:
        raise _explained(path, tree, error) from error


def _is_number(value: object) -> bool:
    """Whether a wide entry is short for its spend: a column's name, or {column: …}."""
    return isinstance(value, str) or (isinstance(value, dict) and "column" in value)


def _where(value: object) -> object:
    """`paid`, `[paid, shipped]` and `{not: [Total]}` in full."""
    if isinstance(value, dict):
        return {"leave_out": _texts(value["not"])} if set(value) == {"not"} else value
    return {"keep": _texts(value)}


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  YAML


def _explained(path: Path, tree: yaml.Node | None, failure: ValidationError) -> BadInput:
    # A misspelt name is both one too many and one missing: the one written is the one to point at.
    first = min(failure.errors(), key=lambda one: one["type"] != "extra_forbidden")
    where = first["loc"]
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        close = get_close_matches(str(where[-1]), _field_names(), n=1)
        message = f"there is no such setting{f'; did you mean {close[0]!r}?' if close else ''}"
    elif first["type"] == "missing":
        message = "this is missing"
    name = ".".join(str(part) for part in where) or "the whole"
    return BadInput(f"{path.name} line {_line(tree, where)}: {name}: {message}.", f"mend that line; {_GUIDE}.")


def _field_names() -> list[str]:
    parts = (Mapping, TenantEntry, PlaceEntry, Source, Day, Label, Number, Wide, Missing, Where)
    return sorted({name for part in parts for name in part.model_fields})


def _line(node: yaml.Node | None, where: Sequence[int | str]) -> int:
    """The line of the deepest part of `where` that exists."""
    line = 1 if node is None else node.start_mark.line + 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        else:
            break
        if node is None:
            break
        line = node.start_mark.line + 1
    return line


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
