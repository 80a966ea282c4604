"""A file taken only if it is a whole, plain .xlsx of a bearable size; its sheets.

Everything that the library behind it may trip over ends here, as a message with its cure.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from defusedxml.common import DefusedXmlException

from earlywarn.errors import EarlywarnError
from earlywarn.followup.returned.refusal import RefusedError, refused
from earlywarn.followup.returned.sheets import Sheet, read_sheets

# A school's list of 500 children takes 0.2 MB, unpacked 2 MB.
MAX_BYTES = 20 * 2**20
MAX_UNPACKED = 64 * 2**20
MAX_PARTS = 2_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK"


@dataclass(frozen=True, slots=True)
class Opened:
    """A workbook's file name, the SHA-256 of its bytes, and what stands on each sheet."""

    name: str
    sha256: str
    sheets: dict[str, Sheet]


def open_workbook(path: Path) -> Opened:
    """Return what stands on every sheet of the workbook at `path`.

    Raises
    ------
    EarlywarnError
        If it cannot be read, is no .xlsx, or is beyond the limits (here and in `sheets`).
    """
    content = _content(path)
    _check(path, content)
    try:
        sheets = read_sheets(path.name, content)
    except RefusedError:
        raise
    except Exception as error:  # the library raises whatever a broken part happens to cause
        raise _damaged(path.name, error) from None
    return Opened(path.name, hashlib.sha256(content).hexdigest(), sheets)


def _damaged(name: str, error: Exception) -> RefusedError:
    if isinstance(error, DefusedXmlException):
        return refused(
            name,
            "里面有任何表格软件都不会写出的 XML 实体定义，可能有害。请向学校要一份原件。",
            "it defines XML entities, which no spreadsheet program does and which may do harm. "
            "Ask the school for its original.",
        )
    return refused(
        name,
        "工作簿已损坏，无法读取。请用 Excel、WPS 或 LibreOffice 打开，另存为 .xlsx 再试。",
        "the workbook is damaged and cannot be read. Open it in Excel, WPS or LibreOffice, save it "
        "as .xlsx and try again.",
    )


def _content(path: Path) -> bytes:
    name = path.name
    if name.startswith("~$"):
        raise refused(
            name,
            f"这是 Excel 或 WPS 打开工作簿时留下的锁定文件。请先关闭工作簿，再读入 {name[2:]}。",
            f"this is the lock that Excel or WPS keeps beside an open workbook. Close the "
            f"workbook and import {name[2:]}.",
        )
    if path.is_dir():
        raise refused(
            name,
            "这是文件夹。请给出里面的 .xlsx 文件。",
            "this is a folder. Name the .xlsx files in it.",
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_much(name, f"文件超过 {MAX_BYTES >> 20} MB", "is over", MAX_BYTES)
        return path.read_bytes()
    except FileNotFoundError:
        raise EarlywarnError(
            zh=f"找不到文件 {path}。请核对文件名和文件夹。",
            en=f"There is no file {path}. Check its name and folder.",
        ) from None
    except OSError as error:
        raise refused(
            name,
            f"无法读取（{error.strerror}）。若正在 Excel 或 WPS 中打开，请先关闭。",
            f"it cannot be read ({error.strerror}). If it is open in Excel or WPS, close it there.",
        ) from None


def _too_much(name: str, zh: str, en: str, size: int) -> RefusedError:
    return refused(
        name,
        f"{zh}，不像是一份名单。请删去与名单无关的内容，另存为 .xlsx 再试。",
        f"it {en} {size >> 20} MB, which no watchlist is. Remove what does not belong to the "
        "list, save it as .xlsx and try again.",
    )


def _check(path: Path, content: bytes) -> None:
    """Refuse what is no plain .xlsx, and what would unpack to too much."""
    name = path.name
    if not content:
        raise refused(
            name,
            "文件是空的（0 字节），可能没有传完。请学校重新发送。",
            "the file is empty (0 bytes), perhaps not sent in full. Have it sent again.",
        )
    if content.startswith(_OLE):
        raise _old_or_locked(name, content)
    if not content.startswith(_ZIP):
        raise refused(
            name,
            "这不是 Excel 工作簿。请发回填好的那份 .xlsx 名单。",
            "this is no Excel workbook. Send back the .xlsx list that was filled in.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = {info.filename: info.file_size for info in book.infolist()}
            types = parts.get("[Content_Types].xml", MAX_UNPACKED)
            macros = types < MAX_UNPACKED and b"macroEnabled" in book.read("[Content_Types].xml")
    except Exception:  # zipfile, too, raises more than its own errors
        raise refused(
            name,
            "文件不完整（可能没有传完）。请学校重新发送。",
            "the file is not whole (perhaps cut off on the way). Have it sent again.",
        ) from None
    if len(parts) > MAX_PARTS or sum(parts.values()) > MAX_UNPACKED:
        raise _too_much(
            name, f"解压后超过 {MAX_UNPACKED >> 20} MB 或部件过多", "unpacks to over", MAX_UNPACKED
        )
    if macros or path.suffix.lower() == ".xlsm" or any("vbaProject" in part for part in parts):
        raise refused(
            name,
            "这是带宏的工作簿，宏可能有害，所以不读。请另存为不带宏的 .xlsx 再试。",
            "this workbook holds macros, which may do harm, so it is not read. Save it as .xlsx "
            "without macros and try again.",
        )
    if "[Content_Types].xml" not in parts or "xl/workbook.bin" in parts:
        raise refused(
            name,
            "这不是 .xlsx 工作簿（可能是 .ods、.xlsb 或压缩包）。请另存为 .xlsx 再试。",
            "this is no .xlsx workbook (perhaps an .ods, an .xlsb or an archive). Save it as "
            ".xlsx and try again.",
        )


def _old_or_locked(name: str, content: bytes) -> RefusedError:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return refused(
            name,
            "工作簿有打开密码。请去掉密码（文件、信息、保护工作簿），另存后再试。",
            "the workbook has a password. Remove it (File, Info, Protect Workbook), save it and "
            "try again.",
        )
    return refused(
        name,
        "这是旧格式（.xls 或 WPS 的 .et）。请另存为 .xlsx 再试。",
        "this is in an old format (.xls, or .et of WPS). Save it as .xlsx and try again.",
    )
