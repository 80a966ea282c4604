"""Filled workbooks into the ledger, and what the ledger then confirms into the table `outcomes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.answers import Unread
from earlywarn.followup.labels import bring_back
from earlywarn.followup.ledger import Ledger, Merged
from earlywarn.followup.returned import RefusedError, read_returned
from earlywarn.followup.returned.signing import workbook_key
from earlywarn.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: merged, or refused as a whole with `error`."""

    file: str
    school_id: str = ""
    merged: Merged | None = None
    unread: tuple[Unread, ...] = ()
    error: Text | None = None


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
            merged = ledger.merge(returned, who=who)
            found.append(
                Imported(path.name, returned.school_id, merged=merged, unread=returned.unread)
            )
        bring_back(workspace, ledger)
    return tuple(found)
