"""A test that others drew is taken in from their file, kept and read, and what nobody can verify of it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.workflows.tested_tenant import FIRST, LAST, N_DAYS, NOW, keep, outcomes

from weathervane.contracts.experiment_design import ExperimentDesign
from weathervane.store import experiments
from weathervane.store.paths import Store
from weathervane.workflows.keep_experiments import keep_experiments

Command = Callable[..., tuple[int, str]]
TREATED = ("geo-01", "geo-04", "geo-07")
START = LAST - timedelta(days=34)  # four weeks, a week to cool down
WORDS = ("--channel", "search", "--start", str(START), "--end", str(START + timedelta(days=27)))


def tenant(root: Path) -> Store:
    sales = outcomes()
    sales[[1, 4, 7], N_DAYS - 35 :] /= 1.2  # ads brought a fifth
    return keep(root, sales, dark=(1, 4, 7))


def split_csv(folder: Path) -> Path:
    path = folder / "split.csv"
    rows = [f"geo-{g:02d},{'treatment' if f'geo-{g:02d}' in TREATED else 'control'}" for g in range(10)]
    path.write_text("geo,group\n" + "\n".join(rows))
    return path


def long_csv(folder: Path) -> Path:
    path = folder / "long.csv"
    rows = [
        f"geo-{g:02d},{FIRST + timedelta(days=t)},{int(f'geo-{g:02d}' in TREATED and t >= N_DAYS - 35)}"
        for g in range(10)
        for t in range(N_DAYS)
    ]
    path.write_text("location,date,treated\n" + "\n".join(rows))
    return path


def geox_json(folder: Path) -> Path:
    path = folder / "design.json"
    cell = {"treatment_geos": list(TREATED), "minimum_detectable_effect": 0.05, "budget": 1000.0}
    control = [f"geo-{g:02d}" for g in range(10) if f"geo-{g:02d}" not in TREATED]
    config = {"alpha": 0.1, "experiment_duration": "P28D", "experiment_types": {"cell_1": 2}, "seed": 4}
    path.write_text(json.dumps({"designs": {"cell_1": cell}, "control_geos": control, "design_config": config}))
    return path


def only(store: Store) -> tuple[ExperimentDesign, str]:
    [(design, step)] = experiments.designs(store)
    return design, step.state


@pytest.mark.parametrize("file", [split_csv, long_csv, geox_json])
def test_a_running_test_is_taken_in_kept_and_read(
    file: Callable[[Path], Path],
    tmp_path: Path,
    command: Command,
) -> None:
    store = tenant(tmp_path / "state")
    words = WORDS[:4] if file is geox_json else WORDS
    code, said = command(store, "import", str(file(tmp_path)), *words, "--declared", "by hand")
    assert code == 0, said
    assert "No randomisation test is possible" in said
    design, state = only(store)
    assert (design.method, design.seed, design.test, state) == ("imported", None, "block_conformal", "running")
    assert design.treated_geos == TREATED
    assert (design.test_window.start, design.test_window.n_days) == (START, 28)
    assert design.pre_period.end == START - timedelta(days=1)
    line = keep_experiments(store, now=NOW, run_id="nightly-1", wish=None)
    assert line.event == "holdout_completed", line.reason
    stored = experiments.result(store, design.experiment_id)
    assert stored is not None
    [lift] = stored.lifts
    assert lift.lift_rel_low is not None
    assert lift.lift_rel_high is not None
    assert lift.lift_rel_low <= 0.2 <= lift.lift_rel_high
    assert any("by hand" in text for text in stored.departures)
    assert any("no plan was frozen" in text for text in stored.departures)
    assert any("assignment set is not known" in text for text in lift.caveats)
    assert stored.not_carried_out == ()
    code, said = command(store, "read", "--picture", str(tmp_path / "p.png"))
    assert (code, "Ads on search added" in said) == (0, True)


BAD: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no group": ("geo,blue\ngeo-01,1\n", WORDS, "no column 'group'"),
    "no control": ("geo,group\ngeo-01,treatment\n", WORDS, "an arm without geos"),
    "unknown arm": ("geo,group\ngeo-01,blue\ngeo-02,control\n", WORDS, "'blue'"),
    "two arms": ("geo,group,cell\ngeo-01,1,a\ngeo-01,1,b\ngeo-02,0,\n", WORDS, "two arms"),
    "unknown geo": ("geo,group\natlantis,1\ngeo-02,0\n", WORDS, "atlantis"),
    "not csv": ("", WORDS, "not a readable CSV file"),
    "unknown channel": ("geo,group\ngeo-01,1\ngeo-02,0\n", ("--channel", "tv", *WORDS[2:]), "no spend on 'tv'"),
    "no end": ("geo,group\ngeo-01,1\ngeo-02,0\n", WORDS[:4], "how long the test lasts"),
    "no history": (
        "geo,group\ngeo-01,1\ngeo-02,0\n",
        ("--channel", "search", "--start", str(FIRST + timedelta(days=10)), "--end", str(LAST)),
        "10 days of sales before it",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_file_is_refused_and_nothing_is_written(
    case: str,
    tmp_path: Path,
    command: Command,
) -> None:
    store = tenant(tmp_path / "state")
    content, words, said_of_it = BAD[case]
    path = tmp_path / "split.csv"
    path.write_text(content)
    code, said = command(store, "import", str(path), *words)
    assert code != 0
    assert said_of_it in said
    assert experiments.designs(store) == []
    assert not list(store.geo_holdouts.glob("*.json"))


def test_a_place_that_closes_or_loses_days_is_told_while_the_test_runs_and_when_it_is_read(
    tmp_path: Path, command: Command
) -> None:
    sales = outcomes()
    sales[[1, 4, 7], N_DAYS - 35 :] /= 1.2
    sales[4, N_DAYS - 30 : N_DAYS - 24] = 0.0
    lost = tuple((7, N_DAYS - 20 + i) for i in range(3))
    store = keep(tmp_path / "state", sales, dark=(1, 4, 7), gone=lost)
    assert command(store, "import", str(split_csv(tmp_path)), *WORDS)[0] == 0
    design, _ = only(store)
    days = [str(FIRST + timedelta(days=N_DAYS - ago)) for ago in (20, 18, 30, 25)]
    missing = f"geo-07 has no sales rows for {days[0]} to {days[1]} (3 days)"
    closed = f"geo-04 sold nothing on {days[2]} to {days[3]} (6 days)"
    way_out = f"`weathervane experiment read {design.experiment_id} --without geo-07`"
    code, said = command(store, "status")
    assert code == 0
    assert all(words in said for words in (missing, closed, way_out)), said
    code, said = command(store, "read")
    assert (code, f"{days[0]} to {days[1]} (3 days)" in said, way_out in said) == (3, True, True), said
    code, said = command(store, "read", "--without", "geo-07")
    assert code == 0, said
    assert closed in said
    assert "This result leaves geo-04 out" in said
    assert "with geo-04 in" in said


def test_it_may_not_overlap_another_test(tmp_path: Path, command: Command) -> None:
    store = tenant(tmp_path / "state")
    assert command(store, "import", str(split_csv(tmp_path)), *WORDS)[0] == 0
    code, said = command(store, "import", str(split_csv(tmp_path)), *WORDS)
    assert (code != 0, "overlap" in said) == (True, True)
    assert f"experiment stop {only(store)[0].experiment_id}" in said
    assert len(experiments.designs(store)) == 1
