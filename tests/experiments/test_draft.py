"""A design says everything that was done, and refuses what cannot be defended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.experiments.designs import GO_DARK, HALF, drafted, made_panel, request, stamp

from weathervane.connectors.experiments.long_csv import read_long_panel
from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import Cell, Constraints, ExperimentDesign, check_transition, sign_of
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Place
from weathervane.experiments.assign import assignment_set
from weathervane.experiments.balance import GeoWeather
from weathervane.experiments.draft import Ground, draft_design
from weathervane.experiments.freeze import panel_sha256
from weathervane.experiments.panel import Panel
from weathervane.experiments.screen import Surroundings, collect_panel


def test_a_design_holds_every_field_that_consumers_know() -> None:
    panel = made_panel(20)
    design = drafted(panel)
    assert (design.tenant_id, design.status, design.geo_count, design.geo_column) == ("acme", "ready", 20, "geo")
    assert (design.holdout_count, design.holdout_ratio) == (16, 0.8)
    weights = {one.geo: one.weight for one in design.assignment}
    assert weights["geo-003"] == pytest.approx(panel.outcome[3].sum() / panel.outcome.sum())
    assert design.control_share == pytest.approx(sum(weights[geo] for geo in design.control_geos))
    assert {one.group for one in design.assignment} == {"treatment", "control"}
    assert design.min_geos_required == 8
    assert design.input_snapshot_sha256 == panel_sha256(panel)
    assert design.lifecycle == "draft"
    assert design.power is None
    assert "meta ads are switched off" in design.treatment_definition


def test_what_the_screen_excludes_is_listed_with_its_reason() -> None:
    panel = made_panel(20)
    panel.outcome[4] = 0.0
    stock = np.ones(panel.outcome.shape)
    stock[6] = 0.0
    ground = Ground(around=Surroundings({}, in_stock_share=stock), duplicates=(("geo-001", panel.days[3]),))
    design, screen = draft_design(panel, request(panel), stamp(), ground)
    assert [one.geo for one in design.excluded_geos] == ["geo-004", "geo-006"]
    assert "never has an outcome" in design.excluded_geos[0].reason
    assert len(screen.of("duplicate_days")) == 1
    assert design.geo_count == 18


def test_seven_geos_are_one_too_few() -> None:
    with pytest.raises(NotEnoughData, match="bring 1 more"):
        drafted(made_panel(7))
    assert drafted(made_panel(8)).geo_count == 8


@pytest.mark.parametrize("days_after", [-40, 0])
def test_a_window_in_the_past_of_the_data_is_refused(days_after: int) -> None:
    panel = made_panel(12)
    start = panel.days[-1] + timedelta(days=days_after)
    late = replace(
        request(panel),
        pre_period=Period(panel.days[0], start - timedelta(days=1)),
        test_window=Period(start, start + timedelta(days=20)),
    )
    with pytest.raises(BadInput, match="there are data up to"):
        draft_design(panel, late, stamp())


def test_windows_must_fit_the_data_and_each_other() -> None:
    panel = made_panel(12)
    asked = request(panel)
    with pytest.raises(BadInput, match="not covered"):
        draft_design(
            panel, replace(asked, pre_period=Period(panel.days[0] - timedelta(days=1), panel.days[-1])), stamp()
        )
    long = Period(asked.test_window.start, asked.test_window.start + timedelta(days=121))
    with pytest.raises(NotEnoughData, match="at least as long"):
        draft_design(panel, replace(asked, test_window=long), stamp())
    with pytest.raises(BadInput, match="inside its pre-period"):
        replace(asked, test_window=Period(panel.days[-1], panel.days[-1]))


def test_overlapping_tests_are_refused_cool_down_included() -> None:
    panel = made_panel(24)
    first = drafted(panel)
    with pytest.raises(BadInput, match="would overlap acme_20260601_060000"):
        drafted(panel, ground=Ground(other_designs=(first,)))
    after = first.test_window.end + timedelta(days=first.cooldown_days)
    for start, refused in ((after, True), (after + timedelta(days=1), False)):
        asked = replace(request(panel), test_window=Period(start, start + timedelta(days=13)))
        ground = Ground(other_designs=(first,))
        if refused:
            with pytest.raises(BadInput, match="overlap"):
                draft_design(panel, asked, stamp(), ground)
        else:
            assert draft_design(panel, asked, stamp(), ground)[0].geo_count == 24
    # Other geos may be tested at the same time.
    half = drafted(panel, constraints=Constraints(exclude=panel.geos[12:]))
    rest = drafted(panel, ground=Ground(other_designs=(half,)), constraints=Constraints(exclude=panel.geos[:12]))
    assert not set(half.geos) & set(rest.geos)


def test_buffers_by_distance_merge_or_drop() -> None:
    panel = made_panel(16)
    near = {2: (10.0, 10.0), 3: (10.0, 10.2), 9: (10.1, 10.1)}
    places = tuple(Place(geo, geo, *near.get(i, (i * 3.0, -50.0))) for i, geo in enumerate(panel.geos))
    for handling in ("merge", "drop"):
        limits = Constraints(buffer_km=40, buffer=handling)
        design = drafted(panel, ground=Ground(places=places), constraints=limits)
        if handling == "merge":
            assert ("geo-002", "geo-003", "geo-009") in [unit for s in design.strata for unit in s.units]
        else:
            assert len(set(design.geos) & {"geo-002", "geo-003", "geo-009"}) == 1
            assert all("buffer" in one.reason for one in design.excluded_geos)
    with pytest.raises(BadInput, match="no coordinates"):
        drafted(panel, constraints=Constraints(buffer_km=40))


def test_neighbours_asked_into_different_arms_are_refused() -> None:
    limits = Constraints(
        must_treat={"geo-001": "cell_1"}, must_not_treat=("geo-002",), neighbours=(("geo-001", "geo-002"),)
    )
    with pytest.raises(BadInput, match="different ones"):
        drafted(made_panel(12), constraints=limits)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Constraints(exclude=("nowhere",)), "no place 'nowhere'"),
        (Constraints(must_treat={"geo-001": "cell_7"}), "no cell 'cell_7'"),
    ],
)
def test_unknown_names_are_refused(limits: Constraints, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        drafted(made_panel(12), constraints=limits)


def test_pairs_and_supergeos_treat_one_side_of_each() -> None:
    panel = made_panel(31, seed=2)
    paired = drafted(panel, HALF, method="paired")
    found = assignment_set(paired)
    for stratum in paired.strata[:15]:
        a, b = (paired.geos.index(unit[0]) for unit in stratum.units)
        assert (found[:, a] != found[:, b]).all()
    assert paired.strata[15].treated == (0,)  # the odd one out stays in the control
    merged = drafted(panel, HALF, method="supergeo", max_pair_distance=0.4)
    assert max(len(unit) for stratum in merged.strata for unit in stratum.units) > 1
    assert all(stratum.treated == (1,) and len(stratum.units) == 2 for stratum in merged.strata[:-1])
    with pytest.raises(BadInput, match=r"share of 0\.5"):
        drafted(panel, GO_DARK, method="paired")
    forced = drafted(panel, HALF, method="paired", constraints=Constraints(must_treat={"geo-001": "cell_1"}))
    assert len(forced.treated_geos) == 16


def test_weather_is_balanced_where_it_is_known() -> None:
    panel = made_panel(20)
    temp = np.random.default_rng(0).normal(10, 4, panel.outcome.shape) + np.arange(20)[:, None]
    assert "climate_temp" not in drafted(panel).balance
    design = drafted(panel, ground=Ground(weather=GeoWeather(temp)))
    assert "climate_temp" in design.balance
    assert abs(design.balance["climate_temp"]) <= (design.balance_rule.threshold or 0)


def test_the_sign_is_decided_once() -> None:
    assert [sign_of(kind) for kind in ("holdback", "go_dark", "heavy_up")] == [1, -1, 1]
    with pytest.raises(BadInput, match="do not share one control"):
        request(made_panel(8), (Cell("a", "holdback", "meta", 0.3), Cell("b", "go_dark", "meta", 0.3)))


def test_the_lifecycle_goes_forward_only() -> None:
    for now, then in (("draft", "assigned"), ("assigned", "running"), ("running", "completed"), ("running", "stopped")):
        check_transition("x", now, then)  # type: ignore[arg-type]
    for now, then in (("completed", "running"), ("draft", "completed"), ("running", "assigned"), ("failed", "draft")):
        with pytest.raises(BadInput, match="cannot become"):
            check_transition("x", now, then)  # type: ignore[arg-type]


def test_a_design_that_contradicts_itself_cannot_be_made() -> None:
    design: ExperimentDesign = drafted(made_panel(12))
    with pytest.raises(BadInput, match="miscounts"):
        replace(design, holdout_count=design.holdout_count + 1)
    with pytest.raises(BadInput, match="sorted by name"):
        replace(design, assignment=design.assignment[::-1])
    with pytest.raises(BadInput, match="cannot be an experiment id"):
        replace(design, experiment_id="../x")


def test_a_panel_with_gaps_is_designed_on_what_it_has() -> None:
    panel = made_panel(14)
    holes = panel.outcome.copy()
    holes[3, 5:8] = np.nan
    design = drafted(Panel(panel.geos, panel.days, holes))
    assert design.geo_count == 14
    assert design.input_snapshot_sha256 != panel_sha256(panel)


def test_a_published_panel_can_be_designed_on() -> None:
    path = Path("../shared/data/geo/geolift_pretest.csv")
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    rows = read_long_panel(path)
    panel, doubled = collect_panel(rows["geo"].to_list(), rows["date"].to_list(), rows["outcome"].to_list())
    design, screen = draft_design(panel, request(panel), stamp(), Ground(duplicates=doubled))
    assert (design.geo_count, len(design.treated_geos), screen.excluded) == (40, 8, ())
    assert len(assignment_set(design)) >= 200
    assert max(abs(value) for value in design.balance.values()) < 0.3
