"""Nothing typed is lost where a reader easily loses it: notes, odd order, refused workbooks."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment

from earlywarn.followup.returned import RefusedError, read_returned
from earlywarn.watchlist.workbook import school_workbook
from followup_filling import WAYS, Filled
from test_followup_returned import KEY, first_row, values, whys
from test_followup_returned_malformed import repack
from watchlist_county import JUNIOR, county


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The junior school's workbook in both languages, nothing filled in."""
    listing = replace(county(tmp_path_factory.mktemp("county")).listing(run="2"), key=KEY)
    school = next(school for school in listing.schools if school.school_id == JUNIOR)
    folder = tmp_path_factory.mktemp("lists")
    paths = {lang: folder / f"{lang}.xlsx" for lang in ("zh", "en")}
    for lang, path in paths.items():
        path.write_bytes(school_workbook(listing, school, lang))
    return paths


@pytest.fixture
def book(blank: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(blank["zh"], tmp_path / "名单.xlsx"))


def test_rows_and_cells_out_of_order(book: Path) -> None:
    """Other programs write them as they like."""
    typed = WAYS["neat"](book, 2)

    def turned(sheet: bytes) -> bytes:
        rows = re.findall(rb"<row .*?</row>", sheet, re.DOTALL)
        for row in rows:
            cells = re.findall(rb"<c [^>]*/>|<c .*?</c>", row, re.DOTALL)
            opening = row[: row.index(b">") + 1]
            assert len(opening + b"".join(cells) + b"</row>") == len(row)
            sheet = sheet.replace(row, b"")
            turned = opening + b"".join(reversed(cells)) + b"</row>"
            sheet = sheet.replace(b"<sheetData>", b"<sheetData>" + turned)
        return sheet

    before = read_returned(book, KEY)
    repack(book, "xl/worksheets/sheet1.xml", turned)
    after = read_returned(book, KEY)
    assert after.answers == before.answers
    assert len(after.answers) == len(typed)


def test_a_note_is_told_with_its_child_and_question(book: Path) -> None:
    filled = Filled(book, 0)
    row, student = first_row(filled)
    filled.put(row, filled.column("outcome"), "已返校")
    filled.sheet.cell(row, filled.column("outcome")).comment = Comment("还没有", "李")
    filled.sheet.cell(row, filled.column("student")).comment = Comment("改名了", "李")
    filled.sheet["A1"].comment = Comment("已核对", "李")
    filled.save()
    returned = read_returned(book, KEY)
    assert values(returned) == {(student, "outcome"): "came_back"}
    assert whys(returned) == {
        "A1": (None, None, "已核对"),
        f"C{row}": (student, None, "改名了"),
        f"O{row}": (student, "outcome", "还没有"),
    }


def test_a_number_is_a_day_where_it_can_be_one(book: Path) -> None:
    """Numbers in cells that have a date's format: 20261120, a time of day, and what is no day."""
    filled = Filled(book, 0)
    column = filled.column("visited_on")
    for row, number in zip(filled.rows(), [20261120, 46346.75, 20261320, 1e12, 0.5], strict=False):
        filled.sheet.cell(row, column).value = number
    filled.save()
    returned = read_returned(book, KEY)
    assert [answer.value for answer in returned.answers] == ["2026-11-20", "2026-11-20"]
    assert [item.place.typed for item in returned.unread] == [
        "20261320",
        "1000000000000",
        "12:00:00",
    ]


@pytest.mark.parametrize("way", ["neat", "vague", "notes_on_cells", "rows_sorted", "child_added"])
def test_what_was_typed_in_a_refused_workbook_is_told(way: str, book: Path) -> None:
    typed = WAYS[way](book, 4)
    with pytest.raises(RefusedError) as caught:
        read_returned(book, b"another key")
    held = caught.value.unread
    places = {(f"{item.place.sheet}!{item.place.cell}", item.place.typed) for item in held}
    for item in typed:
        assert (item.cell, item.typed) in places or item.field == "student"
    told = "\n".join(item.place.typed for item in held)
    assert all(item.typed in told for item in typed)
    filled = Filled(book, 0)
    for item in held:
        assert item.student_id is None  # the key is not to be trusted
        assert item.why.zh.startswith("这份文件整份没有读入")
    # Each answer stands with the child that is printed in its row, and no row without one is told.
    rows = {int(re.sub(r"\D", "", item.cell.rpartition("!")[2])) for item in typed}
    students = {item.place.cell: item.place.typed for item in held if item.place.cell[0] == "C"}
    column = filled.column("student")
    for row in rows & set(filled.rows()):
        assert filled.sheet.cell(row, column).value in students[f"C{row}"]
    assert {int(re.sub(r"\D", "", item.place.cell)) for item in held} <= rows


def test_a_refused_workbook_without_answers_tells_nothing(blank: dict[str, Path]) -> None:
    for path in blank.values():
        with pytest.raises(RefusedError) as caught:
            read_returned(path, b"another key")
        assert caught.value.unread == ()


def test_a_list_without_its_heading_tells_all_of_it(book: Path) -> None:
    typed = WAYS["neat"](book, 4)
    full = load_workbook(book)
    sheet = full.worksheets[0]
    next(c for row in sheet.iter_rows() for c in row if c.value == "学生").value = "姓名"
    full.save(book)
    with pytest.raises(RefusedError) as caught:
        read_returned(book, KEY)
    told = "\n".join(item.place.typed for item in caught.value.unread)
    assert typed
    for item in typed:
        assert item.typed.strip() in told
