"""What a load may say, and what it says back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Self

from earlywarn.errors import Text, UsageError
from earlywarn.tables.preview import Preview
from earlywarn.tables.scopes import REACH

_MAX_COVERED_DAYS = 3660


@dataclass(frozen=True)
class IngestOptions:
    """What a load may say besides the files.

    `snapshot` fills snapshot_date of students; `covers` (both days included) says which days an
    attendance file reports in full; `full_mark`, `exam` and `exam_date` fill what marks leave out;
    `month`, `through`, `school`, `class_id` say what a wide sheet leaves out: its month, the last
    day whose empty cells count, and whose sheet it is;
    `complete`: the registry file names all students of its schools; `again` loads a file that is
    loaded already; `replace`: the files are all that is known for their schools and days (`scopes`
    says which of a table's earlier rows that takes out); `dry_run` changes nothing; `who` loads.
    """

    snapshot: date | None = None
    mapping: str = "canonical"
    covers: tuple[date, date] | None = None
    full_mark: Decimal | None = None
    exam: str | None = None
    exam_date: date | None = None
    month: tuple[int, int] | None = None
    through: date | None = None
    school: str | None = None
    class_id: str | None = None
    complete: bool = False
    again: bool = False
    replace: bool = False
    dry_run: bool = False
    who: str = ""

    def check(self, table: str) -> None:
        """Refuse options that mean nothing for `table` (UsageError)."""
        for wanted, option, given in (
            ("students", "--snapshot", self.snapshot is not None),
            ("students", "--complete", self.complete),
            ("attendance", "--covers", self.covers is not None),
            ("exams", "--full-mark", self.full_mark is not None),
            ("exams", "--exam", self.exam is not None),
            ("exams", "--date", self.exam_date is not None),
            ("attendance", "--month", self.month is not None),
            ("attendance", "--through", self.through is not None),
        ):
            if given and table != wanted:
                raise UsageError(
                    zh=f"{option} 只用于 {wanted}，不用于 {table}。",
                    en=f"{option} is for {wanted}, not for {table}.",
                )
        if self.replace and table not in REACH:
            raise UsageError(
                zh=f"--replace 不用于 {table}：每所学校只有一行，后导入的总是取代先前的。"
                "要去掉一所学校，请用 --undo 撤销带来它的批次。",
                en=f"--replace is not for {table}: a school has one row, and the one loaded later "
                "counts anyway. To take a school out, --undo the batch that brought it.",
            )
        if self.full_mark is not None and not 0 < self.full_mark < 1_000_000:
            raise UsageError(
                zh=f"--full-mark {self.full_mark} 须大于 0、小于 1000000。",
                en=f"--full-mark {self.full_mark} must be above 0 and below 1000000.",
            )
        if self.covers is not None:
            first, last = self.covers
            if not timedelta(0) <= last - first < timedelta(days=_MAX_COVERED_DAYS):
                raise UsageError(
                    zh=f"--covers {first}..{last}：起始日期须不晚于结束日期，且不超过十年。",
                    en=f"--covers {first}..{last}: the first day must not be after the last, "
                    "nor ten years before it.",
                )

    def said(self) -> dict[str, str]:
        """Return the options that shape the rows, as text, for the list of batches."""
        said = {"mapping": self.mapping}
        if self.snapshot:
            said["snapshot"] = self.snapshot.isoformat()
        if self.covers:
            said["covers"] = "..".join(day.isoformat() for day in self.covers)
        if self.full_mark is not None:
            said["full_mark"] = str(self.full_mark.normalize())
        if self.exam is not None:
            said["exam"] = self.exam
        if self.exam_date:
            said["date"] = self.exam_date.isoformat()
        if self.month:
            said["month"] = f"{self.month[0]}-{self.month[1]:02}"
        if self.through:
            said["through"] = self.through.isoformat()
        if self.school is not None:
            said["school"] = self.school
        if self.class_id is not None:
            said["class"] = self.class_id
        if self.complete:
            said["complete"] = "yes"
        if self.replace:
            said["replace"] = "yes"
        return said

    @classmethod
    def of_batch(cls, said: dict[str, str]) -> Self:
        """Return the options that fill in what a file leaves out, from a batch's (see `said`)."""
        month = tuple(map(int, said["month"].split("-"))) if "month" in said else None
        return cls(
            mapping=said.get("mapping", cls.mapping),
            snapshot=_day(said.get("snapshot")),
            full_mark=Decimal(said["full_mark"]) if "full_mark" in said else None,
            exam=said.get("exam"),
            exam_date=_day(said.get("date")),
            month=(month[0], month[1]) if month else None,
            through=_day(said.get("through")),
            school=said.get("school"),
            class_id=said.get("class"),
        )

    def fills(self) -> dict[str, str]:
        """Return what stands in a column where the file says nothing."""
        fills = {}
        if self.snapshot:
            fills["snapshot_date"] = self.snapshot.isoformat()
        if self.exam is not None:
            fills["exam"] = self.exam
        if self.exam_date:
            fills["date"] = self.exam_date.isoformat()
        return fills


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass
class FileResult:
    """What became of one file: rows_read = accepted + merged + quarantined."""

    file: str
    rows_read: int = 0
    accepted: int = 0
    merged: int = 0  # rows folded into another one of the same key
    quarantined: int = 0
    replaced: int = 0  # rows of earlier batches whose key stands in this file too
    withdrawn: int = 0  # rows that --replace takes out, their key not in this file
    reasons: list[Text] = field(default_factory=list)  # one for each kind, with the first place
    notes: list[Text] = field(default_factory=list)
    quarantine: Path | None = None
    batch: int | None = None
    mends: int | None = None  # of a quarantine's workbook: the batch whose rows it mends
    loaded_before: bool = False
    preview: list[Preview] = field(default_factory=list)  # of a dry run, one for each table
    error: Text | None = None  # the file cannot be used


@dataclass
class IngestResult:
    """What became of a load."""

    table: str
    files: list[FileResult] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)  # in a folder, but no data file
    notes: list[Text] = field(default_factory=list)  # on workbooks of the quarantine
    together: FileResult | None = None  # of files that are one batch: what became of it

    @property
    def exit_code(self) -> int:
        """1 if a file was unusable, else 3 if a row was quarantined, else 0."""
        if any(result.error for result in self.files):
            return 1
        return 3 if any(result.quarantined for result in self.files) else 0
