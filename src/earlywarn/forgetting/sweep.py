"""Every file of the workspace: does it hold the child, and what is it without?"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from earlywarn.files import write_whole
from earlywarn.forgetting import texts
from earlywarn.forgetting.child import Child
from earlywarn.forgetting.plan import PLAN_FILE, What
from earlywarn.forgetting.workbooks import members, workbook
from earlywarn.roles import KEY_FILE
from earlywarn.tables.forgotten import FORGOTTEN_FILE
from earlywarn.workspace import Workspace

# What lies in these was made by the program: a file that cannot be rewritten goes.
OURS = ("data", "runs", "impact", "reports", "models", "logs")
_TABLES, _LOGS = {".csv", ".tsv"}, {".log", ".jsonl"}
_PAGES, _BOOKS = {".html", ".htm"}, {".xlsx", ".xlsm"}
_LEFT_BEHIND = (".part-", ".old-")  # by a killed writer
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"


@dataclass(frozen=True)
class Found:
    """A file that holds the child.

    `what` is done with it: rewritten (as `content`), removed, or left to its owner, who put it
    into the workspace in a form that is not rewritten. `dropped` are the rows that go.
    """

    path: Path
    what: What
    content: bytes = b""
    dropped: tuple[tuple[str, ...], ...] = ()

    def carry_out(self) -> None:
        """Rewrite or remove the file, whole or not at all."""
        if self.what == "rewrite":
            write_whole(self.path, self.content)
        elif self.what == "remove":
            self.path.unlink(missing_ok=True)


def sweep(
    workspace: Workspace,
    child: Child,
    key: bytes,
    *,
    skip: Collection[Path],
    stage: Callable[[str], None],
) -> Iterator[Found]:
    """Yield every file below the workspace's root that holds the child, in order of the path.

    Parameters
    ----------
    key
        What the workspace's lists are signed with.
    skip
        Files that are seen to elsewhere: the tables in force, the ledger.
    """
    own = {workspace.root / name for name in (PLAN_FILE, KEY_FILE, ".lock", ".lock-holder.json")}
    own |= {workspace.data / FORGOTTEN_FILE, *skip}
    for folder, subfolders, names in os.walk(workspace.root):
        subfolders.sort()
        stage(Path(folder).relative_to(workspace.root).as_posix())
        for name in sorted(names):
            path = Path(folder) / name
            if path not in own and not path.is_symlink():
                found = _look(workspace, path, child, key)
                if found is not None:
                    yield found


def _look(workspace: Workspace, path: Path, child: Child, key: bytes) -> Found | None:
    inside = path.relative_to(workspace.root)
    is_half = any(part.startswith(_LEFT_BEHIND) for part in inside.parts)
    is_ours = inside.parts[0] in OURS or is_half
    if any(child.mentioned(part) or child.is_cell(Path(part).stem) for part in inside.parts):
        return Found(path, "remove" if is_ours else "left")
    made = _without(path, child, key)
    if made is None:
        return None
    content, dropped = made
    useless = is_half or (
        path.suffix == ".parquet" and inside.parts[0] == "data"  # no batch names it
    )
    if content is None or (useless and is_ours):
        return Found(path, "remove" if is_ours else "left")
    return Found(path, "rewrite", content, tuple(tuple(cells) for cells in dropped))


def _without(path: Path, child: Child, key: bytes) -> tuple[bytes | None, texts.Dropped] | None:
    """Return a file's content without the child, None in its place if that cannot be made.

    None if the file does not hold the child.
    """
    start = _start(path)
    if start == _PARQUET:
        return _parquet(path, child)
    if start == _ZIP:
        return _zip(path, child, key)
    if not _may_hold(path, child):
        return None
    data = path.read_bytes()
    text = texts.decoded(data)
    if text is None:
        return (None, []) if child.is_in(data) else None
    kept, dropped = _function(path.suffix.lower())(text[0], child)
    if kept == text[0]:
        return None
    return text[1](kept), dropped


def _function(suffix: str) -> Callable[[str, Child], tuple[str, texts.Dropped]]:
    if suffix in _TABLES:
        return texts.table
    if suffix == ".json":
        return texts.document
    if suffix in _PAGES:
        return texts.page
    return texts.lines if suffix in _LOGS else texts.note


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _may_hold(path: Path, child: Child) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return child.may_be_in(view)


def _zip(path: Path, child: Child, key: bytes) -> tuple[bytes | None, texts.Dropped] | None:
    data = path.read_bytes()
    inside = members(data)
    if inside is None:  # damaged, or too large to look into
        return (None, []) if child.is_in(data) else None
    if path.suffix.lower() in _BOOKS:
        if not any(child.may_be_in(member) for member in inside.values()):
            return None
        made = workbook(data, child, key)
        if made is not None and not any(map(child.is_in, (members(made[0]) or {}).values())):
            return None if made[0] == data else made
    held = any(map(child.is_in, inside.values())) or any(map(child.mentioned, inside))
    return (None, []) if held else None


def _parquet(path: Path, child: Child) -> tuple[bytes | None, texts.Dropped] | None:
    try:
        file = pq.ParquetFile(path)
        names = [field.name for field in file.schema_arrow if _is_text(field.type)]
        names = ["student_id"] if "student_id" in names else names
        is_its = _rows_of(file.read(columns=names), child)
        if not pc.any(is_its).as_py():
            return None
        table = file.read()
    except (OSError, pa.ArrowException):
        return (None, []) if child.is_in(path.read_bytes()) else None
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table.filter(pc.invert(is_its)), buffer, compression="zstd", write_statistics=True
    )
    return buffer.getvalue().to_pybytes(), [[child.student_id]] * pc.sum(is_its).as_py()


def _rows_of(table: pa.Table, child: Child) -> pa.ChunkedArray | pa.Array:
    found = pa.array([False] * table.num_rows)
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if name == "student_id" or child.telling:
            found = pc.or_(found, pc.fill_null(pc.equal(column, child.student_id), False))
        if name != "student_id":
            for word in child.own:
                holds = pc.match_substring(column, word)
                found = pc.or_(found, pc.fill_null(holds, False))
    return found


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
