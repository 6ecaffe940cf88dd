"""Numbers: the texts of a column read as numbers, by separators that must fit every cell of it, or refused by line."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from weathervane.connectors.files.columns import ROW, Export, collect
from weathervane.connectors.files.mapping import Number, Source
from weathervane.contracts.errors import BadInput

# What spreadsheets and platforms write where nothing is known.
_EMPTY = ("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "-", "--", "---", "–", "—")
# What weather stations write where nothing was measured; said, with counts, wherever one is met.
SENTINELS = {"weather": (-999.0, -9999.0, -999.9, -9999.9, 9999.0, 9999.9, 999.9)}
CURRENCY_SIGNS = {
    "$": ("USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD"),
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
}
CURRENCIES = (
    "USD", "EUR", "GBP", "JPY", "CNY", "INR", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK",
    "DKK", "PLN", "CZK", "HUF", "RON", "TRY", "BRL", "MXN", "ZAR", "SGD", "HKD", "KRW",
    "TWD", "THB", "IDR", "MYR", "PHP", "VND", "ILS", "AED", "SAR", "CLP", "COP", "ARS",
)  # fmt: skip
_SIGNS = "".join(CURRENCY_SIGNS)
_UNITS = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "bn": 1e9}
_SUFFIX = r"(?i)\s*(k|mn|mio|m|bn)\.?$"
_THREE = r"^[+-]?[1-9]\d{0,2}SIGN\d{3}$"


@dataclass(frozen=True)
class Writing:
    """How the numbers of a file's column are written. `plain` ones need no rule; `nothing` are what stands for none."""

    plain: bool
    decimal: str
    thousands: str | None
    percent: bool
    nothing: tuple[float, ...]
    odd_row: int | None = None  # the first row that is no plain number

    @property
    def pattern(self) -> str:
        """What a cell must look like: groups of three between the separators, or none at all."""
        point = re.escape(self.decimal)
        whole = r"\d+"
        if self.thousands is not None:
            whole = rf"(?:\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def writings(export: Export, source: Source, numbers: list[Number], *, counted: set[str]) -> dict[str, Writing]:
    """How each column of `numbers` is written, found in one pass over the file.

    Raises BadInput where a column of `counted` (money and counts) holds nothing that tells thousands from decimals.
    """
    columns = list(dict.fromkeys(name for each in numbers for name in (each.column, each.times) if name))
    percents = {each.column for each in numbers if each.unit == "percent"}
    nothing = {each.column: _nothing(source, each) for each in reversed(numbers)}
    stated = source.thousands is not None or "decimal" in source.model_fields_set
    asked: dict[str, pl.Expr] = {}
    texts = [name for name in columns if export.schema[name] == pl.String]
    for name in texts:
        text = _stripped(name)
        odd = ~_is_empty(name) & text.cast(pl.Float64, strict=False).is_null()
        asked[f"odd {name}"] = pl.col(ROW).filter(odd).min()
        if name in counted and not stated:
            cell = _bare(name)
            three = cell.str.contains(_THREE.replace("SIGN", r"\."))
            asked[f"three {name}"] = pl.col(ROW).filter(three).min()
            asked[f"other {name}"] = (cell.str.contains(".", literal=True) & ~three).any()
    seen = collect(export, export.rows.select(**asked)).row(0, named=True) if asked else {}
    for name in texts:
        row = seen.get(f"three {name}")
        if row is not None and not seen[f"other {name}"]:
            _ask_what_the_point_means(export, name, row)
    plain = source.thousands is None and source.decimal == "."
    return {
        name: Writing(
            export.schema[name] != pl.String or (plain and seen[f"odd {name}"] is None),
            source.decimal,
            source.thousands,
            name in percents,
            nothing.get(name, SENTINELS.get(source.table, ())),
            seen.get(f"odd {name}") if plain else None,
        )
        for name in columns
    }


def _nothing(source: Source, number: Number) -> tuple[float, ...]:
    """The numbers that stand for nothing known: those of the column, of the source, or the usual ones."""
    if number.missing:
        return number.missing
    cells = source.missing.cells if source.missing else ()
    return cells or SENTINELS.get(source.table, ())


def _ask_what_the_point_means(export: Export, name: str, row: int) -> None:
    cell = export.value(name, row)
    raise BadInput(
        f"{export.line(row)}: {name} is {cell!r}, and every cell of the column with a point has three digits behind it:"
        " it could be thousands or decimals.",
        'write `thousands: "."` with `decimal: ","` in the mapping if the point groups thousands, '
        'or `decimal: "."` if it is a decimal point.',
    )


def as_number(export: Export, number: Number, to: str, how: dict[str, Writing]) -> pl.Expr:
    """The number of each row in the unit of the column `to`, null where the file says nothing or no number."""
    value = _converted(_known(export, number.column, how[number.column]), number.unit, to)
    if number.times is not None:
        value = value * _known(export, number.times, how[number.times])
    value = value * number.scale if number.scale != 1.0 else value
    return value + number.offset if number.offset else value


def _converted(value: pl.Expr, unit: str | None, to: str) -> pl.Expr:
    match unit:
        case "fahrenheit":
            return (value - 32.0) / 1.8
        case "kelvin":
            return value - 273.15
        case "inch":
            return value * (2.54 if to.endswith("_cm") else 25.4)
        case "micros":
            return value / 1e6
        case "cents" | "percent":
            return value / 100.0
        case _:
            return value


