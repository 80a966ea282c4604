"""Inspections of schools: kept as the rest of the ledger, at least two a year, orders done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, inspect, update
from typer.testing import CliRunner

from earlywarn.backup import backup, restore
from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError
from earlywarn.followup.escalation import FILE, INSPECTIONS_A_YEAR, Escalation, shipped_text
from earlywarn.followup.inspections import Inspected, inspected, record, record_done
from earlywarn.followup.ledger import Inspection, Ledger, NewInspection, Order
from earlywarn.followup.ledger.connect import reading, writing
from earlywarn.followup.ledger.inspections import Said
from earlywarn.followup.ledger.migrate import downgrade, revision
from earlywarn.followup.ledger.schema import (
    HEAD,
    chains,
    inspection_done,
    inspection_orders,
    inspections,
)
from earlywarn.workspace import Workspace
from followup_ledgers import answer, ledger, place, returned
from scoring_city import load, rows

__all__ = ["ledger", "place"]  # fixtures

TODAY = date(2026, 11, 26)
AUTUMN, SPRING = date(2026, 10, 12), date(2026, 3, 9)
FIRST = NewInspection("VA", AUTUMN, "王督学", "improve", "李局长", "登记不全", ("补登",), TODAY)


@pytest.fixture
def county(workspace: Workspace) -> Workspace:
    """Two schools in one county, one in another."""
    schools = rows(
        "schools",
        school_id=["VA", "VB", "XC"],
        name=["甲中学", "乙中学", "丙小学"],
        county=["某县", "某县", "另县"],
    )
    load(workspace, "schools", schools)
    return workspace


@pytest.fixture
def book(county: Workspace) -> Iterator[Ledger]:
    with Ledger.open(county) as opened:
        yield opened


def test_the_same_inspection_twice_is_once(ledger: Ledger) -> None:
    assert ledger.record_inspection(FIRST, who="u")
    assert not ledger.record_inspection(FIRST, who="v")
    order = Order(1, "补登", TODAY, None, None)
    as_it_stands = Inspection(1, "VA", AUTUMN, "王督学", "improve", "李局长", "登记不全", (order,))
    assert ledger.inspections() == ledger.inspections("VA") == (as_it_stands,)
    assert ledger.inspections("VB") == ()
    assert ledger.check() == ()


def test_other_words_correct_it_and_orders_add_up(ledger: Ledger) -> None:
    ledger.record_inspection(FIRST, who="u")
    other = NewInspection("VA", AUTUMN, "王督学", "failed", "赵局长", "", ("补登", "家访"), TODAY)
    assert ledger.record_inspection(other, who="u")
    assert not ledger.record_inspection(other, who="u")
    (found,) = ledger.inspections()
    assert (found.id, found.result, found.signed_by) == (1, "failed", "赵局长")
    assert found.note == "登记不全"
    assert found.before == (Said("improve", "李局长", "登记不全"),)
    assert [order.text for order in found.orders] == ["补登", "家访"]
    # Said as at first, it is a correction of the correction.
    assert ledger.record_inspection(FIRST, who="u")
    assert [one.result for one in ledger.inspections()] == ["improve"]
    assert [said.result for said in ledger.inspections()[0].before] == ["improve", "failed"]
    # More that is ordered corrects nothing.
    ledger.record_inspection(replace(FIRST, ordered=("公示",)), who="u")
    assert len(ledger.inspections()[0].before) == 2
    # Another inspector of that day, and another day, are inspections of their own.
    ledger.record_inspection(NewInspection("VA", AUTUMN, "周督学", "passed", "李局长"), who="u")
    ledger.record_inspection(NewInspection("VA", SPRING, "王督学", "passed", "李局长"), who="u")
    assert [(one.on, one.by) for one in ledger.inspections()] == [
        (SPRING, "王督学"),
        (AUTUMN, "王督学"),
        (AUTUMN, "周督学"),
    ]
    assert ledger.check() == ()


def test_what_was_ordered_is_done(ledger: Ledger) -> None:
    ledger.record_inspection(FIRST, who="u")
    done = {"by": "张校长", "who": "u"}
    assert ledger.record_done("VA", 1, on=date(2026, 10, 30), **done)
    assert not ledger.record_done("VA", 1, on=date(2026, 10, 30), **done)
    assert ledger.record_done("VA", 1, on=date(2026, 10, 31), **done)  # a slip put right
    ((order,),) = [one.orders for one in ledger.inspections()]
    assert (order.done_on, order.done_by) == (date(2026, 10, 31), "张校长")
    for school, number, message in (
        ("VA", 2, "no order #2; it has #1"),
        ("VB", 1, "no order #1: nothing was ordered"),
    ):
        with pytest.raises(EarlywarnError, match=message):
            ledger.record_done(school, number, on=TODAY, **done)
    with pytest.raises(EarlywarnError, match="was given on 2026-10-12"):
        ledger.record_done("VA", 1, on=date(2026, 10, 11), **done)
    assert ledger.check() == ()


@pytest.mark.parametrize(
    "change",
    [
        update(inspections).where(inspections.c.id == 1).values(result="passed"),
        update(inspections).where(inspections.c.id == 1).values(inspected_on=date(2026, 9, 1)),
        update(inspection_orders).values(until=None),
        update(inspection_done).values(done_by="别人"),
        delete(inspection_done),
        delete(inspections).where(inspections.c.id == 2),
        delete(chains).where(chains.c.name == "inspections"),
    ],
    ids=str,
)
def test_tampering_is_found(ledger: Ledger, change: object) -> None:
    ledger.record_inspection(FIRST, who="u")
    ledger.record_inspection(NewInspection("VB", AUTUMN, "王督学", "passed", "李局长"), who="u")
    ledger.record_done("VA", 1, on=TODAY, by="张校长", who="u")
    assert ledger.check() == ()
    with writing(ledger.engine) as con:
        con.execute(change)  # type: ignore[call-overload]
    assert ledger.check() != ()


def test_a_result_that_no_program_writes_is_found(ledger: Ledger) -> None:
    ledger.record_inspection(NewInspection("VA", AUTUMN, "王", "great", "李"), who="u")
    assert [text.en for text in ledger.check()] == [
        "Inspection 1 has a result that this program never writes."
    ]


def test_an_older_ledger_comes_up_to_date_and_goes_back(place: Workspace) -> None:
    with Ledger.open(place) as ledger:
        ledger.merge(returned(answer("S1", "cause", "work")), who="u")
        with writing(ledger.engine) as con:
            downgrade(con, "0001")
            assert "inspections" not in inspect(con).get_table_names()
    with Ledger.open(place) as ledger:
        with reading(ledger.engine) as con:
            assert revision(con) == HEAD
        assert len(ledger.cases()) == 1
        assert ledger.record_inspection(FIRST, who="u")
        assert ledger.check() == ()


def test_a_backup_of_an_older_ledger_comes_up_to_date(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger:
        ledger.merge(returned(answer("S1", "cause", "work")), who="u")
        with writing(ledger.engine) as con:
            downgrade(con, "0001")
    file, root = workspace.root.parent / "备份.zip", workspace.root.parent / "恢复"
    backup(workspace, file)
    restore(file, root)
    with Ledger.open(Workspace.open(root)) as ledger:
        assert len(ledger.cases()) == 1
        assert ledger.record_inspection(FIRST, who="u")
        assert ledger.check() == ()


def test_a_forgotten_child_is_struck_out_of_what_was_found(ledger: Ledger) -> None:
    told = NewInspection(
        "VA", AUTUMN, "王督学", "failed", "李局长", "欧阳晓燕未登记", ("寻找欧阳晓燕",)
    )
    ledger.record_inspection(told, who="u")
    ledger.forget("S1", who="u", struck=lambda text: text.replace("欧阳晓燕", "■■"))
    (found,) = ledger.inspections()
    assert (found.note, found.orders[0].text) == ("■■未登记", "寻找■■")
    assert {"王督学", "李局长"} <= ledger.people()
    assert ledger.check() == ()


def test_who_misses_one(county: Workspace, book: Ledger) -> None:
    visits = [
        ("VA", AUTUMN, "王", ("补登", "家访"), date(2026, 11, 1)),
        ("VA", AUTUMN, "周", (), None),  # the same day: one visit
        ("VB", AUTUMN, "王", (), None),
        ("VB", date(2026, 11, 20), "王", ("公示",), None),
        ("XC", SPRING, "王", ("修路",), date(2026, 4, 1)),  # of the last school year
        ("XC", TODAY + timedelta(1), "王", ("以后",), None),  # not yet
    ]
    for school, on, by, ordered, until in visits:
        new = NewInspection(school, on, by, "improve", "李", ordered=ordered, until=until)
        book.record_inspection(new, who="u")
    book.record_done("VA", 2, on=date(2026, 11, 25), by="张", who="u")
    found = inspected(county, book, TODAY)
    assert {school: (one.count, one.missing) for school, one in found.items()} == {
        "XC": (0, 2),
        "VA": (1, 1),
        "VB": (2, 0),
    }
    assert {school: [o.text for o in one.to_do] for school, one in found.items()} == {
        "XC": ["修路"],
        "VA": ["补登"],
        "VB": ["公示"],
    }
    assert {school: one.overdue_orders for school, one in found.items()} == {
        "XC": 1,
        "VA": 1,
        "VB": 0,
    }
    # On an earlier day what was done later is open, and on the last day nothing is overdue.
    earlier = inspected(county, book, date(2026, 11, 1))
    assert (earlier["VA"].open_orders, earlier["VA"].overdue_orders) == (2, 0)
    assert earlier["VB"].count == 1
    assert inspected(county, book, date(2026, 8, 31))["XC"].count == 1


def test_the_school_year(county: Workspace) -> None:
    assert county.config.school_year_begins(date(2026, 8, 31)) == date(2025, 9, 1)
    assert county.config.school_year_begins(date(2026, 9, 1)) == date(2026, 9, 1)


def test_how_many_a_year_stands_in_escalation_yaml(county: Workspace, book: Ledger) -> None:
    assert Escalation.load(county).inspections_a_year == INSPECTIONS_A_YEAR == 2
    own = county.root / FILE
    own.write_text(
        shipped_text().replace("inspections_a_year: 2", "inspections_a_year: 3"), "utf-8"
    )
    assert inspected(county, book, TODAY)["VA"].missing == 3
    own.write_text(shipped_text().replace("inspections_a_year: 2\n", ""), "utf-8")  # an older file
    assert inspected(county, book, TODAY)["VA"].missing == 2
    own.write_text(
        shipped_text().replace("inspections_a_year: 2", "inspections_a_year: 0"), "utf-8"
    )
    with pytest.raises(EarlywarnError, match="inspections_a_year"):
        Escalation.load(county)


def test_what_cannot_be_is_refused_with_the_cure(county: Workspace, book: Ledger) -> None:
    def tried(school: str = "VA", on: date = AUTUMN, until: date | None = None) -> None:
        new = NewInspection(school, on, "王", "passed", "李", ordered=("补登",), until=until)
        record(county, book, new, who="u", today=TODAY)

    for arguments, message in (
        ({"school": "V"}, "There is no school V; did you mean VB, VA"),
        ({"school": "99"}, "check its number in your schools"),
        ({"on": TODAY + timedelta(1)}, "2026-11-27 lies ahead .today is 2026-11-26"),
        ({"until": AUTUMN - timedelta(1)}, "before the inspection on 2026-10-12"),
    ):
        with pytest.raises(EarlywarnError, match=message):
            tried(**arguments)
    assert book.inspections() == ()
    tried()
    done = {"by": "张", "who": "u", "today": TODAY}
    with pytest.raises(EarlywarnError, match="lies ahead"):
        record_done(county, book, "VA", 1, on=TODAY + timedelta(1), **done)
    assert record_done(county, book, "VA", 1, on=TODAY, **done).done_on == TODAY


def test_without_schools_it_says_what_to_load(workspace: Workspace) -> None:
    with Ledger.open(workspace) as ledger:
        with pytest.raises(EarlywarnError, match="earlywarn ingest schools"):
            record(workspace, ledger, FIRST, who="u", today=TODAY)
        assert inspected(workspace, ledger, TODAY) == {}


def run(place: Workspace, *arguments: str, lang: str = "en") -> tuple[int, str]:
    command = ["followup", "inspection", *arguments, "-w", str(place.root), "--lang", lang]
    done = CliRunner().invoke(make_app(), command)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


# Today of the command is the machine's, so the days here are far behind.
RECORD = ("VA", "--date", "2020-10-12", "--by", "王督学", "--result", "improve")
RECORD += (
    "--signed-by",
    "李局长",
    "--ordered",
    "补登",
    "--ordered",
    "家访",
    "--until",
    "2020-11-01",
)


def test_the_command_records_lists_and_tells_what_is_missing(county: Workspace) -> None:
    code, said = run(county, *RECORD)
    assert (code, said.splitlines()[0]) == (
        0,
        "School VA, 2020-10-12, 王督学: the inspection is recorded, to improve.",
    )
    assert "  #2  家访  by 2020-11-01  not done  (--done 2)" in said.splitlines()
    code, said = run(county, *RECORD)
    assert (code, said.splitlines()[0]) == (
        0,
        "School VA, 2020-10-12, 王督学: unchanged, to improve.",
    )
    code, said = run(county, "VA", "--done", "1", "--date", "2020-10-20", "--by", "张校长")
    assert (code, said.strip()) == (0, "Order #1 is recorded as done.")
    (listed,) = json.loads(run(county, "VA", "--json")[1])
    assert [order["done_on"] for order in listed["orders"]] == ["2020-10-20", None]
    assert "#2  家访  限 2020-11-01 前  未完成  (--done 2)" in run(county, "VA", lang="zh")[1]
    found = json.loads(run(county, "--json")[1])["counties"]
    assert [(one["school_id"], one["overdue"], one["missing"]) for one in found["某县"]] == [
        ("VA", [2], 2),
        ("VB", [], 2),
    ]
    code, said = run(county, lang="zh")
    assert "某县：2 所学校，本学年还缺督导的 2 所。" in said
    assert "整改逾期 1 项。" in said
    first, second, third = said.splitlines()[-3:]
    assert "VA 甲中学" in first
    assert first.split()[0] == "!"
    assert ("另县" in second, "VB" in third) == (True, True)
    with Ledger.open(county) as opened:
        assert {line.action for line in opened.audited()} == {"followup inspection"}
        assert len(opened.audited()) == 7
        assert opened.check() == ()


def test_a_correction_says_what_stood_before(county: Workspace) -> None:
    run(county, *RECORD)
    failed = ("VA", *RECORD[1:5], "--result", "failed", "--signed-by", "赵局长")
    said = run(county, *failed, "--ordered", "公示")[1].splitlines()
    assert said[:2] == [
        "School VA, 2020-10-12, 王督学: corrected: before to improve, signed by 李局长; "
        "now failed, signed by 赵局长.",
        "1 order added.",
    ]
    told = json.loads(run(county, *failed, "--ordered", "核对", "--json")[1])
    assert (told["change"], told["added"]) == ("orders_added", [4])
    listed = run(county, "VA", lang="zh")[1].splitlines()
    assert listed[:2] == [
        "2020-10-12  不合格  王督学  签字：赵局长",
        "    已更正，原为：限期整改，李局长签字",
    ]
    assert "李局长" not in run(county, "VA", "--role", "researcher")[1]


@pytest.mark.parametrize("role", ["school", "homeroom", "researcher"])
def test_who_is_inspected_records_nothing(county: Workspace, role: str) -> None:
    run(county, *RECORD)
    for arguments in (RECORD, ("VA", "--done", "1", "--by", "张校长")):
        code, said = run(county, *arguments, "--role", role)
        assert (code, f"The role {role} may not record" in said) == (1, True)
    with Ledger.open(county) as opened:
        assert [order.done_on for order in opened.inspections()[0].orders] == [None, None]
    assert run(county, "VA", "--role", role)[0] == 0
    code, said = run(county, "--role", role)
    assert (code, "name it" in said) == ((0, False) if role == "researcher" else (1, True))


def test_a_school_year_that_is_past(county: Workspace) -> None:
    run(county, *RECORD)
    run(county, "VA", "--done", "1", "--date", "2020-10-20", "--by", "张校长")
    found = json.loads(run(county, "--as-of", "2020-10-15", "--json")[1])
    assert (found["as_of"], found["since"]) == ("2020-10-15", "2020-09-01")
    one = found["counties"]["某县"][0]
    assert (one["school_id"], one["inspected"], one["missing"]) == ("VB", 0, 2)
    one = found["counties"]["某县"][1]
    assert (one["school_id"], one["inspected"], one["missing"]) == ("VA", 1, 1)
    assert [order["done_on"] for order in one["open"]] == [None, None]
    assert (
        "As of 2020-10-15; the school year began on 2020-09-01."
        in run(county, "--as-of", "2020-10-15")[1]
    )
    assert json.loads(run(county, "VA", "--as-of", "2020-10-11", "--json")[1]) == []


def test_a_researcher_sees_neither_school_nor_people(county: Workspace) -> None:
    run(county, *RECORD)
    for arguments in (("VA",), ("VA", "--json"), (), ("--json",)):
        said = run(county, *arguments, "--role", "researcher")[1]
        for word in ("VA", "甲中学", "王督学", "李局长", "补登"):
            assert word not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("VA", "--by", "王"), "give --date, --result, --signed-by too"),
        (("--date", "2020-10-12", "--by", "王"), "give SCHOOL, --result, --signed-by too"),
        (
            (*RECORD[:5], "--result", "good", "--signed-by", "李"),
            "passed, improve, failed, not good",
        ),
        ((*RECORD[:7], "--signed-by", "李", "--until", "2020-11-01"), "say with --ordered"),
        (("VA", "--done", "1"), "Say with --by"),
        ((*RECORD, "--as-of", "2020-10-12"), "--as-of is to list"),
        (("--done", "1", "--by", "张"), "Name the school"),
        (("VA", "--done", "1", "--by", "张", "--note", "x"), "cannot be used with --note"),
        (("VA", "--date", "12.10.2020", *RECORD[3:]), "--date: 12.10.2020 is not a date"),
    ],
)
def test_usage(county: Workspace, arguments: tuple[str, ...], says: str) -> None:
    code, said = run(county, *arguments)
    assert code == 2
    assert says in said
    with Ledger.open(county) as opened:
        assert opened.inspections() == ()


def test_a_school_that_nobody_has_inspected(county: Workspace, book: Ledger) -> None:
    assert inspected(county, book, TODAY)["VA"] == Inspected(
        "VA", "甲中学", "某县", None, 0, 2, None, (), ()
    )
