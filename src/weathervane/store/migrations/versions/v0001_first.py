"""The first ledger: tenants, plans, forecasts, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the four tables."""
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.String(63), primary_key=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "plans",
        _owner(),
        sa.Column("plan_id", sa.String(200), primary_key=True),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("generated_at", sa.String(32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "forecasts",
        _owner(),
        sa.Column("forecast_id", sa.String(200), primary_key=True),
        sa.Column("issued_at", sa.String(32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "runs",
        _owner(),
        sa.Column("run_id", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("runs", "forecasts", "plans", "tenants"):
        op.drop_table(table)


def _owner() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.String(63), sa.ForeignKey("tenants.tenant_id"), primary_key=True)
