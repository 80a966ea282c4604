"""Nothing is deleted but by `forget`; whatever else is changed or deleted is found."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, insert, update

from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import writing
from earlywarn.followup.ledger.schema import audit, cases, chains, entries, imports, unsettled
from earlywarn.workspace import Workspace
from followup_ledgers import answer, ledger, place, returned, unread

__all__ = ["ledger", "place"]  # fixtures


def test_forget_is_the_only_deletion_and_leaves_no_name(ledger: Ledger, place: Workspace) -> None:
    for student in ("S-KEPT", "S-FORGOTTEN"):
        book = returned(
            answer(student, "where", "at_home"),
            answer(student, "where", "working", "K8"),
            unread=(unread("PRIVATE", student=student),) if student == "S-FORGOTTEN" else (),
            sha=student[2].lower(),
        )
        ledger.merge(book, who="u")
        ledger.audit("case", "one case", who="u", role="county", student_id=student, rows=1)
    item = next(i for i in ledger.unsettled() if i.student_id == "S-FORGOTTEN")
    ledger.settle(item.key, "working", who="u")
    done = ledger.forget("S-FORGOTTEN", who="u")
    assert (done.cases, done.entries, done.unsettled) == (1, 3, 2)
    assert [c.student_id for c in ledger.cases()] == ["S-KEPT"]
    assert {i.student_id for i in ledger.unsettled(settled=True)} == {"S-KEPT"}
    log = ledger.audited()
    assert [(a.action, a.student_id) for a in log] == [
        ("case", "S-KEPT"),
        ("case", None),
        ("forget", None),
    ]
    assert ledger.check() == ()
    file = place.root / "ledger.db"
    if file.exists():  # not even in the file's free pages
        assert b"S-FORGOTTEN" not in file.read_bytes()
        assert b"PRIVATE" not in file.read_bytes()
    # The ledger goes on: no number is given twice.
    ledger.merge(returned(answer("S3", "where", "at_home"), sha="d"), who="u")
    assert [c.id for c in ledger.cases()] == [1, 3]
    assert ledger.check() == ()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (entries, update(entries).where(entries.c.seq == 1).values(value="family")),
        (entries, update(entries).where(entries.c.seq == 2).values(happened_on=date(2026, 1, 1))),
        (entries, delete(entries).where(entries.c.seq == 1)),
        (entries, delete(entries).where(entries.c.seq == 2)),
        (entries, delete(entries)),
        (cases, update(cases).values(opened_on=date(2026, 1, 1))),
        (audit, delete(audit)),
        (audit, update(audit).values(rows=0)),
        (unsettled, delete(unsettled)),
        (unsettled, update(unsettled).values(typed="")),
        (imports, update(imports).values(answers=0)),
        (chains, update(chains).where(chains.c.name == "case:1").values(rows=1)),
        (chains, delete(chains).where(chains.c.name == "case:1")),
        (
            chains,
            insert(chains).values(name="case:7", last=1, rows=1, hash="0" * 64),
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_tampering_is_found(ledger: Ledger, table: object, change: object) -> None:
    book = returned(
        answer("S1", "cause", "work"), answer("S1", "where", "at_home"), unread=(unread("?"),)
    )
    ledger.merge(book, who="u")
    ledger.audit("export", "watchlist", who="u", role="county", rows=12, sha256="0" * 64)
    assert ledger.check() == ()
    with writing(ledger.engine) as con:
        con.execute(change)  # type: ignore[call-overload]
    assert ledger.check() != ()
