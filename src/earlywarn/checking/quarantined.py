"""Rows that were not accepted and are not mended yet: what they say counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from earlywarn.checking.columns import TABLE_LABELS
from earlywarn.checking.finding import Finding
from earlywarn.checking.numbers import many
from earlywarn.errors import Text
from earlywarn.tables.contract import STUDENTS
from earlywarn.tables.quarantine import workbook_path
from earlywarn.tables.quarantine.state import still_of_tables
from earlywarn.workspace import Workspace


def findings(workspace: Workspace) -> Iterator[Finding]:
    """Yield one finding for each table with rows in quarantine."""
    for table, (count, newest) in sorted(still_of_tables(workspace).items()):
        workbook = workbook_path(workspace, newest).relative_to(workspace.root).as_posix()
        called = TABLE_LABELS.get(table, Text(f"{table} ", table))
        is_registry = table == STUDENTS.name
        zh = "：其中的孩子可能不在册，也就不在任何名单上" if is_registry else "，没有计入"
        en = (
            ": a child of theirs may be on no registry, and so on no list"
            if is_registry
            else ", which count nowhere"
        )
        yield Finding(
            "quarantined",
            "warn",
            None,
            None,
            count,
            Text(
                f"{called.zh}有 {count} 行在隔离区{zh}。",
                f"{many(count, 'row')} of {called.en} in quarantine{en}.",
            ),
            Text(
                f"请在 {workbook} 中改正橙色单元格并保存，再运行 earlywarn ingest {table} "
                f"{workbook}；earlywarn ingest --list 列出各批次还剩多少。",
                f"Correct the orange cells in {workbook}, save, and run earlywarn ingest {table} "
                f"{workbook}; `earlywarn ingest --list` shows what is left of each batch.",
            ),
        )
