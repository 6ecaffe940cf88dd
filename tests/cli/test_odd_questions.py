"""What people type by mistake or to see what happens: refused with what to do next, or answered as it was meant."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.workflows.small_tenant import NOW, small_tenant

from weathervane.contracts.choice import nearest_names
from weathervane.contracts.plan import BudgetPlan
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, BudgetPlan]:
    return small_tenant(tmp_path_factory.mktemp("made") / "state")


@pytest.fixture
def plan(made: tuple[Store, BudgetPlan], tmp_path: Path) -> BudgetPlan:
    shutil.copytree(made[0].root, tmp_path / "state")
    return made[1]


@pytest.fixture
def spent(plan: BudgetPlan, tmp_path: Path) -> Store:
    """The tenant with a day of spend on each channel."""
    store = open_store(tmp_path / "state", plan.tenant_id)
    days = [date(2026, 11, 1) + timedelta(days=i) for i in range(7)]
    rows = [
        {"geo": geo, "date": day, "channel": channel, "spend": 10.0}
        for geo in ("chicago", "dallas", "miami")
        for channel in ("search", "social")
        for day in days
    ]
    upsert(store, "spend", pl.DataFrame(rows), NOW, "export")
    return store


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--total", "inf"),
        ("plan", "--total", "nan"),
        ("plan", "--total", "-1"),
        ("plan", "--margin", "inf"),
        ("plan", "--margin", "-0.4"),
        ("plan", "--margin", "5"),
        ("scenario", "run", "total=inf"),
        ("scenario", "run", "total=nan"),
        ("scenario", "run", "total=1e12"),
        ("scenario", "run", "goal=profit", "margin=-1"),
        ("scenario", "run", "goal=profit", "margin=5"),
        ("scenario", "run", "goal=profit", "margin=inf"),
        ("scenario", "run", "goal=target", "target=-5"),
        ("scenario", "run", "goal=target", "target=nan"),
        ("scenario", "run", "goal=return_floor"),
        ("scenario", "recommend", "--margin", "nan"),
        ("scenario", "recommend", "--margin", "5"),
        ("automation", "set", "--by", "Ada", "--min-daily-spend", "inf"),
        ("trigger", "temp_mean_c > 5", "--channel", "search", "--amount", "inf", "--geo", "miami"),
        ("trigger", "temp_mean_c > 5", "--channel", "search", "--amount", "nan", "--geo", "miami"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_in_words(cli: Cli, plan: BudgetPlan, words: tuple[str, ...]) -> None:
    answer = cli(*words)
    assert answer.code == 2
    assert "defect" not in answer.err + answer.out
    assert "Traceback" not in answer.err + answer.out


def test_a_total_out_of_reach_says_which_totals_are(cli: Cli, plan: BudgetPlan) -> None:
    now = plan.total_current.major
    for total in (1.2 * now, 0.5 * now, 100):
        answer = cli("plan", "--total", str(total))
        said = " ".join((answer.err + answer.out).split())
        assert answer.code == 6
        assert "the total can lie from $51,000 to $69,000" in said, said
    assert cli("plan", "--total", "69000").code == 0


def test_at_the_end_of_the_limits_nothing_is_left_to_choose_and_that_is_what_is_said(
    cli: Cli, plan: BudgetPlan
) -> None:
    answer = cli("plan", "--total", "68999")
    said = " ".join(answer.out.replace("│", " ").split())
    assert "every line is at the end of what the limits allow" in said
    assert "No other split of this total is shown" not in said


@pytest.mark.parametrize("lever", ["channel:search=1.0", "geo:miami=1"])
def test_a_factor_of_one_beside_a_goal_holds_what_it_names(cli: Cli, plan: BudgetPlan, lever: str) -> None:
    import json

    answer = cli("scenario", "run", "goal=profit", "margin=0.4", lever, "--json")
    name = lever.partition(":")[2].partition("=")[0]
    cells = [cell for cell in json.loads(answer.out)["cells"] if name in (cell["geo"], cell["channel"])]
    assert cells
    assert all(cell["budget"] == cell["planned"] for cell in cells)


def test_a_scenario_for_profit_says_the_profit_first_and_one_for_a_target_what_it_reaches(
    cli: Cli, plan: BudgetPlan
) -> None:
    lines = cli("scenario", "run", "goal=profit", "margin=0.4").out.splitlines()
    assert lines[1].startswith("Profit at a margin of 40 %, against the plan: most likely +$")
    lines = cli("scenario", "run", "goal=target", "target=60000").out.splitlines()
    assert lines[1].startswith("Outcome reached: most likely $")
    assert lines[1].endswith("you asked for 60,000.")
    assert "Profit at a margin of 40 %" in cli("scenario", "recommend", "--margin", "0.4").out


def test_a_scenario_that_changes_nothing_is_the_same_and_has_no_chance(cli: Cli, plan: BudgetPlan) -> None:
    for levers in ((), ("replay=2019-07-01",)):
        out = cli("scenario", "run", *levers).out
        assert "No budget differs from the plan's" in out
        assert " in 20" not in out


def test_unknown_names_are_answered_with_the_nearest(cli: Cli, spent: Store) -> None:
    for words in (
        ("scenario", "run", "geo:miami-fl=0.9"),
        ("scenario", "run", "channel:serch=0.9"),
        ("trigger", "temp_mean_c > 5", "--channel", "serch", "--multiplier", "1.5", "--geo", "miami"),
        ("automation", "set", "--by", "Ada", "--platform", "serch=google_ads"),
    ):
        answer = cli(*words)
        wanted = "miami" if "geo:miami-fl=0.9" in words else "search"
        assert answer.code == 2
        assert f"choose one of {wanted}" in " ".join(answer.err.split()).lower(), answer.err
    names = [f"{city}-xx" for city in ("atlanta", "austin", "boston", "denver", "houston", "miami", "orlando")]
    assert nearest_names("miami", names)[0] == "miami-xx"


def test_a_trigger_says_what_it_does_and_what_is_missing(cli: Cli, spent: Store) -> None:
    asked = ("trigger", "temp_mean_c > 5", "--channel", "search", "--multiplier")
    assert "No weather is stored." in cli(*asked, "1.5").err
    answer = cli(*asked, "1", "--geo", "miami")
    assert (answer.code, "changes nothing" in answer.err) == (2, True)
    answer = cli("trigger", "temp_mean_c > 5 for 0 days", "--channel", "search", "--multiplier", "2", "--geo", "miami")
    assert "A rule cannot hold for 0 days." in answer.err


def test_nobody_removes_approves_or_decides(cli: Cli, plan: BudgetPlan) -> None:
    saved = cli("scenario", "save", "One", "--by", "Ada", "channel:search=1.1").out.split("Kept as ")[1].split(",")[0]
    assert cli("scenario", "delete", saved, "--by", "").code == 2
    assert cli("scenario", "delete", saved, "--by", "  ").code == 2
    assert cli("plan", "approve", plan.plan_id, "--by", " ").code == 2
    twice = cli("scenario", "compare", saved, saved)
    assert (twice.code, f"The scenario {saved} is named twice." in twice.err) == (2, True)
    assert cli("scenario", "delete", saved, "--by", "Ada").code == 0


def test_the_history_of_settings_says_what_changed(cli: Cli, plan: BudgetPlan) -> None:
    cli("automation", "set", "--by", "Ada", "--mode", "assist")
    cli("automation", "set", "--by", "Bob", "--max-daily-change", "0.1", "--platform", "search=google_ads")
    first, second = cli("automation", "history").out.splitlines()[:2]
    assert "Ada: changed mode from manual to assist." in first
    assert "max daily change from 0.15 to 0.1" in second
    assert "platform of search from none to google_ads" in second


def test_a_tenant_without_anything_is_answered_too(cli: Cli, tmp_path: Path) -> None:
    results.keep_tenant(open_store(tmp_path / "state", "acme"), Tenant("acme", "Acme", "USD", demo=False))
    answer = cli("trigger", "temp_mean_c > 5", "--channel", "search", "--amount", "5")
    assert "No weather is stored." in answer.err
