"""Finding a model by its label, NAME/VERSION: in the workspace, or among those that ship."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.models.scorecard import Scorecard
from earlywarn.models.store import shipped
from earlywarn.models.store.folder import PICKLES, pickled, read_model
from earlywarn.workspace import Workspace

NAME = re.compile(r"\w[\w.-]{0,59}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Found:
    """Where a model lies; `is_shipped` if that is the program's own folder, not the workspace's."""

    name: str
    version: int
    folder: Path
    is_shipped: bool = False

    @property
    def label(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"

    def read(self) -> Scorecard:
        """Read the model and check it; its own name must be the folder's.

        Raises
        ------
        EarlywarnError
            If it must not be used; the message says why.
        """
        scorecard = read_model(self.folder)
        if scorecard.label != self.label:
            raise EarlywarnError(
                zh=f"{self.folder} 里的模型自称 {scorecard.label}。"
                "请把文件夹放回原来的名称和版本。",
                en=f"The model in {self.folder} calls itself {scorecard.label}: put the folder "
                "back under that name and version.",
            )
        return scorecard


def versions_in(models: Path, name: str) -> list[int]:
    """Return the versions of a model in a folder of models, ascending."""
    folder = models / name
    if not NAME.fullmatch(name) or not folder.is_dir():
        return []
    return sorted(
        int(p.name) for p in folder.iterdir() if _VERSION.fullmatch(p.name) and p.is_dir()
    )


def all_in(models: Path, *, is_shipped: bool = False) -> list[Found]:
    """Return every model folder in a folder of models, by name and version."""
    if not models.is_dir():
        return []
    names = sorted(p.name for p in models.iterdir() if p.is_dir())
    return [
        Found(name, version, models / name / str(version), is_shipped)
        for name in names
        for version in versions_in(models, name)
    ]


def find(workspace: Workspace, label: str) -> Found:
    """Find NAME or NAME/VERSION (the newest version if none is given).

    A model of the workspace goes before one of the same label that ships.

    Raises
    ------
    EarlywarnError
        If there is no such model, or a pickle is offered instead of one.
    """
    if label.lower().endswith(PICKLES):
        raise pickled(label)
    name, slash, number = label.replace("\\", "/").partition("/")
    for models in (workspace.models, shipped.root()):
        known = versions_in(models, name)
        is_shipped = models != workspace.models
        if _VERSION.fullmatch(number) and int(number) in known:
            return Found(name, int(number), models / name / number, is_shipped)
        if known and not slash:
            return Found(name, known[-1], models / name / str(known[-1]), is_shipped)
    there = [found.label for found in (*all_in(workspace.models), *all_shipped(workspace))]
    raise EarlywarnError(
        zh=f"没有模型 {label}。现有：{'、'.join(there) or '-'}。",
        en=f"There is no model {label}. There are: {', '.join(there) or '-'}.",
    )


def all_shipped(workspace: Workspace) -> list[Found]:
    """Return the models that ship with the program and lie not yet in the workspace."""
    here = {found.label for found in all_in(workspace.models)}
    return [f for f in all_in(shipped.root(), is_shipped=True) if f.label not in here]
