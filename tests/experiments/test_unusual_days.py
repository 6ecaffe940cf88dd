"""Faulty days of a test are named by place and day and left out; a lasting effect of ads is no fault."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.experiments.made_tests import ask, assignment_set, make_panel, with_lift

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Panel, panel_from_rows
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_out, read_screened, reduced
from weathervane.experiments.tables import need_days
from weathervane.experiments.unusual_days import UnusualDays, spans, unusual_days

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cases" / "use"
N_PRE, N_POST = 112, 28
TREATED = ("geo-00", "geo-01", "geo-02", "geo-03")


def case(name: str) -> Panel:
    path = CASES / name / "in" / "sales.csv"
    if not path.exists():
        pytest.skip(f"the case {name} is not on this machine")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ([row["geo"] for row in rows], [date.fromisoformat(row["date"]) for row in rows])
    return panel_from_rows(*columns, [float(row["revenue"]) for row in rows])


def of_case(panel: Panel) -> Question:
    treated = ("Bonn", "Essen", "Halle", "Leipzig")
    control = tuple(geo for geo in panel.geos if geo not in treated)
    window = Period(date(2026, 10, 26), date(2026, 11, 22))
    return Question("case", "search", "USD", treated, control, window, sign=-1, cooldown_days=7)


def made(seed: int = 1, lift: float = 0.0, n_geos: int = 10) -> Panel:
    panel, _ = make_panel(seed, n_geos=n_geos, n_pre=N_PRE, n_post=N_POST)
    return with_lift(panel, TREATED, lift, N_POST)


def found_in(panel: Panel) -> tuple[UnusualDays, ...]:
    return unusual_days(panel, np.isin(np.array(panel.geos), TREATED), N_PRE)


def test_a_treated_place_closed_in_the_test_of_the_case() -> None:
    panel = case("treated-place-closed-in-test")
    found = read_screened(panel, of_case(panel))
    result, told = found.result, " ".join(found.result.caveats)
    assert found.left_out == ("Bonn",)
    assert "Bonn sold nothing on 2026-11-02 to 2026-11-08 (7 days)" in told
    assert "not an effect of ads" in told
    assert "Bonn" not in result.treated_geos
    assert result.lift_rel_low is not None
    assert result.lift_rel_high is not None
    assert result.lift_rel_low < 0.048 < result.lift_rel_high
    assert found.with_all_places is not None
    assert found.with_all_places.lift_rel == pytest.approx(0.109, abs=0.003)
    assert "+10.9 %" in told


@pytest.mark.parametrize("place", ["geo-01", "geo-07"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_closed_place_in_either_arm_is_left_out_and_said(place: str, drawn: bool) -> None:
    panel = made(lift=0.05)
    clean = read_out(panel, ask(panel, n_post=N_POST)).plain.result
    panel.outcome[panel.geos.index(place), N_PRE + 8 : N_PRE + 15] = 0.0
    found = read_screened(panel, ask(panel, n_post=N_POST), assignments=assignment_set() if drawn else None)
    first, last = panel.days[N_PRE + 8], panel.days[N_PRE + 14]
    assert found.left_out == (place,)
    assert any(f"{place} sold nothing on {first} to {last} (7 days)" in text for text in found.result.caveats)
    assert found.with_all_places is not None
    off, right = (abs(one.lift_rel - clean.lift_rel) for one in (found.with_all_places, found.result))
    assert right < off


@pytest.mark.parametrize(("factor", "n_days", "kind"), [(0.3, 7, "low"), (4.0, 1, "high"), (2.0, 5, "high")])
def test_a_stock_out_an_outlier_and_days_counted_twice_are_named(factor: float, n_days: int, kind: str) -> None:
    panel = made(2)
    panel.outcome[6, N_PRE + 3 : N_PRE + 3 + n_days] *= factor
    [one] = found_in(panel)
    assert (one.geo, one.kind) == ("geo-06", kind)
    assert set(one.days) <= set(panel.days[N_PRE + 3 : N_PRE + 3 + n_days])
    assert len(one.days) >= n_days - 1
    assert one.share == pytest.approx(factor, rel=0.25)


@pytest.mark.parametrize("lift", [-0.6, 0.0, 0.8])
def test_an_effect_that_lasts_is_no_fault(lift: float) -> None:
    assert [one for seed in range(3) for one in found_in(made(seed, lift))] == []


def test_a_day_on_which_everybody_is_closed_and_a_usual_day_off_are_no_faults() -> None:
    panel = made(3)
    panel.outcome[:, N_PRE + 9] = 0.0
    sundays = [t for t, day in enumerate(panel.days) if day.weekday() == 6]
    panel.outcome[4, sundays] = 0.0
    assert found_in(panel) == ()


def test_where_too_little_would_remain_the_result_is_not_trusted() -> None:
    panel = made(4)
    panel.outcome[0, N_PRE : N_PRE + 7] = 0.0
    question = ask(panel, n_treated=1, n_post=N_POST)
    found = read_screened(panel, question)
    assert found.left_out == ()
    assert not found.result.trusted
    assert "cannot be relied on" in found.result.sentence
    assert "9 in 10" not in found.result.sentence
    assert any("could not be left out" in text for text in found.result.caveats)


@pytest.mark.parametrize("name", ["treated-place-missing-days", ""])
def test_missing_days_are_named_with_a_way_out_that_works(name: str) -> None:
    panel = case(name) if name else made(5)
    question = of_case(panel) if name else ask(panel, n_post=N_POST)
    place, days = ("Bonn", "2026-11-03 to 2026-11-08 (6 days)")
    if not name:
        place, days = "geo-02", f"{panel.days[-6]} to {panel.days[-4]} (3 days)"
        panel.outcome[2, -6:-3] = np.nan
    with pytest.raises(NotEnoughData, match=place) as caught:
        read_screened(panel, question)
    assert days in caught.value.problem
    assert f"experiment read {question.experiment_id} --without {place}" in caught.value.remedy
    result = read_screened(panel, question, without=(place,)).result
    assert place not in result.treated_geos
    assert any(f"Left out on request: {place}" in text for text in result.caveats)


def test_a_drawn_test_without_a_place_keeps_what_put_it_where_it_was() -> None:
    panel, drawn = made(6), assignment_set(n=150)
    fewer, kept = reduced(ask(panel, n_post=N_POST), drawn, ["geo-02", "geo-08"])
    assert (fewer.treated_geos, len(fewer.control_geos)) == (("geo-00", "geo-01", "geo-03"), 5)
    assert kept is not None
    assert kept.shape == (int((drawn[:, 2] & ~drawn[:, 8]).sum()), 8)
    assert (kept.sum(axis=1) == 3).all()


def test_a_test_that_raised_too_many_false_alarms_before_claims_no_share_of_truths() -> None:
    panel = made(7, 0.05)
    question = ask(panel, n_post=N_POST)
    often = replace(question, false_alarm_share=0.33, false_alarm_windows=6)
    few = replace(often, false_alarm_windows=3)
    assert "9 in 10 ranges made this way hold it" in read_out(panel, question).result.sentence
    told = read_out(panel, often).result.sentence
    assert "reported an effect 33.0 % of the time" in told
    assert "in 10 ranges" not in told
    told = read_out(panel, few).result.sentence
    assert "cannot be told from 3 windows" in told
    assert "33" not in told
    assert "in 10 ranges" not in told


def test_days_are_told_as_runs() -> None:
    days = [date(2026, 11, 3) + timedelta(days=i) for i in (0, 1, 2, 9)]
    assert spans(days) == "2026-11-03 to 2026-11-05, 2026-11-12 (4 days)"
    assert spans(days[-1:]) == "2026-11-12 (1 day)"


@pytest.mark.parametrize(("step", "said"), [(7, "by week"), (14, "by two weeks"), (30, "by month"), (91, "by quarter")])
def test_sales_that_come_by_week_or_month_are_refused_for_a_test(step: int, said: str) -> None:
    days = tuple(date(2024, 1, 1) + timedelta(days=step * i) for i in range(30))
    with pytest.raises(NotEnoughData, match=f"sales by day; these are {said}") as caught:
        need_days(Panel(("a", "b"), days, np.ones((2, 30))))
    assert caught.value.exit_code == 3


def test_weekly_sales_of_the_case_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="sales by day; these are by week"):
        need_days(case("weekly-sales-design"))


def test_days_with_closed_sundays_and_a_gap_are_days() -> None:
    days = tuple(day for i in range(120) if (day := date(2026, 1, 1) + timedelta(days=i)).weekday() != 6 and i != 50)
    need_days(Panel(("a",), days, np.ones((1, len(days)))))
