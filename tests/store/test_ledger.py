"""Ledger: documents come back as they went in, on both databases, and no tenant sees another's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from store_documents import forecast, plan, quality, tenant

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.store import ledger, results
from weathervane.store.paths import Store, look_at_store, open_store


def test_what_is_kept_comes_back(store: Store) -> None:
    results.keep_tenant(store, tenant())
    results.keep_plan(store, plan())
    results.keep_forecast(store, forecast(), quality())
    assert results.tenant(store) == tenant()
    assert results.latest_plan(store) == plan()
    assert results.plan(store, "plan-1") == plan()
    assert results.latest_forecast(store) == (forecast(), quality())
    (summary,) = results.tenants(store.root, store.database_url)
    assert (summary.tenant_id, summary.has_plan, summary.plan_as_of) == ("acme", True, date(2024, 6, 1))


def test_the_latest_plan_is_of_the_latest_day_and_the_same_plan_replaces_itself(store: Store) -> None:
    results.keep_tenant(store, tenant())
    newer = replace(plan(), plan_id="plan-2", as_of=date(2024, 6, 8))
    for one in (newer, plan(), replace(newer, sentence="Made again.")):
        results.keep_plan(store, one)
    assert results.latest_plan(store).sentence == "Made again."
    with ledger.transaction(store.database_url) as session:
        assert session.execute(text("SELECT count(*) FROM plans")).scalar() == 2


def test_a_forecast_never_changes(store: Store) -> None:
    results.keep_tenant(store, tenant())
    results.keep_forecast(store, forecast(), quality())
    results.keep_forecast(store, forecast(), quality())
    with pytest.raises(BadInput, match="never change"):
        results.keep_forecast(store, replace(forecast(), note="other"), quality())
    with pytest.raises(BadInput, match="never change"):
        results.keep_forecast(store, forecast(), replace(quality(), coverage_80=0.1))
    assert results.latest_forecast(store) == (forecast(), quality())


def test_no_tenant_sees_another(store: Store) -> None:
    other = open_store(store.root, "other", store.database_url)
    results.keep_tenant(store, tenant())
    results.keep_plan(store, plan())
    results.keep_forecast(store, forecast(), quality())
    results.keep_run(store, results.Run("r1", "nightly", "2024-06-01T00:00:00Z", None, "running", {}))
    results.keep_tenant(other, tenant("other"))
    for ask in (results.latest_plan, results.latest_forecast):
        with pytest.raises(NotFound, match="run `weathervane"):
            ask(other)
    with pytest.raises(NotFound):
        results.plan(other, "plan-1")
    assert results.runs(other, "nightly") == []
    for keep in (
        lambda: results.keep_plan(other, plan()),
        lambda: results.keep_forecast(other, forecast(), quality()),
        lambda: results.keep_tenant(other, tenant()),
    ):
        with pytest.raises(BadInput, match="store of 'other'"):
            keep()


def test_runs_are_kept_once_and_newest_first(store: Store) -> None:
    results.keep_tenant(store, tenant())
    first = results.Run("r1", "nightly", "2024-06-01T00:00:00Z", None, "running", {"step": "refresh"})
    second = results.Run("r2", "nightly", "2024-06-02T00:00:00Z", None, "running", {})
    done = replace(first, finished_at="2024-06-01T00:10:00Z", status="done")
    for run in (first, second, done):
        results.keep_run(store, run)
    assert results.runs(store, "nightly") == [second, done]
    assert results.runs(store, "other") == []


def test_nothing_is_kept_for_a_tenant_that_is_not_set_up(store: Store) -> None:
    with pytest.raises(NotFound, match="no tenant 'acme'"):
        results.keep_plan(store, plan())
    with pytest.raises(StateUnusable, match=r"(?i)foreign key"), ledger.transaction(store.database_url) as session:  # noqa: PT012
        session.add(ledger.RunRow(tenant_id="acme", run_id="r", kind="k", started_at="", status="", detail="{}"))
        session.flush()


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with ledger.transaction(store.database_url) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, ledger.Row.metadata) == []


def test_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(ledger._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == ledger.HEAD


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with ledger.transaction(store.database_url) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ledger._engine.cache_clear()
    with pytest.raises(StateUnusable, match="newer"):
        results.tenant(store)


def test_a_document_changed_behind_our_back_is_refused(store: Store) -> None:
    results.keep_tenant(store, tenant())
    with ledger.transaction(store.database_url) as session:
        session.execute(text("UPDATE tenants SET document = replace(document, 'Acme', 'Evil')"))
    with pytest.raises(StateUnusable, match="hash"):
        results.tenant(store)


OPENER = """
import sys
from pathlib import Path
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.paths import open_store
store = open_store(Path(sys.argv[1]), sys.argv[2], sys.argv[3] or None)
results.keep_tenant(store, Tenant(sys.argv[2], "x", "USD", demo=False))
"""


def test_two_processes_open_a_new_database_at_once(tmp_path: Path, database_url: str | None) -> None:
    command = [sys.executable, "-c", OPENER, str(tmp_path)]
    both = [subprocess.Popen([*command, name, database_url or ""]) for name in ("one", "two")]
    assert [process.wait(120) for process in both] == [0, 0]
    assert [one.tenant_id for one in results.tenants(tmp_path, database_url)] == ["one", "two"]


def test_looking_makes_nothing(tmp_path: Path) -> None:
    nowhere = look_at_store(tmp_path / "none", "acme")
    assert results.tenants(nowhere.root) == []
    assert results.find_tenant(nowhere) is None
    assert not nowhere.root.exists()


def test_a_database_out_of_reach_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    store = open_store(tmp_path, "acme", "postgresql://me:hunter2@127.0.0.1:1/none")
    with pytest.raises(StateUnusable, match="DATABASE_URL") as caught:
        results.tenant(store)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(store)
    for url in ("mysql://x/y", "nonsense"):
        with pytest.raises(BadInput, match="DATABASE_URL"):
            results.tenant(open_store(tmp_path, "acme", url))


def test_a_state_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "state", Path("/proc/state")):
        with pytest.raises(StateUnusable, match="--state"):
            open_store(place, "acme")
    with pytest.raises(BadInput, match="tenant id"):
        open_store(tmp_path, "../up")


def test_json_is_canonical(store: Store) -> None:
    text_ = results.to_json(plan())
    assert results.to_json(results.from_json(type(plan()), text_)) == text_
    assert text_.endswith("}\n")
    whole = results.to_json(quality())
    assert results.to_json(replace(quality(), coverage_80=1)) == results.to_json(replace(quality(), coverage_80=1.0))
    assert whole == results.to_json(quality())
    with pytest.raises(BadInput, match="not finite"):
        results.to_json(replace(quality(), coverage_80=float("nan")))
    with pytest.raises(StateUnusable, match="ForecastQuality"):
        results.from_json(type(quality()), "{}")
