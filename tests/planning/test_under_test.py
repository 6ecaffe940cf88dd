"""Lines under a geo test: a plan holds them as the design says, and what a test changed is never taken for usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from tests.experiments.designs import drafted, made_panel
from tests.planning.builders import START, curves_of, request_of, same
from tests.planning.small_plans import plan_of
from tests.planning.test_preflight import MONDAY_NOON, OPEN

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import AssignedGeo, Cell, ExperimentDesign, State, Transition
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import PlanAim, PlanLimits
from weathervane.contracts.scenario import Scenario
from weathervane.contracts.tested_line import HeldLine, TestedLine
from weathervane.experiments.lines_of_tests import lines_of_tests
from weathervane.planning.change_set import change_set
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.preflight import preflight
from weathervane.planning.recent_spend import recent_spend
from weathervane.planning.request import PlanRequest
from weathervane.planning.scenario import baseline, run_scenario

WEEK = 10_000_00
WINDOW = Period(START - timedelta(days=14), START + timedelta(days=13))
UNTIL = WINDOW.end + timedelta(days=7)
SLOPES = {**same({"search": 1.6, "social": 0.9}), ("miami", "search"): 2.4}


def held(geo: str, *budgets: int, channel: str = "search") -> HeldLine:
    return HeldLine(geo, channel, "dark-1", WINDOW, UNTIL, tuple(Money(each, "USD") for each in budgets))


def in_test(geo: str, factor: float | None, window: Period = WINDOW, *, live: bool = True) -> TestedLine:
    return TestedLine("dark-1", geo, "search", factor, window, window.end + timedelta(days=7), live)


def spend(weeks: int = 12, dark: Sequence[tuple[str, Period]] = (), last: float = 700.0) -> pl.DataFrame:
    """Every place spends 700 a day on each channel, `last` in the last week; nothing where dark."""
    rows = [
        (geo, day, channel, 0.0 if any(geo == g and w.start <= day <= w.end and channel == "search" for g, w in dark)
         else last if back <= 7 else 700.0)
        for geo in ("chicago", "dallas", "miami")
        for channel in ("search", "social")
        for back in range(1, 7 * weeks + 1)
        for day in [START - timedelta(days=back)]
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["geo", "date", "channel", "spend"], orient="row")


def request(weeks: int = 1, *lines: HeldLine, **changes: object) -> PlanRequest:
    return request_of(curves_of(SLOPES), weeks=weeks, under_test=lines, step_days=7, **changes)


@pytest.mark.parametrize("total", [None, Money(53_000_00, "USD")])
@pytest.mark.parametrize("goal", [PlanAim(), PlanAim("profit", margin=0.4), PlanAim(risk="p10")])
def test_no_line_under_test_moves_whatever_the_plan_is_for(total: Money | None, goal: PlanAim) -> None:
    lines = (held("miami", WEEK), held("dallas", 0), held("dallas", WEEK, channel="social"))
    limits = PlanLimits(total=total, min_cell=Money(100_00, "USD"))
    plan = make_budget_plan(request(1, *lines, aim=goal, limits=limits))
    found = {(line.geo, line.channel): line for line in plan.lines}
    for each in lines:
        line = found[each.geo, each.channel]
        assert (line.current, line.recommended, line.change.minor) == (each.budgets[0], each.budgets[0], 0)
        assert line.under_test_until == UNTIL
        assert "Under test until Sun 6 Dec" in line.reason
        assert (line.direction, line.gain.p50) == ("keep", 0.0)
    assert any("3 lines are in a geo test" in caveat and "Miami" in caveat for caveat in plan.caveats)
    assert [line for line in plan.lines if line.change.minor], "the places that take no part are free"


def test_over_several_weeks_a_line_follows_its_design_even_where_it_jumps() -> None:
    jump = held("chicago", 0, 0, WEEK, WEEK)
    plan = make_budget_plan(request(4, jump))
    (line,) = [line for line in plan.lines if line.under_test_until]
    assert [each.recommended.minor for each in line.periods] == [0, 0, WEEK, WEEK]
    assert line.change.minor == 0


def test_scenarios_leave_lines_under_test_alone_and_say_so() -> None:
    lines = (held("miami", WEEK), held("dallas", 0))
    asked = request(1, *lines)
    base = baseline(asked, make_budget_plan(asked), "a" * 64)
    for scenario in (
        Scenario(channel_multipliers={"search": 1.1}),
        Scenario(geo_tilt={"miami": 2.0}),
        Scenario(total=Money(60_000_00, "USD")),
        Scenario(aim=PlanAim("profit", margin=0.4), channel_multipliers={"search": 1.2}),
    ):
        result = run_scenario(base, scenario)
        cells = {(cell.geo, cell.channel): cell.budget.minor for cell in result.cells}
        assert (cells["miami", "search"], cells["dallas", "search"]) == (WEEK, 0)
        assert any("in a geo test" in note for note in result.notes)
        assert scenario.total is None or result.spend == scenario.total
    with pytest.raises(BadInput, match="lines under test alone cost"):
        run_scenario(base, Scenario(total=Money(5_000_00, "USD")))


def test_what_is_usual_is_the_mean_of_weeks_in_which_no_test_ran() -> None:
    frame = spend(dark=[("chicago", Period(WINDOW.start, START - timedelta(days=1)))])
    lines = [in_test("chicago", 0.0), in_test("dallas", 1.0)]
    week = [Period(START, START + timedelta(days=6))]
    found = recent_spend(frame, curves_of(SLOPES), lines, week, "USD")
    assert found.usual["chicago", "search"] == Money(4_900_00, "USD")
    assert found.usual["chicago", "social"] == Money(WEEK, "USD"), "what no test touches stays the fit's own mean"
    assert [(each.geo, each.budgets[0].minor) for each in found.held] == [("chicago", 0), ("dallas", 4_900_00)]


def test_a_test_that_is_over_holds_nothing_and_its_weeks_are_still_left_out() -> None:
    over = Period(START - timedelta(days=28), START - timedelta(days=8))
    frame = spend(dark=[("chicago", over)])
    line = in_test("chicago", 0.0, over, live=False)
    found = recent_spend(frame, curves_of(SLOPES), [line], [Period(START, START + timedelta(days=6))], "USD")
    assert found.held == ()
    assert found.usual["chicago", "search"] == Money(4_900_00, "USD")


def test_a_test_that_ends_inside_the_plan_gives_the_usual_budget_from_then_on() -> None:
    window = Period(START - timedelta(days=21), START + timedelta(days=2))
    steps = [Period(START + timedelta(days=7 * i), START + timedelta(days=7 * i + 6)) for i in range(2)]
    found = recent_spend(spend(), curves_of(SLOPES), [in_test("chicago", 0.0, window)], steps, "USD")
    assert [each.minor for each in found.held[0].budgets] == [4 * 700_00, 7 * 700_00]


def test_raised_ads_keep_the_pace_they_have_in_the_test() -> None:
    window = Period(START - timedelta(days=7), START + timedelta(days=20))
    steps = [Period(START, START + timedelta(days=6))]
    found = recent_spend(spend(last=1_400.0), curves_of(SLOPES), [in_test("chicago", None, window)], steps, "USD")
    assert found.held[0].budgets[0] == Money(9_800_00, "USD")
    assert found.usual["chicago", "search"] == Money(4_900_00, "USD")
    assert found.last_week["chicago", "search"] == Money(9_800_00, "USD")


def design_of(kind: str, *more: Cell) -> ExperimentDesign:
    cells = (Cell("cell_1", kind, "meta", 0.4), *more)  # type: ignore[arg-type]
    design = drafted(made_panel(10), (Cell("cell_1", "go_dark", "meta", 0.4),))
    geos = (
        AssignedGeo("a", "treatment", 0.3, "cell_1"),
        AssignedGeo("b", "control", 0.3, None),
        AssignedGeo("c", "treatment", 0.4, more[0].name if more else "cell_1"),
    )
    return replace(design, kind=cells[0].kind, cells=cells, assignment=geos, geo_count=3, holdout_count=1)


def step(design: ExperimentDesign, state: State, at: str = "2026-06-01T06:00:00Z") -> Transition:
    return Transition(design.experiment_id, state, at, "r")


@pytest.mark.parametrize(
    ("kind", "treated", "control"), [("go_dark", 0.0, 1.0), ("holdback", 1.0, 0.0), ("heavy_up", None, 1.0)]
)
def test_each_kind_of_test_says_what_becomes_of_both_arms(kind: str, treated: float | None, control: float) -> None:
    design = design_of(kind)
    found = {line.geo: line for line in lines_of_tests([(design, step(design, "assigned"))])}
    assert (found["a"].factor, found["b"].factor) == (treated, control)
    assert all(line.until == design.test_window.end + timedelta(days=7) and line.live for line in found.values())


def test_a_channel_is_held_where_another_is_tested_too() -> None:
    design = design_of("go_dark", Cell("cell_2", "go_dark", "tv", 0.3))
    found = {(line.geo, line.channel): line.factor for line in lines_of_tests([(design, step(design, "running"))])}
    assert found == {
        ("a", "meta"): 0.0, ("b", "meta"): 1.0, ("c", "meta"): 1.0, ("a", "tv"): 1.0, ("b", "tv"): 1.0, ("c", "tv"): 0.0
    }  # fmt: skip


def test_drafts_hold_nothing_and_stopped_tests_only_tell_which_days_were_not_usual() -> None:
    design = design_of("go_dark")
    assert lines_of_tests([(design, step(design, "draft"))]) == ()
    day = design.test_window.start + timedelta(days=2)
    (line, *_) = lines_of_tests([(design, step(design, "stopped", f"{day}T06:00:00Z"))])
    assert (line.live, line.window.end, line.holds(Period(day, day))) == (False, day, False)
    assert lines_of_tests([(design, step(design, "stopped", "2026-01-01T06:00:00Z"))]) == ()


def test_a_push_that_changes_a_line_under_test_is_a_broken_guardrail() -> None:
    plan = plan_of({("austin", "search"): (700_00, 770_00), ("boston", "search"): (700_00, 630_00)})
    window = Period(date(2026, 11, 9), date(2026, 12, 6))
    line = TestedLine("dark-1", "boston", "search", 1.0, window, window.end, live=True)
    changes = change_set(plan, "f" * 64, OPEN)
    found = preflight(plan, changes, OPEN, None, now=MONDAY_NOON, pushes_today=0, tests=[line])
    (breach,) = [one for one in found.breaches if one.guardrail == "under_test"]
    assert (breach.severity, breach.geo, breach.channel) == ("critical", "boston", "search")
    assert "under test until Sun 6 Dec" in breach.sentence
