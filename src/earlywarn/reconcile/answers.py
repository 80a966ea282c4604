"""What people have said of uncertain pairs, kept so that the next lists do not ask again.

`reconcile/answers.json` names a line by a keyed hash of who it is about (not of where it lives), so
that the same line in next month's list has the same one, and a child by its number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.errors import EarlywarnError, Text
from earlywarn.files import write_whole
from earlywarn.followup.returned.headings import squeezed
from earlywarn.reconcile.comparing import Joined
from earlywarn.reconcile.registry import Row
from earlywarn.roles import pseudonym
from earlywarn.workspace import Workspace

FOLDER = "reconcile"
ANSWERS_FILE = "answers.json"

Said = Literal["same", "not", "unsure"]
# What may be chosen in the workbook.
CHOICES: dict[Said, Text] = {
    "same": Text("是同一人", "the same child"),
    "not": Text("不是", "not the same"),
    "unsure": Text("不确定", "not sure"),
}
_WHO = ("name", "sex", "birth_date", "id_number", "guardian", "guardian_phone")
# An identity number, or name, birth date and guardian: no answer goes before these.
_CERTAIN = ("id", "exact")


class Answer(BaseModel):
    """One answer: is the line this child? `unsure` is none and is not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: str
    student_id: str
    said: Literal["same", "not"]
    who: str
    on: date


class Answers(BaseModel):
    """`reconcile/answers.json`."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    answers: list[Answer] = Field(default_factory=list)

    @classmethod
    def load(cls, workspace: Workspace) -> Answers:
        """Read the answers; there are none before the first."""
        path = _path(workspace)
        if not path.exists():
            return cls()
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            raise EarlywarnError(
                zh=f"{path} 已损坏或由更新的程序写成。请从备份恢复，或删去它（答复须重新填写）。",
                en=f"{path} is damaged or written by a newer program. Restore it from a backup, or "
                "delete it (the pairs are then asked again).",
            ) from None

    @property
    def by_pair(self) -> dict[tuple[str, str], str]:
        """What was said, by line and student_id."""
        return {(one.line, one.student_id): one.said for one in self.answers}

    def with_new(self, new: Iterable[Answer]) -> tuple[Answers, int]:
        """Return the answers with `new` in the place of older ones, and how many say more."""
        kept = {(one.line, one.student_id): one for one in self.answers}
        changed = 0
        for one in new:
            before = kept.get((one.line, one.student_id))
            if before is None or before.said != one.said:
                kept[one.line, one.student_id] = one
                changed += 1
        ordered = sorted(kept.values(), key=lambda one: (one.line, one.student_id))
        return Answers(answers=ordered), changed

    def write(self, workspace: Workspace) -> None:
        """Keep the answers; the caller holds the workspace's lock."""
        write_whole(_path(workspace), self.model_dump_json(indent=1) + "\n")


def line_key(workspace: Workspace, line: Row) -> str:
    """Return what a line is known by: a keyed hash of who it is about."""
    told = [squeezed(str(line[name])) if line[name] is not None else "" for name in _WHO]
    return pseudonym(workspace, "reconcile " + json.dumps(told, ensure_ascii=False))


def joined(
    rows: list[Row],
    sure: Iterable[Row],
    unsure: Iterable[Row],
    repeated: Iterable[int],
    answers: Answers,
    children: Iterable[str],
    key: Callable[[Row], str],
) -> Joined:
    """Put together what the linking found (PAIRS as rows) and what people have said.

    `children`: the numbers on the registry; an answer about another child says nothing now.
    """
    said, known = answers.by_pair, set(children)
    keys = {row["line"]: key(row) for row in rows}
    certain = {p["line"]: p["student_id"] for p in sure if p["how"] in _CERTAIN}
    whose = {
        p["line"]: p["student_id"]
        for p in sure
        if said.get((keys[p["line"]], p["student_id"])) != "not"
    }
    confirmed = {line: student for (line, student), what in said.items() if what == "same"}
    for line, hashed in keys.items():
        student = confirmed.get(hashed)
        if student in known and student is not None:
            whose[line] = student
    whose |= certain
    undecided = [
        pair
        for pair in unsure
        if pair["line"] not in whose and (keys[pair["line"]], pair["student_id"]) not in said
    ]
    return Joined(rows, whose, undecided, frozenset(repeated))


def _path(workspace: Workspace) -> Path:
    return workspace.root / FOLDER / ANSWERS_FILE
