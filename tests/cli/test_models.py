"""`weathervane models` as a user meets it, and what `train` refuses before it looks at any data."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))

from store_documents import tenant
from test_registry_and_events import curves, record, register, report

from weathervane.contracts.fit import FitCost, GroupChannel, GroupEvidence
from weathervane.contracts.forecast import Quantiles
from weathervane.store import model_registry, results
from weathervane.store.event_log import events
from weathervane.store.paths import Store, open_store

Cli = Callable[..., "Answer"]  # noqa: F821  see conftest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(tmp_path / "state", "acme")
    results.keep_tenant(made, tenant())
    return made


def test_no_model_yet_says_what_to_do(cli: Cli, store: Store) -> None:
    answer = cli("models")
    assert (answer.code, "weathervane train" in answer.out) == (0, True)


def test_models_are_listed_promoted_and_taken_back(cli: Cli, store: Store) -> None:
    register(store, "m-1")
    register(store, "m-2")
    register(store, "m-3", rhat_max=1.2)
    shown = cli("models")
    assert shown.code == 0
    for words in ("m-1", "m-2", "m-3", "retired", "champion", "candidate", "Its draws are in doubt", "days"):
        assert words in shown.out, words
    listed = json.loads(cli("models", "--json").out)["models"]
    assert {each["model_id"]: each["status"] for each in listed} == {
        "m-1": "retired", "m-2": "champion", "m-3": "candidate"
    }  # fmt: skip
    assert all(each["age_days"] > 0 and each["data_hashes"] for each in listed)
    for model_id in ("m-1", "m-2"):
        assert cli("models", "promote", model_id, "--reason", "a board decision").code == 0
        assert model_registry.champion(store)[0].model_id == model_id
    assert [event.kind for event in events(store)] == ["model.promoted"] * 2
    unknown = cli("models", "promote", "m-9", "--reason", "why not")
    assert (unknown.code, "m-9" in unknown.err) == (4, True)
    assert cli("models", "promote", "m-1").code == 2


def test_categories_fitted_beside_the_total_are_listed_and_come_back(cli: Cli, store: Store) -> None:
    middle = Quantiles(0.5, 1.0, 1.5)
    paid = GroupChannel("search", middle, 0.4, 1.6, middle, Quantiles(0.01, 0.02, 0.03), told_from_zero=True)
    free = GroupChannel("mail", None, None, None, None, Quantiles(0.0, 0.01, 0.02), told_from_zero=False)
    coats = GroupEvidence("coats", 0.4, (paid, free), 1.004, 600.0, "Coats (40 % of sales): …")
    expected = FitCost(2, 104, 7, 2, 1, 30.0, 0.7e9)
    known = replace(report(), groups=(coats,), expected=expected)
    model_registry.register(store, known, curves(), record(), b"posterior")
    assert model_registry.champion(store)[0] == known
    assert "By category too: coats." in cli("models").out
    (listed,) = json.loads(cli("models", "--json").out)["models"]
    assert [each["channel"] for each in listed["groups"][0]["channels"]] == ["search", "mail"]


@pytest.mark.parametrize("option", ["--engine", "--lightweight-model"])
def test_an_engine_that_is_not_there_is_refused_by_name(cli: Cli, store: Store, option: str) -> None:
    answer = cli("train", option, "bayes")
    assert (answer.code, "'bayes'" in answer.err, "adstock" in answer.err or "lightweight" in answer.err) == (
        2, True, True
    )  # fmt: skip


def test_lightweight_with_a_priors_file_is_refused(cli: Cli, store: Store, tmp_path: Path) -> None:
    priors = tmp_path / "priors.yaml"
    priors.write_text("default:\n  roi: {mean: 2.0, sd: 1.0}\n")
    answer = cli("train", "--engine", "lightweight", "--priors", priors)
    assert (answer.code, "priors" in answer.err) == (2, True)
