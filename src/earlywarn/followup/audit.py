"""Who looked at what: a line in the audit log for every export and every look at a child."""

from __future__ import annotations

from pathlib import Path

from earlywarn.files import sha256
from earlywarn.followup.ledger import Ledger
from earlywarn.roles import Role
from earlywarn.workspace import Workspace


def refuse_unlogged(workspace: Workspace) -> None:
    """Refuse, before a file goes out, what `note` could not write down: raise what it would."""
    with Ledger.open(workspace):
        pass


def note(
    workspace: Workspace,
    action: str,
    *,
    who: str,
    role: Role,
    student_id: str | None = None,
    rows: int | None = None,
    file: Path | None = None,
) -> None:
    """Write one line: what was done, by whom, in which role, of how many rows, into which file.

    The file is named and hashed, so that a copy found later can be told.
    """
    with Ledger.open(workspace) as ledger:
        ledger.audit(
            action,
            file.name if file is not None else "screen",
            who=who,
            role=str(role),
            student_id=student_id,
            rows=rows,
            sha256=sha256(file) if file is not None else None,
        )
