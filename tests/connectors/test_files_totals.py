"""Totals among the parts of an export: found by what they add up to, left out and said."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.export_files import SALES, SPEND, case, csv, days, read, said, sales_csv, total


def test_a_place_that_is_the_sum_of_the_others() -> None:
    found = case("import/grand-total-place")
    assert sorted(place.geo for place in found.tenant.places) == ["North", "South", "West"]
    assert total(found, "sales", "net_revenue") == pytest.approx(6936687.55, abs=0.1)
    assert total(found, "spend", "spend") == pytest.approx(697853.5, abs=0.1)
    assert said(found, "'Grand Total' is the sum of the other places")


def test_a_channel_that_is_the_sum_of_the_others_under_another_name(tmp_path: Path) -> None:
    rows = [
        (day, name, i % 5 + k) for i, day in enumerate(days(60)) for k, name in enumerate(("tv", "radio", "web"), 1)
    ]
    rows += [(day, "Alle Medien", 3 * (i % 5) + 6) for i, day in enumerate(days(60))]
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}, SALES, SPEND)
    assert found.tables["spend"]["channel"].unique().sort().to_list() == ["radio", "tv", "web"]
    assert said(found, "'Alle Medien' is the sum of the other channels on all 60 dates")


def test_a_total_stays_one_where_a_part_of_it_lost_a_row(tmp_path: Path) -> None:
    names = ("tv", "radio", "web")
    rows = [(day, name, i % 5 + k) for i, day in enumerate(days(30)) for k, name in enumerate(names, 1)]
    rows += [(day, "Alle Medien", 3 * (i % 5) + 6) for i, day in enumerate(days(30))]
    del rows[40]
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}, SALES, SPEND)
    assert found.tables["spend"]["channel"].unique().sort().to_list() == ["radio", "tv", "web"]
    assert said(found, "'Alle Medien' is the sum of the other channels on 29 of 30 dates")


def test_two_channels_that_are_alike_are_no_total(tmp_path: Path) -> None:
    rows = [(day, name, i % 5 + 1) for i, day in enumerate(days(60)) for name in ("tv", "radio")]
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}, SALES, SPEND)
    assert found.tables["spend"].height == 120


def test_a_row_that_is_the_sum_of_all_others() -> None:
    found = case("import/meta-totals-row")
    assert total(found, "spend", "spend") == pytest.approx(342316.28)
    assert (found.tables["spend"]["spend"] > 0).sum() == 44
    assert said(found, "meta.csv line 2", "sum of all the other rows")


@pytest.mark.parametrize("last", [True, False])
def test_a_row_of_totals_among_single_rows(tmp_path: Path, last: bool) -> None:
    rows = [(day, 1000 + 7 * (i % 11)) for i, day in enumerate(days(60))]
    whole = (days(60)[0] if not last else days(61)[-1], sum(sold for _, sold in rows))
    found = read(
        tmp_path,
        {"sales.csv": csv("day,sold", [*rows, whole] if last else [whole, *rows])},
        {**SALES, "level": "orders"},
    )
    assert total(found, "sales", "net_revenue") == whole[1]


@pytest.mark.parametrize("footer", ["Total,60420", "Grand total:,60420", "Summe,60420"])
def test_a_footer(tmp_path: Path, footer: str) -> None:
    found = read(tmp_path, {"sales.csv": sales_csv() + footer + "\n"}, SALES)
    assert found.tables["sales"].height == 60
    assert said(found, "left out as a total")


def test_a_row_a_day_that_calls_itself_total_in_a_column_the_mapping_does_not_name(tmp_path: Path) -> None:
    rows = [(day, name, cost) for day in days(60) for name, cost in (("Brand", 3), ("Shop", 4), ("Total", 7))]
    source = {**SPEND, "level": "orders", "channel": {"value": "search"}}
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,campaign,cost", rows)}, SALES, source)
    assert total(found, "spend", "spend") == 60 * 7
    assert said(found, "60 rows call themselves 'Total' in campaign")


def test_where_can_leave_out(tmp_path: Path) -> None:
    rows = [(day, name, 5) for day in days(60) for name in ("Brand", "Test", "")]
    source = {**SPEND, "level": "orders", "channel": {"value": "search"}, "where": {"campaign": {"not": ["Test"]}}}
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,campaign,cost", rows)}, SALES, source)
    assert total(found, "spend", "spend") == 60 * 10
    assert said(found, "campaign is not Test")


@pytest.mark.parametrize("above", ["Report of Acme\n\n", "sep=,\n", "Campaign report\n2024-01-01 - 2024-03-31\n"])
def test_lines_above_the_header_are_skipped_and_said(tmp_path: Path, above: str) -> None:
    found = read(tmp_path, {"sales.csv": above + sales_csv()}, SALES)
    assert (found.tables["sales"].height, total(found, "sales", "net_revenue")) == (60, 61740.0)
    assert said(found, "above the header") == (not above.startswith("sep="))


def test_few_round_amounts_that_happen_to_add_up_are_kept(tmp_path: Path) -> None:
    spent = csv("day,channel,cost", list(zip(days(60)[::15], ["tv"] * 4, (100, 50, 25, 25), strict=True)))
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": spent}, SALES, SPEND)
    assert total(found, "spend", "spend") == 200
    assert found.tables["spend"].filter(pl.col("spend") > 0).height == 4
