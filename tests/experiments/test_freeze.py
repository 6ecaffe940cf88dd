"""The hash sees every bit of the data, and no departure from the plan goes unnamed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.experiments.designs import drafted, made_panel

from weathervane.contracts.period import Period
from weathervane.experiments.freeze import Analysed, departures, panel_sha256
from weathervane.experiments.panel import Panel

PANEL = made_panel(12)
DESIGN = drafted(PANEL)
KEPT = Analysed(
    DESIGN.geos,
    DESIGN.treated_geos,
    DESIGN.pre_period,
    DESIGN.test_window,
    DESIGN.cooldown_days,
    DESIGN.metric,
    DESIGN.estimator,
    DESIGN.test,
    DESIGN.alpha,
    panel_sha256(PANEL),
)
DAY = timedelta(days=1)


def test_keeping_to_the_plan_departs_in_nothing() -> None:
    assert departures(DESIGN, KEPT) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"pre_period": Period(DESIGN.pre_period.start + DAY, DESIGN.pre_period.end)},
            "The plan fixed the pre-period as",
        ),
        (
            {"test_window": Period(DESIGN.test_window.start, DESIGN.test_window.end + DAY)},
            "The plan fixed the test window as",
        ),
        ({"cooldown_days": 0}, "The plan fixed the cool-down in days as 7, and 0 was used"),
        ({"metric": "orders"}, "The plan fixed the metric as net_revenue, and orders was used"),
        (
            {"estimator": "synthetic_did"},
            "The plan fixed the estimator as synthetic_control, and synthetic_did was used",
        ),
        ({"test": "block_conformal"}, "The plan fixed the test as"),
        ({"alpha": 0.1}, "The plan fixed the alpha as 0.05, and 0.1 was used"),
        ({"geos": DESIGN.geos[1:]}, "Left out of the places taking part: geo-000."),
        ({"treated_geos": (*DESIGN.treated_geos, "new")}, "Added to the treated places: new."),
        ({"input_snapshot_sha256": "0"}, "restated"),
    ],
)
def test_each_departure_is_named(change: dict[str, object], said: str) -> None:
    found = departures(DESIGN, replace(KEPT, **change))  # type: ignore[arg-type]
    assert len(found) == 1
    assert said in found[0]


def test_the_hash_sees_every_value_name_and_day() -> None:
    other = PANEL.outcome.copy()
    other[3, 4] = np.nextafter(other[3, 4], 0)
    renamed = (*PANEL.geos[:-1], "z")
    later = tuple(day + DAY for day in PANEL.days)
    gap, other_gap = PANEL.outcome.copy(), PANEL.outcome.copy()
    gap[0, 0], other_gap[0, 0] = np.nan, -np.nan
    panels = [
        PANEL,
        Panel(PANEL.geos, PANEL.days, other),
        Panel(renamed, PANEL.days, PANEL.outcome),
        Panel(PANEL.geos, later, PANEL.outcome),
        Panel(PANEL.geos, PANEL.days, gap),
    ]
    assert len({panel_sha256(panel) for panel in panels}) == len(panels)
    assert panel_sha256(Panel(PANEL.geos, PANEL.days, other_gap)) == panel_sha256(panels[-1])
    assert np.isnan(gap[0, 0])  # hashing changes nothing
