"""What a role may see, and the pseudonyms of those who may not see who a child is.

Without a login this keeps honest people from seeing what they need not; whoever can read the
workspace's files can read everything.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.files import write_whole
from earlywarn.workspace import Workspace

KEY_FILE = "secret.key"
KEY_BYTES = 32
LEAST_CELL = 5  # a researcher's table shows no smaller number of children

_EXACT = 1e-9


class Role(StrEnum):
    """Who is asking."""

    BUREAU = "bureau"
    COUNTY = "county"
    TOWNSHIP = "township"
    SCHOOL = "school"
    HOMEROOM = "homeroom"
    RESEARCHER = "researcher"

    @property
    def sees_groups(self) -> bool:
        """Whether monitored groups and sensitive reasons are shown in full."""
        return self in (Role.BUREAU, Role.COUNTY, Role.TOWNSHIP)

    @property
    def sees_names(self) -> bool:
        """Whether children, guardians and staff are shown by name and number."""
        return self is not Role.RESEARCHER


def role_of(workspace: Workspace, asked: str = "") -> Role:
    """Return the role asked for, else the config's default (UsageError if there is none such)."""
    name = asked or workspace.config.roles.default
    try:
        return Role(name)
    except ValueError:
        known = [str(role) for role in Role]
        raise UsageError(
            zh=f"没有 {name} 这个角色，可用：{'、'.join(known)}。",
            en=f"There is no role {name}; there are {', '.join(known)}.",
        ) from None


def refuse_unless_groups(role: Role) -> None:
    """Refuse what tells of monitored groups to a role that may not see them."""
    if not role.sees_groups:
        raise EarlywarnError(
            zh=f"角色 {role} 不能查看：其中有监测群体信息。请由教育局、县级或乡镇人员办理。",
            en=f"The role {role} may not see this: it tells of monitored groups. Ask the bureau, "
            "the county or the township.",
        )


def pseudonym(workspace: Workspace, identifier: str) -> str:
    """Return what stands for an identifier in a researcher's export: 16 hexadecimal digits.

    The same identifier has the same one in every export of the workspace; without its secret.key
    nobody can tell, by trying all identity numbers, who is behind it.
    """
    return hmac.new(_secret(workspace), identifier.encode(), hashlib.sha256).hexdigest()[:16]


def without_small_cells(table: Sequence[Sequence[int]]) -> list[list[int | None]]:
    """Return a researcher's table: None for 1 to 4 children, and for what would give them away.

    Parameters
    ----------
    table
        Counts; the last row and the last column are totals of those before them.

    More cells are hidden, the smallest first, then zeros, totals last, until no hidden cell follows
    from the others by adding and subtracting (complementary suppression; Hundepool et al.,
    Statistical Disclosure Control, 2012, chapter 4).
    """
    values = np.asarray(table, dtype=np.int64)
    if values.size == 0:
        return [list(row) for row in table]
    hidden = (values > 0) & (values < LEAST_CELL)

    def dear(at: tuple[int, ...]) -> tuple[int, bool, int, tuple[int, ...]]:
        is_total = (at[0] == values.shape[0] - 1) + (at[1] == values.shape[1] - 1)
        return is_total, bool(values[at] == 0), int(values[at]), at

    order = sorted(np.ndindex(*values.shape), key=dear)
    while told := _told(hidden):
        lines = {i for i, _ in told}, {j for _, j in told}
        shown = [at for at in order if not hidden[at]]
        beside = [at for at in shown if at[0] in lines[0] or at[1] in lines[1]]
        hidden[(beside or shown)[0]] = True
    return [
        [None if hidden[i, j] else int(values[i, j]) for j in range(values.shape[1])]
        for i in range(values.shape[0])
    ]


def _told(hidden: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the hidden cells that follow from what is shown."""
    places = [(int(i), int(j)) for i, j in np.argwhere(hidden)]
    if not places or hidden.all():
        return []
    column_of = {at: column for column, at in enumerate(places)}
    sums = []
    for lines, total in ((range(hidden.shape[0]), False), (range(hidden.shape[1]), True)):
        for line in lines:
            across = hidden.shape[0] if total else hidden.shape[1]
            row = np.zeros(len(places))
            for place in range(across):
                at = (place, line) if total else (line, place)
                if at in column_of:
                    row[column_of[at]] = -1.0 if place == across - 1 else 1.0
            sums.append(row)
    # A cell is told if its unit vector is a sum of the lines' equations.
    matrix = np.asarray(sums)
    projection = np.linalg.pinv(matrix) @ matrix
    return [at for at, column in column_of.items() if projection[column, column] > 1 - _EXACT]


def _secret(workspace: Workspace) -> bytes:
    path = workspace.root / KEY_FILE
    if not path.exists():
        write_whole(path, secrets.token_hex(KEY_BYTES) + "\n")
    try:
        found = bytes.fromhex(path.read_text("utf-8").strip())
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise EarlywarnError(
            zh=f"{path.name} 已损坏。请从备份恢复；换一个新的，以前导出的化名就对不上了。",
            en=f"{path.name} is damaged. Restore it from a backup: with a new one, pseudonyms of "
            "earlier exports would no longer fit.",
        )
    return found
