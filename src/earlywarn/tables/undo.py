"""`ingest --undo BATCH`: put things back as if a load had never been."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text, UsageError
from earlywarn.tables.batchlist import Batch, BatchList, Undone, now, read_batches
from earlywarn.tables.quarantine.state import files_of, refresh
from earlywarn.workspace import Workspace


@dataclass(frozen=True)
class UndoResult:
    """The batch that was taken out, its files that the system would not let go of, and notes.

    The notes are on workbooks of the quarantine.
    """

    batch: Batch
    left: list[Path]
    notes: list[Text] = field(default_factory=list)


def batch_number(text: str) -> int:
    """Read a batch's number as the user writes it (UsageError if it is none)."""
    text = text.strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise UsageError(
        zh=f"--undo 的值 {text} 不是批次号，请写成 --undo 3 这样；ingest --list 列出批次。",
        en=f"--undo: {text} is no batch's number; write it like --undo 3 "
        "(ingest --list shows the batches).",
    )


def undo(workspace: Workspace, number: int, who: str = "") -> UndoResult:
    """Take batch `number` out: its rows are gone, what it overrode or replaced counts again.

    The list of batches changes at one stroke; the batch's files go after that, so that a killed
    undo leaves the data of before or after. The number is never used again.

    Raises
    ------
    EarlywarnError
        If there is no such batch, it is out of force already, the ledger made it, or somebody else
        is writing.
    """
    with workspace.lock(f"undo {number}"):
        known = read_batches(workspace)
        batch = _in_force(known, number)
        known.batches = [other for other in known.batches if other.id != number]
        for part in (part for other in known.batches for part in other.parts):
            part.overrides = [old for old in part.overrides if old != number]
            if part.replaces is not None:
                part.replaces.batches = [old for old in part.replaces.batches if old != number]
        known.undone.append(Undone(id=number, origin=batch.origin, undone_at=now(), who=who))
        known.write(workspace)
        left = _remove_files(workspace, batch)
        return UndoResult(batch, left, refresh(workspace))


def _in_force(known: BatchList, number: int) -> Batch:
    """Return the batch, or say why it cannot be undone."""
    for batch in known.batches:
        if batch.id == number:
            if batch.is_of_the_ledger:
                raise EarlywarnError(
                    zh=f"批次 {number} 来自跟进台账，不能撤销：台账会在下次 followup import 时"
                    "重新写入。要更正，请在台账中更正该学生的结果。",
                    en=f"Batch {number} comes from the follow-up ledger and cannot be undone: the "
                    "ledger would bring it back with the next followup import. Correct the "
                    "child's outcome in the ledger instead.",
                )
            later = [b.id for b in known.batches if b.mends and b.mends.batch == number]
            if later:
                shown = ", ".join(map(str, reversed(later)))
                raise EarlywarnError(
                    zh=f"批次 {number} 中被隔离的行已改正并导入为批次 {shown}。请先撤销 {shown}，"
                    f"再撤销 {number}。",
                    en=f"Rows of batch {number} were mended and loaded as batch {shown}. Undo "
                    f"{shown} first, then {number}.",
                )
            return batch
    for gone in known.undone:
        if gone.id == number:
            raise EarlywarnError(
                zh=f"批次 {number} 已于 {gone.undone_at} 撤销"
                + (f"（{gone.who}）。" if gone.who else "。"),
                en=f"Batch {number} was undone on {gone.undone_at}"
                + (f" by {gone.who}." if gone.who else "."),
            )
    if number < known.next_id:
        raise EarlywarnError(
            zh=f"批次 {number} 已不在使用中（被后来的台账结果取代）。",
            en=f"Batch {number} is in force no more: newer outcomes of the ledger took its place.",
        )
    shown = ", ".join(str(batch.id) for batch in known.batches[-10:])
    raise EarlywarnError(
        zh=f"没有批次 {number}。"
        + (f"最近的批次：{shown}；ingest --list 列出全部。" if shown else "还没有导入任何数据。"),
        en=f"There is no batch {number}. "
        + (
            f"The last ones are {shown}; ingest --list shows all."
            if shown
            else "Nothing is loaded."
        ),
    )


def _remove_files(workspace: Workspace, batch: Batch) -> list[Path]:
    """Remove what the batch no longer needs; return what is still there (open elsewhere)."""
    paths = [workspace.data / part.file for part in batch.parts]
    paths += files_of(workspace, batch.id)
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return [path for path in paths if path.exists()]
