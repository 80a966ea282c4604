"""Who is on the registry as of a day: ENROLLED, and what the comparisons need to know beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import run_sql_file
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.reconcile.people import ENROLLED
from earlywarn.workspace import Config, Workspace

SQL_PACKAGE = "earlywarn.reconcile.sql"
WINDOW = 20  # reported school days without being there: the child is not in class

Row = dict[str, Any]


@dataclass(frozen=True)
class Registry:
    """The children with a current record, and the schools.

    `enrolled` is ENROLLED. `children`, by student_id, have its columns and: school (the school's
    name); standing (enrolled, or why out: dropped_out, transferred, graduated, abroad, left,
    taken_off, not_yet, finished, deceased) and since; poverty, receives_aid; in_class (in_class,
    not_in_class, home_teaching, no_home_teaching, on_leave, not_reported; None if out);
    days_since_present, absent_run, unexcused_run. `schools`: school_id, name, county, township,
    kind, in order of school_id.
    """

    enrolled: pa.Table
    children: dict[str, Row]
    schools: list[Row]


def registry_of(con: duckdb.DuckDBPyConnection, workspace: Workspace, as_of: date) -> Registry:
    """Read the registry as of a day from a connection with the workspace's tables.

    Raises
    ------
    EarlywarnError
        If nobody is enrolled that day, or attendance lists exceptions only and a calendar is
        missing.
    """
    config = workspace.config
    build(con, config, load_groups(workspace.rules), as_of)
    parameters = {"as_of": as_of, "window": WINDOW, "last_grade": last_grade(config)}
    run_sql_file(con, SQL_PACKAGE, "children.sql", parameters)
    table = con.sql("SELECT * FROM reconciled_children ORDER BY student_id").to_arrow_table()
    children = {row["student_id"]: row for row in table.to_pylist()}
    if not any(child["in_cohort"] for child in children.values()):
        raise EarlywarnError(
            zh=f"{as_of} 没有在册学生。请先导入学籍（earlywarn ingest students），或核对 --as-of。",
            en=f"Nobody is enrolled on {as_of}. Load the registry (`earlywarn ingest students`) "
            "or check --as-of.",
        )
    schools = con.sql(
        "SELECT school_id, name, county, township, kind FROM schools ORDER BY school_id"
    )
    return Registry(
        table.select(ENROLLED.names).cast(ENROLLED), children, schools.to_arrow_table().to_pylist()
    )


def last_grade(config: Config) -> int:
    """Return the last grade of the last stage."""
    return max(high for _, high in config.stages.values())


def school_ages(config: Config) -> tuple[int, int]:
    """Return the ages, on the school year's first day, of who belongs in the first and last grade.

    With the shipped stages, grades 1 to 9 from 6 on: 6 and 14.
    """
    first = min(low for low, _ in config.stages.values())
    return (
        config.age_at_grade_1 + first - 1,
        config.age_at_grade_1 + last_grade(config) - 1,
    )


def age_on(born: date, day: date) -> int:
    """Return the full years on a day; below 0 for who is not born yet."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
