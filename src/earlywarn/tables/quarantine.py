"""The rows that were not accepted, kept as a CSV that opens in a spreadsheet.

One line for each bad cell: file, row, column, value, the reason in both languages, then the whole
row as it stood. A cell that a spreadsheet would run as a formula is written as text, with a leading
apostrophe.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from earlywarn.files import whole_file
from earlywarn.tables.reasons import reason
from earlywarn.workspace import Workspace

FOLDER = "_quarantine"
_LONGEST = 32_000  # a spreadsheet's cell holds 32,767 characters; the rest stays in the source
_STEP = 10_000


def quarantine_path(workspace: Workspace, batch_id: int) -> Path:
    """Return where the rows that batch `batch_id` did not accept are."""
    return workspace.data / FOLDER / f"batch-{batch_id:06d}.csv"


def safe_cell(text: str) -> str:
    """Return `text` as a cell that a spreadsheet neither runs nor chokes on."""
    text = text.replace("\0", "\u2400")
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text)})"
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_quarantine(
    workspace: Workspace,
    batch_id: int,
    file: str,
    headings: list[str],
    problems: pa.Table,
    where: Callable[[int], str] = str,
) -> Path:
    """Write `problems` (validate.PROBLEM_SCHEMA) as the quarantine file of a batch.

    `where` gives a row's place (see `Source.where`). The file is written whole, UTF-8 with BOM, and
    sorted by row.
    """
    path = quarantine_path(workspace, batch_id)
    ordered = problems.sort_by([("row", "ascending")])
    with whole_file(path) as beside, beside.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        head = ["file", "row", "column", "value", "reason_zh", "reason_en"]
        writer.writerow([*head, *map(safe_cell, headings)])
        for start in range(0, ordered.num_rows, _STEP):
            writer.writerows(_lines(file, ordered.slice(start, _STEP), where))
    return path


def _lines(file: str, problems: pa.Table, where: Callable[[int], str]) -> Iterable[list[str]]:
    for line in problems.to_pylist():
        why = reason(line["code"], line["detail"])
        cells = [file, where(line["row"]), line["column"], line["value"], why.zh, why.en]
        yield [safe_cell(cell or "") for cell in (*cells, *line["cells"])]
