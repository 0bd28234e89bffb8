"""Alembic's entry: works on the connection (in the transaction) that `store.migrate` hands over."""

from alembic import context

from store.migrate import options
from store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, **options)
with context.begin_transaction():
    context.run_migrations()
