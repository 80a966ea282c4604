"""What is packed into a file: archives in archives, old workbooks, and what stays shut."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from earlywarn.errors import EarlywarnError
from earlywarn.forgetting import forget
from earlywarn.forgetting.child import Child
from earlywarn.forgetting.packed import DEEPEST, holds
from earlywarn.workspace import Workspace
from forgetting_world import holding
from scoring_city import load, rows

GONE, NAME, PHONE = "G110101201203150018", "欧阳晓燕", "13900001111"
LONG = Child(GONE, (NAME,), (NAME, PHONE))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OTHERS = "李明,王五\n".encode()
TOLD = f"1,{NAME}\n".encode("gb18030")


def packed(*parts: bytes, **named: bytes) -> bytes:
    """Return a zip of `parts`, and of `named` members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, part in enumerate(parts):
            archive.writestr(f"{number}.bin", part)
        for name, part in named.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def locked(content: bytes) -> bytes:
    """Return a zip whose one member says that it has a password."""
    data = bytearray(packed(content))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def letter(*paragraphs: str) -> bytes:
    """Return a document of Word's, a run for every two signs of its text."""
    runs = "".join(
        "<w:p>" + "".join(f"<w:r><w:t>{p[i : i + 2]}</w:t></w:r>" for i in range(0, len(p), 2))
        + "</w:p>"
        for p in paragraphs
    )  # fmt: skip
    xml = f"<?xml version='1.0'?><w:document><w:body>{runs}</w:body></w:document>"
    return packed(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": xml.encode()})


def old_book(*cells: str) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名单")
    for row, cell in enumerate(cells):
        sheet.write(row, 0, cell)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet(*names: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"名": list(names)}), buffer)
    return buffer.getvalue()


def nested(content: bytes, depth: int) -> bytes:
    for _ in range(depth):
        content = packed(content)
    return content


MANY = [f"第{number}名学生的说明{number:06}" for number in range(3000)]  # over many sectors
HELD: dict[str, Callable[[], bytes]] = {
    "zip": lambda: packed(OTHERS, TOLD),
    "zip in zip": lambda: nested(TOLD, DEEPEST),
    "name of a member": lambda: packed(**{f"{NAME}.txt": b""}),
    "gzip": lambda: gzip.compress(TOLD),
    "bzip2": lambda: bz2.compress(TOLD),
    "xz": lambda: lzma.compress(TOLD),
    "gzip in zip": lambda: packed(gzip.compress(PHONE.encode("utf-16-le"))),
    "letter": lambda: letter("关于", f"{NAME}的情况"),
    "letter in zip": lambda: packed(letter(f"电话{PHONE}")),
    "old workbook": lambda: old_book(*MANY, NAME, *MANY[::-1]),
    "old workbook in zip": lambda: packed(old_book("姓名", "欧阳 晓燕")),
    "parquet in zip": lambda: packed(parquet("李明", NAME)),
    "beside a shut one": lambda: packed(b"%PDF-1.7 ...", TOLD),
    "PDF": lambda: b"%PDF-1.7 (" + GONE.encode() + b") Tj",
    "letter of the nineties": lambda: OLE + bytes(512) + NAME.encode("utf-16-le"),
}
FREE: dict[str, Callable[[], bytes]] = {
    "zip": lambda: packed(OTHERS, gzip.compress(OTHERS)),
    "empty zip": packed,
    "letter": lambda: letter("欧阳", "晓燕", f"{PHONE}9", "李明"),  # no name across paragraphs
    "old workbook": lambda: old_book(*MANY, "欧阳", "晓燕"),
    "parquet": lambda: packed(parquet("李明", "王五")),
    "picture": lambda: packed(b"\x89PNG\r\n\x1a\n" + bytes(100)),
}
SHUT: dict[str, Callable[[], bytes]] = {
    "password": lambda: locked(TOLD),
    "too deep": lambda: nested(TOLD, DEEPEST + 1),
    "PDF": lambda: b"%PDF-1.7 ...",
    "PDF in zip": lambda: packed(OTHERS, b"%PDF-1.7 ..."),
    "rich text": lambda: rb"{\rtf1\ansi \u27431?}",
    "RAR": lambda: b"Rar!\x1a\x07\x01\x00",
    "7z": lambda: b"7z\xbc\xaf\x27\x1c\x00\x04",
    "letter of the nineties": lambda: OLE + bytes(2048),
    "cut off": lambda: packed(OTHERS)[:40],
    "gzip cut off": lambda: gzip.compress(OTHERS * 99)[:30],
    "gzip damaged": lambda: gzip.compress(OTHERS)[:-8] + bytes(8),
}


