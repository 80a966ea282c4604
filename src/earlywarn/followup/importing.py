"""Filled workbooks into the ledger, and what the ledger then confirms into the table `outcomes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.answers import Returned, Unread
from earlywarn.followup.labels import bring_back
from earlywarn.followup.ledger import Ledger, Merged
from earlywarn.followup.returned import RefusedError, read_returned
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.tables.forgotten import Forgotten
from earlywarn.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: merged, or refused as a whole with `error`."""

    file: str
    school_id: str = ""
    merged: Merged | None = None
    unread: tuple[Unread, ...] = ()
    error: Text | None = None
    left_out: int = 0  # children that were forgotten: what was typed of them is not kept


def workbooks(paths: Iterable[Path]) -> list[Path]:
    """Return the files named, and of each folder the workbooks below it, in order of the path.

    Old formats are among them: they are refused by name and not passed over. What Excel leaves
    beside a workbook that is open is no workbook.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*.xls*") if not p.name.startswith("~$"))
        else:
            found.append(path)
    return found


def import_files(
    workspace: Workspace,
    paths: Iterable[Path],
    *,
    who: str,
    stage: Callable[[str], None] = lambda name: None,
) -> tuple[Imported, ...]:
    """Merge filled workbooks into the ledger, each as a whole; one that is refused stops no other.

    Reading a file again changes nothing, so an interrupted import is simply run again.

    Raises
    ------
    EarlywarnError
        If the ledger cannot be opened or written.
    """
    key = workbook_key(workspace.config)
    forgotten = Forgotten.load(workspace)
    found = []
    with workspace.lock("followup import"), Ledger.open(workspace) as ledger:
        for path in workbooks(paths):
            stage(path.name)
            try:
                returned = read_returned(path, key)
            except EarlywarnError as error:
                typed = error.unread if isinstance(error, RefusedError) else ()
                found.append(Imported(path.name, unread=typed, error=error.text))
                continue
            returned, left_out = _without_forgotten(returned, forgotten)
            merged = ledger.merge(returned, who=who)
            found.append(
                Imported(path.name, returned.school_id, merged, returned.unread, left_out=left_out)
            )
        bring_back(workspace, ledger)
    return tuple(found)


def _without_forgotten(returned: Returned, forgotten: Forgotten) -> tuple[Returned, int]:
    """Leave out what is typed of forgotten children; return how many children that were."""
    typed = {one.student_id for one in returned.answers}
    typed |= {one.student_id for one in returned.unread if one.student_id}
    gone = {student for student in typed if student in forgotten}
    if not gone:
        return returned, 0
    answers = tuple(one for one in returned.answers if one.student_id not in gone)
    unread = tuple(one for one in returned.unread if one.student_id not in gone)
    return replace(returned, answers=answers, unread=unread), len(gone)
