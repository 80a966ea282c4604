"""Where the cards lie: `reports/children/` and `reports/schools/`.

The card of a role that may not see monitored groups has the role in its name (`30202 school.html`):
the one with groups is not sent by mistake, and neither takes the other's place.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from earlywarn.report.cards.rows import ChildCard
from earlywarn.roles import Role
from earlywarn.watchlist.files import safe_name
from earlywarn.workspace import Workspace


def child_file(workspace: Workspace, card: ChildCard, role: Role) -> Path:
    """Return where a child's card goes: by its number; of one on no registry by its case's."""
    number = card.who.student_id or f"case {card.cases[-1].case.id}"
    return workspace.root / "reports" / "children" / _page(number, role)


def school_file(workspace: Workspace, school_id: str, role: Role) -> Path:
    """Return where a school's card goes."""
    return workspace.root / "reports" / "schools" / _page(school_id, role)


def _page(number: str, role: Role) -> str:
    return f"{_name(number)}.html" if role.sees_groups else f"{_name(number)} {role}.html"


def _name(number: str) -> str:
    """Return a file name that no other number has."""
    safe = safe_name(number)
    return safe if safe == number else f"{safe} {hashlib.sha256(number.encode()).hexdigest()[:8]}"
