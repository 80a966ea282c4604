"""Is the ledger whole: nothing changed, nothing deleted, nothing that refers to nothing?"""

from __future__ import annotations

from collections import defaultdict
from typing import get_args

from sqlalchemy import Connection, Table, select

from earlywarn.errors import Text
from earlywarn.followup.ledger.chain import birth, case_chain, faults
from earlywarn.followup.ledger.inspections import Result
from earlywarn.followup.ledger.schema import (
    BOOKS,
    Row,
    cases,
    chains,
    entries,
    imports,
    inspection_done,
    inspection_orders,
    inspections,
    settlements,
    unsettled,
)
from earlywarn.followup.ledger.views import Because, CaseKind, EntryKind
from earlywarn.followup.states import State

_REFERENCES = (
    (entries, "case_id", cases, "id"),
    (unsettled, "sha256", imports, "sha256"),
    (settlements, "key", unsettled, "key"),
    (inspection_orders, "inspection_id", inspections, "id"),
    (inspection_done, "order_id", inspection_orders, "id"),
)
_STATES = frozenset(State)


def check(con: Connection) -> list[Text]:
    """Return everything that is wrong with the ledger; nothing if it is whole."""
    found = _database(con)
    heads: dict[str, Row] = {row["name"]: row for row in con.execute(select(chains)).mappings()}
    for table in BOOKS:
        rows = con.execute(select(table).order_by(table.c.id)).mappings().all()
        found += faults(table, table.name, rows, heads.pop(table.name, None))
    told: dict[int, list[Row]] = defaultdict(list)
    for row in con.execute(select(entries).order_by(entries.c.case_id, entries.c.seq)).mappings():
        told[row["case_id"]].append(row)
    for case in con.execute(select(cases).order_by(cases.c.id)).mappings().all():
        name = case_chain(case["id"])
        lines = told.pop(case["id"], [])
        found += faults(entries, name, lines, heads.pop(name, None), birth(case))
        found += _vocabulary(case, lines)
    found += [
        Text(f"{name} 的记录全部不见了。", f"All of {name} is missing.") for name in sorted(heads)
    ]
    found += _results(con)
    for table, column, other, key in _REFERENCES:
        found += _orphans(con, table, column, other, key)
    return found


def _database(con: Connection) -> list[Text]:
    """Ask SQLite whether its own file is whole; PostgreSQL has checksums of its own."""
    if con.dialect.name != "sqlite":
        return []
    said = con.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    if said == ["ok"]:
        return []
    return [
        Text("数据库文件已损坏，请从备份恢复。", "The database file is damaged; restore a backup.")
    ]


def _vocabulary(case: Row, rows: list[Row]) -> list[Text]:
    """Return what no program of this version writes: unknown kinds, states and reasons."""
    wrong = [] if case["kind"] in get_args(CaseKind) else [0]
    for row in rows:
        known = row["kind"] in get_args(EntryKind)
        known = known and (row["kind"] != "state" or row["value"] in _STATES)
        known = known and (row["kind"] != "closed" or row["value"] in get_args(Because))
        wrong += [] if known else [row["seq"]]
    return [
        Text(
            f"个案 {case['id']} 第 {seq} 条的类型或状态不是本程序写的。",
            f"Entry {seq} of case {case['id']} has a kind or state that this program never writes.",
        )
        for seq in wrong
    ]


def _results(con: Connection) -> list[Text]:
    """Return the inspections whose result no program of this version writes."""
    wrong = inspections.c.result.not_in(get_args(Result))
    query = select(inspections.c.id).where(wrong).order_by(inspections.c.id)
    return [
        Text(
            f"督导记录 {number} 的结果不是本程序写的。",
            f"Inspection {number} has a result that this program never writes.",
        )
        for number in con.execute(query).scalars()
    ]


def _orphans(con: Connection, table: Table, column: str, other: Table, key: str) -> list[Text]:
    known = select(other.c[key])
    query = select(table.c[column]).where(table.c[column].not_in(known)).distinct()
    return [
        Text(
            f"{table.name} 提到的 {other.name} {value} 不存在。",
            f"{table.name} refers to {other.name} {value}, which is not there.",
        )
        for value in con.execute(query.order_by(table.c[column])).scalars()
    ]
