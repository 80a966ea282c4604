"""The children that were forgotten, as keyed hashes: nothing that is loaded brings them back.

`data/forgotten.json` holds an HMAC of each child's number, worked out with a key of the workspace,
and one of each name that was the child's alone. Nobody can read from it who a child was, and
without the workspace's secret.key nobody can try all identity numbers against it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.errors import EarlywarnError, Text
from earlywarn.files import write_whole
from earlywarn.roles import KEY_FILE, pseudonym
from earlywarn.words import counted
from earlywarn.workspace import Workspace

FORGOTTEN_FILE = "forgotten.json"
FORMAT = 1

_ID, _NAME = "id", "name"
# Why a row names a child whom the registry does not have: by such a row alone a name is known.
_NOBODY = "no_child"


class _Tombstones(BaseModel):
    """`data/forgotten.json`."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    key: str  # by which it shows that secret.key is still the one
    ids: list[str] = Field(default_factory=list)
    names: list[str] = Field(default_factory=list)


class Forgotten:
    """The forgotten children of a workspace: `student_id in forgotten`."""

    def __init__(self, key: bytes, stones: _Tombstones) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)
        self._stones = stones
        self._ids, self._names = frozenset(stones.ids), frozenset(stones.names)

    @classmethod
    def load(cls, workspace: Workspace) -> Self:
        """Read the tombstones; there are none in a workspace that has forgotten nobody.

        Raises
        ------
        EarlywarnError
            If the file is damaged or written by a newer program, or secret.key is not the one that
            it was written with: every forgotten child could then come back unseen.
        """
        path = _path(workspace)
        if not path.exists():
            return cls(b"", _Tombstones(key=""))
        try:
            stones = _Tombstones.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            raise _damaged(path) from None
        if stones.format > FORMAT:
            raise EarlywarnError(
                zh=f"{path} 由更新版本的程序写成（格式 {stones.format}）。请升级 earlywarn。",
                en=f"{path} was written by a newer program (format {stones.format}). Upgrade "
                "earlywarn.",
            )
        if not (workspace.root / KEY_FILE).is_file() or stones.key != _check(_key(workspace)):
            raise EarlywarnError(
                zh=f"{KEY_FILE} 不见了或不是原来那一个，认不出已被遗忘的孩子。请从备份恢复它。",
                en=f"{KEY_FILE} is gone or another one, so that forgotten children cannot be told. "
                "Restore it from a backup.",
            )
        return cls(_key(workspace), stones)

    def __bool__(self) -> bool:
        return bool(self._ids)

    def __contains__(self, student_id: object) -> bool:
        return bool(self._ids) and self._mark(_ID, _plain(str(student_id))) in self._ids

    def knows_name(self, name: str) -> bool:
        """Whether `name` was that of a forgotten child, and of no other then."""
        return bool(self._names) and self._mark(_NAME, _plain(name)) in self._names

    def add(self, workspace: Workspace, student_id: str, names: Iterable[str] = ()) -> None:
        """Put up a child's tombstone; doing it again changes nothing.

        The caller holds the workspace's lock.
        """
        key = _key(workspace)
        new = Forgotten(key, self._stones)
        stones = _Tombstones(
            key=_check(key),
            ids=sorted({*self._stones.ids, *(new._mark(_ID, form) for form in _forms(student_id))}),
            names=sorted({*self._stones.names, *(new._mark(_NAME, _plain(n)) for n in names)}),
        )
        if stones != self._stones:
            write_whole(_path(workspace), stones.model_dump_json(indent=1) + "\n")

    def _mark(self, kind: str, text: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(f"{kind} {text}".encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()


def without_forgotten(workspace: Workspace, rows: pa.Table) -> tuple[pa.Table, int]:
    """Return `rows` without those of forgotten children, and how many were left out.

    `rows` of a table that has no `student_id` come back as they are.
    """
    forgotten = Forgotten.load(workspace)
    if not forgotten or "student_id" not in rows.column_names:
        return rows, 0
    ids = rows["student_id"]
    gone = [one for one in pc.unique(ids).to_pylist() if one is not None and one in forgotten]
    if not gone:
        return rows, 0
    kept = rows.filter(pc.invert(pc.is_in(ids, value_set=pa.array(gone, ids.type))))
    return kept, rows.num_rows - kept.num_rows


def problems_without_forgotten(workspace: Workspace, problems: pa.Table) -> tuple[pa.Table, int]:
    """Return what goes into quarantine without the rows of forgotten children, and their number.

    `problems` has the columns of `validate.PROBLEM_SCHEMA`. A row is a forgotten child's if a cell
    of it is the child's number, or if it is of a child on no registry and a cell is the name.
    """
    forgotten = Forgotten.load(workspace)
    if not forgotten or not problems.num_rows:
        return problems, 0
    gone = set()
    for line in problems.select(["row", "code", "value", "cells"]).to_pylist():
        cells = {cell for cell in (line["value"], *(line["cells"] or ())) if cell}
        if any(cell in forgotten for cell in cells) or (
            line["code"] == _NOBODY and any(forgotten.knows_name(cell) for cell in cells)
        ):
            gone.add(line["row"])
    if not gone:
        return problems, 0
    numbers = pa.array(sorted(gone), problems.schema.field("row").type)
    return problems.filter(pc.invert(pc.is_in(problems["row"], value_set=numbers))), len(gone)


def left_out(rows: int) -> Text:
    """Return the note for `rows` that were left out."""
    return Text(
        f"有 {rows} 行属于已被遗忘的孩子，未导入",
        f"{counted(rows, 'row')} of a forgotten child left out",
    )


def _path(workspace: Workspace) -> Path:
    return workspace.data / FORGOTTEN_FILE


def _key(workspace: Workspace) -> bytes:
    """Return a key of its own, worked out from the workspace's."""
    return "".join(pseudonym(workspace, f"forgotten children {n}") for n in range(4)).encode()


def _check(key: bytes) -> str:
    return hmac.new(key, b"key", hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Return one form for the ways in which a number or a name is written."""
    plain = unicodedata.normalize("NFKC", text).lstrip("'")
    return re.sub(r"\s+", "", plain).upper()


def _forms(student_id: str) -> set[str]:
    """Return a registry number, and the identity number within it."""
    plain = _plain(student_id)
    return {plain, plain[1:]} if re.fullmatch(r"[GL]\d{17}[\dX]", plain) else {plain}


def _damaged(path: Path) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{path} 已损坏，认不出已被遗忘的孩子。请从备份恢复它。",
        en=f"{path} is damaged, so that forgotten children cannot be told. Restore it from a "
        "backup.",
    )
