"""`data/batches.json`: which loads are in force, what each brought, which were undone.

A Parquet file that the list does not name does not exist for the program, and the list is written
whole: a killed load or undo leaves the state before it, or the one after.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from earlywarn.errors import EarlywarnError
from earlywarn.files import write_whole
from earlywarn.workspace import Workspace

BATCHES_FILE = "batches.json"
FORMAT = 1
LEDGER = "ledger"  # the origin of what the follow-up ledger confirmed


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Span(_Strict):
    """Days that a replacing file speaks for, both included; of one exam, where it names one."""

    first: date
    last: date
    exam: str | None = None


class Scope(_Strict):
    """What a file loaded with --replace is all that is known of: its schools on its days.

    Rows of `batches` (all of them earlier) that lie in it count no more. The rows themselves stay
    where they are, so that they are back when the replacing batch is undone.
    """

    schools: list[str | None]  # None: the calendar's rows for all schools
    spans: list[Span]
    batches: list[int] = Field(default_factory=list)


class Part(_Strict):
    """The rows that one batch put into one table."""

    table: str
    file: str  # below data/, with forward slashes
    rows: int
    sha256: str
    # Earlier batches that hold a key of this one: their rows of that key count no more.
    overrides: list[int] = Field(default_factory=list)
    # attendance only: True if every student and date stands once here and in no other batch.
    one_row_a_day: bool = False
    replaces: Scope | None = None


class SourceFile(_Strict):
    """The file that a batch was read from."""

    name: str
    sha256: str
    size: int  # bytes


class LoadedFile(SourceFile):
    """One of the files that a batch was read from together."""

    content: str  # as a batch's
    rows: int  # accepted


class Mends(_Strict):
    """Which rows of an earlier batch's quarantine a batch brought in."""

    batch: int
    rows: dict[str, list[int]]  # by sheet, "" where the file has none: rows of the file


class Batch(_Strict):
    """One load. What earlier programs did not write down is empty or 0."""

    id: int
    loaded_at: str
    who: str = ""
    origin: str  # the file's name, or what made the rows
    content: str  # hash over content, table and options: equal = the same load
    file: SourceFile | None = None
    files: list[LoadedFile] = Field(default_factory=list)  # where there are several
    parts: list[Part]
    options: dict[str, str] = Field(default_factory=dict)
    rows_read: int = 0  # = the first part's rows + merged + quarantined
    merged: int = 0
    quarantined: int = 0
    replaced: int = 0  # rows of earlier batches whose key this one has too
    withdrawn: int = 0  # rows of earlier batches that --replace took out, their key not in the file
    # students only: schools whose whole registry this file is, from its snapshot date on
    complete: list[tuple[str, str]] = Field(default_factory=list)
    mends: Mends | None = None

    def brought(self, content: str) -> bool:
        """Whether this is the load of that `content`, or one of its files is."""
        return content == self.content or any(content == file.content for file in self.files)

    @property
    def is_of_the_ledger(self) -> bool:
        """Whether the follow-up ledger made the rows (a file's load always has options)."""
        return self.origin == LEDGER and not self.options


class Undone(_Strict):
    """A batch that was taken out again."""

    id: int
    origin: str
    undone_at: str
    who: str


class BatchList(_Strict):
    """The file as a whole."""

    format: int = FORMAT
    next_id: int = 1
    batches: list[Batch] = Field(default_factory=list)
    undone: list[Undone] = Field(default_factory=list)

    def write(self, workspace: Workspace) -> None:
        """Make this the list in force, at one stroke. The caller holds the workspace's lock."""
        write_whole(workspace.data / BATCHES_FILE, self.model_dump_json(indent=1))


def now() -> str:
    """Return this moment as the list writes it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_batches(workspace: Workspace) -> BatchList:
    """Return the batches in force, oldest first (an empty list in a new workspace).

    Raises
    ------
    EarlywarnError
        If the file is damaged, or a newer program wrote it.
    """
    path = workspace.data / BATCHES_FILE
    if not path.exists():
        return BatchList()
    try:
        known = json.loads(path.read_bytes())
        found = known.get("format") if isinstance(known, dict) else None
        if isinstance(found, int) and found > FORMAT:
            raise EarlywarnError(
                zh=f"{path} 由更新版本的程序写成（格式 {found}）。请升级 earlywarn。",
                en=f"{path} was written by a newer program (format {found}). Upgrade earlywarn.",
            )
        return BatchList.model_validate(known)
    except (OSError, ValueError):
        raise EarlywarnError(
            zh=f"{path} 已损坏，无法读取。请从备份恢复。",
            en=f"{path} is damaged and cannot be read. Restore it from a backup.",
        ) from None
