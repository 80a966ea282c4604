"""earlywarn: rules and a learned scorecard that find the children about to drop out of school.

`earlywarn.open(folder)` opens a workspace for a notebook or a script.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from earlywarn.api import Project

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(workspace: Path | str) -> Project:
    """Open a workspace's folder: its features, panel, models and scores as tables.

    Raises
    ------
    EarlywarnError
        If it is no workspace, its config is wrong, or a newer program made it.

    Examples
    --------
    >>> import earlywarn
    >>> earlywarn.open(county).features("2026-03-20").shape[0]
    240
    """
    # Imported here: `import earlywarn` and the commands that need no pandas stay quick.
    project: Project = import_module("earlywarn.api").open_project(workspace)
    return project
