"""Load files into a table: the one entry for commands and other packages."""

from __future__ import annotations

import difflib
from pathlib import Path

from earlywarn.errors import UsageError
from earlywarn.tables.contract import TABLES
from earlywarn.tables.folder import FolderLoad, goes_together
from earlywarn.tables.loading import Load, Progress
from earlywarn.tables.mapping import load_mapping
from earlywarn.tables.mending import mend
from earlywarn.tables.options import FileResult, IngestOptions, IngestResult
from earlywarn.tables.quarantine.returned import is_returned
from earlywarn.tables.quarantine.state import refresh
from earlywarn.workspace import Workspace

# What is looked for in a folder; a file that is named is read whatever it is called.
DATA_SUFFIXES = frozenset(
    (".csv", ".txt", ".tsv", ".xls", ".xlsx", ".xlsm", ".et", ".ods", ".htm", ".html", ".parquet")
)

__all__ = ["FileResult", "IngestOptions", "IngestResult", "ingest"]


def ingest(
    workspace: Workspace,
    table: str,
    paths: list[Path],
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Load each of `paths` into `table`; an unusable one stops no other.

    Each file is a batch of its own; several class sheets are one together.

    Of a folder every data file in it and below is loaded, in order of its path.

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
    found, passed_over = _files_of(paths)
    result = IngestResult(table, passed_over=passed_over)
    beside: set[int] = set()
    stage = progress or (lambda stage: None)
    with workspace.lock(f"ingest {table}"):
        loaded = []
        if not options.dry_run:
            result.notes += refresh(workspace)
        if goes_together(mapping, options, found):
            load = FolderLoad(workspace, mapping, options, found, stage, beside)
            result.together = load.run()
            result.files += load.files
            found = load.returned
        for path in found:
            if is_returned(path):
                one = mend(workspace, table, path, options, stage, beside)
                loaded += [path] if one.error is None and not one.loaded_before else []
            else:
                one = Load(workspace, mapping, options, path, stage, beside).run()
            result.files.append(one)
        if not options.dry_run:
            result.notes += refresh(workspace, loaded)
    return result


def _files_of(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Return the files to load, and the names of those in a folder that hold no table.

    What a spreadsheet program leaves beside an open workbook, and hidden files, are neither.
    """
    found: list[Path] = []
    passed_over: list[str] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for inside in sorted(path.rglob("*")):
            below = inside.relative_to(path)
            if not inside.is_file() or any(part.startswith((".", "~$")) for part in below.parts):
                continue
            if inside.suffix.casefold() in DATA_SUFFIXES:
                found.append(inside)
            else:
                passed_over.append(str(below))
    if not found:
        named = ", ".join(map(str, paths))
        known = " ".join(sorted(DATA_SUFFIXES))
        raise UsageError(
            zh=f"{named} 里没有数据文件（{known}）。",
            en=f"{named}: no data file in it ({known}).",
        )
    return found, passed_over
