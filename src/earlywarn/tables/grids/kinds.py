"""What a file is, by its content; the name decides nothing."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.grids.limits import damaged
from earlywarn.tables.source import os_error, unusable

PARQUET = b"PAR1"
_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (b"PK\x03", b"PK\x05")
_START = 8192
ENDINGS = {
    "xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"),
    "xls": (".xls", ".xlt", ".et", ".ett"),
    "csv": (".csv", ".txt", ".tsv", ".tab"),
    "html": (".html", ".htm"),
    "ods": (".ods", ".ots"),
    "parquet": (".parquet", ".pq"),
}
_NAMES = {
    "xlsx": "XLSX",
    "xls": "XLS",
    "csv": "文本",
    "html": "HTML",
    "ods": "ODS",
    "parquet": "Parquet",
}
_PICTURES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
_MARKUP = re.compile(
    rb"<!doctype\s+html|<(?:html|head|body|meta|table|style|title|div)[\s>]", re.IGNORECASE
)
_BEFORE_OLE = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")


def kind_of(path: Path) -> str:
    """Return xlsx, xls, ods, html, csv or parquet.

    Raises
    ------
    EarlywarnError
        If the file is missing, empty, a lock file, or of a kind that holds no readable table.
    """
    name = path.name
    if name.startswith("~$"):
        raise unusable(
            path,
            f"是 Excel 或 WPS 打开工作簿时留下的锁定文件。请关闭工作簿，再读入 {name[2:]}。",
            f"is the lock that Excel or WPS keeps beside an open workbook. Close the workbook and "
            f"load {name[2:]}.",
        )
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise os_error(path, error) from None
    if not start:
        raise unusable(path, "文件是空的。", "the file is empty.")
    if start.startswith(_ZIP):
        return _of_zip(path)
    if start.startswith(_OLE):
        return "xls"
    if start.startswith(PARQUET):
        return "parquet"
    _refuse_others(path, start)
    return "html" if is_markup(start) else "csv"


def is_markup(start: bytes) -> bool:
    """Whether a file that begins with `start` is a web page."""
    plain = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return plain.startswith(b"<") and _MARKUP.search(plain) is not None


def misnamed(path: Path, kind: str) -> Text | None:
    """Return the note for a file that is of another kind than its name says."""
    ending = path.suffix.lower()
    if ending in ENDINGS[kind]:
        return None
    zh = _NAMES[kind]
    en = "text" if kind == "csv" else zh
    shown = ending or "（无扩展名）"
    return Text(
        f"文件名是 {shown}，内容其实是 {zh}", f"named {ending or 'without ending'}, is {en}"
    )


def _of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as book:
            names = set(book.namelist())
            kind = book.read("mimetype") if "mimetype" in names else b""
    except Exception:  # zipfile, too, raises more than its own errors
        raise damaged(path, "XLSX") from None
    if "[Content_Types].xml" in names and any(n.lower() == "xl/workbook.xml" for n in names):
        return "xlsx"
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return "ods"
    raise _other_zip(path, names)


def _other_zip(path: Path, names: set[str]) -> EarlywarnError:
    lowered = {name.lower() for name in names}
    if "xl/workbook.bin" in lowered:
        return unusable(
            path,
            "是 .xlsb 二进制工作簿。请另存为 .xlsx。",
            "is a binary workbook (.xlsb). Save it as .xlsx.",
        )
    if any(name.startswith("index/") or name == "index.zip" for name in lowered):
        return unusable(
            path,
            "是苹果 Numbers 表格。请在 Numbers 中选择“导出为 Excel”。",
            "is an Apple Numbers sheet. Export it from Numbers as Excel.",
        )
    if any(name.startswith(("word/", "ppt/")) for name in lowered):
        return unusable(
            path,
            "是 Word 或 PowerPoint 文件。请把其中的表格复制到工作簿，存为 .xlsx。",
            "is a Word or PowerPoint file. Copy its table into a workbook and save it as .xlsx.",
        )
    if "[content_types].xml" in lowered:
        return damaged(path, "XLSX")
    return unusable(
        path,
        "是压缩包，不是表格。请先解压，再读入里面的文件。",
        "is an archive, not a table. Unpack it and load the files in it.",
    )


def _refuse_others(path: Path, start: bytes) -> None:
    for magic, picture in _PICTURES.items():
        if start.startswith(magic) and (magic != b"BM" or b"\0\0" in start[:14]):
            raise unusable(
                path,
                f"是图片（{picture}），不是表格。请把内容录入表格，或索要电子版。",
                f"is a picture ({picture}), not a table. Type it in, or ask for the file itself.",
            )
    if start.startswith(b"%PDF"):
        raise unusable(
            path,
            "是 PDF，不是表格。请索要原来的 Excel 文件，或用 WPS 把 PDF 转成 .xlsx 后核对。",
            "is a PDF, not a table. Ask for the workbook it was printed from, or turn it into "
            ".xlsx and check it.",
        )
    if start.startswith((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise unusable(
            path,
            "是压缩包，不是表格。请先解压，再读入里面的文件。",
            "is an archive, not a table. Unpack it and load the files in it.",
        )
    if start.startswith(_BEFORE_OLE):
        raise unusable(
            path,
            "是 Excel 4 或更早的工作簿。请用 Excel 或 LibreOffice 打开，另存为 .xlsx。",
            "is a workbook of Excel 4 or before. Open it in Excel or LibreOffice, save it as "
            ".xlsx.",
        )
    head = start.replace(b"\0", b"")[:2048]
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head and b"<?xml" in head:
        raise unusable(
            path,
            "是“XML 表格 2003”。请用 Excel 或 WPS 打开，另存为 .xlsx。",
            "is an “XML Spreadsheet 2003”. Open it in Excel or WPS and save it as .xlsx.",
        )
    if re.match(rb"MIME-Version:", head.lstrip(), re.IGNORECASE):
        raise unusable(
            path,
            "是“单个文件网页”（.mht）。请用 Excel 或 WPS 打开，另存为 .xlsx。",
            "is a web page in a single file (.mht). Open it in Excel or WPS, save it as .xlsx.",
        )
