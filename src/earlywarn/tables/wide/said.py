"""What is said about a sheet as a whole: on the command line, in its title, its name, its file.

What the command line says counts. Of the rest, the sheet goes before the file; places that
contradict each other are asked about, never chosen from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.tables.options import IngestOptions
from earlywarn.tables.wide import titles
from earlywarn.tables.wide.sheet import Sheet

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*(?:年|(?!\d))")


@dataclass(frozen=True)
class Said:
    """Where a sheet stands: its file, its name and its title, and what the command line says."""

    file: Path
    name: str
    sheet: Sheet
    options: IngestOptions

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The texts that may say something: title and sheet name; then the file's name."""
        return (" ".join((*self.sheet.title, self.name)), self.file.stem)

    def month(self) -> tuple[int, int] | None:
        """Return the year and month; None where nothing says them.

        Raises
        ------
        EarlywarnError
            If two months are named.
        """
        if self.options.month is not None:
            return self.options.month
        whole = [titles.months_in(text) for text in self.places]
        found = whole[0] or whole[1]
        if whole[0] and whole[1] and not whole[0] & whole[1]:
            found = whole[0] | whole[1]
        if not found:
            months = next(filter(None, map(titles.months_without_year, self.places)), set())
            years = {int(year) for text in self.places for year in _YEAR.findall(text)}
            found = {(year, month) for year in years for month in months}
        if len(found) > 1:
            listed = ", ".join(f"{year}-{month:02}" for year, month in sorted(found))
            raise self._ask("月份", "months", listed, "--month 2026-11")
        return next(iter(found), None)

    def day(self) -> date:
        """Return the day of an exam.

        Raises
        ------
        EarlywarnError
            If none is named, or more than one.
        """
        if self.options.exam_date is not None:
            return self.options.exam_date
        here, there = map(titles.days_in, self.places)
        found = here | there if here and there else here or there
        if len(found) > 1:
            listed = ", ".join(day.isoformat() for day in sorted(found))
            raise self._ask("日期", "dates", listed, "--date 2026-11-12")
        if not found:
            raise EarlywarnError(
                zh=f"{self._where}：标题、表名和文件名里都没有考试日期。请加上 --date 2026-11-12。",
                en=f"{self._where}: neither title nor sheet nor file name says on which day the "
                "exam was. Add --date 2026-11-12.",
            )
        return next(iter(found))

    def exam(self) -> str:
        """Return the exam's name.

        Raises
        ------
        EarlywarnError
            If nothing names one.
        """
        if self.options.exam is not None:
            return self.options.exam
        found = next(filter(None, map(titles.exam_in, self.places)), "")
        if not found:
            raise EarlywarnError(
                zh=f"{self._where}：标题、表名和文件名里都没有考试名称。请加上 --exam 期中考试。",
                en=f"{self._where}: neither title nor sheet nor file name names the exam. "
                "Add --exam MIDTERM.",
            )
        return found

    @cached_property
    def class_id(self) -> str:
        """Return the class that the sheet is of; "" where nothing says it.

        Raises
        ------
        EarlywarnError
            If two classes are named.
        """
        if self.options.class_id is not None:
            return self.options.class_id
        found = next(filter(None, map(titles.classes_in, self.places)), set())
        if len(found) > 1:
            raise self._ask("班级", "classes", ", ".join(sorted(found)), "--class 7-1")
        return next(iter(found), "")

    @property
    def _where(self) -> str:
        return f"{self.file.name} [{self.name}]" if self.name else self.file.name

    def _ask(self, zh: str, en: str, listed: str, option: str) -> EarlywarnError:
        return EarlywarnError(
            zh=f"{self._where}：标题和文件名里有不止一个{zh}（{listed}）。请用 {option} 说明。",
            en=f"{self._where}: title and file name say different {en} ({listed}). "
            f"Say which with {option}.",
        )
