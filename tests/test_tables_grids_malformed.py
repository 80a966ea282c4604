"""Files that are no table, or more than one: each is refused with its name and its cure."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from earlywarn.errors import EarlywarnError
from earlywarn.tables.grids import limits, read_grids
from earlywarn.tables.readers import open_source
from test_tables_grids import (
    biff,
    compound,
    full_xls,
    full_xlsx,
    label,
    ods,
    record,
    repacked,
    sheet_xml,
    write,
)


def refused(path: Path, says: str, *, long: bool = True) -> None:
    """Both roads refuse the file, naming it, in both languages."""
    for road in (read_grids, open_source) if long else (read_grids,):
        with pytest.raises(EarlywarnError) as caught:
            road(path)
        assert says in caught.value.text.en
        assert caught.value.text.en.startswith(f"{path.name}: ")
        assert caught.value.text.zh.startswith(f"{path.name}：")


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "is empty"),
        ("a.xls", b"", "is empty"),
        ("~$考勤.xlsx", b"\x05admin", "load 考勤.xlsx"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "is a picture (PNG)"),
        ("a.xlsx", b"\xff\xd8\xff\xe0" + b"\0" * 40, "is a picture (JPEG)"),
        ("a.csv", b"GIF89a" + b"\0" * 40, "is a picture (GIF)"),
        ("a.bmp", b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0", "is a picture (BMP)"),
        ("a.pdf", b"%PDF-1.7\n", "is a PDF"),
        ("a.rar", b"Rar!\x1a\x07\0", "Unpack it"),
        ("a.xls", b"\x09\x04\x06\x00\0\0\x10\0", "Excel 4 or before"),
        ("a.xls", OLE, "not a whole XLS"),
        ("a.xls", OLE + b"\0" * 600, "not a whole XLS"),
        ("a.xls", OLE + b"\xff" * 4000, "not a whole XLS"),
        ("a.xlsx", b"PK\x03\x04", "not a whole XLSX"),
        ("a.csv", b"a,b\n1,\xff\xff\n", "line 2 is neither valid UTF-8 nor GB18030"),
        ("a.csv", "a,b\n甲,乙\n丙,丁\n".encode() + b"x,\xe5\xbc\n", "line 4"),
        ("a.txt", "姓名，语文\n甲，5\n".encode(), "full-width comma"),
        ("a.xls", b"<html><body>no table here</body></html>", "without a table"),
        ("a.xls", b"<html><table><tr><td>1<td>2", "not a whole HTML"),
        ("a.xls", b"<table><tr><td></td></tr></table>", "without a table"),
        ("a.html", b"<table>" * 100, "over 64 deep"),
        ("a.html", b"<table><td><!--" + b"x" * 400_000, "not a whole HTML"),
        ("a.html", b"<table><td>" + b"<!--" * 100_000, "not a whole HTML"),
        ("a.html", b"<table><td>" + b"<a " * 200_000, "not a whole HTML"),
        ("a.html", b"<html><![x y z[<table><td>1</table>", "not a whole HTML"),
        ("a.xls", b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "single file"),
        (
            "a.xls",
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "XML Spreadsheet 2003",
        ),
    ],
)
def test_no_table(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    refused(write(tmp_path / name, content), says)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (["xl/workbook.bin", "[Content_Types].xml"], ".xlsb"),
        (["Index/Document.iwa", "preview.jpg"], "Apple Numbers"),
        (["word/document.xml", "[Content_Types].xml"], "Word"),
        (["[Content_Types].xml"], "not a whole XLSX"),
        (["一班.csv", "二班.csv"], "Unpack it"),
        ([], "Unpack it"),
        (["[Content_Types].xml", "xl/workbook.xml"], "not a whole XLSX"),
    ],
)
def test_other_packages(tmp_path: Path, parts: list[str], says: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
        for part in parts:
            book.writestr(part, "x")
    refused(tmp_path / "a.xlsx", says)


def test_a_password(tmp_path: Path) -> None:
    refused(compound(tmp_path / "a.xlsx", b"\1" * 5000, "EncryptedPackage"), "has a password")
    lock = record(0x2F, b"\0" * 6)
    stream = biff(label(0, 0, "a"))
    bof = record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0))
    refused(compound(tmp_path / "b.xls", bof + lock + stream[len(bof) :]), "has a password")
    refused(ods(tmp_path / "c.ods", "", encrypted=True), "has a password")
    path = full_xlsx(tmp_path / "d.xlsx")
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    refused(write(path, bytes(content)), "has a password")


def test_other_compound_files(tmp_path: Path) -> None:
    refused(compound(tmp_path / "a.xls", b"\1" * 5000, "WordDocument"), "is a Word")
    refused(compound(tmp_path / "a.et", b"\1" * 5000, "ETBook"), "no Excel workbook")


@pytest.mark.parametrize("cut", [1, 100, 1000, 3000, -1, -600])
@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_cut_off(tmp_path: Path, kind: str, cut: int) -> None:
    path = {"xlsx": full_xlsx, "xls": full_xls}[kind](tmp_path / f"a.{kind}")
    write(path, path.read_bytes()[:cut])
    for road in (read_grids, open_source):
        with suppress(EarlywarnError):
            road(path)
    if cut > 1:
        refused(path, "not a whole")


def test_zip_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spaces = " " * 20_000_000
    path = sheet_xml(tmp_path / "ratio.xlsx", f'<row r="1"><c r="A1"><v>1</v></c></row>{spaces}')
    refused(path, "400 times its size")
    monkeypatch.setattr(limits, "MAX_RATIO", 10**9)
    path = sheet_xml(tmp_path / "size.xlsx", spaces)
    monkeypatch.setattr("earlywarn.tables.grids.xlsx.Archive.__init__.__defaults__", (10 << 20,))
    monkeypatch.setattr("earlywarn.tables.grids.xlsx.Package.__init__.__defaults__", (10 << 20,))
    refused(path, "unpacks to over 10 MB", long=False)
    refused(ods(tmp_path / "a.ods", spaces), "unpacks to over 10 MB")


def test_a_part_that_lies_about_its_size(tmp_path: Path) -> None:
    """The directory says 100 bytes and a checksum to match; what is unpacked is 20 MB."""
    path = sheet_xml(tmp_path / "a.xlsx", " " * 20_000_000)
    with zipfile.ZipFile(path) as book:
        start = book.read("xl/worksheets/sheet1.xml")[:100]
    content = bytearray(path.read_bytes())
    at = content.index(b"xl/worksheets/sheet1.xml", content.index(b"PK\x01\x02")) - 46
    struct.pack_into("<I", content, at + 16, zlib.crc32(start))
    struct.pack_into("<I", content, at + 24, 100)
    refused(write(path, bytes(content)), "400 times its size")


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    path = full_xlsx(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path, "a") as book, pytest.warns(UserWarning, match="Duplicate"):
        book.writestr("xl/workbook.xml", "<x/>")
    refused(path, "not a whole XLSX")


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY c "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "part",
    [
        *("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"),
        *("xl/_rels/workbook.xml.rels", "[Content_Types].xml"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_bombs(tmp_path: Path, part: str, encoding: str) -> None:
    path = tmp_path / "a.xlsx"
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path, "a") as book:
        if part not in book.namelist():
            book.writestr(part, "<sst/>")

    def infected(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        declared = f'<?xml version="1.0" encoding="{encoding}"?>{" " * 2_000_000}{BOMB}'
        return (declared + content.decode().partition("?>")[2]).encode(encoding)

    refused(repacked(path, infected), "defines XML entities")


def test_xml_bomb_in_ods(tmp_path: Path) -> None:
    path = ods(tmp_path / "a.ods", "")
    refused(
        repacked(path, lambda n, c: BOMB.encode() + c if n == "content.xml" else c),
        "defines XML entities",
    )


def test_depth_of_xml(tmp_path: Path) -> None:
    deep = "<x>" * 100 + "</x>" * 100
    cell = '<row r="1" hidden="1"><c r="A1"><v>1</v></c></row>'
    refused(sheet_xml(tmp_path / "a.xlsx", cell + deep), "over 64 deep")
    refused(ods(tmp_path / "a.ods", deep), "over 64 deep")


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row><c r="XFD1048576"><v>1</v></c></row>',
        "<row><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>",
        '<row><c x="/>" r="A1"><v>1</v></c><c r="XFD1048576" x="/>"><v>1</v></c></row>',
        '<row r="1"><c r="ZZZ99999"><v>1</v></c></row>',
    ],
)
def test_cells_far_out(tmp_path: Path, rows: str) -> None:
    """A library would make room for all cells between them."""
    refused(sheet_xml(tmp_path / "a.xlsx", rows), "cells, which no school's table has")


def test_cells_far_out_in_other_kinds(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, 1)
    sheet.write(65_535, 255, 1)
    book.save(str(tmp_path / "a.xls"))
    refused(tmp_path / "a.xls", "over 4,000,000 cells")
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p></table:table-cell>'  # noqa: E501
    rows = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    refused(
        ods(tmp_path / "a.ods", f'<table:table table:name="t">{rows}</table:table>'),
        "over 4,000,000 cells",
    )
    tall = "<table><tr><td rowspan=1000 colspan=1000>1" * 5 + "</table>" * 5
    refused(write(tmp_path / "a.html", tall), "over 4,000,000 cells")


def test_too_many_cells_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CELLS", 20)
    refused(write(tmp_path / "a.csv", "a,b,c\n" * 7), "over 20 cells", long=False)
    refused(write(tmp_path / "b.csv", "a\n" * 11 + "a,b\n"), "over 20 cells", long=False)
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    refused(write(tmp_path / "c.csv", "a" * (2 << 20)), "over 1 MB", long=False)


def test_a_cell_of_megabytes(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.csv", "a,b\n1," + "x" * 300_000 + "\n"), "row 2", long=False)


def test_nothing_in_it(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    refused(tmp_path / "a.xlsx", "no content", long=False)
    refused(write(tmp_path / "b.csv", "\n\n,,\n"), "no content", long=False)
    refused(write(tmp_path / "c.csv", b"\xef\xbb\xbf"), "no content", long=False)


@pytest.mark.parametrize(
    "damage", ["<row r='x'>", "<c r='1A'>", "</row>", "<row r='1' hidden='1'>"]
)
def test_broken_xml(tmp_path: Path, damage: str) -> None:
    rows = f'<row r="1" hidden="1"><c r="A1"><v>1</v></c></row>{damage}'
    refused(sheet_xml(tmp_path / "a.xlsx", rows), "not a whole XLSX")


def test_parquet_is_for_long_tables(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.parquet", b"PAR1xxxx"), "earlywarn ingest", long=False)


_PARTS = ["<table>", "<tr>", "<td>", "</table>", "<![", "<!--", "-->", "&#x;", "<a", "b='"]
TAGS = st.lists(st.sampled_from([*_PARTS, "<td colspan=9"]))


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=60).map(str.encode)
    | st.binary(max_size=60).map(b"<table><tr><td>".__add__)
    | st.lists(
        st.sampled_from(
            ["<table>", "<tr>", "<td>", "</table>", "<![", "<!--", "-->", "&#x;", "<a", "b='"]
        )
    ).map(lambda parts: " ".join(parts).encode())
    | st.binary(max_size=80).map(OLE.__add__)
)
def test_any_bytes_are_read_or_refused_plainly(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = write(tmp_path_factory.mktemp("any") / "a.xls", content)
    for road in (read_grids, open_source):
        with suppress(EarlywarnError):
            road(path)


@settings(max_examples=150, deadline=None)
@given(
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    kind=st.sampled_from(["xlsx", "xls"]),
)
def test_any_damage_is_read_or_refused_plainly(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[float, int]], kind: str
) -> None:
    """Some bytes of a good workbook changed."""
    folder = tmp_path_factory.mktemp("any")
    path = {"xlsx": full_xlsx, "xls": full_xls}[kind](folder / f"a.{kind}")
    content = bytearray(path.read_bytes())
    for where, byte in damage:
        content[int(where * (len(content) - 1))] = byte
    write(path, bytes(content))
    for road in (read_grids, open_source):
        with suppress(EarlywarnError):
            road(path)
