"""The calibration report and its charts: no number that is not the run's, and the committed example is current."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.exports.calibrations import a_run, weather_value

from weathervane.contracts.calibration import CalibrationRun
from weathervane.contracts.figures import amount, precise_share, ratio, share, short_day, step_of, whole_money
from weathervane.contracts.money import Money
from weathervane.exports.calibration_charts import calibration_charts
from weathervane.exports.calibration_report import calibration_report
from weathervane.store.ledger import sha256
from weathervane.store.results import from_json, to_json

DOCS = Path(__file__).parents[2] / "docs" / "modeling"
REPORT = DOCS / "forecast_calibration_report.md"
HASH = "f" * 64


def page_of(run: CalibrationRun) -> str:
    return calibration_report(run, HASH, "run.json", {name: f"{name}.png" for name in calibration_charts(run)})


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:[kM](?!\w))?")


def numbers(text: str) -> set[str]:
    return {token.lstrip("0") or "0" for token in NUMBER.findall(text)}


def written_as(run: CalibrationRun, document: str) -> set[str]:
    """Every way in which the report may write a number of the JSON."""
    found: set[str] = set()
    for leaf in leaves(json.loads(document)):
        if isinstance(leaf, bool) or leaf is None:
            continue
        if isinstance(leaf, str):
            found |= numbers(leaf)
            continue
        value = float(leaf)  # pyright: ignore[reportArgumentType]  what is left is a number
        texts = [share(value), precise_share(value), ratio(value), f"{value:,.0f}", f"{value:.0f}"]
        texts.append(amount(value, "", step_of(20 * abs(value)) / 100 if value else 1.0))
        found |= {token for text in texts for token in numbers(text)}
    for miss in run.misses:
        values = (miss.error, miss.weather, miss.plan, miss.promotion, miss.model, miss.expected, miss.actual)
        step = step_of(max(abs(value) for value in (*values[:5], miss.expected / 10))) / 10
        found |= {token for value in values for token in numbers(amount(value, "", step))}
        found |= numbers(short_day(miss.week.start))
    worth = run.weather_value
    if worth is not None:
        amounts = (worth.money, worth.money_low, worth.money_high)
        found |= {token for each in amounts if each is not None for token in numbers(whole_money(each))}
    return found


def strangers(page: str, run: CalibrationRun, document: str, digest: str) -> set[str]:
    """Numbers of the page that are not the run's. The hash is the file's; chart names and links are not numbers."""
    text = re.sub(r"\]\([^)]*\)", "]", page.replace(digest, ""))
    text = re.sub(r"sha256", "", text)
    return numbers(text) - written_as(run, document)


@pytest.mark.parametrize(
    "run",
    [
        a_run(weather=weather_value(used=True)),
        a_run(source="ledger", weather=weather_value(used=False)),
        a_run(width=0.5, with_misses=False),
        a_run(n_origins=2, with_misses=False),
    ],
    ids=["backtest", "ledger", "too narrow", "too short"],
)
def test_every_number_of_the_report_is_in_the_json(run: CalibrationRun) -> None:
    assert strangers(page_of(run), run, to_json(run), HASH) == set()


def test_a_number_from_elsewhere_would_be_found() -> None:
    run = a_run()
    page = page_of(run).replace(precise_share(run.coverage_p10_p90), "81.23 %")
    assert strangers(page, run, to_json(run), HASH) == {"81.23"}


def test_the_page_opens_with_the_verdict_and_has_its_sections() -> None:
    run = a_run(source="ledger", weather=weather_value(used=True))
    page = page_of(run)
    assert page.startswith("# Forecast calibration: Acme\n\n> **DEMO")
    assert page.index("**Calibrated.**") < page.index("## Method")
    headings = re.findall(r"^## (.*)$", page, re.M)
    assert headings == [
        "Method", "Coverage and accuracy", "Coverage by lead", "Width and sharpness", "Before and after recalibration",
        "By group", "Diagnostics", "Value of weather", "The ledger", "Why weeks missed", "When to act",
        "Technical notes", "Conclusion",
    ]  # fmt: skip
    assert HASH in page
    for words in (
        "30 of 1,200 actuals were restated",
        "![Each week's miss by cause](misses.png)",
        "off by €42,100 less with it (from €19,000 to €63,500)",
    ):
        assert words in page, words
    assert "DEMO" not in page_of(replace(run, demo=False))


def test_where_weather_does_not_help_it_says_so() -> None:
    assert "Weather was tested and does not help." in page_of(a_run(weather=weather_value(used=False)))
    assert "does not help" not in page_of(a_run(weather=weather_value(used=True)))


def test_weather_that_could_not_be_tested_is_never_said_not_to_help() -> None:
    untested = replace(weather_value(used=False), as_if=True, sentence="Weather was not tested: none is stored.")
    page = page_of(a_run(weather=untested))
    assert (
        "**Not tested on real forecasts.** Weather was not tested: none is stored. As if they had been stored:" in page
    )
    assert "does not help" not in page
    assert "Not measured in this run." in page_of(a_run())


def test_a_bad_record_is_said_and_asks_for_action() -> None:
    page = page_of(a_run(width=0.5))
    assert "**Too narrow.**" in page
    assert re.search(r"holds less than 75 % \| 4\d\.\d % \| \*\*yes\*\*", page)
    assert "Read its ranges as too sure." in page
    early = page_of(a_run(n_origins=2, with_misses=False))
    assert "Do not rely on its ranges yet." in early
    assert "more days)" in early


def test_every_chart_is_drawn_and_the_same_bytes_come_again() -> None:
    run = a_run()
    drawn = calibration_charts(run)
    assert set(drawn) == {"reliability", "coverage", "pit", "width", "skill", "misses"}
    assert all(picture.startswith(b"\x89PNG") for picture in drawn.values())
    assert calibration_charts(run) == drawn
    assert "misses" not in calibration_charts(a_run(with_misses=False))


def test_a_run_reads_back_as_it_was() -> None:
    run = a_run(source="ledger", weather=weather_value(used=True))
    assert from_json(CalibrationRun, to_json(run)) == run


def test_the_committed_report_is_made_from_the_json_beside_it() -> None:
    document = REPORT.with_suffix(".json").read_text("utf-8")
    page, run = REPORT.read_text("utf-8"), from_json(CalibrationRun, document)
    assert run.demo
    assert sha256(document) == hashlib.sha256(document.encode()).hexdigest()
    shown = {Path(path).stem: path for path in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page)}
    assert page == calibration_report(run, sha256(document), REPORT.with_suffix(".json").name, shown)
    assert strangers(page, run, document, sha256(document)) == set()
    for path in shown.values():
        assert (DOCS / path).read_bytes().startswith(b"\x89PNG")
    assert date.fromisoformat(run.generated_at[:10]) > run.window.end
    assert Money(1, run.currency)
