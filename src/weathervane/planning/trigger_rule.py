"""Trigger rule: read from a line a person can write, and asked of arrays of weather. Nothing is ever evaluated as code.

    rule      = any ["for" N "days"] ["keep" N "days"]
    any       = all {"or" all}
    all       = part {"and" part}
    part      = "(" any ")" | variable (">" | ">=" | "<" | "<=") number

What a rule means is in docs/modeling/planning.md, "Trigger campaigns".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NoReturn, cast, get_args

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.trigger import Condition, Junction, Operator, TriggerRule, Variable

Floats = NDArray[np.float64]

_TOKEN = re.compile(r"\s*(?:(?P<number>[-+]?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]+)|(?P<sign>>=|<=|>|<|\(|\)))")
_LONGEST, _DEEPEST, _MOST_DAYS = 400, 10, 30
_EXAMPLE = "write it like `temp_anomaly_c > 5 and precip_mm < 1 for 2 days`."


def parse_rule(text: str) -> TriggerRule:
    """The rule that `text` says; BadInput names the place where it stops making sense."""
    if len(text) > _LONGEST:
        raise BadInput(f"The rule has {len(text)} characters; {_LONGEST} are allowed.", "say it in fewer words.")
    return _Reader(text).rule()


class _Reader:
    """Reads a rule from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._token, self._start = "", 0
        self._next()

    def rule(self) -> TriggerRule:
        condition = self._junction("or")
        hold = self._days("for") if self._token == "for" else 1
        keep = self._days("keep") if self._token == "keep" else 0
        if self._token:
            self._stop("`and`, `or`, `for N days`, `keep N days` or the end")
        return TriggerRule(condition, hold, keep)

    def _junction(self, word: Literal["and", "or"]) -> Condition | Junction:
        parts = [self._junction("and") if word == "or" else self._part()]
        while self._token == word:
            self._next()
            parts.append(self._junction("and") if word == "or" else self._part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _part(self) -> Condition | Junction:
        if self._token == "(":
            self._depth += 1
            if self._depth > _DEEPEST:
                self._stop(f"at most {_DEEPEST} brackets inside each other")
            self._next()
            inner = self._junction("or")
            self._take({")"}, "a closing bracket")
            self._depth -= 1
            return inner
        variable = self._take(set(get_args(Variable)), f"one of {', '.join(get_args(Variable))}")
        operator = self._take(set(get_args(Operator)), "one of > >= < <=")
        return Condition(cast(Variable, variable), cast(Operator, operator), self._number())

    def _number(self) -> float:
        token = self._token
        if not token or not (token[-1].isdigit()):
            self._stop("a number")
        self._next()
        return float(token)

    def _days(self, word: str) -> int:
        self._next()
        count = self._number()
        if not (count.is_integer() and 1 <= count <= _MOST_DAYS):
            raise BadInput(f"A rule cannot hold {word} {count:g} days.", f"give whole days from 1 to {_MOST_DAYS}.")
        self._take({"day", "days"}, "`days`")
        return int(count)

    def _take(self, allowed: set[str], expected: str) -> str:
        token = self._token
        if token not in allowed:
            self._stop(expected)
        self._next()
        return token

    def _next(self) -> None:
        rest = self._text[self._at :]
        self._start = self._at + len(rest) - len(rest.lstrip())
        found = _TOKEN.match(rest)
        if found is None:
            self._token = rest.strip()[:1]
            if self._token:
                self._stop("a variable, a number, a comparison or a bracket")
            return
        self._token = found[0].strip()
        self._at += found.end()

    def _stop(self, expected: str) -> NoReturn:
        found = f"{self._token!r} at character {self._start + 1}" if self._token else "the end"
        raise BadInput(f"The rule {self._text!r} has {found} where it needs {expected}.", _EXAMPLE)


def runs(rule: TriggerRule, weather: Mapping[str, Floats]) -> Floats:
    """Whether the campaign runs: 1, 0, or NaN where missing weather leaves it open; arrays [..., t], days in order.

    The first days, whose past is not in `weather`, are open unless what is there settles them.
    """
    held = _rolling(_holds(rule.condition, weather), rule.hold_days, _all)
    return _rolling(held, rule.keep_days + 1, _any)


def _holds(condition: Condition | Junction, weather: Mapping[str, Floats]) -> Floats:
    if isinstance(condition, Junction):
        parts = [_holds(part, weather) for part in condition.parts]
        join = _all if condition.word == "and" else _any
        return join(np.stack(parts))
    values = weather[condition.variable]
    compared = {
        ">": np.greater,
        ">=": np.greater_equal,
        "<": np.less,
        "<=": np.less_equal,
    }[condition.operator](values, condition.threshold)
    return np.where(np.isnan(values), np.nan, compared)


def _all(parts: Floats) -> Floats:
    """Along the first axis: 0 if any is 0, else NaN if any is NaN, else 1."""
    return np.where((parts == 0).any(axis=0), 0.0, parts.sum(axis=0) * 0.0 + 1.0)


def _any(parts: Floats) -> Floats:
    """Along the first axis: 1 if any is 1, else NaN if any is NaN, else 0."""
    return 1.0 - _all(1.0 - parts)


def _rolling(values: Floats, days: int, join: object) -> Floats:
    """`join` over each day and the `days` − 1 before it; days before the first are open."""
    assert callable(join)
    before = np.full((*values.shape[:-1], days - 1), np.nan)
    padded = np.concatenate([before, values], axis=-1)
    return np.asarray(join(np.stack([padded[..., i : i + values.shape[-1]] for i in range(days)])))
