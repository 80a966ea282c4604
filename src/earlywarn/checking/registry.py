"""What the registry says that cannot be, what is old in it, and what is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from earlywarn.checking import dates
from earlywarn.checking.classnames import named_grade
from earlywarn.checking.columns import FIELDS, label
from earlywarn.checking.finding import Finding, Severity
from earlywarn.checking.gather import Gathered
from earlywarn.checking.numbers import children as of_children
from earlywarn.checking.numbers import many, percent
from earlywarn.errors import Text

# From which share of empty cells on a field that rules use is worth a note, and a warning.
NOTE_EMPTY, WARN_EMPTY = 0.2, 0.5
_PLACES = {
    "reported_days": Text("上报日", "reported days"),
    "calendar": Text("校历", "the calendar"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the registry: for how many of the cohort it is empty, how many rules use it."""

    name: str
    empty: int
    children: int
    rules: int

    @property
    def share(self) -> float:
        """Share of the cohort for which it is empty, 0 to 1."""
        return self.empty / self.children


def findings(gathered: Gathered) -> Iterator[Finding]:
    """Yield what is found; empty fields are looked at by `fields` and `empty_fields`."""
    yield from _stale(gathered)
    yield from _class_against_grade(gathered)
    yield from _ages(gathered)
    yield from _unknown_schools(gathered)


def _stale(gathered: Gathered) -> Iterator[Finding]:
    start = dates.day(gathered.year_start)
    for school, children, all_children, newest, examples in gathered.rows("stale.sql"):
        when = dates.day(newest)
        yield Finding(
            "stale_registry",
            "stop" if 2 * children >= all_children else "warn",
            school,
            None,
            children,
            Text(
                f"{children:,} 名学生（在校 {all_children:,} 名）的学籍早于本学年开始"
                f"（{start.zh}），最新为 {when.zh}：年级、班级可能是上学年的。",
                f"the records of {children:,} of {all_children:,} children are older than the "
                f"school year ({start.en}), the newest of {when.en}: grade and class may be last "
                "year's.",
            ),
            Text(
                "请导入本学年的学籍表（earlywarn ingest students 文件 --snapshot 日期）。",
                "Load this school year's registry (earlywarn ingest students FILE --snapshot D).",
            ),
            tuple(examples),
        )


def _class_against_grade(gathered: Gathered) -> Iterator[Finding]:
    junior = gathered.config.stages.get("junior")
    classes = gathered.con.execute(
        "SELECT DISTINCT class_id FROM cohort WHERE class_id IS NOT NULL"
    ).fetchall()
    named = [(name, named_grade(name, junior[0] if junior else None)) for (name,) in classes]
    known = [(name, grade) for name, grade in named if grade is not None]
    table = pa.table(
        {
            "class_id": pa.array([name for name, _ in known], pa.string()),
            "grade": pa.array([grade for _, grade in known], pa.int32()),
        }
    )
    gathered.con.register("named_grades", table)
    found = gathered.rows("class_against_grade.sql")
    gathered.con.unregister("named_grades")
    for school, class_id, told, grade, children, examples in found:
        yield Finding(
            "class_against_grade",
            "warn",
            school,
            class_id,
            children,
            Text(
                f"班级名称表示 {told} 年级，{children:,} 名学生的年级却是 {grade}。",
                f"the class is one of grade {told} by its name, but {of_children(children)} in it "
                f"{'is' if children == 1 else 'are'} in grade {grade}.",
            ),
            Text(
                "请核对学籍表的年级和班级（升级后两列是否都已更新），改正后重新导入。",
                "Check grade and class in the registry (were both moved up?), correct it and load "
                "it again.",
            ),
            tuple(examples),
        )


def _ages(gathered: Gathered) -> Iterator[Finding]:
    month, day = gathered.config.school_year_start.split("-")
    for school, children, ahead, age, grade, examples in gathered.rows(
        "ages.sql",
        year_start_md=int(month) * 100 + int(day),
        age_at_grade_1=gathered.config.age_at_grade_1,
    ):
        parts = [
            (ahead, Text("出生日期在截止日期之后", "born after the as-of date")),
            (age, Text("不满3岁或超过22岁", "under 3 or over 22 years old")),
            (grade, Text("年龄与年级不符", "of an age that does not fit the grade")),
        ]
        said = [(count, text) for count, text in parts if count]
        yield Finding(
            "impossible_age",
            "warn",
            school,
            None,
            children,
            Text(
                f"{children:,} 名学生的出生日期不可能正确："
                + "，".join(f"{text.zh} {count:,} 名" for count, text in said)
                + "。",
                f"{many(children, 'birth date')} cannot be right: "
                + ", ".join(f"{count:,} {text.en}" for count, text in said)
                + ".",
            ),
            Text(
                "请核对出生日期和年级（身份证号第7至14位），改正后重新导入。",
                "Check birth date and grade (digits 7 to 14 of the identity number), correct and "
                "load again.",
            ),
            tuple(examples),
        )


