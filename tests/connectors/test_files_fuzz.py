"""Exports mutated as people and programs do: read to the true total, or refused by a sentence; no traceback."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.export_files import MONDAY, read
from weathervane.connectors.files.exports import ImportedTables
from weathervane.contracts.errors import WeatherVaneError

PLACES = ("North", "South", "West")
FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%a %d %b %Y", "%Y%m%d", "%B %d, %Y")


def written(amount: float, style: str) -> str:
    match style:
        case "thousands":
            return f"{amount:,.2f}"
        case "european":
            return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
        case "whole european":
            return f"{amount:,.0f}".replace(",", ".")
        case "sign":
            return f"${amount:.2f}"
        case "euro":
            return f"{amount:.2f} EUR"
        case "cents":
            return f"{amount * 100:.0f}"
        case _:
            return f"{amount:.2f}"


@st.composite
def exports(draw: st.DrawFn) -> tuple[str, bytes, dict[str, Any], dict[tuple[str, date], float]]:
    """A file, its source in the mapping (which may be wrong), and the sales of each place and day that are true."""
    n, step = draw(st.integers(30, 70)), draw(st.sampled_from([1, 1, 7]))
    style = draw(
        st.sampled_from(["plain", "plain", "thousands", "european", "whole european", "sign", "euro", "cents"])
    )
    amounts = st.sampled_from([12.5, 98.75, 1234.5, 5000.0, 987.0, 104523.25])
    truth = {
        (geo, MONDAY + timedelta(days=step * i)): draw(amounts) if style != "whole european" else float(1000 + 37 * i)
        for i in range(n)
        for geo in PLACES
    }
    form = draw(st.sampled_from(FORMS))
    left_out = draw(st.sets(st.sampled_from(sorted(truth)), max_size=10))
    rows = [
        (day.strftime(form), geo, written(value, style))
        for (geo, day), value in truth.items()
        if (geo, day) not in left_out
    ]
    truth = {key: value for key, value in truth.items() if key not in left_out}
    if draw(st.booleans()):
        day_sums = {day: sum(v for (_, d), v in truth.items() if d == day) for _, day in truth}
        rows += [(day.strftime(form), "All regions", written(value, style)) for day, value in day_sums.items()]
    if draw(st.booleans()):
        rows.append(("Total", "", written(sum(truth.values()), style)))
    lines = ["\t".join(row) for row in ([("day", "region", "sales"), *rows])]
    if draw(st.booleans()):
        lines = ["Sales report", "", *lines]
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(1, len(lines) - 1))
        lines[at] = draw(st.sampled_from([lines[at] + "\tmore", lines[at][:5], "", "2024-13-45\tNorth\t5", "x\ty\tz"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    source: dict[str, Any] = {"table": "sales", "file": "sales.csv", "date": {"column": "day"}}
    source["geo"] = {"column": "region"}
    amount: dict[str, Any] = {"column": "sales"}
    if style == "cents":
        amount["unit"] = "cents"
    if style in {"thousands", "european", "whole european"} and draw(st.integers(0, 4)):
        source |= {"thousands": ","} if style == "thousands" else {"thousands": ".", "decimal": ","}
    source["columns"] = {"net_revenue": amount}
    if (step == 7) != (draw(st.integers(0, 5)) == 0):
        source["date"]["step"] = "week"
    source |= draw(
        st.sampled_from([{}, {}, {"level": "orders"}, {"missing": "unknown"}, {"missing": "zero"}, {"missing": [0]}])
    )
    return style, "\n".join(lines).encode(encoding), source, truth


def tables_or_refusal(folder: Path, content: bytes, source: dict[str, Any]) -> ImportedTables | WeatherVaneError:
    try:
        return read(folder, {"sales.csv": content}, source)
    except WeatherVaneError as refusal:
        return refusal


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(exports())
def test_no_total_changes_in_silence(made: tuple[str, bytes, dict[str, Any], dict[tuple[str, date], float]]) -> None:
    _, content, source, truth = made
    with tempfile.TemporaryDirectory() as folder:
        found = tables_or_refusal(Path(folder), content, source)
    if isinstance(found, WeatherVaneError):
        assert (found.problem[-1], bool(found.remedy)) == (".", True)
        return
    sales = found.tables["sales"]
    mutated = abs(float(sales["net_revenue"].sum()) - sum(truth.values()))
    # A row that was cut to nothing is a row that is not there; it is one row's money at most.
    assert mutated <= max(truth.values()) + 0.01
    stored = {(geo, day): value for geo, day, value in sales.select("geo", "date", "net_revenue").iter_rows()}
    wrong = [key for key, value in stored.items() if value and abs(value - truth.get(key, -1.0)) > 0.01]
    assert not wrong, wrong
    assert sales.filter(pl.col("geo") == "All regions").is_empty()
