"""What XlsxWriter alone takes for the cells of workbooks: no formats, checks or signatures.

The least that writing workbooks of that size costs; cold.py sets the program's lists beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter


def cells(books: list[Path]) -> list[list[tuple[str, list[tuple[int, int, Any]]]]]:
    """Return what stands in each sheet of each workbook: (row, column, value) from 0."""
    found = []
    for path in books:
        book = openpyxl.load_workbook(path, read_only=False)
        found.append(
            [
                (
                    sheet.title,
                    [
                        (cell.row - 1, cell.column - 1, cell.value)
                        for row in sheet.iter_rows()
                        for cell in row
                        if cell.value is not None
                    ],
                )
                for sheet in book.worksheets
            ]
        )
        book.close()
    return found


def bare(folder: Path, contents: list[list[tuple[str, list[tuple[int, int, Any]]]]]) -> None:
    """Write the cells as plain workbooks."""
    for number, sheets in enumerate(contents):
        book = xlsxwriter.Workbook(folder / f"{number}.xlsx", {"remove_timezone": True})
        for title, rows in sheets:
            sheet = book.add_worksheet(title)
            for row, column, value in rows:
                sheet.write(row, column, value)
        book.close()
