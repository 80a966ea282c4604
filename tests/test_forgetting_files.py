"""Single files without a child: what goes, what stays, and what is struck out."""

from __future__ import annotations

import io
import json
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.comments import Comment

from earlywarn.forgetting.child import STRUCK, Child
from earlywarn.forgetting.texts import document, lines, note, page, table
from earlywarn.forgetting.workbooks import workbook

LONG = Child("G110101201203150018", ("欧阳晓燕",), ("欧阳晓燕", "13900001111"))
SHARED = Child("G110101201203150018", ("李明",), ())
SHORT = Child("7", ("李明",), ())


@pytest.mark.parametrize(
    ("child", "text", "is_its"),
    [
        (LONG, "G110101201203150018", True),
        (LONG, " 'G110101201203150018", True),
        (LONG, "110101201203150018", True),
        (LONG, "欧阳 晓燕", True),
        (LONG, "欧阳晓燕\n学籍号尾号 0018", True),
        (LONG, "和欧阳晓燕一起", False),  # about another: struck out, not dropped
        (LONG, "G1101012012031500189", False),
        (SHARED, "李明", False),
        (SHARED, "李明\n学籍号尾号 0018", True),
        (SHARED, "李明\n学籍号尾号 0019", False),
        (SHORT, "7", False),
    ],
)
def test_what_cell_says_that_a_row_is_the_child_s(child: Child, text: str, is_its: bool) -> None:
    assert child.is_cell(text) is is_its


def test_a_number_that_tells_little_counts_in_its_own_field_alone() -> None:
    assert SHORT.is_cell("7", field="student_id")
    kept, dropped = table("student_id,name,days\n7,李明,7\n8,李明,7\n", SHORT)
    assert (kept, len(dropped)) == ("student_id,name,days\n8,李明,7\n", 1)
    text = '{"children": [{"student_id": "7"}, {"student_id": "8", "grade": "7"}]}'
    assert json.loads(document(text, SHORT)[0]) == {"children": [{"student_id": "8", "grade": "7"}]}
    row = '<tr><th>李明<span class="soft">{}</span></th><td>7</td></tr>'
    kept, dropped = page(row.format("7.1 · 7") + row.format("7.1 · 8"), SHORT)
    assert (row.format("7.1 · 8") in kept, len(dropped)) == (True, 1)


def test_a_longer_number_is_another_child_s() -> None:
    text = f"x {LONG.student_id}1 y {LONG.student_id} z"
    assert LONG.struck(text) == f"x {LONG.student_id}1 y {STRUCK} z"


def test_csv_keeps_the_other_records_byte_for_byte() -> None:
    text = (
        'file,row,value\r\nf,1,"a\n""b"""\r\nf,2,欧阳晓燕\r\nf,3,"电话\n13900001111"\r\n'
        "f,4,'G110101201203150018\r\n"
    )
    kept, dropped = table(text, LONG)
    assert kept == f'file,row,value\r\nf,1,"a\n""b"""\r\nf,3,"电话\n{STRUCK}"\r\n'
    assert [cells[1] for cells in dropped] == ["2", "4"]


def test_a_file_without_headings() -> None:
    assert table("G110101201203150018,F\nG2,M\n", LONG)[0] == "G2,M\n"


def test_json_log_and_note() -> None:
    told = {
        "schools": [{"name": "甲中学", "children": [{"name": "欧阳晓燕"}, {"name": "李明"}]}],
        "ids": ["G110101201203150018", "G2"],
        "说明": "欧阳晓燕已返校",
        "G110101201203150018": 1,
    }
    kept, dropped = document(json.dumps(told), LONG)  # in \u escapes
    assert json.loads(kept) == {
        "schools": [{"name": "甲中学", "children": [{"name": "李明"}]}],
        "ids": ["G2"],
        "说明": f"{STRUCK}已返校",
    }
    assert len(dropped) == 2
    assert document('{"a": 1}', LONG) == ('{"a": 1}', [])
    assert lines("one\ncall 13900001111\ntwo\n", LONG)[0] == "one\ntwo\n"
    assert note("call 13900001111 today", LONG)[0] == f"call {STRUCK} today"


@given(st.lists(st.sampled_from(["欧阳晓燕", "李明", 'a"b', "c,d", "e\nf", ""]), max_size=8))
def test_no_other_row_is_lost(names: list[str]) -> None:
    import csv

    buffer = io.StringIO()
    csv.writer(buffer).writerows([["n", "name"], *([i, name] for i, name in enumerate(names))])
    kept, dropped = table(buffer.getvalue(), LONG)
    rows = list(csv.reader(io.StringIO(kept, newline="")))
    assert rows[1:] == [[str(i), name] for i, name in enumerate(names) if name != "欧阳晓燕"]
    assert len(dropped) == names.count("欧阳晓燕")


def book(*, formula: bool = False) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (["姓名", "天数"], ["欧阳晓燕", 3], ["李明", 4], ["王五", "问过欧阳晓燕"]):
        sheet.append(row)
    sheet["B2"].comment = Comment("13900001111", "x")
    sheet["B3"].comment = Comment("李明的", "x")
    if formula:
        sheet["C4"] = "=B3+1"
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def test_a_workbook_of_somebody_s() -> None:
    found = workbook(book(formula=True), LONG, b"")
    assert found is not None
    data, dropped = found
    assert len(dropped) == 1
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [[c.value for c in row] for row in sheet.iter_rows()] == [
        ["姓名", "天数", None],
        [None, None, None],
        ["李明", 4, None],
        ["王五", f"问过{STRUCK}", "=B3+1"],
    ]
    assert sheet["B3"].comment.text == "李明的"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            assert not LONG.is_in(archive.read(name)), name
    assert workbook(data, LONG, b"") == (data, [])


def test_a_workbook_that_cannot_be_read() -> None:
    assert workbook(b"PK\x03\x04 and no more", LONG, b"") is None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", LONG.student_id)
    assert workbook(buffer.getvalue(), LONG, b"") is None
