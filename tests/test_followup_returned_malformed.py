"""Files that are no filled workbook of ours: each refused with its own message."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from openpyxl import Workbook, load_workbook

from earlywarn.errors import EarlywarnError
from earlywarn.followup.answers import KEY_SHEET
from earlywarn.followup.returned import read_returned
from earlywarn.followup.returned.opening import MAX_BYTES
from earlywarn.followup.returned.sheets import MAX_CELLS, MAX_ELEMENTS, MAX_SHEETS, MAX_TEXT
from earlywarn.watchlist.workbook import school_workbook
from followup_filling import WAYS
from watchlist_county import county

KEY = b"a key of the tests"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    listing = replace(county(tmp_path_factory.mktemp("county")).listing(run="2"), key=KEY)
    path = tmp_path_factory.mktemp("lists") / "list.xlsx"
    path.write_bytes(school_workbook(listing, listing.schools[0], "zh"))
    WAYS["by_hand"](path, 1)
    return path


@pytest.fixture
def book(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "名单 list.xlsx"))


def refusal(path: Path, zh: str, en: str, key: bytes = KEY) -> None:
    """Assert that `path` is refused with these words in it, and is left as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(EarlywarnError) as caught:
        read_returned(path, key)
    text = caught.value.text
    assert path.name in text.zh
    assert path.name in text.en
    assert zh in text.zh
    assert en in text.en
    assert not re.search(r"[\u4e00-\u9fff][,;:()]|[,;:()][\u4e00-\u9fff]", text.zh)
    if before is not None:
        assert path.read_bytes() == before
        assert "原样未动" in text.zh
        assert "left as it is" in text.en


def repack(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of a workbook, or add it."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[part] = change(parts.get(part, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


# ------------------------------------------------------------------------ files of another kind


def test_missing(tmp_path: Path) -> None:
    refusal(tmp_path / "没有.xlsx", "找不到文件", "There is no file")


def test_folder(tmp_path: Path) -> None:
    folder = tmp_path / "名单.xlsx"
    folder.mkdir()
    refusal(folder, "文件夹", "is a folder")


def test_lock_file(tmp_path: Path) -> None:
    lock = tmp_path / "~$名单.xlsx"
    lock.write_bytes(b"\x05Li" + bytes(162))
    refusal(lock, "锁定文件。请先关闭工作簿，再读入 名单.xlsx", "import 名单.xlsx")


@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        (b"", "0 字节", "0 bytes"),
        (b"\x00", "不是 Excel 工作簿", "no Excel workbook"),
        ("序号,学生\n1,王\n".encode(), "不是 Excel 工作簿", "no Excel workbook"),
        (b"%PDF-1.7\n", "不是 Excel 工作簿", "no Excel workbook"),
        (b"<html><table></table></html>", "不是 Excel 工作簿", "no Excel workbook"),
        (b"<?xml version='1.0'?><Workbook/>", "不是 Excel 工作簿", "no Excel workbook"),
        (b"\x89PNG\r\n\x1a\n", "不是 Excel 工作簿", "no Excel workbook"),
        (b"PK", "不完整", "not whole"),
        (b"PK\x03\x04" + bytes(100), "不完整", "not whole"),
        (OLE + "Workbook".encode("utf-16-le"), "旧格式", "old format"),
        (OLE, "旧格式", "old format"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "打开密码", "has a password"),
    ],
)
def test_other_content(content: bytes, zh: str, en: str, tmp_path: Path) -> None:
    path = tmp_path / "名单.xlsx"
    path.write_bytes(content)
    refusal(path, zh, en)


@pytest.mark.parametrize("part", ["mimetype", "xl/workbook.bin", "word/document.xml", "a.txt"])
def test_archives_of_another_kind(part: str, tmp_path: Path) -> None:
    path = tmp_path / "名单.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "application/vnd.oasis.opendocument.spreadsheet")
    refusal(path, "不是 .xlsx 工作簿", "no .xlsx workbook")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_cut_off(share: float, book: Path) -> None:
    content = book.read_bytes()
    book.write_bytes(content[: int(len(content) * share)])
    refusal(book, "不完整", "not whole")


def test_macros_by_name(book: Path) -> None:
    refusal(book.rename(book.with_suffix(".XLSM")), "带宏", "macros")


def test_macros_inside(book: Path) -> None:
    repack(book, "xl/vbaProject.bin", lambda _: OLE)
    refusal(book, "带宏", "macros")


