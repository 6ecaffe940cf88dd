"""From stored tables to a design, a running test and its result; a night killed anywhere leaves one of each."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from weathervane.cli.main import main
from weathervane.connectors.synthetic.media import SpendCut
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import ExperimentDesign, Transition
from weathervane.experiments.upkeep import last_day
from weathervane.store import experiments
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows.approve_experiment import approve_experiment, stop_experiment
from weathervane.workflows.check_experiment import check_experiment
from weathervane.workflows.design_experiment import Wish, design_experiment
from weathervane.workflows.grade_experiment import grade_experiment
from weathervane.workflows.keep_experiments import keep_experiments
from weathervane.workflows.read_experiment import read_experiment
from weathervane.workflows.set_up_tenant import set_up_tenant

pytestmark = pytest.mark.slow

LAST = date(2026, 5, 31)
PLANNED = datetime(2026, 4, 13, 6, tzinfo=UTC)
AFTER = datetime(2026, 6, 1, 6, tzinfo=UTC)
WISH = Wish(weeks=4, treated_share=0.4)


def world(cuts: tuple[SpendCut, ...] = ()) -> World:
    return make_world("sensitive", seed=7, end=LAST, n_days=300, n_geos=12, tenant_id="acme", cuts=cuts)


def stored(root: Path, made: World, until: date = date.max) -> Store:
    store = open_store(root, "acme")
    set_up_tenant(store, made.tenant)
    for table in ("sales", "spend", "weather", "inventory"):
        upsert(store, table, made.tables[table].filter(pl.col("date") < until), AFTER, "export")
    return store


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExperimentDesign, World]:
    """A test drawn from the days before 13 April alone, and the world in which it then really ran."""
    root = tmp_path_factory.mktemp("planned")
    store = stored(root, world(), PLANNED.date())
    design, _ = design_experiment(store, WISH, now=PLANNED, run_id="n-1", seed=3, lifecycle="assigned")
    window = design.test_window
    return root, design, world((SpendCut(design.channel, design.treated_geos, window.start, window.end),))


@pytest.fixture
def ended(planned: tuple[Path, ExperimentDesign, World], tmp_path: Path) -> tuple[Store, ExperimentDesign, World]:
    _, design, made = planned
    store = stored(tmp_path / "state", made)
    experiments.keep_design(store, design)
    return store, design, made


def test_a_design_says_what_it_can_find(planned: tuple[Path, ExperimentDesign, World]) -> None:
    root, design, _ = planned
    assert experiments.design(open_store(root, "acme"), design.experiment_id) == design
    assert design.pre_period.end == PLANNED.date() - timedelta(days=1)
    assert design.power is not None
    assert design.power.mde_rel is not None
    assert design.power.weather_adjusted
    assert design.power.aa_size == pytest.approx(design.alpha, abs=0.06)
    assert design.power.spend_change_abs is not None
    assert design.power.spend_change_abs < 0.0


def test_the_finished_test_is_read_as_it_was_planned(ended: tuple[Store, ExperimentDesign, World]) -> None:
    store, design, made = ended
    result = read_experiment(store, design.experiment_id, now=AFTER, run_id="n-2")
    assert result.departures == ()
    lift = result.lifts[0]
    true = made.truth.lift(design.channel, design.treated_geos, design.test_window.start, last_day(design))
    assert true[1] > 0.03
    assert lift.lift_rel_low is not None
    assert lift.lift_rel_high is not None
    assert lift.lift_rel_low <= true[1] <= lift.lift_rel_high
    assert lift.test == "randomisation"
    assert lift.spend_change_abs is not None
    assert lift.spend_change_abs < 0.0
    assert experiments.result(store, design.experiment_id) == result
    assert experiments.lift_results(store) == ()  # it was never entered as completed
    for state in ("running", "completed"):
        experiments.enter(store, Transition(design.experiment_id, state, "2026-06-01T06:00:00Z", "n-2"))
    assert experiments.lift_results(store) == (lift,)


def test_the_history_before_a_cut_is_the_one_it_was_planned_on(planned: tuple[Path, ExperimentDesign, World]) -> None:
    _, design, made = planned
    before = pl.col("date") < design.test_window.start
    for table in ("sales", "spend"):
        key = ["geo", "date", "category" if table == "sales" else "channel"]
        then, now = (one.tables[table].filter(before).sort(key) for one in (world(), made))
        assert now.equals(then)
    during = pl.col("date").is_between(design.test_window.start, design.test_window.end)
    there = pl.col("geo").is_in(list(design.treated_geos)) & (pl.col("channel") == design.channel)
    assert made.tables["spend"].filter(during & there)["spend"].sum() == 0.0


def test_restated_history_and_open_ends_are_said(ended: tuple[Store, ExperimentDesign, World]) -> None:
    store, design, made = ended
    day = pl.col("date") == date(2026, 1, 15)
    restated = made.tables["sales"].filter(day).drop("known_at").with_columns(pl.col("net_revenue") + 1.0)
    upsert(store, "sales", restated, AFTER, "restated")
    result = read_experiment(store, design.experiment_id, now=AFTER, run_id="n-2")
    assert any("restated" in text for text in result.departures)


def test_a_test_that_is_not_over_is_not_read(planned: tuple[Path, ExperimentDesign, World]) -> None:
    root, design, _ = planned
    with pytest.raises(NotEnoughData, match="needs data up to"):
        read_experiment(open_store(root, "acme"), design.experiment_id, now=PLANNED, run_id="n")


def test_status_warns_of_spend_that_goes_on(planned: tuple[Path, ExperimentDesign, World], tmp_path: Path) -> None:
    _, design, made = planned
    for cut, words in ((False, "still spends"), (True, "")):
        store = stored(tmp_path / str(cut), made if cut else world(), design.test_window.start + timedelta(days=14))
        experiments.keep_design(store, design)
        experiments.enter(store, Transition(design.experiment_id, "running", "2026-04-27T06:00:00Z", "n"))
        (status,) = check_experiment(store)
        assert status.state == "running"
        assert any(words in text for text in status.alarms) if words else "still" not in " ".join(status.alarms)


def test_a_test_nobody_carried_out_teaches_no_model(
    planned: tuple[Path, ExperimentDesign, World], tmp_path: Path
) -> None:
    _, design, _ = planned
    store = stored(tmp_path, world())
    experiments.keep_design(store, design)
    for state in ("running", "completed"):
        experiments.enter(store, Transition(design.experiment_id, state, "2026-06-01T06:00:00Z", "n-2"))
    result = read_experiment(store, design.experiment_id, now=AFTER, run_id="n-2")
    assert "still spends" in result.not_carried_out[0]
    assert result.not_carried_out[0] in result.departures
    assert experiments.lift_results(store) == ()


def test_a_split_of_others_is_graded(planned: tuple[Path, ExperimentDesign, World], tmp_path: Path) -> None:
    root, design, _ = planned
    path = tmp_path / "split.csv"
    rows = [f"{geo},{'treatment' if geo in design.treated_geos else 'control'}" for geo in design.geos]
    path.write_text("geo,group\n" + "\n".join(rows))
    grade = grade_experiment(open_store(root, "acme"), path)
    assert (grade.n_treated, grade.n_control) == (len(design.treated_geos), len(design.control_geos))
    path.write_text("geo,group\nboston-ma,blue\n")
    with pytest.raises(BadInput, match="blue"):
        grade_experiment(open_store(root, "acme"), path)


class _Killed(BaseException):
    """Power is cut: nothing after this line happens, nothing catches it."""


def killing(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Cuts the power at write number `after` of the night, before it happens."""
    writes = 0

    def dying(write: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: object, **options: object) -> object:
            nonlocal writes
            writes += 1
            if writes > after:
                raise _Killed
            return write(*args, **options)

        return run

    for name in ("keep_design", "enter", "keep_result", "log_run"):
        monkeypatch.setattr(experiments, name, dying(getattr(experiments, name)))


