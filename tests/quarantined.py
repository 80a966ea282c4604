"""What is in a quarantine, read from its master, and a workbook of it mended as a user does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

from earlywarn.tables.batches import read_batches
from earlywarn.tables.ingest import FileResult
from earlywarn.tables.quarantine import master_path
from earlywarn.tables.quarantine.master import Kept, read_about, read_rows
from earlywarn.tables.quarantine.workbook import WHERE
from earlywarn.tables.reasons import reason
from earlywarn.workspace import Workspace


def lines_of(result: FileResult) -> list[dict[str, str]]:
    """Return each bad cell of a load: file, row, column, value and reason."""
    assert result.quarantine is not None
    return lines_in(result.quarantine.with_suffix(".parquet"))


def lines_in(master: Path) -> list[dict[str, str]]:
    """Return each bad cell of a master."""
    about = read_about(master)
    assert about is not None
    found = []
    for row in read_rows(master):
        for problem in row.problems:
            why = reason(problem.code, problem.detail)
            column = openpyxl.utils.get_column_letter(max(problem.column, 1))
            place = f"{row.sheet}!{column}{row.row}" if about.layout != "long" else str(row.row)
            found.append(
                {
                    "file": about.file,
                    "row": place,
                    "column": problem.heading,
                    "value": problem.value,
                    "reason_zh": why.zh,
                    "reason_en": why.en,
                }
            )
    return found


def kept(workspace: Workspace, batch: int = 1) -> list[Kept]:
    """Return the bad rows of a master."""
    return [row for row in read_rows(master_path(workspace, batch)) if not row.is_frame]


def place_column(sheet: Any) -> tuple[int, int]:
    """Return row and column of the heading above the rows' places."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value in (WHERE.zh, WHERE.en):
                return cell.row, cell.column
    raise AssertionError(f"no places in {sheet.title}")


def mend(path: Path, changes: dict[tuple[str, int], str], to: Path | None = None) -> Path:
    """Write into cells (place, column from 1) of a workbook, and save it."""

    def change(book: Any) -> None:
        left = dict(changes)
        for sheet in book.worksheets[:-1]:
            _, column = place_column(sheet)
            for row in range(1, sheet.max_row + 1):
                place = sheet.cell(row, column).value
                for (wanted, at), text in changes.items():
                    if wanted == place:
                        sheet.cell(row, at).value = text or None
                        del left[wanted, at]
        assert not left

    return edit(path, change, to)


def edit(path: Path, change: Callable[[Any], None], to: Path | None = None) -> Path:
    """Open a workbook, change it, save it."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(to or path)
    return to or path


def all_rows(workspace: Workspace) -> int:
    """Return how many rows came in, were merged, or are still in quarantine."""
    from earlywarn.tables.quarantine.state import still

    known = read_batches(workspace)
    came = sum(b.parts[0].rows + b.merged for b in known.batches)
    return came + sum(still(workspace, known).values())
