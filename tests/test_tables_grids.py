"""Any file a school keeps, as sheets of text: workbooks old and new, web pages, texts."""

from __future__ import annotations

import csv
import io
import shutil
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from earlywarn.errors import EarlywarnError
from earlywarn.tables.grids import Grid, Grids, read_grids
from earlywarn.tables.grids.grid import Book, padded
from earlywarn.tables.grids.kinds import kind_of
from earlywarn.tables.readers import open_source
from earlywarn.tables.source import WrongRow
from libreoffice import saved_by_libreoffice


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def first(path: Path) -> Grid:
    return read_grids(path).sheets[0]


def said(grids: Grids) -> list[str]:
    return [note.en for note in grids.notes]


def rows_of(path: Path) -> list[tuple[int, list[str]]]:
    return [
        (number, [cell or "" for cell in cells])
        for chunk in open_source(path).chunks()
        for number, *cells in zip(
            chunk.rows.to_pylist(), *(c.to_pylist() for c in chunk.columns), strict=True
        )
    ]


def wrong_of(path: Path) -> list[WrongRow]:
    return [wrong for chunk in open_source(path).chunks() for wrong in chunk.wrong]


def active(book: openpyxl.Workbook) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


DAY = date(2026, 11, 20)


def full_xlsx(path: Path) -> Path:
    """A sheet with one of everything, a hidden one and an empty one."""
    book = openpyxl.Workbook()
    sheet = active(book)
    sheet.title = "一班"
    sheet["B2"] = "007"
    sheet["C2"] = "=1+1"
    sheet["D2"] = "#N/A"
    sheet["E2"] = True
    sheet["F2"] = DAY
    sheet["G2"] = 7
    sheet["H2"] = 1.234e17
    sheet["I2"] = 87.5
    sheet["J2"] = datetime(2026, 11, 20, 8, 30)
    sheet["K2"] = time(8, 30)
    sheet["L2"] = timedelta(hours=26, minutes=30)
    sheet["M2"] = 20261120
    sheet["M2"].number_format = "yyyy-mm-dd"
    sheet["A3"] = "藏"
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[9].hidden = True
    sheet["B4"] = "合并"
    sheet.merge_cells("B4:D5")
    hidden = book.create_sheet("隐藏")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "x"
    book.create_sheet("空").sheet_state = "veryHidden"
    book.create_chartsheet("图", 0)
    book.save(path)
    return path


WHOLE = (
    *("", "007", "=1+1", "#N/A", "true", "2026-11-20", "7", "1.23400000000000E+17", "87.5"),
    *("2026-11-20 08:30:00", "08:30:00", "26:30:00", "20261120"),
)


def test_xlsx(tmp_path: Path) -> None:
    grids = read_grids(full_xlsx(tmp_path / "考勤 表.xlsx"))
    assert (grids.file, grids.kind) == ("考勤 表.xlsx", "xlsx")
    sheet, hidden, empty = grids.sheets
    blank = [""] * 12
    assert sheet.name == "一班"
    assert sheet.rows == (
        ("", *blank), WHOLE, ("藏", *blank), ("", "合并", *blank[1:])
    )  # fmt: skip
    assert sheet.wrong == {(2, 3): "formula_uncached", (2, 4): "error_cell"}
    assert sheet.hidden_rows >= {3}
    assert sheet.merged == ((4, 2, 5, 4),)
    assert (sheet.hidden, hidden.hidden, empty.hidden) == (False, True, True)
    assert (hidden.rows, empty.rows) == ((("x",),), ())
    assert said(grids) == ["sheet “一班”: 1 hidden row read", "hidden sheet “隐藏” read"]
    assert all("“" in note.zh for note in grids.notes)


def test_xlsx_of_1904(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)
    active(book)["A1"] = DAY
    book.save(tmp_path / "a.xlsx")
    assert first(tmp_path / "a.xlsx").rows == (("2026-11-20",),)
    assert open_source(tmp_path / "a.xlsx").serial_epoch == date(1904, 1, 1)


def repacked(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write the workbook at `path` again with its parts changed; None leaves one out."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            changed = change(name, content)
            if changed is not None:
                new.writestr(name, changed)
    return path


def sheet_xml(path: Path, rows: str, more: str = "") -> Path:
    """A workbook whose only sheet has these rows of XML."""
    openpyxl.Workbook().save(path)
    xml = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData>{more}</worksheet>"
    )
    return repacked(path, lambda n, c: xml.encode() if n.endswith("sheet1.xml") else c)


