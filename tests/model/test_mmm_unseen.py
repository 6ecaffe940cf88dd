"""Weeks hidden from a refit: the model's own record, beside the floors it is held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.unseen import by_week, unseen_weeks


@pytest.mark.slow
def test_a_model_that_knows_spend_beats_floors_that_do_not() -> None:
    panel = weekly_panel(3, 110, (2.0, 3.0), seed=5)
    heard: list[str] = []
    ours, *floors = unseen_weeks(panel, Priors(), 1, heard.append)
    assert heard == ["foretelling the last 13 weeks without having seen them"]
    assert (ours.method, ours.n) == ("hierarchical", 13)
    assert [floor.method for floor in floors] == ["seasonal naive", "recent mean"]
    total = panel.outcome[0].sum(axis=0)
    naive = np.abs(total[-13:] - total[-65:-52]).sum() / total[-13:].sum()
    assert floors[0].wape == pytest.approx(naive)
    assert ours.wape < 0.7 * min(floor.wape for floor in floors)


def test_too_little_history_or_a_hole_at_its_end_gives_no_record() -> None:
    assert unseen_weeks(weekly_panel(2, 64, (1.0,)), Priors(), 1, lambda _: None) == ()
    panel = weekly_panel(2, 80, (1.0,))
    outcome = panel.outcome.copy()
    outcome[0, 1, -3] = np.nan
    assert unseen_weeks(replace(panel, outcome=outcome), Priors(), 1, lambda _: None) == ()


def test_days_are_summed_to_whole_weeks_from_the_end() -> None:
    assert by_week(np.arange(16.0), 7).tolist() == [sum(range(2, 9)), sum(range(9, 16))]
    assert by_week(np.arange(3.0), 1).tolist() == [0.0, 1.0, 2.0]
