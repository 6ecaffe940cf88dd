"""Figures: how money, shares, chances and days are written for people, at the precision they deserve."""

from __future__ import annotations

import math
from datetime import date

from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money, minor_digits

# No chance is claimed above this until such chances are measured to be right.
MOST_SURE = 0.97
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_SMALLEST_RATIO = 1e-6  # what is nearer to zero is zero to a reader
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def step_of(width: float) -> float:
    """The power of ten that a range of this width deserves: a twentieth of it, rounded down. 147,000 gives 1,000."""
    return 10.0 ** math.floor(math.log10(width / 20)) if width > 0 else 1.0


def amount(value: float, unit: str, step: float, *, signed: bool = False) -> str:
    """The value rounded to `step` (a power of ten), with its unit: `+$61k`, `CHF 4,200`, `−1,200 orders`.

    `unit` is a currency code in three capitals, or the name of what is counted.
    """
    rounded = round(value / step) * step
    size, places = abs(rounded), round(math.log10(step))
    if step >= 1e6 or (size >= 1e6 and step >= 1e3):
        digits = f"{size / 1e6:,.{max(0, 6 - places)}f}M"
    elif (step >= 1e3 and size >= 1e3) or (size >= 1e4 and step >= 100):
        digits = f"{size / 1e3:,.{max(0, 3 - places)}f}k"
    else:
        digits = f"{size:,.{max(0, -places)}f}"
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return _with_unit(sign, digits, unit)


def rounded_money(money: Money, *, signed: bool = False) -> str:
    """An amount at three significant digits, as it is spoken: `$42.3k`."""
    size = abs(money.major)
    step = 10.0 ** (math.floor(math.log10(size)) - 2) if size > 0 else 1.0
    return amount(money.major, money.currency, max(step, 10.0 ** -minor_digits(money.currency)), signed=signed)


def whole_money(money: Money, *, signed: bool = False) -> str:
    """An amount in whole major units, as a table shows it: `$42,310`."""
    rounded = round(money.major)
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return _with_unit(sign, f"{abs(rounded):,}", money.currency)


def spread(quantiles: Quantiles, unit: str, *, signed: bool = True) -> str:
    """The middle and the ends at one precision: `most likely +$61k (from −$9k to +$138k)`."""
    step = step_of(quantiles.p90 - quantiles.p10)
    # A currency marks every figure; what is counted is named once.
    ends = unit if _is_currency(unit) else ""
    mid = amount(quantiles.p50, unit, step, signed=signed)
    low, high = (amount(q, ends, step, signed=signed) for q in (quantiles.p10, quantiles.p90))
    return f"most likely {mid} (from {low} to {high})"


def ratio(value: float) -> str:
    """A return, or another ratio, with two decimals; below a tenth with two significant digits: `0.42`, `0.0058`."""
    return ratios(value)[0]


def ratios(*values: float) -> tuple[str, ...]:
    """A return and its bounds at one precision, that of the largest: `0.0058`, `0.0041`, `0.0079`."""
    digits = -round(math.log10(ratio_step(*values)))
    texts = [f"{abs(value):,.{digits}f}" for value in values]
    return tuple(
        f"−{text}" if value < 0 and float(text.replace(",", "")) else text
        for value, text in zip(values, texts, strict=True)
    )


def ratio_step(*values: float) -> float:
    """The power of ten that returns of this size are written to: 0.01, or the second digit of the largest below 0.1."""
    largest = max(abs(value) for value in values)
    if not _SMALLEST_RATIO <= largest < 0.0995:
        return 0.01
    # Rounded to two digits first: 0.00996 is written 0.010.
    return 10.0 ** (math.floor(math.log10(float(f"{largest:.1e}"))) - 1)


def returned(value: float, unit: str, *others: float) -> str:
    """What one unit of money brings, to the precision of all values told with it: `$1.39`, `0.0058 sign-ups`."""
    return amount(value, unit, ratio_step(value, *others))


def share(value: float, *, signed: bool = False) -> str:
    """A fraction as a percentage at the nearest whole, or the nearest tenth below ten: `82 %`, `+3.4 %`."""
    percent = 100 * value
    text = f"{abs(percent):,.1f}".removesuffix(".0") if abs(percent) < 9.95 else f"{abs(percent):,.0f}"
    sign = "" if text == "0" else "−" if percent < 0 else "+" if signed else ""
    return f"{sign}{text} %"


def precise_share(value: float, *, signed: bool = False) -> str:
    """A fraction as a percentage at the nearest tenth, for what is measured that well: `79.9 %`, `−0.4 %`."""
    text = f"{abs(100 * value):,.1f}"
    sign = "" if text == "0.0" else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{text} %"


def counted(n: int, what: str) -> str:
    """A count with its noun: `1 place`, `2 places`, `1,200 days`."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def capped(probability: float) -> float:
    """A chance as it may be claimed: from 3 to 97 in 100, however many draws agree (planning.md, "Chances")."""
    return min(MOST_SURE, max(1 - MOST_SURE, probability))


def chance(probability: float) -> str:
    """A probability as odds a person would say: `8 in 10`, and never more than 97 in 100."""
    probability = capped(probability)
    if probability >= 0.95:
        return f"{math.floor(100 * probability + 1e-9)} in 100"
    if probability < 0.05:
        return "less than 1 in 20"
    return f"{min(9, max(1, round(10 * probability)))} in 10"


def likelihood(probability: float) -> str:
    """The word for a probability: likely from 66 to 90 %, very likely above, about even from 40 to 60 %."""
    words = ((0.10, "very unlikely"), (0.34, "unlikely"), (0.40, "less likely than not"), (0.60, "about even"))
    upper = ((0.66, "more likely than not"), (0.90, "likely"))
    return next((word for bound, word in words + upper if probability <= bound), "very likely")


INITIALS = frozenset({"tv", "ctv", "ooh", "dooh", "seo", "crm", "sms"})  # those of apps/web/src/design/format.ts


def channel_name(channel: str) -> str:
    """The channel as it is said: underscores are spaces, and initials such as `tv` are capitals, as on the page.

    Channels that were fitted as one are `search + social` as a key, `search and social` as it is said.
    """
    return " and ".join(
        " ".join(word.upper() if word in INITIALS else word for word in each.replace("_", " ").split())
        for each in channel.split(" + ")
    )


def short_day(day: date) -> str:
    """A day as a reader expects it: `Mon 23 Nov`."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def _with_unit(sign: str, digits: str, unit: str) -> str:
    if unit in _SYMBOLS:
        return f"{sign}{_SYMBOLS[unit]}{digits}"
    return f"{sign}{unit} {digits}" if _is_currency(unit) else f"{sign}{digits} {unit}".rstrip()


def _is_currency(unit: str) -> bool:
    return len(unit) == 3 and unit.isupper()
