"""Automation: each tenant's settings with their history, and the approvals of its plans."""

from __future__ import annotations

from sqlalchemy import select

from weathervane.contracts.automation import Approval, AutomationSettings, SettingsVersion
from weathervane.contracts.plan import BudgetPlan
from weathervane.store.ledger import ApprovalRow, SettingsRow, TenantRow, sha256, transaction
from weathervane.store.paths import Store
from weathervane.store.results import from_json, intact, need_tenant, plan_sha256, same_tenant, to_json


def settings(store: Store) -> SettingsVersion:
    """The tenant's settings of now; version 0, manual and without consent, where nobody has chosen any."""
    kept = history(store)
    return kept[-1] if kept else SettingsVersion(store.tenant_id, 0, None, None, AutomationSettings())


def history(store: Store) -> list[SettingsVersion]:
    """Every version of the tenant's settings, oldest first. NotFound without the tenant."""
    chosen = select(SettingsRow).where(SettingsRow.tenant_id == store.tenant_id).order_by(SettingsRow.version)
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        rows = session.scalars(chosen).all()
    return [from_json(SettingsVersion, intact(row.document, row.sha256)) for row in rows]


def keep_settings(store: Store, chosen: AutomationSettings, *, at: str, by: str) -> SettingsVersion:
    """The settings as the newest version; the same ones again change nothing."""
    before = settings(store)
    if before.version and before.settings == chosen:
        return before
    kept = SettingsVersion(store.tenant_id, before.version + 1, at, by, chosen)
    document = to_json(kept)
    with transaction(store.database_url) as session:
        # Two people at once: the second's version is taken already, and the database refuses it.
        session.add(
            SettingsRow(tenant_id=store.tenant_id, version=kept.version, document=document, sha256=sha256(document))
        )
    return kept


def keep_approval(store: Store, approval: Approval) -> Approval:
    """Stores an approval; what is approved already stays as it was first approved, and that approval is returned."""
    same_tenant(store, approval.tenant_id)
    document = to_json(approval)
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        row = session.get(ApprovalRow, (store.tenant_id, approval.plan_id, approval.plan_sha256))
        if row is not None:
            return _approval_of(row)
        session.add(
            ApprovalRow(
                tenant_id=store.tenant_id,
                plan_id=approval.plan_id,
                plan_sha256=approval.plan_sha256,
                at=approval.at,
                document=document,
                sha256=sha256(document),
            )
        )
    return approval


def approval_of(store: Store, plan: BudgetPlan) -> Approval | None:
    """The approval of exactly this plan; else the last one of another plan under its id; None if there is none."""
    chosen = select(ApprovalRow).where(ApprovalRow.tenant_id == store.tenant_id, ApprovalRow.plan_id == plan.plan_id)
    with transaction(store.database_url) as session:
        rows = session.scalars(chosen.order_by(ApprovalRow.at)).all()
    found = [_approval_of(row) for row in rows]
    exact = [one for one in found if one.plan_sha256 == plan_sha256(plan)]
    return next(iter(exact + found[::-1]), None)


def _approval_of(row: ApprovalRow) -> Approval:
    return from_json(Approval, intact(row.document, row.sha256))
