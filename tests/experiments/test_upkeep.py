"""A night keeps what is live, reads what has ended, and drafts only where nothing is under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.experiments.designs import drafted, made_panel

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import State
from weathervane.experiments.upkeep import Decision, Standing, decide, experiment_id, last_day, log_line, next_windows

DESIGN = drafted(made_panel(12))
START, END = DESIGN.test_window.start, last_day(DESIGN)
DAY = timedelta(days=1)


def night(
    *standings: Standing, run: str = "nightly-9", today: date = START, until: date | None = START, wanted: bool = True
) -> Decision:
    return decide(standings, run_id=run, today=today, data_until=until, wanted=wanted)


def standing(state: State, run: str = "nightly-1", has_result: bool = False) -> Standing:
    return Standing(replace(DESIGN, lifecycle="assigned"), state, run, has_result)


def test_nothing_live_drafts_one() -> None:
    assert (night().todo, night().event) == ("draft", "holdout_assigned")
    for state in ("draft", "stopped", "failed", "superseded"):
        assert night(standing(state)).todo == "draft"  # type: ignore[arg-type]
    assert night(standing("completed", has_result=True)).todo == "draft"


def test_a_proposal_waits_for_a_person_until_its_window_begins() -> None:
    waits = night(standing("draft"), today=START - DAY)
    assert (waits.todo, waits.event, waits.moves) == ("keep", "holdout_skipped", ())
    assert f"approve {DESIGN.experiment_id}" in waits.reason
    late = night(standing("draft"), today=START)
    assert [(move.state, late.todo) for move in late.moves] == [("superseded", "draft")]
    assert night(standing("draft"), today=START - DAY, wanted=False).event == "holdout_skipped"


def test_a_test_that_cannot_be_read_is_tried_for_two_weeks() -> None:
    ended = replace(standing("completed"), since=END)
    assert not night(ended, today=END + 13 * DAY).last_try
    assert night(ended, today=END + 14 * DAY).last_try
    assert night(standing("failed"), today=END + 15 * DAY).todo == "draft"


def test_without_orders_or_wish_it_says_so() -> None:
    assert (night(until=None).event, "no_orders" in night(until=None).reason) == ("holdout_skipped", True)
    assert night(wanted=False).event == "holdout_skipped"


def test_a_live_assignment_is_kept_and_starts_on_its_day() -> None:
    before = night(standing("assigned"), today=START - DAY)
    assert (before.todo, before.event, before.moves) == ("keep", "holdout_kept", ())
    on_the_day = night(standing("assigned"), today=START)
    assert [move.state for move in on_the_day.moves] == ["running"]
    assert on_the_day.event == "holdout_kept"
    assert str(END) in on_the_day.reason


def test_a_run_repeated_after_a_kill_says_the_same() -> None:
    mine = night(standing("assigned"), run=DESIGN.created_by_run_id, today=START - DAY)
    assert (mine.todo, mine.event) == ("keep", "holdout_assigned")
    ended = night(standing("completed", run="nightly-9"))
    assert (ended.todo, ended.event) == ("read_out", "holdout_completed")
    read = night(standing("completed", run="nightly-9", has_result=True))
    assert (read.todo, read.event) == ("nothing", "holdout_completed")


def test_it_completes_only_when_the_data_reach_past_the_cool_down() -> None:
    assert night(standing("running"), today=END + 9 * DAY, until=END - DAY).event == "holdout_kept"
    done = night(standing("running"), today=END + DAY, until=END)
    assert ([move.state for move in done.moves], done.todo, done.event) == (
        ["completed"],
        "read_out",
        "holdout_completed",
    )
    late = night(standing("assigned"), today=END + DAY, until=END)
    assert [move.state for move in late.moves] == ["running", "completed"]


def test_what_another_night_completed_is_read_out() -> None:
    assert night(standing("completed", run="nightly-8")).event == "holdout_estimated"


@pytest.mark.parametrize("today", [date(2026, 6, 1) + i * DAY for i in range(7)])
def test_the_next_test_starts_on_a_monday_at_least_a_week_ahead(today: date) -> None:
    until = today - DAY
    pre, window = next_windows(until, date(2020, 1, 1), today=today)
    assert window.start.weekday() == 0
    assert 7 <= (window.start - today).days < 14
    assert window.n_days == 28
    assert (pre.end, pre.n_days) == (until, 365)
    assert next_windows(until, until - 80 * DAY, today=today)[0].n_days == 81


def test_an_experiment_is_named_after_its_tenant_and_instant() -> None:
    assert experiment_id("acme", datetime(2026, 6, 1, 6, tzinfo=UTC)) == DESIGN.experiment_id


def test_the_line_names_what_went_wrong() -> None:
    common = {"tenant_id": "acme", "run_id": "n", "at": "2026-06-01T06:00:00Z", "duration_ms": 5, "input_rows": 7}
    started = replace(DESIGN, lifecycle="assigned")
    fine = log_line(night(), design=started, assignment_path="a.json", **common)  # type: ignore[arg-type]
    assert (fine.event, fine.level, fine.geo_count, fine.seed) == ("holdout_assigned", "info", 12, 1)
    asks = log_line(night(), design=DESIGN, assignment_path="a.json", **common)  # type: ignore[arg-type]
    assert (asks.event, asks.level, asks.experiment_id) == ("holdout_skipped", "info", DESIGN.experiment_id)
    assert "approve" in (asks.reason or "")
    short = log_line(night(), error=NotEnoughData("7 geos.", "bring 1 more."), **common)  # type: ignore[arg-type]
    assert (short.event, short.level, short.error) == ("holdout_insufficient_geo", "warning", None)
    assert short.reason == "7 geos. bring 1 more."
    wrong = log_line(night(), error=BadInput("No.", "mend it."), **common)  # type: ignore[arg-type]
    assert (wrong.event, wrong.level, wrong.error) == ("holdout_error", "error", "No.")