def _unknown_schools(gathered: Gathered) -> Iterator[Finding]:
    cure = Text(
        "请在学校表中补上这所学校（earlywarn ingest schools 文件），或改正学校代码。",
        "Add it to the table of schools (earlywarn ingest schools FILE), or correct its id.",
    )
    for place, school, count, examples in gathered.rows("unknown_schools.sql"):
        if place == "students":
            text = Text(
                f"学校表里没有这所学校，它有 {count:,} 名在校学生：名称、所属县区不明。",
                f"is not in the table of schools, but has {of_children(count)}: "
                f"its name and county are unknown.",
            )
        else:
            where = _PLACES[place]
            text = Text(
                f"学校表和学籍里都没有这所学校，但{where.zh}中有它的 {count:,} 行。",
                f"is neither in the table of schools nor in the registry, but "
                f"{many(count, 'row')} of {where.en} {'names' if count == 1 else 'name'} it.",
            )
        severity: Severity = "warn" if place == "students" else "note"
        yield Finding("unknown_school", severity, school, None, count, text, cure, tuple(examples))


def fields(
    gathered: Gathered, used: Mapping[str, int]
) -> tuple[tuple[Field, ...], dict[str, tuple[Field, ...]]]:
    """Return how empty each field is, in the county and by school: those that rules use first."""
    counts = ", ".join(f'count(*) - count("{name}") AS "{name}"' for name in FIELDS)
    schools = {
        row[0]: tuple(
            Field(name, empty, row[1], used.get(name, 0))
            for name, empty in zip(FIELDS, row[2:], strict=True)
        )
        for row in gathered.rows("empty.sql", {"/*columns*/": counts})
    }
    county = [
        Field(name, sum(f.empty for f in column), sum(f.children for f in column), column[0].rules)
        for name, column in zip(FIELDS, zip(*schools.values(), strict=True), strict=False)
    ]
    county.sort(key=lambda f: (not f.rules, -f.share, -f.rules, f.name))
    return tuple(county), schools


def empty_fields(
    county: Sequence[Field], schools: Mapping[str, Sequence[Field]]
) -> Iterator[Finding]:
    """Yield the fields that rules use and that are often empty, then schools that lack others."""
    cure = Text(
        "请在学籍表中补填后重新导入；空着的字段会让用到它的规则无法判断。",
        "Fill them in the registry and load it again: a rule cannot decide on an empty field.",
    )
    widely = set()
    for field in county:
        if not field.rules or field.share < NOTE_EMPTY:
            continue
        if field.share >= WARN_EMPTY:
            widely.add(field.name)
        yield Finding(
            "empty_field",
            "warn" if field.share >= WARN_EMPTY else "note",
            None,
            None,
            field.empty,
            Text(
                f"{label(field.name).zh}有 {percent(field.share)} 的学生为空"
                f"（{field.empty:,} 名），{field.rules} 条规则要用它。",
                f"{label(field.name).en} is empty for {percent(field.share)} of the children "
                f"({field.empty:,}), and {many(field.rules, 'rule')} "
                f"{'uses' if field.rules == 1 else 'use'} it.",
            ),
            cure,
        )
    for school, own in schools.items():
        lacking = [f for f in own if f.rules and f.share >= WARN_EMPTY and f.name not in widely]
        if not lacking or len(schools) == 1:
            continue
        lacking.sort(key=lambda f: (-f.share, -f.rules, f.name))
        yield Finding(
            "empty_fields_school",
            "note",
            school,
            None,
            max(f.empty for f in lacking),
            Text(
                "规则要用的字段多为空："
                + "、".join(f"{label(f.name).zh} {percent(f.share)}" for f in lacking)
                + "。",
                "fields that rules use are mostly empty: "
                + ", ".join(f"{label(f.name).en} {percent(f.share)}" for f in lacking)
                + ".",
            ),
            cure,
        )
