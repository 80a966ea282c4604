"""Classes, grades and schools without marks where others have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from earlywarn.checking.finding import Finding, Severity
from earlywarn.checking.gather import Gathered
from earlywarn.checking.numbers import children as of_children
from earlywarn.errors import Text

# Fewer children than that are moved or mistyped rather than a class.
LEAST_CLASS = 5

_CURE = Text(
    "请导入近一年的成绩（earlywarn ingest exams 文件）；本来就不考试的年级可以不理。",
    "Load the marks of the last year (earlywarn ingest exams FILE); a grade that sits no exams "
    "needs none.",
)


def findings(gathered: Gathered) -> Iterator[Finding]:
    """Yield the widest that can be said: all, a school, a grade, a grade of a school, a class."""
    total = 0
    schools: dict[str, int] = defaultdict(int)
    grades: dict[int, int] = defaultdict(int)
    school_grades: dict[tuple[str, int], int] = defaultdict(int)
    for (
        school,
        grade,
        class_id,
        children,
        in_school,
        in_school_grade,
        in_grade,
        anywhere,
    ) in gathered.rows("no_marks.sql", least=LEAST_CLASS):
        if not anywhere:
            total += children
        elif not in_school:
            schools[school] += children
        elif not in_grade:
            grades[grade] += children
        elif not in_school_grade:
            school_grades[school, grade] += children
        elif class_id is not None:
            who_zh = f"{grade} 年级这个班的 {children:,} 名学生"
            yield _finding("warn", school, class_id, children, who_zh, " of this class")
    if total:
        yield _finding("note", None, None, total, f"{total:,} 名学生", "")
    for school, children in schools.items():
        yield _finding(
            "warn", school, None, children, f"全校 {children:,} 名学生", " of the school"
        )
    for grade, children in grades.items():
        who_zh = f"各校 {grade} 年级 {children:,} 名学生"
        yield _finding("note", None, None, children, who_zh, f" of grade {grade} at any school")
    for (school, grade), children in school_grades.items():
        who_zh = f"{grade} 年级 {children:,} 名学生"
        yield _finding("warn", school, None, children, who_zh, f" of grade {grade}")


def _finding(
    severity: Severity, school: str | None, class_id: str | None, children: int, zh: str, en: str
) -> Finding:
    return Finding(
        "no_marks",
        severity,
        school,
        class_id,
        children,
        Text(
            f"{zh}近365天没有任何成绩。",
            f"no mark in the last 365 days for {of_children(children)}{en}.",
        ),
        _CURE,
    )
