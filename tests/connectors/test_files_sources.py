"""Sources of several files, order lines, whole-country spend, calendars, and figures that are hardly true."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.export_files import SALES, SPEND, case, csv, days, read, said, sales_csv, total
from weathervane.contracts.errors import BadInput

ORDERS = {**SALES, "level": "orders"}


def test_two_accounts_add_up() -> None:
    assert total(case("import/two-accounts"), "spend", "spend") == pytest.approx(342316.28)


def test_a_day_cut_in_two_adds_up() -> None:
    found = case("import/order-files-split-in-a-day")
    assert total(found, "sales", "net_revenue") == pytest.approx(14935.05)
    assert total(found, "sales", "orders") == 276


def test_equal_halves_of_a_day_in_two_files_add_up(tmp_path: Path) -> None:
    files = {f"orders_{i}.csv": csv("day,sold", [(day, 20) for day in days(60)]) for i in (1, 2, 3)}
    found = read(tmp_path, files, {**ORDERS, "file": "orders_*.csv"})
    assert (total(found, "sales", "net_revenue"), total(found, "sales", "orders")) == (3600, 180)


@pytest.mark.parametrize("second", [20, 21])
def test_single_rows_of_one_day_in_two_files_are_a_question(tmp_path: Path, second: int) -> None:
    files = {"a_1.csv": csv("day,sold", [(day, 20) for day in days(60)])}
    files["a_2.csv"] = csv("day,sold", [(day, second) for day in days(60)[30:]])
    with pytest.raises(BadInput, match=r"a_1.csv and a_2.csv both have a row of date 2024-01-31") as refusal:
        read(tmp_path, files, {**SALES, "file": "a_*.csv"})
    assert "level: orders" in refusal.value.remedy


def test_an_average_over_two_files_weighs_their_rows(tmp_path: Path) -> None:
    files = {
        "sales.csv": sales_csv(),
        "w_1.csv": csv("day,t", [(day, 10) for day in days(60)]),
        "w_2.csv": csv("day,t", [(day, t) for day in days(60) for t in (1, 1, 1)]),
    }
    source = {"table": "weather", "file": "w_*.csv", "level": "orders", "date": {"column": "day"}}
    found = read(tmp_path, files, SALES, {**source, "columns": {"temp_mean_c": "t"}})
    assert set(found.tables["weather"]["temp_mean_c"]) == {3.25}


def test_lines_of_orders_of_the_case() -> None:
    sales = case("import/shopify-order-lines").tables["sales"]
    assert sales["net_revenue"].sum() == pytest.approx(16442.13)
    assert (sales["units"].sum(), sales["orders"].sum()) == (466, 124)


@pytest.mark.parametrize("repeated", [True, False])
def test_an_amount_of_the_whole_order_counts_once(tmp_path: Path, repeated: bool) -> None:
    rows = [
        (f"A{i}", day if repeated or line == 0 else "", 50 + i if repeated or line == 0 else "", 2)
        for i, day in enumerate(days(60))
        for line in range(3)
    ]
    source = {**ORDERS, "order": {"column": "number"}, "columns": {"net_revenue": "sold", "units": "n"}}
    found = read(tmp_path, {"sales.csv": csv("number,day,sold,n", rows)}, source)
    sold = sum(50 + i for i in range(60))
    figures = [total(found, "sales", name) for name in ("net_revenue", "units", "orders")]
    assert figures == [sold, 360, 60]
    assert said(found, "180 rows are lines of 60 orders")


def test_a_credit_is_netted_before_it_is_judged(tmp_path: Path) -> None:
    rows = [(day, "tv", cost) for day in days(60) for cost in (20, -5)]
    source = {**SPEND, "level": "orders"}
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}, SALES, source)
    assert total(found, "spend", "spend") == 900
    rows += [(days(60)[30], "tv", -20)]
    with pytest.raises(BadInput, match="adds up to -5 on 2024-01-31"):
        read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}, SALES, source)


PLACES = {"geo": {"column": "where"}}


def by_place(*places: str, n: int = 60, value: str = "sold") -> str:
    rows = [(day, geo, 100 + 10 * k + i % 7) for i, day in enumerate(days(n)) for k, geo in enumerate(places)]
    return csv(f"day,where,{value}", rows)


def test_spend_of_the_whole_country_beside_sales_by_place() -> None:
    found = case("import/national-spend-places")
    assert found.tables["spend"]["geo"].unique().to_list() == ["national"]
    assert total(found, "spend", "spend") == pytest.approx(697853.52)
    assert said(found, "shared out to places by their sales")


def test_one_channel_of_the_whole_country_among_others_by_place(tmp_path: Path) -> None:
    tv = csv("day,channel,cost", [(day, "tv", 9 + i % 4) for i, day in enumerate(days(60))])
    local = {**SPEND, "file": "local.csv", **PLACES, "channel": {"value": "radio"}}
    files = {"sales.csv": by_place("a", "b"), "spend.csv": tv, "local.csv": by_place("a", "b", value="cost")}
    found = read(tmp_path, files, {**SALES, **PLACES}, SPEND, local)
    spend = found.tables["spend"]
    assert spend.filter(pl.col("channel") == "tv")["geo"].unique().to_list() == ["national"]
    assert spend.filter(pl.col("channel") == "radio")["geo"].unique().sort().to_list() == ["a", "b"]
    assert said(found, "spend of the whole country (tv)")


def test_spend_by_place_beside_sales_of_the_whole_country(tmp_path: Path) -> None:
    files = {"sales.csv": sales_csv(), "spend.csv": by_place("a", "b", value="cost")}
    found = read(tmp_path, files, SALES, {**SPEND, **PLACES, "channel": {"value": "tv"}})
    assert found.tables["spend"].height == 120
    assert said(found, "the spend of 2 places is added up")


def test_spend_copied_to_every_place_is_questioned(tmp_path: Path) -> None:
    rows = [(day, geo, "tv", 30 + i % 9) for i, day in enumerate(days(60)) for geo in ("a", "b", "c")]
    files = {"sales.csv": by_place("a", "b", "c"), "spend.csv": csv("day,where,channel,cost", rows)}
    found = read(tmp_path, files, {**SALES, **PLACES}, {**SPEND, **PLACES})
    assert said(found, "tv: every one of 3 places has the same spend to the cent")


def test_spend_far_above_sales(tmp_path: Path) -> None:
    def spent(times: int) -> dict[str, str | bytes]:
        rows = csv("day,channel,cost", [(day, "tv", 1000 * times + i % 9) for i, day in enumerate(days(60))])
        return {"sales.csv": sales_csv(), "spend.csv": rows}

    assert said(read(tmp_path, spent(3), SALES, SPEND), "tv: spend of 180,", "times the sales of the same dates")
    with pytest.raises(BadInput, match="unit: micros"):
        read(tmp_path, spent(100), SALES, SPEND)
    counts = {"outcome_is_money": False}
    assert read(tmp_path, spent(100), SALES, SPEND, tenant=counts).tables["spend"].height == 60


@pytest.mark.parametrize("at", [15, 40])
def test_a_unit_that_changes_on_the_way(tmp_path: Path, at: int) -> None:
    rows = [(day, (5 + i % 3) * (100 if i >= at else 1)) for i, day in enumerate(days(60))]
    found = read(tmp_path, {"sales.csv": csv("day,sold", rows)}, SALES)
    assert said(found, "net_revenue rises about", f"from {days(60)[at]} on")


def test_a_burst_is_no_change_of_unit(tmp_path: Path) -> None:
    rows = [(day, "tv", 5000 if i in (20, 21) else 5) for i, day in enumerate(days(60))]
    files = {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}
    assert not said(read(tmp_path, files, SALES, SPEND), "stays there")


def test_a_ramp_is_no_change_of_unit(tmp_path: Path) -> None:
    rows = [(day, "tv", round(2 * 1.12**i, 2)) for i, day in enumerate(days(60))]
    files = {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}
    assert not said(read(tmp_path, files, SALES, SPEND), "stays there")


def test_names_that_differ_only_in_capitals_are_one(tmp_path: Path) -> None:
    rows = [(day, name, 4) for i, day in enumerate(days(60)) for name in ("TV", *(["tv"] if i % 4 == 0 else []))]
    files = {"sales.csv": sales_csv(), "spend.csv": csv("day,channel,cost", rows)}
    found = read(tmp_path, files, SALES, SPEND)
    assert found.tables["spend"]["channel"].unique().to_list() == ["TV"]
    assert total(found, "spend", "spend") == 75 * 4
    assert said(found, "'tv' as 'TV'")


def test_places_are_spelled_as_in_the_sales(tmp_path: Path) -> None:
    files = {"sales.csv": by_place("North", "South"), "spend.csv": by_place("north", "SOUTH", value="cost")}
    found = read(tmp_path, files, {**SALES, **PLACES}, {**SPEND, **PLACES, "channel": {"value": "tv"}})
    assert found.tables["spend"]["geo"].unique().sort().to_list() == ["North", "South"]


def test_closed_days_by_either_way_of_writing_and_those_with_sales_are_questioned(tmp_path: Path) -> None:
    files = {
        "sales.csv": by_place("a", "b"),
        "closed.csv": csv("day,what,sort", [(days(60)[9], "Stocktaking", "closed")]),
    }
    base = {"table": "calendar", "file": "closed.csv", "date": {"column": "day"}}
    ways = [{"event": {"column": "what"}, "kind": {"column": "sort"}}, {"columns": {"event": "what", "kind": "sort"}}]
    for way in ways:
        found = read(tmp_path, files, {**SALES, **PLACES}, {**base, **way})
        # A day of the whole country is one of each place.
        assert found.tables["calendar"]["geo"].sort().to_list() == ["a", "b"]
        assert said(found, "2 days are called closed and have sales")


def test_series_that_no_model_reads_are_said_to_be_so(tmp_path: Path) -> None:
    rows = csv("day,gas", [(day, 3 + i % 5) for i, day in enumerate(days(60))])
    macro = {"table": "macro", "file": "macro.csv", "date": {"column": "day"}, "wide": {"gas_price": "gas"}}
    found = read(tmp_path, {"sales.csv": sales_csv(), "macro.csv": rows}, SALES, macro)
    assert said(found, "no model reads them yet")


def test_a_new_place_of_the_case_is_named() -> None:
    assert said(case("use/new-place-vanishes"), "newtown has sales only from 2026-10-16 on")


def test_a_place_too_new_to_stand_alone_is_named(tmp_path: Path) -> None:
    rows = [(day, geo, 100) for i, day in enumerate(days(120)) for geo in ("a", "b") if geo == "a" or i >= 80]
    found = read(tmp_path, {"sales.csv": csv("day,where,sold", rows)}, {**SALES, **PLACES})
    assert said(found, "b has sales only from 2024-03-21 on")
