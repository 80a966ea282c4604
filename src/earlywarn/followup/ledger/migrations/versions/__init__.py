"""One file a migration; `earlywarn.followup.ledger.schema.REVISIONS` names them in order."""
