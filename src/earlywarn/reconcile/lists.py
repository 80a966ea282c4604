"""Household and poverty lists, read: the good lines as LISTED, and every row that is none.

They are no tables of the workspace: nothing of them is kept in data/. A value never stands in what
is said of a bad row, for it may be a name in the wrong column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from earlywarn import naming
from earlywarn.errors import EarlywarnError, Text, UsageError
from earlywarn.files import sha256
from earlywarn.reconcile.listmapping import LISTS
from earlywarn.reconcile.listrows import Rows, UnreadRow, rows_of
from earlywarn.reconcile.listsheets import sheets_of
from earlywarn.reconcile.names import plain_name
from earlywarn.reconcile.numbers import identity_number
from earlywarn.reconcile.people import LISTED
from earlywarn.tables.forgotten import Forgotten
from earlywarn.tables.ingest import DATA_SUFFIXES
from earlywarn.tables.mapping import Mapping
from earlywarn.workspace import Workspace

_ORDER = (*(column.name for column in LISTS.columns), "file", "row")
_SHOWN = 5  # files or rows named in a message


@dataclass(frozen=True)
class ReadList:
    """What the files of one list say.

    `lines` (LISTED), numbered in order of what they say; where a line has no birth date, the one
    that its identity number tells. `files`: path and SHA-256 of each; `counts`: how many lines each
    has. `forgotten`: how many lines of forgotten children were left out. `notes` are about whole
    files.
    """

    lines: pa.Table
    files: tuple[tuple[Path, str], ...]
    unread: tuple[UnreadRow, ...]
    notes: tuple[Text, ...]
    forgotten: int
    counts: tuple[int, ...]

    @property
    def unread_rows(self) -> int:
        """How many rows could not be taken; one may have two bad cells."""
        return len({(one.file, one.row) for one in self.unread if not one.kept})


def read_list(workspace: Workspace, paths: Sequence[Path], mapping: Mapping) -> ReadList:
    """Read all files of one list; of a folder every data file in it and below.

    Raises
    ------
    EarlywarnError
        If a file cannot be used at all, or no line of any can; the message names file and cure.
    """
    lines: list[dict[str, Any]] = []
    unread: list[UnreadRow] = []
    notes: list[Text] = []
    hashes: list[tuple[Path, str]] = []
    counts: list[int] = []
    left_out = 0
    forgotten = Forgotten.load(workspace)
    for path in list_files(paths):
        sheets, told = sheets_of(path, mapping)
        notes += told
        hashes.append((path, sha256(path)))
        counts.append(0)
        for source, match in sheets:
            rows = rows_of(source, mapping, match)
            unread += rows.unread
            notes += _beside(source.name, rows)
            for row in rows.good:
                born = row["birth_date"] or birth_of(row["id_number"])
                line = row | {"row": row.pop("_row"), "birth_date": born, "file": source.name}
                if _is_forgotten(line, forgotten):
                    left_out += 1
                else:
                    lines.append(line)
                    counts[-1] += 1
    if not lines and not left_out:
        raise _nothing([path for path, _ in hashes], unread)
    # In an order of their own, so that the order of files and rows decides nothing.
    lines.sort(key=lambda row: tuple(str(row[name] or "") for name in _ORDER))
    for number, row in enumerate(lines):
        row["line"] = number
    table = pa.Table.from_pylist(lines, LISTED)
    return ReadList(table, tuple(hashes), tuple(unread), tuple(notes), left_out, tuple(counts))


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to read, each once, those of a folder in order of their paths."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found.setdefault(path.resolve())
            continue
        for inside in sorted(path.rglob("*")):
            parts = inside.relative_to(path).parts
            hidden = any(part.startswith((".", "~$")) for part in parts)
            if inside.is_file() and not hidden and inside.suffix.casefold() in DATA_SUFFIXES:
                found.setdefault(inside.resolve())
    if not found:
        named, known = ", ".join(map(str, paths)), " ".join(sorted(DATA_SUFFIXES))
        raise UsageError(
            zh=f"{named} 里没有名单文件（{known}）。", en=f"{named}: no list in it ({known})."
        )
    return list(found)


def birth_of(id_number: str | None) -> date | None:
    """Return the birth date that an identity or registry number tells, None if it tells none."""
    number = identity_number(id_number)
    try:
        return datetime.strptime(number.text[6:14], "%Y%m%d").date() if number else None
    except ValueError:
        return None


def _beside(name: str, rows: Rows) -> list[Text]:
    """Say which rows are no child's, and of a sheet that it has no child at all."""
    notes = []
    if rows.nobodys:
        numbers = [str(number) for number in sorted(rows.nobodys)[:_SHOWN]]
        zh, en = "、".join(numbers), ", ".join(numbers)
        if len(rows.nobodys) > _SHOWN:
            zh, en = f"{zh} 等 {len(rows.nobodys)}", f"{en} and {len(rows.nobodys) - _SHOWN} more"
        notes.append(
            Text(
                f"{name}：第 {zh} 行是合计、签名、说明或重复的表头，不是孩子，未读入",
                f"{name}: row {en}: totals, signatures, notes or headings again, and no child's",
            )
        )
    if not rows.good:
        notes.append(
            Text(f"{name}：没有读到一个孩子", f"{name}: not one child could be read from it")
        )
    return notes


def _nothing(paths: Sequence[Path], unread: Sequence[UnreadRow]) -> EarlywarnError:
    """Return the error for a list without a line, which would make every child one not on it."""
    zh, en = "、".join(p.name for p in paths[:_SHOWN]), ", ".join(p.name for p in paths[:_SHOWN])
    if not unread:
        return EarlywarnError(
            zh=f"{zh}：只有表头，没有孩子，未作比对。请核对是不是要用的名单。",
            en=f"{en}: headings and no child; nothing was compared. Check whether this is the list "
            "that was meant.",
        )
    first = unread[0]
    column = (
        Text(f"“{first.column}”列", f", column {first.column}") if first.column else Text("", "")
    )
    return EarlywarnError(
        zh=f"{zh}：{len({(one.file, one.row) for one in unread})} 行都没能读入，未作比对。如 "
        f"{first.file} 第 {first.row} 行{column.zh}：{first.why.zh}。请改正后再比对。",
        en=f"{en}: none of {len({(one.file, one.row) for one in unread})} rows could be read; "
        f"nothing was compared. For one, {first.file}, row {first.row}{column.en}: "
        f"{first.why.en}. Correct them and compare again.",
    )


def _is_forgotten(row: dict[str, Any], forgotten: Forgotten) -> bool:
    """Whether a line is of a forgotten child.

    It is by its number; by its name, if the child was on no registry and known by that alone; or by
    a name that was the child's alone, where the line has no number.
    """
    if not forgotten:
        return False
    number, name = row["id_number"], row["name"]
    names = {name, plain_name(name) or ""}
    told = {number, *names, *(dated(one, row["birth_date"]) for one in names)}
    if any(one in forgotten for one in told if one):
        return True
    return not number and forgotten.knows_name(name)


def dated(name: str, born: date | None) -> str:
    """Return a name with the birth date, as a case has it where two children share the name."""
    return naming.dated(name, born.isoformat()) if born else name
