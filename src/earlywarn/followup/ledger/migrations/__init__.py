"""The ledger's Alembic migrations; `earlywarn.followup.ledger.migrate` runs them."""
