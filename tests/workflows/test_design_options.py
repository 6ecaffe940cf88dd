"""Every way to a design that the command line offers, from the question to the places in a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.workflows.tested_tenant import LAST, N_DAYS, NOW, keep, outcomes

from weathervane.contracts.experiment_design import ExperimentDesign
from weathervane.contracts.period import Period
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.design_experiment import Wish, design_experiment

Command = Callable[..., tuple[int, str]]


def designed(store: Store, command: Command, *words: str) -> tuple[ExperimentDesign, str]:
    code, said = command(store, "design", "--weeks", "2", "--cooldown", "0", *words)
    assert code == 0, said
    [(design, _)] = experiments.designs(store)
    return design, said


def test_places_chosen_by_a_model_are_read_with_the_choice_paid_for(tmp_path: Path, command: Command) -> None:
    window = Period(LAST - timedelta(days=20), LAST - timedelta(days=7))
    planned = keep(tmp_path / "planned", outcomes()[:, : N_DAYS - 21])
    wish = Wish(window=window, treated_share=0.3, method="selected", cooldown_days=0)
    made, _ = design_experiment(planned, wish, now=NOW - timedelta(days=28), run_id="r", seed=1, lifecycle="assigned")
    assert made.power is not None
    assert made.power.n_windows == len(made.choices) == 60
    store = keep(tmp_path / "state", outcomes())
    experiments.keep_design(store, made)
    code, said = command(store, "read", "--picture", str(tmp_path / "p.png"))
    assert code == 0, said
    assert "chosen by a model" in said
    stored = experiments.result(store, made.experiment_id)
    assert stored is not None
    assert stored.departures == stored.not_carried_out
    assert stored.lifts[0].p_floor == pytest.approx(1 / 61)
    assert stored.lifts[0].p_value > 0.1


def test_a_model_may_choose_at_the_door(tmp_path: Path, command: Command) -> None:
    design, said = designed(keep(tmp_path, outcomes()), command, "--method", "selected")
    assert design.method == "selected"
    assert "A model chose them" in said


def test_cells_share_a_control(tmp_path: Path, command: Command) -> None:
    words = ("--cell", "low=search:heavy_up:0.3", "--cell", "high=search:heavy_up:0.3")
    design, _ = designed(keep(tmp_path, outcomes()), command, *words)
    assert [(one.name, one.kind, one.channel) for one in design.cells] == [
        ("low", "heavy_up", "search"),
        ("high", "heavy_up", "search"),
    ]
    assert (len(design.geos_of("low")), len(design.geos_of("high")), len(design.control_geos)) == (3, 3, 4)
    code, said = command(keep(tmp_path / "b", outcomes()), "design", "--cell", "low=search:heavy_up")
    assert (code != 0, "is not a valid cell" in said) == (True, True)
    code, said = command(keep(tmp_path / "c", outcomes()), "design", "--cell", "low=radio:heavy_up:0.3")
    assert (code != 0, "no spend on 'radio'" in said) == (True, True)


def test_neighbours_share_an_arm_or_one_leaves(tmp_path: Path, command: Command) -> None:
    design, _ = designed(keep(tmp_path / "a", outcomes(12)), command, "--neighbours", "geo-00+geo-01")
    arms = {one.geo: one.cell for one in design.assignment}
    assert arms["geo-00"] == arms["geo-01"]
    words = ("--neighbours", "geo-00+geo-01", "--drop-neighbours")
    design, _ = designed(keep(tmp_path / "b", outcomes(12)), command, *words)
    assert len({"geo-00", "geo-01"} & set(design.geos)) == 1
    code, said = command(keep(tmp_path / "c", outcomes()), "design", "--neighbours", "geo-00")
    assert (code != 0, "not two neighbours" in said) == (True, True)


def test_arms_hold_their_share_of_the_people(tmp_path: Path, command: Command) -> None:
    people = 1000.0 * (1.0 + np.arange(12) % 4)
    people[:2] = 6000.0
    file = tmp_path / "people.csv"
    file.write_text("geo,population\n" + "".join(f"geo-{g:02d},{n:g}\n" for g, n in enumerate(people)))
    words = ("--population", str(file), "--share", "0.5")
    design, _ = designed(keep(tmp_path / "a", outcomes(12)), command, *words)
    share = sum(people[int(geo[4:])] for geo in design.treated_geos) / people.sum()
    assert share == pytest.approx(0.5, abs=0.05)
    file.write_text("geo,population\ngeo-00,\n")
    code, said = command(keep(tmp_path / "b", outcomes()), "design", "--population", str(file))
    assert (code != 0, "one positive count" in said) == (True, True)


def test_the_estimator_is_the_one_asked_for(tmp_path: Path, command: Command) -> None:
    design, _ = designed(keep(tmp_path / "a", outcomes()), command, "--estimator", "difference_in_differences")
    assert design.estimator == "difference_in_differences"
    code, said = command(keep(tmp_path / "b", outcomes()), "design", "--estimator", "magic")
    assert (code != 0, "no estimator 'magic'" in said) == (True, True)


def test_trimmed_match_is_designed_in_pairs_foretold_and_refused_without_them(tmp_path: Path, command: Command) -> None:
    design, said = designed(
        keep(tmp_path / "a", outcomes(12)), command, "--method", "paired", "--estimator", "trimmed_match"
    )
    assert (design.estimator, design.test, len(design.treated_geos)) == ("trimmed_match", "trimmed_t", 6)
    assert design.power is not None
    assert design.power.mde_rel is not None
    assert "It finds an effect of" in said
    code, said = command(keep(tmp_path / "b", outcomes(12)), "design", "--estimator", "trimmed_match")
    assert (code, "--method paired" in said) == (2, True), said
    words = ("--method", "paired", "--estimator", "trimmed_match")
    code, said = command(keep(tmp_path / "c", outcomes(8)), "design", *words)
    assert (code, "needs 5 pairs" in said) == (3, True), said


def test_whatever_the_screen_finds_is_told(tmp_path: Path, command: Command) -> None:
    sales = outcomes()
    sales[2, 40] *= 9.0
    sales[4, 50] = -3.0
    _, said = designed(keep(tmp_path, sales), command)
    assert "Unusual in the data: outlier days, 2 found" in said
    assert "geo-02" in said
    assert "Unusual in the data: negative, 1 found in geo-04" in said


def test_the_places_leave_as_a_file_that_can_be_graded(tmp_path: Path, command: Command) -> None:
    store = keep(tmp_path / "state", outcomes())
    design, _ = designed(store, command)
    assert command(store, "export", str(tmp_path / "places.csv"))[0] == 0
    with (tmp_path / "places.csv").open(encoding="utf-8-sig") as file:
        rows = {row["geo"]: row["group"] for row in csv.DictReader(file)}
    assert {geo for geo, group in rows.items() if group == "treatment"} == set(design.treated_geos)
    assert command(store, "export", str(tmp_path / "places.json"), "--experiment", design.experiment_id)[0] == 0
    assert json.loads((tmp_path / "places.json").read_text())["control_geos"] == list(design.control_geos)
    for name in ("places.csv", "places.json"):
        code, said = command(store, "grade", str(tmp_path / name))
        assert code == 0, said
        assert f"{len(design.treated_geos)} treated, {len(design.control_geos)} control places" in said
    code, said = command(store, "export", str(tmp_path / "places.xls"))
    assert (code != 0, "neither a .csv nor a .json" in said) == (True, True)
