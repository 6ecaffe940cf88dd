"""An existing split is graded for what it is, and a running test is taken in without pretending it was drawn here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.experiments.designs import GO_DARK, drafted, made_panel, request, stamp

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExistingSplit
from weathervane.experiments.assign import assignment_arms
from weathervane.experiments.grade import grade_split, import_running

PANEL = made_panel(24)
BY_SIZE = [PANEL.geos[i] for i in np.argsort(-PANEL.outcome.mean(axis=1))]


def split(treated: list[str], control: list[str]) -> ExistingSplit:
    return ExistingSplit("test.csv", {"cell_1": tuple(treated)}, tuple(control), kinds={"cell_1": "go_dark"})


def test_a_balanced_split_outranks_a_lopsided_one() -> None:
    design = drafted(PANEL)
    good = grade_split(PANEL, split(list(design.treated_geos), list(design.control_geos)))
    bad = grade_split(PANEL, split(BY_SIZE[:5], BY_SIZE[5:]))
    assert good.better_share < 0.05
    assert good.balance == pytest.approx(design.balance)
    assert bad.better_share > 0.9
    assert bad.verdict == "lopsided"
    assert bad.balance["level"] > 1
    assert any("level +" in sentence for sentence in bad.cannot)
    assert any("randomisation test" in sentence for sentence in good.cannot)
    assert good.treated_share + good.control_share == pytest.approx(1)


def test_small_arms_and_unassigned_geos_are_said() -> None:
    grade = grade_split(PANEL, split(BY_SIZE[10:12], BY_SIZE[12:16]))
    assert any("6 places are fewer than 8" in sentence for sentence in grade.cannot)
    assert any("one side has only 2 places" in sentence for sentence in grade.cannot)
    assert set(grade.unassigned) == set(BY_SIZE[:10] + BY_SIZE[16:])
    with pytest.raises(BadInput, match="nowhere"):
        grade_split(PANEL, split(["nowhere"], BY_SIZE[:5]))


def test_a_running_test_is_imported_as_not_randomised() -> None:
    asked = request(PANEL, GO_DARK)
    design = import_running(PANEL, split(BY_SIZE[:5], BY_SIZE[5:20]), asked, stamp())
    assert (design.method, design.seed, design.test, design.p_floor) == ("imported", None, "block_conformal", 1.0)
    assert set(design.treated_geos) == set(BY_SIZE[:5])
    assert {one.geo for one in design.excluded_geos} == set(BY_SIZE[20:])
    assert design.revenue_at_risk == pytest.approx(1 - design.control_share)
    with pytest.raises(BadInput, match="not drawn by chance"):
        assignment_arms(design)
    with pytest.raises(BadInput, match="cells cell_1"):
        import_running(
            PANEL, split(BY_SIZE[:5], BY_SIZE[5:]), replace(asked, cells=(replace(GO_DARK[0], name="x"),)), stamp()
        )


def test_a_split_with_a_geo_in_two_arms_cannot_be_made() -> None:
    with pytest.raises(BadInput, match="two arms"):
        split(BY_SIZE[:5], BY_SIZE[4:])
    with pytest.raises(BadInput, match="without geos"):
        split([], BY_SIZE)
