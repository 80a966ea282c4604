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

from earlywarn.errors import EarlywarnError, Text, UsageError
from earlywarn.files import sha256
from earlywarn.reconcile.listmapping import LISTS
from earlywarn.reconcile.numbers import identity_number
from earlywarn.reconcile.people import LISTED
from earlywarn.tables.forgotten import Forgotten
from earlywarn.tables.headings import find_heading_row, notes_of
from earlywarn.tables.ingest import DATA_SUFFIXES
from earlywarn.tables.mapping import Mapping, Match
from earlywarn.tables.readers import open_source
from earlywarn.tables.reasons import reason
from earlywarn.tables.source import Source, unusable
from earlywarn.tables.validate import Converter
from earlywarn.workspace import Workspace

_ORDER = (*(column.name for column in LISTS.columns), "file", "row")


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that could not be taken: where it stands, in which column, and the cure."""

    file: str
    row: int
    column: str
    why: Text


@dataclass(frozen=True)
class ReadList:
    """What the files of one list say.

    `lines` (LISTED), numbered in order of what they say; where a line has no birth date, the one
    that its identity number tells. `files`: path and SHA-256 of each. `forgotten`: how many lines
    of forgotten children were left out. `notes` are about whole files.
    """

    lines: pa.Table
    files: tuple[tuple[Path, str], ...]
    unread: tuple[UnreadRow, ...]
    notes: tuple[Text, ...]
    forgotten: int

    @property
    def unread_rows(self) -> int:
        """How many rows could not be taken; one may have two bad cells."""
        return len({(one.file, one.row) for one in self.unread})


EMPTY = ReadList(LISTED.empty_table(), (), (), (), 0)


def read_list(workspace: Workspace, paths: Sequence[Path], mapping: Mapping) -> ReadList:
    """Read all files of one list; of a folder every data file in it and below.

    Raises
    ------
    EarlywarnError
        If a file cannot be used at all; the message names it and the cure.
    """
    lines: list[dict[str, Any]] = []
    unread: list[UnreadRow] = []
    notes: list[Text] = []
    hashes: list[tuple[Path, str]] = []
    left_out = 0
    forgotten = Forgotten.load(workspace)
    for path in list_files(paths):
        source = open_source(path)
        find_heading_row(source, mapping)
        match = _match(source, mapping)
        notes += [
            Text(f"{source.name}：{note.zh}", f"{source.name}: {note.en}")
            for note in [*source.notes, *notes_of(match)]
        ]
        hashes.append((path, sha256(path)))
        for row in _rows(source, mapping, match, unread):
            if _is_forgotten(row, forgotten):
                left_out += 1
            else:
                lines.append(row | {"file": source.name})
    # In an order of their own, so that the order of files and rows decides nothing.
    lines.sort(key=lambda row: tuple(str(row[name] or "") for name in _ORDER))
    for number, row in enumerate(lines):
        row["line"] = number
    table = pa.Table.from_pylist(lines, LISTED)
    return ReadList(table, tuple(hashes), tuple(unread), tuple(notes), left_out)


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


def _match(source: Source, mapping: Mapping) -> Match:
    """Find the columns of a list; without a name, or any word of age, it is none."""
    try:
        match = mapping.match(source.headings)
    except EarlywarnError as error:
        raise unusable(source.path, error.text.zh, error.text.en) from None
    row = source.heading_row
    if "name" not in match.columns and "name" not in mapping.defaults:
        raise unusable(
            source.path,
            f"第 {row} 行没有“姓名”（name）这一列。请补上表头，或用 --mapping 指定映射文件"
            f"（当前：{mapping.name}）。",
            f"row {row} has no column for the name (name, 姓名). Add the heading, or name a "
            f"mapping file with --mapping (now: {mapping.name}).",
        )
    if not {"birth_date", "id_number"} & match.columns.keys():
        raise unusable(
            source.path,
            f"第 {row} 行既没有“出生日期”（birth_date）也没有“身份证号”（id_number），"
            "看不出谁在学龄内。请补上其中一列，或用 --mapping 指定映射文件"
            f"（当前：{mapping.name}）。",
            f"row {row} has neither a birth date (birth_date, 出生日期) nor an identity number "
            "(id_number, 身份证号), so nothing says who is of school age. Add one of them, or "
            f"name a mapping file with --mapping (now: {mapping.name}).",
        )
    return match


def _rows(
    source: Source, mapping: Mapping, match: Match, unread: list[UnreadRow]
) -> list[dict[str, Any]]:
    """Return a file's good rows in its order; the bad ones go into `unread`."""
    converter = Converter(
        mapping, match, source.headings, mapping.defaults, serial_epoch=source.serial_epoch
    )
    found = []
    for chunk in source.chunks():
        converted = converter.convert(chunk)
        for bad in converted.problems.select(["row", "column", "code", "detail"]).to_pylist():
            why = reason(bad["code"], bad["detail"] or "")
            unread.append(UnreadRow(source.name, bad["row"], bad["column"] or "", why))
        for row in converted.rows.to_pylist():
            born = row["birth_date"] or birth_of(row["id_number"])
            found.append(row | {"row": row.pop("_row"), "birth_date": born})
    return found


def _is_forgotten(row: dict[str, Any], forgotten: Forgotten) -> bool:
    """Whether a line is of a forgotten child.

    It is by its number; by its name, if the child was on no registry and known by that alone; or by
    a name that was the child's alone, where the line has no number.
    """
    if not forgotten:
        return False
    number, name = row["id_number"], row["name"]
    if any(one in forgotten for one in (number, name, dated(name, row["birth_date"])) if one):
        return True
    return not number and forgotten.knows_name(name)


def dated(name: str, born: date | None) -> str:
    """Return a name with the birth date, as a case has it where two children share the name."""
    return f"{name}（{born.isoformat()}）" if born else name