@pytest.mark.parametrize("what", HELD)
def test_what_holds_the_child(what: str) -> None:
    assert holds(HELD[what](), LONG) is True


@pytest.mark.parametrize("what", FREE)
def test_what_does_not(what: str) -> None:
    assert holds(FREE[what](), LONG) is False


@pytest.mark.parametrize("what", SHUT)
def test_what_stays_shut(what: str) -> None:
    assert holds(SHUT[what](), LONG) is None


@pytest.mark.parametrize("pack", [packed, gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_not_unpacked(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(1_000_000) + TOLD)
    assert len(bomb) < 10_000
    assert holds(bomb, LONG, largest=999_999) is None
    assert holds(bomb, LONG, largest=2_000_000) is True


def test_the_limit_is_one_for_all_that_is_in_a_file() -> None:
    within = packed(bytes(600), bytes(600), TOLD)
    assert holds(within, LONG, largest=1_000) is True  # what comes later is still looked at
    assert holds(packed(bytes(600), bytes(600)), LONG, largest=1_000) is None
    assert holds(packed(packed(bytes(600)), bytes(600)), LONG, largest=1_000) is None


def test_a_member_that_lies_about_its_size() -> None:
    data = bytearray(packed(bytes(1_000_000) + TOLD))
    size = data.index(b"PK\x01\x02") + 24
    data[size : size + 4] = (10).to_bytes(4, "little")
    assert holds(bytes(data), LONG, largest=1_000) is None


@pytest.fixture
def county(workspace: Workspace) -> Workspace:
    """A workspace with the child, another, and files of their owner's in it."""
    pupils = rows(
        "students",
        student_id=[GONE, "G110101201203150026"],
        name=[NAME, "李明"],
        school_id=["A", "A"],
        grade=[7, 7],
        guardian_phone=[PHONE, "13900002222"],
    )
    load(workspace, "students", pupils)
    for group, files in (("held", HELD), ("free", FREE), ("shut", SHUT)):
        for what, made in files.items():
            path = workspace.root / "老师的文件" / group / f"{what}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made())
    return workspace


def of(group: str, files: dict[str, Callable[[], bytes]]) -> list[str]:
    return sorted(f"老师的文件/{group}/{what}.bin" for what in files)


def test_files_of_one_s_own_are_told_apart(county: Workspace) -> None:
    before = {p: p.read_bytes() for p in (county.root / "老师的文件").rglob("*.bin")}
    done = forget(county, GONE, who="t")
    assert sorted(done.left) == of("held", HELD)
    assert sorted(done.unread) == of("shut", SHUT)
    assert {p: p.read_bytes() for p in before} == before  # they are their owner's
    for path in before:
        if path.parent.name != "free":
            path.unlink()
    assert holding(county.root, (GONE, GONE[1:], NAME, PHONE)) == {}


def test_shut_files_alone_say_nothing_of_a_child(county: Workspace) -> None:
    with pytest.raises(EarlywarnError, match="Nothing in the workspace is about G999"):
        forget(county, "G999", who="t")


def test_packed_files_among_the_program_s_own_go(county: Workspace) -> None:
    run = county.runs / "2026-04-03" / "1"
    run.mkdir(parents=True)
    (run / "lists.zip").write_bytes(packed(TOLD))
    (run / "other.zip").write_bytes(packed(OTHERS))
    (run / "guide.pdf").write_bytes(b"%PDF-1.7 ...")
    done = forget(county, GONE, who="t")
    assert done.removed == ("runs/2026-04-03/1/lists.zip",)
    assert "runs/2026-04-03/1/guide.pdf" in done.unread
    assert sorted(path.name for path in run.iterdir()) == ["guide.pdf", "other.zip"]


def test_a_name_in_two_pieces_of_a_cell(county: Workspace) -> None:
    book = openpyxl.Workbook()
    bold = InlineFont(b=True)
    for cell in ("姓名", CellRichText("欧阳", TextBlock(bold, "晓燕")), "李明"):
        book.active.append([cell])
    path = county.root / "名单.xlsx"
    book.save(path)
    assert "名单.xlsx" in forget(county, GONE, who="t").rewritten
    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for (cell,) in sheet.iter_rows()] == ["姓名", None, "李明"]


def test_a_folder_of_mail_is_searched_by_the_test_as_well(tmp_path: Path) -> None:
    for what in ("zip", "zip in zip", "gzip", "gzip in zip", "parquet in zip"):
        (tmp_path / what).write_bytes(HELD[what]())
    assert len(holding(tmp_path, (NAME, PHONE))) == 5
