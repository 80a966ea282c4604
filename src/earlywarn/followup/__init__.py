"""Follow-up: the ledger of cases, what is due, and what schools send back."""
