"""Ledger: the database of tenants, plans, forecasts, settings and more; SQLite, or PostgreSQL by DATABASE_URL."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ForeignKey,
    NullPool,
    String,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from weathervane.contracts.errors import BadInput, StateUnusable
from weathervane.store.atomic import locked

HEAD = "0002"
_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as every process of ours takes the same one.
_MIGRATION_LOCK = 7_305_221
_ATTEMPTS = 600  # half a minute


class Row(DeclarativeBase):
    """Every row of the ledger belongs to a tenant."""


class TenantRow(Row):
    """A tenant, as the JSON of its contract."""

    __tablename__ = "tenants"

    tenant_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class PlanRow(Row):
    """A budget plan; making the same plan again replaces it."""

    __tablename__ = "plans"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    plan_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    as_of: Mapped[str] = mapped_column(String(10))
    generated_at: Mapped[str] = mapped_column(String(32))
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class ForecastRow(Row):
    """An issued forecast and the quality it was issued with; never changed."""

    __tablename__ = "forecasts"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    forecast_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    issued_at: Mapped[str] = mapped_column(String(32))
    document: Mapped[str] = mapped_column(Text)
    quality: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class RunRow(Row):
    """One run of a job or a command: `finished_at` is null while it runs, or if it was killed."""

    __tablename__ = "runs"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(63))
    started_at: Mapped[str] = mapped_column(String(32))
    finished_at: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(Text)


class SettingsRow(Row):
    """One version of a tenant's automation settings; never changed, so that the history stays."""

    __tablename__ = "automation_settings"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class ApprovalRow(Row):
    """A person's approval of exactly one content of a plan; never changed."""

    __tablename__ = "plan_approvals"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    plan_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    plan_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class ScenarioRow(Row):
    """One version of a saved scenario."""

    __tablename__ = "scenarios"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    scenario_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


def sha256(document: str) -> str:
    """The hash of a document's UTF-8 bytes."""
    return hashlib.sha256(document.encode()).hexdigest()


@contextmanager
def transaction(database_url: str) -> Generator[Session]:
    """A session that commits at the end and rolls back on any error; the schema is brought up to date first.

    Raises StateUnusable where the database cannot be reached, read or written.
    """
    try:
        with Session(_engine(database_url), expire_on_commit=False) as session, session.begin():
            yield session
    except DBAPIError as error:
        raise _unreachable(database_url, error) from error


def upgrade(connection: Connection) -> None:
    """Runs every migration the database lacks, on this connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@cache
def _engine(database_url: str) -> Engine:
    try:
        url = _with_driver(make_url(database_url))
        engine = _make_engine(url)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise BadInput(
            f"DATABASE_URL cannot be used: {error}.",
            "write postgresql://user:password@host/name (with `pip install weathervane[postgres]`), or leave it unset.",
        ) from error
    try:
        _bring_up_to_date(engine, url)
    except SQLAlchemyError as error:
        raise _unreachable(database_url, error) from error
    return engine


def _with_driver(url: URL) -> URL:
    """`postgresql://` and `postgres://`, as platforms write them, mean the psycopg driver."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _make_engine(url: URL) -> Engine:
    if url.get_backend_name() not in {"postgresql", "sqlite"}:
        raise ArgumentError(f"{url.get_backend_name()} is neither PostgreSQL nor SQLite")
    # A connection opens in milliseconds, and none is left behind for a fork or an interpreter's end to trip over.
    engine = create_engine(url, poolclass=NullPool)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:  # the driver's own connection
    for pragma in ("busy_timeout=30000", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _bring_up_to_date(engine: Engine, url: URL) -> None:
    """Migrates the database unless it is at HEAD; one process at a time, the others wait."""
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "weathervane.db")
        with locked(file.with_name(f".{file.name}.lock")):
            _use_write_ahead_log(engine)
            with engine.begin() as connection:
                _migrate(connection)
        return
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        _migrate(connection)


def _use_write_ahead_log(engine: Engine) -> None:
    """Readers and a writer at once, kept in the file from then on."""
    for attempt in range(_ATTEMPTS):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError:
            # The switch wants the file alone and does not wait for it: someone has just opened it to look.
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.05)
        else:
            return


def _migrate(connection: Connection) -> None:
    version = _version(connection)
    if version is not None and version > HEAD:
        raise StateUnusable(
            f"The database was made by a newer WeatherVane (schema {version}, this one knows {HEAD}).",
            "upgrade WeatherVane, or point DATABASE_URL or --state elsewhere.",
        )
    if version != HEAD:
        upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _unreachable(database_url: str, error: Exception) -> StateUnusable:
    shown = make_url(database_url).render_as_string(hide_password=True)
    reason = str(getattr(error, "orig", error)).strip().splitlines()
    return StateUnusable(
        f"The database {shown} cannot be used: {reason[0] if reason else type(error).__name__}.",
        "check DATABASE_URL, that the server runs, and the disk.",
    )
