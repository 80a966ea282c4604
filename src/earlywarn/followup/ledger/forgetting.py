"""The only deletion: everything about one child, when the law or the family asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, select, update

from earlywarn.followup.ledger.chain import append, case_chain, drop, relink
from earlywarn.followup.ledger.schema import audit, cases, entries, settlements, unsettled
from earlywarn.followup.ledger.store import Stamp


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted."""

    cases: int
    entries: int
    unsettled: int


def forget(con: Connection, child: str, stamp: Stamp) -> Forgotten:
    """Delete all about `child`; see `Ledger.forget`."""
    whose = or_(cases.c.student_id == child, cases.c.person == child)
    ids = con.execute(select(cases.c.id).where(whose)).scalars().all()
    told = con.execute(delete(entries).where(entries.c.case_id.in_(ids))).rowcount
    con.execute(delete(cases).where(cases.c.id.in_(ids)))
    for case_id in ids:
        drop(con, case_chain(case_id))
    keys = select(unsettled.c.key).where(unsettled.c.student_id == child)
    con.execute(delete(settlements).where(settlements.c.key.in_(keys)))
    things = con.execute(delete(unsettled).where(unsettled.c.student_id == child)).rowcount
    con.execute(update(audit).where(audit.c.student_id == child).values(student_id=None))
    for table in (cases, unsettled, settlements, audit):
        relink(con, table)
    done = Forgotten(len(ids), told, things)
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
