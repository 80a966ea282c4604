"""A child is forgotten where the ledger is on a real PostgreSQL."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.followup.ledger.connect import ledger_url
from earlywarn.forgetting import forget
from earlywarn.workspace import Workspace
from followup_ledgers import READ_ON, answer, returned, unread, workspace_on
from forgetting_world import CHILD, NAME, NEEDLES, TWIN, holding, load_registry, registry, tables
from scoring_city import load

DAY = date(2026, 4, 3)
PERSON = "买买提·艾力"


@pytest.fixture
def county(tmp_path: Path) -> Workspace:
    """The village with a ledger on PostgreSQL that names the child wherever a ledger may."""
    workspace = workspace_on("postgresql", tmp_path / "某县 2026")
    for table, content in tables().items():
        load(workspace, table, content)
    load_registry(workspace, registry(tmp_path / "名册.csv"))
    with Ledger.open(workspace) as ledger:
        its, other, _ = ledger.open_cases(
            NewCase("absence", "VA", DAY, "daily", student_id=CHILD),
            NewCase("absence", "VA", DAY, "daily", student_id=TWIN),
            NewCase("unregistered", "VA", DAY, "by hand", person=PERSON),
            who="t",
        )
        for case, said in ((its, "家访"), (other, f"和{NAME}在一起")):
            ledger.record(NewEntry(case.case_id, "note", DAY, value=said), who="t")
        book = returned(
            answer(CHILD, "contacted_by", "何老师"),
            answer(TWIN, "next", f"问{NAME}", "M8"),
            unread=(unread(f"{NAME}的家", student=CHILD),),
            as_of=DAY,
        )
        ledger.merge(book, who="t", on=READ_ON)
        ledger.audit("explain", "screen", who="t", role="county", student_id=CHILD, rows=1)
        assert ledger.check() == ()
    return workspace


def dump(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table of the ledger's database."""
    engine = create_engine(ledger_url(workspace))
    with engine.connect() as con:
        found = {
            name: [tuple(row) for row in con.execute(text(f'SELECT * FROM "{name}"'))]
            for name in inspect(con).get_table_names()
        }
    engine.dispose()
    return found


def test_nothing_of_the_child_is_left_and_the_chain_holds(county: Workspace) -> None:
    before = dump(county)
    assert all(needle in repr(before) for needle in (CHILD, NAME))
    done = forget(county, CHILD, who="张三")
    assert (done.cases, done.unsettled) == (1, 1)
    after = dump(county)
    assert not [needle for needle in NEEDLES if needle in repr(after)]
    assert holding(county.root) == {}
    with Ledger.open(county) as ledger:
        assert ledger.check() == ()
        assert {case.student_id or case.person for case in ledger.cases()} == {TWIN, PERSON}
        (case,) = ledger.cases(student_id=TWIN)
        assert "和■■在一起" in [entry.value for entry in case.story]
        last = ledger.audited()[-1]
        assert (last.action, last.who, last.student_id) == ("forget", "张三", None)
        assert last.object.startswith("a child was forgotten: 32 rows of tables")
        assert [line.action for line in ledger.audited()].count("explain") == 1
    with pytest.raises(EarlywarnError, match="forgotten already"):
        forget(county, CHILD, who="t")


def test_a_row_that_is_deleted_by_hand_afterwards_still_shows(county: Workspace) -> None:
    forget(county, CHILD, who="t")
    engine = create_engine(ledger_url(county))
    with engine.begin() as con:
        con.execute(text("DELETE FROM entries WHERE value LIKE '%在一起'"))
    engine.dispose()
    with Ledger.open(county) as ledger:
        assert ledger.check() != ()


def test_stopped_after_the_ledger_and_run_again(county: Workspace) -> None:
    def stop(name: str) -> None:
        if name == "notes":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forget(county, CHILD, who="t", stage=stop)
    forget(county, CHILD, who="t")
    assert not [needle for needle in NEEDLES if needle in repr(dump(county))]
    with Ledger.open(county) as ledger:
        assert ledger.check() == ()
        said = [line.object for line in ledger.audited() if line.action == "forget"]
        assert len([one for one in said if one.startswith("a child was forgotten")]) == 1