def night(store: Store, run_id: str, now: datetime, wish: Wish | None = WISH) -> str:
    return keep_experiments(store, now=now, run_id=run_id, wish=wish, start=True).event


@pytest.mark.parametrize("after", [0, 1])
def test_a_drafting_night_killed_anywhere_leaves_one_assignment(
    planned: tuple[Path, ExperimentDesign, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    store = stored(tmp_path, planned[2], PLANNED.date())
    wish = Wish(with_power=False)
    with monkeypatch.context() as dying:
        killing(dying, after)
        with pytest.raises(_Killed):
            night(store, "nightly-1", PLANNED, wish)
    for _ in range(2):
        assert night(store, "nightly-1", PLANNED, wish) == "holdout_assigned"
    assert night(store, "nightly-2", PLANNED + timedelta(days=1), wish) == "holdout_kept"
    assert len(experiments.designs(store)) == 1
    lines = [(line.run_id, line.event) for line in experiments.runs(store)]
    assert lines == [("nightly-1", "holdout_assigned"), ("nightly-2", "holdout_kept")]


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_reading_night_killed_anywhere_leaves_one_result_and_one_line(
    ended: tuple[Store, ExperimentDesign, World], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    store, design, _ = ended
    with monkeypatch.context() as dying:
        killing(dying, after)
        with pytest.raises(_Killed):
            night(store, "nightly-9", AFTER, None)
    for _ in range(2):
        assert night(store, "nightly-9", AFTER, None) == "holdout_completed"
    assert experiments.state_of(store, design.experiment_id) == "completed"
    assert [line.event for line in experiments.runs(store)] == ["holdout_completed"]
    assert [step.state for step in experiments.transitions(store, design.experiment_id)] == ["running", "completed"]
    assert len(experiments.lift_results(store)) == 1
    assert night(store, "nightly-10", AFTER + timedelta(days=1), None) == "holdout_skipped"


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from weathervane.store import experiments
from weathervane.store.paths import open_store
from weathervane.workflows.design_experiment import Wish
from weathervane.workflows.keep_experiments import keep_experiments

point, seen = int(sys.argv[4]), 0

def here():
    global seen
    if seen == point:
        os.kill(os.getpid(), signal.SIGKILL)
    seen += 1

def deadly(write):
    def run(*args):
        here()
        write(*args)
        here()
    return run

experiments.write_atomically, experiments.append_line = map(
    deadly, (experiments.write_atomically, experiments.append_line)
)
wish = Wish(with_power=False) if sys.argv[3] == "draft" else None
store, now = open_store(Path(sys.argv[1]), "acme"), datetime.fromisoformat(sys.argv[2])
keep_experiments(store, now=now, run_id="nightly-1", wish=wish, start=True)
"""


def killed_night(store: Store, now: datetime, what: str, point: int) -> None:
    """A night in a process of its own that gets a real SIGKILL before or after one of its writes."""
    words = [sys.executable, "-c", KILLED, str(store.root), now.isoformat(), what, str(point)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL


def test_a_night_that_gets_a_real_kill_leaves_one_assignment_and_one_line(
    planned: tuple[Path, ExperimentDesign, World], tmp_path: Path
) -> None:
    fresh = stored(tmp_path / "fresh", planned[2], PLANNED.date())
    for point in range(4):  # before and after the design, before and after the line
        shutil.copytree(fresh.root, tmp_path / str(point))
        store = open_store(tmp_path / str(point), "acme")
        killed_night(store, PLANNED, "draft", point)
        assert night(store, "nightly-1", PLANNED, Wish(with_power=False)) == "holdout_assigned"
        assert len(experiments.designs(store)) == 1
        assert [line.event for line in experiments.runs(store)] == ["holdout_assigned"]
        assert not list(store.root.rglob("*.tmp"))


def test_a_reading_night_that_gets_a_real_kill_leaves_one_result_and_one_line(
    ended: tuple[Store, ExperimentDesign, World], tmp_path: Path
) -> None:
    fresh, design, _ = ended
    for point in (1, 3, 4, 5, 7):  # between the states, around the result, after the line
        shutil.copytree(fresh.root, tmp_path / str(point))
        store = open_store(tmp_path / str(point), "acme")
        killed_night(store, AFTER, "read", point)
        assert night(store, "nightly-1", AFTER, None) == "holdout_completed"
        steps = [step.state for step in experiments.transitions(store, design.experiment_id)]
        assert steps == ["running", "completed"]
        assert [line.event for line in experiments.runs(store)] == ["holdout_completed"]
        assert len(experiments.lift_results(store)) == 1


def test_a_night_only_proposes_until_a_person_approves(
    planned: tuple[Path, ExperimentDesign, World], tmp_path: Path
) -> None:
    store = stored(tmp_path, planned[2], PLANNED.date())
    wish = Wish(with_power=False)
    lines = [
        keep_experiments(store, now=PLANNED + timedelta(days=i), run_id=f"nightly-{i}", wish=wish) for i in range(2)
    ]
    [(design, step)] = experiments.designs(store)
    assert step.state == "draft"
    assert experiments.live_design(store) is None
    assert {(line.event, line.level, line.experiment_id) for line in lines} == {
        ("holdout_skipped", "info", design.experiment_id)
    }
    assert all(f"approve {design.experiment_id}" in (line.reason or "") for line in lines)
    late = datetime.combine(design.test_window.start, datetime.min.time(), UTC)
    with pytest.raises(BadInput, match="was to start"):
        approve_experiment(store, design.experiment_id, now=late, run_id="p")
    assert approve_experiment(store, design.experiment_id, now=PLANNED, run_id="p") == "assigned"
    assert night(store, "nightly-3", PLANNED + timedelta(days=2), wish) == "holdout_kept"
    assert stop_experiment(store, design.experiment_id, "Budget is gone.", now=PLANNED, run_id="p") == "stopped"
    with pytest.raises(BadInput, match="stopped"):
        approve_experiment(store, design.experiment_id, now=PLANNED, run_id="p")


def test_a_proposal_nobody_approved_in_time_makes_room_for_another(
    planned: tuple[Path, ExperimentDesign, World], tmp_path: Path
) -> None:
    store = stored(tmp_path, planned[2], PLANNED.date())
    wish = Wish(with_power=False)
    keep_experiments(store, now=PLANNED, run_id="nightly-1", wish=wish)
    [(design, _)] = experiments.designs(store)
    later = datetime.combine(design.test_window.start, datetime.min.time(), UTC)
    keep_experiments(store, now=later, run_id="nightly-2", wish=wish)
    assert [step.state for _, step in experiments.designs(store)] == ["superseded", "draft"]


def test_a_test_that_cannot_be_read_fails_with_the_reason_and_blocks_no_other(
    ended: tuple[Store, ExperimentDesign, World],
) -> None:
    store, design, made = ended
    treated = pl.col("geo") == design.treated_geos[0]
    day = pl.col("date") == design.test_window.start
    hole = made.tables["sales"].filter(~(treated & day))
    broken = open_store(store.root.parent / "broken", "acme")
    set_up_tenant(broken, made.tenant)
    upsert(broken, "sales", hole, AFTER, "export")
    upsert(broken, "spend", made.tables["spend"], AFTER, "export")
    experiments.keep_design(broken, design)
    days = (0, 1, 13, 14, 15)
    lines = [keep_experiments(broken, now=AFTER + timedelta(days=i), run_id=f"nightly-{i}", wish=None) for i in days]
    assert [line.event for line in lines] == ["holdout_insufficient_geo"] * 4 + ["holdout_skipped"]
    assert experiments.state_of(broken, design.experiment_id) == "failed"
    why = experiments.transitions(broken, design.experiment_id)[-1].reason
    assert design.treated_geos[0] in why
    assert "14 days" in why
    [told] = experiments.payloads(broken)
    assert (told.status, told.lift) == ("failed", None)


def test_a_night_without_enough_places_says_what_is_missing(tmp_path: Path) -> None:
    made = make_world("null", seed=7, end=LAST, n_days=120, n_geos=2, tenant_id="acme")
    store = stored(tmp_path, made)
    line = keep_experiments(store, now=AFTER, run_id="nightly-1", wish=WISH)
    assert (line.event, line.level) == ("holdout_insufficient_geo", "warning")
    assert "bring" in (line.reason or "")


def command(store: Store, *words: str) -> None:
    """Runs a command to its end; main() exits by itself."""
    sys.argv = ["weathervane", "--state", str(store.root), "--tenant", "acme", "experiment", *words]
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)


def test_the_command_line_reads_and_draws(
    ended: tuple[Store, ExperimentDesign, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    store, design, _ = ended
    monkeypatch.setenv("WEATHERVANE_STATE", "")
    monkeypatch.setenv("WEATHERVANE_TENANT", "")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", [])
    command(store, "power")
    assert "8 times in 10" in " ".join(capsys.readouterr().out.split())
    command(store, "read", "--json", "--picture", str(tmp_path / "test.png"))
    found = json.loads(capsys.readouterr().out)
    assert found["experiment_id"] == design.experiment_id
    assert (tmp_path / "test.png").read_bytes().startswith(b"\x89PNG")
    command(store, "status", "--json")
    (status,) = json.loads(capsys.readouterr().out)["experiments"]
    assert status["state"] == "assigned"
    assert status["lifts"][0]["lift_abs"] == found["read_outs"][0]["weather_adjusted"]["result"]["lift_abs"]
    command(store, "status")
    command(store, "read", design.experiment_id)
    assert "Ads on search added" in capsys.readouterr().out
    command(store, "design", "--share", "0.5", "--weeks", "3", "--json")
    assert json.loads(capsys.readouterr().out)["design"]["lifecycle"] == "draft"


def test_a_plan_lists_each_test_with_its_arms_its_spend_and_its_result(
    ended: tuple[Store, ExperimentDesign, World],
) -> None:
    store, design, made = ended
    paid = made.tables["spend"].filter(pl.col("channel") == design.channel)
    during = paid.filter(pl.col("date").is_between(design.test_window.start, design.test_window.end))
    [pending] = experiments.payloads(store)
    assert (pending.status, pending.lift) == ("pending", None)
    assert (pending.treatment_geos, pending.control_geos) == (design.treated_geos, design.control_geos)
    for state in ("running", "completed"):
        experiments.enter(store, Transition(design.experiment_id, state, "2026-06-01T06:00:00Z", "n-2"))
    [unread] = experiments.payloads(store)
    assert (unread.status, unread.lift) == ("completed", None)
    stored = read_experiment(store, design.experiment_id, now=AFTER, run_id="n-2")
    [shown] = experiments.payloads(store)
    assert shown.lift == stored.lifts[0]
    assert (shown.start_date, shown.end_date) == (design.test_window.start, design.test_window.end)
    assert shown.metric_name == "net_revenue"
    assert shown.treatment_spend is not None
    assert shown.treatment_spend.minor == 0  # it was switched off
    control = during.filter(pl.col("geo").is_in(list(design.control_geos)))["spend"].sum()
    assert shown.control_spend is not None
    assert shown.control_spend.major == pytest.approx(control, abs=0.01)
    experiments.keep_result(store, replace(stored, not_carried_out=("search still spends.",)))
    [undone] = experiments.payloads(store)
    assert (undone.status, undone.lift) == ("failed", None)


def test_a_plan_lists_no_drafts(ended: tuple[Store, ExperimentDesign, World], tmp_path: Path) -> None:
    _, design, made = ended
    store = stored(tmp_path / "other", made)
    assert experiments.payloads(store) == ()
    experiments.keep_design(store, replace(design, lifecycle="draft"))
    assert experiments.payloads(store) == ()
