"""The CSV: the very numbers of the plan, one header, no formulas, and what it said last time."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.plans import changing, hostile, keeping
from weathervane.contracts.money import Money, minor_digits
from weathervane.contracts.plan import BudgetPlan
from weathervane.exports.spreadsheet import COLUMNS, exact, plan_csv

GOLDEN = Path(__file__).parent / "golden" / "recommendations.csv"


def read(content: bytes) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    return rows


@pytest.mark.parametrize("plan", [changing(), keeping()], ids=["change", "keep"])
def test_it_reads_back_as_the_plan(plan: BudgetPlan) -> None:
    rows = read(plan_csv(plan))
    assert len(rows) == len(plan.lines)
    for row, line in zip(rows, plan.lines, strict=True):
        assert (row["geo_group_id"], row["channel"], row["direction"]) == (line.geo, line.channel, line.direction)
        assert row["plan_date"] == plan.period.start.isoformat()
        for column, money in (
            ("current_budget", line.current),
            ("recommended_budget", line.recommended),
            ("change", line.change),
        ):
            assert Decimal(row[column]) * 100 == money.minor
        for name, quantiles in (
            ("gain", line.gain),
            ("expected_revenue", line.outcome),
            ("marginal_return", line.marginal_return),
        ):
            assert [float(row[f"{name}_{p}"]) for p in ("p10", "p50", "p90")] == [
                quantiles.p10,
                quantiles.p50,
                quantiles.p90,
            ]
        assert float(row["change_rel"]) == line.change_rel
        assert row["chance_gain"] == ("" if line.chance_gain is None else repr(line.chance_gain))
        assert (row["reason"], row["would_change_our_mind"]) == (line.reason, line.would_change_our_mind)
    assert sum(Decimal(row["recommended_budget"]) for row in rows) * 100 == plan.total_recommended.minor


def test_no_text_starts_a_formula_and_numbers_stay_numbers() -> None:
    plan = hostile()
    row = read(plan_csv(plan))[0]
    assert row["geo_group_id"] == "'=HYPERLINK(1)"
    assert row["channel"] == '\'@search, the\n"best"'
    assert (row["reason"], row["would_change_our_mind"]) == ("'+1 for this", "'-nothing")
    assert float(row["change"]) == plan.lines[0].change.major < 0


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD"]))
def test_money_is_written_to_the_minor_unit(minor: int, currency: str) -> None:
    assert Decimal(exact(Money(minor, currency))) * 10 ** minor_digits(currency) == minor


def test_it_says_what_the_golden_file_says() -> None:
    got, golden = read(plan_csv(changing())), read(GOLDEN.read_bytes())
    for row, old in zip(got, golden, strict=True):
        for column in COLUMNS:
            # The last digits of a mean depend on the processor; everything a person reads does not.
            if column.endswith(("_p10", "_p50", "_p90", "_rel")):
                assert float(row[column]) == pytest.approx(float(old[column]), rel=1e-9)
            else:
                assert row[column] == old[column], column
