"""The quarantine file: whole, readable in a spreadsheet, and never a formula."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

import pytest

from earlywarn.tables.ingest import IngestOptions, ingest
from earlywarn.tables.quarantine import quarantine_path, safe_cell
from earlywarn.workspace import Workspace


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@x", "\tx", "\rx"])
def test_formulas_are_text(text: str) -> None:
    assert safe_cell(text) == "'" + text


def test_other_cells_stand_as_they_are() -> None:
    for text in ("", "a=b", "'x", "张三", "0012"):
        assert safe_cell(text) == text
    assert "\0" not in safe_cell("a\0b")
    assert len(safe_cell("x" * 1_000_000)) < 32_767


def test_the_file(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    path = tmp_path / "名册.csv"
    path.write_text(
        "student_id,school_id,grade,birth_date,name,=heading\n"
        "S1,A,7,2013-01-01,ok,\n"
        "S2,A,99,2026-02-30,=cmd|' /C calc'!A0,-1\n"
        "S3,A\n",
        "utf-8",
    )
    from datetime import date

    options = IngestOptions(snapshot=date(2026, 9, 1))
    result = ingest(workspace, "students", [path], options).files[0]
    assert (result.rows_read, result.accepted, result.quarantined) == (3, 1, 2)
    assert result.quarantine == quarantine_path(workspace, 1)
    raw = quarantine_path(workspace, 1).read_bytes()
    assert raw.startswith(codecs.BOM_UTF8)
    lines = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert lines[0] == [
        *("file", "row", "column", "value", "reason_zh", "reason_en"),
        *("student_id", "school_id", "grade", "birth_date", "name", "'=heading"),
    ]
    assert [(line[0], line[1], line[2], line[3]) for line in lines[1:]] == [
        ("名册.csv", "3", "birth_date", "2026-02-30"),
        ("名册.csv", "3", "grade", "99"),
        ("名册.csv", "4", "", ""),
    ]
    for line in lines[1:3]:
        assert line[6:] == ["S2", "A", "99", "2026-02-30", "'=cmd|' /C calc'!A0", "'-1"]
    assert lines[3][6:] == ["S3", "A"]
    assert not list(quarantine_path(workspace, 1).parent.glob(".part-*"))
