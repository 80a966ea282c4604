"""Every file of the workspace: does it hold the child, and what is it without?"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from earlywarn.files import write_whole
from earlywarn.forgetting import packed, parquets, texts
from earlywarn.forgetting.child import Child
from earlywarn.forgetting.plan import PLAN_FILE, What
from earlywarn.forgetting.workbooks import members, workbook
from earlywarn.roles import KEY_FILE
from earlywarn.tables.forgotten import FORGOTTEN_FILE
from earlywarn.workspace import Workspace

# What lies in these was made by the program: a file that cannot be rewritten goes.
OURS = ("data", "runs", "impact", "reports", "reconcile", "models", "logs")
_TABLES, _LOGS = {".csv", ".tsv"}, {".log", ".jsonl"}
_PAGES, _BOOKS = {".html", ".htm"}, {".xlsx", ".xlsm"}
CARDS = ("reports", "children")  # a page here is about one child
_LEFT_BEHIND = (".part-", ".old-")  # by a killed writer


@dataclass(frozen=True)
class Found:
    """A file that holds the child, or may.

    `what` is done with it: rewritten (as `content`), removed, or left to its owner, who put it
    into the workspace in a form that is not rewritten; `unread` is one that nobody can look into
    from here. `dropped` are the rows that go.
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
    """Yield every file below the workspace's root that holds the child or may, by its path.

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
    if inside.parts[: len(CARDS)] == CARDS and _is_card(path, child):
        return Found(path, "remove")
    is_half = any(part.startswith(_LEFT_BEHIND) for part in inside.parts)
    is_ours = inside.parts[0] in OURS or is_half
    if any(child.mentioned(part) or child.is_cell(Path(part).stem) for part in inside.parts):
        return Found(path, "remove" if is_ours else "left")
    found = _without(path, child, key)
    if found is None or found.what == "unread" or not is_ours:
        return found
    is_useless = is_half or (
        path.suffix == ".parquet" and inside.parts[0] == "data"  # no batch names it
    )
    return Found(path, "remove") if found.what == "left" or is_useless else found


def _is_card(path: Path, child: Child) -> bool:
    """Whether a page is the child's own card: by a number that tells little, or a name, too."""
    whose = {child.student_id, *child.spellings}
    text = texts.decoded(path.read_bytes())
    return text is not None and not whose.isdisjoint(texts.cards(text[0]))


def _without(path: Path, child: Child, key: bytes) -> Found | None:
    """Return what a file is without the child, None if it does not hold it."""
    start = _start(path)
    if start.startswith(parquets.SIGN):
        return _found(path, parquets.without(path, child))
    if packed.is_packed(start):
        return _unpacked(path, child, key)
    if not _may_hold(path, child):
        return None
    data = path.read_bytes()
    text = texts.decoded(data)
    if text is None:
        return Found(path, "left") if child.is_in(data) else None
    kept, dropped = _function(path.suffix.lower())(text[0], child)
    return None if kept == text[0] else _found(path, (text[1](kept), dropped))


def _found(path: Path, made: tuple[bytes | None, texts.Dropped] | None) -> Found | None:
    if made is None:
        return None
    content, dropped = made
    if content is None:
        return Found(path, "left")
    return Found(path, "rewrite", content, tuple(tuple(cells) for cells in dropped))


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
        return file.read(8)


def _may_hold(path: Path, child: Child) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return child.may_be_in(view)


def _unpacked(path: Path, child: Child, key: bytes) -> Found | None:
    """Return what a packed file is without the child; only a workbook (XLSX) is packed again."""
    if path.stat().st_size > packed.LARGEST:
        return Found(path, "unread")
    data = path.read_bytes()
    held = packed.holds(data, child)
    if path.suffix.lower() in _BOOKS and (held or _may_be_inside(data, child)):
        made = workbook(data, child, key)
        if made is not None and not packed.holds(made[0], child):
            return None if made[0] == data else _found(path, made)
    if held is None:
        return Found(path, "unread")
    return Found(path, "left") if held else None


def _may_be_inside(data: bytes, child: Child) -> bool:
    """Whether a name that others have too, or a number that tells little, is in a workbook."""
    return any(map(child.may_be_in, (members(data) or {}).values()))
