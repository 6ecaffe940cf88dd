"""The pictures: PNG, the same bytes for the same plan, whatever the plan says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from exports.plans import changing, keeping
from weathervane.exports.charts import plan_charts

NAMES = {"changes", "demand", "returns", "accuracy"}


def test_four_pictures_with_the_same_bytes_each_time_and_no_trace_of_when_or_by_what() -> None:
    first, second = plan_charts(changing()), plan_charts(changing())
    assert first == second
    assert set(first) == NAMES
    for png in first.values():
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        assert b"Software" not in png
        assert b"tIME" not in png


def test_a_plan_that_keeps_shows_returns_instead_of_changes() -> None:
    assert plan_charts(keeping())["changes"] != plan_charts(changing())["changes"]


def test_what_is_missing_is_left_out() -> None:
    plan = changing()
    bare = replace(plan, demand=(), channels=(), forecast_quality=replace(plan.forecast_quality, scores=()))
    assert set(plan_charts(bare)) == {"changes"}
    only_past = replace(plan, demand=tuple(day for day in plan.demand if day.actual is not None)[:1])
    assert "demand" in plan_charts(only_past)


def test_the_module_is_light_until_it_draws() -> None:
    code = "import sys, weathervane.exports.charts; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