def test_macros_by_type(book: Path) -> None:
    plain, macros = b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"
    repack(book, "[Content_Types].xml", lambda old: old.replace(plain, macros))
    refusal(book, "带宏", "macros")


# ------------------------------------------------------------------------------------ too much


def test_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "名单.xlsx"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    refusal(path, "超过 20 MB", "over 20 MB")


@pytest.mark.parametrize("part", ["xl/media/image1.png", "xl/sharedStrings.xml"])
def test_a_zip_bomb(part: str, book: Path) -> None:
    repack(book, part, lambda _: bytes(70 * 2**20))
    assert book.stat().st_size < 2**20
    refusal(book, "64 MB", "64 MB")


def test_many_parts(book: Path) -> None:
    with zipfile.ZipFile(book, "a") as archive:
        for number in range(2001):
            archive.writestr(f"xl/media/{number}.png", b"")
    refusal(book, "部件过多", "unpacks to over")


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_an_xml_bomb(part: str, book: Path) -> None:
    repack(book, part, lambda old: re.sub(rb"^(<\?xml[^>]*>)?", rb"\1" + BOMB, old, count=1))
    refusal(book, "XML 实体", "XML entities")


def test_an_xml_bomb_in_a_sheet(book: Path) -> None:
    repack(book, "xl/worksheets/sheet1.xml", lambda old: BOMB + old)
    refusal(book, "XML 实体", "XML entities")


def test_many_sheets(book: Path) -> None:
    full = load_workbook(book)
    for _ in range(MAX_SHEETS):
        full.create_sheet()
    full.save(book)
    refusal(book, "工作表超过 50 张", "over 50 sheets")


@pytest.mark.parametrize("cell", ["A100001", "B1048576", "SG1", "XFD3"])
def test_a_cell_far_away(cell: str, book: Path) -> None:
    full = load_workbook(book)
    full.worksheets[0][cell] = "x"
    full.save(book)
    refusal(book, "超出了第 100000 行或第 500 列", "after row 100000 or column 500")


@pytest.mark.parametrize("row", [1_048_577, 2_000_000_000])
def test_a_row_that_no_sheet_has(row: int, book: Path) -> None:
    added = f'<row r="{row}"><c r="A{row}"><v>1</v></c></row></sheetData>'.encode()
    repack(book, "xl/worksheets/sheet1.xml", lambda old: old.replace(b"</sheetData>", added))
    refusal(book, "超出了第 100000 行或第 500 列", "after row 100000 or column 500")


