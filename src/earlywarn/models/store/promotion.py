"""Which model `score` uses: promoted.json, promoting a model and going back.

`before` is the way back, newest last: promoting puts the model in use there, rolling back takes it
off again. `history` only ever grows: it says what was in use since when, whatever came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from earlywarn.errors import EarlywarnError
from earlywarn.files import write_whole
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.store.find import find
from earlywarn.models.store.folder import check_folder
from earlywarn.models.store.shipped import copy_into
from earlywarn.workspace import Workspace

PROMOTED_FILE = "promoted.json"
# In place of a model's label: none is promoted, the experts' points are used.
NO_MODEL = "none"
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Used(BaseModel):
    """One line of the history: what was put in use, when ("" = not known), and how."""

    model_config = ConfigDict(extra="forbid")

    model: Label
    since: str
    by: Literal["promote", "rollback", "unknown"]


class Promoted(BaseModel):
    """promoted.json: the model in use (name `none`, version 0: the experts), and the way back."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(1, ge=1, le=1)
    name: Label
    version: int = Field(ge=0)
    since: str
    before: list[Label] = Field(default_factory=list)  # oldest first
    history: list[Used] = Field(default_factory=list)  # oldest first

    @property
    def label(self) -> str:
        """`name/version`, or `none`."""
        return NO_MODEL if self.name == NO_MODEL else f"{self.name}/{self.version}"


@dataclass(frozen=True)
class RolledBack:
    """What `rollback` did: the label that was in use, and the model now (None: the experts)."""

    was: str
    now: Scorecard | None


def promote(workspace: Workspace, label: str) -> Scorecard:
    """Make NAME or NAME/VERSION the model that `score` uses. The caller holds the lock.

    Every file that its manifest names is checked. A model that ships is copied into the workspace.
    """
    found = find(workspace, label)
    scorecard = found.read()
    check_folder(found.folder)
    if found.is_shipped:
        copy_into(found.folder, workspace.models / found.name / str(found.version))
    try:
        current = _read(workspace)
    except EarlywarnError:
        _keep_damaged(workspace)
        current = None
    before = list(current.before) if current else []
    if current and current.label not in (scorecard.label, NO_MODEL):
        before.append(current.label)
    _write(workspace, current, scorecard.label, before, "promote")
    return scorecard


def rollback(workspace: Workspace) -> RolledBack:
    """Go back to the model that was promoted before. The caller holds the lock.

    Raises
    ------
    EarlywarnError
        If none is promoted, or the one before cannot be used; then nothing is changed.
    """
    current = _read(workspace)
    if current is None or current.label == NO_MODEL:
        raise EarlywarnError(
            zh="没有启用的模型，无法回退：评分用的是专家分值。",
            en="No model is promoted, so there is nothing to go back from: the experts' points are "
            "in use.",
        )
    if not current.before:
        _write(workspace, current, NO_MODEL, [], "rollback")
        return RolledBack(current.label, None)
    label = current.before[-1]
    try:
        scorecard = find(workspace, label).read()
    except EarlywarnError as error:
        raise EarlywarnError(
            zh=f"不能回退到 {label}：{error.text.zh} 仍在使用 {current.label}，未作改动；"
            "可用 earlywarn models promote NAME/VERSION 另选一个。",
            en=f"Cannot go back to {label}: {error.text.en} {current.label} stays in use, nothing "
            "was changed; choose another with `earlywarn models promote NAME/VERSION`.",
        ) from None
    _write(workspace, current, scorecard.label, current.before[:-1], "rollback")
    return RolledBack(current.label, scorecard)


def read_promoted(workspace: Workspace) -> Promoted | None:
    """Return which model is promoted, if one is."""
    found = _read(workspace)
    return None if found is None or found.label == NO_MODEL else found


def read_history(workspace: Workspace) -> list[Used]:
    """Return what was in use and since when, oldest first."""
    found = _read(workspace)
    return _history(found) if found else []


def _read(workspace: Workspace) -> Promoted | None:
    path = workspace.models / PROMOTED_FILE
    if not path.is_file():
        return None
    try:
        return Promoted.model_validate_json(path.read_bytes())
    except ValidationError:
        raise EarlywarnError(
            zh=f"{path} 已损坏。请运行 earlywarn models promote NAME/VERSION 重新指定。",
            en=f"{path} is damaged. Run `earlywarn models promote NAME/VERSION` again.",
        ) from None


def _history(current: Promoted) -> list[Used]:
    """Return the history; a file without one was written before there was any."""
    if current.history:
        return list(current.history)
    older = [Used(model=label, since="", by="unknown") for label in current.before]
    return [*older, Used(model=current.label, since=current.since, by="unknown")]


def _keep_damaged(workspace: Workspace) -> None:
    """Put a promoted.json that cannot be read aside, under a name that is free."""
    path = workspace.models / PROMOTED_FILE
    number = 1
    while (aside := path.with_name(f"promoted-damaged-{number}.json")).exists():
        number += 1
    path.rename(aside)


def _write(
    workspace: Workspace,
    current: Promoted | None,
    label: str,
    before: list[str],
    by: Literal["promote", "rollback"],
) -> None:
    name, _, version = label.partition("/")
    since = datetime.now(UTC).isoformat(timespec="seconds")
    chosen = Promoted(
        format=1,
        name=name,
        version=int(version or 0),
        since=since,
        before=before,
        history=[*(_history(current) if current else []), Used(model=label, since=since, by=by)],
    )
    write_whole(workspace.models / PROMOTED_FILE, chosen.model_dump_json(indent=1))
