"""Every report that was made is kept, and a later one of its kind says what has changed since.

    reports/month/2026-11/1/  report.json  report.html  report.xlsx

report.json holds the figures and no child's name or number; it is what later reports read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from earlywarn.errors import EarlywarnError, Lang
from earlywarn.report.period.figures import Change, Counts, Figures, corrected
from earlywarn.report.period.periods import Kind, Period, parse_period
from earlywarn.workspace import Config, Workspace

FOLDER = "reports"
JSON_FILE = "report.json"
PAGE_FILE = "report.html"
WORKBOOK_FILE = "report.xlsx"
FORMAT = 1


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Correction(_Kept):
    """What has changed in an earlier period since it was reported, or since it was corrected."""

    of: str
    reported: str  # when the corrected report was made
    changes: tuple[Change, ...]


class Month(_Kept):
    """One month of a longer period: as its own report said, what later ones corrected, and now."""

    of: str
    reported: Counts | None  # as reported first; None: no report of that month was made
    corrections: Counts  # what monthly reports have told to have changed since; may be below 0
    now: Counts

    @property
    def has_changed(self) -> bool:
        """Whether what is counted now is other than what was reported first."""
        return self.reported is not None and self.reported != self.now


class SchoolLine(_Kept):
    """One school besides its counts. `overdue`, `inspections` None: there is no ledger yet."""

    days: int  # school days up to as_of
    missing: int  # of them not handed in at all
    incomplete: int  # of them handed in by some classes only
    state: str  # no_days, none, late, whole
    keys: tuple[str, ...]  # rural, remote, movers
    overdue: int | None
    inspections: int | None
    inspections_missing: int | None
    orders_open: int | None
    aid_gap: int
    file: int
    untaught: int
    # Stages over the limit: dropped out and enrolled in the school year so far.
    over: dict[str, tuple[int, int]] = Field(default_factory=dict)


class Report(_Kept):
    """One report as it is kept: format 1, no child in it."""

    format: int = Field(FORMAT, ge=1, le=FORMAT)
    kind: Kind
    of: str
    start: date
    end: date
    number: int  # 1, 2 ...: how often this period was reported with other figures
    made: str  # UTC
    program: str
    lang: Lang
    generated: bool
    as_of: date  # up to when things are counted: the end, or the last day that has come
    over: bool  # whether the period is
    outcomes_until: date | None  # newest entry of outcomes, or what the config says
    enrolled_on: date  # the first school day
    has_school_days: bool
    figures: Figures
    still_suspected: int  # of the children suspected in the period, on as_of
    still_out: int  # of those who dropped out in it
    carried_suspected: int  # suspected the day before it began, whenever that was found
    carried_out: int
    open_suspected: int  # suspected on as_of, whenever that was found
    open_out: int
    calendar_until: date | None  # the last date of the table calendar
    registry_of: date | None  # the newest registry in force on as_of
    months: tuple[Month, ...] = ()
    corrections: tuple[Correction, ...] = ()
    revised: Correction | None = None  # this period was reported before, with other figures
    year: str  # the school year, for the limit and the inspections
    year_start: str  # its first day
    limit: dict[str, float] = Field(default_factory=dict)
    schools: dict[str, SchoolLine] = Field(default_factory=dict)

    @property
    def reported(self) -> dict[str, int]:
        """How many schools are in each state of reporting."""
        states = [line.state for line in self.schools.values()]
        return {state: states.count(state) for state in ("whole", "late", "none", "no_days")}

    @property
    def is_zero(self) -> bool:
        """Whether this is a zero report: all schools have reported, and nobody is missing."""
        total, states = self.figures.total, self.reported
        nobody = (
            total.enrolled > 0
            and self.has_school_days
            and not (total.suspected or total.dropped_out)
        )
        return nobody and self.over and not (states["late"] or states["none"])

    @property
    def is_silent(self) -> bool:
        """Whether no school at all has handed in a day, so that no zero means none."""
        states = self.reported
        return states["none"] > 0 and not (states["whole"] or states["late"])

    def same_as(self, other: Report) -> bool:
        """Whether both say the same, whenever they were made."""
        apart = {"number", "made", "revised"}
        return self.model_dump(exclude=apart) == other.model_dump(exclude=apart)


def folder_of(workspace: Workspace, period: Period) -> Path:
    """Return where the reports of a period are kept."""
    return workspace.root / FOLDER / period.kind / period.of


def read_kept(workspace: Workspace, kind: Kind) -> list[Report]:
    """Return the newest report of each period of a kind, in the order in which they were made.

    Raises
    ------
    EarlywarnError
        If a kept report cannot be read: it is never passed over, for figures depend on it.
    """
    found = []
    root = workspace.root / FOLDER / kind
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        numbers = [
            int(path.name)
            for path in folder.iterdir()
            if path.is_dir() and path.name.isascii() and path.name.isdigit()
        ]
        if numbers:
            found.append(_read(folder / str(max(numbers)) / JSON_FILE))
    return sorted(found, key=lambda report: (report.made, report.of))


def first_of(workspace: Workspace, report: Report) -> Report:
    """Return the first report that was made of the same period."""
    if report.number == 1:
        return report
    first = workspace.root / FOLDER / report.kind / report.of / "1" / JSON_FILE
    return _read(first) if first.exists() else report


def _read(path: Path) -> Report:
    where = "/".join(path.parts[-4:])
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise EarlywarnError(
            zh=f"以前的报告 {where} 读不出来，未作改动。请从备份恢复它，或把它的文件夹移走。",
            en=f"The earlier report {where} cannot be read; nothing was changed. Restore it from a "
            "backup, or move its folder away.",
        ) from None


def period_of(report: Report, config: Config) -> Period:
    """Return the period of a kept report."""
    return parse_period(report.kind, report.of, config)


def told(kept: Iterable[Report], report: Report) -> Figures:
    """Return what was last said of a report's period: its figures, and later corrections of them.

    `kept` are the newest reports of its kind.
    """
    return corrected(report.figures, corrections_of(kept, report))


def corrections_of(kept: Iterable[Report], report: Report) -> list[Change]:
    """Return the corrections of a report's figures that reports made after it have told."""
    return [
        change
        for later in kept
        if later.made > report.made
        for correction in later.corrections
        if correction.of == report.of
        for change in correction.changes
    ]
