"""What Alembic runs: every revision, inside the transaction that it was handed."""

from alembic import context

from vault.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
