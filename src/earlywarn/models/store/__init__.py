"""Models on disk: folders checked by hash and schema, versions, promotion and rollback."""
