"""Chains of rows: each row's hash covers the row before it, so that no change goes unseen.

`append` adds rows to a chain and moves its end in `chains`; `faults` follows a chain from its
beginning; `relink` is for `forget` alone, which takes rows out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from earlywarn.errors import Text
from earlywarn.followup.ledger.schema import Row, cases, chains, entries


def digest(*parts: Any) -> str:
    """Return the SHA-256 of `parts` (text, numbers, dates, None) as one canonical JSON list."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), default=_plain)
    # A lone surrogate out of a damaged workbook has no UTF-8.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _hash(table: Table, before: str, row: Row) -> str:
    content = [[c.name, row[c.name]] for c in table.columns if c.name != "hash"]
    return digest(before, content)


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _kept(value: Any) -> Any:
    """Return text without what no database stores: NUL and halves of surrogate pairs."""
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


def birth(case: Row) -> str:
    """Return the hash that the chain of a case's entries begins with: of the case's own content."""
    return _hash(cases, "", case)


def case_chain(case_id: int) -> str:
    """Return the name of the chain of a case's entries."""
    return f"case:{case_id}"


def append(
    con: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    chain: str = "",
    first: str = "",
) -> list[dict[str, Any]]:
    """Add `rows` to the end of a chain, numbered and hashed; return them as they were stored.

    `chain` is the table's own name if empty. A new chain begins after the hash `first`.
    """
    if not rows:
        return []
    chain = chain or table.name
    number = "seq" if table is entries else "id"
    head = con.execute(select(chains).where(chains.c.name == chain)).mappings().first()
    last, count, before = (head["last"], head["rows"], head["hash"]) if head else (0, 0, first)
    made = []
    for row in rows:
        last, count = last + 1, count + 1
        full = {column.name: _kept(row.get(column.name)) for column in table.columns}
        full[number] = last
        before = full["hash"] = _hash(table, before, full)
        made.append(full)
    con.execute(insert(table), made)
    _set_head(con, chain, last, count, before, known=head is not None)
    return made


def _set_head(con: Connection, chain: str, last: int, rows: int, end: str, *, known: bool) -> None:
    values = {"last": last, "rows": rows, "hash": end}
    if known:
        con.execute(update(chains).where(chains.c.name == chain).values(values))
    else:
        con.execute(insert(chains).values(name=chain, **values))


def faults(
    table: Table, chain: str, rows: Iterable[Row], head: Row | None, first: str = ""
) -> list[Text]:
    """Follow the chain `rows` (in order) from `first` to `head`; return what does not fit.

    After a fault it goes on from the hash as stored, so that one changed row is told once.
    """
    number = "seq" if table is entries else "id"
    before, count, last, found = first, 0, 0, []
    for row in rows:
        count, last = count + 1, row[number]
        if _hash(table, before, row) != row["hash"]:
            found.append(
                Text(
                    f"{chain} 第 {last} 行或它前面的一行被改动或删除。",
                    f"row {last} of {chain}, or the one before it, was changed or deleted.",
                )
            )
        before = row["hash"]
    rows_kept, end = (head["rows"], head["hash"]) if head else (0, first)
    if (rows_kept, end) != (count, before):
        found.append(
            Text(
                f"{chain} 应有 {rows_kept} 行，现有 {count} 行，末尾对不上。",
                f"{chain} should have {rows_kept} rows; it has {count}, and its end does not fit.",
            )
        )
    return found


def relink(con: Connection, table: Table) -> None:
    """Hash the rows of a table's chain anew, after `forget` has taken some out.

    The numbers stay, and the last one used is remembered: none is given twice.
    """
    rows = con.execute(select(table).order_by(table.c.id)).mappings().all()
    _relink(con, table, table.name, rows, "")


def relink_case(con: Connection, case_id: int, first: str) -> None:
    """Hash a case's entries anew, from the hash `first`, after `forget` has struck words out."""
    query = select(entries).where(entries.c.case_id == case_id).order_by(entries.c.seq)
    _relink(con, entries, case_chain(case_id), con.execute(query).mappings().all(), first)


def _relink(con: Connection, table: Table, chain: str, rows: Sequence[Row], before: str) -> None:
    head = con.execute(select(chains).where(chains.c.name == chain)).mappings().first()
    if head is None:
        return
    for row in rows:
        before = _hash(table, before, row)
        if before != row["hash"]:
            where = [key == row[key.name] for key in table.primary_key.columns]
            con.execute(update(table).where(*where).values(hash=before))
    _set_head(con, chain, head["last"], len(rows), before, known=True)


def drop(con: Connection, chain: str) -> None:
    """Take a chain's end out, when all of its rows are taken out."""
    con.execute(delete(chains).where(chains.c.name == chain))
