"""The page writes figures as the reports do: both are held to the cases in apps/web/fixtures/figures.json."""

from __future__ import annotations

import json
from pathlib import Path

from weathervane.contracts import figures
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money

CASES = Path(__file__).parents[2] / "apps" / "web" / "fixtures" / "figures.json"


def written(figure: str, of: list[float], unit: str, signed: bool) -> str:
    match figure:
        case "amount":
            return figures.amount(of[0], unit, of[1], signed=signed)
        case "spread":
            return figures.spread(Quantiles(*of), unit, signed=signed)
        case "whole_money":
            return figures.whole_money(Money(int(of[0]), unit), signed=signed)
        case "share":
            return figures.share(of[0], signed=signed)
        case "ratio":
            return figures.ratio(of[0])
        case "ratios":
            return " ".join(figures.ratios(*of))
        case "chance":
            return figures.chance(of[0])
        case _:
            return figures.likelihood(of[0])


def test_every_case_is_written_as_the_page_writes_it() -> None:
    cases = json.loads(CASES.read_text("utf-8"))["cases"]
    assert len(cases) > 50
    for case in cases:
        assert written(case["figure"], case["of"], case["unit"], case["signed"]) == case["text"], case
