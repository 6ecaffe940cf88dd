"""Automation settings, approvals of plans, and saved scenarios."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "automation_settings",
        _owner(),
        sa.Column("version", sa.Integer(), primary_key=True),
        *_document(),
    )
    op.create_table(
        "plan_approvals",
        _owner(),
        sa.Column("plan_id", sa.String(200), primary_key=True),
        sa.Column("plan_sha256", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        *_document(),
    )
    op.create_table(
        "scenarios",
        _owner(),
        sa.Column("scenario_id", sa.String(63), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        *_document(),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("scenarios", "plan_approvals", "automation_settings"):
        op.drop_table(table)


def _owner() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.String(63), sa.ForeignKey("tenants.tenant_id"), primary_key=True)


def _document() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("document", sa.Text(), nullable=False), sa.Column("sha256", sa.String(64), nullable=False)
