"""What Alembic runs: the migrations, on the connection the ledger hands over."""

from __future__ import annotations

from alembic import context

from weathervane.store.ledger import Row

# SQLite alters a table by copying it, which Alembic does only when asked to.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Row.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
