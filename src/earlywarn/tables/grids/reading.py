"""One road for every kind of file: recognised by content, read, and what was done said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.tables.grids.grid import Book, Grids
from earlywarn.tables.grids.html import read_html
from earlywarn.tables.grids.kinds import kind_of, misnamed
from earlywarn.tables.grids.ods import read_ods
from earlywarn.tables.grids.text import read_text
from earlywarn.tables.grids.xls import read_xls
from earlywarn.tables.grids.xlsx import read_xlsx
from earlywarn.tables.source import os_error, unusable

_READERS: dict[str, Callable[[Path], Book]] = {
    "xlsx": read_xlsx,
    "xls": read_xls,
    "ods": read_ods,
    "html": read_html,
    "csv": read_text,
}


def read_grids(path: Path) -> Grids:
    """Return all sheets of the file at `path`.

    Raises
    ------
    EarlywarnError
        If it is missing, empty, broken, locked, of a kind without tables, or beyond the limits; the
        message names the file and the cure.
    """
    kind, book = read_book(path)
    for grid in book.sheets:
        filled = sum(row <= len(grid.rows) and any(grid.rows[row - 1]) for row in grid.hidden_rows)
        book.notes += hidden_notes(grid.name, grid.hidden and bool(grid.rows), filled)
    return Grids(path.name, kind, tuple(book.sheets), tuple(book.notes))


def read_book(path: Path) -> tuple[str, Book]:
    """Return the kind of the file at `path` and its sheets; raises as `read_grids` does."""
    kind = kind_of(path)
    if kind == "parquet":
        raise unusable(
            path,
            "是 Parquet 文件，只有长表可用：请用 earlywarn ingest 直接导入。",
            "is Parquet, which only a long table may be: load it with `earlywarn ingest`.",
        )
    try:
        book = _READERS[kind](path)
    except OSError as error:
        raise os_error(path, error) from None
    if not any(grid.rows for grid in book.sheets):
        raise unusable(
            path, "里面没有内容，所有表都是空的。", "it has no content: every sheet is empty."
        )
    lying = misnamed(path, kind)
    book.notes[:0] = [lying] if lying else []
    return kind, book


def hidden_notes(name: str, hidden: bool, rows: int) -> list[Text]:
    """Say of the sheet `name` that it, or `rows` of its rows, are hidden and were read."""
    notes = []
    if hidden:
        notes.append(Text(f"隐藏的工作表“{name}”已读入", f"hidden sheet “{name}” read"))
    if rows:
        zh, en = (f"工作表“{name}”", f"sheet “{name}”: ") if name else ("", "")
        some = "rows" if rows > 1 else "row"
        notes.append(Text(f"{zh}有 {rows} 个隐藏行，已读入", f"{en}{rows} hidden {some} read"))
    return notes
