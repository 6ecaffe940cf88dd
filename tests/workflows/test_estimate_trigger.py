"""A trigger rule on a stored tenant: counted, costed, and joined with the experiment that would measure it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.errors import BadInput
from weathervane.contracts.money import Money
from weathervane.contracts.trigger import TriggerCampaign
from weathervane.planning.trigger_rule import parse_rule
from weathervane.store import results
from weathervane.store.event_log import events
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows.estimate_trigger import estimate_trigger_campaign, trigger_places

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    world = make_world("sensitive", seed=3, end=date(2026, 6, 30), n_days=800, n_geos=10)
    one = open_store(tmp_path_factory.mktemp("state"), "demo")
    results.keep_tenant(one, world.tenant)
    for name in ("sales", "spend", "weather", "calendar"):
        upsert(one, name, world.tables[name], NOW, "a generated world")
    return one


def campaign(store: Store, text: str, geos: tuple[str, ...] | None = None) -> TriggerCampaign:
    return TriggerCampaign(parse_rule(text), "search", geos or trigger_places(store), amount=Money(10_00, "USD"))


def test_a_rule_is_judged_before_it_runs(store: Store) -> None:
    asked = campaign(store, "temp_anomaly_c > 3")
    found = estimate_trigger_campaign(store, asked, weeks=13, now=NOW, run_id="r", seed=1)
    assert found.geos == trigger_places(store)
    assert {one.year for one in found.years} == {2024, 2025, 2026}
    assert [one.year for one in found.years if one.complete] == [2025]
    assert 0 < found.expected_geo_days < 14 * 10
    assert found.lift is None
    assert any("no model in use" in note for note in found.notes)
    assert found.holdout is not None
    assert found.holdout.definition == "temp_anomaly_c > 3"
    assert found.holdout.geos == found.geos
    assert found.holdout.p_floor <= 0.1
    again = estimate_trigger_campaign(store, asked, weeks=13, now=NOW, run_id="r", seed=1)
    assert again == found
    assert [one.kind for one in events(store)] == ["trigger.estimated"] * 2


def test_a_rule_that_never_fires_has_no_holdout_and_says_why(store: Store) -> None:
    found = estimate_trigger_campaign(store, campaign(store, "temp_mean_c > 60"), weeks=8, now=NOW, run_id="r", seed=1)
    assert (found.expected_geo_days, found.holdout) == (0.0, None)
    assert any("never fired" in note for note in found.notes)


def test_a_place_without_weather_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="There is no place with weather 'atlantis'"):
        estimate_trigger_campaign(
            store, campaign(store, "snow_cm > 1", ("atlantis",)), weeks=8, now=NOW, run_id="r", seed=1
        )


def test_only_the_places_asked_for_take_part(tmp_path: Path, store: Store) -> None:
    some = trigger_places(store)[:8]
    found = estimate_trigger_campaign(
        store, campaign(store, "temp_anomaly_c < -2 or precip_mm > 8", some), weeks=13, now=NOW, run_id="r", seed=1
    )
    assert {one.geo for one in found.days} == set(some)
    assert found.holdout is not None
    assert set(found.holdout.geos) == set(some)
