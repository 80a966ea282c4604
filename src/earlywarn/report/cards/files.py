"""Where the cards lie: `reports/children/` and `reports/schools/`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from earlywarn.report.cards.rows import ChildCard
from earlywarn.watchlist.files import safe_name
from earlywarn.workspace import Workspace


def child_file(workspace: Workspace, card: ChildCard) -> Path:
    """Return where a child's card goes: by its number; of one on no registry by its case's."""
    number = card.who.student_id or f"case {card.cases[-1].case.id}"
    return workspace.root / "reports" / "children" / f"{_name(number)}.html"


def school_file(workspace: Workspace, school_id: str) -> Path:
    """Return where a school's card goes."""
    return workspace.root / "reports" / "schools" / f"{_name(school_id)}.html"


def _name(number: str) -> str:
    """Return a file name that no other number has."""
    safe = safe_name(number)
    return safe if safe == number else f"{safe} {hashlib.sha256(number.encode()).hexdigest()[:8]}"
