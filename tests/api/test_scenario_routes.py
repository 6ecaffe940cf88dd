"""The API of scenarios and settings: what is kept comes back, and no tenant reaches another's on any route."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.workflows.small_tenant import small_tenant

from conftest import BASE
from weathervane.api.app import create_app
from weathervane.store import scenarios
from weathervane.store.automation import history
from weathervane.store.event_log import events
from weathervane.store.paths import open_store

MORE = {"channel_multipliers": {"search": 1.1}}
ROOT = "/v1/plans/acme/scenarios"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "state"
    for tenant in ("acme", "other"):
        small_tenant(root, tenant)
    return root


@pytest.fixture
def planned(made: Path, tmp_path: Path) -> Path:
    """A state folder with `acme` and `other`, each with a plan of its own."""
    return Path(shutil.copytree(made, tmp_path / "state"))


@pytest.fixture
def service(planned: Path) -> Iterator[TestClient]:
    with TestClient(create_app(planned, None, None), base_url=BASE, raise_server_exceptions=False) as client:
        yield client


def saved(service: TestClient, tenant: str = "acme") -> dict[str, Any]:
    answer = service.post(
        f"/v1/plans/{tenant}/scenarios/snapshots", json={"name": "More", "by": "Ada", "scenario": MORE}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_scenario_is_run_and_nothing_is_kept(service: TestClient) -> None:
    answer = service.post(f"{ROOT}/run", json=MORE)
    assert answer.status_code == 200
    assert answer.json()["spend_diff"]["minor"] > 0
    assert service.get(f"{ROOT}/snapshots").json() == []
    assert service.post(f"{ROOT}/run", json={}).json()["spend_diff"]["minor"] == 0


@pytest.mark.parametrize(
    ("levers", "says"),
    [
        ({"channel_multipliers": {"search": 3.5}}, "factor from 0 to 3"),
        ({"channel_multipliers": {"radio": 1.1}}, "no channel 'radio'"),
        ({"weather": "hot"}, "weather"),
        ({"total": {"minor": 5, "currency": "EUR"}}, "EUR"),
        ({"weather": "replay"}, "replay"),
    ],
)
def test_levers_that_make_no_sense_are_422_in_words(service: TestClient, levers: dict[str, object], says: str) -> None:
    answer = service.post(f"{ROOT}/run", json=levers)
    assert answer.status_code == 422
    assert says in answer.json()["problem"] + answer.json()["remedy"]


def test_limits_that_clash_are_409(service: TestClient) -> None:
    answer = service.post(f"{ROOT}/run", json={"total": {"minor": 100, "currency": "USD"}, "aim": {"goal": "outcome"}})
    assert (answer.status_code, answer.json()["error"]) == (409, "PlanImpossible")


def test_a_kept_scenario_is_read_changed_compared_and_removed(service: TestClient, planned: Path) -> None:
    first = saved(service)
    one = f"{ROOT}/snapshots/{first['scenario_id']}"
    assert service.get(one).json() == {"saved": first, "baseline_changed": None}
    changed = service.patch(one, json={"by": "Bob", "name": "Most", "tags": ["q4"]}).json()
    assert (changed["version"], changed["name"], changed["result"]) == (2, "Most", first["result"])
    levers = service.patch(one, json={"by": "Bob", "scenario": {"geo_tilt": {"miami": 1.2}}}).json()
    assert (levers["version"], levers["result"]["scenario"]["geo_tilt"]) == (3, {"miami": 1.2})
    second = saved(service)
    compared = service.get(f"{ROOT}/comparison", params={"id": [first["scenario_id"], second["scenario_id"]]}).json()
    assert [each["saved"]["scenario_id"] for each in compared] == [first["scenario_id"], second["scenario_id"]]
    assert service.get(f"{ROOT}/comparison", params={"id": ["a", "b", "c", "d", "e"]}).status_code == 422
    assert service.delete(one, params={"by": "Ada"}).status_code == 204
    assert service.get(one).status_code == 404
    kinds = [event.kind for event in events(open_store(planned, "acme"), "acme")]
    assert kinds[1:] == ["scenario.saved"] * 4 + ["scenario.deleted"]


def test_recommended_scenarios(service: TestClient) -> None:
    answer = service.get(f"{ROOT}/recommendations", params={"margin": 0.5})
    assert answer.status_code == 200
    assert len(answer.json()["scenarios"]) + len(answer.json()["reasons"]) == 3


def test_settings_are_kept_with_their_history_and_consent_stays(service: TestClient, planned: Path) -> None:
    path = "/v1/settings/acme/automation"
    before = service.get(path).json()
    assert (before["version"], before["settings"]["mode"], before["settings"]["consent"]["status"]) == (
        0,
        "manual",
        "pending",
    )
    window = {"start_utc": "09:00:00", "end_utc": "17:00:00", "weekdays": [0, 1]}
    choice = {"by": "Ada", "mode": "autopilot", "guardrails": {"daily_push_cap": 2, "change_windows": [window]},
              "consent": {"status": "granted", "granted_at": "2026-01-01T00:00:00Z", "actor": "Eve"}}  # fmt: skip
    kept = service.put(path, json=choice).json()
    assert (kept["version"], kept["updated_by"], kept["settings"]["mode"]) == (1, "Ada", "autopilot")
    assert kept["settings"]["consent"]["status"] == "pending", "nobody consents by a form"
    assert service.get(path).json() == kept
    assert len(history(open_store(planned, "acme"))) == 1
    for wrong, says in (
        ({"mode": "fast"}, "mode"),
        ({"guardrails": {"daily_push_cap": 0}}, "at least 1"),
        ({"guardrails": {"change_windows": [{"start_utc": "17:00:00", "end_utc": "09:00:00"}]}}, "not after its start"),
        ({"guardrails": {"min_daily_spend": {"minor": 5, "currency": "EUR"}}}, "EUR"),
        ({"by": " "}, "person"),
    ):
        answer = service.put(path, json={**choice, **wrong})
        assert answer.status_code == 422
        assert says in answer.json()["problem"] + answer.json()["remedy"]


def routes(tenant: str, scenario_id: str) -> list[tuple[str, str, dict[str, object]]]:
    """Every route of scenarios and settings, as (method, path, arguments)."""
    root = f"/v1/plans/{tenant}/scenarios"
    return [
        ("POST", f"{root}/run", {"json": MORE}),
        ("GET", f"{root}/recommendations", {}),
        ("GET", f"{root}/comparison", {"params": {"id": [scenario_id]}}),
        ("GET", f"{root}/snapshots", {}),
        ("POST", f"{root}/snapshots", {"json": {"name": "x", "by": "Eve"}}),
        ("GET", f"{root}/snapshots/{scenario_id}", {}),
        ("PATCH", f"{root}/snapshots/{scenario_id}", {"json": {"by": "Eve", "name": "Stolen"}}),
        ("DELETE", f"{root}/snapshots/{scenario_id}", {"params": {"by": "Eve"}}),
        ("GET", f"/v1/settings/{tenant}/automation", {}),
        ("PUT", f"/v1/settings/{tenant}/automation", {"json": {"by": "Eve", "mode": "assist"}}),
    ]


def test_the_list_of_routes_is_whole(service: TestClient) -> None:
    paths = service.get("/v1/openapi.json").json()["paths"]
    declared = {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if "/scenarios" in path or "/settings" in path
    }
    assert {(method, path) for method, path, _ in routes("{tenant}", "{scenario_id}")} == declared


def test_no_route_reaches_another_tenants_scenario(service: TestClient, planned: Path) -> None:
    mine = saved(service)
    for method, path, arguments in routes("other", mine["scenario_id"]):
        if mine["scenario_id"] in path or "comparison" in path:
            answer = service.request(method, path, **arguments)  # type: ignore[arg-type]
            assert answer.status_code == 404, (method, path)
            assert "More" not in answer.text
    listed = service.get("/v1/plans/other/scenarios/snapshots").json()
    assert listed == []
    assert scenarios.scenario(open_store(planned, "acme"), mine["scenario_id"]).name == "More"
    service.put("/v1/settings/other/automation", json={"by": "Eve", "mode": "autopilot"})
    assert service.get("/v1/settings/acme/automation").json()["version"] == 0


@pytest.mark.parametrize("tenant", ["nobody", "..", "%2e%2e", "ACME", "acme%2f..", "a%00b", "a" * 64])
def test_no_route_knows_a_tenant_that_is_not_there(service: TestClient, tenant: str) -> None:
    for method, path, arguments in routes(tenant, "0123456789ab"):
        answer = service.request(method, path, **arguments)  # type: ignore[arg-type]
        assert answer.status_code in {404, 422}, (method, path)
        assert set(answer.json()) == {"error", "problem", "remedy"}


@pytest.mark.parametrize("odd", ["..", "%2e%2e", "..%2f..%2fother", "A", "a%00b", "a" * 64])
def test_path_tricks_in_an_id_find_nothing(service: TestClient, odd: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = service.request(method, f"{ROOT}/snapshots/{odd}", json={"by": "Eve"}, params={"by": "Eve"})
        assert answer.status_code in {404, 405, 422}
        assert set(answer.json()) == {"error", "problem", "remedy"}


def test_an_unknown_tenant_leaves_no_trace(tmp_path: Path) -> None:
    with TestClient(create_app(tmp_path / "nothing", None, None), base_url=BASE) as client:
        for method, path, arguments in routes("acme", "0123456789ab"):
            assert client.request(method, path, **arguments).status_code == 404  # type: ignore[arg-type]
    assert not (tmp_path / "nothing").exists()