@pytest.mark.parametrize(
    ("cell", "text", "code"),
    [
        ('<c r="A1"><f>1+1</f><v>2</v></c>', "2", ""),
        ('<c r="A1" t="str"><f>""</f><v></v></c>', "", ""),
        ('<c r="A1" t="str"><f>"a"</f><v>a</v></c>', "a", ""),
        ('<c r="A1"><f>B1</f></c>', "=B1", "formula_uncached"),
        ('<c r="A1"><f>B1</f><v/></c>', "=B1", "formula_uncached"),
        ('<c r="A1"><f t="shared" si="0"/></c>', "=", "formula_uncached"),
        ('<c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!", "error_cell"),
        ("<c r='A1' t='e'><v>#REF!</v></c>", "#REF!", "error_cell"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A", "error_cell"),
        ('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> 007 </t></is></c>', " 007 ", ""),
        ('<c r="A1" t="b"><v>0</v></c>', "false", ""),
        ('<c r="A1" t="n"><v>123456789012345</v></c>', "123456789012345", ""),
    ],
)
def test_a_cell_of_xml(tmp_path: Path, cell: str, text: str, code: str) -> None:
    rows = f'<row r="1">{cell}<c r="B1"><v>5</v></c></row>'
    grid = first(sheet_xml(tmp_path / "a.xlsx", rows))
    assert grid.rows == ((text, "5"),)
    assert grid.wrong == ({(1, 1): code} if code else {})


def test_empty_cells_far_away_are_no_cells(tmp_path: Path) -> None:
    """A format that was dragged down to the last row."""
    far = "".join(f'<row r="{n}"><c r="XFD{n}" s="0"/></row>' for n in (5, 1_048_576))
    path = sheet_xml(tmp_path / "a.xlsx", f'<row r="1"><c r="A1"><v>5</v></c></row>{far}')
    assert first(path).rows == (("5",),)
    assert open_source(path).headings == ["5"]


def old_workbook() -> tuple[xlwt.Workbook, xlwt.Worksheet, xlwt.XFStyle]:
    book = xlwt.Workbook(encoding="utf-8")
    return book, book.add_sheet("二班"), xlwt.easyxf(num_format_str="yyyy-mm-dd")


def full_xls(path: Path) -> Path:
    book, sheet, day = old_workbook()
    for column, value in enumerate(("007", "张三", True, 87.5, 7, 1.5e17), 1):
        sheet.write(1, column, value)
    sheet.write(1, 7, DAY, day)
    sheet.write(1, 8, 20261120, day)
    sheet.write(1, 9, xlwt.Formula("1+1"))
    sheet.row(1).set_cell_error(10, 0x2A)
    sheet.write(2, 0, "藏")
    sheet.row(2).hidden = True
    sheet.write_merge(3, 4, 1, 3, "合并")
    book.add_sheet("隐藏").write(0, 0, "x")
    book.get_sheet(1).visibility = 1
    book.save(str(path))
    return path


def test_xls(tmp_path: Path) -> None:
    grids = read_grids(full_xls(tmp_path / "a.xls"))
    sheet, hidden = grids.sheets
    assert grids.kind == "xls"
    assert sheet.rows[1] == (
        *("", "007", "张三", "true", "87.5", "7", "1.50000000000000E+17", "2026-11-20"),
        *("20261120", "=", "#N/A"),
    )
    assert [row[:2] for row in sheet.rows] == [("", ""), ("", "007"), ("藏", ""), ("", "合并")]
    assert sheet.wrong == {(2, 10): "formula_uncached", (2, 11): "error_cell"}
    assert (sheet.hidden_rows, sheet.merged) == ({3}, ((4, 2, 5, 4),))
    assert (hidden.hidden, hidden.rows) == (True, (("x",),))
    assert said(grids) == ["sheet “二班”: 1 hidden row read", "hidden sheet “隐藏” read"]


def test_xls_of_1904(tmp_path: Path) -> None:
    book, sheet, day = old_workbook()
    book.dates_1904 = True
    sheet.write(0, 0, DAY, day)
    book.save(str(tmp_path / "a.xls"))
    assert first(tmp_path / "a.xls").rows == (("2026-11-20",),)
    assert open_source(tmp_path / "a.xls").serial_epoch == date(1904, 1, 1)


def record(number: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def biff(*cells: bytes, version: int = 0x500, offset: int | None = None) -> bytes:
    """A workbook's stream of Excel 5 (or 8) with one sheet, made by hand; the code page is GBK."""
    start = record(0x809, struct.pack("<HHHH", version, 5, 0, 0))
    start += record(0x42, struct.pack("<H", 936))
    name = "成绩".encode("gbk")
    where = len(start) + 4 + 6 + 1 + len(name) + 4
    start += record(0x85, struct.pack("<IBBB", offset or where, 0, 0, len(name)) + name)
    start += record(0x0A)
    sheet = record(0x809, struct.pack("<HHHH", version, 0x10, 0, 0))
    return start + sheet + b"".join(cells) + record(0x0A)


def compound(path: Path, stream: bytes, name: str = "Book") -> Path:
    """A compound file with one stream."""
    from xlwt.CompoundDoc import XlsDoc

    XlsDoc().save(str(path), stream)
    content = path.read_bytes()
    title = "Workbook".encode("utf-16-le")
    at = content.index(title)
    entry = bytearray(content[at : at + 66])
    entry[:64] = name.encode("utf-16-le").ljust(64, b"\0")
    entry[64:66] = struct.pack("<H", len(name) * 2 + 2)
    return write(path, content[:at] + bytes(entry) + content[at + 66 :])


def label(row: int, column: int, text: str) -> bytes:
    content = text.encode("gbk")
    return record(0x204, struct.pack("<HHHH", row, column, 0, len(content)) + content)


def formula(row: int, column: int, result: bytes, flags: int = 0) -> bytes:
    body = struct.pack("<HHH", row, column, 0) + result + struct.pack("<HIH", flags, 0, 0)
    return record(0x06, body)


NUMBER, BLANK = struct.pack("<d", 12.5), b"\x03\0\0\0\0\0\xff\xff"
DIVISION = b"\x02\0\x07\0\0\0\xff\xff"


def test_excel_5(tmp_path: Path) -> None:
    number = record(0x203, struct.pack("<HHHd", 1, 1, 0, 87.5))
    stream = biff(label(0, 0, "姓名"), label(0, 1, "语文"), label(1, 0, "张三"), number)
    grid = first(compound(tmp_path / "a.xls", stream))
    assert grid.name == "成绩"
    assert grid.rows == (("姓名", "语文"), ("张三", "87.5"))


def test_formulas_of_excel_5(tmp_path: Path) -> None:
    """Blank is a result where others have one; where none has, nothing was calculated."""
    some = biff(label(0, 0, "a"), formula(0, 1, NUMBER), formula(0, 2, BLANK))
    grid = first(compound(tmp_path / "some.xls", some))
    assert (grid.rows, grid.wrong) == ((("a", "12.5"),), {})
    none = biff(label(0, 0, "a"), formula(0, 1, BLANK), formula(0, 2, BLANK))
    grid = first(compound(tmp_path / "none.xls", none))
    assert grid.rows == (("a", "=", "="),)
    assert grid.wrong == {(1, 2): "formula_uncached", (1, 3): "formula_uncached"}
    wrong = biff(label(0, 0, "a"), formula(0, 1, DIVISION), formula(0, 2, BLANK, flags=1))
    grid = first(compound(tmp_path / "wrong.xls", wrong))
    assert grid.rows == (("a", "#DIV/0!", "="),)
    assert grid.wrong == {(1, 2): "error_cell", (1, 3): "formula_uncached"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_saved_by_libreoffice(tmp_path: Path, kind: str) -> None:
    """It calculates the formula, and knows 20261120 in a date's cell as no date (in ODS: late)."""
    book = full_xlsx(tmp_path / "一 班.xlsx")
    grids = read_grids(*saved_by_libreoffice([book], kind, tmp_path / "saved"))
    assert grids.kind == kind
    sheet = next(grid for grid in grids.sheets if grid.name == "一班")
    assert sheet.rows[1][:4] == ("", "007", "2", "#N/A")
    assert sheet.rows[1][4] in ("true", "1")
    # A length of time is a moment in an old workbook, but for its format.
    last = 11 if kind == "xls" else 12
    assert sheet.rows[1][5:last] == WHOLE[5:last]
    if kind != "ods":
        assert sheet.rows[1][12] == "20261120"
    assert sheet.wrong == {(2, 4): "error_cell"}
    assert sheet.merged == ((4, 2, 5, 4),)
    assert [row[:2] for row in sheet.rows[2:4]] == [("藏", ""), ("", "合并")]
    assert said(grids) == ["sheet “一班”: 1 hidden row read", "hidden sheet “隐藏” read"]


def ods(path: Path, table: str, encrypted: bool = False) -> Path:
    names = ("office:1.0", "table:1.0", "text:1.0", "style:1.0")
    spaces = " ".join(
        f'xmlns:{n.split(":")[0]}="urn:oasis:names:tc:opendocument:xmlns:{n}"' for n in names
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{table}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
        if encrypted:
            book.writestr("META-INF/manifest.xml", "<m><encryption-data/></m>")
    return path


def test_ods_repeats_and_hidden_rows(tmp_path: Path) -> None:
    text = '<table:table-cell office:value-type="string"{}><text:p>a<text:s text:c="2"/>b</text:p><text:p>c</text:p></table:table-cell>'  # noqa: E501
    rows = (
        '<table:table-row table:number-rows-repeated="2" table:visibility="filter">'
        '<table:table-cell table:number-columns-repeated="2"/>'
        + text.format(' table:number-columns-repeated="2"')
        + '<table:table-cell table:formula="of:=[.A1]"/>'
        "</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048574">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    path = ods(tmp_path / "a.ods", f'<table:table table:name="表">{rows}</table:table>')
    grid = first(path)
    assert grid.rows == (("", "", "a  b\nc", "a  b\nc", "=[.A1]"),) * 2
    assert grid.wrong == {(1, 5): "formula_uncached", (2, 5): "formula_uncached"}
    assert grid.hidden_rows == {1, 2}


PAGE = (
    "<html><head><meta http-equiv=Content-Type content='text/html; charset={charset}'>"
    "<style>td {{mso-number-format:\\@}}</style></head><body><table>"
    "<tr><th colspan=3>初一(2)班&nbsp;成绩</th></tr>"
    "<tr><td rowspan=2>学号<td>姓名<br>全名</td><td>语文</td></tr>"
    "<tr style='display: none'><td>甲<td> 8 7.5 </table></body></html>"
)


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "utf-16"])
@pytest.mark.parametrize("name", ["a.xls", "a.html", "a.xlsx"])
def test_html(tmp_path: Path, charset: str, name: str) -> None:
    grids = read_grids(write(tmp_path / name, PAGE.format(charset=charset).encode(charset)))
    assert grids.kind == "html"
    [grid] = grids.sheets
    assert grid.rows == (
        ("初一(2)班 成绩", "", ""),
        ("学号", "姓名\n全名", "语文"),
        ("", "甲", "8 7.5"),
    )
    assert grid.merged == ((1, 1, 1, 3), (2, 1, 3, 1))
    assert grid.hidden_rows == {3}
    shown = {"utf-8": "UTF-8", "gb2312": "GB18030", "utf-16": "UTF-16 LE"}[charset]
    lying = [] if name.endswith("html") else [f"named {name[1:]}, is HTML"]
    assert said(grids) == [*lying, f"encoding {shown}", "1 hidden row read"]


def test_html_tables_inside_tables(tmp_path: Path) -> None:
    inner = "<table><tr><td>1<td>2</tr></table>"
    page = f"<table><tr><td>{inner}</td></tr></table><p>x</p><table><td>3</td></table>"
    grids = read_grids(write(tmp_path / "a.xls", page))
    assert [(grid.name, grid.rows) for grid in grids.sheets] == [
        ("1", (("1", "2"),)),
        ("2", (("3",),)),
    ]


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.xlsx", "a.txt"])
def test_a_name_that_lies(tmp_path: Path, name: str) -> None:
    ending = name[1:]
    book = full_xlsx(tmp_path / "whole.xlsx").read_bytes()
    grids = read_grids(write(tmp_path / name, book))
    assert grids.kind == "xlsx"
    assert (f"named {ending}, is XLSX" in said(grids)) == (ending != ".xlsx")
    grids = read_grids(write(tmp_path / name, "学号\t姓名\n007\t张三\n"))
    assert (grids.kind, grids.sheets[0].rows) == ("csv", (("学号", "姓名"), ("007", "张三")))
    assert (f"named {ending}, is text" in said(grids)) == (ending in (".xls", ".xlsx"))
    grids = read_grids(write(tmp_path / name, full_xls(tmp_path / "b.xls").read_bytes()))
    assert (grids.kind, f"named {ending}, is XLS" in said(grids)) == ("xls", ending != ".xls")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])  # fmt: skip  # noqa: E501
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_text(tmp_path: Path, sign: str, encoding: str) -> None:
    text = f"初一（1）班一月\n\n学号{sign}姓名{sign}说明\r\n007{sign}一一{sign}"
    text += f'"甲{sign}, ; |\n""乙"""\r\n1.234E+17{sign}{sign}\n'
    grids = read_grids(write(tmp_path / "a.csv", text.encode(encoding)))
    [grid] = grids.sheets
    assert grid.rows == (
        ("初一（1）班一月", "", ""),
        ("", "", ""),
        ("学号", "姓名", "说明"),
        ("007", "一一", f'甲{sign}, ; |\n"乙"'),
        ("1.234E+17", "", ""),
    )
    assert (grid.name, grid.hidden, grid.merged) == ("", False, ())
    shown = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16 LE"}.get(encoding, encoding.upper())
    shown = shown.replace("16-", "16 ")
    assert said(grids) == [f"encoding {shown}, delimiter {'Tab' if sign == chr(9) else sign}"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_that_is_nearly_all_signs(tmp_path: Path, encoding: str) -> None:
    rows = [["√"] * 9, ["△○×①√●☆Ⅳ✓"] * 9]
    text = "".join("\t".join(row) + "\n" for row in rows)
    assert first(write(tmp_path / "a.txt", text.encode(encoding))).rows == same(rows)


def test_decimal_commas_and_commas_in_cells(tmp_path: Path) -> None:
    text = "学号;语文;数学\n1;87,5;90,5\n2;80,5;70,5\n"
    assert first(write(tmp_path / "a.csv", text)).rows[1] == ("1", "87,5", "90,5")
    text = "学号,说明\n1,甲;乙;丙\n2,甲;乙;丁\n3,无\n"
    assert first(write(tmp_path / "b.csv", text)).rows[1] == ("1", "甲;乙;丙")


def test_an_open_quote_takes_no_other_line_with_it(tmp_path: Path) -> None:
    grid = first(write(tmp_path / "a.csv", 'a,b,c\n1,"x,y\n2,b,c\n3,d,e\n'))
    assert grid.rows == (("a", "b", "c"), ("1", '"x', "y"), ("2", "b", "c"), ("3", "d", "e"))
    assert grid.wrong == {(2, 2): "open_quote"}
    grid = first(write(tmp_path / "b.csv", 'a,b,c\n1,x,"y\n2,b,"\n3,d,e\n'))
    assert grid.rows[1] == ("1", "x", "y\n2,b,")
    assert grid.wrong == {(2, 3): "open_quote"}


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"]),
    max_size=8,
)


def same(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """What a grid of `rows` is: no empty rows and columns at the end."""
    return padded(Path(), rows)


@settings(max_examples=200, deadline=None)
@given(
    width=st.integers(2, 5),
    data=st.data(),
    sign=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "be"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_comes_back_with_all_cells_quoted(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    data: st.DataObject,
    sign: str,
    encoding: str,
    end: str,
) -> None:
    rows = data.draw(
        st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    )
    assume(any(any(row) for row in rows))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=sign, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    text = out.getvalue()
    content = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "be" else text.encode(encoding)
    # GB18030 that is valid UTF-8 as well, and says nothing about it, is taken for that.
    assume(encoding != "gb18030" or text.isascii() or not is_utf8(content))
    path = write(tmp_path_factory.mktemp("any") / "a.csv", content)
    assert first(path).rows == same(rows)


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(
    width=st.integers(2, 5),
    data=st.data(),
    sign=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]),
)
def test_any_table_as_schools_write_it_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    data: st.DataObject,
    sign: str,
    encoding: str,
) -> None:
    """Quoted only where needed, without a byte order mark."""
    word = st.text(st.sampled_from('一二张三上中丹 .-/0123456789abXY"\n√×△（）：、'), max_size=6)
    cells = st.one_of(word, word.map(lambda text: text + sign))
    rows = data.draw(
        st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
    )
    rows.insert(0, [f"栏{i}" for i in range(width)])
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=sign, lineterminator="\r\n").writerows(rows)
    content = out.getvalue().encode(encoding)
    path = write(tmp_path_factory.mktemp("any") / "a.txt", content)
    assert first(path).rows == same(rows)


