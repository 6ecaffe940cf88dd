"""A rule reads as it is written, refuses in words, and means what a person would work out day by day."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weathervane.contracts.errors import BadInput
from weathervane.contracts.trigger import Condition, Junction, Operator, TriggerRule, Variable
from weathervane.planning.trigger_rule import parse_rule, runs

NAN = math.nan
conditions = st.builds(
    Condition,
    st.sampled_from(get_args(Variable)),
    st.sampled_from(get_args(Operator)),
    st.integers(-30, 45) | st.sampled_from([0.5, -2.25]),
)


def joined(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.builds(Junction, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple))


rules = st.builds(
    TriggerRule, st.recursive(conditions, joined, max_leaves=6), st.integers(1, 30), st.integers(0, 30)
).filter(lambda rule: len(rule.text) < 400)


@given(rules)
def test_what_a_rule_says_reads_back_as_the_rule(rule: TriggerRule) -> None:
    assert parse_rule(rule.text) == rule
    assert parse_rule(f"  {rule.text}  ") == rule


def test_and_binds_closer_than_or() -> None:
    found = parse_rule("snow_cm > 1 or temp_mean_c<0 and precip_mm>=2")
    assert found == parse_rule("snow_cm > 1 or (temp_mean_c < 0 and precip_mm >= 2)")
    assert found != parse_rule("(snow_cm > 1 or temp_mean_c < 0) and precip_mm >= 2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the end where it needs one of temp_mean_c"),
        ("temp_mean_c >", "the end where it needs a number"),
        ("temp_mean_c > warm", "'warm' at character 15 where it needs a number"),
        ("humidity > 4", "'humidity' at character 1"),
        ("temp_mean_c = 4", "'=' at character 13"),
        ("temp_mean_c > 4 5", "'5' at character 17"),
        ("(temp_mean_c > 4", "a closing bracket"),
        ("temp_mean_c > 4)", "')' at character 16"),
        ("temp_mean_c > 4 for 0 days", "A rule cannot hold for 0 days"),
        ("temp_mean_c > 4 for 31 days", "from 1 to 30"),
        ("temp_mean_c > 4 for 1.5 days", "whole days"),
        ("temp_mean_c > 4 for 2", "`days`"),
        ("temp_mean_c > 4 keep 2 days for 2 days", "'for'"),
        ("temp_mean_c > 1e9", "'e' at character"),
        ("__import__('os').system('id') > 1", "at character 1"),
        ("(" * 11 + "temp_mean_c > 1" + ")" * 11, "at most 10 brackets"),
        ("temp_mean_c > 1 or " * 30 + "temp_mean_c > 1", "400 are allowed"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stops(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_rule(text)
    assert says in refused.value.problem + refused.value.remedy


@given(st.text(max_size=60))
def test_no_text_does_anything_but_read_or_be_refused(text: str) -> None:
    with suppress(BadInput):
        assert parse_rule(parse_rule(text).text) == parse_rule(text)


def by_hand(rule: TriggerRule, days: list[dict[str, float]], t: int) -> float:
    """Day by day, with three values; days before the first are open."""

    def holds(part: Condition | Junction, day: int) -> float:
        if day < 0:
            return NAN
        if isinstance(part, Junction):
            return _joined(part.word, [holds(inner, day) for inner in part.parts])
        value = days[day][part.variable]
        if math.isnan(value):
            return NAN
        return float(
            {
                ">": value > part.threshold,
                ">=": value >= part.threshold,
                "<": value < part.threshold,
                "<=": value <= part.threshold,
            }[part.operator]
        )

    def held(day: int) -> float:
        if day < 0:
            return NAN
        return _joined("and", [holds(rule.condition, day - i) for i in range(rule.hold_days)])

    return _joined("or", [held(t - i) for i in range(rule.keep_days + 1)])


def _joined(word: str, parts: list[float]) -> float:
    settles = 0.0 if word == "and" else 1.0
    if settles in parts:
        return settles
    return NAN if any(math.isnan(part) for part in parts) else 1.0 - settles


@given(
    rule=st.builds(
        TriggerRule,
        st.recursive(
            st.builds(
                Condition,
                st.sampled_from(["temp_mean_c", "precip_mm"]),
                st.sampled_from(get_args(Operator)),
                st.integers(0, 2),
            ),
            joined,
            max_leaves=4,
        ),
        st.integers(1, 3),
        st.integers(0, 2),
    ),
    values=st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, NAN])] * 2), min_size=1, max_size=9),
)
def test_arrays_say_what_a_person_would(rule: TriggerRule, values: list[tuple[float, float]]) -> None:
    days = [{"temp_mean_c": warm, "precip_mm": wet} for warm, wet in values]
    arrays = {name: np.array([[day[name] for day in days]]) for name in ("temp_mean_c", "precip_mm")}
    expected = [by_hand(rule, days, t) for t in range(len(days))]
    np.testing.assert_array_equal(runs(rule, arrays)[0], expected)
