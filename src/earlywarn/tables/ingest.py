"""Load files into a table: the one entry for commands and other packages."""

from __future__ import annotations

import difflib
from pathlib import Path

from earlywarn.errors import UsageError
from earlywarn.tables.contract import TABLES
from earlywarn.tables.loading import Load, Progress
from earlywarn.tables.mapping import load_mapping
from earlywarn.tables.options import FileResult, IngestOptions, IngestResult
from earlywarn.workspace import Workspace

__all__ = ["FileResult", "IngestOptions", "IngestResult", "ingest"]


def ingest(
    workspace: Workspace,
    table: str,
    paths: list[Path],
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Load each of `paths` into `table`, one batch a file; an unusable one stops no other.

    Raises
    ------
    EarlywarnError
        If there is no such table or mapping, an option does not fit, or somebody else is writing.
        What is wrong with one file stands in its `FileResult.error`.
    """
    options = options or IngestOptions()
    if table not in TABLES:
        near = difflib.get_close_matches(table, TABLES, n=1)
        zh_hint = f"是否想写 {near[0]}？" if near else ""
        en_hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(
            zh=f"没有表 {table}。{zh_hint}可用：{'、'.join(TABLES)}。",
            en=f"There is no table {table}.{en_hint} Known: {', '.join(TABLES)}.",
        )
    options.check(table)
    mapping = load_mapping(workspace, options.mapping, table)
    result = IngestResult(table)
    with workspace.lock(f"ingest {table}"):
        for path in paths:
            load = Load(workspace, mapping, options, path, progress or (lambda stage: None))
            result.files.append(load.run())
    return result