def test_many_cells(book: Path) -> None:
    cells = "".join("<row>" + "<c><v>1</v></c>" * 100 + "</row>" for _ in range(MAX_CELLS // 100))
    added = f"{cells}</sheetData>".encode()
    repack(book, "xl/worksheets/sheet1.xml", lambda old: old.replace(b"</sheetData>", added))
    refusal(book, "超过 200000 个", "over 200000 filled cells")


def test_much_text(book: Path) -> None:
    full = load_workbook(book)
    sheet = full.create_sheet("抄来的")
    for row in range(1, MAX_TEXT // 30_000 + 2):
        sheet.cell(row, 1).value = "文" * 30_000
    full.save(book)
    refusal(book, "文字超过 10000000 个字", "over 10000000 characters")


def test_many_cells_without_content(book: Path) -> None:
    row = b"<row>" + b"<c/>" * 16_000 + b"</row>"
    added = row * (MAX_ELEMENTS // 16_000 + 1) + b"</sheetData>"
    repack(book, "xl/worksheets/sheet1.xml", lambda old: old.replace(b"</sheetData>", added))
    refusal(book, "格子超过 1000000 个", "over 1000000 cells")


def test_wide_rows_cost_no_time(book: Path) -> None:
    before = read_returned(book, KEY)
    rows = "".join(f'<row r="{n}"><c r="XFD{n}" s="1"/></row>' for n in range(100, 60_000))
    added = f"{rows}</sheetData>".encode()
    repack(book, "xl/worksheets/sheet1.xml", lambda old: old.replace(b"</sheetData>", added))
    assert read_returned(book, KEY).answers == before.answers


def test_formats_without_content_are_no_cells(book: Path) -> None:
    """A whole column was coloured, or somebody pressed the space bar down there."""
    before = read_returned(book, KEY)
    full = load_workbook(book)
    for row in range(1, 3000):
        full.worksheets[0].cell(row, 600).number_format = "0.00"
    full.worksheets[0]["A200000"] = " "
    full.save(book)
    after = read_returned(book, KEY)
    assert (after.answers, after.unread) == (before.answers, before.unread)


# ------------------------------------------------------------------------------------- damaged


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/workbook.xml", 'name="说明"'.encode(), 'name="名单"'.encode()),
        ("xl/workbook.xml", rb"<sheets>.*", b""),
        ("xl/workbook.xml", rb".*", b""),
        ("xl/worksheets/sheet1.xml", rb"</sheetData>", b""),
        ("xl/worksheets/sheet1.xml", rb"<v>1</v>", b"<v>one</v>"),
        ("xl/worksheets/sheet1.xml", rb'r="A1"', b'r="ZZZZZZZZ1"'),
        ("xl/worksheets/sheet1.xml", rb'<row r="1"', b'<row r="first"'),
        ("xl/_rels/workbook.xml.rels", rb"worksheets/sheet1.xml", b"worksheets/none.xml"),
        ("[Content_Types].xml", rb"spreadsheetml.sheet.main", b"wordprocessingml.document"),
        ("xl/styles.xml", rb"<fonts", b"<fonts><<"),
    ],
)
def test_damaged_parts(part: str, old: bytes, new: bytes, book: Path) -> None:
    repack(book, part, lambda content: re.sub(old, new, content, flags=re.DOTALL))
    refusal(book, "已损坏", "is damaged")


def test_flipped_bytes_never_crash(written: Path, tmp_path: Path) -> None:
    """Bytes of a workbook changed at random: read or refused, nothing else."""
    content, sound = written.read_bytes(), read_returned(written, KEY)
    random = Random(6)
    path = tmp_path / "list.xlsx"
    refusals = 0
    for _ in range(60):
        broken = bytearray(content)
        for _ in range(random.choice([1, 1, 20])):
            broken[random.randrange(len(broken))] = random.randrange(256)
        path.write_bytes(broken)
        try:
            returned = read_returned(path, KEY)
        except EarlywarnError:
            refusals += 1
        else:
            assert returned.answers == sound.answers
    assert refusals


# ------------------------------------------------------------------------ not one of our lists


def change_key(path: Path, name: object, value: object, column: int = 2) -> None:
    full = load_workbook(path)
    row = next(row for row in full[KEY_SHEET].iter_rows() if row[0].value == name)
    row[column - 1].value = value
    full.save(path)


def test_without_the_hidden_sheet(book: Path) -> None:
    full = load_workbook(book)
    del full[KEY_SHEET]
    full.save(book)
    refusal(book, "缺少隐藏的工作表“_earlywarn”", "hidden sheet “_earlywarn” is missing")


def test_a_workbook_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "成绩.xlsx"
    other = Workbook()
    other.active.append(["序号", "学生", "结果"])
    other.save(path)
    refusal(path, "缺少隐藏的工作表", "is missing")


@pytest.mark.parametrize("version", ["1", "3", "", "x"])
def test_another_format(version: str, book: Path) -> None:
    change_key(book, "format", version)
    refusal(book, f"第“{version}”版格式", f"format “{version}”")


@pytest.mark.parametrize(
    ("name", "value", "column"),
    [
        ("school_id", "30101", 2),
        ("as_of", "2026-11-13", 2),
        ("as_of", "去年", 2),
        ("run", "3", 2),
        ("version", "9.9", 2),
        ("lang", "en", 2),
        ("signature", "0" * 64, 2),
        ("signature", "签名", 2),
        ("signature", None, 2),
        (1, "0042", 2),
        (1, 7, 1),
        (1, None, 1),
        (1, "9" * 5000, 1),
    ],
)
def test_a_signature_that_does_not_fit(
    name: object, value: object, column: int, book: Path
) -> None:
    change_key(book, name, value, column)
    refusal(book, "与签名不符", "does not fit its signature")


def test_another_workspace(book: Path) -> None:
    refusal(book, "与签名不符", "does not fit its signature", key=b"another key")


def test_a_list_without_its_heading(book: Path) -> None:
    full = load_workbook(book)
    sheet = full.worksheets[0]
    cell = next(c for row in sheet.iter_rows() for c in row if c.value == "学生")
    cell.value = "姓名"
    full.save(book)
    refusal(book, "至少要有“序号”和“学生”", "at least “No.” and “Student”")


def test_a_heading_too_far_down(book: Path) -> None:
    full = load_workbook(book)
    full.worksheets[0].insert_rows(1, 60)
    full.save(book)
    refusal(book, "没有一张工作表", "no sheet has the heading")
