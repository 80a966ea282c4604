"""The quarantine: rows as they stood, and a workbook that shows what is wrong and runs nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from earlywarn.tables.ingest import IngestOptions, ingest
from earlywarn.tables.quarantine import workbook_path
from earlywarn.tables.quarantine.cells import LONGEST, read_back, shown
from earlywarn.workspace import Workspace
from quarantined import kept, place_column


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@x", "\tx", "＝1", "＋1", " =1"])
def test_formulas_are_text(text: str) -> None:
    assert shown(text) == "'" + text
    assert read_back("'" + text) == text


def test_other_cells_stand_as_they_are() -> None:
    for text in ("", "a=b", "'x", "张三", "0012"):
        assert shown(text) == text == read_back(text)
    assert shown("a\0b") == "a␀b"
    assert read_back("a␀b", "a\0b") == "a\0b"
    long = "x" * 1_000_000
    assert len(shown(long)) < LONGEST + 50
    assert read_back(shown(long), long) == long


def test_the_workbook(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    path = tmp_path / "名册.csv"
    path.write_text(
        "student_id,school_id,grade,birth_date,name,=heading\n"
        "S1,A,7,2013-01-01,ok,\n"
        "S2,A,99,2026-02-30,=cmd|' /C calc'!A0,-1\n"
        "S3,A\n",
        "utf-8",
    )
    options = IngestOptions(snapshot=date(2026, 9, 1))
    result = ingest(workspace, "students", [path], options).files[0]
    assert (result.rows_read, result.accepted, result.quarantined) == (3, 1, 2)
    assert result.quarantine == workbook_path(workspace, 1)
    two, three = kept(workspace)
    assert two.cells == ("S2", "A", "99", "2026-02-30", "=cmd|' /C calc'!A0", "-1")
    assert three.cells == ("S3", "A")
    assert {(p.column, p.value, p.code) for p in two.problems} == {
        (3, "99", "grade_no_stage"),
        (4, "2026-02-30", "bad_date"),
    }
    book = openpyxl.load_workbook(workbook_path(workspace, 1))
    sheet, key = book.worksheets
    assert key.sheet_state == "veryHidden"
    top, column = place_column(sheet)
    assert [c.value for c in sheet[top]][:6] == [
        *("student_id", "school_id", "grade", "birth_date", "name", "'=heading"),
    ]
    line = sheet[top + 1]
    assert [cell.value for cell in line[:6]] == [
        *("S2", "A", "99", "2026-02-30", "'=cmd|' /C calc'!A0", "'-1"),
    ]
    assert line[column - 1].value == "3"
    assert all(cell.number_format == "@" for cell in line)
    assert all(cell.data_type in ("s", "n") for row in sheet for cell in row)
    assert {cell.column for cell in line if cell.comment} == {3, 4}
    orange = line[2].fill.fgColor.rgb
    assert line[3].fill.fgColor.rgb == orange != line[0].fill.fgColor.rgb
    assert "不是日期" in line[3].comment.text
    assert "不是日期" in line[column].value
    assert sheet.freeze_panes == f"A{top + 1}"
    assert not list(workbook_path(workspace, 1).parent.glob(".part-*"))