def test_what_the_long_tables_take(tmp_path: Path) -> None:
    """XLS, HTML, ODS and a lying name come in as tables; hidden rows and sheets are said."""
    book, sheet, day = old_workbook()
    for row, cells in enumerate((("学号", "日期", "状态"), ("007", DAY, "病"), (8, DAY, "事"))):
        for column, value in enumerate(cells):
            sheet.write(row, column, value, *([day] if value == DAY else []))
    sheet.row(2).hidden = True
    book.add_sheet("说明").write(0, 0, "x")
    book.save(str(tmp_path / "a.xls"))
    expected = [(2, ["007", "2026-11-20", "病"]), (3, ["8", "2026-11-20", "事"])]
    opened = open_source(tmp_path / "a.xls")
    assert opened.headings == ["学号", "日期", "状态"]
    assert opened.numeric == {0}
    assert rows_of(tmp_path / "a.xls") == expected
    assert [note.en for note in opened.notes] == [
        "sheet “二班”: 1 hidden row read",
        "only the sheet “二班” was read; left out: 说明",
    ]
    page = "<table><tr><td>学号<td>日期<td>状态<tr><td>007<td>2026-11-20<td>病</table>"
    path = write(tmp_path / "b.xls", page)
    assert rows_of(path) == expected[:1]
    assert open_source(path).notes[0].en == "named .xls, is HTML"
    path = write(tmp_path / "c.xlsx", "学号\t日期\t状态\n007\t2026-11-20\t病\n")
    assert rows_of(path) == expected[:1]
    assert [note.en for note in open_source(path).notes] == [
        "named .xlsx, is text",
        "delimiter Tab",
    ]


