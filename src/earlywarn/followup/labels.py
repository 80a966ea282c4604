"""Outcomes that the ledger confirms go into the table `outcomes`: retraining needs no retyping.

They are one batch, replaced as a whole whenever the ledger says something else; what was loaded
from files stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa

from earlywarn.engine.duckdb import connect
from earlywarn.followup.ledger import Ledger, Outcome
from earlywarn.followup.ledger.outcomes import Known
from earlywarn.tables.batches import add_batch, read_batches
from earlywarn.tables.batchlist import LEDGER as ORIGIN
from earlywarn.tables.contract import TABLES
from earlywarn.tables.views import view_sql
from earlywarn.workspace import Workspace


def bring_back(workspace: Workspace, ledger: Ledger) -> int:
    """Make the ledger's outcomes the workspace's; return how many there are.

    The caller holds the workspace's lock. A ledger that says what it said before changes nothing.
    """
    found = ledger.outcomes(_from_files(workspace))
    rows = outcome_rows(found)
    content = hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()
    before = [batch for batch in read_batches(workspace).batches if batch.origin == ORIGIN]
    is_news = before[-1].content != content if before else bool(found)
    if is_news:
        add_batch(
            workspace,
            {"outcomes": rows},
            origin=ORIGIN,
            content=content,
            instead_of=[batch.id for batch in before],
        )
    return len(found)


def _from_files(workspace: Workspace) -> list[Known]:
    """Return who left and came back by what was loaded, without the ledger's own batch."""
    known = read_batches(workspace)
    loaded = [batch for batch in known.batches if batch.origin != ORIGIN]
    if not any(part.table == "outcomes" for batch in loaded for part in batch.parts):
        return []
    con = connect(workspace)
    try:
        sql = view_sql(workspace, known.model_copy(update={"batches": loaded}), TABLES["outcomes"])
        rows: list[Known] = con.execute(
            f"SELECT student_id, date, event FROM ({sql}) "
            "WHERE event IN ('suspected', 'dropped_out', 'returned')"
        ).fetchall()
    finally:
        con.close()
    return rows


def outcome_rows(found: Sequence[Outcome]) -> pa.Table:
    """Return outcomes as rows of the contract's table."""
    return pa.table(
        {
            "student_id": [outcome.student_id for outcome in found],
            "date": [outcome.date for outcome in found],
            "event": [outcome.event for outcome in found],
            "cause": [outcome.cause for outcome in found],
        },
        schema=TABLES["outcomes"].schema,
    )
