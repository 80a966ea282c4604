"""The only deletion: everything about one child, when the law or the family asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from earlywarn.followup.ledger.chain import (
    append,
    birth,
    case_chain,
    drop,
    relink,
    relink_case,
)
from earlywarn.followup.ledger.schema import (
    BOOKS,
    audit,
    cases,
    entries,
    imports,
    inspection_done,
    inspection_orders,
    inspections,
    settlements,
    unsettled,
)
from earlywarn.followup.ledger.store import Stamp

# Where people write freely, of others too.
_FREE: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (entries, ("value", "typed", "source")),
    (imports, ("file",)),
    (unsettled, ("file", "typed", "zh", "en")),
    (settlements, ("value",)),
    (audit, ("object",)),
    (inspections, ("note",)),
    (inspection_orders, ("text",)),
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted, or is there to delete; `looks` are audit lines that named the child."""

    cases: int
    entries: int
    unsettled: int
    looks: int


def _whose(child: str) -> ColumnElement[bool]:
    return or_(cases.c.student_id == child, cases.c.person == child)


def held(con: Connection, child: str) -> Forgotten:
    """Return how much there is about `child`."""
    ids = select(cases.c.id).where(_whose(child))
    counts = (
        select(func.count()).select_from(cases).where(_whose(child)),
        select(func.count()).select_from(entries).where(entries.c.case_id.in_(ids)),
        select(func.count()).select_from(unsettled).where(unsettled.c.student_id == child),
        select(func.count()).select_from(audit).where(audit.c.student_id == child),
    )
    return Forgotten(*(con.execute(count).scalar_one() for count in counts))


def people(con: Connection, besides: str) -> set[str]:
    """Return everybody's name but that of `besides`: children, leaders, users, inspectors."""
    assigned = select(entries.c.value).where(entries.c.kind == "assign")
    queries = (
        select(cases.c.person).where(cases.c.person != besides),
        select(cases.c.opened_by),
        select(entries.c.who),
        assigned,
        select(inspections.c.inspected_by),
        select(inspections.c.signed_by),
        select(inspection_done.c.done_by),
    )
    return {name for query in queries for name in con.execute(query.distinct()).scalars() if name}


def forget(
    con: Connection, child: str, stamp: Stamp, struck: Callable[[str], str] = str
) -> Forgotten:
    """Delete all about `child`; see `Ledger.forget`."""
    ids = con.execute(select(cases.c.id).where(_whose(child))).scalars().all()
    told = con.execute(delete(entries).where(entries.c.case_id.in_(ids))).rowcount
    con.execute(delete(cases).where(cases.c.id.in_(ids)))
    for case_id in ids:
        drop(con, case_chain(case_id))
    keys = select(unsettled.c.key).where(unsettled.c.student_id == child)
    con.execute(delete(settlements).where(settlements.c.key.in_(keys)))
    things = con.execute(delete(unsettled).where(unsettled.c.student_id == child)).rowcount
    named = con.execute(update(audit).where(audit.c.student_id == child).values(student_id=None))
    changed = _strike(con, struck)
    done = Forgotten(len(ids), told, things, named.rowcount)
    if not (ids or things or done.looks or changed):
        return done
    for table in BOOKS:
        relink(con, table)
    note = {
        "at": stamp.at,
        "who": stamp.who,
        "role": "",
        "action": "forget",
        "object": f"{done.cases} cases, {done.entries} entries, {done.unsettled} to settle",
        "rows": done.cases + done.entries + done.unsettled,
    }
    append(con, audit, [note])
    return done


def _strike(con: Connection, struck: Callable[[str], str]) -> int:
    """Strike the child out of what was written of others; return how many rows that changed."""
    changed = 0
    touched = set()
    for table, columns in _FREE:
        keys = list(table.primary_key.columns)
        query = select(*keys, *(table.c[name] for name in columns))
        for row in con.execute(query).mappings().all():
            new = {name: struck(row[name]) for name in columns if row[name] is not None}
            new = {name: text for name, text in new.items() if text != row[name]}
            if new:
                where = [key == row[key.name] for key in keys]
                con.execute(update(table).where(*where).values(new))
                changed += 1
                if table is entries:
                    touched.add(row["case_id"])
    for case in con.execute(select(cases).where(cases.c.id.in_(touched))).mappings().all():
        relink_case(con, case["id"], birth(case))
    return changed
