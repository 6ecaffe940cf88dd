"""Scenarios: each tenant's kept scenarios, every version of them."""

from __future__ import annotations

from sqlalchemy import delete, select

from weathervane.contracts.errors import BadInput, NotFound
from weathervane.contracts.scenario import SavedScenario, check_scenario_id
from weathervane.store.ledger import ScenarioRow, TenantRow, sha256, transaction
from weathervane.store.paths import Store
from weathervane.store.results import from_json, intact, need_tenant, same_tenant, to_json


def keep_scenario(store: Store, saved: SavedScenario) -> SavedScenario:
    """Stores one version; BadInput where that version is there already with other content."""
    same_tenant(store, saved.tenant_id)
    document = to_json(saved)
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        row = session.get(ScenarioRow, (store.tenant_id, saved.scenario_id, saved.version))
        if row is None:
            session.add(
                ScenarioRow(
                    tenant_id=store.tenant_id,
                    scenario_id=saved.scenario_id,
                    version=saved.version,
                    document=document,
                    sha256=sha256(document),
                )
            )
        elif row.document != document:
            raise BadInput(
                f"Version {saved.version} of {saved.scenario_id!r} is there already.",
                "load the newest one and try again.",
            )
    return saved


def scenario(store: Store, scenario_id: str, version: int | None = None) -> SavedScenario:
    """The tenant's scenario of that id, its newest version if none is named; NotFound if there is none."""
    found = versions(store, scenario_id)
    chosen = [one for one in found if version in (None, one.version)]
    if not chosen:
        raise NotFound(f"{store.tenant_id!r} has no version {version} of {scenario_id!r}.", "leave the version out.")
    return chosen[-1]


def versions(store: Store, scenario_id: str) -> list[SavedScenario]:
    """Every version of one scenario, oldest first; NotFound if there is none."""
    check_scenario_id(scenario_id)
    chosen = select(ScenarioRow).where(ScenarioRow.tenant_id == store.tenant_id, ScenarioRow.scenario_id == scenario_id)
    with transaction(store.database_url) as session:
        rows = session.scalars(chosen.order_by(ScenarioRow.version)).all()
    if not rows:
        raise NotFound(f"{store.tenant_id!r} has no scenario {scenario_id!r}.", "see `weathervane scenario list`.")
    return [_saved(row) for row in rows]


def scenarios(store: Store) -> list[SavedScenario]:
    """The newest version of each of the tenant's scenarios, the last changed first."""
    chosen = select(ScenarioRow).where(ScenarioRow.tenant_id == store.tenant_id).order_by(ScenarioRow.version)
    with transaction(store.database_url) as session:
        rows = session.scalars(chosen).all()
    newest = {row.scenario_id: row for row in rows}
    found = [_saved(row) for row in newest.values()]
    return sorted(found, key=lambda one: (one.updated_at, one.scenario_id), reverse=True)


def delete_scenario(store: Store, scenario_id: str) -> None:
    """Removes a scenario with every version; NotFound if there is none."""
    versions(store, scenario_id)
    with transaction(store.database_url) as session:
        session.execute(
            delete(ScenarioRow).where(ScenarioRow.tenant_id == store.tenant_id, ScenarioRow.scenario_id == scenario_id)
        )


def _saved(row: ScenarioRow) -> SavedScenario:
    return from_json(SavedScenario, intact(row.document, row.sha256))
