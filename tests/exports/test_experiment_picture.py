"""The picture of a read-out: the same bytes for the same read-out, drawn even where the interval is unbounded."""

from __future__ import annotations

from dataclasses import replace

from tests.experiments.made_tests import ask, assignment_set, make_panel, with_lift

from weathervane.experiments.readout import read_out
from weathervane.exports.experiment_picture import experiment_picture

_PNG = b"\x89PNG\r\n\x1a\n"


def test_the_same_read_out_gives_the_same_picture() -> None:
    panel, weather = make_panel(1, sensitivity=0.1)
    lifted = with_lift(panel, panel.geos[:4], 0.1)
    found = read_out(lifted, ask(panel), assignments=assignment_set(), weather=weather)
    picture = experiment_picture(found)
    assert picture.startswith(_PNG)
    assert picture == experiment_picture(found)
    assert picture != experiment_picture(found, demo=True)
    assert picture != experiment_picture(replace(found, weather_adjusted=None))


def test_an_unbounded_interval_is_drawn() -> None:
    panel, _ = make_panel(2)
    found = read_out(panel, ask(panel, alpha=0.05), assignments=assignment_set(n=10))
    assert found.plain.result.lift_rel_low is None or found.plain.result.lift_rel_high is None
    assert experiment_picture(found).startswith(_PNG)
