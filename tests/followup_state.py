"""What a workspace holds, to compare two: its files and its ledger's rows, without the times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from earlywarn.files import sha256
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import FILE, reading
from earlywarn.followup.ledger.schema import BOOKS, entries, metadata
from earlywarn.tables.batches import BATCHES_FILE
from earlywarn.workspace import Workspace

_JOURNAL = f"{FILE}-journal"  # a killed writer leaves it to the next one; the rows tell
# Columns of the ledger and keys of JSON files that tell when something was done, how long it took,
# or a hash over such.
_TIME_COLUMNS = {"at", "opened_at", "hash"}
_TIME_KEYS = {"made", "created", "loaded_at", "seconds"}


def rows(root: Path, *, times: bool = False) -> set[str]:
    """Return every row of the ledger as text; with `times`, those that never change, in full."""
    tables = (*BOOKS, entries) if times else tuple(metadata.tables.values())
    found = set()
    with Ledger.open(Workspace.open(root)) as ledger, reading(ledger.engine) as con:
        for table in tables:
            columns = [c for c in table.columns if times or c.name not in _TIME_COLUMNS]
            found |= {f"{table.name} {tuple(row)!r}" for row in con.execute(select(*columns))}
    return found


def state(root: Path) -> dict[str, str]:
    """Return what a workspace holds: each file's content by its path, and the ledger's, as hashes.

    Times, and what a killed process left beside its work (hidden files), are left out.
    """
    found = {}
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".json":
            timeless = json.loads(path.read_bytes(), object_hook=_timeless)
            found[name] = _hash(json.dumps(timeless, sort_keys=True))
        elif path.name not in (FILE, _JOURNAL):
            found[name] = sha256(path)
    return found | {FILE: _hash("\n".join(sorted(rows(root))))}


def changed(before: Path, after: Path) -> list[str]:
    """Return what stood in `before` and does not stand in `after`: files, rows of the ledger.

    The list of batches may have another one, and the ledger more rows.
    """
    gone = [
        path.relative_to(before).as_posix()
        for path in _files(before)
        if path.name not in (FILE, BATCHES_FILE)
        and not _same(path, after / path.relative_to(before))
    ]
    return gone + sorted(rows(before, times=True) - rows(after, times=True))


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            yield path


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and sha256(one) == sha256(other)


def _timeless(read: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in read.items() if key not in _TIME_KEYS}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
