"""The API answers with stored results, exactly, and says what to do when there are none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from conftest import BASE, PLAN, as_stored
from weathervane.api.app import create_app
from weathervane.api.errors import STATUS
from weathervane.contracts import errors
from weathervane.contracts.errors import WeatherVaneError


def test_tenants_are_those_stored(client: TestClient) -> None:
    assert client.get("/v1/tenants").json() == [
        {"tenant_id": "acme", "name": "Acme", "demo": True, "has_plan": True, "plan_as_of": "2026-11-22"},
        {"tenant_id": "young", "name": "Young", "demo": False, "has_plan": False, "plan_as_of": None},
    ]


def test_the_newest_plan_is_the_stored_one_to_the_last_digit(client: TestClient) -> None:
    answer = client.get("/v1/plans/acme")
    assert answer.status_code == 200
    assert answer.json() == as_stored(PLAN)


def test_a_tenant_without_plan_says_what_to_run(client: TestClient) -> None:
    answer = client.get("/v1/plans/young")
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"
    assert "weathervane plan" in answer.json()["remedy"]


def test_an_unknown_tenant_leaves_no_trace(tmp_path: Path) -> None:
    root = tmp_path / "nothing"
    with TestClient(create_app(root, None, None), base_url=BASE) as client:
        assert client.get("/v1/tenants").json() == []
        answer = client.get("/v1/plans/acme")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "problem", "remedy"}
    assert not root.exists()


@pytest.mark.parametrize(
    "path",
    ["..", "../acme", "%2e%2e", "..%2f..%2fetc%2fpasswd", "acme%2f..", "acme/../young", "ACME", "a%00b", "a" * 64],
)
def test_path_tricks_find_nothing(client: TestClient, path: str) -> None:
    answer = client.get(f"/v1/plans/{path}")
    assert answer.status_code in {404, 422}
    assert set(answer.json()) == {"error", "problem", "remedy"}


@pytest.mark.parametrize("tenant", ["ACME", "a%00b", "a b", "a" * 64, "-acme"])
def test_what_cannot_be_a_tenant_id_is_said_so(client: TestClient, tenant: str) -> None:
    answer = client.get(f"/v1/plans/{tenant}")
    assert answer.status_code == 422
    assert answer.json()["error"] == "BadInput"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_only_reading_is_allowed(client: TestClient, method: str) -> None:
    answer: TestClient = getattr(client, method)("/v1/plans/acme")
    assert answer.status_code == 405
    assert answer.json()["error"] == "BadInput"


def test_a_broken_database_is_503_and_says_so(state: Path, client: TestClient) -> None:
    with sqlite3.connect(state / "weathervane.db") as database:
        database.execute("UPDATE plans SET document = '{}'")
    database.close()
    answer = client.get("/v1/plans/acme")
    assert answer.status_code == 503
    assert answer.json()["error"] == "StateUnusable"


def test_health_touches_no_state(tmp_path: Path) -> None:
    with TestClient(create_app(tmp_path / "nothing", None, None), base_url=BASE) as client:
        answer = client.get("/v1/health")
    assert answer.json()["status"] == "ok"
    assert answer.json()["version"]
    assert not (tmp_path / "nothing").exists()


def _every_error() -> list[type[WeatherVaneError]]:
    return [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, WeatherVaneError)]


def test_every_error_has_a_status() -> None:
    assert set(STATUS) == set(_every_error()) - {WeatherVaneError}
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize("error", list(STATUS), ids=lambda error: error.__name__)
def test_an_error_leaves_with_its_name_problem_and_remedy(tmp_path: Path, error: type[WeatherVaneError]) -> None:
    app = create_app(tmp_path, None, None)
    app.add_api_route("/v1/fails", _raising(error("It is broken.", "mend it.")))
    with TestClient(app, base_url=BASE) as client:
        answer = client.get("/v1/fails")
    assert answer.status_code == STATUS[error]
    assert answer.json() == {"error": error.__name__, "problem": "It is broken.", "remedy": "mend it."}


def test_what_nobody_foresaw_tells_the_browser_nothing(tmp_path: Path) -> None:
    app = create_app(tmp_path, None, None)
    app.add_api_route("/v1/fails", _raising(RuntimeError("the password is hunter2")))
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        answer = client.get("/v1/fails")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert set(answer.json()) == {"error", "problem", "remedy"}


def _raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
