"""Scenarios, triggers, automation and pushes at the terminal: what is typed, what is said, what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest
from tests.workflows.small_tenant import small_tenant

from weathervane.cli.automation import change_window
from weathervane.cli.scenario import read_levers
from weathervane.contracts.automation import ChangeWindow
from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, PlanAim
from weathervane.contracts.scenario import Scenario
from weathervane.store.paths import Store

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, BudgetPlan]:
    return small_tenant(tmp_path_factory.mktemp("made") / "state")


@pytest.fixture
def plan(made: tuple[Store, BudgetPlan], tmp_path: Path) -> BudgetPlan:
    """A tenant with a plan, in the state folder of the command line."""
    shutil.copytree(made[0].root, tmp_path / "state")
    return made[1]


def test_levers_are_read_as_typed() -> None:
    assert read_levers([], "USD") == Scenario()
    words = [
        "channel:search=1.2",
        "geo:new-york=0.9",
        "total=50000",
        "replay=2025-07-01",
        "promotion=off",
        "roas_floor=1.5",
    ]
    assert read_levers(words, "USD") == Scenario(
        total=Money(50_000_00, "USD"),
        channel_multipliers={"search": 1.2},
        geo_tilt={"new-york": 0.9},
        weather="replay",
        replay_start=date(2025, 7, 1),
        promotion="off",
        roas_floor=1.5,
    )
    assert read_levers(["goal=profit", "margin=0.4", "risk=cvar"], "USD").aim == PlanAim("profit", "cvar", 0.4)
    assert read_levers(["target=1000"], "USD").aim == PlanAim("target", target=1000.0)
    assert read_levers(["channel:total=2"], "USD").channel_multipliers == {"total": 2.0}, "names cannot clash"


@pytest.mark.parametrize(
    "word",
    ["search=1.2", "channel:=1.2", "shop:search=1", "channel:search", "channel:search=", "channel:search=high",
     "channel:search=nan", "weather=hot", "risk=none", "replay=July", "total=much", "goal=profit"],
)  # fmt: skip
def test_what_is_no_lever_is_refused(word: str) -> None:
    with pytest.raises(BadInput):
        read_levers([word], "USD")
    with pytest.raises(BadInput, match="given twice"):
        read_levers(["channel:a=1", "channel:a=2"], "USD")


def test_change_windows_are_read_as_typed() -> None:
    assert change_window("mon-fri 09:00-17:00") == ChangeWindow(time(9), time(17))
    assert change_window("Sat 10:30-12:00") == ChangeWindow(time(10, 30), time(12), (5,))
    for odd in ("", "mon", "fri-mon 09:00-17:00", "mon 9-17-18", "mon 17:00-09:00", "holiday 09:00-17:00"):
        with pytest.raises(BadInput):
            change_window(odd)


def test_a_scenario_from_running_to_removing(cli: Cli, plan: BudgetPlan) -> None:
    shown = cli("scenario", "run", "channel:search=1.1", "promotion=on")
    assert (shown.code, "search" in shown.out, "promotions" in shown.out) == (0, True, True)
    saved = json.loads(
        cli("scenario", "save", "More", "--by", "Ada", "channel:search=1.1", "--tag", "q4", "--json").out
    )
    assert (saved["version"], saved["tags"], saved["result"]["plan_id"]) == (1, ["q4"], plan.plan_id)
    name = saved["scenario_id"]
    assert json.loads(cli("scenario", "save", "Most", "--by", "Ada", "--id", name, "--json").out)["version"] == 2
    assert "Most" in cli("scenario", "list").out
    assert cli("scenario", "show", name).code == 0
    assert len(json.loads(cli("scenario", "compare", name, "--json").out)["scenarios"]) == 1
    assert cli("scenario", "delete", name, "--by", "Ada").code == 0
    assert cli("scenario", "show", name).code == 4
    assert "No scenario is kept yet" in cli("scenario", "list").out
    assert cli("scenario", "show", "../x").code == 2
    assert cli("scenario", "recommend", "--margin", "0.5").code == 0


def test_a_plan_is_approved_and_pushed_into_files(cli: Cli, plan: BudgetPlan) -> None:
    first = cli("plan", "push")
    assert (first.code, "No ad platform was changed" in first.out) == (0, True)
    assert "✗ consent: Consent to write to ad platforms is pending." in first.out
    assert cli("plan", "approve", plan.plan_id, "--by", "Ada").code == 0
    assert cli("plan", "approve", "plan-x", "--by", "Ada").code == 4
    set_ = cli(
        "automation", "set", "--by", "Ada", "--mode", "assist", "--window", "mon-sun 00:00-23:59", "--push-cap", "3"
    )
    assert (set_.code, "Mode assist, consent pending." in set_.out) == (0, True)
    assert cli("automation", "grant", "--by", "Ada").code == 0
    push = json.loads(cli("plan", "push", plan.plan_id, "--json").out)
    assert push["written"] is False
    gates = {gate["name"]: gate["open"] for gate in push["preflight"]["gates"]}
    assert {name: is_open for name, is_open in gates.items() if name != "window"} == {
        "mode": True,
        "consent": True,
        "cap": True,
        "approval": True,
    }
    assert [one["version"] for one in json.loads(cli("automation", "history", "--json").out)["versions"]] == [1, 2]
    assert cli("automation", "revoke", "--by", "Ada").code == 0
    assert "consent revoked" in cli("automation", "show").out
    for wrong in (("--mode", "fast"), ("--push-cap", "0"), ("--max-daily-change", "0"), ("--window", "mon 5")):
        assert cli("automation", "set", "--by", "Ada", *wrong).code == 2


def test_planning_is_still_one_word(cli: Cli, plan: BudgetPlan) -> None:
    answer = cli("plan", "--json", "--max-change", "0.15")
    assert answer.code == 0
    assert json.loads(answer.out)["period"]


def test_a_trigger_without_weather_says_so(cli: Cli, plan: BudgetPlan) -> None:
    odd = cli("trigger", "rain > 3", "--channel", "search", "--amount", "10", "--geo", "miami")
    assert (odd.code, "'rain' at character 1" in odd.err) == (2, True)
    none = cli("trigger", "precip_mm > 3", "--channel", "search", "--amount", "10", "--geo", "miami")
    assert (none.code, "No weather is stored" in none.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("experiment", "design", "--kind", "pause"), ("no kind of test 'pause'", "go_dark")),
        (("experiment", "design", "--method", "imported"), ("'imported'", "supergeo")),
        (("experiment", "design", "--estimator", "episode_differences"), ("'episode_differences'", "synthetic_did")),
        (("experiment", "nightly", "always"), ("'always'", "off, propose, start")),
        (("automation", "set", "--by", "Ada", "--mode", "full"), ("no mode 'full'", "manual, assist, autopilot")),
        (("scenario", "run", "weather=snow"), ("no weather 'snow'", "forecast, normal, warm, wet, replay")),
    ],
)
def test_a_word_that_is_no_choice_is_answered_with_those_there_are(
    cli: Cli, plan: BudgetPlan, words: tuple[str, ...], says: tuple[str, ...]
) -> None:
    answer = cli(*words)
    assert answer.code == 2
    assert all(text in answer.err for text in says), answer.err