def no_number(export: Export, column: str, how: Writing) -> pl.Expr:
    """Whether a cell says something that is no finite number."""
    parsed = _parsed(export, column, how)
    if export.schema[column] != pl.String:
        return parsed.is_not_null() & ~parsed.is_finite()
    return ~_is_empty(column) & ~parsed.is_finite().fill_null(value=False)


def stands_for_nothing(export: Export, column: str, how: Writing) -> pl.Expr:
    """Whether a cell holds a number that means that nothing is known."""
    return _parsed(export, column, how).is_in(how.nothing).fill_null(value=False)


def foreign_sign(export: Export, column: str, currency: str) -> pl.Expr:
    """Whether a cell carries the sign or the code of another currency than the tenant's."""
    if export.schema[column] != pl.String:
        return pl.lit(value=False)
    signs = [sign for sign, codes in CURRENCY_SIGNS.items() if currency not in codes]
    codes = [code for code in CURRENCIES if code != currency]
    pattern = rf"[{''.join(signs)}]|(?i)\b(?:{'|'.join(codes)})\b"
    return (~_is_empty(column) & pl.col(column).str.contains(pattern)).fill_null(value=False)


def _known(export: Export, column: str, how: Writing) -> pl.Expr:
    value = _parsed(export, column, how)
    return pl.when(~value.is_in(how.nothing)).then(value) if how.nothing else value


def _parsed(export: Export, column: str, how: Writing) -> pl.Expr:
    if export.schema[column] != pl.String:
        # Some writers mark what is missing in a number column by NaN.
        return pl.col(column).cast(pl.Float64, strict=False).fill_nan(None)
    if how.plain:
        text = _stripped(column)
        return pl.when(~_is_empty(column)).then(text.cast(pl.Float64, strict=False)).fill_nan(None)
    text = _bare(column)
    suffix = text.str.extract(_SUFFIX, 1).str.to_lowercase()
    factor = suffix.replace_strict(_UNITS, default=1.0, return_dtype=pl.Float64).fill_null(1.0)
    text = text.str.replace(_SUFFIX, "")
    if how.percent:
        text = text.str.replace(r"\s*%$", "")
    fits = text.str.contains(how.pattern)
    if how.thousands is not None:
        text = text.str.replace_all(how.thousands, "", literal=True)
    if how.decimal != ".":
        text = text.str.replace(how.decimal, ".", literal=True)
    sign = pl.when(_stripped(column).str.contains(r"^\(.*\)$")).then(-1.0).otherwise(1.0)
    value = text.cast(pl.Float64, strict=False) * factor * sign
    return pl.when(~_is_empty(column) & fits).then(value).fill_nan(None)


def _stripped(column: str) -> pl.Expr:
    """The text without spaces around it; the unbreakable ones of spreadsheets count as spaces."""
    return pl.col(column).str.replace_all("[\u00a0\u202f\u2007]", " ").str.strip_chars()


def _bare(column: str) -> pl.Expr:
    """The text without currency, brackets and spaces about its sign; brackets are a minus to the caller."""
    text = _stripped(column).str.replace(r"^\((.*)\)$", "$1").str.replace("\u2212", "-", literal=True)
    text = text.str.replace_all(rf"[{_SIGNS}]|(?i)\b(?:{'|'.join(CURRENCIES)})\b", "").str.strip_chars()
    return text.str.replace(r"^([+-])\s+", "$1").str.replace(r"^([\d.,' ]+)-$", "-$1")


def _is_empty(column: str) -> pl.Expr:
    text = _stripped(column).str.to_lowercase()
    return pl.col(column).is_null() | text.is_in(_EMPTY)


def number_problem(export: Export, source: Source, column: str, row: int) -> BadInput:
    """What is wrong with a cell that is not a number."""
    value = str(export.value(column, row))
    problem = f"{export.line(row)}: {column} is {value!r}, which is not a number."
    if "%" in value:
        return BadInput(problem, f"write `{{column: {column}, unit: percent}}` in the mapping.")
    if source.thousands is not None:
        point = source.decimal
        return BadInput(
            f'{export.line(row)}: {column} is {value!r}; with `thousands: "{source.thousands}"` it should have groups'
            f" of three digits, and {point!r} before decimals.",
            'correct `thousands` and `decimal` in the mapping: 1.234,50 takes `thousands: "."` and `decimal: ","`.',
        )
    if re.search(r"\d\.\d{3},\d", value) or (value.count(".") > 1 and source.decimal == "."):
        return BadInput(problem, 'write `thousands: "."` and `decimal: ","` in the mapping.')
    if "," in value and source.decimal == ".":
        sign = 'thousands: ","' if "." in value or value.count(",") > 1 else 'thousands: "," or decimal: ","'
        return BadInput(problem, f"write `{sign}` in the mapping, whichever the comma means.")
    if re.search(r"\d[ \u00a0\u202f']\d{3}", value):
        sign = "'" if "'" in value else " "
        return BadInput(problem, f'write `thousands: "{sign}"` in the mapping.')
    return BadInput(problem, "correct the cell, or empty it if the value is not known.")
