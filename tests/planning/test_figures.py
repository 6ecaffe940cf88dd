"""Figures as people read them: precision that the range deserves, words that fit the chance."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weathervane.contracts.figures import (
    INITIALS,
    amount,
    chance,
    channel_name,
    likelihood,
    ratio,
    returned,
    rounded_money,
    share,
    short_day,
    spread,
    step_of,
    whole_money,
)
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money


def test_a_range_is_told_at_one_precision() -> None:
    assert spread(Quantiles(-9_120.0, 61_238.0, 138_400.0), "USD") == "most likely +$61k (from −$9k to +$138k)"
    assert spread(Quantiles(-90.0, 1_204.0, 2_100.0), "orders") == ("most likely +1,200 orders (from −100 to +2,100)")
    assert spread(Quantiles(1.1e6, 2.345e6, 3.1e6), "EUR", signed=False) == "most likely €2.3M (from €1.1M to €3.1M)"


@pytest.mark.parametrize(
    ("money", "spoken", "table"),
    [
        (Money(4_231_000, "USD"), "$42.3k", "$42,310"),
        (Money(-4_500_00, "EUR"), "−€4,500", "−€4,500"),
        (Money(1_234_567, "JPY"), "JPY 1.23M", "JPY 1,234,567"),
        (Money(0, "GBP"), "£0", "£0"),
        (Money(199, "CHF"), "CHF 1.99", "CHF 2"),
    ],
)
def test_money(money: Money, spoken: str, table: str) -> None:
    assert (rounded_money(money), whole_money(money)) == (spoken, table)


def test_small_words() -> None:
    assert [chance(p) for p in (1.0, 0.96, 0.95, 0.9, 0.81, 0.5, 0.01)] == [
        "97 in 100", "96 in 100", "95 in 100", "9 in 10", "8 in 10", "5 in 10", "less than 1 in 20",
    ]  # fmt: skip
    assert [likelihood(p) for p in (0.97, 0.8, 0.5, 0.2, 0.05)] == [
        "very likely", "likely", "about even", "unlikely", "very unlikely",
    ]  # fmt: skip
    assert [share(x, signed=True) for x in (0.15, -0.034, 0.0, 0.1234)] == ["+15 %", "−3.4 %", "0 %", "+12 %"]
    assert [ratio(x) for x in (1.234, -0.5, -0.001)] == ["1.23", "−0.50", "−0.0010"]
    assert [returned(0.0058, "sign-ups"), returned(1.39, "USD")] == ["0.0058 sign-ups", "$1.39"]
    assert short_day(date(2026, 11, 23)) == "Mon 23 Nov"


@given(st.floats(0.01, 1e9), st.floats(-1e9, 1e9))
def test_the_step_suits_the_width_and_rounding_stays_inside_it(width: float, value: float) -> None:
    step = step_of(width)
    assert width / 200 <= step * 1.000001
    assert step <= width / 20 * 1.000001
    assert math.isfinite(
        float(amount(value, "", step).replace("−", "-").replace(",", "").replace("k", "e3").replace("M", "e6"))
    )


@pytest.mark.parametrize(
    ("stored", "said"),
    [("tv", "TV"), ("online_tv", "online TV"), ("Google Ads", "Google Ads"), ("paid_ads", "paid ads"), ("web", "web"),
     ("search + tv", "search and TV")],
)  # fmt: skip
def test_a_channel_is_written_as_it_was_given_but_for_initials(stored: str, said: str) -> None:
    assert channel_name(stored) == said


def test_the_page_knows_the_same_initials() -> None:
    page = (Path(__file__).parents[2] / "apps" / "web" / "src" / "design" / "format.ts").read_text("utf-8")
    (listed,) = re.findall(r"INITIALS = /.b[(]([a-z|]+)[)]", page)
    assert set(listed.split("|")) == INITIALS
