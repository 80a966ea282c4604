"""What Alembic runs: the migrations, on the connection and inside the transaction it is handed."""

from alembic import context

from earlywarn.followup.ledger.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
