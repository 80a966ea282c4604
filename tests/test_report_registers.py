"""The three county ledgers: every state of a child, lines opened and closed, the workbooks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from typer.testing import CliRunner

from conftest import need
from earlywarn.cli.main import make_app
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.features.groups import load_groups
from earlywarn.followup.answers import Answer, Place, Returned
from earlywarn.followup.doing import record
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.forgetting import forget
from earlywarn.report.registers import Registers, register_rows, write_registers
from earlywarn.report.registers.cells import SHEETS, cells
from earlywarn.report.registers.lines import (
    DROPOUT_ENDS,
    PLACED,
    SUSPICION_ENDS,
    UNPLACED,
    Episode,
    Event,
    in_order,
    is_open,
    lines,
)
from earlywarn.spreadsheets import defuse
from earlywarn.words import EVENTS
from earlywarn.workspace import Workspace
from libreoffice import saved_by_libreoffice
from scoring_city import load, rows

SNAPSHOT, AS_OF = date(2026, 9, 1), date(2026, 11, 20)


def on(month: int, day: int) -> date:
    return date(2026, month, day)


def event(what: str, month: int, day: int, said: str | None = None) -> Event:
    return Event(on(month, day), what, said)


# The lines alone.


def test_leaves_comes_back_leaves_again_and_is_placed() -> None:
    suspected, out = lines(
        [
            event("suspected", 9, 10, "work"),
            event("dropped_out", 9, 20, "work"),
            event("returned", 10, 8),
            event("suspected", 10, 20),
            event("dropped_out", 11, 1, "family"),
            event(PLACED, 11, 10, "home_teaching"),
        ]
    )
    assert suspected == (
        Episode(on(9, 10), "work", on(9, 20), "dropped_out"),
        Episode(on(10, 20), None, on(11, 1), "dropped_out"),
    )
    assert out == (
        Episode(on(9, 20), "work", on(10, 8), "returned"),
        Episode(on(11, 1), "family", on(11, 10), PLACED),
    )
    assert [episode.days(AS_OF) for episode in out] == [18, 9]
    assert Episode(on(11, 20), None).days(AS_OF) == 1


def test_a_placement_that_fell_through_opens_the_line_that_it_closed() -> None:
    told = [event("dropped_out", 9, 20, "work"), event(PLACED, 10, 1), event(UNPLACED, 10, 9)]
    suspected, out = lines(told)
    assert (suspected, is_open(out), out[-1]) == ((), True, Episode(on(10, 9), "work"))
    # After a return there is nothing to open again.
    closed = lines([told[0], event("returned", 10, 1), event(PLACED, 10, 3), told[2]])[1]
    assert closed == (Episode(on(9, 20), "work", on(10, 1), "returned"),)


@pytest.mark.parametrize(
    ("told", "suspected_open", "out_open"),
    [
        ([("suspected", 1), ("returned", 1)], False, False),  # of one day: back last
        ([("suspected", 1), ("long_leave", 2)], False, False),
        ([("dropped_out", 1), ("long_leave", 2)], False, True),  # out until it is back
        ([("dropped_out", 1), ("suspected", 2)], False, True),  # out is more than suspected
        ([("dropped_out", 1), ("transferred", 2), ("suspected", 3)], True, False),
        ([("returned", 1), ("suspected", 2), ("suspected", 3)], True, False),
        ([("suspected", 1), ("graduated", 2)], False, False),
        ([], False, False),
    ],
)
def test_which_line_is_open(
    told: list[tuple[str, int]], suspected_open: bool, out_open: bool
) -> None:
    suspected, out = lines(event(what, 10, day) for what, day in told)
    assert (is_open(suspected), is_open(out)) == (suspected_open, out_open)


EVENT = st.builds(
    Event,
    st.integers(0, 40).map(lambda n: on(9, 1) + timedelta(n)),
    st.sampled_from([*EVENTS, PLACED]),
    st.sampled_from([None, "work"]),
)


@given(st.lists(EVENT, max_size=12))
def test_a_line_is_open_iff_the_last_event_that_concerns_it_is_a_leaving(told: list[Event]) -> None:
    ordered = in_order(told)
    suspected, out = lines(told)
    outs = [e.what for e in ordered if e.what in DROPOUT_ENDS | {"dropped_out"}]
    assert is_open(out) == (outs[-1:] == ["dropped_out"])
    # Who is out already is not suspected as well.
    concerns, gone = [], False
    for what in (e.what for e in ordered):
        gone = what == "dropped_out" or (gone and what not in DROPOUT_ENDS)
        if what in SUSPICION_ENDS or (what == "suspected" and not gone):
            concerns.append(what)
    assert is_open(suspected) == (concerns[-1:] == ["suspected"])
    assert (bool(suspected), bool(out)) == ("suspected" in concerns, "dropped_out" in outs)
    assert not (is_open(suspected) and is_open(out))
    for line in (suspected, out):
        for before, after in pairwise(line):
            assert before.closed_on is not None
            assert before.opened_on <= before.closed_on <= after.opened_on


# A county made by hand.

CHILDREN: dict[str, dict[str, Any]] = {
    "0001": {"name": "在校甲", "sex": "M", "birth_date": on(3, 1).replace(year=2013)},
    "0002": {"name": "休学", "guardian": "张三", "guardian_phone": "13900000000"},
    "0003": {"name": "送教", "placement": "home_teaching", "disability": "physical"},
    "0004": {"name": "特校", "placement": "special_school"},
    "0005": {"name": "疑似", "parents_away": "both_parents", "migrant_child": True},
    "0006": {"name": "辍学"},
    "0007": {"name": "转走"},
    "0008": {"name": "离校", "left_on": on(10, 5)},
    "0009": {"name": "职校"},
    "0010": {"name": "=1+1", "class_id": "-七(1)"},
    "0011": {"name": "返校"},
    "0012": {"name": "将入学", "enrolled_on": on(12, 1)},
    "0013": {"name": "已毕业"},
}
OUTCOMES = [
    ("0002", on(10, 1), "long_leave", None),
    ("0005", on(10, 12), "suspected", "work"),
    ("0006", on(9, 14), "suspected", None),
    ("0006", on(10, 9), "dropped_out", "disengaged"),
    ("0007", on(10, 8), "transferred", None),
    ("0009", on(10, 15), "dropped_out", "family"),
    ("0011", on(9, 10), "suspected", None),
    ("0011", on(9, 20), "returned", None),
    ("0013", on(10, 1), "graduated", None),
]


def make_county(root: Path, **config: Any) -> Workspace:
    workspace = Workspace.init(root).set_config(**config)
    records = [{"student_id": number} | record for number, record in CHILDREN.items()]
    columns = {key for record in records for key in record}
    load(
        workspace,
        "students",
        rows(
            "students",
            **{key: [record.get(key) for record in records] for key in columns - {"class_id"}},
            class_id=[record.get("class_id", "七1") for record in records],
            snapshot_date=[SNAPSHOT] * len(records),
            school_id=["VA"] * 9 + ["XC"] * 4,
            grade=[7] * len(records),
            homeroom_teacher=["班主任"] * len(records),
        ),
    )
    load(
        workspace,
        "schools",
        rows(
            "schools",
            school_id=["VA", "XC"],
            name=["甲中学", "丙中学"],
            county=["某县", "另县"],
            township=["白石乡", None],
        ),
    )
    add_outcomes(workspace, OUTCOMES)
    return workspace


def add_outcomes(workspace: Workspace, found: list[tuple[str, date, str, str | None]]) -> None:
    keys = ("student_id", "date", "event", "cause")
    columns = {key: [row[i] for row in found] for i, key in enumerate(keys)}
    load(workspace, "outcomes", rows("outcomes", **columns))


@pytest.fixture
def county(tmp_path: Path) -> Workspace:
    return make_county(tmp_path / "某 县")


def opened(
    ledger: Ledger, day: date, student: str | None = None, person: str | None = None, **more: Any
) -> int:
    kind = more.get("kind", "absence" if student else "unregistered")
    new = NewCase(kind, "VA", day, "test", student_id=student, person=person)
    return ledger.open_cases(new, who="u")[0].case_id


def state(ledger: Ledger, case: int, value: str, day: date) -> None:
    ledger.record(NewEntry(case, "state", day, value=value), who="u")


def by_child(table: Any) -> dict[str, dict[str, Any]]:
    return {row["student_id"] or row["name"]: row for row in table.to_pylist()}


def where(found: Registers) -> dict[str, tuple[str, date | None]]:
    return {
        child: (row["where"], row["since"]) for child, row in by_child(found.school_age).items()
    }


def test_where_every_child_is(county: Workspace) -> None:
    with Ledger.open(county) as ledger:
        case = opened(ledger, on(10, 10), "0009")
        state(ledger, case, "placed", on(11, 2))
        for person, day in (("无籍甲", on(10, 20)), ("无籍乙", on(10, 21)), ("无籍丙", on(10, 22))):
            opened(ledger, day, person=person)
        state(ledger, ledger.cases_of_person("无籍乙")[0].id, "returned", on(11, 1))
        state(ledger, ledger.cases_of_person("无籍丙")[0].id, "dropped_out", on(11, 3))
    found = register_rows(county, AS_OF)
    assert where(found) == {
        "0001": ("in_school", SNAPSHOT),
        "0002": ("on_leave", on(10, 1)),
        "0003": ("home_taught", SNAPSHOT),
        "0004": ("special_school", SNAPSHOT),
        "0005": ("suspected", on(10, 12)),
        "0006": ("dropped_out", on(10, 9)),
        "0008": ("no_roll", on(10, 5)),
        "0009": ("placed", on(11, 2)),
        "0010": ("in_school", SNAPSHOT),
        "0011": ("in_school", on(9, 20)),
        "无籍甲": ("no_roll", on(10, 20)),
        "无籍丙": ("dropped_out", on(11, 3)),
    }
    rows_ = by_child(found.school_age)
    assert rows_["0005"]["groups"] == ["migrant", "left_behind"]
    assert rows_["0003"]["groups"] == ["disabled"]
    assert (rows_["0002"]["guardian"], rows_["0002"]["guardian_phone"]) == ("张三", "13900000000")
    assert (rows_["0010"]["county"], rows_["无籍甲"]["county"]) == ("另县", "某县")
    assert set(by_child(found.dropouts)) == {"0006", "0009", "无籍丙"}
    assert set(by_child(found.suspected)) == {"0005", "0006", "0011"}
    out = by_child(found.dropouts)
    assert (out["0009"]["open"], out["0009"]["because"]) == (False, "placed")
    assert (out["无籍丙"]["open"], out["无籍丙"]["school"]) == (True, "甲中学")


def test_leaves_again_in_the_tables_and_is_placed_in_a_case(county: Workspace) -> None:
    add_outcomes(
        county,
        [
            ("0006", on(10, 20), "returned", None),
            ("0006", on(11, 1), "dropped_out", None),
        ],
    )
    line = by_child(register_rows(county, AS_OF).dropouts)["0006"]
    assert (line["open"], line["reopened_on"], line["closed_on"]) == (True, [on(11, 1)], None)
    with Ledger.open(county) as ledger:
        case = opened(ledger, on(10, 28), "0006")
        ledger.assign(case, leader="李校长", teacher="王老师", who="u", on=on(10, 28))
        state(ledger, case, "placed", on(11, 9))
    line = by_child(register_rows(county, AS_OF).dropouts)["0006"]
    assert line["opened_on"] == on(10, 9)
    assert line["reopened_on"] == [on(11, 1)]
    assert line["closings"] == [
        {"on": on(10, 20), "because": "returned"},
        {"on": on(11, 9), "because": "placed"},
    ]
    assert (line["closed_on"], line["because"], line["open"]) == (on(11, 9), "placed", False)
    assert line["days_out"] == 11 + 8
    assert line["cause"] == "disengaged"  # the last that anybody gave
    assert (line["leader"], line["teacher"]) == ("李校长", "王老师")


def test_the_tables_decide_where_events_and_cases_disagree(county: Workspace) -> None:
    with Ledger.open(county) as ledger:
        # The case says back; no outcome does: the line stays open, and shows what the case says.
        case = opened(ledger, on(10, 8), "0005")
        state(ledger, case, "returned", on(11, 4))
        # The outcomes say back; the case goes on.
        opened(ledger, on(9, 8), "0011")
    found = register_rows(county, AS_OF)
    away, back = by_child(found.suspected)["0005"], by_child(found.suspected)["0011"]
    assert (away["open"], away["case_state"]) == (True, "returned")
    assert (back["open"], back["because"], back["case_state"]) == (False, "returned", "open")
    assert where(found)["0005"][0] == "suspected"
    assert back["teacher"] == "班主任"  # where none is assigned


def test_what_the_ledger_confirms_opens_and_closes_lines(county: Workspace) -> None:
    with Ledger.open(county) as ledger, county.lock("test"):
        case = ledger.case(opened(ledger, on(11, 2), "0001"))
        record(county, ledger, case, "contact", on(11, 2), note="电话打通", who="赵老师")
        record(county, ledger, case, "visit", on(11, 3), note="见到孩子", who="赵老师")
        record(county, ledger, case, "report", on(11, 4), who="赵老师")
        record(county, ledger, ledger.case(case.id), "notice", on(11, 6), who="赵老师")
    found = register_rows(county, AS_OF)
    line = by_child(found.suspected)["0001"]
    assert (line["open"], line["opened_on"], line["days_out"]) == (True, on(11, 4), 17)
    assert (line["persuasions"], line["last_persuasion"]) == (3, on(11, 6))
    told = [row for row in found.persuasions.to_pylist() if row["student_id"] == "0001"]
    assert [(row["date"], row["kind"], row["office"], row["note"]) for row in told] == [
        (on(11, 2), "contact", "teacher", "电话打通"),
        (on(11, 3), "visit", "leader", "见到孩子"),
        (on(11, 6), "notice", "township", None),
    ]
    with Ledger.open(county) as ledger, county.lock("test"):
        record(county, ledger, ledger.case(case.id), "returned", on(11, 12), who="赵老师")
    closed = by_child(register_rows(county, AS_OF).suspected)["0001"]
    assert (closed["open"], closed["closed_on"], closed["days_out"]) == (False, on(11, 12), 8)


def test_answers_of_a_list_are_persuasions_too(county: Workspace) -> None:
    given = {
        "contacted_on": "2026-10-13",
        "contacted_by": "孙老师",
        "visited_on": "2026-10-14",
        "where": "working",
        "outcome": "refused",
        "next": "=再去一次",
    }
    answers = tuple(
        Answer("0005", field, value, Place("a.xlsx", "名单", f"K{i}", value))
        for i, (field, value) in enumerate(given.items())
    )
    book = Returned("a.xlsx", "a" * 64, "VA", on(10, 16), "1", "0.1", answers, ())
    with Ledger.open(county) as ledger:
        case = opened(ledger, on(10, 8), "0005")
        ledger.merge(book, who="u", on=on(10, 19))
        # The same visit, told by hand as well.
        ledger.record(NewEntry(case, "step", on(10, 14), "visit", "done"), who="v")
        # A talk about a child that never left is no persuasion.
        other = opened(ledger, on(10, 8), "0010", kind="watchlist")
        state(ledger, other, "contacted", on(10, 9))
    told = register_rows(county, AS_OF).persuasions.to_pylist()
    assert [(row["student_id"], row["date"], row["kind"], row["by"]) for row in told] == [
        ("0005", on(10, 13), "contact", "孙老师"),
        ("0005", on(10, 14), "visit", None),
    ]
    assert {(row["where"], row["outcome"], row["note"]) for row in told} == {
        ("working", "refused", "=再去一次")
    }


def test_everything_dated_later_is_left_out(county: Workspace) -> None:
    with Ledger.open(county) as ledger:
        case = opened(ledger, on(10, 8), "0009")
        state(ledger, case, "placed", on(11, 2))
        ledger.assign(case, leader="李校长", who="u", on=on(11, 2))
        opened(ledger, on(10, 20), person="无籍甲")
    before = register_rows(county, on(10, 14))
    assert "0009" not in by_child(before.dropouts)
    assert where(before)["0009"] == ("in_school", SNAPSHOT)
    assert "无籍甲" not in where(before)
    between = register_rows(county, on(11, 1))
    line = by_child(between.dropouts)["0009"]
    assert (line["open"], line["leader"], line["days_out"]) == (True, None, 18)
    assert where(between)["0009"] == ("dropped_out", on(10, 15))
    assert where(register_rows(county, on(9, 12)))["0008"] == ("in_school", SNAPSHOT)
    # Whatever is added later changes nothing on an earlier day.
    add_outcomes(county, [("0001", on(11, 3), "dropped_out", None)])
    again = register_rows(county, on(11, 1))
    for name in ("school_age", "suspected", "dropouts", "persuasions"):
        assert getattr(again, name).equals(getattr(between, name))


def test_school_age(county: Workspace) -> None:
    # In grade 9 in 2026: a year later too old by grade, and one of them by age too.
    tables = rows(
        "students",
        student_id=["A9", "B9"],
        name=["甲", "乙"],
        snapshot_date=[SNAPSHOT] * 2,
        school_id=["VA"] * 2,
        grade=[9, 9],
        birth_date=[date(2012, 8, 31), date(2012, 9, 1)],
        left_on=[on(10, 1)] * 2,
    )
    load(county, "students", tables)
    assert {"A9", "B9"} <= where(register_rows(county, AS_OF)).keys()
    assert where(register_rows(county, AS_OF.replace(year=2027))).keys() & {"A9", "B9"} == {"B9"}


# The workbooks.


def expected(found: Registers, county: Workspace, name: str, place: str) -> list[list[Any]]:
    labels = {group.name: group.label for group in load_groups(county.rules)}

    def read(cell: Any) -> Any:
        if isinstance(cell, date):
            return datetime(cell.year, cell.month, cell.day)
        return defuse(cell) or None if isinstance(cell, str) else cell

    table = getattr(found, name).to_pylist()
    return [
        [read(cell) for cell in cells(name, row, labels, "zh")]
        for row in table
        if row["county"] == place
    ]


def sheet_rows(path: Path, title: str) -> list[list[Any]]:
    sheet = load_workbook(path)[title]
    heading = int(re.findall(r"\d+", sheet.print_title_rows)[0])
    assert sheet.freeze_panes == f"A{heading + 1}"
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.auto_filter.ref.startswith(f"A{heading}:")
    assert "&P / &N" in sheet.oddFooter.right.text
    for row in sheet.iter_rows(min_row=heading + 1):
        assert all(cell.data_type != "f" for cell in row)
    return [list(row) for row in sheet.iter_rows(min_row=heading + 1, values_only=True)]


def filled(county: Workspace) -> None:
    with Ledger.open(county) as ledger:
        case = opened(ledger, on(10, 8), "0005")
        state(ledger, case, "visited", on(10, 9))
        note = NewEntry(case, "note", on(10, 9), value="=HYPERLINK(1)")
        ledger.record(NewEntry(case, "step", on(10, 10), "visit", "done"), note, who="@u")
        opened(ledger, on(10, 20), person="+无籍")


def test_the_workbook_opened_again_holds_the_same_rows(county: Workspace) -> None:
    filled(county)
    add_outcomes(county, [("XX99", on(10, 3), "dropped_out", None)])  # a child that no table knows
    found = register_rows(county, AS_OF)
    written = write_registers(county, found, lang="zh")
    assert [one.county for one in written] == ["另县", "某县", ""]
    titles = {
        "school_age": "适龄儿童台账",
        "suspected": "疑似辍学台账",
        "dropouts": "辍学台账",
        "persuasions": "劝返记录",
    }
    for one in written:
        assert load_workbook(one.path).sheetnames == list(titles.values())
        for name, title in titles.items():
            wanted = expected(found, county, name, one.county)
            assert one.rows[name] == len(wanted)
            if wanted:
                assert sheet_rows(one.path, title) == wanted
    texts = [cell for row in sheet_rows(written[1].path, "适龄儿童台账") for cell in row]
    assert "'+无籍" in texts
    assert "0005" in texts
    assert "'=1+1" in [c for row in sheet_rows(written[0].path, "适龄儿童台账") for c in row]


def test_the_same_rows_give_the_same_bytes_and_the_folder_is_whole(county: Workspace) -> None:
    filled(county)
    found = register_rows(county, AS_OF)
    first = {one.path: one.path.read_bytes() for one in write_registers(county, found, lang="zh")}
    folder = county.root / "reports" / "registers" / "2026-11-20"
    assert {path.parent for path in first} == {folder}
    (folder / "old.xlsx").write_bytes(b"of an earlier making")
    again = {one.path: one.path.read_bytes() for one in write_registers(county, found, lang="zh")}
    assert again == first
    assert set(folder.iterdir()) == set(first)
    # One county alone leaves the others where they are.
    (one,) = write_registers(county, found, lang="en", county="某县")
    assert one.path.name == "ledgers 某县 2026-11-20.xlsx"
    assert set(folder.iterdir()) == {*first, one.path}
    with pytest.raises(UsageError, match="no county 无县; there are 另县, 某县"):
        write_registers(county, found, lang="zh", county="无县")


def test_generated_data_say_so_and_everybody_reads_who_may_see_it(tmp_path: Path) -> None:
    county = make_county(tmp_path / "县", generated=True)
    for lang, words in (
        ("zh", ("生成的数据", "不得公开")),
        ("en", ("generated", "not to be published")),
    ):
        out = tmp_path / lang
        written = write_registers(county, register_rows(county, AS_OF), lang=lang, out=out)  # type: ignore[arg-type]
        for sheet in load_workbook(written[0].path):
            head = " ".join(
                str(cell)
                for row in sheet.iter_rows(max_row=5, values_only=True)
                for cell in row
                if cell
            )
            assert all(word in head for word in words)


def test_a_forgotten_child_leaves_the_workbooks(county: Workspace) -> None:
    number, name = "G110101201301010012", "欧阳晓燕"
    child = rows(
        "students",
        student_id=[number],
        name=[name],
        snapshot_date=[SNAPSHOT],
        school_id=["VA"],
        grade=[7],
    )
    load(county, "students", child)
    add_outcomes(county, [(number, on(10, 3), "dropped_out", None)])
    with Ledger.open(county) as ledger:
        state(ledger, opened(ledger, on(10, 1), number), "visited", on(10, 5))
    (one,) = write_registers(county, register_rows(county, AS_OF), lang="zh", county="某县")

    def cells_left() -> list[Any]:
        return [cell for name in load_workbook(one.path) for row in name.values for cell in row]

    assert cells_left().count(number) == cells_left().count(name) == 3
    forget(county, number, who="u")
    assert "0001" in cells_left()
    assert not {number, name} & set(cells_left())
    assert number not in where(register_rows(county, AS_OF))


def said_by(*command: str) -> str:
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def test_a_printed_page_is_a4_and_complete(county: Workspace, tmp_path: Path) -> None:
    filled(county)
    many = [f"M{number:03}" for number in range(120)]
    tables = rows(
        "students",
        student_id=many,
        name=["同学"] * len(many),
        snapshot_date=[SNAPSHOT] * len(many),
        school_id=["VA"] * len(many),
        grade=[8] * len(many),
    )
    load(county, "students", tables)
    (one,) = write_registers(
        county, register_rows(county, AS_OF), lang="zh", county="某县", out=tmp_path / "一"
    )
    (pdf,) = saved_by_libreoffice([one.path], "pdf", tmp_path)
    need("pdftotext", "poppler-utils")
    sizes = said_by("pdfinfo", "-l", "99", str(pdf))
    found = re.findall(r"size:\s+([\d.]+) x ([\d.]+)", sizes)
    assert found
    assert all((round(float(w)), round(float(h))) == (842, 595) for w, h in found)
    text = said_by("pdftotext", "-layout", str(pdf), "-")
    pages = [page.replace(" ", "") for page in text.split("\f") if page.strip()]
    assert len(pages) == len(found) >= 6
    for page in pages:  # every page has the heading and says which page it is
        assert "学籍号" in page
        assert re.search(r"\d+/\d+", page)
    for number in [*many, "0001", "0005", "13900000000"]:
        assert any(number in page for page in pages)


# The command.


def run(county: Workspace, *arguments: str, lang: str = "en") -> tuple[int, str]:
    command = ["report", "registers", *arguments, "-w", str(county.root), "--lang", lang]
    done = CliRunner().invoke(make_app(), command)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_command(county: Workspace, tmp_path: Path) -> None:
    filled(county)
    code, said = run(county, "--as-of", "2026-11-20", "--json", "--user", "张三")
    assert code == 0
    found: Mapping[str, Any] = json.loads(said)
    assert found["as_of"] == "2026-11-20"
    (other, here) = found["counties"]
    assert (here["county"], here["school_age"], here["open_suspected"]) == ("某县", 9, 1)
    assert (other["county"], other["dropouts"]) == ("另县", 0)
    assert Path(here["file"]).is_file()
    code, said = run(
        county,
        "--as-of",
        "2026-11-20",
        "--county",
        "某县",
        "--out",
        str(tmp_path / "出"),
        lang="zh",
    )
    assert "某县：适龄儿童 9 名；疑似辍学 2 名（在案 1）；辍学 2 名（在案 2）" in said
    assert [path.name for path in (tmp_path / "出").iterdir()] == ["三本台账 某县 2026-11-20.xlsx"]
    with Ledger.open(county) as ledger:
        log = ledger.audited()
    assert [(line.action, line.object, line.rows) for line in log][-1] == (
        "report registers",
        "三本台账 某县 2026-11-20.xlsx",
        9 + 2 + 2 + 2,
    )
    assert all(line.sha256 for line in log)


@pytest.mark.parametrize("role", ["school", "homeroom", "researcher"])
def test_who_may_not_see_groups_is_refused(county: Workspace, role: str) -> None:
    code, said = run(county, "--as-of", "2026-11-20", "--role", role)
    assert code == 1
    assert "may not see" in said
    assert not (county.root / "reports").exists()


def test_without_attendance_a_day_is_asked_for(county: Workspace) -> None:
    code, said = run(county)
    assert (code, "--as-of" in said) == (1, True)


def test_an_empty_workspace_has_empty_registers(workspace: Workspace) -> None:
    found = register_rows(workspace, AS_OF)
    assert found.school_age.num_rows == found.dropouts.num_rows == 0
    assert write_registers(workspace, found, lang="zh") == ()
    with pytest.raises(EarlywarnError, match="there are none"):
        write_registers(workspace, found, lang="zh", county="某县")


def test_every_column_has_a_heading() -> None:
    from earlywarn.report.registers.wording import COLUMNS

    assert {key for columns in SHEETS.values() for key, _ in columns} <= COLUMNS.keys()
