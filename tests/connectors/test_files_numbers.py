"""Numbers of exports: separators that fit the whole column, signs, units, and currencies that match, or a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.export_files import SALES, SPEND, case, csv, days, read, said, sales_csv, total
from weathervane.contracts.errors import BadInput


def sold(folder: Path, cells: list[str], **source: Any) -> list[float | None]:
    """What these cells are read as, one a day, among sixty."""
    rows = [f'{day};"{cells[i % len(cells)]}"' for i, day in enumerate(days(60))]
    found = read(folder, {"sales.csv": "\n".join(["day;sold", *rows])}, {**SALES, **source})
    return found.tables["sales"].sort("date")["net_revenue"].to_list()[: len(cells)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["$12.50", "$ 1"], [12.5, 1.0]),
        (["USD 12.50", "1 USD"], [12.5, 1.0]),
        (["(12.50)", "1"], [-12.5, 1.0]),
        (["($12.50)", "-$1.00"], [-12.5, -1.0]),
        (["12.50-", "\u22123"], [-12.5, -3.0]),
        (["12.50\u00a0", "\u00a01"], [12.5, 1.0]),
        (["--", "-", "–", "7"], [None, None, None, 7.0]),
        (["1.5M", "250k", "3"], [1.5e6, 250e3, 3.0]),
        (["1e3", "2.5e-1"], [1000.0, 0.25]),
    ],
)
def test_signs_people_write(tmp_path: Path, cells: list[str], expected: list[float | None]) -> None:
    assert sold(tmp_path, cells) == expected


@pytest.mark.parametrize(
    ("cells", "setting", "expected"),
    [
        (["1,234.50", "12"], {"thousands": ","}, [1234.5, 12.0]),
        (["1.234,50", "9.730", "12"], {"thousands": ".", "decimal": ","}, [1234.5, 9730.0, 12.0]),
        (["1 234,5", "1\u00a0234"], {"thousands": " ", "decimal": ","}, [1234.5, 1234.0]),
        (["1'234.50"], {"thousands": "'"}, [1234.5]),
        (["9.730", "1.5"], {}, [9.73, 1.5]),
        (["0.125", "1.250"], {}, [0.125, 1.25]),
        (["9.730"], {"decimal": "."}, [9.73]),
    ],
)
def test_separators_that_fit(
    tmp_path: Path, cells: list[str], setting: dict[str, str], expected: list[float | None]
) -> None:
    assert sold(tmp_path, cells, **setting) == expected


@pytest.mark.parametrize(
    ("cells", "setting", "words"),
    [
        (["104.523,17"], {"thousands": ","}, "groups of three"),
        (["12,34,567"], {"thousands": ","}, "groups of three"),
        (["1.234", "987"], {}, "thousands or decimals"),
        (["1.234.567"], {}, 'thousands: "."'),
        (["1.234,50"], {}, 'thousands: "."'),
        (["1,234.50"], {}, 'thousands: ","'),
        (["1 234"], {}, 'thousands: " "'),
        (["5 %"], {}, "unit: percent"),
        (["€ 5"], {}, "USD"),
        (["5 GBP"], {}, "USD"),
    ],
)
def test_separators_and_signs_that_do_not_fit(
    tmp_path: Path, cells: list[str], setting: dict[str, str], words: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        sold(tmp_path, cells, **setting)
    assert words in str(refusal.value)
    assert "sales.csv line 2" in str(refusal.value)


@pytest.mark.parametrize("name", ["eu-thousands-unset", "thousands-comma-on-european"])
def test_european_separators_the_mapping_does_not_name(name: str) -> None:
    with pytest.raises(BadInput, match="three digits"):
        case(f"import/{name}")


def test_a_currency_in_the_header_of_the_case() -> None:
    with pytest.raises(BadInput, match=r"'Amount spent \(EUR\)' is in EUR"):
        case("import/currency-in-header")


@pytest.mark.parametrize("header", ["Cost (GBP)", "cost_eur", "Kosten in €"])
def test_a_currency_in_a_header(tmp_path: Path, header: str) -> None:
    spent = csv(f"day,channel,{header}", [(day, "tv", 5 + i % 3) for i, day in enumerate(days(60))])
    source = {**SPEND, "columns": {"spend": header}}
    files = {"sales.csv": sales_csv(), "spend.csv": spent}
    with pytest.raises(BadInput, match="the tenant's money in USD"):
        read(tmp_path, files, SALES, source)
    assert read(tmp_path, files, SALES, {**source, "currency": {"value": "USD"}}).tables["spend"].height == 60


def test_a_column_called_currency_code_is_checked(tmp_path: Path) -> None:
    spent = csv("day,channel,cost,Currency code", [(day, "tv", 5, "EUR") for day in days(60)])
    with pytest.raises(BadInput, match="mixed currencies"):
        read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": spent}, SALES, SPEND)


WEATHER: dict[str, Any] = {"table": "weather", "file": "weather.csv", "date": {"column": "day"}}


def weather(folder: Path, cells: list[object], column: object = "t", name: str = "temp_mean_c") -> Any:
    rows = csv("day,t", [(day, cells[i % len(cells)]) for i, day in enumerate(days(60))])
    files = {"sales.csv": sales_csv(), "weather.csv": rows}
    return read(folder, files, SALES, {**WEATHER, "columns": {name: column}})


@pytest.mark.parametrize(
    ("unit", "name", "cell", "expected"),
    [
        ("fahrenheit", "temp_mean_c", 50, 10.0),
        ("kelvin", "temp_mean_c", 283.15, 10.0),
        ("inch", "precip_mm", 2, 50.8),
        ("inch", "snow_cm", 2, 5.08),
    ],
)
def test_units_of_weather(tmp_path: Path, unit: str, name: str, cell: float, expected: float) -> None:
    found = weather(tmp_path, [cell], {"column": "t", "unit": unit}, name)
    assert found.tables["weather"][name][0] == pytest.approx(expected)


def test_scale_and_offset(tmp_path: Path) -> None:
    found = weather(tmp_path, [500], {"column": "t", "scale": 0.1, "offset": -40})
    assert found.tables["weather"]["temp_mean_c"][0] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("cells", "words"), [([68.5], "fahrenheit"), ([285.65], "kelvin"), ([-777], "missing: [-777]")]
)
def test_a_temperature_in_another_unit_is_refused_with_what_to_write(
    tmp_path: Path, cells: list[object], words: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        weather(tmp_path, cells)
    assert words in str(refusal.value)


def test_a_winter_in_fahrenheit_is_no_winter_in_celsius(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unit: fahrenheit"):
        weather(tmp_path, [28, 35, 41])


def test_numbers_that_stand_for_nothing(tmp_path: Path) -> None:
    found = weather(tmp_path, [-999, 5, 7])
    assert found.tables["weather"]["temp_mean_c"].null_count() == 20
    assert said(found, "stand for nothing measured")
    stated = weather(tmp_path, [-5, 5, 7], {"column": "t", "missing": [-5]})
    assert stated.tables["weather"]["temp_mean_c"].null_count() == 20


@pytest.mark.parametrize(("unit", "cell"), [("micros", 2_500_000), ("cents", 250)])
def test_units_of_money(tmp_path: Path, unit: str, cell: int) -> None:
    spent = csv("day,channel,cost", [(day, "tv", cell) for day in days(60)])
    source = {**SPEND, "columns": {"spend": {"column": "cost", "unit": unit}}}
    found = read(tmp_path, {"sales.csv": sales_csv(), "spend.csv": spent}, SALES, source)
    assert total(found, "spend", "spend") == pytest.approx(150.0)


def test_percent(tmp_path: Path) -> None:
    rows = csv("day,depth", [(day, "15 %") for day in days(60)])
    source = {"table": "promotions", "file": "promo.csv", "date": {"column": "day"}}
    source |= {"columns": {"depth_share": {"column": "depth", "unit": "percent"}}}
    found = read(tmp_path, {"sales.csv": sales_csv(), "promo.csv": rows}, SALES, source)
    assert found.tables["promotions"]["depth_share"].to_list() == [0.15] * 60


def test_a_unit_that_is_none_of_the_column(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="fahrenheit is not a unit of net_revenue"):
        read(
            tmp_path,
            {"sales.csv": sales_csv()},
            {**SALES, "columns": {"net_revenue": {"column": "sold", "unit": "fahrenheit"}}},
        )


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    rows = csv("day,where,sold", [(day, geo, 5) for day in days(60) for geo in ("Köln", "Málaga")])
    found = read(tmp_path, {"sales.csv": rows.encode(encoding)}, {**SALES, "geo": {"column": "where"}})
    assert found.tables["sales"]["geo"].unique().sort().to_list() == ["Köln", "Málaga"]
    assert said(found, "read as") == (encoding != "utf-8-sig")


def test_a_spreadsheet_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="save the sheet as CSV"):
        read(tmp_path, {"sales.csv": b"PK\x03\x04" + bytes(100)}, SALES)


def test_micros_of_the_case_are_refused() -> None:
    with pytest.raises(BadInput, match=r"51,254\.6 times the sales of the same dates"):
        case("import/micros")


def test_no_is_a_word_and_not_a_boolean(tmp_path: Path) -> None:
    rows = csv("day,returned,sold", [(day, answer, 5) for day in days(60) for answer in ("No", "Yes")])
    source = {**SALES, "level": "orders"}
    (tmp_path / "sales.csv").write_text(rows)
    text = (
        "tenant: {id: acme, name: Acme, currency: USD, country: NO}\nsources:\n"
        "  - {table: sales, file: sales.csv, level: orders, date: {column: day}, where: {returned: No},"
        " columns: {net_revenue: sold}}\n"
    )
    from weathervane.connectors.files.exports import read_exports
    from weathervane.connectors.files.mapping import read_mapping

    (tmp_path / "mapping.yaml").write_text(text)
    mapping = read_mapping(tmp_path / "mapping.yaml")
    assert (mapping.tenant.country, source["level"]) == ("NO", "orders")
    assert read_exports(mapping).tables["sales"]["net_revenue"].sum() == 300
    assert isinstance(read_exports(mapping).tables["sales"], pl.DataFrame)
