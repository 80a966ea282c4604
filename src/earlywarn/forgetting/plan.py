"""What a forgetting has set out to do, kept until it is done: a killed one is finished by the next.

While it lasts, `forgetting.json` is the one file that still names the child; it goes last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.errors import EarlywarnError
from earlywarn.files import write_whole
from earlywarn.forgetting.child import Child
from earlywarn.workspace import Workspace

PLAN_FILE = "forgetting.json"
# What is done with a file that holds the child; with one that may, nothing.
What = Literal["rewrite", "remove", "left", "unread"]


class Plan(BaseModel):
    """One forgetting: the child, and what is known to hold it."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    token: str
    at: str
    student_id: str
    names: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    born: tuple[str, ...] = ()
    rows: dict[str, int] = Field(default_factory=dict)  # by table
    files: dict[str, What] = Field(default_factory=dict)  # by path below the root
    unread: tuple[str, ...] = ()  # paths of files that may hold the child
    quarantined: dict[int, int] = Field(default_factory=dict)  # by batch: the count afterwards
    cases: int = 0
    entries: int = 0
    unsettled: int = 0
    looks: int = 0

    @property
    def child(self) -> Child:
        """The child."""
        return Child(self.student_id, self.names, self.own, self.spellings, self.born)

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the workspace is about the child."""
        return not (self.rows or self.files or self.cases or self.unsettled or self.looks)

    def write(self, workspace: Workspace) -> None:
        """Keep the plan; the caller holds the workspace's lock."""
        write_whole(_path(workspace), self.model_dump_json(indent=1) + "\n")

    def done(self, workspace: Workspace) -> None:
        """Take the plan away."""
        _path(workspace).unlink(missing_ok=True)


def pending(workspace: Workspace) -> Plan | None:
    """Return the forgetting that was begun and not finished, if there is one."""
    path = _path(workspace)
    if not path.exists():
        return None
    try:
        return Plan.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise EarlywarnError(
            zh=f"{path} 已损坏。请删去它，再运行一次 earlywarn forget。",
            en=f"{path} is damaged. Delete it, then run `earlywarn forget` once more.",
        ) from None


def _path(workspace: Workspace) -> Path:
    return workspace.root / PLAN_FILE