def test_wrong_cells_are_wrong_rows_of_the_long_tables(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = active(book)
    sheet["B2"], sheet["C2"] = "学号", "分数"
    sheet["B3"], sheet["C3"] = "1", "=1+1"
    sheet["B4"], sheet["C4"] = "2", 5
    sheet["B5"], sheet["C5"] = "3", "#N/A"
    sheet["C6"] = 20261120
    sheet["C6"].number_format = "yyyy-mm-dd"
    sheet["C7"] = "#REF!"
    sheet.row_dimensions[4].hidden = True
    book.save(tmp_path / "a.xlsx")
    path = tmp_path / "a.xlsx"
    assert open_source(path).headings == ["", "学号", "分数"]
    assert rows_of(path) == [(4, ["", "2", "5"]), (6, ["", "", "20261120"])]
    assert [(w.row, w.code, w.column, w.value) for w in wrong_of(path)] == [
        (3, "formula_uncached", "分数", "=1+1"),
        (5, "error_cell", "分数", "#N/A"),
        (7, "error_cell", "分数", "#REF!"),
    ]
    assert open_source(path).notes[0].en == "sheet “Sheet”: 1 hidden row read"


def test_a_hidden_sheet_gives_way_to_a_visible_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden = active(book)
    hidden.append(["代码"])
    book.create_sheet("名册").append(["学号"])
    hidden.sheet_state = "hidden"
    book.active = 1
    book.save(tmp_path / "a.xlsx")
    opened = open_source(tmp_path / "a.xlsx")
    assert opened.headings == ["学号"]
    assert [n.en for n in opened.notes] == ["only the sheet “名册” was read; left out: Sheet"]


def test_kept_files_stay_whole(tmp_path: Path) -> None:
    """Reading leaves the file as it was and open nowhere: it can be renamed and removed."""
    path = full_xlsx(tmp_path / "a.xlsx")
    before = path.read_bytes()
    read_grids(path)
    assert path.read_bytes() == before
    shutil.move(path, tmp_path / "b.xlsx")
    assert kind_of(tmp_path / "b.xlsx") == "xlsx"
    assert Book().sheets == []
    with pytest.raises(EarlywarnError, match="There is no file"):
        read_grids(path)
