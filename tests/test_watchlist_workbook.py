"""The workbooks, opened again with openpyxl."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from earlywarn.watchlist.columns import CHOICES, COLUMNS, KEY_SHEET
from earlywarn.watchlist.rows import Listing, SchoolList
from earlywarn.watchlist.wording import ASK_HOME
from earlywarn.watchlist.workbook import school_workbook
from watchlist_county import JUNIOR, county

KEYS = [key for key, _, _ in COLUMNS]


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return county(tmp_path_factory.mktemp("county") / "某县").listing(run="2")


@pytest.fixture(scope="module")
def junior(listing: Listing) -> SchoolList:
    return next(school for school in listing.schools if school.school_id == JUNIOR)


@pytest.fixture(scope="module")
def book(listing: Listing, junior: SchoolList) -> Workbook:
    return load_workbook(io.BytesIO(school_workbook(listing, junior, "zh")), rich_text=False)


@pytest.fixture(scope="module")
def sheet(book: Workbook) -> Worksheet:
    return book["名单"]


def heading(sheet: Worksheet) -> int:
    return next(row for row in range(1, 20) if sheet.cell(row, 1).value == "序号")


def column(key: str) -> int:
    return KEYS.index(key) + 1


def test_sheets(book: Workbook) -> None:
    assert book.sheetnames == ["名单", "说明", KEY_SHEET]
    assert book[KEY_SHEET].sheet_state == "veryHidden"


def test_rows(sheet: Worksheet) -> None:
    row = heading(sheet) + 1
    assert sheet.cell(row, 1).value == 1
    assert sheet.cell(row, column("tier")).value == "紧急\n– 无可比"
    assert sheet.cell(row, column("student")).value == "王小明\n学籍号尾号 0012"
    assert sheet.cell(row, column("reasons")).value == (
        "1. 已连续旷课 3 天（截至11月20日）\n"
        "2. 最近考试 2 科不及格（11月10日考试）\n"
        "3. 缺少数据：超龄年数"
    )
    marks = sheet.cell(row, column("strip")).value.replace("\n", "")
    assert marks.endswith("旷・・・旷旷・旷旷旷")
    assert marks.count("－") == 1
    assert sheet.cell(row, column("due")).value == "11月24日\n（周二）"
    for offset in range(6):
        assert sheet.cell(row + offset, column("step")).value.endswith(ASK_HOME.zh)


def test_what_looks_like_a_formula_is_text(book: Workbook) -> None:
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
    sheet = book["名单"]
    texts = [sheet.cell(row, column("student")).value or "" for row in range(1, sheet.max_row + 1)]
    assert any(text.startswith("=1+1") for text in texts)
    classes = [sheet.cell(row, column("class")).value for row in range(1, sheet.max_row + 1)]
    assert "-八（2）班" in classes


def test_protection(sheet: Worksheet) -> None:
    assert sheet.protection.sheet
    assert not sheet.protection.password
    row = heading(sheet) + 1
    for place, (_, _, filled) in enumerate(COLUMNS, start=1):
        assert sheet.cell(row, place).protection.locked is not filled
    assert sheet.freeze_panes == f"D{row}"


def test_drop_downs_and_dates(sheet: Worksheet) -> None:
    first = heading(sheet) + 1
    found = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    for key, choices in CHOICES.items():
        letter = get_column_letter(column(key))
        rule = found[f"{letter}{first}:{letter}{first + 5}"]
        assert rule.type == "list"
        assert rule.formula1 == '"' + ",".join(text.zh for text in choices.values()) + '"'
        assert rule.errorStyle == "warning"  # what somebody insists on is kept
    letter = get_column_letter(column("visited_on"))
    assert found[f"{letter}{first}:{letter}{first + 5}"].type == "date"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_drop_downs_fit_into_excel(lang: str) -> None:
    for choices in CHOICES.values():
        words = [text.zh if lang == "zh" else text.en for text in choices.values()]
        assert len(",".join(words)) <= 255
        assert not any("," in text for text in words)
        assert len(set(words)) == len(words)


def test_paper(sheet: Worksheet) -> None:
    assert sheet.page_setup.orientation == "landscape"
    assert str(sheet.page_setup.paperSize) == "9"
    assert sheet.page_setup.fitToWidth in (None, 1)  # one is the default
    assert str(sheet.page_setup.fitToHeight) == "0"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == f"${heading(sheet)}:${heading(sheet)}"


def test_key(book: Workbook, junior: SchoolList) -> None:
    rows = [[cell.value for cell in row] for row in book[KEY_SHEET].iter_rows(max_col=2)]
    key = {left: right for left, right in rows if isinstance(left, str)}
    assert (key["school_id"], key["as_of"], key["run"]) == (JUNIOR, "2026-11-20", "2")
    students = {left: right for left, right in rows if isinstance(left, int)}
    assert students == {child.rank: child.student_id for child in junior.children}
    assert key["where:working"] == "在外务工"


def test_same_bytes_again(listing: Listing, junior: SchoolList) -> None:
    once = school_workbook(listing, junior, "zh")
    assert once == school_workbook(listing, junior, "zh")
    with zipfile.ZipFile(io.BytesIO(once)) as parts:
        assert "2026-11-20T00:00:00Z" in parts.read("docProps/core.xml").decode()


def test_empty_list_opens(listing: Listing, junior: SchoolList) -> None:
    empty = replace(junior, children=())
    book = load_workbook(io.BytesIO(school_workbook(listing, empty, "en")))
    assert book.sheetnames[0] == "List"
