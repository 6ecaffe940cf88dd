"""One fact, one sentence: every command, page and file of one demo is asked for the same facts, and must agree."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from weathervane.api.app import create_app
from weathervane.cli.main import main
from weathervane.contracts.figures import ratio, ratios, share, whole_money
from weathervane.contracts.plan import BudgetPlan
from weathervane.planning.recommend import SAFEST
from weathervane.store import model_registry, results
from weathervane.store.paths import Store, open_store
from weathervane.workflows.run_demo import DemoOptions, run_demo


@dataclass(frozen=True)
class Said:
    """What the product says of one tenant, place by place; texts with single spaces."""

    store: Store
    plan: BudgetPlan
    summary: str
    evidence: str
    rows: list[dict[str, str]]
    by_api: dict[str, dict]
    terminal: dict[str, str]  # command line -> what it printed
    as_json: dict[str, dict]  # command line -> what it printed with --json


READ = ("plan", "forecast", "calibration", "scenario recommend")
LOADED = ("examine", "scenario recommend")  # the others' JSON holds what is stored


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    store = open_store(tmp_path_factory.mktemp("one-fact"), "demo")
    folder = run_demo(store, DemoOptions("sensitive", seed=7, n_days=210, n_geos=4), kind="run", command="test").folder
    terminal, as_json = dict[str, str](), dict[str, dict]()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WEATHERVANE_STATE", "WEATHERVANE_TENANT"):
            patch.setenv(name, "")
        patch.setenv("COLUMNS", "80")
        patch.delenv("DATABASE_URL", raising=False)
        for command in READ:
            terminal[command] = printed(patch, store, command)
        for command in LOADED:
            as_json[command] = json.loads(printed(patch, store, command, "--json", squeezed=False))
    plan = results.latest_plan(store)
    with TestClient(create_app(store.root, None, None), base_url="http://127.0.0.1:8787") as client:
        by_api = {name: client.get(f"/v1/{name}/demo").json() for name in ("plans", "calibration")}
    with (folder / "recommendations.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    summary, evidence = (squeeze((folder / name).read_text("utf-8")) for name in ("SUMMARY.md", "EVIDENCE.md"))
    return Said(store, plan, summary, evidence, rows, by_api, terminal, as_json)


def squeeze(text: str) -> str:
    """The words alone: a terminal breaks lines and draws boxes."""
    return " ".join(text.replace("│", " ").split())


def printed(patch: pytest.MonkeyPatch, store: Store, command: str, *more: str, squeezed: bool = True) -> str:
    """What a command line prints, in this process."""
    words = ["weathervane", "--state", str(store.root), *command.split(), *more]
    patch.setattr(sys, "argv", words)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code, (command, out.getvalue())
    return squeeze(out.getvalue()) if squeezed else out.getvalue()


@pytest.mark.slow
def test_whether_the_forecast_is_calibrated(said: Said) -> None:
    sentence = said.plan.forecast_quality.sentence
    for where in (said.evidence, *(said.terminal[each] for each in ("plan", "forecast", "calibration"))):
        assert sentence in where
    assert said.by_api["calibration"]["status"] == said.plan.forecast_quality.verdict


@pytest.mark.slow
def test_which_test_comes_next_and_what_it_is_worth(said: Said) -> None:
    fit, _ = model_registry.champion(said.store)
    sentence = fit.next_tests[0].sentence
    assert said.as_json["examine"]["next_tests"][0]["sentence"] == sentence
    assert sentence in said.plan.would_change_our_mind
    for where in (said.summary, said.evidence, said.terminal["plan"]):
        assert sentence in where


@pytest.mark.slow
def test_what_each_channel_brought(said: Said) -> None:
    fit, _ = model_registry.champion(said.store)
    parts = {part["name"]: part for part in said.as_json["examine"]["contributions"]["parts"] if part["is_channel"]}
    for known, planned in zip(fit.channels, said.plan.channels, strict=True):
        assert planned == known
        middle, low, high = ratios(known.roi.p50, known.roi_p05, known.roi_p95)
        assert f"{middle} ({low} to {high})" in said.evidence
        assert known.sentence in said.terminal["plan"]
        assert parts[known.channel]["share"]["p50"] == pytest.approx(known.contribution_share.p50, rel=1e-6)


@pytest.mark.slow
def test_what_is_spent_now_and_what_is_planned(said: Said) -> None:
    plan = said.plan
    for name in ("current", "recommended"):
        money = getattr(plan, f"total_{name}")
        assert sum(getattr(line, name).minor for line in plan.lines) == money.minor
        assert said.by_api["plans"][f"total_{name}"] == {"minor": money.minor, "currency": money.currency}
        assert whole_money(money) in said.summary
        assert whole_money(money) in said.evidence
    for sentence in (plan.sentence, plan.reason, plan.now_sentence, plan.total_sentence, plan.model.unseen_sentence):
        assert sentence in said.summary
        assert sentence in said.evidence
    for sentence in (plan.sentence, plan.reason, plan.now_sentence, plan.total_sentence):
        assert sentence in said.terminal["plan"]
    assert len(said.rows) == len(plan.lines)


@pytest.mark.slow
def test_no_command_recommends_what_the_plan_does_not_find_shown(said: Said) -> None:
    names = [each["name"] for each in said.as_json["scenario recommend"]["scenarios"]]
    if said.plan.verdict == "keep":
        assert SAFEST not in names
        assert f"{SAFEST}: the plan found no other split" in said.terminal["scenario recommend"]
        assert said.plan.chance_gain is None
        assert "97 in 100" not in said.plan.reason
    for found in said.as_json["scenario recommend"]["scenarios"]:
        chance = found["result"]["chance_more"]
        assert chance is None or chance <= 0.97


@pytest.mark.slow
def test_how_far_off_the_methods_of_the_forecast_are(said: Said) -> None:
    for score in said.plan.forecast_quality.scores:
        assert f"| {score.method} | {share(score.wape)} |" in said.evidence
        assert f"off by {share(score.wape)}" in said.terminal["forecast"]
    assert f"p {ratio(said.plan.media_signal.p_value)}" in said.evidence
