"""The page comes from the same origin, with headers that let it load its own files and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from conftest import BASE
from weathervane.api.app import create_app


@pytest.mark.parametrize("path", ["/", "/index.html", "/scenarios", "/plan/acme"])
def test_pages_are_the_app_and_are_asked_for_again(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "<title>WeatherVane</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_hashed_assets_are_kept_for_ever(client: TestClient) -> None:
    answer = client.get("/assets/index-4f3a.js")
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/assets/gone", "/missing.svg", "/v1/nothing", "/v1", "/%2e%2e/state/x.db"]
)
def test_what_is_not_there_is_not_the_app(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"


def test_files_beside_the_build_are_out_of_reach(client: TestClient, web: Path) -> None:
    (web.parent / "secret.txt").write_text("hunter2", "utf-8")
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"):
        assert "hunter2" not in client.get(path).text


def test_without_a_build_one_sentence_says_what_to_run(tmp_path: Path) -> None:
    with TestClient(create_app(tmp_path, None, tmp_path / "no-dist"), base_url=BASE) as client:
        answer = client.get("/")
    assert answer.status_code == 404
    assert "make serve" in answer.text


@pytest.mark.parametrize("path", ["/", "/v1/tenants", "/v1/plans/nobody", "/assets/gone.js"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "cache-control" in headers


def test_answers_of_the_api_are_not_stored(client: TestClient) -> None:
    assert client.get("/v1/plans/acme").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "192.168.0.7:8787", ""])
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/v1/tenants", headers={"host": host})
    assert answer.status_code == 400
    assert "Acme" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8787", "127.0.0.1:9"])
def test_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get("/v1/tenants", headers={"host": host}).status_code == 200


def test_the_service_starts_without_jax() -> None:
    code = (
        "import sys; from pathlib import Path; from weathervane.api.app import create_app; "
        "create_app(Path('state'), None, None); "
        "print([name for name in ('jax', 'numpyro', 'weathervane.model') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
