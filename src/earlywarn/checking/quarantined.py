"""Rows that were not accepted and are not mended yet: what they say counts nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from earlywarn.checking.finding import Finding
from earlywarn.checking.numbers import many
from earlywarn.errors import Text
from earlywarn.tables.batches import read_batches
from earlywarn.tables.contract import STUDENTS
from earlywarn.tables.quarantine import workbook_path
from earlywarn.tables.quarantine.state import still
from earlywarn.workspace import Workspace

_TABLES = {
    "students": Text("学籍", "the registry"),
    "attendance": Text("考勤", "attendance"),
    "exams": Text("成绩", "marks"),
    "outcomes": Text("去向", "outcomes"),
    "schools": Text("学校", "the table of schools"),
    "calendar": Text("校历", "the calendar"),
}


def findings(workspace: Workspace) -> Iterator[Finding]:
    """Yield one finding for each table with rows in quarantine."""
    known = read_batches(workspace)
    left = still(workspace, known)
    rows: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for batch in known.batches:
        if batch.id in left:
            table = batch.parts[0].table
            rows[table] += left[batch.id]
            newest[table] = batch.id
    for table, count in sorted(rows.items()):
        workbook = workbook_path(workspace, newest[table]).relative_to(workspace.root).as_posix()
        called = _TABLES.get(table, Text(f"{table} ", table))
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
