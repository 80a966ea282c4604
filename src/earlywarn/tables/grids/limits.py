"""What is more than any table of a school, and so is not unpacked, and the words for it."""

from __future__ import annotations

from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.tables.source import unusable

MAX_BYTES = 256 << 20  # of a file that is read as a whole
MAX_UNPACKED = 512 << 20
MAX_RATIO = 400  # unpacked to packed, of parts that are worth a look
RATIO_FROM = 8 << 20
MAX_PARTS = 5_000
MAX_SHEETS = 200
MAX_CELLS = 4_000_000  # of all sheets, empty ones between filled ones too
MAX_COLUMNS = 16_384
MAX_DEPTH = 64  # of XML elements or tables in tables
MAX_HTML = 64 << 20


def too_much(path: Path, zh: str, en: str) -> EarlywarnError:
    """Return the error for a file that holds more than is unpacked."""
    return unusable(
        path,
        f"{zh}，不像是一份表格。请删去表外的内容（远处的空格、图片、格式），另存后再试；"
        "真有这么多行时，请存成 CSV 分开导入。",
        f"{en}, which no school's table has. Delete what stands outside the table (far-off cells, "
        "pictures, formats), save it and try again; if it really has so many rows, save it as CSV "
        "and load it in parts.",
    )


def too_many_cells(path: Path) -> EarlywarnError:
    """Return the error for sheets with more cells than are kept."""
    return too_much(
        path, f"单元格超过 {MAX_CELLS:,} 个".replace(",", ""), f"it has over {MAX_CELLS:,} cells"
    )


def damaged(path: Path, kind: str) -> EarlywarnError:
    """Return the error for a file whose content is broken or cut off."""
    return unusable(
        path,
        f"不是完整的 {kind} 文件（可能没有传完）。请重新导出或复制；"
        "或用 Excel、WPS 打开后另存为 .xlsx。",
        f"is not a whole {kind} file (perhaps cut off on the way). Export or copy it again; "
        "or open it in Excel or WPS and save it as .xlsx.",
    )


def locked(path: Path) -> EarlywarnError:
    """Return the error for a file with a password."""
    return unusable(
        path,
        "有打开密码。请在 Excel 或 WPS 中去掉密码，另存后再试。",
        "has a password; remove it in Excel or WPS, save it and try again.",
    )


def entities(path: Path) -> EarlywarnError:
    """Return the error for XML that declares what spreadsheet programs never declare."""
    return unusable(
        path,
        "里面有任何表格软件都不会写出的 XML 实体定义，可能有害，因此不读。请向学校要一份原件。",
        "it defines XML entities, which no spreadsheet program does and which may do harm; it is "
        "not read. Ask the school for its original.",
    )
