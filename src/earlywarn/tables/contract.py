"""The input contract: which tables there are, their columns, types and keys.

Types: `id` and `text` are text; `integer`; `number` is DECIMAL(12,6); `boolean`; `date`; `choice`
is text out of a closed list. Everything in `data/` has exactly these columns in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from earlywarn.words import CAUSES, EVENTS, STATUS_SEVERITY

ColumnType = Literal["id", "text", "integer", "number", "boolean", "date", "choice"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "choice": pa.string(),
    "integer": pa.int32(),
    "number": pa.decimal128(12, 6),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}

SQL_TYPES: dict[str, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "choice": "VARCHAR",
    "integer": "INTEGER",
    "number": "DECIMAL(12,6)",
    "boolean": "BOOLEAN",
    "date": "DATE",
}


@dataclass(frozen=True)
class Column:
    """One column: `required` columns must be in the file and filled in every row."""

    name: str
    type: ColumnType
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def sql_type(self) -> str:
        """The DuckDB type."""
        return SQL_TYPES[self.type]


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, and the columns of its key."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the accepted table."""
        return pa.schema([pa.field(c.name, ARROW_TYPES[c.type]) for c in self.columns])

    def column(self, name: str) -> Column:
        """Return the column called `name` (KeyError if there is none)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _id(name: str, required: bool = False) -> Column:
    return Column(name, "id", required)


def _choice(name: str, *choices: str, required: bool = False) -> Column:
    return Column(name, "choice", required, choices)


STUDENTS = Table(
    "students",
    ("student_id", "snapshot_date"),
    (
        _id("student_id", required=True),
        # In the file or given with --snapshot: the loader fills it before this contract is checked.
        Column("snapshot_date", "date", required=True),
        Column("name", "text"),
        _choice("sex", "M", "F"),
        Column("birth_date", "date"),
        _id("school_id", required=True),
        Column("grade", "integer", required=True),
        _id("class_id"),
        Column("enrolled_on", "date"),
        Column("left_on", "date"),
        Column("boarding", "boolean"),
        Column("boarding_aid", "boolean"),
        Column("distance_km", "number"),
        _choice("travel", "walk", "bicycle", "family", "public", "school_bus", "lives_at_school"),
        Column("needs_bus", "boolean"),
        _choice("parents_away", "none", "one_parent", "both_parents"),
        Column("migrant_child", "boolean"),
        _choice(
            "disability",
            "none",
            "visual",
            "hearing",
            "intellectual",
            "physical",
            "speech",
            "mental",
            "multiple",
            "other",
        ),
        _choice("placement", "regular", "special_school", "home_teaching"),
        _choice("poverty", "none", "low_income", "registered"),
        Column("receives_aid", "boolean"),
        Column("parent_in_prison", "boolean"),
        _choice("orphan_status", "none", "orphan", "unattended"),
        Column("guardian", "text"),
        Column("guardian_phone", "text"),
        Column("homeroom_teacher", "text"),
    ),
)

SCHOOLS = Table(
    "schools",
    ("school_id",),
    (
        _id("school_id", required=True),
        Column("name", "text", required=True),
        Column("county", "text", required=True),
        Column("township", "text"),
        _choice("kind", "primary", "junior", "nine_year", "teaching_point"),
        Column("rural", "boolean"),
        Column("remote", "boolean"),
        Column("capacity", "integer"),
    ),
)

ATTENDANCE = Table(
    "attendance",
    ("student_id", "date", "session"),
    (
        _id("student_id", required=True),
        Column("date", "date", required=True),
        _choice("status", *STATUS_SEVERITY, required=True),
        _id("session"),
    ),
)

REPORTED_DAYS = Table(
    "reported_days",
    ("school_id", "class_id", "date"),
    (
        _id("school_id", required=True),
        _id("class_id"),
        Column("date", "date", required=True),
    ),
)

CALENDAR = Table(
    "calendar",
    ("date", "school_id", "class_id"),
    (
        Column("date", "date", required=True),
        _id("school_id"),
        _id("class_id"),
        Column("is_school_day", "boolean", required=True),
    ),
)

ATTENDANCE_TOTALS = Table(
    "attendance_totals",
    ("student_id", "from", "to"),
    (
        _id("student_id", required=True),
        Column("from", "date", required=True),
        Column("to", "date", required=True),
        Column("days_absent", "integer", required=True),
        Column("school_days", "integer", required=True),
        Column("days_unexcused", "integer"),
        Column("days_late", "integer"),
    ),
)

EXAMS = Table(
    "exams",
    ("student_id", "exam", "subject", "date"),
    (
        _id("student_id", required=True),
        Column("date", "date", required=True),
        Column("exam", "text", required=True),
        Column("subject", "text", required=True),
        # The column must be there; an empty cell (or 缺考) is an absent student.
        Column("score", "number"),
        Column("full_mark", "number"),
    ),
)

OUTCOMES = Table(
    "outcomes",
    ("student_id", "date", "event"),
    (
        _id("student_id", required=True),
        Column("date", "date", required=True),
        _choice("event", *EVENTS, required=True),
        _choice("cause", *CAUSES),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        STUDENTS,
        SCHOOLS,
        ATTENDANCE,
        REPORTED_DAYS,
        CALENDAR,
        ATTENDANCE_TOTALS,
        EXAMS,
        OUTCOMES,
    )
}
