"""The change files: what a platform loads, what a person reads, what takes it back; all from one change set."""

from __future__ import annotations

import csv
import io
import json

from tests.planning.small_plans import plan_of

from weathervane.contracts.automation import AutomationSettings
from weathervane.contracts.change_set import Breach, Preflight
from weathervane.exports.change_files import COLUMNS, change_files
from weathervane.planning.change_set import change_set

BUDGETS = {
    ("austin", "search"): (700_07, 770_00),
    ("boston", "search"): (700_00, 630_00),
    ("boston", "tv"): (100_00, 100_00),
    ("=cmd|' /C calc'!A1", "so|cial"): (70_00, 77_00),
}
SETTINGS = AutomationSettings(platforms={"search": "Google Ads", "so|cial": "../meta"})
CHANGES = change_set(plan_of(BUDGETS), "a" * 64, SETTINGS)
CLEAN = Preflight((), ())


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_one_csv_a_platform_holds_every_change_and_nothing_else() -> None:
    files = change_files(CHANGES, CLEAN)
    google, meta = sorted(name for name in files if name.endswith(".csv"))
    assert google.startswith("budgets-google-ads-")
    assert meta.startswith("budgets-meta-")
    assert all("/" not in name for name in files)
    found = rows(files[google])
    assert tuple(found[0]) == COLUMNS
    assert [(row["geo"], row["daily_budget_before"], row["daily_budget_after"]) for row in found] == [
        ("austin", "100.01", "110.00"),
        ("boston", "100.00", "90.00"),
    ]
    assert [row["daily_change"] for row in found] == ["9.99", "-10.00"]
    assert {(row["date_from"], row["date_to"], row["currency"]) for row in found} == {
        ("2026-11-23", "2026-11-29", "USD")
    }


def test_nothing_in_a_file_runs_as_a_formula() -> None:
    files = change_files(CHANGES, CLEAN)
    for name in files:
        if name.endswith(".csv"):
            for row in rows(files[name]):
                assert not any(row[key].startswith(("=", "+", "-", "@")) for key in ("platform", "geo", "channel"))


def test_the_rollback_takes_the_file_back_cell_by_cell() -> None:
    files = change_files(CHANGES, CLEAN)
    restore = json.loads(files["rollback.json"])["restore"]
    budgets = {(one.geo, one.channel): one.before.minor for one in CHANGES.changes}
    after = {(one.geo, one.channel): one.after.minor for one in CHANGES.changes}
    for one in restore:
        assert after[one["geo"], one["channel"]] == one["from_minor"]
        after[one["geo"], one["channel"]] = one["to_minor"]
    assert after == budgets


def test_a_person_reads_every_change_and_every_broken_guardrail() -> None:
    breach = Breach("roas_floor", "critical", "search in austin brings 0.50 for each 1.", "austin", "search")
    text = change_files(CHANGES, Preflight((), (breach,)))["DIFF.md"].decode()
    assert "**critical**, `roas_floor`: search in austin" in text
    assert "| boston | search | 100.00 | 90.00 | −10.00 | −10 % |" in text
    assert "so\\|cial" in text, "a bar in a name would break the table"
    assert "210.01 before, 211.00 after, +0.99" in text
    assert "tv" not in text


def test_the_same_change_set_is_the_same_bytes_whatever_the_order() -> None:
    again = change_set(plan_of(dict(reversed(BUDGETS.items()))), "a" * 64, SETTINGS)
    assert again == CHANGES
    assert change_files(again, CLEAN) == change_files(CHANGES, CLEAN)


def test_platforms_never_share_a_file() -> None:
    settings = AutomationSettings(platforms={"search": "Meta", "so|cial": "meta!"})
    files = change_files(change_set(plan_of(BUDGETS), "a" * 64, settings), CLEAN)
    assert sum(name.endswith(".csv") for name in files) == 2
