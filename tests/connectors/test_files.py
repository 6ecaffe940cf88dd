"""Files: the real export sets come in as they are, and a mapping that is wrong is told by line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from weathervane.connectors.files.exports import ImportedTables, read_exports
from weathervane.connectors.files.mapping import read_mapping
from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES
from weathervane.store.tables import check

ROOT = Path(__file__).parents[2]
DATA = (ROOT / ".." / "shared" / "data").resolve()
GUIDE = ROOT / "docs" / "guides" / "import-mapping.md"
TENANT = {"id": "acme", "name": "Acme", "currency": "USD"}
RETAILER = "mmm/retailer_weekly_2014_2018.csv"
BRAND_C = "mmm/brand_c_us_weekly_2000_2003.csv"
WEEK = {"step": "week"}


def imported(folder: Path, *sources: dict[str, object], tenant: dict[str, object] | None = None) -> ImportedTables:
    for source in sources:
        if not Path(str(source["file"])).suffix or (DATA / str(source["file"])).exists():
            source["file"] = str(DATA / str(source["file"]))
        if str(source["file"]).startswith(("mmm/", "weather/")):
            pytest.skip(f"{source['file']} is not in ../shared/data")
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump({"tenant": tenant or TENANT, "sources": list(sources)}))
    result = read_exports(read_mapping(path))
    for table, frame in result.tables.items():
        check(TABLES[table], frame, table)
    return result


def test_the_retailer(tmp_path: Path) -> None:
    channels = ("dm", "inst", "nsp", "auddig", "audtr", "vidtr", "viddig", "so", "on", "sem")
    day = {"column": "wk_strt_dt", **WEEK}
    wide = {name: {"spend": f"mdsp_{name}", "impressions": f"mdip_{name}"} for name in channels}
    weather = {"temp_mean_c": "temperature_2m_mean", "precip_mm": "precipitation_sum"}
    result = imported(
        tmp_path,
        {"table": "sales", "file": RETAILER, "date": day, "columns": {"net_revenue": "sales"}},
        {"table": "spend", "file": RETAILER, "date": day, "wide": wide},
        {"table": "macro", "file": RETAILER, "date": day, "wide": {"gas_price": "me_gas_dpg"}},
        {
            "table": "weather",
            "file": "weather/open_meteo_us_cities_daily.parquet",
            "date": {"column": "date"},
            "geo": {"column": "location_slug"},
            "national": {"boston-ma": 3, "charlotte-nc": 1},
            "columns": weather,
        },
    )
    raw = pl.read_csv(DATA / RETAILER)
    sales, spend = result.tables["sales"], result.tables["spend"]
    assert (sales.height, sales["date"].min()) == (209, date(2014, 8, 3))
    assert sales["net_revenue"].sum() == pytest.approx(raw["sales"].sum())
    assert spend["channel"].n_unique() == 10
    for name in channels:
        one = spend.filter(pl.col("channel") == name)
        assert one["spend"].sum() == pytest.approx(raw[f"mdsp_{name}"].sum())
        assert one["impressions"].sum() == pytest.approx(raw[f"mdip_{name}"].sum())
    assert result.tables["macro"]["series"].unique().to_list() == ["gas_price"]
    assert result.steps == {"sales": 7, "spend": 7, "macro": 7, "weather": 1}
    cities = pl.read_parquet(DATA / "weather/open_meteo_us_cities_daily.parquet").filter(
        pl.col("date") == date(2016, 1, 5)
    )
    by_city = dict(cities.select("location_slug", "temperature_2m_mean").iter_rows())
    national = result.tables["weather"].filter(pl.col("date") == date(2016, 1, 5))
    assert national["geo"].to_list() == ["national"]
    assert national["temp_mean_c"].item() == pytest.approx((3 * by_city["boston-ma"] + by_city["charlotte-nc"]) / 4)


def test_too_few_cities_are_no_nation(tmp_path: Path) -> None:
    weather = {
        "table": "weather",
        "file": "weather/open_meteo_us_cities_daily.parquet",
        "date": {"column": "date"},
        "geo": {"column": "location_slug"},
        "national": "mean",
        "columns": {"temp_mean_c": "temperature_2m_mean"},
    }
    result = imported(tmp_path, weather)
    frame = result.tables["weather"]
    # Until late 2022 only two of the cities report.
    assert frame.filter(pl.col("date") < date(2022, 10, 1))["temp_mean_c"].null_count() > 2000
    assert frame.filter(pl.col("date") >= date(2022, 11, 1))["temp_mean_c"].null_count() == 0
    assert any("too few of them report" in note.why for note in result.notes)


def test_brand_c(tmp_path: Path) -> None:
    day = {"column": "week_date", "step": "week", "stamp": "end"}
    result = imported(
        tmp_path,
        {
            "table": "sales",
            "file": BRAND_C,
            "date": day,
            "columns": {"net_revenue": {"column": "eq_volum", "times": "price_c"}, "units": "eq_volum"},
        },
        {
            "table": "spend",
            "file": BRAND_C,
            "date": day,
            "wide": {
                "tv": {"exposure": "tvgrp_c", "cost_per_unit": 9000},
                "coupons": {"exposure": "fsi_non", "cost_per_unit": 8},
            },
        },
        {"table": "prices", "file": BRAND_C, "date": day, "columns": {"price_index": "price_c"}},
        {
            "table": "promotions",
            "file": BRAND_C,
            "date": day,
            "columns": {"depth_share": {"column": "disacv_c", "scale": 0.01}},
        },
    )
    raw = pl.read_csv(DATA / BRAND_C)
    sales = result.tables["sales"]
    assert sales["net_revenue"].to_list() == pytest.approx((raw["eq_volum"] * raw["price_c"]).to_list())
    assert sales["date"][0] == date(2000, 2, 20)  # the file dates the week ending 2000-02-26
    tv = result.tables["spend"].filter(pl.col("channel") == "tv")
    assert tv["spend"].to_list() == pytest.approx((raw["tvgrp_c"] * 9000).to_list())
    assert result.tables["promotions"]["depth_share"].max() == pytest.approx(raw["disacv_c"].max() / 100)
    priced = [note for note in result.notes if "not an invoice" in note.why]
    assert [note.what for note in priced] == ["warning", "warning"]


def test_robyn_and_the_panel_of_forty_geos(tmp_path: Path) -> None:
    day = {"column": "DATE", **WEEK}
    robyn = "mmm/robyn_simulated_weekly.csv"
    wide = {"tv": "tv_S", "facebook": {"spend": "facebook_S", "impressions": "facebook_I"}}
    result = imported(
        tmp_path,
        {"table": "sales", "file": robyn, "date": day, "columns": {"net_revenue": "revenue"}},
        {"table": "spend", "file": robyn, "date": day, "wide": wide},
    )
    assert result.tables["spend"].height == 2 * 208
    assert any("events, newsletter" in note.why for note in result.notes)
    panel = "mmm/meridian_geo_all_channels.parquet"
    day, geo = {"column": "time", **WEEK}, {"column": "geo"}
    wide = {f"c{i}": f"Channel{i}_spend" for i in range(5)}
    money = {"column": "conversions", "times": "revenue_per_conversion"}
    result = imported(
        tmp_path,
        {"table": "sales", "file": panel, "date": day, "geo": geo, "columns": {"net_revenue": money}},
        {
            "table": "spend",
            "file": panel,
            "date": day,
            "geo": geo,
            "wide": {f"c{i}": f"Channel{i}_spend" for i in range(5)},
        },
    )
    raw = pl.read_parquet(DATA / panel)
    assert len(result.tenant.places) == 40
    assert result.tables["spend"].height == 40 * 156 * 5
    assert result.tables["sales"]["net_revenue"].sum() == pytest.approx(
        (raw["conversions"] * raw["revenue_per_conversion"]).sum()
    )


def test_the_other_sets_have_mappings_too(tmp_path: Path) -> None:
    pymc, national = "mmm/pymc_mmm_example.csv", "mmm/meridian_national_all_channels.parquet"
    day = {"column": "date_week", **WEEK}
    unitless = {**TENANT, "outcome": "an index of sales", "outcome_is_money": False}
    result = imported(
        tmp_path,
        {"table": "sales", "file": pymc, "date": day, "columns": {"net_revenue": "y"}},
        {"table": "spend", "file": pymc, "date": day, "wide": {"x1": "x1", "x2": "x2"}},
        tenant=unitless,
    )
    assert (result.tables["sales"].height, result.tenant.outcome_is_money) == (179, False)
    day = {"column": "time", **WEEK}
    result = imported(
        tmp_path,
        {"table": "sales", "file": national, "date": day, "columns": {"net_revenue": "conversions"}},
        {"table": "spend", "file": national, "date": day, "wide": {f"c{i}": f"Channel{i}_spend" for i in range(5)}},
    )
    assert result.tables["spend"].height == 156 * 5


def long_spend(folder: Path, rows: list[str]) -> dict[str, object]:
    (folder / "ads.csv").write_text("\n".join(["day,where,medium,cost,imps", *rows]))
    return {
        "table": "spend",
        "file": "ads.csv",
        "date": {"column": "day"},
        "geo": {"column": "where"},
        "channel": {"column": "medium"},
        "columns": {"spend": "cost", "impressions": "imps"},
    }


def test_long_files_and_globs(tmp_path: Path) -> None:
    source = long_spend(tmp_path, ["2024-01-01,a,tv,1.5,10", "2024-01-01,b,tv,,20", "2024-01-02,a, radio ,3,NaN"])
    (tmp_path / "ads_2.csv").write_text("day,where,medium,cost,imps\n2024-01-03,a,tv,4,40\n")
    frame = imported(tmp_path, {**source, "file": "ads*.csv"}).tables["spend"]
    brought = [
        ("a", date(2024, 1, 1), "tv", 1.5, 10.0),
        ("a", date(2024, 1, 2), "radio", 3.0, None),
        ("a", date(2024, 1, 3), "tv", 4.0, 40.0),
        ("b", date(2024, 1, 1), "tv", None, 20.0),
    ]
    left_out = [
        ("a", date(2024, 1, 1), "radio", 0.0, 0.0),
        ("a", date(2024, 1, 2), "tv", 0.0, 0.0),
        ("a", date(2024, 1, 3), "radio", 0.0, 0.0),
        ("b", date(2024, 1, 1), "radio", 0.0, 0.0),
        ("b", date(2024, 1, 2), "radio", 0.0, 0.0),
        ("b", date(2024, 1, 2), "tv", 0.0, 0.0),
        ("b", date(2024, 1, 3), "radio", 0.0, 0.0),
        ("b", date(2024, 1, 3), "tv", 0.0, 0.0),
    ]
    assert sorted(frame.rows(), key=str) == sorted([*brought, *left_out], key=str)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["2024-01-13", "2024-01-14"], date(2024, 1, 13)),
        (["2024-1-3", "2024-1-14"], date(2024, 1, 3)),
        (["2024-01-13 23:59:59", "2024-01-14T00:00:00Z"], date(2024, 1, 13)),
        (["2024/01/13", "2024/01/14"], date(2024, 1, 13)),
        (["20240113", "20240114"], date(2024, 1, 13)),
        (["13/01/2024", "01/02/2024"], date(2024, 1, 13)),
        (["01/13/2024", "02/01/2024"], date(2024, 1, 13)),
        (["13.01.2024", "14.01.2024"], date(2024, 1, 13)),
        (["13-01-2024", "01-02-2024"], date(2024, 1, 13)),
    ],
)
def test_dates_are_read_where_only_one_reading_fits(tmp_path: Path, written: list[str], expected: date) -> None:
    frame = imported(tmp_path, long_spend(tmp_path, [f"{day},a,tv,1,1" for day in written])).tables["spend"]
    assert frame["date"].min() == expected


def test_a_format_settles_what_is_ambiguous(tmp_path: Path) -> None:
    source = long_spend(tmp_path, ["02/01/2024,a,tv,1,1", "03/01/2024,a,tv,1,1"])
    source["date"] = {"column": "day", "format": "%d/%m/%Y"}
    assert imported(tmp_path, source).tables["spend"]["date"].to_list() == [date(2024, 1, 2), date(2024, 1, 3)]


def test_the_order_of_rows_and_columns_changes_nothing(tmp_path: Path) -> None:
    rows = [
        f"2024-01-{day:02d},{geo},{channel},{day * 1.1},{day}"
        for day in range(1, 20)
        for geo in "ab"
        for channel in "xy"
    ]
    source = {**long_spend(tmp_path, rows), "level": "orders"}
    straight = imported(tmp_path, source).tables["spend"]
    frame = pl.read_csv(tmp_path / "ads.csv", infer_schema=False).sample(fraction=1, shuffle=True, seed=3)
    frame.select(reversed(frame.columns)).write_csv(tmp_path / "ads.csv")
    assert imported(tmp_path, source).tables["spend"].equals(straight)


GOOD = """
tenant: {id: acme, name: Acme, currency: USD}
sources:
  - table: sales
    file: x.csv
    date: {column: day}
    columns: {net_revenue: y}
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("currency: USD", "currency: dollars", ["line 2", "tenant.currency"]),
        ("    date: {column: day}\n", "", ["line 4", "date", "missing"]),
        ("column: day", "colum: day", ["line 6", "did you mean 'column'?"]),
        ("file: x.csv", "file: x.csv\n    file: y.csv", ["line 6", "'file' is written twice"]),
        ("table: sales", "table: spend", ["line 4", "net_revenue"]),
        ("{net_revenue: y}", "{units: y}", ["sales needs the column net_revenue"]),
        ("{net_revenue: y}", "{net_revenue: y}\n    wide: {a: b}", ["either columns", "or wide"]),
        ("{column: day}", "{column: day, step: month}", ["line 6", "day", "week"]),
        ("{column: day}", "{column: day, stamp: end}", ["stamp: end is for weeks"]),
        (
            "columns: {net_revenue: y}",
            "geo: {column: a, value: b}\n    columns: {net_revenue: y}",
            ["line 7", "either {"],
        ),
        (GOOD, "", ["empty"]),
        (GOOD, "a: [", ["not valid YAML"]),
        (GOOD, "- 1", ["no list of settings"]),
        ("id: acme", "id: Acme Inc", ["line 2", "tenant.id", "lower-case"]),
    ],
)
def test_a_wrong_mapping_is_told_by_line(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(BadInput) as caught:
        read_mapping(path)
    for word in words:
        assert word in str(caught.value)


def test_every_example_in_the_guide_is_a_mapping(tmp_path: Path) -> None:
    blocks = GUIDE.read_text().split("```yaml\n")[1:]
    assert len(blocks) >= 3
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block.split("```")[0])
        assert read_mapping(path).sources
